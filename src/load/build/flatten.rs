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
            let routed = attempt.bindings.routed.get(apex).into_iter().flatten();
            let given = routed.filter_map(|(owner, policy)| {
                let rrsets = default_of(&zone, owner, plans.get(usize::from(policy.0))?)?;
                Some((owner.clone(), rrsets))
            });
            let given: Vec<_> = given.collect();
            zone.nodes.add(given);
            zone
        });
        flat.collect()
    }
}

/// The RRsets that a routed owner gets; none where the zone file holds its default RRset.
fn default_of(zone: &Zone, owner: &Name, plan: &Plan) -> Option<Vec<Rrset>> {
    let has = |rtype| zone.rrset(owner, rtype).is_some();
    if has(Rtype::A) || has(Rtype::AAAA) || has(Rtype::CNAME) {
        return None;
    }
    let (_, ttl) = plan.ttl_bounds();
    let rtypes = match plan.answers_names() {
        true => [(Rtype::CNAME, Family::V4)].as_slice(),
        false => [(Rtype::A, Family::V4), (Rtype::AAAA, Family::V6)].as_slice(),
    };
    let rrsets = rtypes.iter().map(|&(rtype, family)| plain(rtype, ttl, plan.unsteered(family)));
    Some(rrsets.filter(|rrset| !rrset.rdata.is_empty()).collect())
}

/// An RRset that no line of a file holds.
fn plain(rtype: Rtype, ttl: Ttl, mut rdata: Vec<Box<[u8]>>) -> Rrset {
    rdata.sort();
    rdata.dedup();
    Rrset { rtype, ttl, rdata, line: 0 }
}
