//! The generations that are kept: shared by the one who adds to them and those who list them.
//!
//! Where the folder cannot be written, files serve all the same, what is kept already can be read, and an alarm stands; it
//! is tried again with every look, so that a disk that is mended needs no restart.

mod after;
mod shelf;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::alarm::Alarm;
use crate::api::{GenerationBody, timestamp};
use crate::fileset::{Fetch, File, FileSet};
use crate::health::LogTime;
use crate::history::{Archive, Cause, Entry, Limits, Restored, Tally};
use crate::load::{Bounds, Config};
use crate::number::{Digest, Generation};

use super::alarms::Alarms;
use super::publication::Pin;
use super::wish::Unmet;
use after::Kept;
use shelf::Shelf;

/// Generations that are told at once.
const TOLD_COUNT_MAX: usize = 1000;

const ALARM: Alarm = Alarm::GenerationsUnwritable;

/// What is kept. Every call may wait for the disk.
#[derive(Clone)]
pub struct Past {
    shelf: Arc<Mutex<Shelf>>,
    alarms: Alarms,
    kept: SyncSender<Kept>,
    /// The folders of zones and of geography.
    folders: (PathBuf, PathBuf),
}

/// What served last.
pub struct Last {
    /// Its number.
    pub generation: Generation,
    /// Its files.
    pub files: FileSet,
    /// How it was pinned, if it was, and the last good forms of the files that it keeps from serving: those that served
    /// before it.
    pub pinned: Option<(Pin, FileSet)>,
}

/// The word of generations that are pinned while nothing follows them: a restart finds the pin here.
const ROLLBACK: &str = "rollback";

impl Past {
    /// Opens what the folder `state` keeps, and gives the newest generation that is whole. `served` is the number that
    /// the log knows: no lower one is given again.
    pub fn open(
        config: &Config,
        served: Generation,
        now: LogTime,
        alarms: Alarms,
    ) -> (Past, Option<Last>) {
        let Bounds { generations: count, size_mib } = config.history;
        let limits = Limits { count, bytes: u64::from(size_mib) << 20 };
        let (shelf, restored, error) = Shelf::open(&config.state, limits, served);
        if let Some(error) = error {
            alarms.raise(ALARM, format!("{error}; files serve, and are not kept across a restart"));
        }
        let (kept, follows) = after::channel();
        let folders = (config.zones.clone(), config.geo.clone());
        let past = Past { shelf: Arc::new(Mutex::new(shelf)), alarms, kept, folders };
        past.start(follows);
        let cause = restored.as_ref().map(|restored| restored.entry.cause.clone());
        let mut last = restored.map(|restored| last(past.lock().archive(), restored));
        if let (Some(last), Some(cause)) = (&mut last, cause)
            && last.generation < served
        {
            // What served after it could not be kept. What was comes back, above all numbers that were seen.
            last.generation = past.keep(&last.files, &cause, now);
            last.pinned.iter_mut().for_each(|(pin, _)| pin.generation = last.generation);
        }
        (past, last)
    }

    /// Has a thread follow what is kept. It ends with the last who may keep.
    fn start(&self, follows: Receiver<Kept>) {
        let shelf = Arc::clone(&self.shelf);
        let follow = move || {
            let prune = || lock(&shelf).prune();
            let amend = |generation, told| lock(&shelf).amend(generation, told);
            after::follow(&follows, prune, amend);
        };
        let started = std::thread::Builder::new().name("past".into()).spawn(follow);
        if let Err(error) = started {
            tracing::warn!(event = "past-unfollowed", %error);
        }
    }

    /// Keeps `files` as the next generation. Its number is given whether or not they can be kept.
    pub fn keep(&self, files: &FileSet, cause: &Cause, now: LogTime) -> Generation {
        let files = &self.whole(files);
        let mut shelf = self.lock();
        let (generation, kept) = shelf.keep(files, cause, now);
        let touched = match cause.kind == ROLLBACK {
            true => None,
            false => shelf.archive().and_then(|archive| {
                let (zones, geo) = &self.folders;
                after::touched(archive, generation, files, (zones, geo))
            }),
        };
        drop(shelf);
        match kept {
            Ok(()) => {
                self.alarms.clear(ALARM);
                // Full: so many follow already.
                let _ = self.kept.try_send(Kept { generation, touched });
            }
            Err(error) => {
                self.alarms.raise(ALARM, format!("{error}; the files serve, and are not kept"));
            }
        }
        generation
    }

    /// Keeps what serves, if that could not be done before. Gives the number that it is kept under.
    pub fn settle(&self, files: &FileSet, generation: Generation) -> Generation {
        let files = &self.whole(files);
        match self.lock().settle(files, generation) {
            None => generation,
            Some(Ok(kept)) => {
                self.alarms.clear(ALARM);
                let _ = self.kept.try_send(Kept { generation: kept, touched: None });
                kept
            }
            Some(Err(error)) => {
                self.alarms.raise(ALARM, format!("{error}; the files serve, and are not kept"));
                generation
            }
        }
    }

    /// How to bring back a content that is kept, or still lies where it was read from: the file `path`, as `geo/…`.
    pub fn fetch(&self, path: &str, digest: Digest) -> Fetch {
        let on_disk = path.strip_prefix("geo/").map(|below| self.folders.1.join(below));
        let shelf = Arc::clone(&self.shelf);
        Arc::new(move || {
            let read = on_disk.as_ref().and_then(|path| std::fs::read(path).ok());
            let read = read.filter(|bytes| Digest::of(bytes) == digest);
            let kept = || lock(&shelf).archive()?.content(digest).ok();
            read.or_else(kept).map(Arc::from)
        })
    }

    /// Whether a content is kept, so that memory may let go of it.
    pub fn holds(&self, digest: Digest) -> bool {
        self.lock().archive().is_some_and(|archive| archive.holds(digest))
    }

    /// `files`, with the contents that memory has let go of and that are not kept (any more).
    fn whole<'f>(&self, files: &'f FileSet) -> Cow<'f, FileSet> {
        let lacks = |file: &File| file.is_away() && !self.holds(file.digest);
        let mut whole = Cow::Borrowed(files);
        for (path, file) in files.files.below("geo/").filter(|(_, file)| lacks(file)) {
            if let Some(content) = file.content() {
                let file = File::known(file.digest, content);
                whole.to_mut().files.insert(path.clone(), file);
            }
        }
        whole
    }

    /// The alarms of this server.
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Why nothing is kept, if nothing is.
    pub fn complaint(&self) -> Option<String> {
        let standing = self.alarms.standing();
        standing.into_iter().find(|((alarm, _), _)| *alarm == ALARM).map(|(_, words)| words)
    }

    /// The files of a generation.
    pub fn read(&self, generation: Generation) -> Result<Restored, Unmet> {
        let shelf = self.lock();
        let is_known = |archive: &&Archive| archive.entry(generation).is_some();
        let Some(archive) = shelf.archive().filter(is_known) else {
            return Err(Unmet::Unknown(Some(generation), shelf.archive().and_then(range)));
        };
        archive.read(generation).map_err(|error| Unmet::Unreadable(error.to_string()))
    }

    /// The newest generation before `base` that has other files than it. A rollback stands for the one whose files it has,
    /// so that one step back after another leads back, and not to and fro.
    pub fn before(&self, mut base: Generation) -> Result<Generation, Unmet> {
        let shelf = self.lock();
        let archive = shelf.archive();
        let entry = |generation| archive.and_then(|archive| archive.entry(generation));
        let origin = |e: &Entry| e.cause.of.filter(|_| e.cause.kind == ROLLBACK);
        while let Some(of) = entry(base).and_then(origin).filter(|of| *of < base) {
            base = of;
        }
        let digest = entry(base).map(|entry| entry.digest);
        let mut older = archive.into_iter().flat_map(Archive::list);
        let found = older.find(|e| e.generation < base && Some(e.digest) != digest);
        let found = found.map(|entry| entry.generation);
        found.ok_or_else(|| Unmet::Unknown(None, archive.and_then(range)))
    }

    /// A page of the generations that are kept, newest first: at most `limit`, all older than `before`.
    pub fn list(&self, before: Option<Generation>, limit: usize) -> Page {
        let shelf = self.lock();
        let entries = shelf.archive().into_iter().flat_map(Archive::list);
        let mut entries =
            entries.filter(|e| before.is_none_or(|before| e.generation < before)).peekable();
        let mut page = Page::default();
        while page.generations.len() < limit.clamp(1, TOLD_COUNT_MAX)
            && let Some(entry) = entries.next()
        {
            page.generations.push(body(entry));
        }
        let last = page.generations.last().map(|body| body.generation);
        page.next = last.filter(|_| entries.peek().is_some());
        page
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cause of a change of the files by themselves; the first of all is a start.
pub fn cause_of_files(serving: Generation) -> Cause {
    let kind = if serving.0 == 0 { "start" } else { "files" }.to_owned();
    Cause { kind, ..Cause::default() }
}

/// The oldest generation that is kept, and the newest.
fn range(archive: &Archive) -> Option<(Generation, Generation)> {
    let mut list = archive.list().map(|entry| entry.generation);
    let newest = list.next()?;
    Some((list.next_back().unwrap_or(newest), newest))
}

/// Pinned it is if the newest of all came of a rollback, and nothing after it.
fn last(archive: Option<&Archive>, restored: Restored) -> Last {
    let Restored { entry, files, .. } = restored;
    let list = || archive.into_iter().flat_map(Archive::list);
    let pin = list().next().and_then(|newest| {
        let Cause { kind, of, who, why, .. } = newest.cause.clone();
        let (generation, since) = (entry.generation, LogTime(newest.time_millis));
        (kind == ROLLBACK).then_some(Pin { generation, of, who, why, since })
    });
    let pinned = pin.map(|pin| {
        let mut older = list().filter(|e| e.cause.kind != ROLLBACK);
        let good = older.find_map(|e| archive?.read(e.generation).ok());
        (pin, good.map(|restored| restored.files).unwrap_or_else(|| files.clone()))
    });
    Last { generation: entry.generation, files, pinned }
}

/// Some of the generations that are kept.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub generations: Vec<GenerationBody>,
    /// What the next page is before; none on the last.
    pub next: Option<u64>,
}

fn body(entry: &Entry) -> GenerationBody {
    let Cause { kind, who, why, author, of } = entry.cause.clone();
    let Tally { files, added, changed, removed } = entry.tally;
    GenerationBody {
        generation: entry.generation.0,
        digest: entry.digest.to_string(),
        published: timestamp(LogTime(entry.time_millis)),
        cause: kind,
        of: of.map(|of| of.0),
        who,
        why,
        author,
        files,
        added,
        changed,
        removed,
        ..GenerationBody::default()
    }
}

#[cfg(test)]
mod tests;
