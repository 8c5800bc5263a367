//! Runs of addresses as bytes: small before they are deflated, and quick to read.
//!
//! A run is a length and an item. A length is an odd number shifted left: one byte holds the shift
//! and the odd number where that is small. An item is how many others were met since it was met
//! last, in one byte; an item not met for long is written out. Each kind of byte stands with its
//! like, since they deflate better so.

/// Adds `runs` of starts and items. The first starts at 0; the last one's length is not told.
pub(super) fn put_runs(out: &mut Vec<u8>, runs: &[(u64, u32)]) {
    let (mut lengths, mut long) = (Vec::new(), Vec::new());
    for pair in runs.windows(2) {
        let length = pair[1].0 - pair[0].0;
        let shift = length.trailing_zeros();
        let odd = length >> shift >> 1;
        lengths.push((shift as u8) << 2 | odd.min(LONG) as u8);
        if odd >= LONG {
            put_number(&mut long, odd - LONG);
        }
    }
    let (mut ranks, mut far) = (Vec::new(), Vec::new());
    let mut recent = Recent::default();
    for (_, item) in runs {
        let rank = recent.rank(*item);
        ranks.push(rank);
        if rank == FAR {
            put_number(&mut far, u64::from(*item));
        }
    }
    put_number(out, runs.len() as u64);
    for part in [lengths, long, ranks, far] {
        put_number(out, part.len() as u64);
        out.extend(part);
    }
}

/// Adds a number: seven bits a byte, the lowest first.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Adds a text, its length first.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// What is left to read; nothing beyond its end, ever.
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let count = self.count()?;
        String::from_utf8(self.bytes(count)?.to_vec()).ok()
    }

    /// What [`put_runs`] wrote, to be read run by run. Starts stay below `end`, items below
    /// `item_count`.
    pub(super) fn runs(&mut self, end: u64, item_count: u32) -> Option<Unpacked<'a>> {
        let count = self.count()?;
        let mut part = || {
            let count = self.count()?;
            self.bytes(count)
        };
        let (lengths, long, ranks, far) = (part()?, Cursor(part()?), part()?, Cursor(part()?));
        let is_sound = lengths.len().checked_add(1)? == count && ranks.len() == count;
        let (lengths, ranks) = (lengths.iter(), ranks.iter());
        let recent = Recent::default();
        let start = 0;
        is_sound.then_some(Unpacked { lengths, long, ranks, far, recent, start, end, item_count })
    }
}

/// Runs while they are read. Nothing more comes where the bytes are none of ours.
pub(super) struct Unpacked<'a> {
    lengths: std::slice::Iter<'a, u8>,
    long: Cursor<'a>,
    ranks: std::slice::Iter<'a, u8>,
    far: Cursor<'a>,
    recent: Recent,
    /// Where the next run starts.
    start: u64,
    end: u64,
    item_count: u32,
}

impl Unpacked<'_> {
    /// Whether all is read, and was as it should be.
    pub(super) fn is_done(&self) -> bool {
        let rest = [self.long.0, self.far.0, self.ranks.as_slice(), self.lengths.as_slice()];
        rest.iter().all(|part| part.is_empty()) && self.start < self.end
    }

    fn item(&mut self) -> Option<u32> {
        let rank = *self.ranks.as_slice().first()?;
        let item = match rank {
            FAR => self.recent.meet(self.far.number()?.try_into().ok()?),
            rank => self.recent.meet_again(rank)?,
        };
        (item < self.item_count && self.start < self.end).then_some(item)
    }

    fn length(&mut self) -> Option<u64> {
        let Some(&length) = self.lengths.next() else { return Some(0) };
        let mut odd = u64::from(length) & LONG;
        if odd == LONG {
            odd = odd.checked_add(self.long.number()?)?;
        }
        odd.checked_mul(2)?.checked_add(1)?.checked_mul(1 << (length >> 2))
    }
}

impl Iterator for Unpacked<'_> {
    type Item = (u64, u32);

    fn next(&mut self) -> Option<(u64, u32)> {
        let (start, item) = (self.start, self.item()?);
        self.ranks.next();
        // Beyond the end, where nothing more is read.
        self.start = self.length().and_then(|length| start.checked_add(length)).unwrap_or(u64::MAX);
        Some((start, item))
    }
}

/// The lowest odd number, halved, that does not fit into two bits.
const LONG: u64 = 3;
/// The rank of an item that is not among the recent ones.
const FAR: u8 = u8::MAX;

/// The items met last, the latest first; as many as one byte counts.
#[derive(Default)]
struct Recent(Vec<u32>);

impl Recent {
    fn rank(&mut self, item: u32) -> u8 {
        match self.0.iter().position(|it| *it == item) {
            Some(rank) => {
                self.meet_again(rank as u8);
                rank as u8
            }
            None => {
                self.meet(item);
                FAR
            }
        }
    }

    fn meet(&mut self, item: u32) -> u32 {
        self.0.truncate(usize::from(FAR) - 1);
        self.0.insert(0, item);
        item
    }

    fn meet_again(&mut self, rank: u8) -> Option<u32> {
        let rank = usize::from(rank);
        let item = *self.0.get(rank)?;
        self.0.copy_within(..rank, 1);
        if let Some(latest) = self.0.first_mut() {
            *latest = item;
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], end: u64) -> Option<Vec<(u64, u32)>> {
        let mut cursor = Cursor(bytes);
        let mut runs = cursor.runs(end, 100_000)?;
        let read = runs.by_ref().collect();
        (runs.is_done() && cursor.0.is_empty()).then_some(read)
    }

    #[test]
    fn runs_are_read_as_they_were_written() {
        let many = (0..2000u64).map(|at| (at * at * 3, (at % 700) as u32));
        for runs in [
            vec![(0, 0)],
            vec![(0, 7), (1, 8), (4, 7), (1 << 40, 70_000)],
            vec![(0, 1), (5, 2), (12, 1), (12 + (9 << 20), 3)],
            many.collect(),
        ] {
            let mut bytes = Vec::new();
            put_runs(&mut bytes, &runs);
            assert_eq!(read(&bytes, 1 << 48), Some(runs));
        }
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        let mut bytes = Vec::new();
        put_runs(&mut bytes, &[(0, 1), (5, 2), (12, 1)]);
        assert_eq!(read(&bytes, 12), None, "beyond the end");
        for len in 0..bytes.len() {
            assert_eq!(read(&bytes[..len], 1 << 48), None, "{len}");
        }
        let mut far = Vec::new();
        put_runs(&mut far, &[(0, 1), (5, 100_000)]);
        assert_eq!(read(&far, 1 << 48), None, "no such item");
        // A length of 1 << 63, twice.
        assert_eq!(read(&[3, 2, 252, 252, 0, 3, 255, 0, 1, 2, 1, 2], u64::MAX), None);
    }
}
