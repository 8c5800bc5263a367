//! Two divisions of the address space laid over each other: how much of each country has which pair of classes.
//!
//! Every address counts, none is sampled: the runs of both range tables and of the world are walked once, side by side.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::geo::{Basis, Place, Ranges, Weights, World};
use crate::number::ClassId;

use super::extent::{Extent, Range};
use super::lanes::{class_at, classes, place_at, places, walk};

/// Ranges of one cell that are remembered, for who wants to name them: one more than is ever told.
const RANGE_COUNT_MAX: usize = 9;

/// A country's ISO code; none for addresses whose country is unknown.
pub type Country = Option<[u8; 2]>;
/// The part of an ISO 3166-2 code after the hyphen, padded with zero; none where it is unknown.
pub type Subdivision = Option<[u8; 3]>;

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
        walk([places(world), classes(old), classes(new)], |range, [place, old, new]| {
            // Addresses that embed IPv4 have the classes of these, and count once.
            let Some((old, new)) = class_at(old).zip(class_at(new)) else { return };
            let place = place_at(place);
            let factor = factors.get(place.0 as usize).copied().unwrap_or(0.0);
            overlap.add(world.place(place).country, range, factor, (old, new));
        });
        overlap
    }

    fn add(&mut self, country: Country, range: Range, factor: f64, (old, new): (ClassId, ClassId)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{PlaceId, Position, Prefix};

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
}
