//! What a build gives: the parts of a snapshot, and what is to be said of the files that they were made of.

use std::sync::Arc;

use crate::answer::Catalog;
use crate::diagnostic::Diagnostic;
use crate::fileset::FileSet;
use crate::geo::{PublishedWeights, Source, World};
use crate::number::{Digest, PolicyId};
use crate::route::{Inventory, Plan, Regions};

use super::losses::Held;
use super::retreat::Refused;

/// Parts of a snapshot, made from one state of files.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The zones, with those that were never loaded.
    pub catalog: Arc<Catalog>,
    /// The policies; a `PolicyId` indexes them.
    pub plans: Arc<[Arc<Plan>]>,
    /// What health needs to know.
    pub inventory: Arc<Inventory>,
    /// The hash of the files that serve.
    pub files_digest: Digest,
    /// The hash of what the compiled geography was made of.
    pub geography_digest: Digest,
    /// Where the knowledge of addresses came from, strongest first.
    pub sources: Vec<Source>,
    /// All that is known of addresses, overrides included.
    pub world: Arc<World>,
    /// How much places weigh, where geo/weights.csv says so. No answer depends on it.
    pub weights: Option<Arc<PublishedWeights>>,
    /// The regions, with where they are.
    pub regions: Arc<Regions>,
    /// Some routed names, for people to try: presentation format.
    pub examples: Vec<(String, PolicyId)>,
    /// Counts for people.
    pub summary: Summary,
}

/// What was loaded, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Zones that serve.
    pub zones: usize,
    /// Records in them.
    pub records: usize,
    /// Routed names.
    pub routes: usize,
    /// Policies.
    pub policies: usize,
    /// Pools.
    pub pools: usize,
    /// Endpoints, each counted once in every pool.
    pub endpoints: usize,
    /// Regions.
    pub regions: usize,
    /// Zones that were never loaded, and answer SERVFAIL.
    pub broken: Vec<String>,
}

/// What came of a state of files.
#[derive(Clone, Debug)]
pub struct Built {
    /// The files that really serve: last good forms where a file was refused.
    pub serving: FileSet,
    /// The parts made of them.
    pub parts: Parts,
    /// All that is to be said, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were refused, in path order.
    pub refused: Vec<Refused>,
    /// What the guard holds.
    pub held: Vec<Held>,
    /// Files that are gone from the disk, and go when it has been quiet: build again then.
    pub waiting: Vec<String>,
    /// Whether the parts differ from what serves.
    pub changed: bool,
}
