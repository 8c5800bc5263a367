//! A changed zone file against what is known of it: which owners own something else now. What it cannot tell for certain
//! from the changed chunks, it leaves to the reading of the whole file.
//!
//! Owns:  what may change without a look at the rest of the zone. Invariant edit-equals-parse: a zone with its edit
//!        applied is the zone that the whole file gives, but for lines.
//! Never: makes remarks on what changed chunks do to the rest of the zone; the next reading of the whole file does.

use std::collections::BTreeSet;
use std::iter::Peekable;

use crate::diagnostic::Diagnostic;
use crate::wire::{Name, Rtype};

use super::assemble::Gathered;
use super::check::check_nodes;
use super::chunks::{Chunks, Moves, Region, Start};
use super::packed::PackedZone;
use super::parser::read_part;
use super::report::{Report, Text};
use super::rrset::{Node, Nodes, Zone};
use super::state::Found;

/// What is known of a file as it was.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// Its content.
    pub text: &'k [u8],
    /// Its chunks.
    pub chunks: &'k Chunks,
    /// The zone that it gave.
    pub zone: &'k PackedZone,
    /// What was said of it.
    pub said: &'k [Diagnostic],
}

/// What a change of a file does to its zone.
#[derive(Debug)]
pub struct Edit {
    /// Its chunks now.
    pub chunks: Chunks,
    /// How its lines moved.
    pub moves: Moves,
    /// What is to be said now: of what was read again anew, of the rest as before.
    pub said: Vec<Diagnostic>,
    /// Owners that own something else now, in canonical order.
    pub touched: Vec<Touched>,
    nodes: Vec<(Name, Option<Node>)>,
}

/// An owner that owns something else than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The owner.
    pub owner: Name,
    /// Whether its addresses changed, which go along with answers of other names.
    pub has_other_addresses: bool,
    /// How many records it has more.
    pub more_records: i64,
}

/// The edit that makes of `known` what a file with content `new` gives; none where the whole file has to be read.
pub fn edit(known: Known<'_>, new: &[u8]) -> Option<Edit> {
    // What is left out of a long list cannot be carried on.
    if known.said.iter().any(|d| d.is_error() || d.code == "more") {
        return None;
    }
    let apex = &known.zone.apex;
    let regions = known.chunks.changed(known.text, new)?;
    let before = read_before(known, &regions)?;
    let mut found = Found::opened(&known.zone.path, Text::Given(new));
    let read = |region: &Region, start: Start| read_part(&mut found, new, start, region.new.end);
    let (chunks, moves) = known.chunks.moved(&regions, new.len(), read)?;
    let Found { mut report, mut records } = found;
    let is_complete = records.is_complete;
    records.drop_outside(apex, &mut report);
    let after = records.gather(&mut report);
    if !is_complete || !after.all_kept || report.error_count > 0 {
        return None;
    }
    let Gathered { nodes, marks, .. } = after;
    let (apex, path) = (apex.clone(), known.zone.path.to_string());
    let part = Zone { apex, path, nodes: nodes.into() };
    check_nodes(&part, &marks, &mut report);
    if report.error_count > 0 {
        return None;
    }
    let nodes = differing(known.zone, before.nodes, part.nodes)?;
    let touched = nodes.iter().map(|(owner, node)| touched(known.zone, owner, node.as_ref()));
    let touched = touched.collect();
    let said = said(known.said, &moves, report.finish());
    Some(Edit { chunks, moves, said, touched, nodes })
}

impl Edit {
    /// The types of all that touched owners own in `zone`, the zone before, and then.
    pub fn rtypes(&self, zone: &PackedZone) -> BTreeSet<Rtype> {
        let before = self.nodes.iter().filter_map(|(owner, _)| zone.node(owner));
        let now = self.nodes.iter().filter_map(|(_, node)| node.as_ref());
        let before = before.flat_map(|node| node.rrsets().map(|rrset| rrset.rtype));
        before.chain(now.flat_map(|node| node.rrsets.iter().map(|rrset| rrset.rtype))).collect()
    }
}

impl PackedZone {
    /// Makes the change.
    pub fn apply(&mut self, edit: &mut Edit) {
        for (owner, node) in std::mem::take(&mut edit.nodes) {
            self.put(owner, node.as_ref());
        }
    }
}

/// What the changed chunks held.
fn read_before(known: Known<'_>, regions: &[Region]) -> Option<Gathered> {
    let mut found = Found::opened(&known.zone.path, Text::Given(known.text));
    for region in regions {
        let start = known.chunks.start(region.chunks.start)?.clone();
        read_part(&mut found, known.text, start, region.old.end)?;
    }
    found.records.drop_outside(&known.zone.apex, &mut Report::default());
    Some(found.records.gather(&mut found.report))
}

/// Of each owner whose records changed, what it owns now. None where other chunks have a part in one of them, or where
/// the change reaches beyond its owner.
fn differing(
    zone: &PackedZone,
    before: Vec<(Name, Node)>,
    after: Nodes,
) -> Option<Vec<(Name, Option<Node>)>> {
    let mut nodes = Vec::new();
    let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
    while let Some((was, is)) = next_pair(&mut before, &mut after) {
        if let (Some(was), Some(is)) = (&was, &is)
            && was.0.as_wire() == is.0.as_wire()
            && is_same(&was.1, &is.1)
        {
            continue;
        }
        let owner = is.as_ref().or(was.as_ref()).map(|(owner, _)| owner.clone())?;
        let (was, is) = (was.map(|(_, node)| node), is.map(|(_, node)| node));
        let is_whole = match (zone.node(&owner), &was) {
            (Some(known), Some(was)) => is_same(&known.unpacked(), was),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_whole || !is_of_itself(zone, &owner, was.as_ref(), is.as_ref()) {
            return None;
        }
        nodes.push((owner, is));
    }
    Some(nodes)
}

/// What an owner had before, and has after.
type Pair<T> = (Option<(Name, T)>, Option<(Name, T)>);

/// The next of either, or of both if they have one owner.
fn next_pair<T>(
    before: &mut Peekable<impl Iterator<Item = (Name, T)>>,
    after: &mut Peekable<impl Iterator<Item = (Name, T)>>,
) -> Option<Pair<T>> {
    let order = match (before.peek(), after.peek()) {
        (None, None) => return None,
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (Some((was, _)), Some((is, _))) => was.cmp(is),
    };
    let was = if order.is_le() { before.next() } else { None };
    let is = if order.is_ge() { after.next() } else { None };
    Some((was, is))
}

/// Whether two nodes own the same records, wherever they are written.
fn is_same(a: &Node, b: &Node) -> bool {
    let same = |(a, b): (&super::Rrset, &super::Rrset)| {
        (a.rtype, a.ttl, &a.rdata) == (b.rtype, b.ttl, &b.rdata)
    };
    a.rrsets.len() == b.rrsets.len() && a.rrsets.iter().zip(&b.rrsets).all(same)
}

/// Whether a change tells nothing of other names: no zone cut, no DNAME, no proof, and of the apex only what its records
/// say.
fn is_of_itself(zone: &PackedZone, owner: &Name, was: Option<&Node>, is: Option<&Node>) -> bool {
    let types = |node: Option<&Node>| -> Vec<Rtype> {
        node.iter().flat_map(|n| n.rrsets.iter().map(|r| r.rtype)).collect()
    };
    let (before, now) = (types(was), types(is));
    if *owner == zone.apex {
        let one_soa = is.and_then(|n| n.rrset(Rtype::SOA)).is_some_and(|soa| soa.rdata.len() == 1);
        return one_soa && before == now && !before.iter().any(|t| is_of_dnssec(*t));
    }
    let reaches = |rtype: &Rtype| {
        [Rtype::SOA, Rtype::NS, Rtype::DNAME].contains(rtype) || is_of_dnssec(*rtype)
    };
    !before.iter().chain(&now).any(reaches)
}

fn is_of_dnssec(rtype: Rtype) -> bool {
    let simple = [Rtype::DS, Rtype::RRSIG, Rtype::DNSKEY, Rtype::SIG, Rtype::KEY, Rtype::NXT];
    simple.contains(&rtype) || [Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM].contains(&rtype)
}

fn touched(zone: &PackedZone, owner: &Name, node: Option<&Node>) -> Touched {
    let (known, before) = zone.find(owner).map(|(known, node)| (known, node.unpacked())).unzip();
    let addresses = |node: Option<&Node>| {
        let rrset = |rtype| node.and_then(|n| n.rrset(rtype)).map(|r| (r.ttl, r.rdata.clone()));
        [rrset(Rtype::A), rrset(Rtype::AAAA)]
    };
    let is_new_case =
        || known.as_ref().is_some_and(|known: &Name| known.as_wire() != owner.as_wire());
    let count = |node: Option<&Node>| -> i64 {
        let rrsets = node.iter().flat_map(|n| &n.rrsets);
        rrsets.map(|r| i64::try_from(r.rdata.len()).unwrap_or(0)).sum()
    };
    Touched {
        owner: owner.clone(),
        has_other_addresses: addresses(before.as_ref()) != addresses(node) || is_new_case(),
        more_records: count(node) - count(before.as_ref()),
    }
}

/// What was said of the rest of the file, where that stands now, and what is to be said of what was read again.
fn said(before: &[Diagnostic], moves: &Moves, new: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let kept = before.iter().filter_map(|said| {
        let line = moves.line(said.place.line)?;
        let mut said = said.clone();
        said.place.line = line;
        Some(said)
    });
    let mut all: Vec<Diagnostic> = kept.chain(new).collect();
    all.sort_by_key(|d| (d.place.line, d.place.column));
    all
}
