//! Follows one file: tells when it is another than before. By what the folder says of it, once a second: the file may come
//! by rename, or through a link that is swapped (git, Kubernetes), and none of that is missed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of a file from another; none while there is no file.
type Signature = Option<(u64, u64, u64, i64, i64)>;

/// One file, and how it was last.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    seen: Signature,
}

impl Follow {
    /// The file as it is now.
    pub fn of(path: &Path) -> Follow {
        Follow { path: path.to_owned(), seen: signature(path) }
    }

    /// Which.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until it is another. May be dropped and called again.
    pub async fn changed(&mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.has_changed() {
                return;
            }
        }
    }

    /// Whether it is another than when that was last asked.
    pub fn has_changed(&mut self) -> bool {
        let now = signature(&self.path);
        let before = std::mem::replace(&mut self.seen, now);
        before != now
    }
}

fn signature(path: &Path) -> Signature {
    let told = fs::metadata(path).ok()?;
    Some((told.dev(), told.ino(), told.len(), told.mtime(), told.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_swapped_or_removed_is_another() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("probe.toml");
        let mut follow = Follow::of(&path);
        assert!(!follow.has_changed());
        fs::write(&path, "a").unwrap();
        assert!(follow.has_changed() && !follow.has_changed());
        let other = root.path().join("other");
        fs::write(&other, "b").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(follow.has_changed() && !follow.has_changed());
        fs::remove_file(&path).unwrap();
        assert!(follow.has_changed() && !follow.has_changed());
    }
}
