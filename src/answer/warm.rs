//! Before a batch is answered: asks for the memory that its answers lie in, of all its packets at once.
//!
//! In a zone that fits no cache a look-up waits for memory twice: for a slot, then for the node that it names; among many
//! zones for that of the zone before. One packet after the other, each wait is spent in full; in short loops over a whole
//! batch a core has many of them under way.
//!
//! Never: decides anything. What it reads is read again by whoever answers.

use std::hint::black_box;

use super::respond::Core;
use super::snapshot::Snapshot;
use super::suffix::QNAME_AT;

/// Packets that are prepared for together; more are not prepared for.
pub const WARM_COUNT_MAX: usize = 64;

/// What a name is looked for by: the hashes that the apex of its zone may have, and its own.
type Hashes = ([Option<u64>; 2], u64);

/// Fetches what `requests` will be answered from into the core's caches, where it does not fit there anyway.
pub fn warm<'r>(snapshot: &Snapshot, requests: impl Iterator<Item = &'r [u8]>, core: &mut Core) {
    if !snapshot.catalog.is_large() {
        return;
    }
    let mut hashes: [Option<Hashes>; WARM_COUNT_MAX] = [None; WARM_COUNT_MAX];
    let mut count = 0;
    for (hashes, request) in hashes.iter_mut().zip(requests) {
        *hashes = hashes_of(snapshot, request, core);
        count += 1;
    }
    let mut zones = [None; WARM_COUNT_MAX];
    for (zone, hashes) in zones.iter_mut().zip(&hashes).take(count) {
        let apexes = hashes.iter().flat_map(|(apexes, _)| apexes).flatten();
        *zone = apexes.filter_map(|apex| snapshot.catalog.peek(*apex)).next();
    }
    let mut nodes = [None; WARM_COUNT_MAX];
    let mut touched = 0;
    for ((node, zone), hashes) in nodes.iter_mut().zip(&zones).zip(&hashes).take(count) {
        let Some((zone, (_, name))) = zone.zip(*hashes) else { continue };
        touched += u64::from(zone.apex_folded().first().copied().unwrap_or_default());
        *node = zone.peek(name);
    }
    touched += nodes.iter().take(count).flatten().fold(0, |sum, (arena, at)| {
        // A node is about as long as a line of the cache, and begins anywhere in one.
        let touch = |at: usize| u64::from(arena.get(at).copied().unwrap_or_default());
        sum + touch(*at) + touch(*at + 56)
    });
    black_box(touched);
}

fn hashes_of(snapshot: &Snapshot, request: &[u8], core: &mut Core) -> Option<Hashes> {
    let (catalog, name) = (&snapshot.catalog, &mut core.name);
    if !name.load(request, usize::from(QNAME_AT), catalog.seed()) {
        return None;
    }
    let depth = name.label_count();
    Some((catalog.apex_hashes(name, depth), name.hash(depth)))
}
