//! The backlog: events after an earlier revision, a segment at a time, with the state that they began from. Reads only;
//! the writer goes on meanwhile. What is durable stands still, so nothing is read that could yet be taken back.

use std::path::{Path, PathBuf};

use crate::health::{State, Timed};
use crate::number::Revision;

use super::error::LogError;
use super::files::{self, Kind};
use super::replay::{read_fold, read_segment};

/// Reads the log of a state folder from an earlier revision on.
#[derive(Debug)]
pub struct Backlog {
    folder: PathBuf,
}

/// What the log still tells of.
#[derive(Debug)]
pub enum Earlier {
    /// The state as it was, and its events follow.
    Kept(Box<State>),
    /// It is no longer told; this is the oldest revision that is, if any.
    Gone(Option<Revision>),
}

impl Backlog {
    /// The log of the folder `state`.
    pub fn of(state: &Path) -> Backlog {
        Backlog { folder: state.join("log") }
    }

    /// The state after `revision`, which must be durable. It can be told from the oldest fold on, or from 0 where the
    /// first event is still there. Reads as much as lies between that and the fold before it.
    pub fn state_after(&self, revision: Revision) -> Result<Earlier, LogError> {
        let folds = files::list(&self.folder, Kind::Fold)?;
        let is_whole =
            files::list(&self.folder, Kind::Segment)?.first().is_none_or(|(first, _)| *first == 1);
        let mut base = is_whole.then(State::default);
        for (number, path) in folds.iter().rev().filter(|(number, _)| *number <= revision.0) {
            // One that cannot be read is passed over, as at the start: an earlier one does.
            if let Ok(state) = read_fold(path, *number) {
                base = Some(state);
                break;
            }
        }
        let oldest = if is_whole { Some(0) } else { folds.first().map(|(number, _)| *number) };
        let gone = || Earlier::Gone(oldest.map(Revision).filter(|oldest| *oldest > revision));
        let Some(mut state) = base else { return Ok(gone()) };
        while state.revision() < revision {
            let Some(events) = self.after(&state, revision)? else { return Ok(gone()) };
            events.iter().for_each(|timed| drop(state.apply(timed)));
        }
        Ok(Earlier::Kept(Box::new(state)))
    }

    /// The next events after `state`, in order: those up to `until`, which must be durable, that stand in one segment.
    /// None if they are no longer kept.
    pub fn after(&self, state: &State, until: Revision) -> Result<Option<Vec<Timed>>, LogError> {
        let last = state.revision();
        let segments = files::list(&self.folder, Kind::Segment)?;
        let holds = |first: &&(u64, PathBuf)| first.0 <= last.0 + 1;
        let Some((first, path)) = segments.iter().rev().find(holds) else { return Ok(None) };
        let bytes = match files::read(path) {
            Ok(bytes) => bytes,
            // Let go of since it was listed.
            Err(LogError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mut events = read_segment(path, &bytes, *first, state.inventory())?.events;
        events.retain(|timed| timed.revision > last && timed.revision <= until);
        let begins = events.first().is_some_and(|timed| timed.revision.0 == last.0 + 1);
        Ok(begins.then_some(events))
    }
}
