//! Order for what mostly is in order, as names in zone files are: those few that stand out of it are put where they
//! belong, which takes little more than one comparison an item.

use std::cmp::Ordering;

/// So many in a row may stand too early, as the name servers do before the hosts; what is before more than that stands
/// too late itself.
const EARLY_MAX: usize = 16;
/// Where more than one in so many stands out of order, all are sorted.
const STRAY_SHARE: usize = 16;

/// Sorts `items`, of which no two are equal.
pub(super) fn sort_nearly<T: Copy>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    // Those up to `kept` are in order; what was taken out from among them is in `strays`.
    let (mut kept, mut strays) = (0, Vec::new());
    for at in 0..items.len() {
        let item = items[at];
        let last = items[..kept].iter().rev().take(EARLY_MAX + 1);
        let early = last.take_while(|known| compare(known, &item).is_gt()).count();
        if early > EARLY_MAX {
            strays.push(item);
            continue;
        }
        strays.extend_from_slice(&items[kept - early..kept]);
        kept -= early;
        items[kept] = item;
        kept += 1;
    }
    if strays.len() > items.len() / STRAY_SHARE {
        items[kept..].copy_from_slice(&strays);
        return items.sort_unstable_by(compare);
    }
    strays.sort_unstable_by(&compare);
    // From the last on, so that each is moved once.
    for (before, stray) in strays.iter().enumerate().rev() {
        let place = items[..kept].partition_point(|item| compare(item, stray).is_lt());
        items.copy_within(place..kept, place + before + 1);
        items[place + before] = *stray;
        kept = place;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// How many comparisons it takes, beside that the order is right.
    fn comparisons(mut items: Vec<u32>) -> usize {
        let (count, mut expected) = (Cell::new(0), items.clone());
        expected.sort_unstable();
        sort_nearly(&mut items, |a, b| {
            count.set(count.get() + 1);
            a.cmp(b)
        });
        assert_eq!(items, expected);
        count.get()
    }

    fn distinct(items: Vec<u32>) -> Vec<u32> {
        let mut seen = std::collections::HashSet::new();
        items.into_iter().filter(|item| seen.insert(*item)).collect()
    }

    proptest! {
        #[test]
        fn whatever_comes_is_put_in_order(items in prop::collection::vec(0u32..500, 0..300)) {
            comparisons(distinct(items));
        }

        #[test]
        fn what_is_in_order_but_for_a_few_costs_one_comparison_an_item(
            len in 500u32..3000,
            strays in prop::collection::vec((0u32..9000, 0usize..500), 0..10),
        ) {
            let mut items: Vec<u32> = (0..len).map(|n| n * 3 + 1).collect();
            let strays: Vec<_> = strays.into_iter().filter(|(item, _)| item % 3 == 0).collect();
            strays.iter().for_each(|&(item, at)| items.insert(at, item));
            let count = items.len();
            let taken = comparisons(distinct(items));
            prop_assert!(taken < count + 20 * 50, "{taken} for {count}");
        }
    }

    #[test]
    fn name_servers_before_the_hosts_and_what_was_added_at_the_end_are_few() {
        let hosts = (0..10_000).map(|n| 100 + n);
        let items: Vec<u32> = (90_000..90_012).chain(hosts).chain([5, 3, 20_000, 7]).collect();
        assert!(comparisons(items) < 10_000 + 500);
    }
}
