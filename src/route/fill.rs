//! Plans and verdicts into rows: the decision for each class and bucket, and the bytes of each
//! answer.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::number::Ttl;
use crate::reason::Reason;

use super::bucket::BUCKET_COUNT;
use super::decide::{Cell, Outcome, Verdicts, View, decide};
use super::plan::{ClassOrder, Plan, PlanEndpoint, PlanSide};
use super::pool::{POOL_ENDPOINTS_MAX, Target};
use super::table::{Cells, Choice, ChoiceAnswer, PolicyTable, Row};
use super::ttl::ttl_account;

// Each endpoint begins at most one answer for each reason that a region can be chosen for (seven),
// and a dozen answers have no region: indexes of choices fit 16 bits.
const _: () = assert!(POOL_ENDPOINTS_MAX * 7 + 12 <= u16::MAX as usize);

/// The rows of `plan` as the verdicts of `health` stand. The time of filling is no input: the same
/// verdicts give the same bytes, however late a table is filled.
///
/// Invariant table-covers-plan: a row for each class of the plan, in order; every cell indexes
/// `choices`.
pub fn fill(plan: &Plan, health: &impl Verdicts) -> PolicyTable {
    let view = View::new(plan, health);
    let ttl = ttl_account(plan, health).ttl;
    let mut filler = Filler { plan, view, ttl, choices: Vec::new(), known: HashMap::default() };
    let mut rows = HashMap::default();
    let rows = plan.classes.iter().map(|class| {
        let a = filler.cells(class, 0, &mut rows);
        let aaaa = if plan.names { a.clone() } else { filler.cells(class, 1, &mut rows) };
        Row { a, aaaa }
    });
    PolicyTable { rows: rows.collect(), choices: filler.choices.into() }
}

/// What one family gets, from each bucket on. Classes that agree share their cells.
type Segments = Vec<(u8, Outcome)>;

struct Filler<'p> {
    plan: &'p Plan,
    view: View,
    ttl: Ttl,
    choices: Vec<Choice>,
    /// Choices by family, outcome, and the endpoint that comes first.
    known: HashMap<(usize, Outcome, usize), u16, FixedState>,
}

impl Filler<'_> {
    fn cells(
        &mut self,
        class: &ClassOrder,
        side: usize,
        rows: &mut HashMap<(usize, Segments), Cells, FixedState>,
    ) -> Cells {
        let key = (side, self.segments(class, side));
        if let Some(cells) = rows.get(&key) {
            return cells.clone();
        }
        let cells = self.spread(side, &key.1);
        rows.insert(key, cells.clone());
        cells
    }

    /// The decision for each bucket, neighbours merged. Without shares it changes only where a
    /// drain or what is shed ends.
    fn segments(&self, class: &ClassOrder, side: usize) -> Segments {
        let mut starts: Vec<u8> = vec![0];
        if self.plan.rule_of(class).is_some_and(|rule| rule.shares.is_some()) {
            starts.extend(1..=u8::MAX);
        } else {
            let regions = class.order.iter().filter_map(|&i| self.view.regions.get(usize::from(i)));
            // A region that keeps all keeps 256 buckets, which no bucket begins at.
            starts.extend(regions.filter_map(|region| u8::try_from(region.keep).ok()));
            starts.extend(u8::try_from(self.view.shed_buckets(self.plan, class)).ok());
            starts.sort_unstable();
            starts.dedup();
        }
        let mut segments: Segments = Vec::new();
        for start in starts {
            let cell = Cell { class, side, bucket: start };
            let outcome = decide(self.plan, &self.view, cell, &mut |_, _| {});
            if segments.last().is_none_or(|&(_, last)| last != outcome) {
                segments.push((start, outcome));
            }
        }
        segments
    }

    /// The cells of all buckets: within a region, the endpoint that comes first.
    fn spread(&mut self, side: usize, segments: &Segments) -> Cells {
        let mut cells = [0; BUCKET_COUNT];
        let mut segments = segments.iter().peekable();
        let mut outcome = Outcome::Nodata(Reason::LacksFamily);
        for (bucket, cell) in (0..=u8::MAX).zip(&mut cells) {
            if let Some(&(_, next)) = segments.next_if(|&&(start, _)| start == bucket) {
                outcome = next;
            }
            *cell = self.choice(side, outcome, bucket);
        }
        match cells.iter().all(|cell| *cell == cells[0]) {
            true => Cells::One(cells[0]),
            false => Cells::Many(Arc::new(cells)),
        }
    }

    fn choice(&mut self, side: usize, outcome: Outcome, bucket: u8) -> u16 {
        let first = match outcome {
            Outcome::Region(region, _) => self.first(side, region, bucket),
            Outcome::Default | Outcome::Nodata(_) | Outcome::Servfail => 0,
        };
        let key = (side, outcome, first);
        if let Some(&index) = self.known.get(&key) {
            return index;
        }
        let choice = self.build(side, outcome, first);
        // Above a const assertion holds that this fits.
        let index = self.choices.len() as u16;
        self.choices.push(choice);
        self.known.insert(key, index);
        index
    }

    /// Which of the region's eligible endpoints comes first. Where all fit the answer and weigh
    /// alike, the order makes no difference worth a longer scope: always the same.
    fn first(&self, side: usize, region: u16, bucket: u8) -> usize {
        let Some((side, eligible)) = self.side(side, region) else { return 0 };
        let endpoint = |index: u16| side.endpoints.get(usize::from(index));
        let mut weights = eligible.iter().filter_map(|&i| endpoint(i)).map(|e| e.weight);
        let alike = weights.next().is_none_or(|first| weights.all(|weight| weight == first));
        if alike && eligible.len() <= self.window() {
            return 0;
        }
        let position = |&index: &u16| eligible.iter().position(|&other| other == index);
        let preferred = side.preference.of(bucket).iter().find_map(position);
        preferred.unwrap_or(usize::from(bucket) % eligible.len().max(1))
    }

    fn side(&self, side: usize, region: u16) -> Option<(&PlanSide, &[u16])> {
        let view = self.view.regions.get(usize::from(region))?.sides.get(side)?;
        let plan = self.plan.regions.get(usize::from(region))?.sides.get(side)?;
        Some((plan, &view.eligible))
    }

    /// How many endpoints one answer holds: a name owns one CNAME (RFC 1034 §3.6.2).
    fn window(&self) -> usize {
        if self.plan.names { 1 } else { self.plan.answers }
    }

    fn build(&self, side: usize, outcome: Outcome, first: usize) -> Choice {
        let (region, reason, answer) = match outcome {
            Outcome::Region(region, reason) => {
                (Some(region), reason, self.records(side, region, first))
            }
            Outcome::Default => (None, Reason::DefaultRrset, ChoiceAnswer::Default),
            Outcome::Nodata(reason) => (None, reason, ChoiceAnswer::Nodata),
            Outcome::Servfail => (None, Reason::LastResort, ChoiceAnswer::Servfail),
        };
        let region = region.and_then(|index| self.plan.regions.get(usize::from(index)));
        Choice { region: region.map(|region| region.id), reason, answer }
    }

    /// The window of the ring of eligible endpoints that begins at `first`.
    fn records(&self, side: usize, region: u16, first: usize) -> ChoiceAnswer {
        let Some((side, eligible)) = self.side(side, region) else { return ChoiceAnswer::Nodata };
        let ring = eligible.iter().cycle().skip(first).take(eligible.len().min(self.window()));
        let mut bytes = Vec::new();
        let mut count = 0;
        for endpoint in ring.filter_map(|&index| side.endpoints.get(usize::from(index))) {
            self.push_record(&mut bytes, endpoint);
            count += 1;
        }
        ChoiceAnswer::Records { count, bytes: bytes.into() }
    }

    /// One record, owned by the name at offset 12 (RFC 1035 §4.1.3 and §4.1.4).
    fn push_record(&self, bytes: &mut Vec<u8>, endpoint: &PlanEndpoint) {
        const A: u16 = 1;
        const CNAME: u16 = 5;
        const AAAA: u16 = 28;
        const IN: u16 = 1;
        let (v4, v6);
        let (rtype, rdata): (u16, &[u8]) = match &endpoint.target {
            Target::Address(std::net::IpAddr::V4(address)) => {
                v4 = address.octets();
                (A, &v4)
            }
            Target::Address(std::net::IpAddr::V6(address)) => {
                v6 = address.octets();
                (AAAA, &v6)
            }
            Target::Name { wire, .. } => (CNAME, wire),
        };
        bytes.extend_from_slice(&[0xc0, 0x0c]);
        bytes.extend_from_slice(&rtype.to_be_bytes());
        bytes.extend_from_slice(&IN.to_be_bytes());
        bytes.extend_from_slice(&self.ttl.as_secs().to_be_bytes());
        // A name has at most 255 octets.
        bytes.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        bytes.extend_from_slice(rdata);
    }
}

#[cfg(test)]
mod tests;
