//! Names that records point at: there, with addresses, no aliases (RFC 2181 §10.3, RFC 2782).

use std::collections::HashMap;

use crate::wire::{Name, Rtype};

use super::super::report::Mark;
use super::super::rrset::{Node, Rrset, Zone};
use super::owners::{DOT_HELP, holds_apex_twice};
use super::placed::{Placed, Remarks, name_in};

/// CNAMEs followed to find a circle; an answer follows no more.
const ALIAS_STEPS_MAX: usize = 12;

/// What records of a zone point at, while it is walked.
pub struct Targets<'z> {
    zone: &'z Zone,
    is_complete: bool,
    /// The target that was found good last, and for which type: neighbours tend to share it.
    good: (Rtype, Vec<u8>),
    /// What is wrong, each target once.
    wrong: HashMap<(Name, &'static str), Wrong>,
}

struct Wrong {
    mark: Mark,
    rtype: Rtype,
    count: usize,
}

impl<'z> Targets<'z> {
    /// Where records were lost to other mistakes, nothing is said of what is missing.
    pub fn new(zone: &'z Zone, is_complete: bool) -> Targets<'z> {
        Targets { zone, is_complete, good: (Rtype(0), Vec::new()), wrong: HashMap::new() }
    }

    /// Looks at one RRset of a node that nothing hides.
    pub fn look(
        &mut self,
        placed: Placed<'_>,
        rrset: &Rrset,
        marks: &[Mark],
        remarks: &mut Remarks<'_, '_>,
    ) {
        let skip = match rrset.rtype {
            Rtype::NS | Rtype::CNAME | Rtype::PTR => 0,
            Rtype::MX => 2,
            Rtype::SRV => 6,
            _ => return,
        };
        for (rdata, &mark) in rrset.rdata.iter().zip(marks) {
            let Some(target) = rdata.get(skip..) else { continue };
            if self.good.0 == rrset.rtype && *target == *self.good.1 {
                continue;
            }
            if self.is_good(placed, rrset.rtype, target, mark, remarks) {
                self.good.0 = rrset.rtype;
                self.good.1.clear();
                self.good.1.extend_from_slice(target);
            }
        }
        if rrset.rtype == Rtype::MX && rrset.rdata.len() > 1 {
            null_mx(rrset, marks, remarks);
        }
    }

    /// Whether there is nothing to say of a target, whoever points at it.
    fn is_good(
        &mut self,
        placed: Placed<'_>,
        rtype: Rtype,
        target: &[u8],
        mark: Mark,
        remarks: &mut Remarks<'_, '_>,
    ) -> bool {
        if looks_like_address(target) {
            let help = "write the name of the host that has it (RFC 1035 §3.3)";
            let Some(target) = name_in(target, 0) else { return false };
            remarks.say(mark, "target-looks-like-address", help, || {
                format!(
                    "the {rtype} record points at the name {target}, which looks like an address"
                )
            });
            return false;
        }
        if rtype == Rtype::PTR {
            reverse(target, mark, remarks);
            return false;
        }
        if !ends_with(target, &self.zone.apex) {
            return false; // What another zone holds is not known here.
        }
        let Some(target) = name_in(target, 0).filter(|n| n.is_at_or_below(&self.zone.apex)) else {
            return false;
        };
        if target.is_root() {
            return false; // RFC 7505, RFC 2782: there is none, and that is meant.
        }
        if holds_apex_twice(target.as_wire(), &self.zone.apex)
            && !self.zone.nodes.contains_key(&target)
        {
            remarks.say(mark, "dot-missing", DOT_HELP, || {
                format!(
                    "the {rtype} record points at {target}, which holds {} twice",
                    self.zone.apex
                )
            });
            return false;
        }
        let wrong = match rtype {
            Rtype::CNAME => self.alias(placed.owner, &target),
            _ => self.host(rtype, placed.owner, &target),
        };
        let Some(code) = wrong else {
            // An alias of an alias may lead in a circle for one owner and not for the next.
            return rtype != Rtype::CNAME || self.zone.rrset(&target, Rtype::CNAME).is_none();
        };
        let first = Wrong { mark, rtype, count: 0 };
        self.wrong.entry((target, code)).or_insert(first).count += 1;
        false
    }

    /// What is wrong with the target of an NS, MX or SRV record.
    fn host(&self, rtype: Rtype, owner: &Name, target: &Name) -> Option<&'static str> {
        let node = self.zone.nodes.get(target);
        if node.is_some_and(|n| n.rrset(Rtype::CNAME).is_some()) {
            return Some("target-is-alias");
        }
        let has_address = |n: &Node| n.rrset(Rtype::A).is_some() || n.rrset(Rtype::AAAA).is_some();
        if node.is_some_and(has_address) || !self.is_complete {
            return None;
        }
        let own_cut = rtype == Rtype::NS && *owner != self.zone.apex;
        if own_cut && target.is_at_or_below(owner) {
            return Some("glue-missing");
        }
        (!self.answers_otherwise(target)).then_some("target-missing")
    }

    /// What is wrong with the target of a CNAME.
    fn alias(&self, owner: &Name, target: &Name) -> Option<&'static str> {
        let Some(node) = self.zone.nodes.get(target) else {
            let exists = !self.is_complete || self.is_above_others(target);
            return (!exists && !self.answers_otherwise(target)).then_some("cname-target-missing");
        };
        let mut next = node.rrset(Rtype::CNAME);
        let mut lowest = true;
        if target == owner {
            return Some("cname-loop");
        }
        for _ in 0..ALIAS_STEPS_MAX {
            let name = name_in(next?.rdata.first()?, 0)?;
            if name == *owner {
                // Each name of the circle gets here: one of them tells.
                return (lowest && owner < target).then_some("cname-loop");
            }
            lowest &= *owner < name;
            next = self.zone.rrset(&name, Rtype::CNAME);
        }
        None
    }

    /// Whether a name exists because something lies below it (RFC 4592 §2.2.2).
    fn is_above_others(&self, name: &Name) -> bool {
        // In canonical order all that is below a name follows it at once.
        let after: std::ops::RangeFrom<&Name> = name..;
        self.zone.nodes.range(after).next().is_some_and(|(owner, _)| owner.is_below(name))
    }

    /// Whether a name may get records from elsewhere: a wildcard, a DNAME, another zone below a cut.
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

    /// Tells what is wrong, in order of place.
    pub fn tell(self, remarks: &mut Remarks<'_, '_>) {
        let mut wrong: Vec<_> = self.wrong.into_iter().collect();
        wrong.sort_by_key(|(_, wrong)| (wrong.mark.source, wrong.mark.token.start));
        for ((target, code), Wrong { mark, rtype, count }) in wrong {
            let (what, help) = match code {
                "target-is-alias" => {
                    ("is an alias", "point at the name that has the addresses (RFC 2181 §10.3)")
                }
                "glue-missing" => (
                    "lies below that delegation and has no address here",
                    "add its A or AAAA records as glue (RFC 1034 §4.2.1)",
                ),
                "target-missing" => {
                    ("has no address", "add A or AAAA records there, or mend the name")
                }
                "cname-loop" => ("leads back to it", "let one of them own addresses"),
                _ => ("the zone file does not hold", "add it, or mend the name: is a dot missing?"),
            };
            remarks.say(mark, code, help, || {
                let more = match count {
                    1 => String::new(),
                    count => format!("; and {} more records do", count - 1),
                };
                format!("the {rtype} record points at {target}, which {what}{more}")
            });
        }
    }
}

/// RFC 7505 §3: a null MX is the only one.
fn null_mx(rrset: &Rrset, marks: &[Mark], remarks: &mut Remarks<'_, '_>) {
    let null = rrset.rdata.iter().zip(marks).find(|(rdata, _)| rdata.get(2..) == Some(&[0]));
    if let Some((_, &mark)) = null {
        let help = "keep it alone, or remove it (RFC 7505 §3)";
        remarks.say(mark, "mx-null-beside-others", help, || {
            "this MX says that there is no mail, beside others that name servers".to_owned()
        });
    }
}

fn reverse(target: &[u8], mark: Mark, remarks: &mut Remarks<'_, '_>) {
    let trees = [&b"\x07in-addr\x04arpa\0"[..], b"\x03ip6\x04arpa\0"];
    let ends = |tree: &[u8]| {
        let start = target.len().checked_sub(tree.len());
        start.and_then(|at| target.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(tree))
    };
    // `0/25.2.0.192.in-addr.arpa` of RFC 2317 is the target of CNAMEs, never of a PTR.
    if trees.into_iter().any(ends)
        && let Some(target) = name_in(target, 0)
    {
        remarks.say(mark, "ptr-in-reverse", DOT_HELP, || {
            format!("the PTR record points at {target}, in the reverse tree")
        });
    }
}

/// Whether a name in wire format may lie in the zone of `apex`: quickly, and seldom in error.
fn ends_with(name: &[u8], apex: &Name) -> bool {
    let apex = apex.as_wire();
    let start = name.len().checked_sub(apex.len());
    start.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(apex))
}

/// Whether a name in wire format begins with four labels that are octets, as `192.0.2.1` does when it is read as a name.
fn looks_like_address(name: &[u8]) -> bool {
    let mut rest = name;
    let mut count = 0;
    while let Some((&len, after)) = rest.split_first() {
        let Some((label, above)) = after.split_at_checked(usize::from(len)) else { return false };
        let is_octet = std::str::from_utf8(label).is_ok_and(|text| text.parse::<u8>().is_ok());
        if !is_octet {
            break;
        }
        count += 1;
        rest = above;
    }
    // `4.3.2.1.in-addr.arpa` is the one kind of name that begins so and is meant.
    count == 4 && !rest.to_ascii_lowercase().starts_with(b"\x07in-addr\x04arpa")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_addresses_are_known() {
        for (text, expected) in [
            ("192.0.2.1.", true),
            ("192.0.2.1.a.test.", true),
            ("1.2.0.192.in-addr.arpa.", false),
            ("192.0.2.a.test.", false),
            ("1.192.0.2.1.a.test.", false),
            ("a.192.0.2.1.", false),
        ] {
            let name = Name::parse(text, &Name::root()).unwrap();
            assert_eq!(looks_like_address(name.as_wire()), expected, "{text}");
        }
    }
}
