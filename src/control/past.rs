//! The generations that are kept: shared by the one who adds to them and those who list them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::{GenerationBody, timestamp};
use crate::fileset::FileSet;
use crate::health::LogTime;
use crate::history::{Cause, Entry, Store};
use crate::number::Generation;

use super::alarms::Alarms;

/// Generations that are told at once.
const TOLD_COUNT_MAX: usize = 1000;

const ALARM: &str = "generations-unwritable";

/// The store, or none where the folder cannot be used. Every call may wait for the disk.
#[derive(Clone)]
pub struct Past {
    store: Arc<Mutex<Option<Store>>>,
    alarms: Alarms,
}

impl Past {
    /// Opens the store in `state`, and gives the newest generation that is whole. Without one, files serve all the
    /// same, and an alarm stands.
    pub fn open(state: &Path, alarms: Alarms) -> (Past, Option<(Generation, FileSet)>) {
        let (store, newest) = match Store::open(&state.join("generations")) {
            Ok((store, restored)) => {
                for problem in store.problems() {
                    tracing::warn!(event = "generation-damaged", "{problem}");
                }
                (Some(store), restored.map(|r| (r.entry.generation, r.files)))
            }
            Err(error) => {
                let words = format!("{error}; files serve, and are not kept across a restart");
                alarms.raise(ALARM, words);
                (None, None)
            }
        };
        (Past { store: Arc::new(Mutex::new(store)), alarms }, newest)
    }

    /// Keeps `files` as the next generation; `serving` is the number before it, should nothing be kept.
    pub fn keep(&self, files: &FileSet, serving: Generation, now: LogTime) -> Generation {
        let next = Generation(serving.0 + 1);
        let mut store = self.lock();
        let Some(store) = store.as_mut() else { return next };
        let kind = if serving.0 == 0 { "start" } else { "files" }.to_owned();
        let cause = Cause { kind, who: String::new(), why: String::new() };
        let known = store.problems().len();
        match store.keep(files, cause, now.0) {
            Ok(generation) => {
                self.alarms.clear(ALARM);
                for problem in store.problems().iter().skip(known) {
                    tracing::warn!(event = "generation-problem", "{problem}");
                }
                generation.max(next)
            }
            Err(error) => {
                self.alarms.raise(ALARM, format!("{error}; the files serve, and are not kept"));
                next
            }
        }
    }

    /// A page of the generations that are kept, newest first: at most `limit`, all older than `before`.
    pub fn list(&self, before: Option<Generation>, limit: usize) -> Page {
        let store = self.lock();
        let entries = store.iter().flat_map(|store| store.list().rev());
        let mut entries =
            entries.filter(|e| before.is_none_or(|before| e.generation < before)).peekable();
        let mut page = Page::default();
        while page.generations.len() < limit.clamp(1, TOLD_COUNT_MAX)
            && let Some(entry) = entries.next()
        {
            page.generations.push(body(entry, entries.peek().copied()));
        }
        let last = page.generations.last().map(|body| body.generation);
        page.next = last.filter(|_| entries.peek().is_some());
        page
    }

    fn lock(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some of the generations that are kept.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub generations: Vec<GenerationBody>,
    /// What the next page is before; none on the last.
    pub next: Option<u64>,
}

fn body(entry: &Entry, before: Option<&Entry>) -> GenerationBody {
    let none = BTreeMap::new();
    let old = before.map_or(&none, |before| &before.files);
    let known = || entry.files.iter().filter_map(|(path, digest)| Some((digest, old.get(path)?)));
    let (both, same) = (known().count(), known().filter(|(digest, old)| digest == old).count());
    GenerationBody {
        generation: entry.generation.0,
        digest: entry.digest.to_string(),
        published: timestamp(LogTime(entry.time_millis)),
        cause: entry.cause.kind.clone(),
        who: entry.cause.who.clone(),
        why: entry.cause.why.clone(),
        files: entry.files.len(),
        added: entry.files.len() - both,
        changed: both - same,
        removed: old.len() - both,
        ..GenerationBody::default()
    }
}
