//! What steering stands on: the regions, and all that is known of addresses.
//!
//! Owns: geo/ compiled, each content once: the databases, and above them what the operator says.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, has_error};
use crate::fileset::{FileSet, is_database};
use crate::geo::{Overrides, PublishedWeights, World};
use crate::number::Digest;
use crate::route::{Regions, parse_regions};

use super::databases::{Compiled, Databases, Unfit};
use super::retreat::{Fault, Reach};
use super::terms::Terms;

const REGIONS: &str = "geo/regions.toml";
const OVERRIDES: &str = "geo/overrides.csv";
const WEIGHTS: &str = "geo/weights.csv";

/// Regions and world, as one set of files gives them.
pub(super) struct Ground {
    /// The hash of all that it was made of.
    pub(super) digest: Digest,
    /// The hash of the databases among it.
    databases: Digest,
    /// The regions.
    pub(super) regions: Arc<Regions>,
    /// Addresses to places.
    pub(super) world: Arc<World>,
    /// How much places weigh, where the operator says so.
    pub(super) weights: Option<Arc<PublishedWeights>>,
    /// What cannot be published.
    pub(super) faults: Vec<Unfit>,
    /// What can, with a word about it.
    pub(super) remarks: Vec<Diagnostic>,
}

impl Ground {
    /// What is wrong with databases.
    pub(super) fn broken_databases(&self) -> impl Iterator<Item = &Diagnostic> {
        self.faults.iter().filter(|unfit| is_database(&unfit.path)).flat_map(|unfit| &unfit.said)
    }

    /// The faults of single files, each refused by itself.
    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> {
        self.faults.iter().cloned().map(fault)
    }
}

fn fault(Unfit { path, involved, said }: Unfit) -> Fault {
    Fault { primary: path, involved, reach: Reach::Involved, route: None, said }
}

/// The last few grounds, and the databases that they stand on.
#[derive(Default)]
pub(super) struct Grounds {
    known: Vec<Kept<Ground>>,
    databases: Databases,
}

struct Kept<T> {
    digest: Digest,
    value: Arc<T>,
    wanted: bool,
}

impl Grounds {
    /// Nothing is known yet; `terms` are what new databases have to meet.
    pub(super) fn new(terms: Terms) -> Grounds {
        Grounds { known: Vec::new(), databases: Databases::new(terms) }
    }

    /// The ground that `files` give.
    pub(super) fn compile(&mut self, files: &FileSet) -> Arc<Ground> {
        let parts = files.files.below("geo/");
        let digest = Digest::of_parts(parts.map(|(path, file)| (path.as_str(), file.digest)));
        if let Some(known) = find(&mut self.known, digest) {
            return known;
        }
        let database = self.databases.compile(files);
        let value = Arc::new(ground(files, digest, &database));
        if !database.is_passing {
            self.known.push(Kept { digest, value: Arc::clone(&value), wanted: true });
        }
        value
    }

    /// The databases among `files` that are refused for what they are beside those of `serving`, at `now_secs`.
    pub(super) fn absurd(
        &mut self,
        files: &FileSet,
        serving: &FileSet,
        now_secs: Option<u64>,
    ) -> Vec<Fault> {
        let faults = self.databases.absurd(files, serving, now_secs).into_iter();
        faults.map(fault).collect()
    }

    /// What is to be said of the databases that serve.
    pub(super) fn remarks(&self, ground: &Ground, now_secs: Option<u64>) -> Vec<Diagnostic> {
        self.databases.remarks(&ground.world.sources, now_secs)
    }

    /// Forgets what nobody has asked for since the last call.
    pub(super) fn forget_unwanted(&mut self) {
        self.known.retain_mut(|k| std::mem::take(&mut k.wanted));
        // A ground that is known needs its databases only when the rest of it changes, which is when they are needed soon.
        let known = self.known.iter().map(|ground| ground.value.databases).collect();
        self.databases.retain(&known);
    }
}

fn find<T>(kept: &mut [Kept<T>], digest: Digest) -> Option<Arc<T>> {
    let found = kept.iter_mut().find(|k| k.digest == digest)?;
    found.wanted = true;
    Some(Arc::clone(&found.value))
}

fn ground(files: &FileSet, digest: Digest, database: &Compiled) -> Ground {
    let mut faults = database.faults.clone();
    let mut remarks = Vec::new();
    let mut sort = |path: &str, said: Vec<Diagnostic>| match has_error(&said) {
        true => {
            // Overrides name regions: an edit of both goes back as one.
            let beside = (path == OVERRIDES).then_some(REGIONS);
            let involved = [Some(path), beside].into_iter().flatten().map(str::to_owned).collect();
            faults.push(Unfit { path: path.to_owned(), involved, said });
        }
        false => remarks.extend(said),
    };
    let mut regions = Regions::default();
    if let Some(file) = files.get(REGIONS) {
        let (parsed, said) = parse_regions(REGIONS, &file.bytes);
        sort(REGIONS, said);
        regions = parsed.unwrap_or_default();
    }
    let mut world = Arc::clone(&database.world);
    if let Some(file) = files.get(OVERRIDES) {
        let names: Vec<&str> = regions.list.iter().map(|region| &*region.name).collect();
        let (overrides, said) = Overrides::parse(OVERRIDES, &file.bytes, &names);
        sort(OVERRIDES, said);
        if let Some(overrides) = overrides {
            world = Arc::new(world.with_overrides(&overrides));
        }
    }
    let mut weights = None;
    if let Some(file) = files.get(WEIGHTS) {
        let (published, said) = PublishedWeights::parse(WEIGHTS, &file.bytes);
        sort(WEIGHTS, said);
        weights = published.map(Arc::new);
    }
    let (databases, regions) = (database.digest, Arc::new(regions));
    Ground { digest, databases, regions, world, weights, faults, remarks }
}
