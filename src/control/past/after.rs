//! What follows a publication, on a thread of its own: old generations are let go, and git is asked whose change it was.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Instant;

use crate::fileset::FileSet;
use crate::history::Archive;
use crate::number::Generation;

use super::super::author::{self, Authored, TOUCHED_COUNT_MAX, Touched};

/// Publications that may wait to be followed. Beyond it an author stays unknown, and the next one lets go of more.
const QUEUE_LEN: usize = 64;

/// Letting go takes no more than this part of the time.
const PRUNE_PART: u32 = 50;

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
    let mut owed = Owed::default();
    loop {
        let next = match owed.due() {
            None => kept.recv().map_err(RecvTimeoutError::from),
            Some(due) => kept.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        let told = match next {
            Ok(Kept { generation, touched }) => {
                owed.owe();
                let told = touched.and_then(|(folder, touched)| author::ask(&folder, &touched));
                told.map(|authored| (generation, authored))
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Some((generation, authored)) = told {
            amend(generation, authored);
        }
        if owed.due().is_some_and(|due| due <= Instant::now()) {
            let begun = Instant::now();
            prune();
            owed.done(begun, Instant::now());
        }
    }
}

/// When old generations are to be let go next. Of many files that takes a while, and keeps others from what is kept: so
/// it is done after each change, but no more than a part of the time.
#[derive(Debug, Default)]
struct Owed {
    is_owed: bool,
    not_before: Option<Instant>,
}

impl Owed {
    fn owe(&mut self) {
        self.is_owed = true;
    }

    fn due(&self) -> Option<Instant> {
        self.is_owed.then(|| self.not_before.unwrap_or_else(Instant::now))
    }

    fn done(&mut self, begun: Instant, ended: Instant) {
        let rest = (ended - begun) * PRUNE_PART;
        *self = Owed { is_owed: false, not_before: Some(ended + rest) };
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn letting_go_follows_each_change_and_takes_a_part_of_the_time() {
        let start = Instant::now();
        let mut owed = Owed::default();
        assert_eq!(owed.due(), None);
        owed.owe();
        assert!(owed.due().is_some_and(|due| due <= Instant::now()));
        let took = Duration::from_secs(2);
        owed.done(start, start + took);
        assert_eq!(owed.due(), None, "nothing came since");
        owed.owe();
        assert_eq!(owed.due(), Some(start + took + took * PRUNE_PART));
    }
}
