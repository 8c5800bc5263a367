//! Addresses into classes: the table that a query looks into.
//!
//! IPv4: the top 16 bits pick a chunk, a chunk is a few entries `{low half, class}`. IPv6: the
//! first 19 bits of global unicast (2000::/3) pick a chunk, as do the first 3 bits elsewhere; an
//! entry is `{high half, class}`. Boundaries within a /64 are rare and stand in a list of their
//! own.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::number::{ClassId, Digest, PrefixLen};

use super::place::{Place, PlaceId};
use super::prefix::{Prefix, embedded_v4, embedding_blocks};
use super::sweep::{self, LAST_V4, LAST_V6, Span, sweep};
use super::world::World;

/// Address ranges compiled to classes: one index step and one short search a lookup.
#[derive(Clone, Debug)]
pub struct Ranges {
    v4: V4,
    v6: V6,
}

impl Ranges {
    /// Classes lie below this; the numbers from here on are marks of the table's own.
    pub const CLASS_COUNT_MAX: u16 = 0xfff0;

    /// Compiles `world`, cut further by `cuts`: `classify` is told a place and which of `cuts` hold
    /// the range (by index, in order), and gives the class. Neighbours of one class are merged. A
    /// cut of IPv6 addresses that embed IPv4 cuts nothing: these are looked up as IPv4.
    ///
    /// # Panics
    /// When `classify` gives a class of [`Ranges::CLASS_COUNT_MAX`] or above.
    pub fn compile(
        world: &World,
        cuts: &[Prefix],
        classify: impl FnMut(&Place, &[usize]) -> ClassId,
    ) -> Ranges {
        let spans = |wanted: bool| {
            let family = cuts.iter().enumerate().filter(|(_, cut)| cut.address.is_ipv4() == wanted);
            family.map(|(item, cut)| span(cut.bounds(), item)).collect::<Vec<_>>()
        };
        let mut classes = Classes { world, classify, uncut: vec![None; world.places().len()] };
        let runs_v4 = classes.runs(world.runs_v4(), spans(true), LAST_V4);
        let embedding = embedding_blocks().into_iter().map(|bounds| span(bounds, EMBEDDING));
        let spans_v6 = spans(false).into_iter().chain(embedding).collect();
        let runs_v6 = classes.runs(world.runs_v6(), spans_v6, LAST_V6);
        Ranges { v4: V4::build(&runs_v4), v6: V6::build(&runs_v6) }
    }

    /// The class of `address`, and the length of the shortest prefix around it in which every
    /// address has this class. IPv6 forms of IPv4 are looked up as IPv4, the length shifted by
    /// where the IPv4 address stands.
    pub fn lookup(&self, address: IpAddr) -> (ClassId, PrefixLen) {
        let (class, len) = match address {
            IpAddr::V4(v4) => self.v4.lookup(v4.to_bits()),
            IpAddr::V6(v6) => match embedded_v4(address) {
                None => self.v6.lookup(v6.to_bits()),
                Some((v4, shift)) => {
                    let (class, len) = self.v4.lookup(v4.to_bits());
                    (class, beside_loopback(v6.to_bits(), len + shift))
                }
            },
        };
        (ClassId(class), PrefixLen(len))
    }

    /// The whole IPv4 space: where each class begins. The first starts at 0.
    pub fn runs_v4(&self) -> impl Iterator<Item = (u128, ClassId)> + '_ {
        let chunks = self.v4.index.windows(2).zip(0u128..).flat_map(|(bounds, chunk)| {
            let entries = self.v4.entries.get(bounds[0] as usize..bounds[1] as usize);
            let start = move |entry: &Entry| (chunk << 16 | u128::from(entry.low), entry.class);
            entries.unwrap_or_default().iter().map(start)
        });
        merged(chunks)
    }

    /// The whole IPv6 space: where each class begins, none for blocks that embed IPv4, which are looked up as such. The
    /// first starts at 0.
    pub fn runs_v6(&self) -> impl Iterator<Item = (u128, Option<ClassId>)> + '_ {
        let coarse = self.v6.highs.iter().zip(&self.v6.classes);
        let coarse = coarse.flat_map(|(&high, &class)| {
            let first = u128::from(high) << 64;
            let from = self.v6.fine.partition_point(|it| it.0 < first);
            let fine = self.v6.fine.get(from..).filter(|_| class == SPLIT).unwrap_or_default();
            let fine = fine.iter().take_while(move |it| (it.0 >> 64) as u64 == high).copied();
            let whole = (class != SPLIT).then_some((first, class));
            whole.into_iter().chain(fine)
        });
        merged(coarse)
            .map(|(start, class)| (start, (class.0 < Ranges::CLASS_COUNT_MAX).then_some(class)))
    }

    /// Whether both class every address alike.
    pub fn is_same(&self, other: &Ranges) -> bool {
        self.runs_v4().eq(other.runs_v4()) && self.runs_v6().eq(other.runs_v6())
    }

    /// How many ranges it holds: IPv4, IPv6.
    pub fn counts(&self) -> (usize, usize) {
        (self.v4.entries.len(), self.v6.highs.len() + self.v6.fine.len())
    }

    /// How much memory it takes.
    pub fn byte_count(&self) -> usize {
        let v4 = size_of_val(&*self.v4.index) + size_of_val(&*self.v4.wide);
        let v6 = size_of_val(&*self.v6.index) + size_of_val(&*self.v6.wide);
        v4 + v6
            + size_of_val(&*self.v4.entries)
            + size_of_val(&*self.v6.highs)
            + size_of_val(&*self.v6.strides)
            + size_of_val(&*self.v6.classes)
            + size_of_val(&*self.v6.fine)
    }

    /// A digest of what it answers: equal for tables that class all addresses alike.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(self.byte_count());
        for start in &self.v4.index {
            bytes.extend_from_slice(&start.to_le_bytes());
        }
        for entry in &self.v4.entries {
            bytes.extend_from_slice(&entry.low.to_le_bytes());
            bytes.extend_from_slice(&entry.class.to_le_bytes());
        }
        for (high, class) in self.v6.highs.iter().zip(&self.v6.classes) {
            bytes.extend_from_slice(&high.to_le_bytes());
            bytes.extend_from_slice(&class.to_le_bytes());
        }
        for (start, class) in &self.v6.fine {
            bytes.extend_from_slice(&start.to_le_bytes());
            bytes.extend_from_slice(&class.to_le_bytes());
        }
        Digest::of(&bytes)
    }
}

/// The blocks of compatible addresses stand around ::/127, which is not of them: a scope never
/// reaches over it.
fn beside_loopback(address: u128, len: u8) -> u8 {
    if address <= LAST_V4 { len.max(address.leading_zeros() as u8 + 1) } else { len }
}

/// The mark of spans that embed IPv4, among the indices of cuts.
const EMBEDDING: usize = usize::MAX;
/// The class of blocks that embed IPv4. No lookup ends there, and no scope reaches in.
const EMBEDDED: u16 = 0xfffe;
/// The class of a /64 that holds more than one class.
const SPLIT: u16 = 0xffff;

fn span((first, last): (u128, u128), item: usize) -> Span {
    Span { first, last, item }
}

/// Starts of maximal runs of one class, the first at 0.
type Runs = Vec<(u128, u16)>;

struct Classes<'w, F> {
    world: &'w World,
    classify: F,
    /// Classes of places that no cut holds: nearly all there is to ask.
    uncut: Vec<Option<u16>>,
}

impl<F: FnMut(&Place, &[usize]) -> ClassId> Classes<'_, F> {
    fn runs(
        &mut self,
        base: impl Iterator<Item = (u128, PlaceId)>,
        mut spans: Vec<Span>,
        last: u128,
    ) -> Runs {
        sweep::sort(&mut spans);
        let mut runs = Runs::new();
        // Spans nest: the innermost one tells which hold it.
        let mut cut: HashMap<(PlaceId, usize), u16> = HashMap::new();
        sweep(base, &spans, last, |start, place, items| {
            let class = match items.last() {
                None => self.uncut_class(place),
                Some(_) if items.contains(&EMBEDDING) => EMBEDDED,
                Some(&inner) => {
                    *cut.entry((place, inner)).or_insert_with(|| self.class(place, items))
                }
            };
            if runs.last().is_none_or(|run| run.1 != class) {
                runs.push((start, class));
            }
        });
        runs
    }

    fn uncut_class(&mut self, place: PlaceId) -> u16 {
        if let Some(Some(class)) = self.uncut.get(place.0 as usize) {
            return *class;
        }
        let class = self.class(place, &[]);
        if let Some(known) = self.uncut.get_mut(place.0 as usize) {
            *known = Some(class);
        }
        class
    }

    fn class(&mut self, place: PlaceId, items: &[usize]) -> u16 {
        let mut items = items.to_vec();
        items.sort_unstable();
        let class = (self.classify)(self.world.place(place), &items).0;
        assert!(class < Ranges::CLASS_COUNT_MAX, "a class beyond what a table can hold");
        class
    }
}

/// Starts with those left out that begin nothing new.
fn merged(starts: impl Iterator<Item = (u128, u16)>) -> impl Iterator<Item = (u128, ClassId)> {
    let mut last = None;
    let news = starts.filter(move |&(_, class)| last.replace(class) != Some(class));
    news.map(|(start, class)| (start, ClassId(class)))
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where it starts within its chunk.
    low: u16,
    class: u16,
}

/// Invariant chunk-begins: each chunk's entries begin with one at the chunk's first address.
#[derive(Clone, Debug)]
struct V4 {
    /// Where a chunk's entries begin, by the address's high half; one more at the end.
    index: Box<[u32]>,
    /// The scope of a chunk of one class, which may reach beyond it: 0 to 16.
    wide: Box<[u8]>,
    entries: Box<[Entry]>,
}

impl V4 {
    fn build(runs: &Runs) -> V4 {
        let mut entries = Vec::with_capacity(runs.len() + V4_CHUNK_COUNT);
        let mut index = Vec::with_capacity(V4_CHUNK_COUNT + 1);
        let mut wide = Vec::with_capacity(V4_CHUNK_COUNT);
        let mut next = 0; // the first run that starts beyond the chunk's first address
        for chunk in 0..V4_CHUNK_COUNT as u128 {
            let (first, beyond) = (chunk << 16, (chunk + 1) << 16);
            while runs.get(next).is_some_and(|run| run.0 <= first) {
                next += 1;
            }
            let (run_first, class) = runs[next - 1];
            let run_beyond = runs.get(next).map(|run| run.0);
            index.push(entries.len() as u32);
            entries.push(Entry { low: 0, class });
            wide.push(block_len(first as u32, run_first as u32, run_beyond.map(|it| it as u32)));
            while let Some(&(start, class)) = runs.get(next).filter(|run| run.0 < beyond) {
                entries.push(Entry { low: start as u16, class });
                next += 1;
            }
        }
        index.push(entries.len() as u32);
        V4 { index: index.into(), wide: wide.into(), entries: entries.into() }
    }

    fn lookup(&self, address: u32) -> (u16, u8) {
        let chunk = (address >> 16) as usize;
        let low = address as u16;
        let bounds = self.index.get(chunk).zip(self.index.get(chunk + 1));
        let entries = bounds.and_then(|(from, to)| self.entries.get(*from as usize..*to as usize));
        let entries = entries.unwrap_or_default();
        let next = entries.partition_point(|entry| entry.low <= low);
        // By chunk-begins there is an entry before `next`.
        let entry =
            entries.get(next.wrapping_sub(1)).copied().unwrap_or(Entry { low: 0, class: 0 });
        if entries.len() < 2 {
            return (entry.class, self.wide.get(chunk).copied().unwrap_or(32));
        }
        let before = entry.low.checked_sub(1).map_or(0, |out| (low ^ out).leading_zeros() + 1);
        let after = entries.get(next).map_or(0, |out| (low ^ out.low).leading_zeros() + 1);
        (entry.class, 16 + before.max(after) as u8)
    }
}

const V4_CHUNK_COUNT: usize = 1 << 16;

/// How many starts of IPv6 one stride has: four cache lines. A guess; random look-ups among 1.2 million ranges took 27 to
/// 37 % less than by halves alone (`benches/geography.rs`).
const STRIDE: usize = 32;

/// Invariant chunk-begins holds here too.
#[derive(Clone, Debug)]
struct V6 {
    index: Box<[u32]>,
    /// The scope of a chunk of one class: 0 to 19.
    wide: Box<[u8]>,
    /// High halves of the starts, and their classes.
    highs: Box<[u64]>,
    classes: Box<[u16]>,
    /// Every [`STRIDE`]th of the starts: few enough to stay in a cache, so that a chunk of thousands costs few misses.
    strides: Box<[u64]>,
    /// Exact starts within the /64s whose class is [`SPLIT`], each /64 beginning with its first
    /// address.
    fine: Box<[(u128, u16)]>,
}

impl V6 {
    fn build(runs: &Runs) -> V6 {
        let (coarse, fine) = split(runs);
        let mut highs = Vec::with_capacity(coarse.len() + V6_CHUNK_COUNT);
        let mut classes = Vec::with_capacity(coarse.len() + V6_CHUNK_COUNT);
        let mut index = Vec::with_capacity(V6_CHUNK_COUNT + 1);
        let mut wide = Vec::with_capacity(V6_CHUNK_COUNT);
        let mut next = 0;
        for chunk in 0..V6_CHUNK_COUNT {
            let first = chunk_first(chunk);
            while coarse.get(next).is_some_and(|run| run.0 <= first) {
                next += 1;
            }
            let (run_first, class) = coarse[next - 1];
            index.push(highs.len() as u32);
            highs.push(first);
            classes.push(class);
            wide.push(block_len(first, run_first, coarse.get(next).map(|run| run.0)));
            while let Some(&(start, class)) =
                coarse.get(next).filter(|run| chunk_of(run.0) == chunk)
            {
                highs.push(start);
                classes.push(class);
                next += 1;
            }
        }
        index.push(highs.len() as u32);
        V6 {
            index: index.into(),
            wide: wide.into(),
            strides: highs.iter().step_by(STRIDE).copied().collect(),
            highs: highs.into(),
            classes: classes.into(),
            fine: fine.into(),
        }
    }

    /// Where in `from..to`, the starts of one chunk, the first stands that lies beyond `high`.
    fn beyond(&self, (from, to): (usize, usize), high: u64) -> usize {
        let first = from.div_ceil(STRIDE);
        let strides = self.strides.get(first..to.div_ceil(STRIDE)).unwrap_or_default();
        let passed = strides.partition_point(|start| *start <= high);
        // The last stride that is passed, or the chunk's own beginning; and the first that is not, or the chunk's end.
        let low = if passed == 0 { from } else { (first + passed - 1) * STRIDE };
        let end = to.min((first + passed) * STRIDE);
        let starts = self.highs.get(low..end).unwrap_or_default();
        low + starts.partition_point(|start| *start <= high)
    }

    fn lookup(&self, address: u128) -> (u16, u8) {
        let high = (address >> 64) as u64;
        let chunk = chunk_of(high);
        let (from, to) = match (self.index.get(chunk), self.index.get(chunk + 1)) {
            (Some(&from), Some(&to)) => (from as usize, to as usize),
            _ => (0, 0),
        };
        let highs = self.highs.get(from..to).unwrap_or_default();
        let next = self.beyond((from, to), high) - from;
        let class = self.classes.get((from + next).wrapping_sub(1)).copied().unwrap_or(0);
        if class == SPLIT {
            return self.lookup_fine(address);
        }
        if highs.len() < 2 {
            return (class, self.wide.get(chunk).copied().unwrap_or(128));
        }
        // The chunk's own first entry has no neighbour within it.
        let own = if next > 1 { highs.get(next - 1) } else { None };
        let before = own.and_then(|start| start.checked_sub(1));
        let before = before.map_or(0, |out| (high ^ out).leading_zeros() + 1);
        let after = highs.get(next).map_or(0, |out| (high ^ out).leading_zeros() + 1);
        (class, before.max(after) as u8)
    }

    /// Within a split /64 no block of one class is as large as the /64.
    fn lookup_fine(&self, address: u128) -> (u16, u8) {
        let next = self.fine.partition_point(|it| it.0 <= address);
        let (first, class) = self.fine.get(next.wrapping_sub(1)).copied().unwrap_or((address, 0));
        let inside = |outside: u128| outside >> 64 == address >> 64;
        let before = first.checked_sub(1).filter(|out| inside(*out));
        let after = self.fine.get(next).map(|it| it.0).filter(|out| inside(*out));
        let len = |out: u128| (address ^ out).leading_zeros() + 1;
        (class, before.map_or(0, len).max(after.map_or(0, len)) as u8)
    }
}

/// Chunk 0 is ::/3, then the 65,536 chunks of 2000::/3, then the other six eighths of the space.
const V6_CHUNK_COUNT: usize = 1 + (1 << 16) + 6;

fn chunk_of(high: u64) -> usize {
    match high >> 61 {
        0 => 0,
        1 => 1 + (high >> 45 & 0xffff) as usize,
        eighth => (1 << 16) + eighth as usize - 1,
    }
}

fn chunk_first(chunk: usize) -> u64 {
    match chunk as u64 {
        0 => 0,
        chunk @ 1..=0x1_0000 => 1 << 61 | (chunk - 1) << 45,
        chunk => (chunk + 1 - (1 << 16)) << 61,
    }
}

/// The runs by high half, and the exact starts within each /64 that holds more than one class.
fn split(runs: &Runs) -> (Vec<(u64, u16)>, Runs) {
    let high = |start: u128| (start >> 64) as u64;
    let (mut coarse, mut fine) = (Vec::with_capacity(runs.len()), Runs::new());
    let mut at = 0;
    while let Some(&(start, class)) = runs.get(at) {
        let block = high(start);
        let is_block_at = |at: usize, block| runs.get(at).is_some_and(|run| high(run.0) == block);
        if start as u64 == 0 && !is_block_at(at + 1, block) {
            coarse.push((block, class));
            at += 1;
            continue;
        }
        if start as u64 != 0 {
            // Runs begin at 0, so one stands before a start within a /64.
            fine.push((u128::from(block) << 64, runs[at - 1].1));
        }
        while is_block_at(at, block) {
            fine.push(runs[at]);
            at += 1;
        }
        coarse.push((block, SPLIT));
        if let Some(after) = block.checked_add(1).filter(|after| !is_block_at(at, *after)) {
            coarse.push((after, runs[at - 1].1));
        }
    }
    (coarse, fine)
}

/// The length of the largest aligned block around `at` from `first` on, before `beyond`.
fn block_len<T: Address>(at: T, first: T, beyond: Option<T>) -> u8 {
    let before = first.predecessor().map_or(0, |out| at.shared_bits(out) + 1);
    let after = beyond.map_or(0, |out| at.shared_bits(out) + 1);
    before.max(after) as u8
}

trait Address: Copy {
    fn predecessor(self) -> Option<Self>;
    fn shared_bits(self, other: Self) -> u32;
}

impl Address for u32 {
    fn predecessor(self) -> Option<u32> {
        self.checked_sub(1)
    }

    fn shared_bits(self, other: u32) -> u32 {
        (self ^ other).leading_zeros()
    }
}

impl Address for u64 {
    fn predecessor(self) -> Option<u64> {
        self.checked_sub(1)
    }

    fn shared_bits(self, other: u64) -> u32 {
        (self ^ other).leading_zeros()
    }
}

#[cfg(test)]
mod tests;
