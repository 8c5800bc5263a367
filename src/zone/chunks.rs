//! A zone file in chunks: where records begin, and what the parser carries there. Of a changed file it is then known which
//! chunks have to be read again.
//!
//! Invariant chunk-begins-a-record: a chunk begins in the first column of a line outside of parentheses, with an owner
//! name that is not that of the record before. So it is read alike whatever stands before it, but for what is carried.

use std::ops::Range;
use std::sync::Arc;

use crate::number::Ttl;
use crate::wire::Name;

use super::lexer::Token;
use super::state::{Found, State};

/// Octets that a chunk aims at: some hundred records, read within a millisecond. Tests have many chunks in short files.
const CHUNK_LEN: usize = if cfg!(test) { 200 } else { 16 << 10 };
/// A change of more than one in so many octets has the file read as a whole.
const DIRTY_SHARE_MAX: usize = 10;
/// Octets of a chunk by which it is found again behind a change.
const NEEDLE_LEN: usize = 64;
/// Chunks behind a change that are looked for until one is found again.
const TRY_COUNT: usize = 4;
/// Octets that a change may have added before the chunk that is looked for.
const ADDED_LEN_MAX: usize = 64 << 10;

/// The chunks of one file.
#[derive(Clone, Debug)]
pub struct Chunks {
    starts: Vec<Start>,
    len: usize,
}

/// Where a chunk begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Its first octet.
    pub(super) at: u32,
    /// Its first line, from 1.
    pub(super) line: u32,
    /// What the parser knows there.
    pub(super) carried: Arc<Carried>,
}

/// What the parser carries from the records before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    origin: Name,
    default_ttl: Option<Ttl>,
    /// Once `$TTL` gave a TTL, that of the record before counts no more.
    last_ttl: Option<Ttl>,
}

/// Chunks that a change touched, and what stands in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The chunks, by index.
    pub(super) chunks: Range<usize>,
    /// The octets of them before the change.
    pub(super) old: Range<usize>,
    /// The octets in their place.
    pub(super) new: Range<usize>,
}

impl Carried {
    pub(super) fn of(state: &State) -> Carried {
        let last_ttl = if state.default_ttl.is_some() { None } else { state.last_ttl };
        Carried { origin: state.origin.clone(), default_ttl: state.default_ttl, last_ttl }
    }

    /// Whether what begins with this may follow what ended with `before`; the TTL of the record before aside.
    pub(super) fn follows(&self, before: &Carried) -> bool {
        (&self.origin, self.default_ttl) == (&before.origin, before.default_ttl)
            && self.origin.as_wire() == before.origin.as_wire()
    }

    /// The state of a parser that begins here, in file `source`.
    pub(super) fn state(&self, source: u32) -> State {
        State {
            source,
            depth: 0,
            origin: self.origin.clone(),
            owner: None,
            default_ttl: self.default_ttl,
            last_ttl: self.last_ttl,
            generated: None,
        }
    }
}

/// Cuts a file into chunks while it is read.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    starts: Vec<Start>,
    is_spoilt: bool,
}

impl Cutter {
    /// The starts of a file that was read in parts.
    pub(super) fn of(starts: Vec<Start>) -> Cutter {
        Cutter { starts, is_spoilt: false }
    }

    /// A file or a part of it begins.
    pub(super) fn begin(&mut self, start: Start) {
        self.starts.push(start);
    }

    /// Text came in that does not stand in the file: no chunk can be read by itself.
    pub(super) fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    /// Begins a chunk with the record whose owner is `first`, if it is time to and it may. `before` is where the entry
    /// before it ended.
    pub(super) fn offer(
        &mut self,
        text: &[u8],
        before: usize,
        first: Token,
        state: &State,
        found: &Found<'_>,
    ) {
        let Some(last) = self.starts.last() else { return };
        let at = first.start as usize;
        if at < last.at as usize + CHUNK_LEN || first.start != first.line_start {
            return;
        }
        let is_within = text.get(before..at).is_none_or(|gap| gap.contains(&b'('));
        let owner = Name::parse_bytes(first.bytes(text), &state.origin).ok();
        if is_within || owner.is_none() || owner.as_ref() == found.owner(state) {
            return;
        }
        let carried = Carried::of(state);
        let known = Some(&last.carried).filter(|known| ***known == carried);
        let carried = known.map_or_else(|| Arc::new(carried), Arc::clone);
        self.starts.push(Start { at: first.start, line: first.line, carried });
    }

    /// The chunks of a file of `len` octets.
    pub(super) fn finish(self, len: usize) -> Option<Chunks> {
        (!self.is_spoilt && !self.starts.is_empty()).then_some(Chunks { starts: self.starts, len })
    }

    /// The starts found in a part of a file.
    pub(super) fn into_starts(self) -> Option<Vec<Start>> {
        (!self.is_spoilt).then_some(self.starts)
    }
}

impl Chunks {
    /// Where the chunk `index` begins; none behind the last.
    pub(super) fn start(&self, index: usize) -> Option<&Start> {
        self.starts.get(index)
    }

    fn offset(&self, index: usize) -> usize {
        self.starts.get(index).map_or(self.len, |start| start.at as usize)
    }

    /// The chunks of `old`, the text that these are of, that are not in `new`, with what stands in their place. Around
    /// them the texts are the same. None where too much changed.
    pub(super) fn changed(&self, old: &[u8], new: &[u8]) -> Option<Vec<Region>> {
        let mut regions: Vec<Region> = Vec::new();
        let (mut index, mut at, mut dirty) = (0, 0, 0);
        loop {
            let first = index + self.same_chunks(index, old, new.get(at..)?);
            at += self.offset(first) - self.offset(index);
            if first == self.starts.len() {
                return Some(regions);
            }
            let region = self.region(first, at, old, new)?;
            dirty += region.old.len().max(region.new.len());
            if dirty > new.len() / DIRTY_SHARE_MAX {
                return None;
            }
            (index, at) = (region.chunks.end, region.new.end);
            regions.push(region);
        }
    }

    /// How many whole chunks from `index` on stand at the start of `new`.
    fn same_chunks(&self, index: usize, old: &[u8], new: &[u8]) -> usize {
        let is_same = |chunk: &usize| {
            let range = self.offset(*chunk)..self.offset(chunk + 1);
            let there = range.start - self.offset(index)..range.end - self.offset(index);
            // The last chunk is the same only if nothing was added to it.
            let is_last = chunk + 1 == self.starts.len();
            old.get(range) == new.get(there.clone()) && (!is_last || there.end == new.len())
        };
        (index..self.starts.len()).take_while(is_same).count()
    }

    /// The chunks from `first` on, at `at` in `new`, up to one that is found again.
    fn region(&self, first: usize, at: usize, old: &[u8], new: &[u8]) -> Option<Region> {
        for next in first + 1..(first + 1 + TRY_COUNT).min(self.starts.len()) {
            let here = self.offset(next);
            let needle = old.get(here..(here + NEEDLE_LEN).min(old.len()))?;
            let reach = here - self.offset(first) + ADDED_LEN_MAX;
            let hay = new.get(at..(at + reach).min(new.len()))?;
            if let Some(found) = find_line(hay, needle) {
                let (chunks, old) = (first..next, self.offset(first)..here);
                return Some(Region { chunks, old, new: at..at + found });
            }
        }
        let (chunks, old) = (first..self.starts.len(), self.offset(first)..self.len);
        Some(Region { chunks, old, new: at..new.len() })
    }

    /// The chunks of a text of `len` octets in which `regions` changed, and how its lines moved. `read` reads what stands
    /// in the place of one, from where it begins: it gives the starts within, and what is carried at its end. None where
    /// the chunks that follow were read with something else carried.
    pub(super) fn moved(
        &self,
        regions: &[Region],
        len: usize,
        mut read: impl FnMut(&Region, Start) -> Option<(Vec<Start>, Start)>,
    ) -> Option<(Chunks, Moves)> {
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut moves = Moves { list: vec![(0, Some(0))] };
        let (mut index, mut octets, mut lines) = (0, 0, 0);
        for region in regions {
            for start in self.starts.get(index..region.chunks.start)? {
                starts.push(start.shifted(octets, lines)?);
            }
            let first = self.starts.get(region.chunks.start)?;
            moves.list.push((first.line, None));
            let (within, end) = read(region, first.shifted(octets, lines)?)?;
            starts.extend(within);
            index = region.chunks.end;
            octets = i64::try_from(region.new.end).ok()? - i64::try_from(region.old.end).ok()?;
            if let Some(next) = self.starts.get(index) {
                lines = i64::from(end.line) - i64::from(next.line);
                moves.list.push((next.line, Some(lines)));
                if next.carried != end.carried {
                    return None;
                }
            }
        }
        for start in self.starts.get(index..)? {
            starts.push(start.shifted(octets, lines)?);
        }
        Some((Chunks { starts, len }, moves))
    }
}

impl Start {
    fn shifted(&self, octets: i64, lines: i64) -> Option<Start> {
        let at = u32::try_from(i64::from(self.at) + octets).ok()?;
        let line = u32::try_from(i64::from(self.line) + lines).ok()?;
        Some(Start { at, line, carried: Arc::clone(&self.carried) })
    }
}

/// Where the lines of a file went when it changed.
#[derive(Clone, Debug)]
pub struct Moves {
    /// From which line on by how much; none for lines that were read again.
    list: Vec<(u32, Option<i64>)>,
}

impl Moves {
    /// Where `line` stands now; none if it was read again. Line 0, which means the whole file, stays.
    pub fn line(&self, line: u32) -> Option<u32> {
        if line == 0 {
            return Some(0);
        }
        let after = self.list.partition_point(|(from, _)| *from <= line);
        let (_, by) = self.list.get(after.checked_sub(1)?)?;
        u32::try_from(i64::from(line) + (*by)?).ok()
    }
}

/// Where a line of `hay`, which begins with one, begins with `needle`.
fn find_line(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let mut at = 0;
    while !hay.get(at..)?.starts_with(needle) {
        at += memchr::memchr(b'\n', hay.get(at..)?)? + 1;
    }
    Some(at)
}
