//! Counters of queries: plain memory that one core owns and adds to, summed when somebody looks.

use std::sync::atomic::{AtomicU64, Ordering};

/// One core's counters. Only the owning core writes, so an add is a load and a store, never a locked instruction.
#[derive(Debug, Default)]
pub struct Counters {
    /// Queries received.
    pub queries: AtomicU64,
}

impl Counters {
    /// Adds one to a counter that only the calling core writes.
    #[inline]
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }
}
