//! Checks of a whole zone: what a name server cannot serve is an error, what is probably not meant a warning.
//!
//! An error is local to one name ([`check_nodes`]); what needs a look at other names is a warning and refuses nothing.
//! Each is one walk.

mod alone;
mod apex;
mod authorities;
mod cuts;
mod mail;
mod owners;
mod placed;
mod signed;
mod targets;
mod times;

use crate::wire::Rtype;

pub use self::signed::Validity;

use self::cuts::Cuts;
use self::placed::{Hiding, Placed, Remarks, place};
use self::targets::Targets;
use self::times::Times;
use super::report::{Mark, Report};
use super::rrset::{Rrset, Zone};

/// Checks `zone`, and tells how long its signatures hold. `marks` has the place of each record, in the order of the
/// zone. Where records were lost to other mistakes (`is_complete` is false), nothing is said of what is missing.
pub(super) fn check(
    zone: &Zone,
    marks: &[Mark],
    is_complete: bool,
    report: &mut Report<'_>,
) -> Option<Validity> {
    check_nodes(zone, marks, report);
    let validity = remark(zone, marks, is_complete, report)?;
    Some(validity.located(report))
}

/// Checks of each node by itself, all that can refuse a zone: and all that can be said of one whose apex is not known.
pub(super) fn check_nodes(zone: &Zone, marks: &[Mark], report: &mut Report<'_>) {
    place(zone, marks).for_each(|placed| alone::check(placed, report));
}

/// All that is a warning, in one walk: some 0.1 to 0.3 µs a record, most of it the look-ups of targets.
fn remark(
    zone: &Zone,
    marks: &[Mark],
    is_complete: bool,
    report: &mut Report<'_>,
) -> Option<Validity> {
    let mut remarks = Remarks::new(report);
    let mut walk = Walk {
        cuts: Cuts::default(),
        targets: Targets::new(zone, is_complete),
        times: Times::default(),
        is_signed: false,
    };
    let mut hiding = Hiding::default();
    for placed in place(zone, marks) {
        if placed.owner == &zone.apex {
            apex::check(placed, is_complete, &mut remarks);
        }
        owners::check(&zone.apex, placed, &mut remarks);
        match hiding.step(&zone.apex, placed) {
            Some(hider) => walk.cuts.hidden(placed, hider, &mut remarks),
            None => {
                walk.cuts.visible(&zone.apex, placed, &mut remarks);
                placed.rrsets().for_each(|(r, marks)| walk.rrset(placed, r, marks, &mut remarks));
            }
        }
    }
    walk.cuts.tell(zone, &mut remarks);
    walk.targets.tell(&mut remarks);
    walk.times.tell(&mut remarks);
    let validity = walk.is_signed.then(|| signed::check(zone, marks, is_complete, &mut remarks));
    remarks.finish();
    validity.flatten()
}

/// What is gathered on the way through a zone.
struct Walk<'z> {
    cuts: Cuts<'z>,
    targets: Targets<'z>,
    times: Times<'z>,
    is_signed: bool,
}

impl<'z> Walk<'z> {
    fn rrset(
        &mut self,
        placed: Placed<'z>,
        rrset: &'z Rrset,
        marks: &[Mark],
        remarks: &mut Remarks<'_, '_>,
    ) {
        self.times.look(placed, rrset, marks);
        match rrset.rtype {
            Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::MX | Rtype::SRV => {
                self.targets.look(placed, rrset, marks, remarks);
            }
            Rtype::TXT => mail::check(placed, rrset, marks, remarks),
            Rtype::CAA => {
                let records = rrset.rdata.iter().zip(marks);
                records.for_each(|(rdata, &mark)| authorities::check(rdata, mark, remarks));
            }
            Rtype::DS | Rtype::DNSKEY | Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3PARAM => {
                self.is_signed = true;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
