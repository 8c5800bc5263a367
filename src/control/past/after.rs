//! What follows a publication, on a thread of its own: old generations are let go, and git is asked whose change it was.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::fileset::FileSet;
use crate::history::Archive;
use crate::number::Generation;

use super::super::author::{self, Authored, TOUCHED_COUNT_MAX, Touched};

/// Publications that may wait to be followed. Beyond it an author stays unknown, and the next one lets go of more.
const QUEUE_LEN: usize = 64;

/// A generation that was kept.
#[derive(Debug)]
pub struct Kept {
    /// Its number.
    pub generation: Generation,
    /// Where its changed files are, and which; nothing where they came from elsewhere than the disk.
    pub touched: Option<(PathBuf, Vec<Touched>)>,
}

/// A way to tell of generations that were kept, and where that arrives.
pub fn channel() -> (SyncSender<Kept>, Receiver<Kept>) {
    sync_channel(QUEUE_LEN)
}

/// Follows each generation until nobody tells of any more: `prune` lets go, `amend` adds what git told.
pub fn follow(
    kept: &Receiver<Kept>,
    mut prune: impl FnMut(),
    mut amend: impl FnMut(Generation, Authored),
) {
    for Kept { generation, touched } in kept {
        prune();
        let told = touched.and_then(|(folder, touched)| author::ask(&folder, &touched));
        if let Some(authored) = told {
            amend(generation, authored);
        }
    }
}

/// The files that `generation` changed: those of zones and steering if there are any, else those of geography.
pub fn touched(
    archive: &Archive,
    generation: Generation,
    files: &FileSet,
    (zones, geo): (&PathBuf, &PathBuf),
) -> Option<(PathBuf, Vec<Touched>)> {
    let before = archive.list().find(|entry| entry.generation < generation)?.generation;
    let changes = archive.changes(before, generation).ok()?;
    let below = |prefix: &str| -> Vec<Touched> {
        let paths = changes.iter().filter_map(|change| change.path.strip_prefix(prefix));
        let touched = |path: &str| Touched {
            path: path.to_owned(),
            file: files.get(&format!("{prefix}{path}")).cloned(),
        };
        paths.take(TOUCHED_COUNT_MAX).map(touched).collect()
    };
    let of_zones = below("zones/");
    match of_zones.is_empty() {
        false => Some((zones.clone(), of_zones)),
        true => Some((geo.clone(), below("geo/"))),
    }
}
