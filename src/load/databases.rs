//! The geo databases of one state of files, read and merged: each file is read, and only ranges of places stay.
//!
//! Owns: worlds by the contents they were made of, and what each content tells of itself, for the terms that a new one
//! has to meet.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::{File, FileSet, is_database};
use crate::geo::{Source, World};
use crate::number::Digest;

use super::forms::{bug, in_parallel};
use super::terms::Terms;

/// What came of the databases of one state of files.
pub(super) struct Compiled {
    /// The hash of their paths and contents.
    pub(super) digest: Digest,
    /// All that they know; the built-in table where there is none.
    pub(super) world: Arc<World>,
    /// Those that cannot be read, and why.
    pub(super) faults: Vec<Unfit>,
    /// Whether the next try may find more: what is read again may be back by then.
    pub(super) is_passing: bool,
}

/// A file that cannot be published.
#[derive(Clone)]
pub(super) struct Unfit {
    /// Its path.
    pub(super) path: String,
    /// What goes back for it: the file, or where it is not to blame, those beside it.
    pub(super) involved: Vec<String>,
    /// Why.
    pub(super) said: Vec<Diagnostic>,
}

/// The databases that were compiled lately.
#[derive(Default)]
pub(super) struct Databases {
    terms: Terms,
    compiled: Vec<Arc<Compiled>>,
    /// What contents told of themselves when they were read: those compiled, and those that serve.
    told: HashMap<Digest, Source>,
}

impl Databases {
    /// Nothing was read yet; `terms` are what new ones have to meet.
    pub(super) fn new(terms: Terms) -> Databases {
        Databases { terms, ..Databases::default() }
    }

    /// The databases among `files`, merged.
    pub(super) fn compile(&mut self, files: &FileSet) -> Arc<Compiled> {
        let parts = || files.files.below("geo/").filter(|(path, _)| is_database(path));
        let digest = Digest::of_parts(parts().map(|(path, file)| (path.as_str(), file.digest)));
        if let Some(known) = self.compiled.iter().find(|known| known.digest == digest) {
            return Arc::clone(known);
        }
        let (mut faults, mut worlds) = (Vec::new(), Vec::new());
        let read =
            in_parallel(parts().collect(), |(path, file)| (*path, file.digest, read(path, file)));
        for (path, digest, read) in read {
            match read {
                Ok(world) => {
                    self.told.extend(world.sources.first().map(|told| (digest, told.clone())));
                    worlds.push(world);
                }
                Err(said) => {
                    let involved = match is_lost(&said) {
                        true => parts().map(|(path, _)| path.clone()).collect(),
                        false => vec![path.clone()],
                    };
                    faults.push(Unfit { path: path.clone(), involved, said });
                }
            }
        }
        if !faults.is_empty() {
            // Without one of its files it is a state that nobody asked for: the next try has that file as it served.
            worlds.clear();
        }
        let is_passing = faults.iter().any(|unfit| is_lost(&unfit.said));
        let compiled = Arc::new(Compiled { digest, world: merged(worlds), faults, is_passing });
        if !is_passing {
            self.compiled.push(Arc::clone(&compiled));
        }
        compiled
    }

    /// The databases that differ from what `serving` has in their place, and do not meet the terms.
    pub(super) fn absurd(
        &mut self,
        files: &FileSet,
        serving: &FileSet,
        now_secs: Option<u64>,
    ) -> Vec<Unfit> {
        let mut faults = Vec::new();
        for (path, file) in files.files.below("geo/").filter(|(path, _)| is_database(path)) {
            let before = serving.get(path).filter(|before| before.digest != file.digest);
            if before.is_none() && serving.get(path).is_some() {
                continue;
            }
            let Some(told) = self.told.get(&file.digest).cloned() else { continue };
            let before = before.and_then(|before| self.networks(path, before));
            let said = self.terms.judge(path, &told, before, now_secs);
            if !said.is_empty() {
                faults.push(Unfit { path: path.clone(), involved: vec![path.clone()], said });
            }
        }
        faults
    }

    /// What is to be said of the databases that serve.
    pub(super) fn remarks(&self, sources: &[Source], now_secs: Option<u64>) -> Vec<Diagnostic> {
        sources.iter().flat_map(|source| self.terms.remarks(source, now_secs)).collect()
    }

    /// Forgets all but those whose hashes are `wanted`, and what they were made of.
    pub(super) fn retain(&mut self, wanted: &BTreeSet<Digest>) {
        self.compiled.retain(|known| wanted.contains(&known.digest));
        if self.told.len() > TOLD_COUNT_MAX {
            self.told.clear();
        }
    }

    /// How many networks a database that serves lists. After a restart it may be one that was not read yet.
    fn networks(&mut self, path: &str, file: &File) -> Option<usize> {
        if let Some(told) = self.told.get(&file.digest) {
            return Some(told.networks);
        }
        let told = read(path, file).ok()?.sources.first()?.clone();
        let networks = told.networks;
        self.told.insert(file.digest, told);
        Some(networks)
    }
}

/// The code of a database that serves and cannot be read again.
const LOST: &str = "geo-database-lost";

fn is_lost(said: &[Diagnostic]) -> bool {
    said.iter().any(|said| said.code == LOST)
}

/// Contents of which it is remembered what they told: a guess, years of daily databases.
const TOLD_COUNT_MAX: usize = 1000;

fn read(path: &str, file: &File) -> Result<World, Vec<Diagnostic>> {
    // Rule 7: a file cannot end the process, not even by a fault of ours.
    let read = || {
        let bytes = file.content().ok_or_else(|| vec![lost(path)])?;
        match path.ends_with(".csv") {
            true => World::from_flat(path, &bytes),
            false => World::from_mmdb(path, &bytes).map_err(|said| vec![said]),
        }
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(vec![bug(path)]))
}

/// It serves, memory has let go of it, and it is neither on the disk nor kept any more: what changed beside it waits.
fn lost(path: &str) -> Diagnostic {
    let what = "the database that serves cannot be read again, as a change beside it needs";
    Diagnostic::error(LOST, Place::file(path), what)
        .consequence("what was compiled of it serves on, and the change beside it waits")
        .help("put the file back, or a newer one; is state/ readable?")
}

/// The operator's databases, or the built-in table without one (DESIGN §3).
fn merged(worlds: Vec<World>) -> Arc<World> {
    // Unpacked once in a process: `diff` and `whatif` build twice, tests many times.
    static BUILT_IN: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::built_in()));
    if worlds.is_empty() { Arc::clone(&BUILT_IN) } else { Arc::new(World::merge(worlds)) }
}
