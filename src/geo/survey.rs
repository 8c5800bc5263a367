//! What there is to be classed: each kind of place with how many addresses it stands for.

use std::collections::BTreeMap;

use super::place::{Place, PlaceId};
use super::prefix::{Prefix, embedding_blocks};
use super::sweep::{self, LAST_V4, LAST_V6, Span, sweep};
use super::world::World;

/// How many addresses. The order is by IPv4 addresses, then by IPv6 networks: where both are known, the former tell more
/// of how many people there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// IPv4 addresses.
    pub v4: u64,
    /// IPv6 networks of /64; a part of one counts as one, and what 64 bits cannot count as the most they can.
    pub v6: u64,
}

impl Extent {
    /// Both together.
    pub fn plus(self, other: Extent) -> Extent {
        Extent { v4: self.v4.saturating_add(other.v4), v6: self.v6.saturating_add(other.v6) }
    }
}

/// Calls `each` once for every place of `world` and every set of `cuts` (by index, the widest first) that holds some
/// addresses of it, with their extent. Addresses that embed IPv4 are counted as IPv4 only.
///
/// Of equal cuts only the last is told: they are best given once each.
pub fn survey(world: &World, cuts: &[Prefix], mut each: impl FnMut(&Place, &[usize], Extent)) {
    let spans = |wanted: bool| {
        let family = cuts.iter().enumerate().filter(|(_, cut)| cut.address.is_ipv4() == wanted);
        let span = |(item, cut): (usize, &Prefix)| {
            let (first, last) = cut.bounds();
            Span { first, last, item }
        };
        family.map(span).collect::<Vec<_>>()
    };
    let mut counts =
        Counts { uncut: vec![Extent::default(); world.places().len()], cut: BTreeMap::new() };
    counts.add(world.runs_v4(), spans(true), LAST_V4, |first, last| Extent {
        v4: (last - first + 1) as u64,
        v6: 0,
    });
    let embedding = embedding_blocks().into_iter();
    let embedding = embedding.map(|(first, last)| Span { first, last, item: EMBEDDING });
    let spans_v6 = spans(false).into_iter().chain(embedding).collect();
    counts.add(world.runs_v6(), spans_v6, LAST_V6, |first, last| {
        let networks = (last >> 64) - (first >> 64) + 1;
        Extent { v4: 0, v6: u64::try_from(networks).unwrap_or(u64::MAX) }
    });
    for (id, &extent) in (0u32..).zip(&counts.uncut) {
        if extent != Extent::default() {
            each(world.place(PlaceId(id)), &[], extent);
        }
    }
    for ((place, _), (held, extent)) in &counts.cut {
        each(world.place(*place), held, *extent);
    }
}

/// The mark of spans that embed IPv4, among the indices of cuts.
const EMBEDDING: usize = usize::MAX;

/// All cuts that hold some addresses, and how many these are.
type Held = (Box<[usize]>, Extent);

struct Counts {
    /// By place, of what no cut holds: nearly all there is.
    uncut: Vec<Extent>,
    /// By place and the innermost cut, which tells those around it.
    cut: BTreeMap<(PlaceId, usize), Held>,
}

impl Counts {
    fn add(
        &mut self,
        base: impl Iterator<Item = (u128, PlaceId)>,
        mut spans: Vec<Span>,
        last: u128,
        measure: impl Fn(u128, u128) -> Extent,
    ) {
        sweep::sort(&mut spans);
        let mut open: Option<(u128, PlaceId, Vec<usize>)> = None;
        let mut close = |from: u128, place: PlaceId, items: &[usize], to: u128| {
            let Some(&inner) = items.last() else {
                if let Some(extent) = self.uncut.get_mut(place.0 as usize) {
                    *extent = extent.plus(measure(from, to));
                }
                return;
            };
            if !items.contains(&EMBEDDING) {
                let entry = self.cut.entry((place, inner));
                let (_, extent) = entry.or_insert_with(|| (items.into(), Extent::default()));
                *extent = extent.plus(measure(from, to));
            }
        };
        sweep(base, &spans, last, |start, place, items| match &mut open {
            Some((from, before, held)) => {
                close(*from, *before, held, start - 1);
                (*from, *before) = (start, place);
                items.clone_into(held);
            }
            None => open = Some((start, place, items.to_vec())),
        });
        if let Some((from, place, held)) = open {
            close(from, place, &held, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_counts_once_with_its_place_and_its_cuts() {
        let places: Vec<Place> =
            [None, Some(1), Some(2)].map(|asn| Place { asn, ..Place::default() }).into();
        let v4 = [(0, PlaceId(0)), (10 << 24, PlaceId(1)), (11 << 24, PlaceId(2))];
        let v6 = [(0, PlaceId(0)), (0x2a00 << 112, PlaceId(1)), (0x2a01 << 112, PlaceId(0))];
        let world = World::of_runs(v4, v6, places);
        let cuts = ["10.1.0.0/16", "10.1.2.0/24", "2a00:1::/32", "2a00::/16", "::fffe:0:0/95"]
            .map(|text| Prefix::parse(text).unwrap());
        let mut told = Vec::new();
        survey(&world, &cuts, |place, held, extent| {
            told.push((place.asn.unwrap_or(0), held.to_vec(), extent.v4, extent.v6));
        });
        let unknown_v6 = told[0].3;
        assert_eq!(
            told,
            [
                (0, vec![], 10 << 24, unknown_v6),
                (1, vec![], (1 << 24) - (1 << 16), 0),
                (2, vec![], 245 << 24, 0),
                // Of ::fffe:0:0/95 one half is mapped IPv4, which is counted as such.
                (0, vec![4], 0, 1),
                (1, vec![0], (1 << 16) - (1 << 8), 0),
                (1, vec![0, 1], 1 << 8, 0),
                (1, vec![3, 2], 0, 1 << 32),
                (1, vec![3], 0, (1 << 48) - (1 << 32)),
            ]
        );
        let v4: u64 = told.iter().map(|it| it.2).sum();
        assert_eq!(v4, 1 << 32);
    }
}
