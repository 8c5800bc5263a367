//! What one name may own at all: CNAME alone, some types once. Every server refuses the rest.

use crate::wire::Rtype;

use super::super::report::Report;
use super::placed::Placed;

/// CNAME stands alone (RFC 1034 §3.6.2, RFC 4034 §3), and some types stand once.
pub fn check(placed: Placed<'_>, report: &mut Report<'_>) {
    for (rrset, marks) in placed.rrsets() {
        let code = match rrset.rtype {
            Rtype::CNAME => "cname-doubled",
            Rtype::DNAME => "dname-doubled",
            _ => continue,
        };
        if let [first, second, ..] = marks {
            let (owner, rtype, line) = (placed.owner, rrset.rtype, first.token.line);
            let message = format!("{owner} has more than one {rtype}; the first is at line {line}");
            let help = "keep one of them (RFC 1034 §3.6.2, RFC 6672 §2.4)";
            report.error_with_help(*second, code, message, help);
        }
    }
    if let Some((_, cname)) = placed.rrset(Rtype::CNAME) {
        beside_cname(placed, cname, report);
    }
}

fn beside_cname(placed: Placed<'_>, cname: super::super::report::Mark, report: &mut Report<'_>) {
    let allowed = [Rtype::CNAME, Rtype::RRSIG, Rtype::NSEC, Rtype::SIG, Rtype::KEY, Rtype::NXT];
    let beside = placed.rrsets().find(|(rrset, _)| !allowed.contains(&rrset.rtype));
    let Some((rrset, [other, ..])) = beside else { return };
    let (owner, rtype, line) = (placed.owner, rrset.rtype, other.token.line);
    if placed.has(Rtype::SOA) {
        let message = format!("{owner} is the apex and cannot be an alias");
        let help = "give the apex addresses, or route it (RFC 1034 §3.6.2)";
        return report.error_with_help(cname, "cname-at-apex", message, help);
    }
    let message = format!("{owner} has a CNAME and {rtype} records");
    let help =
        format!("remove one of the two (RFC 1034 §3.6.2); the {rtype} record is at line {line}");
    report.error_with_help(cname, "cname-and-other-data", message, help);
}
