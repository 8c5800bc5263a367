//! A zone laid out, with some of its nodes changed: only the shards that hold them are made anew.
//!
//! Invariant patch-equals-layout: the result is what laying out the changed zone gives, octet for octet. So cuts, DNAMEs
//! and proofs of absence, which other nodes depend on, are not for a patch.

use crate::wire::Name;

use super::image::{Negative, Patch, ZoneImage, flags, shard_bits, write};
use super::node::NodeFlags;
use super::parts::NodeParts;
use super::shard::Patched;
use super::suffix::Seed;

/// Collects the changes of one zone.
pub struct ImagePatcher<'i> {
    seed: &'i Seed,
    before: &'i ZoneImage,
    patch: Patch,
}

impl<'i> ImagePatcher<'i> {
    /// Begins with the image `before`, which was laid out under `seed`. None for a zone with proofs of absence, and where
    /// one of about `name_count` owners is cut into another number of shards.
    pub fn new(
        seed: &'i Seed,
        before: &'i ZoneImage,
        name_count: usize,
    ) -> Option<ImagePatcher<'i>> {
        let fits = before.denial().is_none() && before.shard_bits() == shard_bits(name_count);
        fits.then(|| ImagePatcher { seed, before, patch: Patch::default() })
    }

    /// Whether a name existed, if only because one below it did.
    pub fn has(&self, owner: &Name) -> bool {
        self.before.find(self.seed.hash(owner), &self.relative(owner)).is_some()
    }

    /// Whether a record points at `owner`, and so may have its addresses beside it.
    pub fn is_target(&self, owner: &Name) -> bool {
        self.before.is_target(self.seed.hash(owner))
    }

    /// Tells of a name that a record points at now.
    pub fn points_at(&mut self, target: &Name) {
        self.patch.targets.push(self.seed.hash(target));
    }

    /// Puts a node in the place of what its owner had, if it had any. `has_wildcard` tells whether a child `*` exists.
    pub fn node(&mut self, parts: &NodeParts<'_>, has_wildcard: bool) {
        let apex = self.before.apex();
        let mut flags = flags(apex, parts);
        if has_wildcard {
            flags.0 |= NodeFlags::HAS_WILDCARD;
        }
        if parts.owner == apex {
            self.patch.negative = Some(Negative::of(apex, &parts.rrsets));
        }
        let mut octets = Vec::new();
        write(&mut octets, apex, parts, flags, self.occluder(parts.owner));
        self.put(parts.owner, Some(octets));
    }

    /// Removes what the owner had.
    pub fn remove(&mut self, owner: &Name) {
        self.put(owner, None);
    }

    /// The image with all changes; `more_records` is how many records the zone has more. None where it has to be laid out.
    pub fn finish(self, more_records: i64) -> Option<ZoneImage> {
        self.before.patched(Patch { more_records, ..self.patch })
    }

    fn put(&mut self, owner: &Name, octets: Option<Vec<u8>>) {
        let (hash, owner) = (self.seed.hash(owner), self.relative(owner));
        self.patch.nodes.push(Patched { hash, owner, octets });
    }

    /// Labels of the topmost zone cut or DNAME above `owner`: as before, for those do not change.
    fn occluder(&self, owner: &Name) -> Option<u8> {
        let mut topmost = None;
        let mut above = owner.parent();
        while let Some(name) = above.filter(|name| name.is_at_or_below(self.before.apex())) {
            let node = self.before.find(self.seed.hash(&name), &self.relative(&name));
            if node.is_some_and(|n| n.has(NodeFlags::CUT) || n.has(NodeFlags::DNAME)) {
                topmost = Some(name.label_count() as u8);
            }
            above = name.parent();
        }
        topmost
    }

    fn relative(&self, owner: &Name) -> Box<[u8]> {
        let wire = owner.as_wire();
        let end = wire.len().saturating_sub(self.before.apex().as_wire().len());
        wire.get(..end).unwrap_or_default().to_ascii_lowercase().into()
    }
}
