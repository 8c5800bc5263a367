//! Two divisions of the address space laid over each other: how much of each country has which pair of classes.
//!
//! Every address counts, none is sampled: the runs of both range tables and of the world are walked once, side by side.

use std::collections::HashMap;
use std::iter::Peekable;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::FixedState;

use crate::geo::{Basis, Place, PlaceId, Prefix, Ranges, Weights, World};
use crate::number::{ClassId, PrefixLen};

/// Ranges of one cell that are remembered, for who wants to name them: one more than is ever told.
const RANGE_COUNT_MAX: usize = 9;

/// A country's ISO code; none for addresses whose country is unknown.
pub(super) type Country = Option<[u8; 2]>;

/// How many addresses: IPv4 addresses, and IPv6 networks of /64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Extent {
    /// IPv4 addresses.
    pub(super) v4: f64,
    /// IPv6 networks.
    pub(super) v6: f64,
    /// IPv4 addresses, each as much as it weighs; 0 where weights are not known.
    pub(super) weight: f64,
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V4,
    V6,
}

/// A run of addresses, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    version: Version,
    first: u128,
    last: u128,
}

/// Some addresses of one country that had one class and have another.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// How many.
    pub(super) extent: Extent,
    /// The first few runs of them.
    pub(super) ranges: Vec<Range>,
}

/// All addresses, by country, class before, and class after.
#[derive(Debug, Default)]
pub(super) struct Overlap {
    /// The addresses that have both classes.
    pub(super) cells: HashMap<(Country, ClassId, ClassId), Cell, FixedState>,
    /// All addresses of each country.
    pub(super) countries: HashMap<Country, Extent, FixedState>,
}

impl Extent {
    /// Both added.
    pub(super) fn add(&mut self, other: Extent, share: f64) {
        self.v4 += other.v4 * share;
        self.v6 += other.v6 * share;
        self.weight += other.weight * share;
    }
}

impl Overlap {
    /// Lays `old` and `new` over each other. No ranges are one class for all. Countries are those of `world`.
    pub(super) fn of(
        world: &World,
        weights: &Weights,
        old: Option<&Ranges>,
        new: Option<&Ranges>,
    ) -> Overlap {
        let mut overlap = Overlap::default();
        // Announced space is told by addresses already.
        let is_known = weights.basis() != Basis::Announced;
        let factor = |place: &Place| match is_known {
            true => weights.factor(place.country, place.subdivision),
            false => 0.0,
        };
        let factors: Vec<f64> = world.places().iter().map(factor).collect();
        let factor = |place: PlaceId| factors.get(place.0 as usize).copied().unwrap_or(0.0);
        let walk =
            Walk { places: world.runs_v4().peekable(), old: runs_v4(old), new: runs_v4(new) };
        walk.run(u128::from(u32::MAX), |first, last, holds| {
            overlap.add(world, Range { version: Version::V4, first, last }, holds, factor(holds.0));
        });
        let walk =
            Walk { places: world.runs_v6().peekable(), old: runs_v6(old), new: runs_v6(new) };
        walk.run(u128::MAX, |first, last, holds| {
            overlap.add(world, Range { version: Version::V6, first, last }, holds, 0.0);
        });
        overlap
    }

    fn add(&mut self, world: &World, range: Range, (place, old, new): Holds, factor: f64) {
        // Addresses that embed IPv4 have the classes of these, and count once.
        let Some((old, new)) = old.zip(new) else { return };
        let country = world.place(place).country;
        let extent = range.extent();
        let extent = Extent { weight: extent.v4 * factor, ..extent };
        self.countries.entry(country).or_default().add(extent, 1.0);
        let cell = self.cells.entry((country, old, new)).or_default();
        cell.extent.add(extent, 1.0);
        let count = cell.ranges.len();
        match cell.ranges.last_mut().filter(|before| before.is_followed_by(range)) {
            Some(before) => before.last = range.last,
            None if count < RANGE_COUNT_MAX => cell.ranges.push(range),
            None => {}
        }
    }
}

impl Range {
    fn extent(self) -> Extent {
        match self.version {
            Version::V4 => Extent { v4: (self.last - self.first + 1) as f64, ..Extent::default() },
            Version::V6 => {
                let v6 = ((self.last >> 64) - (self.first >> 64) + 1) as f64;
                Extent { v6, ..Extent::default() }
            }
        }
    }

    fn is_followed_by(self, next: Range) -> bool {
        self.version == next.version && self.last.checked_add(1) == Some(next.first)
    }

    /// The prefixes that it is made of; none when there are more than `max`.
    pub(super) fn prefixes(self, max: usize) -> Option<Vec<Prefix>> {
        let bits = if self.version == Version::V4 { 32 } else { 128 };
        let mut prefixes = Vec::new();
        let mut at = self.first;
        loop {
            if prefixes.len() == max {
                return None;
            }
            // The largest block that begins here, by alignment and by what is left.
            let left = (self.last - at).checked_add(1);
            let fits = left.map_or(128, |left| 127 - left.leading_zeros());
            let host_bits = at.trailing_zeros().min(fits).min(bits);
            let address = match self.version {
                Version::V4 => IpAddr::V4(Ipv4Addr::from_bits(at as u32)),
                Version::V6 => IpAddr::V6(Ipv6Addr::from_bits(at)),
            };
            prefixes.push(Prefix::around(address, PrefixLen((bits - host_bits) as u8)));
            let size = 1u128.checked_shl(host_bits);
            match size.and_then(|size| at.checked_add(size)) {
                Some(next) if next <= self.last => at = next,
                _ => return Some(prefixes),
            }
        }
    }
}

/// What holds in a run: the place, the class before, the class after.
type Holds = (PlaceId, Option<ClassId>, Option<ClassId>);

type Runs<'r> = Peekable<Box<dyn Iterator<Item = (u128, Option<ClassId>)> + 'r>>;

fn runs_v4(ranges: Option<&Ranges>) -> Runs<'_> {
    let runs: Box<dyn Iterator<Item = _>> = match ranges {
        Some(ranges) => Box::new(ranges.runs_v4().map(|(start, class)| (start, Some(class)))),
        None => Box::new(std::iter::once((0, Some(ClassId(0))))),
    };
    runs.peekable()
}

fn runs_v6(ranges: Option<&Ranges>) -> Runs<'_> {
    let runs: Box<dyn Iterator<Item = _>> = match ranges {
        Some(ranges) => Box::new(ranges.runs_v6()),
        None => Box::new(std::iter::once((0, Some(ClassId(0))))),
    };
    runs.peekable()
}

/// Three lists of starts, walked together.
struct Walk<'r, P: Iterator> {
    places: Peekable<P>,
    old: Runs<'r>,
    new: Runs<'r>,
}

impl<P: Iterator<Item = (u128, PlaceId)>> Walk<'_, P> {
    /// Calls `each` for every maximal run in which none of the three changes.
    fn run(mut self, last: u128, mut each: impl FnMut(u128, u128, Holds)) {
        let mut holds: Holds = (PlaceId(0), None, None);
        let mut at = 0;
        loop {
            while let Some((_, place)) = self.places.next_if(|it| it.0 <= at) {
                holds.0 = place;
            }
            while let Some((_, class)) = self.old.next_if(|it| it.0 <= at) {
                holds.1 = class;
            }
            while let Some((_, class)) = self.new.next_if(|it| it.0 <= at) {
                holds.2 = class;
            }
            let starts = [
                self.places.peek().map(|it| it.0),
                self.old.peek().map(|it| it.0),
                self.new.peek().map(|it| it.0),
            ];
            match starts.into_iter().flatten().min().filter(|&next| next <= last) {
                Some(next) => {
                    each(at, next - 1, holds);
                    at = next;
                }
                None => return each(at, last, holds),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Position;

    fn world() -> World {
        let country = |code: &[u8; 2]| Place {
            country: Some(*code),
            position: Some(Position::default()),
            ..Place::default()
        };
        let places = vec![Place::default(), country(b"NL"), country(b"SE")];
        let v4 = vec![
            (0, PlaceId(0)),
            (10 << 24, PlaceId(1)),
            (11 << 24, PlaceId(2)),
            (13 << 24, PlaceId(0)),
        ];
        let v6 = vec![(0, PlaceId(0)), (0x2a00 << 112, PlaceId(1)), (0x2a01 << 112, PlaceId(0))];
        World::of_runs(v4, v6, places)
    }

    fn ranges(world: &World, cut: &str, class: u16) -> Ranges {
        let cuts = [Prefix::parse(cut).unwrap()];
        Ranges::compile(world, &cuts, |_, held| ClassId(if held.is_empty() { 0 } else { class }))
    }

    #[test]
    fn every_address_counts_once_by_country_and_classes() {
        let world = world();
        let (old, new) = (ranges(&world, "10.0.0.0/9", 1), ranges(&world, "10.128.0.0/9", 2));
        let weights = Weights::default();
        let overlap = Overlap::of(&world, &weights, Some(&old), Some(&new));
        let v4 = |country: Country, old: u16, new: u16| {
            overlap.cells.get(&(country, ClassId(old), ClassId(new))).map(|cell| cell.extent.v4)
        };
        assert_eq!(v4(Some(*b"NL"), 1, 0), Some(f64::from(1 << 23)));
        assert_eq!(v4(Some(*b"NL"), 0, 2), Some(f64::from(1 << 23)));
        assert_eq!(v4(Some(*b"SE"), 0, 0), Some(f64::from(1 << 25)));
        assert_eq!(v4(Some(*b"NL"), 1, 2), None);
        let all: f64 = overlap.countries.values().map(|extent| extent.v4).sum();
        assert_eq!(all, f64::from(u32::MAX) + 1.0);
        let nl = overlap.countries.get(&Some(*b"NL")).unwrap();
        assert_eq!((nl.v4, nl.v6), (f64::from(1 << 24), (1u64 << 48) as f64));
        let moved = &overlap.cells[&(Some(*b"NL"), ClassId(1), ClassId(0))];
        let told: Vec<String> =
            moved.ranges[0].prefixes(4).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["10.0.0.0/9"]);
    }

    #[test]
    fn a_run_is_cut_into_its_largest_prefixes() {
        let range = |first: &str, last: &str| {
            let bits = |text: &str| match text.parse().unwrap() {
                IpAddr::V4(v4) => (Version::V4, u128::from(v4.to_bits())),
                IpAddr::V6(v6) => (Version::V6, v6.to_bits()),
            };
            let (version, first) = bits(first);
            Range { version, first, last: bits(last).1 }
        };
        for (first, last, expected) in [
            ("0.0.0.0", "255.255.255.255", "0.0.0.0/0"),
            ("192.0.2.1", "192.0.2.4", "192.0.2.1/32 192.0.2.2/31 192.0.2.4/32"),
            ("255.255.255.254", "255.255.255.255", "255.255.255.254/31"),
            ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
            ("2001:db8::", "2001:db8:2:ffff:ffff:ffff:ffff:ffff", "2001:db8::/47 2001:db8:2::/48"),
        ] {
            let prefixes = range(first, last).prefixes(4).unwrap();
            let told: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
            assert_eq!(told.join(" "), expected);
        }
        assert_eq!(range("0.0.0.1", "0.0.0.254").prefixes(4), None);
    }
}
