//! Delegations and DNAMEs: what they hide, and which addresses below them are glue.

use std::collections::HashMap;

use crate::wire::{Name, Rtype};

use super::super::report::Mark;
use super::super::rrset::{Rrset, Zone};
use super::placed::{Hider, Placed, Remarks};

/// Servers of a cut that each address below it is held against; of more, all NS records of the zone are looked through
/// once at the end, so that a cut with very many servers takes no square of their number.
const SERVER_COUNT_ASKED: usize = 16;

/// The delegations of a zone, while it is walked.
#[derive(Default)]
pub struct Cuts<'z> {
    /// The NS RRset of the cut that was met last.
    servers: Option<&'z Rrset>,
    /// Addresses at or below a cut that none of its own NS records is known to name, with the cut.
    unnamed: Vec<(&'z Name, &'z Name, Mark)>,
}

impl<'z> Cuts<'z> {
    /// A node that nothing hides. At a cut only NS, DS and what proves them are served (RFC 4035 §2.6).
    pub fn visible(&mut self, apex: &Name, placed: Placed<'z>, remarks: &mut Remarks<'_, '_>) {
        let Some(servers) = placed.node.rrset(Rtype::NS) else { return };
        let owner = placed.owner;
        if owner == apex {
            return;
        }
        self.servers = Some(servers);
        if let Some((_, mark)) = placed.rrset(Rtype::DNAME) {
            let help = "keep one of the two (RFC 6672 §2.3)";
            remarks.say(mark, "dname-beside-ns", help, || {
                format!("{owner} is a delegation and has a DNAME")
            });
        }
        self.address(placed, owner);
        let served = [Rtype::NS, Rtype::DS, Rtype::NSEC, Rtype::RRSIG, Rtype::DNAME];
        let stray = placed.rrsets().find(|(r, _)| !served.contains(&r.rtype) && !is_address(r));
        if let Some((rrset, &[mark, ..])) = stray {
            let help = "move it into the zone below (RFC 1034 §4.2.1)";
            remarks.say(mark, "beside-cut", help, || {
                format!("{owner} {} stands at a delegation and is not served", rrset.rtype)
            });
        }
    }

    /// A node below a cut or a DNAME is never answered from (RFC 1034 §4.2.1, RFC 6672 §2.4).
    pub fn hidden(&mut self, placed: Placed<'z>, hider: Hider<'z>, remarks: &mut Remarks<'_, '_>) {
        let Hider { owner: above, by } = hider;
        let is_cut = by == Rtype::NS;
        if is_cut {
            self.address(placed, above);
        }
        let occluded = placed.rrsets().find(|(rrset, _)| !(is_cut && is_address(rrset)));
        let Some((rrset, &[mark, ..])) = occluded else { return };
        let (code, what) = match is_cut {
            true => ("below-cut", "delegation"),
            false => ("below-dname", "DNAME"),
        };
        remarks.say(mark, code, "remove it, or move it into the other zone", || {
            let (owner, rtype) = (placed.owner, rrset.rtype);
            format!("{owner} {rtype} lies below the {what} at {above} and is not served")
        });
    }

    fn address(&mut self, placed: Placed<'z>, cut: &'z Name) {
        let address = placed.rrset(Rtype::A).or_else(|| placed.rrset(Rtype::AAAA));
        let Some((_, mark)) = address else { return };
        let owner = placed.owner.as_wire();
        let servers = self.servers.iter().flat_map(|rrset| &rrset.rdata);
        let mut asked = servers.take(SERVER_COUNT_ASKED);
        if !asked.any(|server| server.eq_ignore_ascii_case(owner)) {
            self.unnamed.push((placed.owner, cut, mark));
        }
    }

    /// Addresses that are no glue: of a name server of another delegation they would be (RFC 9471 §2.2).
    pub fn tell(self, zone: &Zone, remarks: &mut Remarks<'_, '_>) {
        if self.unnamed.is_empty() {
            return;
        }
        let mut named: HashMap<Box<[u8]>, bool> =
            self.unnamed.iter().map(|(owner, ..)| (owner.to_folded(), false)).collect();
        for rrset in zone.nodes.values().filter_map(|node| node.rrset(Rtype::NS)) {
            for server in &rrset.rdata {
                if let Some(named) = named.get_mut(&*server.to_ascii_lowercase()) {
                    *named = true;
                }
            }
        }
        for (owner, cut, mark) in self.unnamed {
            if named.get(&*owner.to_folded()) == Some(&false) {
                let help = "remove it, or name it in an NS record (RFC 1034 §4.2.1)";
                remarks.say(mark, "glue-needless", help, || {
                    format!("the address of {owner}, at or below the delegation {cut}, is no glue")
                });
            }
        }
    }
}

fn is_address(rrset: &Rrset) -> bool {
    rrset.rtype == Rtype::A || rrset.rtype == Rtype::AAAA
}
