//! The chain of NSEC records: through every authoritative name, back to the apex (RFC 4035 §2.3).

use crate::wire::{Name, Rtype};

use super::super::super::report::Mark;
use super::super::super::rrset::Zone;
use super::super::placed::{Placed, Remarks, is_authoritative, name_in};

/// The chain, while the zone is walked in the order that it has.
pub struct Chain<'z> {
    zone: &'z Zone,
    /// Whether the zone has one, and all of its records were read.
    is_chained: bool,
    /// The NSEC met last: its owner, the name that it points at, and its place.
    last: Option<(&'z Name, Name, Mark)>,
}

impl<'z> Chain<'z> {
    pub fn new(zone: &'z Zone, is_complete: bool) -> Chain<'z> {
        let has_chain = zone.rrset(&zone.apex, Rtype::NSEC).is_some();
        Chain { zone, is_chained: has_chain && is_complete, last: None }
    }

    /// Looks at the next node that nothing hides.
    pub fn look(&mut self, placed: Placed<'z>, is_cut: bool, remarks: &mut Remarks<'_, '_>) {
        if !self.is_chained {
            return;
        }
        let Some((rrset, mark)) = placed.rrset(Rtype::NSEC) else {
            if let Some(mark) = placed.mark() {
                remarks.say(mark, "nsec-missing", "sign the zone again (RFC 4035 §2.3)", || {
                    format!(
                        "{} has no NSEC record in a zone that has a chain of them",
                        placed.owner
                    )
                });
            }
            return;
        };
        self.arrive(placed.owner, remarks);
        let Some(rdata) = rrset.rdata.first() else { return };
        let Some(next) = name_in(rdata, 0) else { return };
        let listed = types(rdata.get(next.as_wire().len()..).unwrap_or_default());
        let own = placed.node.rrsets.iter().map(|r| r.rtype);
        let own: Vec<Rtype> =
            own.filter(|&rtype| rtype == Rtype::NS || is_authoritative(rtype, is_cut)).collect();
        if listed != own {
            remarks.say(
                mark,
                "nsec-types-differ",
                "sign the zone again (RFC 4034 §4.1.2)",
                || {
                    let only =
                        |a: &[Rtype], b: &[Rtype]| a.iter().find(|t| !b.contains(t)).copied();
                    match (only(&own, &listed), only(&listed, &own)) {
                        (Some(rtype), _) => format!("the NSEC of {} denies {rtype}", placed.owner),
                        (None, Some(rtype)) => {
                            format!(
                                "the NSEC of {} lists {rtype}, which is not there",
                                placed.owner
                            )
                        }
                        (None, None) => format!("the NSEC of {} lists types twice", placed.owner),
                    }
                },
            );
        }
        self.last = Some((placed.owner, next, mark));
    }

    /// The last NSEC leads back to the apex.
    pub fn finish(mut self, remarks: &mut Remarks<'_, '_>) {
        let apex = &self.zone.apex;
        self.arrive(apex, remarks);
    }

    fn arrive(&mut self, at: &Name, remarks: &mut Remarks<'_, '_>) {
        let Some((owner, next, mark)) = self.last.take() else { return };
        if next != *at {
            let help = "sign the zone again (RFC 4035 §2.3)";
            remarks.say(mark, "nsec-chain-broken", help, || {
                format!("the NSEC of {owner} points at {next}, and the next name is {at}")
            });
        }
    }
}

/// The types of a bitmap, ascending (RFC 4034 §4.1.2).
fn types(bitmap: &[u8]) -> Vec<Rtype> {
    let mut found = Vec::new();
    let mut rest = bitmap;
    while let Some((&[window, len], after)) = rest.split_first_chunk() {
        let Some((octets, more)) = after.split_at_checked(usize::from(len)) else { break };
        for (index, octet) in (0u16..).zip(octets) {
            let set = (0..8u16).filter(|bit| octet & (0x80 >> bit) != 0);
            found.extend(set.map(|bit| Rtype(u16::from(window) << 8 | (index * 8 + bit))));
        }
        rest = more;
    }
    found
}
