//! The log: every event, in order, durable before it is acknowledged.
//!
//! `state/log/` holds append-only *segments* of one event a line, and from time to time a *fold*: the state after a
//! revision, from which replay starts. Nothing acknowledged is ever lost to a kill, and nothing at all is deleted
//! because it could not be read.

mod backlog;
mod error;
mod files;
mod line;
mod past;
mod replay;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::health::{Event, Inventory, LogTime, State, Timed};
use crate::number::Revision;

use files::Kind;
use replay::Tail;

pub use backlog::{Backlog, Earlier};
pub use error::LogError;
pub use past::state_at;
pub use replay::Replay;

/// A segment is not appended to beyond this. A guess, to be measured.
const SEGMENT_OCTETS_MAX: u64 = 4 << 20;

/// A fold is due after this many events. A guess, to be measured: replay folds some 100,000 events a second.
const FOLD_EVENTS: u64 = 20_000;

/// … or after this many octets of events. A guess, to be measured.
const FOLD_OCTETS: u64 = 8 << 20;

/// Folds kept: the newest, and one before it should that be unreadable.
const FOLD_COUNT: usize = 2;

/// Segments kept beyond what replay needs, so that a watch can resume. A guess, to be measured.
const SEGMENT_SPARE_COUNT: usize = 4;

/// Space kept free for the decisions of operators: some thousand of them.
const RESERVE_OCTETS: usize = 1 << 20;

/// The log of one state folder. There is one writer: it holds the folder's lock.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    _lock: File,
    segment: Option<Writing>,
    revision: Revision,
    at: LogTime,
    inventory: Arc<Inventory>,
    events_since_fold: u64,
    octets_since_fold: u64,
}

/// A batch on its way into a segment.
struct Encoded {
    batch: Vec<Timed>,
    bytes: Vec<u8>,
    /// The last inventory that the log knows once the batch is in it.
    inventory: Arc<Inventory>,
}

/// The segment that is appended to.
#[derive(Debug)]
struct Writing {
    path: PathBuf,
    file: File,
    /// Octets that are durable; anything beyond is of a batch that failed.
    len: u64,
    /// Whether something may stand beyond `len`.
    dirty: bool,
}

impl Log {
    /// Opens the log of the folder `state`, which is created if need be, and replays it.
    ///
    /// Errors: another server holds the folder, a newer version wrote it, an event that was once durable cannot be
    /// read, or the system refuses. A last line that a crash cut is moved aside and noted.
    pub fn open(state: &Path) -> Result<(Log, Replay), LogError> {
        let folder = state.join("log");
        fs::create_dir_all(&folder).map_err(|e| LogError::io("create", &folder, e))?;
        let lock = files::lock(state)?;
        files::check_format(&folder)?;
        let (mut replay, tail) = replay::replay(&folder)?;
        let segment = tail.map(Writing::open).transpose()?;
        let log = Log {
            segment,
            _lock: lock,
            revision: replay.state.revision(),
            at: replay.state.now(),
            inventory: Arc::clone(replay.state.inventory()),
            events_since_fold: replay.events,
            octets_since_fold: 0,
            folder,
        };
        if let Err(e) = log.reserve() {
            replay.notes.push(format!("no space could be kept free for decisions: {e}"));
        }
        Ok((log, replay))
    }

    /// The last revision that is durable.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The time of the last event.
    pub fn last_time(&self) -> LogTime {
        self.at
    }

    /// Writes a batch with one sync and gives each event its place in the order. When this returns, the batch is
    /// durable; when it fails, nothing of it is in the log, and the next batch may be tried at once. Time never goes
    /// back: an event that carries less than the last takes the last's.
    ///
    /// On a full disk a batch made of operators' decisions only (overrides and drains) takes the space kept free for
    /// it; any other fails with [`LogError::Full`].
    pub fn append(&mut self, events: Vec<(LogTime, Event)>) -> Result<Vec<Timed>, LogError> {
        let Encoded { batch, bytes, inventory } = self.encode(events)?;
        let Some(last) = batch.last() else { return Ok(batch) };
        match self.write(&bytes) {
            Err(LogError::Full { .. }) if batch.iter().all(|t| is_decision(&t.event)) => {
                self.release()?;
                self.write(&bytes)?;
            }
            written => written?,
        }
        (self.revision, self.at, self.inventory) = (last.revision, last.at, inventory);
        self.events_since_fold += batch.len() as u64;
        self.octets_since_fold += bytes.len() as u64;
        Ok(batch)
    }

    /// Whether a fold is due, so that the next start is quick and old segments can go.
    pub fn is_fold_due(&self) -> bool {
        self.events_since_fold >= FOLD_EVENTS || self.octets_since_fold >= FOLD_OCTETS
    }

    /// Writes the fold, and removes the segments and folds that nothing needs any more. `state` is the fold of the
    /// log up to the state's own revision.
    pub fn write_fold(&mut self, state: &State) -> Result<(), LogError> {
        let image = state.to_bytes();
        let path = files::path_of(&self.folder, Kind::Fold, state.revision().0);
        let head = replay::fold_head(&image);
        files::replace(&self.folder, &path, &[head.as_bytes(), &image])?;
        self.events_since_fold = self.revision.0.saturating_sub(state.revision().0);
        self.octets_since_fold = 0;
        // Space that cannot be kept free now is asked for again with the next fold.
        let _ = self.reserve();
        self.remove_old()
    }

    /// The events after `revision`, in order; none if they are no longer kept. A `Files` event whose inventory was
    /// not written again carries the latest one.
    pub fn events_after(&self, revision: Revision) -> Result<Option<Vec<Timed>>, LogError> {
        let segments = files::list(&self.folder, Kind::Segment)?;
        let mut kept = Vec::new();
        let mut reached = revision >= self.revision;
        for (index, (first, path)) in segments.iter().enumerate() {
            let next_first = segments.get(index + 1).map(|(first, _)| *first);
            if next_first.is_some_and(|next| next <= revision.0 + 1) {
                continue;
            }
            reached |= *first <= revision.0 + 1;
            let bytes = files::read(path)?;
            let segment = replay::read_segment(path, &bytes, *first, &self.inventory)?;
            let durable = |t: &Timed| t.revision > revision && t.revision <= self.revision;
            kept.extend(segment.events.into_iter().filter(durable));
        }
        Ok(reached.then_some(kept))
    }

    fn encode(&self, events: Vec<(LogTime, Event)>) -> Result<Encoded, LogError> {
        let (mut revision, mut at) = (self.revision, self.at);
        let mut inventory = Arc::clone(&self.inventory);
        let (mut batch, mut bytes) = (Vec::with_capacity(events.len()), Vec::new());
        for (time, event) in events {
            (revision, at) = (Revision(revision.0 + 1), at.max(time));
            let timed = Timed { revision, at, event };
            let line = line::encode(&timed, &inventory);
            bytes.extend(line.map_err(|what| LogError::Unwritable { what })?);
            if let Event::Files { inventory: latest, .. } = &timed.event {
                inventory = Arc::clone(latest);
            }
            batch.push(timed);
        }
        Ok(Encoded { batch, bytes, inventory })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        if self.segment.as_ref().is_none_or(|s| s.len >= SEGMENT_OCTETS_MAX && !s.dirty) {
            let path = files::path_of(&self.folder, Kind::Segment, self.revision.0 + 1);
            let segment = Writing::open(Tail { path, len: 0 })?;
            files::sync_folder(&self.folder)?;
            self.segment = Some(segment);
        }
        match &mut self.segment {
            Some(segment) => segment.write(bytes),
            None => Ok(()),
        }
    }

    fn remove_old(&self) -> Result<(), LogError> {
        let folds = files::list(&self.folder, Kind::Fold)?;
        let spare = folds.len().saturating_sub(FOLD_COUNT);
        for (_, path) in folds.iter().take(spare) {
            replay::remove(path)?;
        }
        // The oldest fold that is kept needs everything after it, in case the newer one cannot be read.
        let Some((needed, _)) = folds.get(spare) else { return Ok(()) };
        // A first fold may itself prove unreadable: until there are two, everything is kept.
        if folds.len() < FOLD_COUNT {
            return Ok(());
        }
        let segments = files::list(&self.folder, Kind::Segment)?;
        let covered = segments.iter().skip(1).take_while(|(first, _)| *first <= needed + 1).count();
        for (_, path) in segments.iter().take(covered.saturating_sub(SEGMENT_SPARE_COUNT)) {
            replay::remove(path)?;
        }
        Ok(())
    }

    fn reserve_path(&self) -> PathBuf {
        self.folder.join("reserve")
    }

    /// Keeps space free, by a file of that size with bytes in it: a hole would keep nothing. It need not survive a
    /// crash, so it is not synced.
    fn reserve(&self) -> Result<(), LogError> {
        let path = self.reserve_path();
        if fs::metadata(&path).is_ok_and(|m| m.len() == RESERVE_OCTETS as u64) {
            return Ok(());
        }
        fs::write(&path, vec![0x5a; RESERVE_OCTETS]).map_err(|e| {
            // Half a reserve on a full disk would be in the way of what it is kept for.
            let _ = fs::remove_file(&path);
            LogError::io("write", &path, e)
        })
    }

    fn release(&self) -> Result<(), LogError> {
        match fs::remove_file(self.reserve_path()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(LogError::io("release", &self.reserve_path(), e))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Writing {
    fn open(tail: Tail) -> Result<Writing, LogError> {
        let Tail { path, len } = tail;
        let opened = File::options().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|e| LogError::io("open", &path, e))?;
        Ok(Writing { path, file, len, dirty: true })
    }

    /// Appends and syncs, or leaves the segment as it was.
    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let written = self.mend().and_then(|()| {
            self.dirty = true;
            self.file.write_all(bytes)?;
            self.file.sync_data()
        });
        if let Err(e) = written {
            // Should this fail too, the next attempt starts with it.
            let _ = self.mend();
            return Err(LogError::io("append to", &self.path, e));
        }
        self.len += bytes.len() as u64;
        self.dirty = false;
        Ok(())
    }

    /// Cuts off what a failed batch left behind.
    fn mend(&mut self) -> std::io::Result<()> {
        if self.dirty {
            self.file.set_len(self.len)?;
            self.file.seek(SeekFrom::Start(self.len))?;
            self.file.sync_data()?;
            self.dirty = false;
        }
        Ok(())
    }
}

/// Whether an operator decided it.
fn is_decision(event: &Event) -> bool {
    match event {
        Event::Override { .. }
        | Event::ClearOverride { .. }
        | Event::Drain { .. }
        | Event::Undrain { .. } => true,
        Event::Files { .. }
        | Event::Report(_)
        | Event::Heartbeat { .. }
        | Event::Reaffirmed { .. }
        | Event::Tick => false,
    }
}

#[cfg(test)]
mod tests;
