//! Zones with steering made into plain records: what any other server can serve.

use std::collections::BTreeSet;

use crate::fileset::FileSet;
use crate::number::Ttl;
use crate::route::{Family, Plan};
use crate::zone::{Name, Rrset, Rtype, Zone};

use super::super::files::Scan;
use super::super::removal::{self, Removals};
use super::super::retreat::Choice;
use super::{Builder, Patience};

impl Builder {
    /// The zones of `files`, each routed name with its default RRsets. One that has none gets what its policy answers
    /// without steering, so that no routed name is lost. In order of apex.
    pub fn flattened(&mut self, files: &FileSet) -> Vec<Zone> {
        let nothing = FileSet::default();
        let asked = removal::asked(
            &Scan::from(files.clone()),
            &nothing,
            Removals::Settled,
            &BTreeSet::new(),
        );
        let choice = Choice::new(files.clone(), &nothing);
        let Ok(attempt) = self.attempt(&choice, &asked, Patience::Any, None) else {
            return Vec::new();
        };
        let plans = &attempt.steered.plans;
        let flat = attempt.served.iter().map(|(apex, served)| {
            let mut zone = served.zone.unpacked();
            for (owner, policy) in attempt.bindings.routed.get(apex).into_iter().flatten() {
                if let Some(plan) = plans.get(usize::from(policy.0)) {
                    give_default(&mut zone, owner, plan);
                }
            }
            zone
        });
        flat.collect()
    }
}

/// Gives a routed owner its RRsets, unless the zone file holds its default RRset.
fn give_default(zone: &mut Zone, owner: &Name, plan: &Plan) {
    let has = |rtype| zone.rrset(owner, rtype).is_some();
    if has(Rtype::A) || has(Rtype::AAAA) || has(Rtype::CNAME) {
        return;
    }
    let (_, ttl) = plan.ttl_bounds();
    let rtypes = match plan.answers_names() {
        true => [(Rtype::CNAME, Family::V4)].as_slice(),
        false => [(Rtype::A, Family::V4), (Rtype::AAAA, Family::V6)].as_slice(),
    };
    let rrsets = rtypes.iter().map(|&(rtype, family)| plain(rtype, ttl, plan.unsteered(family)));
    let rrsets: Vec<Rrset> = rrsets.filter(|rrset| !rrset.rdata.is_empty()).collect();
    let node = zone.nodes.at(owner);
    node.rrsets.extend(rrsets);
    node.rrsets.sort_by_key(|rrset| rrset.rtype);
}

/// An RRset that no line of a file holds.
fn plain(rtype: Rtype, ttl: Ttl, mut rdata: Vec<Box<[u8]>>) -> Rrset {
    rdata.sort();
    rdata.dedup();
    Rrset { rtype, ttl, rdata, line: 0 }
}
