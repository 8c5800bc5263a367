//! The snapshot: everything an answer is made from. Immutable once published.

use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};
use crate::route::{Plan, Table};

use super::catalog::Catalog;
use super::counters::SteeredSlots;

/// One state of the world. Parts are shared between snapshots: a change costs what it changed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The published state of files.
    pub generation: Generation,
    /// The position in the event log.
    pub revision: Revision,
    /// The hash of the whole state.
    pub digest: Digest,
    /// The zones.
    pub catalog: Arc<Catalog>,
    /// The policies, compiled; a `PolicyId` indexes them.
    pub plans: Arc<[Arc<Plan>]>,
    /// What each policy answers now. Invariant table-covers-plan: a row for each class of each plan.
    pub table: Table,
    /// Which counter belongs to which steered answer.
    pub steered: Arc<SteeredSlots>,
}
