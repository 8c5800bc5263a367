//! Zones that were signed before they came here: keys, signatures, chains of denial (RFC 4034, 4035, 5155).
//!
//! Never: checks a signature by its key; whoever signs and every validator do that.

mod chain;
mod nsec3;
mod rrsig;
mod validity;

use std::collections::BTreeSet;

use crate::wire::Rtype;

use super::super::report::Mark;
use super::super::rrset::Zone;
use super::placed::{Hiding, Placed, Remarks, place};

pub use self::validity::Validity;

use self::chain::Chain;
use self::nsec3::Nsec3;
use self::rrsig::{Keys, Signatures};

/// Remarks on a zone that holds records of DNSSEC, and how long its signatures hold.
pub fn check(
    zone: &Zone,
    marks: &[Mark],
    is_complete: bool,
    remarks: &mut Remarks<'_, '_>,
) -> Option<Validity> {
    let keys = Keys::of(zone);
    let mut signatures = Signatures::new(zone, keys, is_complete);
    let mut chain = Chain::new(zone, is_complete);
    let mut nsec3 = Nsec3::new(zone);
    let mut hiding = Hiding::default();
    for placed in place(zone, marks) {
        weak_algorithms(placed, remarks);
        let hider = hiding.step(&zone.apex, placed);
        nsec3.look(placed);
        if hider.is_some() {
            continue;
        }
        let is_cut = placed.owner != &zone.apex && placed.has(Rtype::NS);
        stray_ds(placed, is_cut, remarks);
        signatures.look(placed, is_cut, remarks);
        if !placed.has(Rtype::NSEC3) {
            chain.look(placed, is_cut, remarks);
        }
    }
    chain.finish(remarks);
    if is_complete {
        nsec3.tell(remarks);
    }
    signatures.tell(remarks)
}

/// RFC 4035 §2.4: a DS belongs to the parent's side of a cut.
fn stray_ds(placed: Placed<'_>, is_cut: bool, remarks: &mut Remarks<'_, '_>) {
    if let Some((_, mark)) = placed.rrset(Rtype::DS).filter(|_| !is_cut) {
        let help = "it belongs beside the NS records of a delegation (RFC 4035 §2.4)";
        remarks.say(mark, "ds-without-delegation", help, || {
            format!("{} has a DS record and is no delegation", placed.owner)
        });
    }
}

/// RFC 8624 §3.1, §3.3 and RFC 9905: what validators drop. A DS with a better one beside it is harmless.
fn weak_algorithms(placed: Placed<'_>, remarks: &mut Remarks<'_, '_>) {
    const WEAK_KEYS: [u8; 6] = [1, 3, 5, 6, 7, 12];
    const SOUND_DIGESTS: [u8; 2] = [2, 4];
    let octet = |rdata: &[u8]| rdata.get(3).copied();
    let help = "roll over to algorithm 13 and digest type 2 (RFC 8624 §3)";
    if let Some((rrset, mark)) = placed.rrset(Rtype::DNSKEY) {
        let all: BTreeSet<u8> = rrset.rdata.iter().filter_map(|rdata| octet(rdata)).collect();
        if let Some(&weak) = all.iter().find(|algorithm| WEAK_KEYS.contains(algorithm)) {
            remarks.say(mark, "dnssec-algorithm-weak", help, || {
                format!("{} has a key of algorithm {weak}", placed.owner)
            });
        }
    }
    if let Some((rrset, mark)) = placed.rrset(Rtype::DS) {
        let mut digests = rrset.rdata.iter().filter_map(|rdata| octet(rdata));
        if !digests.any(|digest| SOUND_DIGESTS.contains(&digest)) {
            remarks.say(mark, "dnssec-algorithm-weak", help, || {
                format!("no DS of {} has a digest that validators take", placed.owner)
            });
        }
    }
}
