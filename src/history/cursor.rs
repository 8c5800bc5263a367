//! How far somebody who is told of the log has been told, kept so that they hear the rest after a restart.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::number::Revision;

use super::durable::{StoreError, make_folder, sync_folder, write_durably};

/// A place in the log, in a file of its own.
#[derive(Clone, Debug)]
pub struct Cursor {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    revision: u64,
}

impl Cursor {
    /// The cursor `name` in the folder `state`.
    pub fn of(state: &Path, name: &str) -> Cursor {
        Cursor { path: state.join(format!("{name}.json")) }
    }

    /// Where it stands; none if it was never set.
    pub fn read(&self) -> Result<Option<Revision>, StoreError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::Io(self.path.clone(), error)),
        };
        let kept: Kept =
            serde_json::from_slice(&bytes).map_err(|_| StoreError::Corrupt(self.path.clone()))?;
        Ok(Some(Revision(kept.revision)))
    }

    /// Sets it durably.
    pub fn set(&self, revision: Revision) -> Result<(), StoreError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        make_folder(folder)?;
        write_durably(&self.path, format!("{{\"revision\": {}}}\n", revision.0).as_bytes())?;
        sync_folder(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_where_it_was_set_and_says_what_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let cursor = Cursor::of(&dir.path().join("state"), "webhook");
        assert_eq!(cursor.read().unwrap(), None);
        for revision in [7, u64::MAX] {
            cursor.set(Revision(revision)).unwrap();
            assert_eq!(cursor.read().unwrap(), Some(Revision(revision)));
        }
        std::fs::write(dir.path().join("state/webhook.json"), "{\"revision\": 1").unwrap();
        assert!(matches!(cursor.read(), Err(StoreError::Corrupt(_))));
    }
}
