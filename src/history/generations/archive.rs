//! What is kept, to be read: by its writer, or by anybody else while a server runs and when none does.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::fileset::{FileSet, is_database};
use crate::history::durable::{StoreError, listed};
use crate::number::{Digest, Generation};

use super::legacy;
use super::manifest::{self, Entry};
use super::pack::Packs;
use super::tree::{Change, Lists, TreeReader};

/// How often a reading begins anew because the server let go of what it needs, or moved it.
const ATTEMPT_COUNT: usize = 3;

/// A generation read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Which, and why it was.
    pub entry: Entry,
    /// Its files.
    pub files: FileSet,
    /// Geo databases of it that are no longer kept.
    pub missing: Vec<String>,
}

/// The generations of one `state` folder as they were when it was opened. Takes no lock and writes nothing.
///
/// ```
/// use homing::history::Archive;
///
/// # fn example() -> Result<(), homing::history::StoreError> {
/// let archive = Archive::open("state".as_ref())?;
/// for entry in archive.list() {
///     println!("{} {} {}", entry.generation, entry.cause.kind, entry.tally.files);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    pub(super) entries: BTreeMap<Generation, Entry>,
    /// Generations that cannot be read, and may lead to what we cannot know of.
    pub(super) damaged: BTreeMap<Generation, StoreError>,
    pub(super) packs: Packs,
}

impl Archive {
    /// Opens the archive in the folder `state`, which a server may be writing to.
    ///
    /// Errors: there is none, a newer binary wrote it, or the disk fails. Damaged generations are no error.
    pub fn open(state: &Path) -> Result<Archive, StoreError> {
        Archive::load(&folder_of(state))
    }

    /// The generations that are kept, newest first.
    pub fn list(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values().rev()
    }

    /// One of them.
    pub fn entry(&self, generation: Generation) -> Option<&Entry> {
        self.entries.get(&generation)
    }

    /// The generation that was the newest at a time, in milliseconds of the Unix epoch; none if that is no longer kept.
    pub fn at(&self, time_millis: u64) -> Option<&Entry> {
        self.list().find(|entry| entry.time_millis <= time_millis)
    }

    /// The newest generation that can be read.
    pub fn newest(&self) -> Option<Restored> {
        self.list().find_map(|entry| self.read(entry.generation).ok())
    }

    /// Whether a content that is kept whole, as databases are, is here.
    pub fn holds(&self, digest: Digest) -> bool {
        self.packs.contains(digest)
    }

    /// A content that is kept whole, as databases are.
    ///
    /// Errors are those of [`Archive::read`].
    pub fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.packs.reader().read(digest)
    }

    /// The files of a generation, each checked against its digest.
    ///
    /// Errors: it is not kept (any more: a server may let go of it at any time), it is damaged, or the disk fails.
    pub fn read(&self, generation: Generation) -> Result<Restored, StoreError> {
        self.attempt(generation, |archive| archive.restore(generation))
    }

    /// As [`Archive::read`], of the files whose paths are `wanted` alone.
    pub fn read_some(
        &self,
        generation: Generation,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Restored, StoreError> {
        self.attempt(generation, |archive| archive.restore_some(generation, &wanted))
    }

    /// The digest of each file of a generation, by path. Errors are those of [`Archive::read`].
    pub fn paths(&self, generation: Generation) -> Result<BTreeMap<String, Digest>, StoreError> {
        self.attempt(generation, |archive| archive.listing(generation))
    }

    /// How the files of `new` differ from those of `old`, in path order; the less, the faster. Errors are those of
    /// [`Archive::read`].
    pub fn changes(&self, old: Generation, new: Generation) -> Result<Vec<Change>, StoreError> {
        self.attempt(new, |archive| archive.differences(old, new))
    }

    pub(super) fn load(folder: &Path) -> Result<Archive, StoreError> {
        let (mut entries, mut damaged) = (BTreeMap::new(), BTreeMap::new());
        for path in listed(&folder.join(MANIFESTS))? {
            let Some(number) = manifest::number_of(&path) else { continue };
            match read_manifest(folder, number) {
                Ok((entry, _)) => drop(entries.insert(number, entry)),
                Err(newer @ StoreError::Newer(..)) => return Err(newer),
                // Let go between the listing and the look.
                Err(error) if error.is_gone() => {}
                Err(error) => drop(damaged.insert(number, error)),
            }
        }
        // By objects-before-manifest, what is looked at second has all that the first leads to.
        let packs = match Packs::open(&folder.join(PACKS)) {
            Err(StoreError::Io(_, error)) if error.kind() == ErrorKind::NotFound => {
                Packs::default()
            }
            opened => opened?,
        };
        Ok(Archive { folder: folder.to_owned(), entries, damaged, packs })
    }

    /// Reads; where what is needed is gone or elsewhere, with the eyes of now.
    fn attempt<T>(
        &self,
        generation: Generation,
        read: impl Fn(&Archive) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut outcome = read(self);
        for _ in 1..ATTEMPT_COUNT {
            if !outcome.as_ref().is_err_and(StoreError::is_gone) {
                break;
            }
            let now = Archive::load(&self.folder)?;
            if !now.entries.contains_key(&generation) {
                return Err(StoreError::Unknown(generation));
            }
            outcome = read(&now);
        }
        outcome
    }

    pub(super) fn restore(&self, generation: Generation) -> Result<Restored, StoreError> {
        self.restore_some(generation, &|_| true)
    }

    fn restore_some(
        &self,
        generation: Generation,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Restored, StoreError> {
        let Some(root) = self.known(generation)?.root else {
            let mut restored = self.restore_flat(generation)?;
            restored.files.files.retain(|path, _| wanted(path));
            restored.missing.retain(|path| wanted(path));
            return Ok(restored);
        };
        let entry = self.known(generation)?.clone();
        let mut restored = Restored { entry, files: FileSet::default(), missing: Vec::new() };
        let mut trees = self.trees();
        for leaf in trees.leaves(root)?.into_iter().filter(|leaf| wanted(&leaf.path)) {
            if is_database(&leaf.path) && !self.packs.contains(leaf.digest) {
                restored.missing.push(leaf.path);
                continue;
            }
            let file = trees.content(&leaf)?;
            restored.files.files.insert(leaf.path, file);
        }
        Ok(restored)
    }

    pub(super) fn restore_flat(&self, generation: Generation) -> Result<Restored, StoreError> {
        let (entry, paths) = read_manifest(&self.folder, generation)?;
        let blobs = self.folder.join(BLOBS);
        let (files, missing) = legacy::read_files(&blobs, &paths.unwrap_or_default(), is_database)?;
        Ok(Restored { entry, files, missing })
    }

    pub(super) fn listing(
        &self,
        generation: Generation,
    ) -> Result<BTreeMap<String, Digest>, StoreError> {
        match self.known(generation)?.root {
            Some(root) => {
                let leaves = self.trees().leaves(root)?;
                Ok(leaves.into_iter().map(|leaf| (leaf.path, leaf.digest)).collect())
            }
            None => Ok(read_manifest(&self.folder, generation)?.1.unwrap_or_default()),
        }
    }

    pub(super) fn differences(
        &self,
        old: Generation,
        new: Generation,
    ) -> Result<Vec<Change>, StoreError> {
        if let (Some(old), Some(new)) = (self.known(old)?.root, self.known(new)?.root) {
            return self.trees().changes(old, new);
        }
        let (old, new) = (self.listing(old)?, self.listing(new)?);
        let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
        paths.sort();
        paths.dedup();
        let change = |path: &String| Change {
            path: path.clone(),
            old: old.get(path).copied(),
            new: new.get(path).copied(),
        };
        Ok(paths.into_iter().map(change).filter(|change| change.old != change.new).collect())
    }

    /// The lists of chunks of a generation.
    pub(super) fn lists(&self, root: Digest) -> Result<Lists, StoreError> {
        let leaves = self.trees().leaves(root)?;
        Ok(leaves.into_iter().filter_map(|leaf| Some((leaf.digest, leaf.list?))).collect())
    }

    pub(super) fn trees(&self) -> TreeReader<'_> {
        TreeReader::new(self.packs.reader())
    }

    pub(super) fn manifests(&self) -> PathBuf {
        self.folder.join(MANIFESTS)
    }

    /// Where version 0.1 kept contents.
    pub(super) fn blobs(&self) -> PathBuf {
        self.folder.join(BLOBS)
    }

    fn known(&self, generation: Generation) -> Result<&Entry, StoreError> {
        self.entries.get(&generation).ok_or(StoreError::Unknown(generation))
    }
}

pub(super) const MANIFESTS: &str = "generations";
pub(super) const PACKS: &str = "packs";
const BLOBS: &str = "blobs";

/// The folder of generations within a `state` folder.
pub(super) fn folder_of(state: &Path) -> PathBuf {
    state.join("generations")
}

/// A manifest of any format, and in the flat one the digest of each file.
pub(super) fn read_manifest(
    folder: &Path,
    generation: Generation,
) -> Result<(Entry, Option<legacy::Files>), StoreError> {
    let manifests = folder.join(MANIFESTS);
    match manifest::read(&manifests, generation)? {
        manifest::Read::Ours(entry) => Ok((*entry, None)),
        manifest::Read::Flat(text) => {
            let read = legacy::read_manifest(&text).filter(|(e, _)| e.generation == generation);
            let corrupt = StoreError::Corrupt(manifest::path_of(&manifests, generation));
            read.map(|(entry, files)| (entry, Some(files))).ok_or(corrupt)
        }
    }
}
