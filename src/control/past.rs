//! The generations that are kept: shared by the one who adds to them and those who list them.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::{GenerationBody, GenerationsBody, timestamp};
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
        let (store, newest) = match Store::open(state) {
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
        let cause = Cause { kind, ..Cause::default() };
        let known = store.problems().len();
        match store.keep(files, cause, now.0, serving) {
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

    /// The generations that are kept, newest first.
    pub fn list(&self, serving: Generation) -> GenerationsBody {
        let store = self.lock();
        let entries = store.iter().flat_map(|store| store.list());
        let generations = entries.take(TOLD_COUNT_MAX).map(body).collect();
        GenerationsBody { serving: serving.0, generations }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn body(entry: &Entry) -> GenerationBody {
    GenerationBody {
        generation: entry.generation.0,
        digest: entry.digest.to_string(),
        published: timestamp(LogTime(entry.time_millis)),
        cause: entry.cause.kind.clone(),
        who: entry.cause.who.clone(),
        why: entry.cause.why.clone(),
        files: entry.tally.files,
    }
}
