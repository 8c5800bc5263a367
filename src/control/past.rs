//! The generations that are kept: shared by the one who adds to them and those who list them.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::{GenerationBody, timestamp};
use crate::fileset::FileSet;
use crate::health::LogTime;
use crate::history::{Cause, Entry, Restored, Store, Tally};
use crate::number::Generation;

use super::alarms::Alarms;
use super::publication::Pin;
use super::wish::Unmet;

/// Generations that are told at once.
const TOLD_COUNT_MAX: usize = 1000;

const ALARM: &str = "generations-unwritable";

/// The store, or none where the folder cannot be used. Every call may wait for the disk.
#[derive(Clone)]
pub struct Past {
    store: Arc<Mutex<Option<Store>>>,
    alarms: Alarms,
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
    /// Opens the store in `state`, and gives the newest generation that is whole. Without one, files serve all the
    /// same, and an alarm stands.
    pub fn open(state: &Path, alarms: Alarms) -> (Past, Option<Last>) {
        let (store, last) = match Store::open(state) {
            Ok((store, restored)) => {
                for problem in store.problems() {
                    tracing::warn!(event = "generation-damaged", "{problem}");
                }
                let last = restored.map(|restored| last(&store, restored));
                (Some(store), last)
            }
            Err(error) => {
                let words = format!("{error}; files serve, and are not kept across a restart");
                alarms.raise(ALARM, words);
                (None, None)
            }
        };
        (Past { store: Arc::new(Mutex::new(store)), alarms }, last)
    }

    /// Keeps `files` as the next generation; `serving` is the number before it, should nothing be kept.
    pub fn keep(
        &self,
        files: &FileSet,
        serving: Generation,
        cause: &Cause,
        now: LogTime,
    ) -> Generation {
        let next = Generation(serving.0 + 1);
        let mut store = self.lock();
        let Some(store) = store.as_mut() else { return next };
        let known = store.problems().len();
        match store.keep(files, cause.clone(), now.0, serving) {
            Ok(generation) => {
                self.alarms.clear(ALARM);
                store.prune();
                for problem in store.problems().iter().skip(known) {
                    tracing::warn!(event = "generation-problem", "{problem}");
                }
                generation
            }
            Err(error) => {
                self.alarms.raise(ALARM, format!("{error}; the files serve, and are not kept"));
                next
            }
        }
    }

    /// Why nothing is kept, if nothing is.
    pub fn complaint(&self) -> Option<String> {
        let standing = self.alarms.standing();
        standing.into_iter().find(|(name, _)| *name == ALARM).map(|(_, words)| words)
    }

    /// The files of a generation.
    pub fn read(&self, generation: Generation) -> Result<Restored, Unmet> {
        let store = self.lock();
        let is_known = |store: &&Store| store.entry(generation).is_some();
        let Some(store) = store.as_ref().filter(is_known) else {
            return Err(Unmet::Unknown(Some(generation), store.as_ref().and_then(range)));
        };
        store.read(generation).map_err(|error| Unmet::Unreadable(error.to_string()))
    }

    /// The newest generation before `base` that has other files than it. A rollback stands for the one whose files it has,
    /// so that one step back after another leads back, and not to and fro.
    pub fn before(&self, mut base: Generation) -> Result<Generation, Unmet> {
        let store = self.lock();
        let entry = |generation| store.iter().find_map(|store| store.entry(generation));
        let origin = |e: &Entry| e.cause.of.filter(|_| e.cause.kind == ROLLBACK);
        while let Some(of) = entry(base).and_then(origin).filter(|of| *of < base) {
            base = of;
        }
        let digest = store.iter().find_map(|store| store.entry(base)).map(|e| e.digest);
        let mut older = store.iter().flat_map(Store::list);
        let found = older.find(|e| e.generation < base && Some(e.digest) != digest);
        let found = found.map(|entry| entry.generation);
        found.ok_or_else(|| Unmet::Unknown(None, store.as_ref().and_then(range)))
    }

    /// A page of the generations that are kept, newest first: at most `limit`, all older than `before`.
    pub fn list(&self, before: Option<Generation>, limit: usize) -> Page {
        let store = self.lock();
        let entries = store.iter().flat_map(Store::list);
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

    fn lock(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cause of a change of the files by themselves; the first of all is a start.
pub fn cause_of_files(serving: Generation) -> Cause {
    let kind = if serving.0 == 0 { "start" } else { "files" }.to_owned();
    Cause { kind, ..Cause::default() }
}

/// The oldest generation that is kept, and the newest.
fn range(store: &Store) -> Option<(Generation, Generation)> {
    let mut list = store.list().map(|entry| entry.generation);
    let newest = list.next()?;
    Some((list.next_back().unwrap_or(newest), newest))
}

/// Pinned it is if the newest of all came of a rollback, and nothing after it.
fn last(store: &Store, restored: Restored) -> Last {
    let Restored { entry, files, .. } = restored;
    let pin = store.list().next().and_then(|newest| {
        let Cause { kind, of, who, why, .. } = newest.cause.clone();
        let (generation, since) = (entry.generation, LogTime(newest.time_millis));
        (kind == ROLLBACK).then_some(Pin { generation, of, who, why, since })
    });
    let pinned = pin.map(|pin| {
        let mut older = store.list().filter(|e| e.cause.kind != ROLLBACK);
        let good = older.find_map(|e| store.read(e.generation).ok());
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
