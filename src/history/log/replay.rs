//! Replay: the newest fold, then the events after it, into the state as it was when the last event was durable.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::health::{Inventory, State, Timed};

use super::error::LogError;
use super::files::{self, Kind};
use super::line;

/// What a folder held.
#[derive(Debug, Default)]
pub struct Replay {
    /// The state after the last event; its revision and time are those of that event.
    pub state: State,
    /// How many events were folded after the fold that was read.
    pub events: u64,
    /// What was found and mended on the way, each in one line.
    pub notes: Vec<String>,
}

/// The segment that appends go to.
pub(super) struct Tail {
    pub path: PathBuf,
    pub len: u64,
}

/// The events of one segment, and where the whole lines end.
pub(super) struct Segment {
    pub events: Vec<Timed>,
    pub whole_octets: usize,
}

/// Reads the folder. A last line that was cut by a crash is moved aside.
pub(super) fn replay(folder: &Path) -> Result<(Replay, Option<Tail>), LogError> {
    let mut replay = Replay::default();
    newest_fold(folder, &mut replay)?;
    let segments = files::list(folder, Kind::Segment)?;
    let mut tail = None;
    for (index, (first, path)) in segments.iter().enumerate() {
        let last = replay.state.revision().0;
        let next_first = segments.get(index + 1).map(|(first, _)| *first);
        if next_first.is_some_and(|next| next <= last + 1) {
            continue;
        }
        if *first > last + 1 {
            return Err(LogError::Gap { path: path.clone(), revision: last + 1 });
        }
        let bytes = files::read(path)?;
        let segment = read_segment(path, &bytes, *first, replay.state.inventory())?;
        for timed in &segment.events {
            if timed.revision > replay.state.revision() {
                replay.state.apply(timed);
                replay.events += 1;
            }
        }
        let len = segment.whole_octets;
        if len < bytes.len() {
            if next_first.is_some() {
                let what = "the last line is cut, yet a later file follows".to_owned();
                let line = segment.events.len() + 1;
                return Err(LogError::Corrupt { path: path.clone(), line, what });
            }
            replay.notes.push(set_aside(folder, path, &bytes, len)?);
        }
        // Only a segment that ends where the state does goes on; else a new one begins.
        let ends_here = *first + segment.events.len() as u64 == replay.state.revision().0 + 1;
        tail = ends_here.then(|| Tail { path: path.clone(), len: len as u64 });
    }
    Ok((replay, tail))
}

/// Reads a fold file: a line with the checksum of the rest, then the image of the state.
pub(super) fn read_fold(path: &Path, revision: u64) -> Result<State, LogError> {
    let corrupt = |what: String| LogError::Corrupt { path: path.to_owned(), line: 0, what };
    let bytes = files::read(path)?;
    let (head, image) =
        bytes.split_at_checked(9).ok_or_else(|| corrupt("the file is too short".into()))?;
    if head != fold_head(image).as_bytes() {
        return Err(corrupt("the checksum does not match".into()));
    }
    let state = State::from_bytes(image).map_err(|e| corrupt(e.to_string()))?;
    match state.revision().0 == revision {
        true => Ok(state),
        false => Err(corrupt("the name tells another revision than the content".into())),
    }
}

/// The line before an image.
pub(super) fn fold_head(image: &[u8]) -> String {
    format!("{:08x}\n", crc32c::crc32c(image))
}

/// Takes the newest fold that can be read. One that cannot is passed over: the events since the one before are kept.
fn newest_fold(folder: &Path, replay: &mut Replay) -> Result<(), LogError> {
    for (revision, path) in files::list(folder, Kind::Fold)?.into_iter().rev() {
        match read_fold(&path, revision) {
            Ok(state) => {
                replay.state = state;
                return Ok(());
            }
            Err(e) => replay.notes.push(format!("passed over: {e}")),
        }
    }
    Ok(())
}

/// Reads a segment up to its last whole line. A bad line with a good one after it was not cut by a crash: it is an
/// error, so that nobody loses what follows it without knowing.
pub(super) fn read_segment(
    path: &Path,
    bytes: &[u8],
    first: u64,
    inventory: &Arc<Inventory>,
) -> Result<Segment, LogError> {
    let mut segment = Segment { events: Vec::new(), whole_octets: 0 };
    let mut inventory = Arc::clone(inventory);
    let mut bad: Option<(usize, String)> = None;
    for (index, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        let decoded = match line.strip_suffix(b"\n") {
            Some(whole) => line::decode(whole, &inventory),
            None => Err("the line has no end".into()),
        };
        match (decoded, &bad) {
            (Ok(_), Some((line, what))) => {
                let (path, line, what) = (path.to_owned(), *line, what.clone());
                return Err(LogError::Corrupt { path, line, what });
            }
            (Ok(timed), None) => {
                let expected = first + segment.events.len() as u64;
                if timed.revision.0 != expected {
                    let what = format!("revision {} stands for {expected}", timed.revision);
                    return Err(LogError::Corrupt { path: path.to_owned(), line: index + 1, what });
                }
                if let crate::health::Event::Files { inventory: latest, .. } = &timed.event {
                    inventory = Arc::clone(latest);
                }
                segment.events.push(timed);
                segment.whole_octets += line.len();
            }
            (Err(what), None) => bad = Some((index + 1, what)),
            (Err(_), Some(_)) => {}
        }
    }
    Ok(segment)
}

/// Moves the bytes of a cut line into a file of their own: nothing is deleted.
fn set_aside(folder: &Path, path: &Path, bytes: &[u8], len: usize) -> Result<String, LogError> {
    let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or("segment");
    let aside = folder.join(format!("{name}-{len}.cut"));
    files::replace(folder, &aside, &[bytes.get(len..).unwrap_or_default()])?;
    let cut = File::options().write(true).open(path).and_then(|file| {
        file.set_len(len as u64)?;
        file.sync_all()
    });
    cut.map_err(|e| LogError::io("cut the last line of", path, e))?;
    Ok(format!(
        "{}: the last line was cut by a crash and never acknowledged; its {} octets are in {}",
        path.display(),
        bytes.len() - len,
        aside.display()
    ))
}

/// Removes a file that is no longer needed.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    fs::remove_file(path).map_err(|e| LogError::io("remove", path, e))
}
