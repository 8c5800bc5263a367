//! One pass over sorted ranges with nested prefixes laid over them.

use super::place::PlaceId;

/// The highest IPv4 address, as a number.
pub(super) const LAST_V4: u128 = u32::MAX as u128;
/// The highest IPv6 address, as a number.
pub(super) const LAST_V6: u128 = u128::MAX;

/// A block of addresses laid over ranges. Two spans are apart or nested, as prefixes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The first address.
    pub first: u128,
    /// The last address.
    pub last: u128,
    /// What the owner knows it by.
    pub item: usize,
}

/// Sorts spans as [`sweep`] wants them: by start, the wider first, equal ones in the order of their
/// items.
pub(super) fn sort(spans: &mut [Span]) {
    spans.sort_unstable_by_key(|span| (span.first, !span.last, span.item));
}

/// Walks `base` (sorted starts, the first 0) and `spans` (sorted by [`sort`]) up to `last`, and
/// calls `each` once for each maximal range in which neither changes: its start, its place, and the
/// spans that hold it, widest first.
pub(super) fn sweep(
    base: impl Iterator<Item = (u128, PlaceId)>,
    spans: &[Span],
    last: u128,
    mut each: impl FnMut(u128, PlaceId, &[usize]),
) {
    let mut base = base.peekable();
    let mut spans = spans.iter().peekable();
    let mut open: Vec<Span> = Vec::new();
    let mut items: Vec<usize> = Vec::new();
    let mut place = PlaceId(0);
    let mut at = 0u128;
    loop {
        while open.last().is_some_and(|span| span.last < at) {
            open.pop();
            items.pop();
        }
        while let Some((_, next)) = base.next_if(|&(start, _)| start <= at) {
            place = next;
        }
        while let Some(span) = spans.next_if(|span| span.first <= at) {
            open.push(*span);
            items.push(span.item);
        }
        each(at, place, &items);
        let ends = open.last().and_then(|span| span.last.checked_add(1));
        let starts = spans.peek().map(|span| span.first);
        let changes = base.peek().map(|&(start, _)| start);
        match [ends, starts, changes].into_iter().flatten().min() {
            Some(next) if next <= last => at = next,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_open_and_close_where_they_should() {
        let base = [(0, PlaceId(0)), (16, PlaceId(1)), (64, PlaceId(0))];
        let mut spans = [
            Span { first: 20, last: 23, item: 1 },
            Span { first: 16, last: 31, item: 0 },
            Span { first: 248, last: 255, item: 2 },
            Span { first: 20, last: 20, item: 3 },
        ];
        sort(&mut spans);
        let mut seen = Vec::new();
        sweep(base.into_iter(), &spans, 255, |at, place, items| {
            seen.push((at, place.0, items.to_vec()));
        });
        assert_eq!(
            seen,
            [
                (0, 0, vec![]),
                (16, 1, vec![0]),
                (20, 1, vec![0, 1, 3]),
                (21, 1, vec![0, 1]),
                (24, 1, vec![0]),
                (32, 1, vec![]),
                (64, 0, vec![]),
                (248, 0, vec![2]),
            ]
        );
    }
}
