//! What steering stands on: the regions, and all that is known of addresses.
//!
//! Owns: geo/ compiled, each content once. Databases are read here and dropped; only ranges of places stay.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use crate::diagnostic::{Diagnostic, has_error};
use crate::fileset::FileSet;
use crate::geo::{Overrides, World};
use crate::number::Digest;
use crate::route::{Regions, parse_regions};

use super::forms::bug;
use super::retreat::{Fault, Reach};

const REGIONS: &str = "geo/regions.toml";
const OVERRIDES: &str = "geo/overrides.csv";

/// Regions and world, as one set of files gives them.
pub(super) struct Ground {
    /// The hash of all that it was made of.
    pub(super) digest: Digest,
    /// The regions.
    pub(super) regions: Arc<Regions>,
    /// Addresses to places.
    pub(super) world: Arc<World>,
    /// What cannot be published.
    pub(super) faults: Vec<(String, Vec<Diagnostic>)>,
    /// What can, with a word about it.
    pub(super) remarks: Vec<Diagnostic>,
}

impl Ground {
    /// What is wrong with databases.
    pub(super) fn broken_databases(&self) -> impl Iterator<Item = &Diagnostic> {
        self.faults.iter().filter(|(path, _)| path.ends_with(".mmdb")).flat_map(|(_, said)| said)
    }

    /// The faults of single files, each refused by itself.
    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> {
        self.faults.iter().map(|(path, said)| Fault {
            primary: path.clone(),
            involved: match path.as_str() {
                // Overrides name regions: an edit of both goes back as one.
                OVERRIDES => vec![path.clone(), REGIONS.to_owned()],
                _ => vec![path.clone()],
            },
            reach: Reach::Involved,
            route: None,
            said: said.clone(),
        })
    }
}

/// The last few grounds, and the databases that they stand on.
#[derive(Default)]
pub(super) struct Grounds {
    known: Vec<Kept<Ground>>,
    databases: Vec<Kept<Database>>,
}

struct Kept<T> {
    digest: Digest,
    value: Arc<T>,
    wanted: bool,
}

/// What came of the databases.
struct Database {
    world: Arc<World>,
    faults: Vec<(String, Vec<Diagnostic>)>,
}

impl Grounds {
    /// The ground that `files` give.
    pub(super) fn compile(&mut self, files: &FileSet) -> Arc<Ground> {
        let parts = files.files.iter().filter(|(path, _)| path.starts_with("geo/"));
        let digest = Digest::of_parts(parts.map(|(path, file)| (path.as_str(), file.digest)));
        if let Some(known) = find(&mut self.known, digest) {
            return known;
        }
        let database = self.database(files);
        let value = Arc::new(ground(files, digest, &database));
        self.known.push(Kept { digest, value: Arc::clone(&value), wanted: true });
        value
    }

    fn database(&mut self, files: &FileSet) -> Arc<Database> {
        let parts = || files.files.iter().filter(|(path, _)| path.ends_with(".mmdb"));
        let digest = Digest::of_parts(parts().map(|(path, file)| (path.as_str(), file.digest)));
        if let Some(known) = find(&mut self.databases, digest) {
            return known;
        }
        let mut faults = Vec::new();
        let mut worlds = Vec::new();
        for (path, file) in parts() {
            // Rule 7: a file cannot end the process, not even by a fault of ours.
            let read = || World::from_mmdb(path, &file.bytes).map_err(Box::new);
            match catch_unwind(AssertUnwindSafe(read)) {
                Ok(Ok(world)) => worlds.push(world),
                Ok(Err(said)) => faults.push((path.clone(), vec![*said])),
                Err(_) => faults.push((path.clone(), vec![bug(path)])),
            }
        }
        let value = Arc::new(Database { world: database(worlds), faults });
        self.databases.push(Kept { digest, value: Arc::clone(&value), wanted: true });
        value
    }

    /// Forgets what nobody has asked for since the last call.
    pub(super) fn forget_unwanted(&mut self) {
        self.known.retain_mut(|k| std::mem::take(&mut k.wanted));
        let known = &self.known;
        // A ground that is known needs its database only when the rest of it changes, which is when it is needed soon.
        self.databases.retain_mut(|k| std::mem::take(&mut k.wanted) || !known.is_empty());
        let excess = self.databases.len().saturating_sub(2);
        self.databases.drain(..excess);
    }
}

fn find<T>(kept: &mut [Kept<T>], digest: Digest) -> Option<Arc<T>> {
    let found = kept.iter_mut().find(|k| k.digest == digest)?;
    found.wanted = true;
    Some(Arc::clone(&found.value))
}

fn ground(files: &FileSet, digest: Digest, database: &Database) -> Ground {
    let mut faults = database.faults.clone();
    let mut remarks = Vec::new();
    let mut sort = |path: &str, said: Vec<Diagnostic>| match has_error(&said) {
        true => faults.push((path.to_owned(), said)),
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
            world = Arc::new(World::clone(&world).with_overrides(&overrides));
        }
    }
    Ground { digest, regions: Arc::new(regions), world, faults, remarks }
}

/// The operator's databases, or the built-in table without one (DESIGN §3).
fn database(worlds: Vec<World>) -> Arc<World> {
    // Unpacked once in a process: `diff` and `whatif` build twice, tests many times.
    static BUILT_IN: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::built_in()));
    if worlds.is_empty() { Arc::clone(&BUILT_IN) } else { Arc::new(World::merge(worlds)) }
}
