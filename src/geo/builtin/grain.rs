//! Runs of places made coarser, so that a table stays small: within each unit of addresses one
//! place stands for those that are alike.

use std::collections::BTreeMap;

/// Where runs begin, in order, and what holds from there on. The first starts at 0.
pub(super) type Runs = Vec<(u128, u32)>;

/// Makes `runs` of addresses up to `end` coarser. Within each unit of `unit` addresses, ranges of
/// one `kind` all take the item of that kind that the most addresses have, the lower one of two.
/// What fills a whole unit stays as it is.
pub(super) fn coarsen(runs: &Runs, unit: u128, end: u128, kind: impl Fn(u32) -> u32) -> Runs {
    let mut out = Runs::new();
    let mut parts: Vec<Part> = Vec::new();
    for (at, &(start, item)) in runs.iter().enumerate() {
        let beyond = runs.get(at + 1).map_or(end, |next| next.0);
        let mut first = start;
        if !first.is_multiple_of(unit) {
            let head = beyond.min((first / unit + 1) * unit);
            parts.push(Part { first, beyond: head, item });
            first = head;
            if head.is_multiple_of(unit) {
                settle(&mut parts, &kind, &mut out);
            }
        }
        let whole = beyond / unit * unit;
        if first < whole {
            push(&mut out, first, item);
            first = whole;
        }
        if first < beyond {
            parts.push(Part { first, beyond, item });
        }
    }
    settle(&mut parts, &kind, &mut out);
    out
}

/// Adds a run, unless it continues the last one.
pub(super) fn push(runs: &mut Runs, start: u128, item: u32) {
    if runs.last().is_none_or(|last| last.1 != item) {
        runs.push((start, item));
    }
}

/// A range that fills no unit.
struct Part {
    first: u128,
    beyond: u128,
    item: u32,
}

/// Decides on the parts of one unit.
fn settle(parts: &mut Vec<Part>, kind: &impl Fn(u32) -> u32, out: &mut Runs) {
    let mut counts: BTreeMap<u32, u128> = BTreeMap::new();
    for part in parts.iter() {
        *counts.entry(part.item).or_default() += part.beyond - part.first;
    }
    let mut most: BTreeMap<u32, (u128, u32)> = BTreeMap::new();
    for (item, count) in counts {
        let best = most.entry(kind(item)).or_insert((count, item));
        if count > best.0 {
            *best = (count, item);
        }
    }
    for part in parts.drain(..) {
        push(out, part.first, most.get(&kind(part.item)).map_or(part.item, |best| best.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_unit_most_addresses_decide() {
        // Items 1 and 2 are of one kind, 11 of another.
        let kind = |item: u32| item / 10;
        for (runs, expected) in [
            // Whole units stay.
            (&[(0, 1), (4, 2), (12, 1)][..], &[(0, 1), (4, 2), (12, 1)][..]),
            (&[(0, 1), (5, 2)], &[(0, 1), (4, 2)]),
            (&[(0, 1), (5, 2), (6, 1)], &[(0, 1)]),
            // The other kind keeps its addresses.
            (&[(0, 1), (5, 11), (6, 2), (7, 1)], &[(0, 1), (5, 11), (6, 1)]),
            (&[(0, 2), (4, 1), (6, 2), (12, 11)], &[(0, 2), (4, 1), (8, 2), (12, 11)]),
            (&[(0, 1), (15, 2)], &[(0, 1)]),
        ] {
            assert_eq!(coarsen(&runs.to_vec(), 4, 16, kind), expected, "{runs:?}");
        }
    }
}
