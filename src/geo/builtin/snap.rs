//! A world snapped to metros, and how far that is from what its database says.
//!
//! A spot is a country, a first subdivision and a metro. IPv4 is told to /24s, IPv6 to /48s: a
//! block that several spots share has that of most of its addresses. Where the country stays the
//! same, IPv6 subdivisions are told to /47s; where the subdivision does too, metros to /20s of IPv4
//! and /36s of IPv6.

use std::collections::HashMap;

use super::super::gazetteer;
use super::super::place::{Place, PlaceId, Position};
use super::super::world::World;
use super::grain::{Runs, coarsen};
use super::metro::Metros;

/// What the built-in table tells of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    /// The country; None for the unknown spot alone.
    pub country: Option<[u8; 2]>,
    /// Its first subdivision.
    pub subdivision: Option<[u8; 3]>,
    /// The nearest metro. None where the database gives no position.
    pub metro: Option<u16>,
}

/// A world as the built-in table tells it.
pub(super) struct Snapped {
    /// The spots that runs speak of; the first is the unknown one, the others most used first.
    pub spots: Vec<Spot>,
    /// Runs of /24s of IPv4.
    pub v4: Vec<(u64, u32)>,
    /// Runs of /48s of IPv6.
    pub v6: Vec<(u64, u32)>,
}

/// How well a table tells what its database says, for one family.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fidelity {
    /// How many ranges the table holds.
    pub ranges: usize,
    /// The mean distance between the position of an address in the database and in the table, over
    /// all addresses that have one.
    pub error_km: f64,
    /// The same, over ranges of the database: each counts once, however large.
    pub error_km_by_range: f64,
    /// The share of addresses whose country and subdivision are the database's.
    pub exact: f64,
    /// The same, over ranges of the database, each by the part of it for which they are.
    pub exact_by_range: f64,
}

/// IPv4 addresses in a unit of the table.
pub(super) const V4_UNIT: u128 = 1 << 8;
/// IPv6 addresses in a unit of the table.
pub(super) const V6_UNIT: u128 = 1 << 80;

impl Snapped {
    /// Snaps `world` to `metros`, and measures what that loses of IPv4 and of IPv6.
    pub(super) fn of(world: &World, metros: &Metros) -> (Snapped, [Fidelity; 2]) {
        let mut spots = Spots::default();
        let spot_of: Vec<u32> =
            world.places().iter().map(|place| spots.id(spot(place, metros))).collect();
        let runs = |runs: Vec<(u128, PlaceId)>| -> Runs {
            let spots = runs.into_iter().map(|(start, place)| (start, of(&spot_of, place)));
            merged(spots)
        };
        let v4 = spots.coarser(&runs(world.runs_v4().collect()), &V4);
        let v6 = spots.coarser(&runs(world.runs_v6().collect()), &V6);
        let fidelity = [
            measure(world, world.runs_v4(), (&v4, &spots.list), (metros, V4.end)),
            measure(world, world.runs_v6(), (&v6, &spots.list), (metros, V6.end)),
        ];
        (spots.by_use(&v4, &v6), fidelity)
    }
}

/// How one family is told.
struct Family {
    unit: u128,
    subdivision_unit: u128,
    metro_unit: u128,
    /// The number of addresses; of IPv6 of those below 4000::, beyond which none are allocated.
    end: u128,
}

const V4: Family =
    Family { unit: V4_UNIT, subdivision_unit: V4_UNIT, metro_unit: 1 << 12, end: 1 << 32 };
const V6: Family =
    Family { unit: V6_UNIT, subdivision_unit: 1 << 81, metro_unit: 1 << 92, end: 1 << 126 };

#[derive(Default)]
struct Spots {
    list: Vec<Spot>,
    ids: HashMap<Spot, u32>,
}

impl Spots {
    fn id(&mut self, spot: Spot) -> u32 {
        *self.ids.entry(spot).or_insert_with(|| {
            self.list.push(spot);
            self.list.len() as u32 - 1
        })
    }

    fn coarser(&self, runs: &Runs, family: &Family) -> Runs {
        let within = merged(runs.iter().copied().take_while(|run| run.0 < family.end));
        let whole = coarsen(&within, family.unit, family.end, |_| 0);
        let countries = self.kinds(|spot| Spot { country: spot.country, ..Spot::default() });
        let settled = coarsen(&whole, family.metro_unit, family.end, {
            let subdivisions = self.kinds(|spot| Spot { metro: None, ..spot });
            move |spot| of(&subdivisions, PlaceId(spot))
        });
        coarsen(&settled, family.subdivision_unit, family.end, |spot| of(&countries, PlaceId(spot)))
    }

    /// For each spot the first that is alike by `part`.
    fn kinds(&self, part: impl Fn(Spot) -> Spot) -> Vec<u32> {
        let mut kinds: HashMap<Spot, u32> = HashMap::new();
        let spots = self.list.iter().enumerate();
        spots.map(|(id, spot)| *kinds.entry(part(*spot)).or_insert(id as u32)).collect()
    }

    /// The spots that are used, most used first, and runs in units that speak of them so.
    fn by_use(&self, v4: &Runs, v6: &Runs) -> Snapped {
        let mut uses = vec![0u64; self.list.len()];
        for (_, spot) in v4.iter().chain(v6) {
            uses[*spot as usize] += 1;
        }
        let mut order: Vec<usize> = (0..uses.len()).filter(|id| uses[*id] > 0).collect();
        order.sort_by_key(|id| {
            let spot = self.list[*id];
            (spot != Spot::default(), std::cmp::Reverse(uses[*id]), spot)
        });
        if order.first().is_none_or(|first| self.list[*first] != Spot::default()) {
            order.insert(0, 0);
        }
        let mut renamed = vec![0u32; uses.len()];
        for (new, old) in order.iter().enumerate() {
            renamed[*old] = new as u32;
        }
        let units = |runs: &Runs, unit: u128| {
            let runs = runs.iter();
            runs.map(|(start, spot)| ((start / unit) as u64, renamed[*spot as usize])).collect()
        };
        let spots = order.iter().map(|id| self.list[*id]).collect();
        Snapped { spots, v4: units(v4, V4_UNIT), v6: units(v6, V6_UNIT) }
    }
}

/// The spot of a place. A position that only stands in for the country or subdivision is none.
fn spot(place: &Place, metros: &Metros) -> Spot {
    let Some(country) = place.country else { return Spot::default() };
    let metro = known_position(place).and_then(|position| metros.nearest(position));
    Spot {
        country: Some(country),
        subdivision: place.subdivision,
        metro: metro.map(|it| it as u16),
    }
}

fn known_position(place: &Place) -> Option<Position> {
    let stand_in = gazetteer::place_centroid(place.country?, place.subdivision);
    place.position.filter(|position| Some(*position) != stand_in)
}

fn of(list: &[u32], id: PlaceId) -> u32 {
    list.get(id.0 as usize).copied().unwrap_or(0)
}

fn merged(runs: impl Iterator<Item = (u128, u32)>) -> Runs {
    let mut merged = Runs::new();
    runs.for_each(|(start, item)| super::grain::push(&mut merged, start, item));
    merged
}

/// Walks the database's runs and the table's together.
fn measure(
    world: &World,
    exact: impl Iterator<Item = (u128, PlaceId)>,
    (runs, spots): (&Runs, &[Spot]),
    (metros, end): (&Metros, u128),
) -> Fidelity {
    let mut sums = Sums::default();
    let mut exact = exact.take_while(|run| run.0 < end).peekable();
    let mut at = 0;
    let mut distances: HashMap<(PlaceId, u32), Option<f64>> = HashMap::new();
    while let Some((start, id)) = exact.next() {
        let beyond = exact.peek().map_or(end, |next| next.0);
        let place = world.place(id);
        let mut first = start;
        while first < beyond && place.country.is_some() {
            while runs.get(at + 1).is_some_and(|next| next.0 <= first) {
                at += 1;
            }
            let until = runs.get(at + 1).map_or(end, |next| next.0).min(beyond);
            let spot_id = runs.get(at).map_or(0, |run| run.1);
            let spot = spots.get(spot_id as usize).copied().unwrap_or_default();
            let known = (place.country, place.subdivision);
            let distance = *distances.entry((id, spot_id)).or_insert_with(|| {
                let told = told_position(&spot, metros)?;
                Some(f64::from(known_position(place)?.distance_km(told)))
            });
            let weight = (until - first) as f64;
            let part = weight / (beyond - start) as f64;
            sums.add(weight, part, (spot.country, spot.subdivision) == known, distance);
            first = until;
        }
    }
    sums.fidelity(runs.len())
}

/// The position that the table gives for a spot.
fn told_position(spot: &Spot, metros: &Metros) -> Option<Position> {
    match spot.metro {
        Some(metro) => metros.position(usize::from(metro)),
        None => gazetteer::place_centroid(spot.country?, spot.subdivision),
    }
}

/// Sums over addresses, and over ranges.
#[derive(Default)]
struct Sums {
    weight: [f64; 2],
    exact: [f64; 2],
    placed: [f64; 2],
    distance: [f64; 2],
}

impl Sums {
    fn add(&mut self, addresses: f64, range: f64, is_exact: bool, distance: Option<f64>) {
        for (at, weight) in [addresses, range].into_iter().enumerate() {
            self.weight[at] += weight;
            self.exact[at] += if is_exact { weight } else { 0.0 };
            if let Some(distance) = distance {
                self.placed[at] += weight;
                self.distance[at] += weight * distance;
            }
        }
    }

    fn fidelity(&self, ranges: usize) -> Fidelity {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Fidelity {
            ranges,
            error_km: share(self.distance[0], self.placed[0]),
            error_km_by_range: share(self.distance[1], self.placed[1]),
            exact: share(self.exact[0], self.weight[0]),
            exact_by_range: share(self.exact[1], self.weight[1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(country: &[u8; 2], subdivision: &str, at: Option<(f32, f32)>) -> Place {
        let subdivision = gazetteer::padded(subdivision).filter(|it| *it != gazetteer::WHOLE);
        let position = at.map(|(latitude, longitude)| Position { latitude, longitude });
        let position = position.or_else(|| gazetteer::place_centroid(*country, subdivision));
        Place { country: Some(*country), subdivision, position, ..Place::default() }
    }

    #[test]
    fn countries_and_subdivisions_are_kept_and_positions_snapped() {
        let places = vec![
            Place::default(),
            place(b"NL", "NH", Some((52.37, 4.9))),
            place(b"NL", "NH", Some((52.38, 4.91))),
            place(b"BE", "", None),
        ];
        let v4 = [(0, 0), (193 << 24, 1), ((193 << 24) + 512, 2), (194 << 24, 3), (195 << 24, 0)];
        let v6 = [(0, 0), (0x2001_067c << 96, 1), (0x2001_067d << 96, 0)];
        let world = World::of_runs(
            v4.map(|(start, id)| (start, PlaceId(id))),
            v6.map(|(start, id)| (start, PlaceId(id))),
            places,
        );
        let (snapped, [v4, v6]) = Snapped::of(&world, &Metros::listed());
        let spots: Vec<Spot> =
            snapped.v4.iter().map(|(_, spot)| snapped.spots[*spot as usize]).collect();
        assert_eq!(spots[0], Spot::default());
        assert_eq!((spots[1].country, spots[1].subdivision), (Some(*b"NL"), Some(*b"NH\0")));
        assert!(spots[1].metro.is_some());
        let belgium = Spot { country: Some(*b"BE"), ..Spot::default() };
        assert_eq!(spots[2..], [belgium, Spot::default()]);
        assert_eq!(snapped.v4[1].0, 193 << 16);
        assert_eq!((v4.ranges, v6.ranges), (4, 3));
        assert_eq!((v4.exact, v6.exact_by_range), (1.0, 1.0));
        assert!(v4.error_km > 0.0 && v4.error_km < 60.0, "{}", v4.error_km);
    }
}
