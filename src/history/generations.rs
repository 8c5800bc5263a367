//! Generations: published states of files, kept by content, so that one can be read again.
//!
//! ```text
//! generations/0000000042.json   the manifest: number, time, cause, digest, path → digest
//! blobs/3f/3f9a…                a content, named by its digest
//! ```
//!
//! Owns:  the order of writes. Invariant blobs-before-manifest: a manifest stands only when all its contents are durable;
//!        a manifest goes before its contents do. So a process killed at any step leaves whole generations, and litter
//!        that the next start removes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::{File, FileSet};
use crate::number::{Digest, Generation};

use super::durable::{StoreError, listed, lock, make_folder, remove, sync_folder, write_durably};

/// The version of the manifests that this binary writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// Geo databases kept; older generations are read without theirs.
const DATABASE_COUNT_MAX: usize = 3;
/// Generations that stay whatever the limits say: the one that serves, and the one before it.
const GENERATION_COUNT_MIN: usize = 2;
/// Octets of the largest manifest that is read: a guess, for some millions of files.
const MANIFEST_LEN_MAX: u64 = 1 << 30;
/// Threads that write contents: a file system commits what comes together in one go.
const WRITER_COUNT: usize = 8;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Generations.
    pub count: usize,
    /// Octets of contents.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { count: 1000, bytes: 4 << 30 }
    }
}

/// What brought a generation about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// A word: `start`, `files`, `rollback`, `resume`, `accept`.
    pub kind: String,
    /// Who asked for it; empty when a file changed by itself.
    pub who: String,
    /// Why; may be empty.
    pub why: String,
}

/// One generation, without its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub generation: Generation,
    /// When it was published, in milliseconds of the Unix epoch.
    pub time_millis: u64,
    /// What brought it about.
    pub cause: Cause,
    /// The digest of its files.
    pub digest: Digest,
    /// The digest of each file, by path.
    pub files: BTreeMap<String, Digest>,
}

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

/// The generations in one folder. One process has it at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    limits: Limits,
    entries: BTreeMap<Generation, Entry>,
    /// Generations whose manifests cannot be read, and may name contents that we cannot know of.
    damaged: BTreeSet<Generation>,
    lens: BTreeMap<Digest, u64>,
    newest: Generation,
    problems: Vec<Diagnostic>,
    _lock: fs::File,
}

impl Store {
    /// Opens the generations in `folder`, making it where it is missing, and reads the newest that is whole.
    pub fn open(folder: &Path) -> Result<(Store, Option<Restored>), StoreError> {
        Store::open_with(folder, Limits::default())
    }

    /// As [`Store::open`], keeping at most `limits`.
    pub fn open_with(
        folder: &Path,
        limits: Limits,
    ) -> Result<(Store, Option<Restored>), StoreError> {
        for part in ["generations", "blobs"] {
            make_folder(&folder.join(part))?;
        }
        let lock = lock(&folder.join("generations").join("lock"))?;
        let mut store = Store {
            folder: folder.to_owned(),
            limits,
            entries: BTreeMap::new(),
            damaged: BTreeSet::new(),
            lens: BTreeMap::new(),
            newest: Generation(0),
            problems: Vec::new(),
            _lock: lock,
        };
        store.read_manifests()?;
        store.read_blobs()?;
        store.sweep()?;
        let numbers: Vec<Generation> = store.entries.keys().rev().copied().collect();
        for number in numbers {
            match store.read(number) {
                Ok(restored) => return Ok((store, Some(restored))),
                Err(error) => {
                    store.note("generation-unreadable", number, &error);
                    store.disown(&error);
                }
            }
        }
        Ok((store, None))
    }

    /// Makes a state of files durable as the next generation. `time_millis` is of the Unix epoch. What stands in the way of
    /// letting older ones go is a problem, and no error: the new one is kept.
    pub fn keep(
        &mut self,
        files: &FileSet,
        cause: Cause,
        time_millis: u64,
    ) -> Result<Generation, StoreError> {
        self.write_blobs(files)?;
        let generation = Generation(self.newest.0 + 1);
        let entry = Entry {
            generation,
            time_millis,
            cause,
            digest: files.digest(),
            files: files.files.iter().map(|(path, file)| (path.clone(), file.digest)).collect(),
        };
        // By blobs-before-manifest: from here on the generation stands.
        let path = self.manifest(generation);
        let text = serde_json::to_vec(&Manifest::from(&entry))
            .map_err(|e| StoreError::Io(path.clone(), e.into()))?;
        write_durably(&path, &text)?;
        sync_folder(&self.folder.join("generations"))?;
        self.newest = generation;
        self.entries.insert(generation, entry);
        let pruned = self.prune();
        self.problems.retain(|problem| problem.code != OVERFULL);
        if let Err(error) = pruned {
            self.problems.push(overfull(&error));
        }
        Ok(generation)
    }

    /// The files of a generation, each content checked against its digest.
    pub fn read(&self, generation: Generation) -> Result<Restored, StoreError> {
        let entry = self.entries.get(&generation).ok_or(StoreError::Unknown(generation))?;
        let mut restored =
            Restored { entry: entry.clone(), files: FileSet::default(), missing: Vec::new() };
        for (path, &digest) in &entry.files {
            if is_database(path) && !self.lens.contains_key(&digest) {
                restored.missing.push(path.clone());
                continue;
            }
            let blob = self.blob(digest);
            let bytes = fs::read(&blob).map_err(|e| StoreError::Io(blob.clone(), e))?;
            let file = File::new(bytes);
            if file.digest != digest {
                return Err(StoreError::Corrupt(blob));
            }
            restored.files.files.insert(path.clone(), file);
        }
        Ok(restored)
    }

    /// The generations that are kept, oldest first.
    pub fn list(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    /// The number of the newest generation ever kept here; 0 before the first.
    pub fn newest(&self) -> Generation {
        self.newest
    }

    /// What was found damaged when the folder was opened, and left aside; and why the last [`Store::keep`] let nothing
    /// older go, if it had to and could not.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// Reads every manifest; one that is damaged counts for its number and is left aside.
    fn read_manifests(&mut self) -> Result<(), StoreError> {
        for path in listed(&self.folder.join("generations"))? {
            let Some(number) = manifest_number(&path) else { continue };
            self.newest = self.newest.max(number);
            match read_manifest(&path, number) {
                Ok(entry) => drop(self.entries.insert(number, entry)),
                Err(newer @ StoreError::Newer(..)) => return Err(newer),
                Err(error) => {
                    self.damaged.insert(number);
                    self.note("generation-unreadable", number, &error);
                }
            }
        }
        Ok(())
    }

    fn read_blobs(&mut self) -> Result<(), StoreError> {
        for folder in listed(&self.folder.join("blobs"))?.iter().filter(|path| path.is_dir()) {
            for path in listed(folder)? {
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let Some(digest) = Digest::parse(name) else { continue };
                let len = fs::metadata(&path).map_err(|e| StoreError::Io(path.clone(), e))?.len();
                self.lens.insert(digest, len);
            }
        }
        Ok(())
    }

    /// Removes what a killed process left behind: unfinished files, and contents that no generation has.
    fn sweep(&mut self) -> Result<(), StoreError> {
        let mut folders = vec![self.folder.join("generations")];
        folders.extend(listed(&self.folder.join("blobs"))?.into_iter().filter(|p| p.is_dir()));
        for path in folders.iter().map(|f| listed(f)).collect::<Result<Vec<_>, _>>()?.concat() {
            if path.extension().is_some_and(|e| e == "part") {
                remove(&path)?;
            }
        }
        self.collect()
    }

    fn write_blobs(&mut self, files: &FileSet) -> Result<(), StoreError> {
        let mut new: BTreeMap<Digest, &File> = BTreeMap::new();
        for file in files.files.values() {
            if self.lens.get(&file.digest) != Some(&(file.bytes.len() as u64)) {
                new.insert(file.digest, file);
            }
        }
        let new: Vec<&File> = new.into_values().collect();
        let mut folders: Vec<PathBuf> =
            new.iter().filter_map(|f| Some(self.blob(f.digest).parent()?.to_owned())).collect();
        folders.sort();
        folders.dedup();
        for folder in &folders {
            fs::create_dir_all(folder).map_err(|e| StoreError::Io(folder.clone(), e))?;
        }
        let next = AtomicUsize::new(0);
        let share = || -> Result<(), StoreError> {
            while let Some(file) = new.get(next.fetch_add(1, Ordering::Relaxed)) {
                write_durably(&self.blob(file.digest), &file.bytes)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let handles: Vec<_> =
                (0..WRITER_COUNT.min(new.len())).map(|_| scope.spawn(share)).collect();
            let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            handles.into_iter().try_for_each(join)
        })?;
        folders.push(self.folder.join("blobs"));
        folders.iter().try_for_each(|folder| sync_folder(folder))?;
        self.lens.extend(new.iter().map(|file| (file.digest, file.bytes.len() as u64)));
        Ok(())
    }

    /// Lets go of the oldest generations until the limits hold; of damaged ones in their turn.
    fn prune(&mut self) -> Result<(), StoreError> {
        loop {
            let count = self.entries.len() + self.damaged.len();
            let bytes: u64 = self.lens.values().sum();
            let over = count > self.limits.count || bytes > self.limits.bytes;
            let Some(oldest) = self.oldest().filter(|_| over) else { return self.collect() };
            remove(&self.manifest(oldest))?;
            sync_folder(&self.folder.join("generations"))?;
            self.entries.remove(&oldest);
            self.damaged.remove(&oldest);
            self.collect()?;
        }
    }

    /// The generation that is to go first, if any may.
    fn oldest(&self) -> Option<Generation> {
        let whole = *self.entries.keys().next()?;
        match self.damaged.first() {
            Some(&damaged) if damaged < whole => Some(damaged),
            _ => (self.entries.len() > GENERATION_COUNT_MIN).then_some(whole),
        }
    }

    /// Removes contents that no generation has, and all geo databases but the last few. Beside a damaged manifest nothing
    /// is collected.
    fn collect(&mut self) -> Result<(), StoreError> {
        if !self.damaged.is_empty() {
            return Ok(());
        }
        let mut kept = BTreeSet::new();
        let mut databases = Vec::new();
        for (newer, entry) in self.entries.values().rev().enumerate() {
            for (path, &digest) in &entry.files {
                if !is_database(path) {
                    kept.insert(digest);
                } else if !databases.contains(&digest)
                    && (newer == 0 || databases.len() < DATABASE_COUNT_MAX)
                {
                    databases.push(digest);
                }
            }
        }
        kept.extend(databases);
        let gone: Vec<Digest> = self.lens.keys().filter(|d| !kept.contains(d)).copied().collect();
        for digest in gone {
            remove(&self.blob(digest))?;
            self.lens.remove(&digest);
        }
        Ok(())
    }

    /// A content that is not what was written is none: the next generation that has it writes it anew.
    fn disown(&mut self, error: &StoreError) {
        if let StoreError::Corrupt(path) = error
            && let Some(digest) = path.file_name().and_then(|n| Digest::parse(n.to_str()?))
        {
            self.lens.remove(&digest);
        }
    }

    fn note(&mut self, code: &'static str, number: Generation, error: &StoreError) {
        let place = Place::file(self.manifest(number).display().to_string());
        let said = Diagnostic::warning(code, place, error.to_string())
            .consequence("an earlier generation stands in for it")
            .help("the files on the disk are read all the same");
        self.problems.push(said);
    }

    fn manifest(&self, generation: Generation) -> PathBuf {
        self.folder.join("generations").join(format!("{:010}.json", generation.0))
    }

    fn blob(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join("blobs").join(name.get(..2).unwrap_or_default()).join(name)
    }
}

const OVERFULL: &str = "generations-overfull";

fn overfull(error: &StoreError) -> Diagnostic {
    let path = match error {
        StoreError::Io(path, _) => path.display().to_string(),
        _ => String::new(),
    };
    Diagnostic::warning(OVERFULL, Place::file(path), error.to_string())
        .consequence("the newest generation is kept, and so are older ones than the limits allow")
        .help("see that the server may remove files there")
}

/// A generation as it stands on the disk.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    generation: u64,
    time_millis: u64,
    cause: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    why: String,
    digest: String,
    files: BTreeMap<String, String>,
}

/// What every format of a manifest has.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

impl From<&Entry> for Manifest {
    fn from(entry: &Entry) -> Manifest {
        let files = entry.files.iter().map(|(path, digest)| (path.clone(), digest.to_string()));
        Manifest {
            format: FORMAT,
            generation: entry.generation.0,
            time_millis: entry.time_millis,
            cause: entry.cause.kind.clone(),
            who: entry.cause.who.clone(),
            why: entry.cause.why.clone(),
            digest: entry.digest.to_string(),
            files: files.collect(),
        }
    }
}

impl Manifest {
    /// The entry that was written; none when it is not what was written.
    fn into_entry(self) -> Option<Entry> {
        let digests = self.files.into_iter().map(|(path, d)| Some((path, Digest::parse(&d)?)));
        let files: BTreeMap<String, Digest> = digests.collect::<Option<_>>()?;
        let root = Digest::of_parts(files.iter().map(|(path, digest)| (path.as_str(), *digest)));
        Some(Entry {
            generation: Generation(self.generation),
            time_millis: self.time_millis,
            cause: Cause { kind: self.cause, who: self.who, why: self.why },
            digest: Digest::parse(&self.digest).filter(|digest| *digest == root)?,
            files,
        })
    }
}

fn manifest_number(path: &Path) -> Option<Generation> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".json")?;
    stem.bytes().all(|b| b.is_ascii_digit()).then(|| stem.parse().ok().map(Generation))?
}

fn read_manifest(path: &Path, number: Generation) -> Result<Entry, StoreError> {
    let io = |e| StoreError::Io(path.to_owned(), e);
    let corrupt = || StoreError::Corrupt(path.to_owned());
    if fs::metadata(path).map_err(io)?.len() > MANIFEST_LEN_MAX {
        return Err(corrupt());
    }
    let text = fs::read(path).map_err(io)?;
    let versioned: Versioned = serde_json::from_slice(&text).map_err(|_| corrupt())?;
    if versioned.format > FORMAT {
        return Err(StoreError::Newer(path.to_owned(), versioned.format));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| corrupt())?;
    let entry = manifest.into_entry().filter(|entry| entry.generation == number);
    entry.ok_or_else(corrupt)
}

fn is_database(path: &str) -> bool {
    path.ends_with(".mmdb")
}

#[cfg(test)]
mod tests;
