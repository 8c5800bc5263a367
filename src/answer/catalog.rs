//! The catalog: zones by name. One level up, the same structure as a zone's nodes.

use std::sync::Arc;

use crate::wire::Name;

use super::image::ZoneImage;
use super::suffix::{LABEL_COUNT_MAX, Seed, Suffixes};

/// Shards of the catalog: a changed zone among a million copies one of them, and the list of all.
const SHARD_COUNT_MAX: usize = 4096;
const SHARD_ZONE_COUNT: usize = 64;

/// What stands at an apex.
#[derive(Clone, Debug)]
pub enum Served {
    /// A zone.
    Zone(Arc<ZoneImage>),
    /// A zone that never loaded: SERVFAIL (DESIGN rule 4.4).
    Broken(Arc<[u8]>),
}

/// Zones beyond which they fit no cache of a core: some 4 MB.
const MANY_ZONE_COUNT: usize = 4_000;

/// Zones by the hash of their apex. A slot is the low half of a hash, and the place of its zone plus one (0 is empty).
#[derive(Debug, Default)]
struct Shard {
    slots: Box<[u64]>,
    zones: Box<[(u64, Served)]>,
}

/// All zones.
#[derive(Clone, Debug)]
pub struct Catalog {
    seed: Seed,
    /// Which label counts any apex has.
    depths: u128,
    shards: Box<[Arc<Shard>]>,
    zone_count: usize,
    /// Whether some zone fits no cache of a core.
    has_large: bool,
}

impl Served {
    /// The apex in wire format, folded.
    pub fn apex(&self) -> &[u8] {
        match self {
            Served::Zone(zone) => zone.apex_folded(),
            Served::Broken(apex) => apex,
        }
    }
}

impl Catalog {
    /// A catalog of these zones, laid out under `seed`. Of two with one apex, the first stands.
    pub fn compose(seed: Seed, zones: Vec<Arc<ZoneImage>>, broken: &[Name]) -> Catalog {
        let broken =
            broken.iter().map(|name| (name.clone(), Served::Broken(name.to_folded().into())));
        let zones = zones.into_iter().map(|zone| (zone.apex().clone(), Served::Zone(zone)));
        let all: Vec<(Name, Served)> = zones.chain(broken).collect();
        let count = all.len().div_ceil(SHARD_ZONE_COUNT).next_power_of_two().min(SHARD_COUNT_MAX);
        let mut shards = vec![Vec::new(); count];
        let mut depths = 0;
        let has_large = all.iter().any(|(_, s)| matches!(s, Served::Zone(zone) if zone.is_large()));
        for (apex, served) in all {
            depths |= depth_bit(&apex);
            let hash = seed.hash(&apex);
            shards[hash as usize % count].push((hash, served));
        }
        let shards: Box<[Arc<Shard>]> =
            shards.into_iter().map(|zones| Arc::new(Shard::new(zones))).collect();
        let zone_count = shards.iter().map(|shard| shard.zones.len()).sum();
        Catalog { seed, depths, shards, zone_count, has_large }
    }

    /// This catalog with `zones` in the place of those that have their apexes, or beside the others.
    #[must_use]
    pub fn with(&self, zones: &[Arc<ZoneImage>]) -> Catalog {
        let mut changed = self.clone();
        let last_shard = self.shards.len().saturating_sub(1);
        for zone in zones {
            changed.depths |= depth_bit(zone.apex());
            changed.has_large |= zone.is_large();
            let hash = self.seed.hash(zone.apex());
            let Some(shard) = changed.shards.get_mut(hash as usize & last_shard) else { continue };
            let others =
                shard.zones.iter().filter(|(h, s)| *h != hash || s.apex() != zone.apex_folded());
            let others: Vec<(u64, Served)> = others.cloned().collect();
            changed.zone_count += others.len() + 1 - shard.zones.len();
            let changed = [(hash, Served::Zone(Arc::clone(zone)))];
            *shard = Arc::new(Shard::new(others.into_iter().chain(changed).collect()));
        }
        changed
    }

    /// The seed of every hash in it.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// How many zones it serves, broken ones included.
    pub fn zone_count(&self) -> usize {
        self.zone_count
    }

    /// Whether it fits no cache of a core: some zone does not, or they are many.
    pub(super) fn is_large(&self) -> bool {
        self.has_large || self.zone_count >= MANY_ZONE_COUNT
    }

    /// All zones, in no particular order.
    pub fn zones(&self) -> impl Iterator<Item = &Served> {
        self.shards.iter().flat_map(|shard| shard.zones.iter().map(|(_, served)| served))
    }

    /// The closest zone at or above the suffix of at most `depth` labels.
    #[inline]
    pub fn find(&self, name: &Suffixes, depth: usize) -> Option<&Served> {
        let mut depths = self.depths_to(depth);
        // Bounded by the label counts that any apex has, 128 at most.
        while let Some(depth) = deepest(&mut depths) {
            if let Some(served) = self.zone(name.hash(depth), name.suffix(depth)) {
                return Some(served);
            }
        }
        None
    }

    /// The hashes that the apex of a name of `depth` labels may have: the two of most labels.
    #[inline]
    pub(super) fn apex_hashes(&self, name: &Suffixes, depth: usize) -> [Option<u64>; 2] {
        let mut depths = self.depths_to(depth);
        [(); 2].map(|()| deepest(&mut depths).map(|depth| name.hash(depth)))
    }

    /// The zone of this hash, unless another is in its way.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> Option<&ZoneImage> {
        let shard = self.shard(hash)?;
        let slot = *shard.slots.get(home(hash) & shard.slots.len().checked_sub(1)?)?;
        match shard.zones.get((slot as u32).wrapping_sub(1) as usize)? {
            (known, Served::Zone(zone)) if *known == hash => Some(zone),
            _ => None,
        }
    }

    fn depths_to(&self, depth: usize) -> u128 {
        self.depths & (u128::MAX >> (LABEL_COUNT_MAX - depth.min(LABEL_COUNT_MAX)))
    }

    #[inline]
    fn shard(&self, hash: u64) -> Option<&Shard> {
        let shard = self.shards.get(hash as usize & self.shards.len().checked_sub(1)?);
        shard.map(|shard| &**shard)
    }

    #[inline]
    fn zone(&self, hash: u64, apex: &[u8]) -> Option<&Served> {
        self.shard(hash)?.find(hash, apex)
    }
}

impl Shard {
    /// A shard of these zones. Of two with one apex, the first stands.
    fn new(mut zones: Vec<(u64, Served)>) -> Shard {
        zones.sort_by_key(|(hash, _)| *hash);
        zones.dedup_by(|later, first| later.1.apex() == first.1.apex());
        // Twice the zones: a probe ends after one or two slots.
        let mut slots = vec![0u64; (zones.len() * 2).next_power_of_two()];
        let mask = slots.len() - 1;
        for (place, (hash, _)) in (1u64..).zip(&zones) {
            let mut slot = home(*hash) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = tag(*hash) << 32 | place;
        }
        Shard { slots: slots.into(), zones: zones.into() }
    }

    #[inline]
    fn find(&self, hash: u64, apex: &[u8]) -> Option<&Served> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = home(hash) & mask;
        // Bounded: half of the slots are empty.
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            if slot >> 32 == tag(hash)
                && let Some((_, served)) = self.zones.get((slot as u32).wrapping_sub(1) as usize)
                && served.apex() == apex
            {
                return Some(served);
            }
            at = (at + 1) & mask;
        }
    }
}

/// The low bits of a hash choose the shard, and its low half is the tag; slots are taken from above both.
fn home(hash: u64) -> usize {
    (hash >> 32) as usize
}

fn tag(hash: u64) -> u64 {
    hash & 0xffff_ffff
}

/// Takes the highest bit out of `depths`, and gives its number.
#[inline]
fn deepest(depths: &mut u128) -> Option<usize> {
    let depth = LABEL_COUNT_MAX.checked_sub(depths.leading_zeros() as usize)?;
    *depths &= !(1 << depth);
    Some(depth)
}

fn depth_bit(apex: &Name) -> u128 {
    1 << apex.label_count().min(LABEL_COUNT_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::image::ImageWriter;
    use super::*;

    fn zone(seed: &Seed, n: usize) -> Arc<ZoneImage> {
        let apex = Name::parse(&format!("d{n}.test."), &Name::root()).unwrap();
        Arc::new(ImageWriter::new(seed, &apex, 1).finish())
    }

    #[test]
    fn each_of_many_zones_is_found_and_one_takes_the_place_of_another() {
        let seed = Seed::new(1);
        let zones: Vec<Arc<ZoneImage>> = (0..5_000).map(|n| zone(&seed, n)).collect();
        let catalog = Catalog::compose(seed.clone(), zones.clone(), &[]);
        let found = |catalog: &Catalog, zone: &Arc<ZoneImage>| {
            let served = catalog.zone(seed.hash(zone.apex()), zone.apex_folded());
            matches!(served, Some(Served::Zone(known)) if Arc::ptr_eq(known, zone))
        };
        assert!(catalog.is_large() && zones.iter().all(|zone| found(&catalog, zone)));
        let other = [zone(&seed, 7), zone(&seed, 5_000)];
        assert!(!found(&catalog, &other[0]) && !found(&catalog, &other[1]));
        let changed = catalog.with(&other);
        assert!(other.iter().all(|zone| found(&changed, zone)));
        assert!(!found(&changed, &zones[7]) && found(&changed, &zones[8]));
        assert_eq!((catalog.zone_count(), changed.zone_count()), (5_000, 5_001));
        let peeked = zones.iter().filter(|zone| {
            let peeked = catalog.peek(seed.hash(zone.apex()));
            peeked.is_some_and(|peeked| std::ptr::eq(peeked, Arc::as_ptr(zone)))
        });
        assert!(peeked.count() > 3_000, "most are not in each other's way");
    }
}
