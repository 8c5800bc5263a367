//! The name that is looked for: folded, cut into suffixes, each with its hash.
//!
//! Labels are hashed once, from the root outward, and the hash of every suffix is kept: zone, node, ancestors and
//! wildcards are then found without touching the name again.

use std::hash::Hasher;
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use crate::wire::{NAME_LEN_MAX, Name};

/// Most labels of a name, the root not counted (RFC 1035 §3.1: 255 octets, two a label).
pub const LABEL_COUNT_MAX: usize = 127;

/// Where a question's name stands in a message.
pub const QNAME_AT: u16 = 12;

/// Keys the hash of names. Random for each process, so that nobody outside can choose names that collide; no answer
/// depends on it.
#[derive(Clone, Debug)]
pub struct Seed(Arc<SharedSeed>);

impl Seed {
    /// A seed from 64 random bits.
    pub fn new(random: u64) -> Seed {
        Seed(Arc::new(SharedSeed::from_u64(random)))
    }

    /// The hash of the root.
    pub(super) const ROOT: u64 = 0;

    /// The hash of `label`, its length octet included and folded, before a suffix of hash `rest`.
    #[inline]
    pub(super) fn extend(&self, rest: u64, label: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(rest, &self.0);
        hasher.write(label);
        hasher.finish()
    }

    /// The hash of a whole name.
    pub(super) fn hash(&self, name: &Name) -> u64 {
        name.labels().rev().fold(Seed::ROOT, |hash, label| self.extend_unfolded(hash, label))
    }

    /// The hash of a name whose parent has the hash `parent`.
    pub(super) fn below(&self, parent: u64, name: &Name) -> u64 {
        let wire = name.as_wire();
        let len = wire.first().map_or(0, |len| usize::from(*len));
        wire.get(1..=len).map_or(parent, |label| self.extend_unfolded(parent, label))
    }

    fn extend_unfolded(&self, rest: u64, label: &[u8]) -> u64 {
        let mut folded = [0; 64];
        folded[0] = label.len() as u8;
        folded[1..=label.len()].copy_from_slice(label);
        folded[..=label.len()].make_ascii_lowercase();
        self.extend(rest, &folded[..=label.len()])
    }
}

/// A name cut into its suffixes. Suffix 0 is the whole name, suffix `label_count` the root.
pub struct Suffixes {
    folded: [u8; NAME_LEN_MAX],
    len: usize,
    count: usize,
    starts: [u8; LABEL_COUNT_MAX + 1],
    hashes: [u64; LABEL_COUNT_MAX + 1],
    /// Where each suffix stands in the message that is being written.
    at: [u16; LABEL_COUNT_MAX + 1],
}

impl Suffixes {
    /// Room for a name; holds the root.
    pub fn new() -> Suffixes {
        Suffixes {
            folded: [0; NAME_LEN_MAX],
            len: 1,
            count: 0,
            starts: [0; LABEL_COUNT_MAX + 1],
            hashes: [Seed::ROOT; LABEL_COUNT_MAX + 1],
            at: [QNAME_AT; LABEL_COUNT_MAX + 1],
        }
    }

    /// Takes the name that stands at `at` in `message`, pointers followed. False if there is no sound name.
    pub fn load(&mut self, message: &[u8], at: usize, seed: &Seed) -> bool {
        if self.cut(message, at).is_none() {
            return false;
        }
        self.folded[..self.len].make_ascii_lowercase();
        let mut end = self.len - 1;
        self.hashes[self.count] = Seed::ROOT;
        for i in (0..self.count).rev() {
            let start = usize::from(self.starts[i]);
            self.hashes[i] = seed.extend(self.hashes[i + 1], &self.folded[start..end]);
            end = start;
        }
        true
    }

    /// Copies labels and notes where they start. Bounded by the octets of a name, and by each pointer leading back.
    fn cut(&mut self, message: &[u8], mut at: usize) -> Option<()> {
        (self.len, self.count) = (0, 0);
        loop {
            let len = *message.get(at)?;
            if len >= 0xc0 {
                let target = usize::from(len & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                if target >= at {
                    return None;
                }
                at = target;
                continue;
            }
            let label = message.get(at..at + 1 + usize::from(len))?;
            self.folded.get_mut(self.len..self.len + label.len())?.copy_from_slice(label);
            *self.starts.get_mut(self.count)? = self.len as u8;
            self.at[self.count] = at as u16;
            self.len += label.len();
            if len == 0 {
                return Some(());
            }
            self.count += 1;
            at += label.len();
        }
    }

    /// Labels of the name, the root not counted.
    pub fn label_count(&self) -> usize {
        self.count
    }

    /// The whole name, folded, in wire format.
    pub fn name(&self) -> &[u8] {
        &self.folded[..self.len]
    }

    /// The suffix of `depth` labels, folded, in wire format.
    pub fn suffix(&self, depth: usize) -> &[u8] {
        self.folded.get(self.start(depth)..self.len).unwrap_or(&[])
    }

    /// The hash of the suffix of `depth` labels.
    pub fn hash(&self, depth: usize) -> u64 {
        self.hashes[self.index(depth)]
    }

    /// Where the suffix of `depth` labels stands in the message.
    pub fn at(&self, depth: usize) -> u16 {
        self.at[self.index(depth)]
    }

    /// The suffix of `depth` labels without that of `apex_depth` labels: an owner relative to its zone.
    pub fn relative(&self, depth: usize, apex_depth: usize) -> &[u8] {
        self.folded.get(self.start(depth)..self.start(apex_depth)).unwrap_or(&[])
    }

    /// The label, length octet included, that the suffix of `depth` labels begins with; `depth` is at least 1.
    pub fn label(&self, depth: usize) -> &[u8] {
        self.relative(depth, depth.saturating_sub(1))
    }

    fn index(&self, depth: usize) -> usize {
        self.count - depth.min(self.count)
    }

    fn start(&self, depth: usize) -> usize {
        usize::from(self.starts[self.index(depth)])
    }
}

impl Default for Suffixes {
    fn default() -> Suffixes {
        Suffixes::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_suffixes_hash_alike() {
        let seed = Seed::new(7);
        let mut suffixes = Suffixes::new();
        let message = b"\0\0\0\0\0\0\0\0\0\0\0\0\x03WwW\x01a\0\x03ftp\xc0\x10";
        assert!(suffixes.load(message, 12, &seed));
        assert_eq!(suffixes.name(), b"\x03www\x01a\0");
        let name = |text| seed.hash(&Name::parse(text, &Name::root()).unwrap());
        assert_eq!(suffixes.hash(2), name("www.A."));
        assert_eq!(suffixes.hash(1), name("a."));
        assert_eq!((suffixes.at(2), suffixes.at(1), suffixes.at(0)), (12, 16, 18));

        assert!(suffixes.load(message, 19, &seed));
        assert_eq!(suffixes.name(), b"\x03ftp\x01a\0");
        assert_eq!((suffixes.at(2), suffixes.at(1)), (19, 16));
        assert_eq!(suffixes.relative(2, 1), b"\x03ftp");
        assert_eq!(suffixes.label(2), b"\x03ftp");
    }

    #[test]
    fn pointers_only_lead_back() {
        let mut suffixes = Suffixes::new();
        let seed = Seed::new(7);
        for bad in [&b"\xc0\0"[..], b"\xc0\x02\xc0\0", b"\x01a", b"\x01a\xc0\0\0", b"", b"\xc0"] {
            assert!(!suffixes.load(bad, 0, &seed), "{bad:?}");
        }
    }
}
