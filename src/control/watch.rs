//! Tells that a file may have changed. Events are hints only: whoever gets one looks at the files and compares.
//!
//! Owns: the watches on the folders of files. Folders are watched, not files, so that renames and swapped links show.

use std::path::{Path, PathBuf};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

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
    pub fn start(folders: &[&Path], ours: &Path, looks: Looks) -> Watch {
        let ours = ours.canonicalize().unwrap_or_else(|_| ours.to_path_buf());
        let told = move |event: Result<Event, notify::Error>| match event {
            Ok(event) if !may_change(&event, &ours) => {}
            Ok(_) => looks.hint(),
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

/// Whether something was made, written, renamed or removed, and not by us. Reading is none of it.
fn may_change(event: &Event, ours: &Path) -> bool {
    let is_access = matches!(event.kind, EventKind::Access(_));
    let is_ours = !event.paths.is_empty() && event.paths.iter().all(|path| path.starts_with(ours));
    !is_access && !is_ours
}

fn parent_of(folder: &Path) -> Option<PathBuf> {
    let parent = folder.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_path_buf() })
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind};

    use super::*;

    #[test]
    fn reading_and_our_own_writing_are_no_change() {
        let ours = Path::new("/srv/state");
        let event = |kind, path: &str| Event::new(kind).add_path(PathBuf::from(path));
        let made = EventKind::Create(CreateKind::File);
        assert!(may_change(&event(made, "/srv/zones/a.zone"), ours));
        assert!(!may_change(&event(made, "/srv/state/log"), ours));
        let read = EventKind::Access(AccessKind::Read);
        assert!(!may_change(&event(read, "/srv/zones/a.zone"), ours));
        assert_eq!(parent_of(Path::new("zones")), Some(PathBuf::from(".")));
    }
}
