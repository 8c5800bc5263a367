//! Files that stand whole or not at all, in folders that one process has; and what the disk may refuse.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::number::{Digest, Generation};

/// How a file is called until it is whole.
const ASIDE: &str = "part";

/// What the disk refused, or what is wrong with what it holds.
#[derive(Debug)]
pub enum StoreError {
    /// The disk failed.
    Io(PathBuf, std::io::Error),
    /// Another process has the folder.
    InUse(PathBuf),
    /// A newer binary wrote it, in this format.
    Newer(PathBuf, u32),
    /// There is no such generation, or it is no longer kept.
    Unknown(Generation),
    /// What is there is not what was written.
    Corrupt(PathBuf),
    /// An object in this pack is not what was written.
    Damaged(PathBuf, Digest),
    /// Something that a generation leads to is not there.
    Missing(Digest),
}

impl StoreError {
    /// Whether what was to be read is not there, as when it was let go meanwhile.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            StoreError::Io(_, error) => error.kind() == ErrorKind::NotFound,
            StoreError::Missing(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            StoreError::InUse(path) => {
                write!(f, "{}: another process has it; stop that one first", path.display())
            }
            StoreError::Newer(path, format) => write!(
                f,
                "{}: a newer homing wrote it, in format {format}; start that one",
                path.display()
            ),
            StoreError::Unknown(generation) => write!(f, "generation {generation} is not kept"),
            StoreError::Corrupt(path) => write!(f, "{}: not what was written", path.display()),
            StoreError::Damaged(path, digest) => {
                write!(f, "{}: object {digest} is not what was written", path.display())
            }
            StoreError::Missing(digest) => write!(f, "object {digest} is not there"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Takes the lock at `path` for as long as the file lives.
pub(super) fn lock(path: &Path) -> Result<fs::File, StoreError> {
    let io = |e| StoreError::Io(path.to_owned(), e);
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Makes a folder, with those above it that are missing, so that it stands after a power cut too.
pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !is_here(path)).collect();
    fs::create_dir_all(folder).map_err(|e| StoreError::Io(folder.to_owned(), e))?;
    missing.into_iter().filter_map(Path::parent).try_for_each(|above| {
        let here = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        sync_folder(here)
    })
}

/// The end of a relative path stands for the working folder.
fn is_here(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.exists()
}

/// The paths in a folder, sorted.
pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let paths = fs::read_dir(folder).and_then(|d| d.map(|e| e.map(|e| e.path())).collect());
    let mut paths: Vec<PathBuf> = paths.map_err(|e| StoreError::Io(folder.to_owned(), e))?;
    paths.sort();
    Ok(paths)
}

/// Writes a file so that it stands whole or not at all: aside, synced, renamed. The caller syncs the folder.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_durably_with(path, |file| file.write_all(bytes))
}

/// As [`write_durably`], with what `write` makes of the file.
pub(super) fn write_durably_with(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let aside = path.with_extension(ASIDE);
    let written = fs::File::create(&aside).and_then(|mut file| {
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    });
    written.map_err(|error| {
        // A full disk is the likely cause: what was begun gives its room back.
        let _ = fs::remove_file(&aside);
        StoreError::Io(path.to_owned(), error)
    })
}

/// Removes what a killed process began in `folder` and did not rename.
pub(super) fn sweep(folder: &Path) -> Result<(), StoreError> {
    let is_aside = |path: &&PathBuf| path.extension().is_some_and(|e| e == ASIDE);
    listed(folder)?.iter().filter(is_aside).try_for_each(|path| remove(path))
}

/// Makes what was renamed or removed in `folder` durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = fs::File::open(folder).and_then(|handle| handle.sync_all());
    synced.map_err(|e| StoreError::Io(folder.to_owned(), e))
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::Io(path.to_owned(), error))
        }
        _ => Ok(()),
    }
}
