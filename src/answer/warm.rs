//! Before a batch is answered: asks for the memory that its answers lie in, of all its packets at once.
//!
//! In a zone that fits no cache a look-up waits for memory twice: for a slot, then for the node that it names; among many
//! zones for that of the zone before. One packet after the other, each wait is spent in full; in short loops over a whole
//! batch a core has many of them under way.
//!
//! Never: decides anything. What it reads is read again by whoever answers.

use std::hint::black_box;

use arrayvec::ArrayVec;

use super::image::ZoneImage;
use super::respond::Core;
use super::snapshot::Snapshot;
use super::suffix::QNAME_AT;

/// Packets that are prepared for together; more are not prepared for.
pub const WARM_COUNT_MAX: usize = 64;

type List<T> = ArrayVec<T, WARM_COUNT_MAX>;

/// What a name is looked for by: the hashes that the apex of its zone may have, and its own.
type Hashes = ([Option<u64>; 2], u64);

/// Fetches what `requests` will be answered from into the core's caches, where it does not fit there anyway.
pub fn warm<'r>(snapshot: &Snapshot, requests: impl Iterator<Item = &'r [u8]>, core: &mut Core) {
    if !snapshot.catalog.is_large() {
        return;
    }
    // Lists that are filled as far as needed, where they stand: a batch of one is not to pay for sixty-four.
    let mut hashes: List<Hashes> = List::new();
    for request in requests.take(WARM_COUNT_MAX) {
        hashes.extend(hashes_of(snapshot, request, core));
    }
    let mut zones: List<(&ZoneImage, u64)> = List::new();
    for (apexes, name) in &hashes {
        let mut found = apexes.iter().flatten().filter_map(|apex| snapshot.catalog.peek(*apex));
        zones.extend(found.next().map(|zone| (zone, *name)));
    }
    let mut touched = 0;
    let mut nodes: List<(&[u8], usize)> = List::new();
    for (zone, name) in &zones {
        touched += u64::from(zone.apex_folded().first().copied().unwrap_or_default());
        nodes.extend(zone.peek(*name));
    }
    touched += nodes.iter().fold(0, |sum, (arena, at)| {
        // A node is about as long as a line of the cache, and begins anywhere in one.
        let touch = |at: usize| u64::from(arena.get(at).copied().unwrap_or_default());
        sum + touch(*at) + touch(*at + 56)
    });
    black_box(touched);
}

#[inline]
fn hashes_of(snapshot: &Snapshot, request: &[u8], core: &mut Core) -> Option<Hashes> {
    let (catalog, name) = (&snapshot.catalog, &mut core.name);
    if !name.load(request, usize::from(QNAME_AT), catalog.seed()) {
        return None;
    }
    let depth = name.label_count();
    Some((catalog.apex_hashes(name, depth), name.hash(depth)))
}
