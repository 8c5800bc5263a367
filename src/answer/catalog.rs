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

/// Zones by the hash of their apex, sorted by it.
type Shard = Arc<[(u64, Served)]>;

/// All zones.
#[derive(Clone, Debug)]
pub struct Catalog {
    seed: Seed,
    /// Which label counts any apex has.
    depths: u128,
    shards: Box<[Shard]>,
    zone_count: usize,
    /// Whether any zone is.
    is_large: bool,
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
        let is_large = all.iter().any(|(_, s)| matches!(s, Served::Zone(zone) if zone.is_large()));
        for (apex, served) in all {
            depths |= depth_bit(&apex);
            let hash = seed.hash(&apex);
            shards[hash as usize % count].push((hash, served));
        }
        let shards: Box<[Shard]> = shards.into_iter().map(sorted).collect();
        let zone_count = shards.iter().map(|s| s.len()).sum();
        Catalog { seed, depths, shards, zone_count, is_large }
    }

    /// This catalog with `zones` in the place of those that have their apexes, or beside the others.
    #[must_use]
    pub fn with(&self, zones: &[Arc<ZoneImage>]) -> Catalog {
        let mut changed = self.clone();
        let last_shard = self.shards.len().saturating_sub(1);
        for zone in zones {
            changed.depths |= depth_bit(zone.apex());
            changed.is_large |= zone.is_large();
            let hash = self.seed.hash(zone.apex());
            let Some(shard) = changed.shards.get_mut(hash as usize & last_shard) else { continue };
            let others = shard.iter().filter(|(h, s)| *h != hash || s.apex() != zone.apex_folded());
            let others: Vec<(u64, Served)> = others.cloned().collect();
            changed.zone_count += others.len() + 1 - shard.len();
            *shard = sorted(
                others.into_iter().chain([(hash, Served::Zone(Arc::clone(zone)))]).collect(),
            );
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

    /// Whether some zone fits no cache of a core.
    pub(super) fn is_large(&self) -> bool {
        self.is_large
    }

    /// All zones, in no particular order.
    pub fn zones(&self) -> impl Iterator<Item = &Served> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(_, served)| served))
    }

    /// The closest zone at or above the suffix of at most `depth` labels.
    #[inline]
    pub fn find(&self, name: &Suffixes, depth: usize) -> Option<&Served> {
        // Bounded by the label counts that any apex has, 128 at most.
        let mut depths =
            self.depths & (u128::MAX >> (LABEL_COUNT_MAX - depth.min(LABEL_COUNT_MAX)));
        while depths != 0 {
            let depth = LABEL_COUNT_MAX - depths.leading_zeros() as usize;
            if let Some(served) = self.zone(name.hash(depth), name.suffix(depth)) {
                return Some(served);
            }
            depths &= !(1 << depth);
        }
        None
    }

    fn zone(&self, hash: u64, apex: &[u8]) -> Option<&Served> {
        let shard = self.shards.get(hash as usize & self.shards.len().checked_sub(1)?)?;
        let start = shard.partition_point(|(h, _)| *h < hash);
        let same = shard.get(start..)?.iter().take_while(|(h, _)| *h == hash);
        same.map(|(_, served)| served).find(|served| served.apex() == apex)
    }
}

fn depth_bit(apex: &Name) -> u128 {
    1 << apex.label_count().min(LABEL_COUNT_MAX)
}

fn sorted(mut shard: Vec<(u64, Served)>) -> Shard {
    shard.sort_by_key(|(hash, _)| *hash);
    shard.dedup_by(|later, first| later.1.apex() == first.1.apex());
    shard.into()
}
