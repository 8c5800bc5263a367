//! The state as it was at an earlier time, as far as the log still tells. Reads only; the writer goes on meanwhile.

use std::path::Path;

use crate::health::{LogTime, State};

use super::error::LogError;
use super::files::{self, Kind};
use super::replay::{read_fold, read_segment};

/// The fold of all events up to `at` in the log of the folder `state`; none if the log begins later by now.
pub fn state_at(state: &Path, at: LogTime) -> Result<Option<State>, LogError> {
    let folder = state.join("log");
    let segments = files::list(&folder, Kind::Segment)?;
    let Some(mut state) = base(&folder, at, segments.first().map(|(first, _)| *first))? else {
        return Ok(None);
    };
    for (index, (first, path)) in segments.iter().enumerate() {
        let last = state.revision().0;
        let next_first = segments.get(index + 1).map(|(first, _)| *first);
        if next_first.is_some_and(|next| next <= last + 1) {
            continue;
        }
        if *first > last + 1 {
            return Ok(None);
        }
        let segment = read_segment(path, &files::read(path)?, *first, state.inventory())?;
        for timed in segment.events.iter().filter(|timed| timed.revision.0 > last) {
            if timed.at > at {
                return Ok(Some(state));
            }
            state.apply(timed);
        }
    }
    Ok(Some(state))
}

/// Where to begin: the newest fold that is not after `at`, or nothing at all where every event is kept.
fn base(folder: &Path, at: LogTime, first: Option<u64>) -> Result<Option<State>, LogError> {
    for (revision, path) in files::list(folder, Kind::Fold)?.into_iter().rev() {
        match read_fold(&path, revision) {
            Ok(state) if state.now() <= at => return Ok(Some(state)),
            // Later, or unreadable: an earlier one may do.
            Ok(_) | Err(_) => {}
        }
    }
    Ok((first == Some(1)).then(State::default))
}
