//! How long records may be kept: not at all, or for longer than anybody wants to wait.

use crate::wire::Rtype;

use super::super::report::Mark;
use super::super::rrset::Rrset;
use super::placed::{Placed, Remarks};

const WEEK_SECS: u32 = 7 * 86_400;

/// The TTLs of a zone that stand out. A zone has them by the thousand or not at all, so that the first is told and the
/// others are counted.
#[derive(Default)]
pub struct Times<'z> {
    zero: Found<'z>,
    long: Found<'z>,
}

#[derive(Default)]
struct Found<'z> {
    first: Option<(Placed<'z>, &'z Rrset, Mark)>,
    count: usize,
}

impl<'z> Times<'z> {
    /// Looks at one RRset.
    pub fn look(&mut self, placed: Placed<'z>, rrset: &'z Rrset, marks: &[Mark]) {
        let found = match rrset.ttl.as_secs() {
            0 => &mut self.zero,
            secs if secs > WEEK_SECS => &mut self.long,
            _ => return,
        };
        // Signers give these a TTL of 0, or that of what they cover.
        if [Rtype::RRSIG, Rtype::NSEC3PARAM, Rtype::CDS, Rtype::CDNSKEY].contains(&rrset.rtype) {
            return;
        }
        found.count += 1;
        if found.first.is_none() {
            found.first = marks.first().map(|&mark| (placed, rrset, mark));
        }
    }

    /// Tells what was found.
    pub fn tell(self, remarks: &mut Remarks<'_, '_>) {
        if let Some((placed, rrset, mark)) = self.zero.first {
            let help = "a few seconds spare everybody the rest (RFC 1912 §2.2)";
            remarks.say(mark, "ttl-zero", help, || {
                let more = more(self.zero.count);
                format!(
                    "{} {} may not be kept at all: its TTL is 0{more}",
                    placed.owner, rrset.rtype
                )
            });
        }
        if let Some((placed, rrset, mark)) = self.long.first {
            let help = "most resolvers cut it to a week or a day (RFC 8767 §4)";
            remarks.say(mark, "ttl-long", help, || {
                let (secs, more) = (rrset.ttl.as_secs(), more(self.long.count));
                let days = secs / 86_400;
                format!("{} {} may be kept for {days} days{more}", placed.owner, rrset.rtype)
            });
        }
    }
}

fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!("; and {} more RRsets like it", count - 1),
    }
}
