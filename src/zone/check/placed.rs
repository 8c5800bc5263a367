//! Nodes with the places of their records, and what is remarked of them: few times each.

use std::collections::BTreeMap;

use crate::wire::{Name, Rtype};

use super::super::report::{Mark, Report};
use super::super::rrset::{Node, Rrset, Zone};

/// How often one thing is told of one zone; then it is counted. Enough to see a pattern.
const TOLD_MAX: usize = 10;

/// A node, with the places of its records.
#[derive(Clone, Copy)]
pub struct Placed<'z> {
    pub owner: &'z Name,
    pub node: &'z Node,
    marks: &'z [Mark],
}

impl<'z> Placed<'z> {
    /// The RRsets, each with the places of its records.
    pub fn rrsets(self) -> impl Iterator<Item = (&'z Rrset, &'z [Mark])> {
        let mut rest = self.marks;
        self.node.rrsets.iter().map(move |rrset| {
            let (own, after) = split(rest, rrset.rdata.len());
            rest = after;
            (rrset, own)
        })
    }

    /// The RRset of `rtype`, with the place of its first record.
    pub fn rrset(self, rtype: Rtype) -> Option<(&'z Rrset, Mark)> {
        self.rrsets().find_map(|(rrset, marks)| {
            (rrset.rtype == rtype).then_some(())?;
            Some((rrset, *marks.first()?))
        })
    }

    /// The place of its first record.
    pub fn mark(self) -> Option<Mark> {
        self.marks.first().copied()
    }

    pub fn has(self, rtype: Rtype) -> bool {
        self.node.rrset(rtype).is_some()
    }
}

/// The nodes of `zone`. `marks` has the place of each record, in the order of the zone.
pub fn place<'z>(zone: &'z Zone, marks: &'z [Mark]) -> impl Iterator<Item = Placed<'z>> {
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

/// What hides the nodes below it: a cut or a DNAME.
#[derive(Clone, Copy)]
pub struct Hider<'z> {
    pub owner: &'z Name,
    /// NS or DNAME.
    pub by: Rtype,
}

/// Follows a walk in canonical order, where all that something hides follows it at once.
#[derive(Default)]
pub struct Hiding<'z>(Option<Hider<'z>>);

impl<'z> Hiding<'z> {
    /// What hides `placed`, if anything does. To be asked of every node in turn.
    pub fn step(&mut self, apex: &Name, placed: Placed<'z>) -> Option<Hider<'z>> {
        let Placed { owner, .. } = placed;
        if let Some(hider) = self.0 {
            if owner.is_below(hider.owner) {
                return self.0;
            }
            self.0 = None;
        }
        let by = if owner != apex && placed.has(Rtype::NS) { Rtype::NS } else { Rtype::DNAME };
        if placed.has(by) {
            self.0 = Some(Hider { owner, by });
        }
        None
    }
}

/// Warnings of one zone, each kind told a few times and then counted.
pub struct Remarks<'r, 't> {
    report: &'r mut Report<'t>,
    told: BTreeMap<&'static str, Told>,
}

#[derive(Default)]
struct Told {
    count: usize,
    /// The first that was left out, and how to mend it.
    left_out: Option<(Mark, String)>,
}

impl<'r, 't> Remarks<'r, 't> {
    pub fn new(report: &'r mut Report<'t>) -> Remarks<'r, 't> {
        Remarks { report, told: BTreeMap::new() }
    }

    /// Warns at `mark`. The message is made only if it is told.
    pub fn say(
        &mut self,
        mark: Mark,
        code: &'static str,
        help: &str,
        message: impl FnOnce() -> String,
    ) {
        let told = self.told.entry(code).or_default();
        told.count += 1;
        if told.count <= TOLD_MAX {
            self.report.warning(mark, code, message(), help);
        } else if told.left_out.is_none() {
            told.left_out = Some((mark, help.to_owned()));
        }
    }

    /// Tells how many were left out.
    pub fn finish(self) {
        for (code, told) in self.told {
            if let Some((mark, help)) = told.left_out {
                let message = format!("and {} more like it, from here on", told.count - TOLD_MAX);
                self.report.warning(mark, code, message, help);
            }
        }
    }
}

/// The name in `rdata` after `skip` octets.
pub fn name_in(rdata: &[u8], skip: usize) -> Option<Name> {
    Some(Name::from_wire(rdata.get(skip..)?).ok()?.0)
}

/// The types that a cut has for NSEC and signatures: what is authoritative there (RFC 4035 §2.2, §2.3).
pub fn is_authoritative(rtype: Rtype, is_cut: bool) -> bool {
    !is_cut || [Rtype::DS, Rtype::NSEC, Rtype::RRSIG].contains(&rtype)
}
