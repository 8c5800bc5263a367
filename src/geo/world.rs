//! All that is known of addresses: ranges of addresses to places, from a database, the overrides,
//! or the built-in table.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::OnceLock;

use foldhash::fast::FixedState;

use crate::number::PrefixLen;

use super::known::{Known, Source};
use super::place::{Place, PlaceId};
use super::prefix::{embedded_v4, embedding_blocks, special_blocks};
use super::sweep::{self, Span};
use super::table;

/// Addresses to places: for each family the whole address space. Place 0 is the unknown place.
#[derive(Clone, Debug)]
pub struct World {
    /// Of the built-in table nothing until somebody asks: a server that steers nobody does without 36 MiB.
    known: OnceLock<Known>,
    /// Where all this came from, strongest first.
    pub sources: Vec<Source>,
}

impl World {
    /// Nothing is known of any address.
    pub fn unknown() -> World {
        World::of(Known::nothing(), Vec::new())
    }

    /// The table within this binary: first subdivisions, near metros. The first who asks it unpacks it.
    pub fn built_in() -> World {
        World { known: OnceLock::new(), sources: table::source().into_iter().collect() }
    }

    /// Reads what [`build_builtin`](super::build_builtin) made. None when it is anything else.
    pub fn from_table(bytes: &[u8]) -> Option<World> {
        let (known, source) = table::decode(bytes)?;
        Some(World::of(known, vec![source]))
    }

    pub(super) fn of(known: Known, sources: Vec<Source>) -> World {
        World { known: OnceLock::from(known), sources }
    }

    pub(super) fn known(&self) -> &Known {
        self.known.get_or_init(table::unpacked)
    }

    /// What is known, and where it came from.
    pub(super) fn into_parts(self) -> (Known, Vec<Source>) {
        (self.known.into_inner().unwrap_or_else(table::unpacked), self.sources)
    }

    /// A world of ranges, each given by its start, in order. The first of `places` is the unknown place.
    pub fn of_runs(
        v4: impl IntoIterator<Item = (u32, PlaceId)>,
        v6: impl IntoIterator<Item = (u128, PlaceId)>,
        places: Vec<Place>,
    ) -> World {
        World::of(Known::of_runs(v4, v6, places), Vec::new())
    }

    /// The whole IPv4 space: where each place begins. The first starts at 0.
    pub fn runs_v4(&self) -> impl Iterator<Item = (u128, PlaceId)> + '_ {
        self.known().v4.iter()
    }

    /// The whole IPv6 space: where each place begins. The first starts at 0.
    pub fn runs_v6(&self) -> impl Iterator<Item = (u128, PlaceId)> + '_ {
        self.known().v6.iter()
    }

    /// All places; a [`PlaceId`] indexes them, and the first is the unknown place.
    pub fn places(&self) -> &[Place] {
        &self.known().places
    }

    /// What is known of `address`, and the shortest prefix around it of which the same is known.
    /// IPv6 forms of IPv4 are looked up as IPv4, the length shifted by where the IPv4 address
    /// stands.
    pub fn lookup(&self, address: IpAddr) -> (&Place, PrefixLen) {
        let known = self.known();
        let find_v4 = |v4: std::net::Ipv4Addr| known.v4.find(u128::from(v4.to_bits()));
        let (id, len) = match (address, embedded_v4(address)) {
            (IpAddr::V4(v4), _) => find_v4(v4),
            (_, Some((v4, shift))) => {
                let (id, len) = find_v4(v4);
                (id, len + shift)
            }
            (IpAddr::V6(v6), None) => known.v6.find(v6.to_bits()),
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
        self.places().get(id.0 as usize).unwrap_or(&UNKNOWN)
    }
}

/// Places by id, each once; the unknown place is there from the start.
#[derive(Default)]
pub(super) struct Places {
    list: Vec<Place>,
    ids: HashMap<PlaceKey, PlaceId, FixedState>,
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
        *self.ids.entry(key(&place)).or_insert_with(|| {
            self.list.push(place);
            PlaceId(u32::try_from(self.list.len() - 1).unwrap_or(0))
        })
    }

    /// The place that has this id.
    pub(super) fn get(&self, id: PlaceId) -> Option<&Place> {
        self.list.get(id.0 as usize)
    }

    /// The places of a world, to which others may be added.
    pub(super) fn of(list: Vec<Place>) -> Places {
        let ids = list.iter().zip(0..).map(|(place, id)| (key(place), PlaceId(id)));
        Places { ids: ids.collect(), list }
    }

    pub(super) fn into_list(mut self) -> Vec<Place> {
        self.list.shrink_to_fit();
        self.list
    }
}

fn key(place: &Place) -> PlaceKey {
    (
        place.continent,
        place.country,
        place.subdivision,
        place.position.map(|p| (p.latitude.to_bits(), p.longitude.to_bits())),
        place.asn,
        place.region.map(|region| region.0),
    )
}

/// Special-purpose addresses of both families, of which nothing is taken from a database, and what embeds IPv4.
pub(super) fn special_spans() -> (Vec<Span>, Vec<Span>) {
    let (mut spans_v4, mut spans_v6) = (Vec::new(), embedding_spans());
    for block in special_blocks() {
        let (first, last) = block.bounds();
        let spans = if block.address.is_ipv4() { &mut spans_v4 } else { &mut spans_v6 };
        spans.push(Span { first, last, item: 0 });
    }
    sweep::sort(&mut spans_v4);
    sweep::sort(&mut spans_v6);
    (spans_v4, spans_v6)
}

fn embedding_spans() -> Vec<Span> {
    let blocks = embedding_blocks().into_iter();
    blocks.map(|(first, last)| Span { first, last, item: 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::PlaceCode;
    use crate::geo::starts::{List, Starts};

    fn world(name: &str, ranges: &[(u32, &str)], asn: Option<u32>) -> World {
        let mut places = Places::new();
        let mut v4 = Starts::<u32>::new();
        for &(start, code) in ranges {
            let known = PlaceCode::parse(code).map(|code| code.to_place()).unwrap_or_default();
            v4.push(start << 24, places.id(Place { asn, ..known }));
        }
        let sources = vec![Source { name: name.into(), ..Source::default() }];
        let (v4, v6) = (v4.into_list().into(), List::whole(PlaceId(0)).into());
        World::of(Known { v4, v6, places: places.into_list() }, sources)
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
    fn the_built_in_table_stays_packed_until_it_is_asked() {
        let world = World::built_in();
        assert_eq!(world.sources.len(), 1);
        assert!(world.known.get().is_none());
        assert!(!world.lookup("193.0.6.139".parse().unwrap()).0.is_unknown());
        assert!(world.known.get().is_some());
    }

    #[test]
    fn nothing_merged_is_unknown() {
        let world = World::merge(Vec::new());
        assert_eq!(world.lookup("192.0.2.1".parse().unwrap()), (&Place::default(), PrefixLen(0)));
    }
}
