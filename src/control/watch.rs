//! Tells that a file may have changed. Events are hints only: whoever gets one looks at the files and compares.
//!
//! Owns: the watches on the folders of files. Folders are watched, not files, so that renames and swapped links show.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::load::{CONFIG_FILE, Motion};

use super::looks::Looks;

/// Watches, as long as it lives.
#[derive(Debug)]
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    wanted: Vec<Wanted>,
    watched: Vec<PathBuf>,
}

/// A folder to be watched.
#[derive(Clone, Debug)]
struct Wanted {
    folder: PathBuf,
    mode: RecursiveMode,
}

impl Watch {
    /// Watches `folders` and all below them, and the folders that hold them, where they may be swapped for others.
    /// Each change hints to `looks`, but for those below `ours`, which we make ourselves.
    /// What is being written meanwhile is noted in `motion`.
    pub fn start(folders: &[&Path], ours: &Path, motion: Motion, looks: Looks) -> Watch {
        let interest = Interest::new(folders, ours);
        let told = move |event: Result<Event, notify::Error>| match event {
            Ok(event) => {
                let has_ended = interest.note_motion(&motion, &event);
                if event.need_rescan() || event.paths.is_empty() {
                    looks.hint();
                } else if has_ended || interest.may_change(&event) {
                    looks.hint_at(event.paths.into_iter().filter(|path| interest.matters(path)));
                }
            }
            Err(error) => {
                tracing::warn!(event = "watch-failed", %error);
                looks.hint();
            }
        };
        let watcher = notify::recommended_watcher(told);
        let watcher =
            watcher.inspect_err(|error| tracing::warn!(event = "watch-unavailable", %error)).ok();
        let below = folders
            .iter()
            .map(|folder| Wanted { folder: folder.to_path_buf(), mode: RecursiveMode::Recursive });
        let above = folders
            .iter()
            .filter_map(|folder| parent_of(folder))
            .map(|folder| Wanted { folder, mode: RecursiveMode::NonRecursive });
        let mut watch =
            Watch { watcher, wanted: below.chain(above).collect(), watched: Vec::new() };
        watch.renew();
        watch
    }

    /// Watches what is not watched yet: a folder that came, or that a swapped link leads to now. What cannot be watched
    /// is found by the sweep.
    pub fn renew(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|folder| folder.exists());
        for wanted in &self.wanted {
            let Ok(real) = wanted.folder.canonicalize() else { continue };
            if self.watched.contains(&real) {
                continue;
            }
            match watcher.watch(&real, wanted.mode) {
                Ok(()) => self.watched.push(real),
                Err(error) => {
                    tracing::warn!(event = "watch-failed", folder = %real.display(), %error);
                }
            }
        }
    }
}

/// Which events tell of a change that could matter.
#[derive(Debug)]
struct Interest {
    /// What we write ourselves.
    ours: PathBuf,
    /// The folders above, of which only some entries matter: a log may grow in the same folder.
    above: Vec<PathBuf>,
    /// Those entries.
    entries: Vec<OsString>,
}

impl Interest {
    fn new(folders: &[&Path], ours: &Path) -> Interest {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let below: Vec<PathBuf> = folders.iter().map(|folder| real(folder)).collect();
        let above = folders.iter().filter_map(|folder| parent_of(folder)).map(|p| real(&p));
        let names = folders.iter().filter_map(|folder| folder.file_name()).map(Into::into);
        Interest {
            ours: real(ours),
            above: above.filter(|p| !below.iter().any(|b| p.starts_with(b))).collect(),
            entries: names.chain([OsString::from(CONFIG_FILE)]).collect(),
        }
    }

    /// Whether something was made, written, renamed or removed, and not by us. Reading is none of it.
    fn may_change(&self, event: &Event) -> bool {
        let is_access = matches!(event.kind, EventKind::Access(_));
        !is_access && (event.paths.is_empty() || event.paths.iter().any(|path| self.matters(path)))
    }

    /// Notes what a writer does: a file is in motion from its first write until it is closed, moved or removed. True if
    /// that is now. A log that stays open beside the folders is nothing to wait for.
    fn note_motion(&self, motion: &Motion, event: &Event) -> bool {
        let paths = event.paths.iter().filter(|path| self.matters(path));
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => {
                let now = Instant::now();
                paths.for_each(|path| motion.written(path, now));
                false
            }
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Remove(_) => {
                // All of them, not the first alone.
                paths.filter(|path| motion.ended(path)).count() > 0
            }
            _ => false,
        }
    }

    fn matters(&self, path: &Path) -> bool {
        let is_above = path.parent().is_some_and(|p| self.above.iter().any(|a| a == p));
        let is_entry = path.file_name().is_some_and(|n| self.entries.iter().any(|e| e == n));
        !path.starts_with(&self.ours) && (!is_above || is_entry)
    }
}

fn parent_of(folder: &Path) -> Option<PathBuf> {
    let parent = folder.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_path_buf() })
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, DataChange};

    use super::*;

    #[test]
    fn reading_our_own_writing_and_strangers_are_no_change() {
        let folders = [Path::new("/none/zones"), Path::new("/none/geo")];
        let interest = Interest::new(&folders, Path::new("/none/state"));
        let tells =
            |kind, path: &str| interest.may_change(&Event::new(kind).add_path(PathBuf::from(path)));
        let made = EventKind::Create(CreateKind::File);
        assert!(tells(made, "/none/zones/a.zone"));
        assert!(tells(made, "/none/zones"));
        assert!(tells(made, "/none/homing.toml"));
        assert!(!tells(made, "/none/server.log"));
        assert!(!tells(made, "/none/state/log"));
        assert!(!tells(EventKind::Access(AccessKind::Read), "/none/zones/a.zone"));
        assert!(interest.may_change(&Event::new(EventKind::Other)), "a queue that overflowed");
        assert_eq!(parent_of(Path::new("zones")), Some(PathBuf::from(".")));
    }

    #[test]
    fn a_file_is_in_motion_until_its_writer_closes_it() {
        let folders = [Path::new("/none/zones"), Path::new("/none/geo")];
        let interest = Interest::new(&folders, Path::new("/none/state"));
        let motion = Motion::default();
        let note = |kind, path: &str| {
            interest.note_motion(&motion, &Event::new(kind).add_path(PathBuf::from(path)))
        };
        let (zone, log) = ("/none/zones/a.zone", "/none/server.log");
        let holds = |path: &str| motion.holds(Path::new(path), Instant::now());
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert!(!note(closed, zone), "nothing was written");
        assert!(!note(written, zone) && holds(zone));
        assert!(!note(EventKind::Access(AccessKind::Close(AccessMode::Read)), zone));
        assert!(note(closed, zone) && !holds(zone));
        // A log may stay open beside the folders for good.
        assert!(!note(written, log) && !holds(log));
    }
}
