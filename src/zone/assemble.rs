//! Records into a zone: apex, order, RRsets, what is dropped on the way and said so.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Place};
use crate::number::Ttl;
use crate::wire::{Name, Rtype};

use super::check::{Validity, check, check_nodes};
use super::order::sort_nearly;
use super::rdata;
use super::report::{Mark, Report};
use super::rrset::{Node, Rrset, Zone};

/// Octets of a short line: ` A 1.1.1.1`.
const RECORD_LEN_MIN: usize = 11;

/// One record as read.
pub(super) struct Record {
    /// Index of its owner name.
    pub(super) owner: u32,
    pub(super) rtype: Rtype,
    pub(super) ttl: Ttl,
    pub(super) rdata: Box<[u8]>,
    pub(super) mark: Mark,
}

/// All records of a zone, as read.
pub(super) struct Records {
    owners: Vec<Name>,
    list: Vec<Record>,
    /// Whether none was lost to a mistake: only then is it known what a zone lacks.
    pub(super) is_complete: bool,
    /// Whether a SOA stands at another name than the origin in force there.
    pub(super) has_soa_off_origin: bool,
}

impl Default for Records {
    fn default() -> Records {
        Records {
            owners: Vec::new(),
            list: Vec::new(),
            is_complete: true,
            has_soa_off_origin: false,
        }
    }
}

impl Records {
    /// The index of an owner name.
    pub(super) fn owner(&mut self, name: Name) -> u32 {
        if self.owners.last() != Some(&name) {
            self.owners.push(name);
        }
        (self.owners.len() - 1) as u32
    }

    /// The owner name of an index.
    pub(super) fn owner_at(&self, index: u32) -> Option<&Name> {
        self.owners.get(index as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Makes room for the records of `text`: most lines hold one. What is not needed is never touched.
    pub(super) fn make_room(&mut self, text: &[u8]) {
        let line_count = memchr::memchr_iter(b'\n', text).count() + 1;
        let count = line_count.min(text.len() / RECORD_LEN_MIN);
        // A file of empty lines may ask for more than there is, and needs none of it.
        let made = self.owners.try_reserve(count).and_then(|()| self.list.try_reserve(count));
        made.unwrap_or_default();
    }

    pub(super) fn push(&mut self, record: Record) {
        self.list.push(record);
    }

    /// Adds the records of the text that follows. None if they are more than can be counted.
    pub(super) fn append(&mut self, next: Records) -> Option<()> {
        let before = u32::try_from(self.owners.len()).ok()?;
        u32::try_from(self.owners.len() + next.owners.len()).ok()?;
        self.owners.extend(next.owners);
        let moved = |record: Record| Record { owner: record.owner + before, ..record };
        self.list.extend(next.list.into_iter().map(moved));
        self.is_complete &= next.is_complete;
        self.has_soa_off_origin |= next.has_soa_off_origin;
        Some(())
    }

    /// All records with their owners, as they were read.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Name, &Record)> {
        self.list.iter().filter_map(|record| Some((self.name(record)?, record)))
    }

    fn name(&self, record: &Record) -> Option<&Name> {
        self.owner_at(record.owner)
    }
}

/// Makes the zone, checks it, and tells how long its signatures hold. Without a SOA, which is an error, the apex is taken
/// to be `origin`. Tells too whether all records of the zone were kept: none was a duplicate.
pub(super) fn assemble(
    path: &str,
    origin: &Name,
    mut records: Records,
    report: &mut Report<'_>,
) -> (Zone, Option<Validity>, bool) {
    let known_apex = find_apex(path, origin, &records, report);
    // Without an apex the file is refused, and its other mistakes are told all the same.
    let apex = known_apex.as_ref().unwrap_or(origin).clone();
    if known_apex.is_some() {
        records.drop_outside(&apex, report);
    }
    let gathered = records.gather(report);
    let zone = Zone { apex, path: path.to_owned(), nodes: gathered.nodes.into() };
    let validity = match known_apex {
        Some(_) => check(&zone, &gathered.marks, records.is_complete, report),
        None => {
            check_nodes(&zone, &gathered.marks, report);
            None
        }
    };
    (zone, validity, gathered.all_kept)
}

/// Records as nodes, in canonical order.
pub(super) struct Gathered {
    pub(super) nodes: Vec<(Name, Node)>,
    /// Where the records stand, in the order of the nodes.
    pub(super) marks: Vec<Mark>,
    /// Whether none was a duplicate.
    pub(super) all_kept: bool,
}

impl Records {
    /// Leaves out what does not lie in the zone of `apex`.
    pub(super) fn drop_outside(&mut self, apex: &Name, report: &mut Report<'_>) {
        let mut list = std::mem::take(&mut self.list);
        list.retain(|record| keep_in_zone(apex, self, record, report));
        self.list = list;
    }

    /// The records by owner and type.
    pub(super) fn gather(&mut self, report: &mut Report<'_>) -> Gathered {
        let mut list = std::mem::take(&mut self.list);
        let mut runs = runs(&list);
        let name = |run: &Run| self.owner_at(run.owner);
        // Records of one RRset keep the order in which they were written.
        sort_nearly(&mut runs, |a, b| name(a).cmp(&name(b)).then(a.first.cmp(&b.first)));
        let mut marks = Vec::with_capacity(list.len());
        let mut nodes = Vec::with_capacity(runs.len());
        // Names move into the nodes. One is not looked at again once its runs have ended.
        let owners = std::mem::take(&mut self.owners).into_iter().map(Some);
        let owners: RefCell<Vec<Option<Name>>> = RefCell::new(owners.collect());
        let same = |a: &Run, b: &Run| {
            let owners = owners.borrow();
            owners.get(a.owner as usize) == owners.get(b.owner as usize)
        };
        for owned in runs.chunk_by(same) {
            let first = owned.first().map(|run| run.owner as usize);
            let taken = first.and_then(|at| owners.borrow_mut().get_mut(at)?.take());
            let Some(owner) = taken else { continue };
            let mut scattered = Vec::new();
            let records = match owned {
                [run] => list.get_mut(run.range()).unwrap_or_default(),
                _ => {
                    for run in owned {
                        let part = list.get_mut(run.range()).unwrap_or_default();
                        scattered.extend(part.iter_mut().map(taken_out));
                    }
                    &mut scattered[..]
                }
            };
            let node = node(&owner, records, &mut marks, report);
            nodes.push((owner, node));
        }
        let all_kept = marks.len() == list.len();
        Gathered { nodes, marks, all_kept }
    }
}

/// Records of one owner that stand together.
#[derive(Clone, Copy)]
struct Run {
    owner: u32,
    count: u32,
    first: usize,
}

impl Run {
    fn range(&self) -> Range<usize> {
        self.first..self.first + self.count as usize
    }
}

fn runs(list: &[Record]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (first, record) in list.iter().enumerate() {
        match runs.last_mut().filter(|last| last.owner == record.owner && last.count < u32::MAX) {
            Some(last) => last.count += 1,
            None => runs.push(Run { owner: record.owner, count: 1, first }),
        }
    }
    runs
}

fn taken_out(record: &mut Record) -> Record {
    Record { rdata: std::mem::take(&mut record.rdata), ..*record }
}

/// The records of one owner into its node.
fn node(
    owner: &Name,
    records: &mut [Record],
    marks: &mut Vec<Mark>,
    report: &mut Report<'_>,
) -> Node {
    // Most owners have one type, or few and in order.
    records.sort_by_key(|record| record.rtype);
    let type_count = records.chunk_by(|a, b| a.rtype == b.rtype).count();
    let mut rrsets = Vec::with_capacity(type_count);
    for group in records.chunk_by_mut(|a, b| a.rtype == b.rtype) {
        rrsets.push(gather(owner, group, marks, report));
    }
    Node { rrsets }
}

/// The owner of the SOA; one, and the same SOA (RFC 1035 §5.2).
fn find_apex(
    path: &str,
    origin: &Name,
    records: &Records,
    report: &mut Report<'_>,
) -> Option<Name> {
    let mut all = records.list.iter().filter(|r| r.rtype == Rtype::SOA);
    let Some(first) = all.next() else {
        // A record that is no error to leave out is not the SOA; one with a mistake may be.
        if records.is_complete || report.error_count == 0 {
            let message = "the file has no SOA record";
            let error = Diagnostic::error("soa-missing", Place::file(path), message)
                .help("a zone begins with one, whose owner is the name of the zone");
            report.push_whole(error);
        }
        return None;
    };
    let apex = records.name(first)?;
    for other in all {
        let owner = records.name(other)?;
        if owner == apex && !same(first, other) {
            let line = first.mark.token.line;
            let message = format!("{owner} has a second SOA; the first is at line {line}");
            let help = "keep one of them (RFC 1035 §5.2)";
            report.error_with_help(other.mark, "soa-doubled", message, help);
        } else if owner != apex && owner.is_at_or_below(apex) {
            let message = format!("a SOA at {owner}, below the apex {apex}");
            let help = "a file holds one zone; give the other its own file (RFC 1035 §5.2)";
            report.error_with_help(other.mark, "soa-doubled", message, help);
        }
    }
    // `$ORIGIN` may lead elsewhere; a SOA that follows neither it nor the file's name is probably a slip.
    if apex != origin && records.has_soa_off_origin {
        let message = format!("the SOA is at {apex}, and the file is named for {origin}");
        let stem = if apex.is_root() { "root.".into() } else { apex.to_string().to_lowercase() };
        let help = format!("write the SOA at @, or name the file {stem}zone");
        report.warning(first.mark, "soa-unlike-file", message, help);
    }
    Some(apex.clone())
}

fn same(a: &Record, b: &Record) -> bool {
    a.rdata == b.rdata || rdata::fold(a.rtype, &a.rdata) == rdata::fold(b.rtype, &b.rdata)
}

fn keep_in_zone(apex: &Name, records: &Records, record: &Record, report: &mut Report<'_>) -> bool {
    let Some(owner) = records.name(record) else { return false };
    let inside = owner.is_at_or_below(apex);
    if !inside {
        let message = format!("{owner} is not in the zone {apex}; the record is left out");
        let help = "is a final dot missing or too many, or an $ORIGIN wrong?";
        report.warning(record.mark, "out-of-zone", message, help);
    }
    inside
}

/// The records of one owner and type into an RRset; their places are appended to `marks`.
fn gather(
    owner: &Name,
    group: &mut [Record],
    marks: &mut Vec<Mark>,
    report: &mut Report<'_>,
) -> Rrset {
    let is_alone = group.len() == 1;
    let mut seen = HashSet::with_capacity(if is_alone { 0 } else { group.len() });
    let rdata = Vec::with_capacity(group.len());
    let mut rrset = Rrset { rtype: Rtype(0), ttl: Ttl::MAX, rdata, line: 0 };
    for record in group {
        if !is_alone && !seen.insert(rdata::fold(record.rtype, &record.rdata)) {
            let message = format!("{owner} has this {} record already", record.rtype);
            report.note(record.mark, "duplicate-record", message);
            rrset.ttl = rrset.ttl.min(record.ttl);
            continue;
        }
        if rrset.rdata.is_empty() {
            rrset.rtype = record.rtype;
            rrset.ttl = record.ttl;
            rrset.line = record.mark.token.line;
        } else if record.ttl != rrset.ttl && record.rtype != Rtype::RRSIG {
            let ttl = record.ttl.min(rrset.ttl);
            let message = format!(
                "TTL {} differs from that of the other {} records of {owner}; {} is used for all",
                record.ttl.as_secs(),
                record.rtype,
                ttl.as_secs()
            );
            let help = "records of one owner and type have one TTL (RFC 2181 §5.2)";
            report.warning(record.mark, "ttl-mismatch", message, help);
        }
        rrset.ttl = rrset.ttl.min(record.ttl);
        rrset.rdata.push(std::mem::take(&mut record.rdata));
        marks.push(record.mark);
    }
    rrset
}
