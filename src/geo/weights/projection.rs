//! What a class of clients is made of: the areas that its addresses are announced in.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::number::ClassId;

use super::super::ranges::Ranges;
use super::super::sweep::{LAST_V4, LAST_V6};
use super::super::world::World;
use super::area::{Area, Areas, walk};

/// For each class of one range table, its areas and the share of its addresses that each has.
///
/// Only announced addresses count, those whose country is known: space that nobody uses asks nothing. A class in which no
/// country is known is all of the unknown area. IPv4 decides where the class has any, for how IPv6 is handed out says little
/// of how many clients there are.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// By class. Invariant shares-sum-to-one: where there are any.
    classes: Vec<Vec<(Area, f64)>>,
}

impl Projection {
    /// Lays the classes of `ranges` over the places of `world`: two passes over both at most.
    pub fn of(world: &World, ranges: &Ranges) -> Projection {
        let areas = Areas::of(world);
        let mut sums: Sums = HashMap::default();
        let mut classes: Vec<Family> = Vec::new();
        let mut add = |place, class: ClassId, count, family| {
            let index = usize::from(class.0);
            if classes.len() <= index {
                classes.resize(index + 1, Family::None);
            }
            let area = areas.index(place);
            if area == 0 {
                return;
            }
            if let Some(decides) = classes.get_mut(index) {
                if *decides == Family::None {
                    *decides = family;
                }
                if *decides == family {
                    *sums.entry((class, area)).or_default() += count;
                }
            }
        };
        let v4 = ranges.runs_v4().map(|(start, class)| (start, Some(class)));
        walk(world.runs_v4(), v4, LAST_V4, |place, class, count| {
            add(place, class, count, Family::V4);
        });
        walk(world.runs_v6(), ranges.runs_v6(), LAST_V6, |place, class, count| {
            add(place, class, count, Family::V6);
        });
        Projection { classes: shares(&areas, sums, classes.len()) }
    }

    /// The areas of a class with their shares, which sum to 1.
    pub fn shares(&self, class: ClassId) -> impl Iterator<Item = (Area, f64)> {
        let known = self.classes.get(usize::from(class.0)).filter(|shares| !shares.is_empty());
        let unknown = known.is_none().then_some((Area::default(), 1.0));
        known.into_iter().flatten().copied().chain(unknown)
    }
}

/// Addresses by class and area.
type Sums = HashMap<(ClassId, usize), f64, FixedState>;

/// Whose addresses decide what a class is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    None,
    V4,
    V6,
}

fn shares(areas: &Areas, sums: Sums, class_count: usize) -> Vec<Vec<(Area, f64)>> {
    let mut classes: Vec<Vec<(Area, f64)>> = vec![Vec::new(); class_count];
    for ((class, area), count) in sums {
        let area = areas.list.get(area).copied().unwrap_or_default();
        if let Some(shares) = classes.get_mut(usize::from(class.0)) {
            shares.push((area, count));
        }
    }
    for shares in &mut classes {
        // In one order, so that sums of floats come out the same.
        shares.sort_unstable_by_key(|(area, _)| *area);
        shares.shrink_to_fit();
        let whole: f64 = shares.iter().map(|(_, count)| count).sum();
        shares.iter_mut().for_each(|(_, count)| *count /= whole);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Place, PlaceId, Prefix};

    fn world() -> World {
        let place = |country: &[u8; 2], subdivision: Option<[u8; 3]>| Place {
            country: Some(*country),
            subdivision,
            ..Place::default()
        };
        let places = vec![
            Place::default(),
            place(b"NL", None),
            place(b"US", Some(*b"CA\0")),
            place(b"US", None),
        ];
        let v4 = [(0, 0), (10 << 24, 1), (11 << 24, 2), (14 << 24, 3), (15 << 24, 0)];
        let v4 = v4.map(|(start, place)| (start, PlaceId(place)));
        let v6 = [(0, 0), (0x2a00 << 112, 1), (0x2a01 << 112, 2), (0x2a02 << 112, 0)];
        World::of_runs(v4, v6.map(|(start, place)| (start, PlaceId(place))), places)
    }

    fn told(projection: &Projection, class: u16) -> Vec<String> {
        let shares = projection.shares(ClassId(class));
        shares.map(|(area, share)| format!("{area} {share}")).collect()
    }

    #[test]
    fn a_class_is_the_areas_that_its_addresses_are_announced_in() {
        let world = world();
        let cuts = ["0.0.0.0/4", "64.0.0.0/2", "2a00::/15"].map(|cut| Prefix::parse(cut).unwrap());
        let class =
            |_: &Place, held: &[usize]| ClassId(held.first().map_or(0, |it| *it as u16 + 1));
        let ranges = Ranges::compile(&world, &cuts, class);
        let projection = Projection::of(&world, &ranges);
        // Unlisted space in the same class takes nothing from those who are listed.
        assert_eq!(told(&projection, 1), ["NL 0.2", "US 0.2", "US-CA 0.6"]);
        // No country is known, and no class at all.
        for class in [0, 2, 9] {
            assert_eq!(told(&projection, class), ["- 1"], "{class}");
        }
        // IPv6 where there is nothing else.
        assert_eq!(told(&projection, 3), ["NL 0.5", "US-CA 0.5"]);
    }

    #[test]
    fn what_is_counted_is_what_is_projected() {
        let world = World::built_in();
        let class = |place: &Place, _: &[usize]| {
            ClassId(place.country.map_or(0, |[a, b]| 1 + u16::from(a % 7) * 8 + u16::from(b % 8)))
        };
        let ranges = Ranges::compile(&world, &[], class);
        let projection = Projection::of(&world, &ranges);
        for class in 0..64 {
            let whole: f64 = projection.shares(ClassId(class)).map(|(_, share)| share).sum();
            assert!((whole - 1.0).abs() < 1e-12, "{class}: {whole}");
        }
    }
}
