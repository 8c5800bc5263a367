//! The changefeed: what happened, in order, for whoever watches. A thread of its own follows the log behind the hub and has
//! the [`Witness`] tell of each event, once for all watchers; the newest are kept, older ones are read from the log again.
//!
//! Never: makes the writer or the hub wait. A watcher holds nothing here but its position, so a slow one costs nothing.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::api::{Turn, WatchEvent};
use crate::health::{State, Timed};
use crate::history::Backlog;
use crate::number::Revision;

use super::witness::Witness;

/// Batches that may wait to be told of. What does not fit is read from the log again.
const QUEUE_LEN: usize = 64;

/// Events that are kept to be told at once. A guess: some minutes of a busy feed.
const RECENT_COUNT_MAX: usize = 4_096;

/// … and their octets.
const RECENT_OCTETS_MAX: usize = 4 << 20;

/// Watchers that read earlier events from the log at one time: each holds a state and a segment of the log.
const READER_COUNT_MAX: usize = 4;

/// Who may watch over the API at once. A guess: some dashboards and some people, and room on the connections for others.
const WATCHER_COUNT_MAX: usize = 128;

/// How long a log that cannot be read is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An event as it is told.
#[derive(Debug)]
pub struct Told {
    /// The event, and what came of it.
    pub event: WatchEvent,
    /// The same as JSON, without a line break.
    pub json: String,
}

impl Told {
    /// The event as it is told.
    pub fn new(event: WatchEvent) -> Told {
        // Text and numbers, none of them infinite: the log is JSON too.
        let json = serde_json::to_string(&event).unwrap_or_default();
        Told { event, json }
    }

    /// Its place in the order.
    pub fn revision(&self) -> Revision {
        Revision(self.event.revision)
    }
}

/// The newest events, and where the log is.
#[derive(Clone)]
pub struct Changefeed {
    shared: Arc<Shared>,
}

struct Shared {
    recent: Mutex<Recent>,
    /// The last revision that was told.
    told: watch::Sender<Revision>,
    /// Who may read the log.
    readers: Arc<Semaphore>,
    /// Places of those who watch over the API.
    places: Arc<Semaphore>,
    /// Whether the server ends.
    ended: watch::Sender<bool>,
    /// The state folder; none without a log.
    state: Option<PathBuf>,
}

/// A window on the newest events, without a gap.
struct Recent {
    events: VecDeque<Arc<Told>>,
    octets: usize,
    /// The revision before the first of them.
    before: Revision,
}

/// Where an answer to "what came after?" is found.
pub enum After {
    /// Here: as many as there are, up to a bound. None: nothing has happened since.
    Here(Vec<Arc<Told>>),
    /// In the log.
    InLog,
}

/// Tells the changefeed what became durable.
#[derive(Clone)]
pub struct Teller {
    sender: SyncSender<Arc<[Timed]>>,
    durable: Arc<AtomicU64>,
}

impl Teller {
    /// These events are durable, and serve. Never waits.
    pub fn tell(&self, events: Arc<[Timed]>) {
        let Some(last) = events.last() else { return };
        self.durable.store(last.revision.0, Ordering::Release);
        // What does not fit is found in the log.
        let _ = self.sender.try_send(events);
    }
}

impl Changefeed {
    /// Starts it behind the log of the folder `log`, of which `state` is the fold. Without a log nothing can be resumed.
    pub fn start(
        state: State,
        log: Option<&Path>,
    ) -> Result<(Changefeed, Teller, JoinHandle<()>), std::io::Error> {
        let (sender, receiver) = sync_channel(QUEUE_LEN);
        let before = state.revision();
        let recent = Recent { events: VecDeque::new(), octets: 0, before };
        let shared = Arc::new(Shared {
            recent: Mutex::new(recent),
            told: watch::channel(before).0,
            readers: Arc::new(Semaphore::new(READER_COUNT_MAX)),
            places: Arc::new(Semaphore::new(WATCHER_COUNT_MAX)),
            ended: watch::channel(false).0,
            state: log.map(Path::to_owned),
        });
        let durable = Arc::new(AtomicU64::new(before.0));
        let teller = Teller { sender, durable: Arc::clone(&durable) };
        let owner = Owner { shared: Arc::clone(&shared), witness: Witness::of(state), durable };
        let thread =
            thread::Builder::new().name("changefeed".into()).spawn(move || owner.run(&receiver))?;
        Ok((Changefeed { shared }, teller, thread))
    }

    /// What happened after `revision`, at most `limit` events.
    pub fn after(&self, revision: Revision, limit: usize) -> After {
        let recent = self.shared.lock();
        if revision < recent.before {
            return After::InLog;
        }
        let skip = usize::try_from(revision.0 - recent.before.0).unwrap_or(usize::MAX);
        After::Here(recent.events.iter().skip(skip).take(limit).cloned().collect())
    }

    /// The last revision that was told, and its changes.
    pub fn told(&self) -> watch::Receiver<Revision> {
        self.shared.told.subscribe()
    }

    /// Whether the server ends, and when it does.
    pub fn ended(&self) -> watch::Receiver<bool> {
        self.shared.ended.subscribe()
    }

    /// The folder whose log can be read again; none without a log.
    pub fn log(&self) -> Option<&Path> {
        self.shared.state.as_deref()
    }

    /// The right to read it; whoever asks waits for its turn.
    pub fn readers(&self) -> Arc<Semaphore> {
        Arc::clone(&self.shared.readers)
    }

    /// A place for one who watches over the API; none while all are taken.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.places).try_acquire_owned().ok()
    }

    /// Lets all watchers go: the server ends.
    pub fn end(&self) {
        self.shared.ended.send_replace(true);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn push(&mut self, told: Told) {
        self.octets += told.json.len();
        self.events.push_back(Arc::new(told));
        while self.events.len() > RECENT_COUNT_MAX || self.octets > RECENT_OCTETS_MAX {
            let Some(gone) = self.events.pop_front() else { return };
            self.octets -= gone.json.len();
            self.before = gone.revision();
        }
    }
}

struct Owner {
    shared: Arc<Shared>,
    witness: Witness,
    /// The last revision that is durable, told or not.
    durable: Arc<AtomicU64>,
}

impl Owner {
    /// Ends when nobody can tell it anything any more.
    fn run(mut self, receiver: &Receiver<Arc<[Timed]>>) {
        while let Ok(events) = receiver.recv() {
            self.take(&events);
            // The queue was full when the last batches came: they are in the log, and nothing follows that would say so.
            while let Ok(events) = receiver.try_recv() {
                self.take(&events);
            }
            self.catch_up(Revision(self.durable.load(Ordering::Acquire)));
        }
    }

    fn take(&mut self, events: &[Timed]) {
        if let Some(first) = events.first() {
            self.catch_up(Revision(first.revision.0.saturating_sub(1)));
        }
        for timed in events {
            // What the log told already is not told again; what is missing is not skipped.
            if timed.revision.0 == self.witness.revision().0 + 1 {
                self.see(timed);
            }
        }
    }

    /// Reads from the log what did not fit into the queue.
    fn catch_up(&mut self, until: Revision) {
        let Some(state) = self.shared.state.clone() else { return };
        let backlog = Backlog::of(&state);
        while self.witness.revision() < until {
            match backlog.after(self.witness.state(), until) {
                Ok(Some(events)) => events.iter().for_each(|timed| self.see(timed)),
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(event = "watch-behind", %error, "watchers wait");
                    thread::sleep(RETRY_AFTER);
                    return;
                }
            }
        }
    }

    fn see(&mut self, timed: &Timed) {
        let event = self.witness.see(timed);
        log(&event);
        let told = Told::new(event);
        let revision = told.revision();
        self.shared.lock().push(told);
        self.shared.told.send_replace(revision);
    }
}

/// Each endpoint that turned is a line, with the code of its reason; the witness bounds how many one event turns. One that
/// stands as before, for another reason, is a line for whoever looks closely.
fn log(event: &WatchEvent) {
    let revision = event.revision;
    for Turn { subject, was, status, reason, evidence, .. } in &event.turned {
        if status == was {
            tracing::debug!(event = "restated", %subject, status, reason, evidence, revision);
        } else if status == "down" || status == "overridden-down" {
            tracing::warn!(event = "turned", %subject, was, status, reason, evidence, revision);
        } else {
            tracing::info!(event = "turned", %subject, was, status, reason, evidence, revision);
        }
    }
    if event.turned_more > 0 {
        tracing::warn!(event = "turned", more = event.turned_more, revision, "see /v1/health");
    }
}

#[cfg(test)]
mod tests;
