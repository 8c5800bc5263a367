//! All that is known of addresses: ranges of addresses to places, from a database, the overrides,
//! or the built-in table.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::number::PrefixLen;

use super::gazetteer;
use super::place::{Place, PlaceId};
use super::prefix::{embedded_v4, embedding_blocks, special_blocks};
use super::sweep::{self, LAST_V4, LAST_V6, Span, sweep};

/// Where the knowledge came from, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What serves: a path such as `geo/GeoLite2-City.mmdb`, or
    /// `built-in (dbip-city, 300 metros)`.
    pub name: String,
    /// The licence, where known.
    pub licence: String,
    /// When it was built, in seconds of the Unix epoch; 0 when unknown.
    pub built_epoch_secs: u64,
    /// How many networks it lists.
    pub networks: usize,
}

/// Addresses to places. Both lists are sorted by start, begin at 0, and cover the whole address
/// space: a range ends where the next begins. Place 0 is the unknown place.
#[derive(Clone, Debug)]
pub struct World {
    /// Starts of IPv4 ranges.
    pub(super) v4: Vec<(u32, PlaceId)>,
    /// Starts of IPv6 ranges. IPv4-embedding prefixes are not in it: they are looked up as IPv4.
    pub(super) v6: Vec<(u128, PlaceId)>,
    /// The places.
    pub(super) places: Vec<Place>,
    /// Where all this came from, strongest first.
    pub sources: Vec<Source>,
}

impl World {
    /// Nothing is known of any address.
    pub fn unknown() -> World {
        World {
            v4: vec![(0, PlaceId(0))],
            v6: vec![(0, PlaceId(0))],
            places: vec![Place::default()],
            sources: Vec::new(),
        }
    }

    /// A world of ranges, each given by its start, in order. The first of `places` is the unknown place.
    pub fn of_runs(
        v4: impl IntoIterator<Item = (u32, PlaceId)>,
        v6: impl IntoIterator<Item = (u128, PlaceId)>,
        places: Vec<Place>,
    ) -> World {
        let (mut starts_v4, mut starts_v6) = (Starts::new(), Starts::new());
        v4.into_iter().for_each(|(start, place)| starts_v4.push(start, place));
        v6.into_iter().for_each(|(start, place)| starts_v6.push(start, place));
        World { v4: starts_v4.0, v6: starts_v6.0, places, sources: Vec::new() }
    }

    /// The whole IPv4 space: where each place begins. The first starts at 0.
    pub fn runs_v4(&self) -> impl Iterator<Item = (u128, PlaceId)> + '_ {
        wide(&self.v4)
    }

    /// The whole IPv6 space: where each place begins. The first starts at 0.
    pub fn runs_v6(&self) -> impl Iterator<Item = (u128, PlaceId)> + '_ {
        self.v6.iter().copied()
    }

    /// All places; a [`PlaceId`] indexes them, and the first is the unknown place.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// What is known of `address`, and the shortest prefix around it of which the same is known.
    /// IPv6 forms of IPv4 are looked up as IPv4, the length shifted by where the IPv4 address
    /// stands.
    pub fn lookup(&self, address: IpAddr) -> (&Place, PrefixLen) {
        let (id, len) = match (address, embedded_v4(address)) {
            (IpAddr::V4(v4), _) => find_v4(&self.v4, v4.to_bits()),
            (_, Some((v4, shift))) => {
                let (id, len) = find_v4(&self.v4, v4.to_bits());
                (id, len + shift)
            }
            (IpAddr::V6(v6), None) => find_v6(&self.v6, v6.to_bits()),
        };
        (self.place(id), PrefixLen(len))
    }

    /// The place that `id` stands for; the unknown place for an id of another world.
    pub fn place(&self, id: PlaceId) -> &Place {
        static UNKNOWN: Place = Place {
            continent: None,
            country: None,
            subdivision: None,
            position: None,
            asn: None,
            region: None,
        };
        self.places.get(id.0 as usize).unwrap_or(&UNKNOWN)
    }

    /// The most specific knowledge of all `worlds`: for each address the place known in most
    /// detail, the earlier one where two are equal, and the first known autonomous system beside
    /// it. Sources are kept in the order given.
    pub fn merge(worlds: Vec<World>) -> World {
        let mut sources = Vec::new();
        let merged = worlds.into_iter().reduce(|strong, weak| {
            let world = merge_two(&strong, &weak);
            sources.extend([strong.sources, weak.sources].concat());
            World { sources: std::mem::take(&mut sources), ..world }
        });
        merged.unwrap_or_else(World::unknown)
    }
}

/// Places by id, each once; the unknown place is there from the start.
#[derive(Default)]
pub(super) struct Places {
    list: Vec<Place>,
    ids: HashMap<PlaceKey, PlaceId>,
}

type PlaceKey = (
    Option<[u8; 2]>,
    Option<[u8; 2]>,
    Option<[u8; 3]>,
    Option<(u32, u32)>,
    Option<u32>,
    Option<u16>,
);

impl Places {
    pub(super) fn new() -> Places {
        let mut places = Places::default();
        places.id(Place::default());
        places
    }

    pub(super) fn id(&mut self, place: Place) -> PlaceId {
        let key = (
            place.continent,
            place.country,
            place.subdivision,
            place.position.map(|p| (p.latitude.to_bits(), p.longitude.to_bits())),
            place.asn,
            place.region.map(|region| region.0),
        );
        *self.ids.entry(key).or_insert_with(|| {
            self.list.push(place);
            PlaceId(u32::try_from(self.list.len() - 1).unwrap_or(0))
        })
    }

    pub(super) fn into_list(self) -> Vec<Place> {
        self.list
    }
}

/// Ranges of one family while they are gathered in order: neighbours of one place become one range.
pub(super) struct Starts<T>(pub Vec<(T, PlaceId)>);

impl<T: Copy + PartialEq + Default> Starts<T> {
    pub(super) fn new() -> Starts<T> {
        Starts(vec![(T::default(), PlaceId(0))])
    }

    /// From `start` on, `place` holds. Starts never go back.
    pub(super) fn push(&mut self, start: T, place: PlaceId) {
        if self.0.last().is_some_and(|last| last.0 == start) {
            self.0.pop();
        }
        if self.0.last().is_none_or(|last| last.1 != place) {
            self.0.push((start, place));
        }
    }
}

/// The same IPv6 ranges with the blocks that embed IPv4 unknown.
pub(super) fn without_embedded(v6: Vec<(u128, PlaceId)>) -> Vec<(u128, PlaceId)> {
    let mut starts = Starts::new();
    sweep(v6.into_iter(), &embedding_spans(), LAST_V6, |start, place, spans| {
        starts.push(start, if spans.is_empty() { place } else { PlaceId(0) });
    });
    starts.0
}

/// The same ranges of both families with special-purpose addresses unknown, and what embeds IPv4.
pub(super) fn without_special(world: World) -> World {
    let (mut spans_v4, mut spans_v6) = (Vec::new(), embedding_spans());
    for block in special_blocks() {
        let (first, last) = block.bounds();
        let spans = if block.address.is_ipv4() { &mut spans_v4 } else { &mut spans_v6 };
        spans.push(Span { first, last, item: 0 });
    }
    sweep::sort(&mut spans_v4);
    sweep::sort(&mut spans_v6);
    let (mut v4, mut v6) = (Starts::new(), Starts::new());
    sweep(wide(&world.v4), &spans_v4, LAST_V4, |start, place, spans| {
        v4.push(start.min(LAST_V4) as u32, if spans.is_empty() { place } else { PlaceId(0) });
    });
    sweep(world.v6.into_iter(), &spans_v6, LAST_V6, |start, place, spans| {
        v6.push(start, if spans.is_empty() { place } else { PlaceId(0) });
    });
    World { v4: v4.0, v6: v6.0, ..world }
}

fn embedding_spans() -> Vec<Span> {
    let blocks = embedding_blocks().into_iter();
    blocks.map(|(first, last)| Span { first, last, item: 0 }).collect()
}

pub(super) fn wide(v4: &[(u32, PlaceId)]) -> impl Iterator<Item = (u128, PlaceId)> {
    v4.iter().map(|&(start, place)| (u128::from(start), place))
}

fn merge_two(strong: &World, weak: &World) -> World {
    let mut blend = Blend { strong, weak, places: Places::new(), known: HashMap::new() };
    let mut v4 = Starts::new();
    let pairs = Pairs::new(wide(&strong.v4), wide(&weak.v4));
    pairs.for_each(|(start, a, b)| v4.push(start.min(LAST_V4) as u32, blend.of(a, b)));
    let mut v6 = Starts::new();
    let pairs = Pairs::new(strong.v6.iter().copied(), weak.v6.iter().copied());
    pairs.for_each(|(start, a, b)| v6.push(start, blend.of(a, b)));
    World { v4: v4.0, v6: v6.0, places: blend.places.into_list(), sources: Vec::new() }
}

struct Blend<'w> {
    strong: &'w World,
    weak: &'w World,
    places: Places,
    known: HashMap<(PlaceId, PlaceId), PlaceId>,
}

impl Blend<'_> {
    fn of(&mut self, a: PlaceId, b: PlaceId) -> PlaceId {
        *self.known.entry((a, b)).or_insert_with(|| {
            let (strong, weak) = (self.strong.place(a), self.weak.place(b));
            let best = if detail(weak) > detail(strong) { weak } else { strong };
            let asn = strong.asn.or(weak.asn);
            self.places.id(Place { asn, ..best.clone() })
        })
    }
}

/// How closely a place is known. A position that only stands in for its country or subdivision adds
/// nothing.
fn detail(place: &Place) -> u8 {
    let stand_in = place.country.and_then(|c| gazetteer::place_centroid(c, place.subdivision));
    match place {
        Place { position: Some(_), .. } if place.position != stand_in => 4,
        Place { subdivision: Some(_), .. } => 3,
        Place { country: Some(_), .. } => 2,
        Place { continent: Some(_), .. } => 1,
        _ => 0,
    }
}

/// Two lists of starts walked together: each start of either, with the places that hold from there.
struct Pairs<A: Iterator, B: Iterator> {
    a: std::iter::Peekable<A>,
    b: std::iter::Peekable<B>,
    holds: (PlaceId, PlaceId),
}

impl<A, B> Pairs<A, B>
where
    A: Iterator<Item = (u128, PlaceId)>,
    B: Iterator<Item = (u128, PlaceId)>,
{
    fn new(a: A, b: B) -> Pairs<A, B> {
        Pairs { a: a.peekable(), b: b.peekable(), holds: (PlaceId(0), PlaceId(0)) }
    }
}

impl<A, B> Iterator for Pairs<A, B>
where
    A: Iterator<Item = (u128, PlaceId)>,
    B: Iterator<Item = (u128, PlaceId)>,
{
    type Item = (u128, PlaceId, PlaceId);

    fn next(&mut self) -> Option<Self::Item> {
        let starts = [self.a.peek().map(|it| it.0), self.b.peek().map(|it| it.0)];
        let at = starts.into_iter().flatten().min()?;
        if let Some((_, place)) = self.a.next_if(|it| it.0 == at) {
            self.holds.0 = place;
        }
        if let Some((_, place)) = self.b.next_if(|it| it.0 == at) {
            self.holds.1 = place;
        }
        Some((at, self.holds.0, self.holds.1))
    }
}

fn find_v4(starts: &[(u32, PlaceId)], address: u32) -> (PlaceId, u8) {
    let next = starts.partition_point(|it| it.0 <= address);
    let (first, id) = starts.get(next.wrapping_sub(1)).copied().unwrap_or((0, PlaceId(0)));
    let before = first.checked_sub(1).map(|outside| (address ^ outside).leading_zeros() + 1);
    let after = starts.get(next).map(|it| (address ^ it.0).leading_zeros() + 1);
    (id, before.max(after).unwrap_or(0) as u8)
}

fn find_v6(starts: &[(u128, PlaceId)], address: u128) -> (PlaceId, u8) {
    let next = starts.partition_point(|it| it.0 <= address);
    let (first, id) = starts.get(next.wrapping_sub(1)).copied().unwrap_or((0, PlaceId(0)));
    let before = first.checked_sub(1).map(|outside| (address ^ outside).leading_zeros() + 1);
    let after = starts.get(next).map(|it| (address ^ it.0).leading_zeros() + 1);
    (id, before.max(after).unwrap_or(0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::PlaceCode;

    fn world(name: &str, ranges: &[(u32, &str)], asn: Option<u32>) -> World {
        let mut places = Places::new();
        let mut v4 = Starts::new();
        for &(start, code) in ranges {
            let known = PlaceCode::parse(code).map(|code| code.to_place()).unwrap_or_default();
            v4.push(start << 24, places.id(Place { asn, ..known }));
        }
        let sources = vec![Source { name: name.into(), ..Source::default() }];
        World { v4: v4.0, v6: vec![(0, PlaceId(0))], places: places.into_list(), sources }
    }

    #[test]
    fn a_merge_keeps_the_most_specific_knowledge() {
        let city = world("city", &[(1, "EU-DE"), (2, ""), (4, "NA-US-CA")], None);
        let wide = world("wide", &[(1, "EU-CH"), (5, "")], Some(64500));
        let merged = World::merge(vec![wide, city]);
        let at = |address: &str| {
            let (place, len) = merged.lookup(address.parse().unwrap());
            (place.country, place.subdivision.is_some(), place.asn, len.0)
        };
        assert_eq!(at("1.2.3.4"), (Some(*b"CH"), false, Some(64500), 8));
        assert_eq!(at("4.0.0.0"), (Some(*b"US"), true, Some(64500), 6));
        assert_eq!(at("5.0.0.0"), (Some(*b"US"), true, Some(64500), 6));
        assert_eq!(merged.sources.len(), 2);
        assert_eq!(merged.sources[0].name, "wide");
    }

    #[test]
    fn an_embedded_address_is_looked_up_as_ipv4() {
        let world = world("w", &[(192, "EU-DE"), (193, "")], None);
        for (address, len) in [("192.0.2.1", 8), ("::ffff:192.0.2.1", 104), ("2002:c000:201::", 24)]
        {
            let (place, prefix_len) = world.lookup(address.parse().unwrap());
            assert_eq!((place.country, prefix_len.0), (Some(*b"DE"), len), "{address}");
        }
        assert!(world.lookup("2001:db8::1".parse().unwrap()).0.is_unknown());
    }

    #[test]
    fn nothing_merged_is_unknown() {
        let world = World::merge(Vec::new());
        assert_eq!(world.lookup("192.0.2.1".parse().unwrap()), (&Place::default(), PrefixLen(0)));
    }
}
