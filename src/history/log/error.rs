//! What can go wrong with the log, each in one line: what, where, how to mend it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the log could not be read or written.
#[derive(Debug)]
pub enum LogError {
    /// Another server holds the folder.
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder was written by a newer version.
    Newer {
        /// The file that says so.
        path: PathBuf,
        /// Its version.
        found: String,
    },
    /// A line or a file that was once whole is not any more.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line from 1; 0 for the whole file.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Events are missing between two files.
    Gap {
        /// The file before which they are missing.
        path: PathBuf,
        /// The first revision that is missing.
        revision: u64,
    },
    /// The disk is full. Nothing of the batch was written.
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The system refused. Nothing of the batch was written.
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An event has no form in the log.
    Unwritable {
        /// What the encoder said.
        what: String,
    },
}

impl LogError {
    /// A failure of the system, told apart from a full disk.
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> LogError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LogError::Full { path },
            _ => LogError::Io { what, path, source },
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Locked { path } => write!(
                f,
                "{} is held by another server; stop it, or give this one its own `state` folder",
                path.display()
            ),
            LogError::Newer { path, found } => write!(
                f,
                "{}: format {found} was written by a newer version; run that one, or move the \
                 folder aside to start without its history",
                path.display()
            ),
            LogError::Corrupt { path, line: 0, what } => {
                write!(f, "{}: {what}; restore the file, or move it aside", path.display())
            }
            LogError::Corrupt { path, line, what } => write!(
                f,
                "{}:{line}: {what}; restore the file, or cut it before this line to lose the \
                 events from here on",
                path.display()
            ),
            LogError::Gap { path, revision } => write!(
                f,
                "{}: the events from revision {revision} on are missing before it; restore the \
                 missing file, or move this one aside",
                path.display()
            ),
            LogError::Full { path } => {
                write!(f, "{}: the disk is full; free some space", path.display())
            }
            LogError::Io { what, path, source } => {
                write!(f, "{}: could not {what}: {source}", path.display())
            }
            LogError::Unwritable { what } => write!(f, "the event cannot be written: {what}"),
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LogError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
