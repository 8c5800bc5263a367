//! Before a batch is answered: asks for the memory that its answers lie in, of all its packets at once.
//!
//! In a zone that fits no cache a look-up waits for memory twice: for a slot, then for the node that it names. One packet
//! after the other, each wait is spent in full; in short loops over a whole batch a core has many of them under way.
//!
//! Never: decides anything. What it reads is read again by whoever answers.

use std::hint::black_box;

use super::catalog::Served;
use super::image::ZoneImage;
use super::respond::Core;
use super::snapshot::Snapshot;
use super::suffix::QNAME_AT;

/// Packets that are prepared for together; more are not prepared for.
pub const WARM_COUNT_MAX: usize = 64;

/// Where a name is looked for, if it is there.
type Place<'s> = Option<(&'s ZoneImage, u64)>;

/// Fetches what `requests` will be answered from into the core's caches, where it does not fit there anyway.
pub fn warm<'r>(snapshot: &Snapshot, requests: impl Iterator<Item = &'r [u8]>, core: &mut Core) {
    if !snapshot.catalog.is_large() {
        return;
    }
    let mut places: [Place<'_>; WARM_COUNT_MAX] = [None; WARM_COUNT_MAX];
    let mut count = 0;
    for (place, request) in places.iter_mut().zip(requests) {
        *place = find(snapshot, request, core);
        count += 1;
    }
    let mut nodes = [None; WARM_COUNT_MAX];
    for (node, place) in nodes.iter_mut().zip(&places).take(count) {
        *node = place.and_then(|(zone, hash)| zone.peek(hash));
    }
    let touched = nodes.iter().take(count).flatten().fold(0, |sum, (arena, at)| {
        // A node is about as long as a line of the cache, and begins anywhere in one.
        let touch = |at: usize| u64::from(arena.get(at).copied().unwrap_or_default());
        sum + touch(*at) + touch(*at + 56)
    });
    black_box(touched);
}

fn find<'s>(snapshot: &'s Snapshot, request: &[u8], core: &mut Core) -> Place<'s> {
    let (catalog, name) = (&snapshot.catalog, &mut core.name);
    if !name.load(request, usize::from(QNAME_AT), catalog.seed()) {
        return None;
    }
    let depth = name.label_count();
    match catalog.find(name, depth)? {
        Served::Zone(zone) => Some((zone, name.hash(depth))),
        Served::Broken(_) => None,
    }
}
