//! Borders: of the clients of one region, those whose next is another, the ones that lose least by going there foremost.
//!
//! A class of clients holds a stretch of the border between the first two regions of its order. Stretches follow each
//! other by how much farther the second region is, and are as long as the class has addresses. What is shed is the
//! beginning of the border, so that a larger share only adds to a smaller one.

use std::collections::BTreeMap;

use crate::geo::Extent;

use super::bucket::BUCKET_COUNT;

/// The length of a border.
pub(super) const LENGTH: u32 = 65_536;

/// The stretch of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Where it begins, from 0.
    pub(super) from: u32,
    /// Where it ends; at most [`LENGTH`].
    pub(super) to: u32,
    /// How many addresses it stands for.
    pub(super) weight: u64,
}

/// A class that is to be given its stretch.
pub(super) struct Dweller {
    /// The first two regions of its order.
    pub(super) border: (u16, u16),
    /// How much farther the second is, in metres.
    pub(super) margin: i64,
    pub(super) weight: u64,
}

impl Stretch {
    /// How many buckets of the class are shed where `share` 256ths of the border are.
    pub(super) fn buckets(self, share: u16) -> u16 {
        let end = u32::from(share) * (LENGTH / 256);
        let (whole, length) = (BUCKET_COUNT as u32, self.to - self.from);
        match end {
            0 => 0,
            end if end >= self.to => whole as u16,
            end => (end.saturating_sub(self.from) * whole / length.max(1)) as u16,
        }
    }
}

/// What an extent weighs: its IPv4 addresses, and its IPv6 networks of /32, of which one holder of addresses has one.
pub(super) fn weight(extent: Extent) -> u64 {
    extent.v4.saturating_add(extent.v6 >> 32).max(1)
}

/// The stretch of each class, in the order given; none where there is no second region.
pub(super) fn stretches(dwellers: &[Option<Dweller>]) -> Vec<Option<Stretch>> {
    let mut borders: BTreeMap<(u16, u16), Vec<(i64, usize)>> = BTreeMap::new();
    for (at, dweller) in dwellers.iter().enumerate() {
        if let Some(dweller) = dweller {
            borders.entry(dweller.border).or_default().push((dweller.margin, at));
        }
    }
    let weight = |at: usize| dwellers.get(at).and_then(Option::as_ref).map_or(0, |d| d.weight);
    let mut found = vec![None; dwellers.len()];
    for mut line in borders.into_values() {
        line.sort_unstable();
        let total: u128 = line.iter().map(|&(_, at)| u128::from(weight(at))).sum();
        let place = |sum: u128| (sum * u128::from(LENGTH) / total.max(1)) as u32;
        let mut sum = 0;
        for (_, at) in line {
            let (from, weight) = (place(sum), weight(at));
            sum += u128::from(weight);
            if let Some(stretch) = found.get_mut(at) {
                *stretch = Some(Stretch { from, to: place(sum), weight });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dweller(border: (u16, u16), margin: i64, weight: u64) -> Option<Dweller> {
        Some(Dweller { border, margin, weight })
    }

    #[test]
    fn stretches_follow_each_other_by_what_clients_lose() {
        let all = [
            dweller((0, 1), 900, 100),
            None,
            dweller((0, 1), 100, 300),
            dweller((1, 0), 50, 1),
            dweller((0, 2), 10, 7),
        ];
        let found = stretches(&all);
        let ends = |at: usize| found[at].map(|s| (s.from, s.to));
        assert_eq!(ends(0), Some((49_152, 65_536)));
        assert_eq!(ends(1), None);
        assert_eq!(ends(2), Some((0, 49_152)));
        assert_eq!((ends(3), ends(4)), (Some((0, 65_536)), Some((0, 65_536))));
    }

    #[test]
    fn a_larger_share_only_adds() {
        let line =
            [Stretch { from: 0, to: 300, weight: 1 }, Stretch { from: 300, to: 300, weight: 1 }];
        let line = line.into_iter().chain([Stretch { from: 300, to: 65_536, weight: 1 }]);
        for stretch in line {
            let all: Vec<u16> = (0..=256).map(|share| stretch.buckets(share)).collect();
            assert!(all.is_sorted(), "{stretch:?}");
            assert_eq!((all[0], all[256]), (0, 256), "{stretch:?}");
        }
        assert_eq!(Stretch { from: 0, to: 65_536, weight: 1 }.buckets(77), 77);
    }
}
