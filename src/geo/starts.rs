//! Where ranges begin and what holds from there: the addresses of one family, compact.
//!
//! An IPv4 start is its 32 bits, an IPv6 one the upper half of its 128: boundaries within a /64 are rare and stand in a
//! list of their own, as in `ranges`. Keys and places lie apart, so that neither pays for the other's alignment.

use super::place::PlaceId;

/// An address of one family, as the number it is.
pub(super) trait Address: Copy {
    /// What a start of the family is kept as.
    type Key: Key<Address = Self>;
    /// The number.
    fn bits(self) -> u128;
}

impl Address for u32 {
    type Key = u32;

    fn bits(self) -> u128 {
        u128::from(self)
    }
}

impl Address for u128 {
    type Key = u64;

    fn bits(self) -> u128 {
        self
    }
}

/// The part of an address that a start is kept as.
pub(super) trait Key: Copy + Ord {
    /// An address of the family.
    type Address: Address<Key = Self>;
    /// Bits of an address in its family.
    const WIDTH: u32;
    /// The key of the block that holds the address.
    fn of(address: u128) -> Self;
    /// The first address of the key's block.
    fn first(self) -> u128;
}

impl Key for u32 {
    type Address = u32;

    const WIDTH: u32 = 32;

    fn of(address: u128) -> u32 {
        address as u32
    }

    fn first(self) -> u128 {
        u128::from(self)
    }
}

impl Key for u64 {
    type Address = u128;

    const WIDTH: u32 = 128;

    fn of(address: u128) -> u64 {
        (address >> 64) as u64
    }

    fn first(self) -> u128 {
        u128::from(self) << 64
    }
}

/// A whole address space in order: a range ends where the next begins, and the first begins at 0.
#[derive(Clone, Debug)]
pub(super) struct List<K> {
    /// The starts at a key's first address, and the place of each.
    keys: Vec<K>,
    places: Vec<PlaceId>,
    /// All other starts.
    fine: Vec<(u128, PlaceId)>,
}

impl<K: Key> List<K> {
    /// One place everywhere.
    pub(super) fn whole(place: PlaceId) -> List<K> {
        List { keys: vec![K::of(0)], places: vec![place], fine: Vec::new() }
    }

    /// Every start, in order, with the place that holds from there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u128, PlaceId)> + '_ {
        let coarse = self.keys.iter().map(|key| key.first()).zip(self.places.iter().copied());
        let (mut coarse, mut fine) = (coarse.peekable(), self.fine.iter().copied().peekable());
        std::iter::from_fn(move || match (coarse.peek(), fine.peek()) {
            (Some(a), Some(b)) if b.0 < a.0 => fine.next(),
            (Some(_), _) => coarse.next(),
            (None, _) => fine.next(),
        })
    }

    /// Whether nothing is known of any address.
    pub(super) fn is_unknown(&self) -> bool {
        self.len() == 1 && self.places.first() == Some(&PlaceId(0))
    }

    /// The same ranges, each with another place. Places that differ stay different.
    pub(super) fn with_places(mut self, mut other: impl FnMut(PlaceId) -> PlaceId) -> List<K> {
        self.places.iter_mut().for_each(|place| *place = other(*place));
        self.fine.iter_mut().for_each(|(_, place)| *place = other(*place));
        self
    }

    /// A cursor at the first address.
    pub(super) fn cursor(&self) -> Cursor<'_, K> {
        Cursor { list: self, next: (0, 0) }
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len() + self.fine.len()
    }

    /// The place of `address`, where its range begins, and where the next one does.
    pub(super) fn range(&self, address: u128) -> (PlaceId, u128, Option<u128>) {
        let coarse = self.keys.partition_point(|key| key.first() <= address);
        let fine = self.fine.partition_point(|it| it.0 <= address);
        let last = [self.coarse(coarse.wrapping_sub(1)), self.fine(fine.wrapping_sub(1))];
        let next = [self.coarse(coarse), self.fine(fine)];
        let last = last.into_iter().flatten().max_by_key(|it| it.0);
        let (first, place) = last.unwrap_or((0, PlaceId(0)));
        (place, first, next.into_iter().flatten().map(|it| it.0).min())
    }

    fn coarse(&self, at: usize) -> Option<(u128, PlaceId)> {
        Some((self.keys.get(at)?.first(), *self.places.get(at)?))
    }

    fn fine(&self, at: usize) -> Option<(u128, PlaceId)> {
        self.fine.get(at).copied()
    }

    fn last(&self) -> Option<(u128, PlaceId)> {
        let coarse = self.coarse(self.keys.len().wrapping_sub(1));
        [coarse, self.fine.last().copied()].into_iter().flatten().max_by_key(|it| it.0)
    }

    fn add(&mut self, start: u128, place: PlaceId) {
        let key = K::of(start);
        if key.first() == start {
            self.keys.push(key);
            self.places.push(place);
        } else {
            self.fine.push((start, place));
        }
    }

    fn take_last(&mut self, start: u128) {
        if K::of(start).first() == start {
            self.keys.pop();
            self.places.pop();
        } else {
            self.fine.pop();
        }
    }
}

/// A place in a list, for who goes through it from the first address on.
pub(super) struct Cursor<'l, K> {
    list: &'l List<K>,
    /// The first key, and the first fine start, beyond what was looked at.
    next: (usize, usize),
}

impl<K: Key> Cursor<'_, K> {
    /// Goes on to `address`, and gives the place that holds there.
    fn seek(&mut self, address: u128) -> PlaceId {
        self.next.0 = gallop(&self.list.keys, self.next.0, |key| key.first() <= address);
        self.next.1 = gallop(&self.list.fine, self.next.1, |it| it.0 <= address);
        let coarse = self.list.coarse(self.next.0.wrapping_sub(1));
        let fine = self.list.fine(self.next.1.wrapping_sub(1));
        let last = [coarse, fine].into_iter().flatten().max_by_key(|it| it.0);
        last.map_or(PlaceId(0), |it| it.1)
    }

    /// Calls `each` with what begins from `first` to `last`, in order; with what holds at `first`, too.
    pub(super) fn runs(&mut self, first: u128, last: u128, mut each: impl FnMut(u128, PlaceId)) {
        each(first, self.seek(first));
        loop {
            let coarse = self.list.coarse(self.next.0).filter(|it| it.0 <= last);
            let fine = self.list.fine(self.next.1).filter(|it| it.0 <= last);
            let is_fine = fine.is_some_and(|fine| coarse.is_none_or(|coarse| fine.0 < coarse.0));
            let Some((start, place)) = (if is_fine { fine } else { coarse }) else { return };
            each(start, place);
            let next = if is_fine { &mut self.next.1 } else { &mut self.next.0 };
            *next += 1;
        }
    }
}

/// How many of `sorted` meet `holds`, where the first `from` are known to: found in steps that double, for the answer is
/// mostly near.
fn gallop<T>(sorted: &[T], from: usize, holds: impl Fn(&T) -> bool) -> usize {
    let mut step = 1;
    while sorted.get(from + step - 1).is_some_and(&holds) {
        step *= 2;
    }
    let from = from + step / 2;
    let rest = sorted.get(from..sorted.len().min(from + step)).unwrap_or_default();
    from + rest.partition_point(holds)
}

/// Ranges of one family while they are gathered in order: neighbours of one place become one range.
pub(super) struct Starts<A: Address> {
    list: List<A::Key>,
    /// The last range, which every new one is held against.
    last: Option<(u128, PlaceId)>,
}

impl<A: Address> Starts<A> {
    /// Nothing is known yet.
    pub(super) fn new() -> Starts<A> {
        Starts { list: List::whole(PlaceId(0)), last: Some((0, PlaceId(0))) }
    }

    /// From `start` on, `place` holds. Starts never go back; of two equal ones the later counts.
    pub(super) fn push(&mut self, start: A, place: PlaceId) {
        self.push_bits(start.bits(), place);
    }

    /// The same with the address as the number it is.
    pub(super) fn push_bits(&mut self, start: u128, place: PlaceId) {
        if self.last.is_some_and(|last| last.0 == start) {
            self.list.take_last(start);
            self.last = self.list.last();
        }
        if self.last.is_none_or(|last| last.1 != place) {
            self.list.add(start, place);
            self.last = Some((start, place));
        }
    }

    /// The ranges, in no more memory than they need.
    pub(super) fn into_list(mut self) -> List<A::Key> {
        self.list.keys.shrink_to_fit();
        self.list.places.shrink_to_fit();
        self.list.fine.shrink_to_fit();
        self.list
    }
}
