//! A hash that is kept beside what it is taken of, so that the digest of the state costs what changed.
//!
//! Invariant hash-follows: whoever changes a thing that has a `Cached` beside it calls `forget` on it. A law in the
//! tests of the fold holds kept hashes equal to fresh ones.

use std::sync::OnceLock;

use crate::number::Digest;

/// A hash, once it was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Cached(OnceLock<Digest>);

impl Cached {
    /// The hash; `take` tells it if it is not known.
    pub fn get_or(&self, take: impl FnOnce() -> Digest) -> Digest {
        *self.0.get_or_init(take)
    }

    /// What it was taken of has changed.
    pub fn forget(&mut self) {
        self.0 = OnceLock::new();
    }
}

/// Two things are equal whether or not somebody asked for their hashes.
impl PartialEq for Cached {
    fn eq(&self, _: &Cached) -> bool {
        true
    }
}
