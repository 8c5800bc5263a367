//! The files of the log: their names, and writing them so that a crash leaves the old or the new.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::LogError;

/// The version of everything under `state/log`.
const FORMAT: &str = "1";

/// What the files of a kind end with, after the revision in twenty digits.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Events; the revision is that of the first.
    Segment,
    /// The fold of all events up to the revision.
    Fold,
}

impl Kind {
    const fn ending(self) -> &'static str {
        match self {
            Kind::Segment => ".log",
            Kind::Fold => ".fold",
        }
    }
}

/// The path of a file.
pub(super) fn path_of(folder: &Path, kind: Kind, revision: u64) -> PathBuf {
    folder.join(format!("{revision:020}{}", kind.ending()))
}

/// The files of a kind by revision, ascending. Other files are not ours to judge.
pub(super) fn list(folder: &Path, kind: Kind) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let failed = |e| LogError::io("list the folder", folder, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if let Some(digits) = name.strip_suffix(kind.ending())
            && digits.len() == 20
            && let Ok(revision) = digits.parse()
        {
            found.push((revision, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LogError> {
    fs::read(path).map_err(|e| LogError::io("read", path, e))
}

/// Makes what was created, renamed or removed in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    let synced = File::open(folder).and_then(|f| f.sync_all());
    synced.map_err(|e| LogError::io("sync the folder", folder, e))
}

/// Writes a whole file under its name, or leaves what was there.
pub(super) fn replace(folder: &Path, path: &Path, parts: &[&[u8]]) -> Result<(), LogError> {
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = File::create(&fresh)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    if let Err(e) = write() {
        // What is left of it is overwritten by the next attempt; on a full disk it must not stay.
        let _ = fs::remove_file(&fresh);
        return Err(LogError::io("write", path, e));
    }
    sync_folder(folder)
}

/// Takes the lock of the state folder. It lasts as long as the file is open, and ends with the process.
pub(super) fn lock(state: &Path) -> Result<File, LogError> {
    let path = state.join("lock");
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|e| LogError::io("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(LogError::Locked { path }),
        Err(fs::TryLockError::Error(e)) => Err(LogError::io("lock", &path, e)),
    }
}

/// Checks the format version, and writes it into a new folder.
pub(super) fn check_format(folder: &Path) -> Result<(), LogError> {
    let path = folder.join("format");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim() == FORMAT => Ok(()),
        Ok(text) => {
            let found = text.trim().chars().take(20).collect();
            Err(LogError::Newer { path, found })
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            replace(folder, &path, &[FORMAT.as_bytes(), b"\n"])
        }
        Err(e) => Err(LogError::io("read", &path, e)),
    }
}
