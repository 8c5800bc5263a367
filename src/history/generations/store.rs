//! The one who adds to the generations, and lets go of them. One process at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::{File, FileSet};
use crate::history::durable::{StoreError, lock, make_folder, sweep, sync_folder};
use crate::number::{Digest, Generation};

use super::archive::{Archive, MANIFESTS, PACKS, Restored, folder_of};
use super::manifest::{self, Cause, Entry, Tally};
use super::prune::Limits;
use super::tree::{Change, Lists, Nodes, Planted, plant};

/// The generations in one `state` folder, held by a lock.
#[derive(Debug)]
pub struct Store {
    archive: Archive,
    limits: Limits,
    /// The number of the newest generation ever kept here.
    newest: Generation,
    /// The large contents of the newest generation: they need not be cut again.
    lists: Lists,
    /// Its pieces, if it was written here: they need not be looked through again.
    nodes: Nodes,
    problems: Vec<Diagnostic>,
    _lock: fs::File,
}

impl Store {
    /// Opens the generations of the folder `state`, making what is missing, and reads the newest that is whole.
    pub fn open(state: &Path) -> Result<(Store, Option<Restored>), StoreError> {
        Store::open_with(state, Limits::default())
    }

    /// As [`Store::open`], keeping at most `limits`. What version 0.1 kept is carried over.
    pub fn open_with(
        state: &Path,
        limits: Limits,
    ) -> Result<(Store, Option<Restored>), StoreError> {
        let folder = folder_of(state);
        for part in [MANIFESTS, PACKS] {
            make_folder(&folder.join(part))?;
        }
        let lock = lock(&folder.join(MANIFESTS).join("lock"))?;
        let archive = Archive::load(&folder)?;
        for part in [MANIFESTS, PACKS] {
            sweep(&folder.join(part))?;
        }
        let numbers = || archive.entries.keys().chain(archive.damaged.keys());
        let newest = numbers().max().copied().unwrap_or_default();
        let (lists, nodes, problems) = (Lists::default(), Nodes::default(), Vec::new());
        let mut store = Store { archive, limits, newest, lists, nodes, problems, _lock: lock };
        store.carry_over();
        let restored = store.newest_whole();
        let pruned = store.archive.prune(limits);
        store.tell_damaged();
        store.tell_overfull(pruned.err());
        Ok((store, restored))
    }

    /// Makes a state of files durable as the next generation: its number is above all that were kept here, and above
    /// `above`. `time_millis` is of the Unix epoch. Lets go of nothing: see [`Store::prune`].
    pub fn keep(
        &mut self,
        files: &FileSet,
        cause: Cause,
        time_millis: u64,
        above: Generation,
    ) -> Result<Generation, StoreError> {
        let generation = Generation(self.newest.max(above).0 + 1);
        let entry = Entry {
            generation,
            time_millis,
            cause,
            digest: files.digest(),
            tally: Tally::default(),
            root: None,
        };
        // Who lets go of contents brings those back that are not here.
        let mut away = files.files.below(DATABASES).filter(|(_, file)| file.is_away());
        if let Some((_, file)) = away.find(|(_, file)| !self.archive.holds(file.digest)) {
            return Err(StoreError::Missing(file.digest));
        }
        self.write(entry, files)?;
        self.newest = generation;
        Ok(generation)
    }

    /// Tells more of a generation: who changed its files, once that is known.
    pub fn amend(&mut self, generation: Generation, cause: Cause) -> Result<(), StoreError> {
        let known = self.archive.entries.get(&generation);
        let mut entry = known.ok_or(StoreError::Unknown(generation))?.clone();
        entry.cause = cause;
        let manifests = self.archive.manifests();
        manifest::write(&manifests, &entry)?;
        sync_folder(&manifests)?;
        self.archive.entries.insert(generation, entry);
        Ok(())
    }

    /// Lets go of the oldest generations beyond the limits, and of what nothing leads to any more. Where that fails, more
    /// is kept than need be, and [`Store::problems`] says so.
    pub fn prune(&mut self) {
        let pruned = self.archive.prune(self.limits);
        self.tell_damaged();
        self.tell_overfull(pruned.err());
    }

    /// All that is kept, to be read.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The number of the newest generation ever kept here; 0 before the first.
    pub fn newest(&self) -> Generation {
        self.newest
    }

    /// What was found damaged and left aside; and why nothing older could be let go, if it had to be and could not.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// Writes what `entry` leads to, then its manifest.
    fn write(&mut self, mut entry: Entry, files: &FileSet) -> Result<(), StoreError> {
        let node = |piece| self.nodes.get(&piece).filter(|n| self.archive.holds(n.node)).cloned();
        let list = |content| self.lists.get(&content).copied();
        let Planted { root, objects, nodes } = plant(files, node, list);
        self.archive.packs.write(&objects)?;
        entry.root = Some(root);
        entry.tally = self.tally(root, files.files.len(), entry.generation);
        // By objects-before-manifest: from here on the generation stands.
        let manifests = self.archive.manifests();
        manifest::write(&manifests, &entry)?;
        sync_folder(&manifests)?;
        self.archive.entries.insert(entry.generation, entry);
        // Only these are sure to stay: what another generation had cut is let go with it.
        self.lists = nodes.values().flat_map(|rooted| &rooted.lists).copied().collect();
        self.nodes = nodes;
        Ok(())
    }

    /// How many files `root` has, and how they differ from those before. Not known beside damage: then only how many.
    fn tally(&self, root: Digest, files: usize, generation: Generation) -> Tally {
        let before = self.archive.entries.range(..generation).next_back();
        let Some(before) = before.and_then(|(_, entry)| entry.root) else {
            return Tally { files, added: files, ..Tally::default() };
        };
        let changes = self.archive.trees().changes(before, root).unwrap_or_default();
        let count = |is: fn(&Change) -> bool| changes.iter().filter(|change| is(change)).count();
        Tally {
            files,
            added: count(|change| change.old.is_none()),
            changed: count(|change| change.old.is_some() && change.new.is_some()),
            removed: count(|change| change.new.is_none()),
        }
    }

    /// Writes the generations of version 0.1 in the format of this one, oldest first. One that cannot be stays as it is.
    fn carry_over(&mut self) {
        let is_flat = |entry: &&Entry| entry.root.is_none();
        let flat: Vec<Entry> = self.archive.entries.values().filter(is_flat).cloned().collect();
        for entry in flat {
            let generation = entry.generation;
            if let Err(error) = self.carry(entry) {
                let said = "it is kept as it is, and tried again at the next start";
                self.note("generation-not-carried-over", generation, &error, said);
            }
        }
        let blobs = self.archive.blobs();
        let is_done = self.archive.entries.values().all(|entry| entry.root.is_some());
        if is_done
            && self.archive.damaged.is_empty()
            && blobs.exists()
            && let Err(error) = fs::remove_dir_all(&blobs)
        {
            self.tell_overfull(Some(StoreError::Io(blobs, error)));
        }
    }

    fn carry(&mut self, entry: Entry) -> Result<(), StoreError> {
        let restored = self.archive.restore_flat(entry.generation)?;
        let mut files = restored.files;
        // Databases that are no longer kept: path and digest stay.
        let mut gone = self.archive.listing(entry.generation)?;
        gone.retain(|path, _| restored.missing.contains(path));
        let away = |digest| File::known(digest, []).let_go(Arc::new(|| None));
        files.files.extend(gone.into_iter().map(|(path, digest)| (path, away(digest))));
        self.write(Entry { digest: files.digest(), ..entry }, &files)
    }

    /// The newest generation that can be read.
    fn newest_whole(&mut self) -> Option<Restored> {
        let numbers: Vec<Generation> = self.archive.entries.keys().rev().copied().collect();
        for generation in numbers {
            let read = self.archive.restore(generation);
            match read.and_then(|restored| Ok((self.lists_of(&restored)?, restored))) {
                Ok((lists, restored)) => {
                    self.lists = lists;
                    return Some(restored);
                }
                Err(error) => {
                    let said = "an earlier generation stands in for it";
                    self.note("generation-unreadable", generation, &error, said);
                    if let StoreError::Damaged(_, digest) = error {
                        self.archive.packs.disown(digest);
                    }
                }
            }
        }
        None
    }

    fn lists_of(&self, restored: &Restored) -> Result<Lists, StoreError> {
        restored.entry.root.map_or(Ok(Lists::default()), |root| self.archive.lists(root))
    }

    fn tell_damaged(&mut self) {
        let known = |place: &Place| self.problems.iter().any(|problem| problem.place == *place);
        let damaged = self.archive.damaged.iter();
        let place = |generation| Place::file(self.shown(generation));
        let new = damaged.filter(|(generation, _)| !known(&place(**generation)));
        let said = "it is left as it is, and so is all that it may lead to";
        let new: Vec<Diagnostic> = new
            .map(|(generation, error)| {
                problem("generation-unreadable", place(*generation), error, said)
            })
            .collect();
        self.problems.extend(new);
    }

    fn tell_overfull(&mut self, error: Option<StoreError>) {
        self.problems.retain(|problem| problem.code != OVERFULL);
        let Some(error) = error else { return };
        let path = match &error {
            StoreError::Io(path, _) | StoreError::Damaged(path, _) => path.display().to_string(),
            _ => String::new(),
        };
        let said = "the newest generation is kept, and so is more than the limits allow";
        self.problems.push(
            Diagnostic::warning(OVERFULL, Place::file(path), error.to_string())
                .consequence(said)
                .help("see that the server may write and remove files there"),
        );
    }

    fn note(
        &mut self,
        code: &'static str,
        generation: Generation,
        error: &StoreError,
        said: &'static str,
    ) {
        let place = Place::file(self.shown(generation));
        self.problems.push(problem(code, place, error, said));
    }

    fn shown(&self, generation: Generation) -> String {
        let path: PathBuf = manifest::path_of(&self.archive.manifests(), generation);
        path.display().to_string()
    }
}

/// Where the contents lie that memory may let go of.
const DATABASES: &str = "geo/";

const OVERFULL: &str = "generations-overfull";

fn problem(code: &'static str, place: Place, error: &StoreError, said: &str) -> Diagnostic {
    Diagnostic::warning(code, place, error.to_string())
        .consequence(said)
        .help("the files on the disk are read all the same")
}
