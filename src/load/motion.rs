//! Files that somebody is writing where they stand: not read until the writer closes them, so that no half is ever served.
//!
//! Owns:  what the watch was told of writers, and for how long that is believed.
//! Never: looks at a file. Without a watch nothing is in motion, and a file is what it was when it was read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A writer that has written nothing for so long forgot to close the file, or its end was not told to us.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// However busy the writer, the file is looked at after so long.
const BUSY_MAX: Duration = Duration::from_secs(60);
/// Files in motion at one time. Beyond them, files are read as they stand. A guess: more than any tool has open.
const COUNT_MAX: usize = 65_536;

/// The files in motion, shared by who watches and who reads. Paths are real ones, without links.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    open: Arc<Mutex<HashMap<PathBuf, Writing>>>,
}

/// When the first and the last octets were written since the file was opened.
#[derive(Clone, Copy, Debug)]
struct Writing {
    first: Instant,
    last: Instant,
}

impl Motion {
    /// Something was written to the file at `path`, and it was not closed yet.
    pub fn written(&self, path: &Path, now: Instant) {
        let mut open = self.lock();
        if open.len() >= COUNT_MAX {
            open.retain(|_, writing| writing.lasts(now));
        }
        if open.len() < COUNT_MAX || open.contains_key(path) {
            let fresh = Writing { first: now, last: now };
            let known = open.get(path).filter(|writing| writing.lasts(now));
            let writing = Writing { last: now, ..*known.unwrap_or(&fresh) };
            open.insert(path.to_path_buf(), writing);
        }
    }

    /// The file at `path` was closed, moved or removed. True if it was in motion.
    pub fn ended(&self, path: &Path) -> bool {
        self.lock().remove(path).is_some()
    }

    /// Waits until nothing is in motion, at most `time`: a writer that has just ended may not have been told of.
    pub fn settle(&self, time: Duration) {
        let begun = Instant::now();
        while !self.lock().is_empty() && begun.elapsed() < time {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether the file at `path`, by whatever links, is in motion.
    pub fn holds(&self, path: &Path, now: Instant) -> bool {
        let open = self.lock();
        if open.is_empty() {
            return false;
        }
        let real = path.canonicalize();
        let real = real.as_deref().unwrap_or(path);
        open.get(real).is_some_and(|writing| writing.lasts(now))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Writing>> {
        // Nothing under the lock can leave the map half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn lasts(&self, now: Instant) -> bool {
        let since = |then| now.saturating_duration_since(then);
        since(self.last) < IDLE_MAX && since(self.first) < BUSY_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_in_motion_from_the_first_write_to_the_end_or_long_enough() {
        let motion = Motion::default();
        let (path, start) = (Path::new("/none/a.zone"), Instant::now());
        let at = |secs| start + Duration::from_secs(secs);
        assert!(!motion.holds(path, at(0)) && !motion.ended(path));
        motion.written(path, at(0));
        assert!(motion.holds(path, at(9)) && !motion.holds(path, at(10)));
        assert!(!motion.holds(Path::new("/none/b.zone"), at(0)));
        assert!(motion.ended(path) && !motion.holds(path, at(0)));
        // A writer that never rests.
        (0..70).for_each(|secs| motion.written(path, at(secs)));
        assert!(motion.holds(path, at(69)), "after a minute, a new count began");
        (0..60).for_each(|secs| motion.written(Path::new("/none/c"), at(secs)));
        assert!(!motion.holds(Path::new("/none/c"), at(60)));
    }
}
