//! What verdicts rest upon: who looks, whether they still speak, and how old the evidence is. Pure.

use std::collections::BTreeMap;

use crate::api::{EvidenceBody, VantageBody, timestamp};
use crate::health::{Freshness, State, Status};

/// The endpoints in the files, by the age of their evidence.
pub fn ages(health: &State) -> EvidenceBody {
    let mut ages = EvidenceBody::default();
    for (_, standing) in health.members() {
        match standing.freshness {
            Freshness::Fresh => ages.fresh += 1,
            Freshness::Stale => ages.stale += 1,
            Freshness::Frozen => ages.frozen += 1,
            Freshness::Never => ages.never += 1,
        }
    }
    ages
}

/// What one vantage holds.
#[derive(Default)]
struct Holds {
    up: usize,
    degraded: usize,
    down: usize,
    undecided: usize,
    is_fresh: bool,
}

/// The vantages, by name, with what they hold of the endpoints in the files.
pub fn vantages(health: &State) -> Vec<VantageBody> {
    let mut holds: BTreeMap<&str, Holds> = BTreeMap::new();
    for (member, _) in health.members() {
        for word in health.evidence(member) {
            let of = holds.entry(word.vantage).or_default();
            of.is_fresh |= word.fresh;
            match word.opinion {
                Some(Status::Up) => of.up += 1,
                Some(Status::Degraded) => of.degraded += 1,
                Some(Status::Down) => of.down += 1,
                None => of.undecided += 1,
            }
        }
    }
    let vantages = health.vantages().map(|vantage| {
        let of = holds.remove(vantage.name).unwrap_or_default();
        VantageBody {
            name: vantage.name.to_owned(),
            state: if of.is_fresh { "fresh" } else { "missing" }.to_owned(),
            boot: vantage.boot.0,
            seq: vantage.seq,
            heard: timestamp(vantage.heard),
            up: of.up,
            degraded: of.degraded,
            down: of.down,
            undecided: of.undecided,
            words: vantage.words,
        }
    });
    vantages.collect()
}
