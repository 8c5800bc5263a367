//! Checks of a whole zone: what a name server cannot serve is an error, what is probably not meant
//! a warning.

use crate::wire::{Name, Rtype};

use super::report::{Mark, Report};
use super::rrset::{Node, Rrset, Zone};

/// Checks `zone`. `marks` has the place of each record, in the order of the zone. Where records
/// were lost to other mistakes, nothing is said of what is missing.
pub(super) fn check(zone: &Zone, marks: &[Mark], is_complete: bool, report: &mut Report<'_>) {
    let mut checker = Checker { zone, report, is_complete };
    checker.apex(marks.first());
    // The lowest cut or DNAME above the node at hand: in canonical order all it hides follow it.
    let mut hider: Option<(&Name, Rtype)> = None;
    for placed in place(zone, marks) {
        let owner = placed.owner;
        if hider.is_some_and(|(above, _)| !owner.is_below(above)) {
            hider = None;
        }
        match hider {
            Some(hider) => checker.hidden(placed, hider),
            None => {
                checker.targets(placed);
                if owner != &zone.apex && placed.node.rrset(Rtype::NS).is_some() {
                    hider = Some((owner, Rtype::NS));
                } else if placed.node.rrset(Rtype::DNAME).is_some() {
                    hider = Some((owner, Rtype::DNAME));
                }
            }
        }
        lone_types(placed, checker.report);
    }
}

/// Checks of each node by itself: all that can be said of a zone whose apex is not known.
pub(super) fn check_nodes(zone: &Zone, marks: &[Mark], report: &mut Report<'_>) {
    place(zone, marks).for_each(|placed| lone_types(placed, report));
}

/// A node, with the places of its records.
#[derive(Clone, Copy)]
struct Placed<'z> {
    owner: &'z Name,
    node: &'z Node,
    marks: &'z [Mark],
}

impl<'z> Placed<'z> {
    /// The RRsets, each with the places of its records.
    fn rrsets(self) -> impl Iterator<Item = (&'z Rrset, &'z [Mark])> {
        let mut rest = self.marks;
        self.node.rrsets.iter().map(move |rrset| {
            let (own, after) = split(rest, rrset.rdata.len());
            rest = after;
            (rrset, own)
        })
    }
}

fn place<'z>(zone: &'z Zone, marks: &'z [Mark]) -> impl Iterator<Item = Placed<'z>> {
    let mut rest = marks;
    zone.nodes.iter().map(move |(owner, node)| {
        let count = node.rrsets.iter().map(|rrset| rrset.rdata.len()).sum();
        let (marks, after) = split(rest, count);
        rest = after;
        Placed { owner, node, marks }
    })
}

fn split(marks: &[Mark], count: usize) -> (&[Mark], &[Mark]) {
    marks.split_at_checked(count).unwrap_or((marks, &[]))
}

/// CNAME stands alone (RFC 1034 §3.6.2, RFC 4034 §3), and some types stand once.
fn lone_types(placed: Placed<'_>, report: &mut Report<'_>) {
    let owner = placed.owner;
    for (rrset, marks) in placed.rrsets() {
        let code = match rrset.rtype {
            Rtype::CNAME => "cname-doubled",
            Rtype::DNAME => "dname-doubled",
            _ => continue,
        };
        if let [first, second, ..] = marks {
            let (rtype, line) = (rrset.rtype, first.token.line);
            let message = format!("{owner} has more than one {rtype}; the first is at line {line}");
            let help = "keep one of them (RFC 1034 §3.6.2, RFC 6672 §2.4)";
            report.error_with_help(*second, code, message, help);
        }
    }
    let Some((_, [cname, ..])) = placed.rrsets().find(|(r, _)| r.rtype == Rtype::CNAME) else {
        return;
    };
    let beside = |rtype: Rtype| {
        [Rtype::CNAME, Rtype::RRSIG, Rtype::NSEC, Rtype::SIG, Rtype::KEY, Rtype::NXT]
            .contains(&rtype)
    };
    let Some((rrset, [other, ..])) = placed.rrsets().find(|(r, _)| !beside(r.rtype)) else {
        return;
    };
    let (rtype, line) = (rrset.rtype, other.token.line);
    let message = format!("{owner} has a CNAME and {rtype} records");
    let help =
        format!("remove one of the two (RFC 1034 §3.6.2); the {rtype} record is at line {line}");
    report.error_with_help(*cname, "cname-and-other-data", message, help);
}

struct Checker<'z, 'r, 't> {
    zone: &'z Zone,
    report: &'r mut Report<'t>,
    is_complete: bool,
}

impl Checker<'_, '_, '_> {
    fn apex(&mut self, first: Option<&Mark>) {
        let has_ns = self.zone.rrset(&self.zone.apex, Rtype::NS).is_some();
        if let Some(&mark) = first.filter(|_| self.is_complete && !has_ns) {
            let message = format!("the apex {} has no NS records", self.zone.apex);
            let help = "name the servers of the zone (RFC 1035 §5.2)";
            self.report.warning(mark, "ns-missing", message, help);
        }
    }

    /// Names that NS, MX and SRV records point at should exist and not be aliases (RFC 2181 §10.3,
    /// RFC 2782).
    fn targets(&mut self, placed: Placed<'_>) {
        for (rrset, marks) in placed.rrsets() {
            for (rdata, &mark) in rrset.rdata.iter().zip(marks) {
                let skip = match rrset.rtype {
                    Rtype::NS => 0,
                    Rtype::MX => 2,
                    Rtype::SRV => 6,
                    _ => break,
                };
                let name = rdata.get(skip..).and_then(|rest| Name::from_wire(rest).ok());
                if let Some((target, _)) = name.filter(|(n, _)| !n.is_root()) {
                    self.target(placed.owner, rrset.rtype, &target, mark);
                }
            }
        }
    }

    fn target(&mut self, owner: &Name, rtype: Rtype, target: &Name, mark: Mark) {
        if !target.is_at_or_below(&self.zone.apex) || !self.is_complete {
            return;
        }
        let node = self.zone.nodes.get(target);
        if node.is_some_and(|n| n.rrset(Rtype::CNAME).is_some()) {
            let message = format!("the {rtype} record points at {target}, which is an alias");
            let help = "point at the name that has the addresses (RFC 2181 §10.3)";
            return self.report.warning(mark, "target-is-alias", message, help);
        }
        let has_address = |n: &Node| n.rrset(Rtype::A).is_some() || n.rrset(Rtype::AAAA).is_some();
        if node.is_some_and(has_address) {
            return;
        }
        let is_glue =
            rtype == Rtype::NS && owner != &self.zone.apex && target.is_at_or_below(owner);
        if is_glue {
            let message = format!("{target} lies below the cut {owner} and has no address here");
            let help = "add its A or AAAA records as glue (RFC 1034 §4.2.1)";
            self.report.warning(mark, "glue-missing", message, help);
        } else if !self.answers_otherwise(target) {
            let message = format!("the {rtype} record points at {target}, which has no address");
            let help = "add A or AAAA records there, or mend the name";
            self.report.warning(mark, "target-missing", message, help);
        }
    }

    /// Whether a name may get addresses from elsewhere: a wildcard, a DNAME, another zone below a
    /// cut.
    fn answers_otherwise(&self, name: &Name) -> bool {
        let mut above = name.parent();
        while let Some(ancestor) = above.filter(|a| a.is_at_or_below(&self.zone.apex)) {
            let has = |rtype: Rtype| self.zone.rrset(&ancestor, rtype).is_some();
            let is_cut = ancestor != self.zone.apex && has(Rtype::NS);
            let wildcard = ancestor.prepend(b"*").ok();
            if is_cut
                || has(Rtype::DNAME)
                || wildcard.is_some_and(|w| self.zone.nodes.contains_key(&w))
            {
                return true;
            }
            above = ancestor.parent();
        }
        false
    }

    /// What lies below a cut or a DNAME is never answered from (RFC 1034 §4.2.1, RFC 6672 §2.4).
    fn hidden(&mut self, placed: Placed<'_>, (above, by): (&Name, Rtype)) {
        let may_be_glue =
            |rtype: Rtype| by == Rtype::NS && [Rtype::A, Rtype::AAAA].contains(&rtype);
        let occluded = placed.rrsets().find(|(r, _)| !may_be_glue(r.rtype));
        let Some((rrset, &[mark, ..])) = occluded else { return };
        let (code, what) = match by {
            Rtype::DNAME => ("below-dname", "DNAME"),
            _ => ("below-cut", "delegation"),
        };
        let (owner, rtype) = (placed.owner, rrset.rtype);
        let message = format!("{owner} {rtype} lies below the {what} at {above} and is not served");
        self.report.warning(mark, code, message, "remove it, or move it into the other zone");
    }
}
