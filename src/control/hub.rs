//! The hub: the one owner of all that changes while the server runs. One loop over one closed `enum Event`.
//!
//! Owns:  the folded state, the parts of the current snapshot, the sequence of publications.
//! Never: parses, compiles, writes to disk or waits for anybody: an event costs it less than a millisecond.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use crate::answer::Snapshot;
use crate::ask::Scene;
use crate::health::{Changes, State, Timed};
use crate::number::{Digest, Revision};
use crate::route::LiveTable;

use super::publication::{Findings, Publication};
use super::reclaim::Reclaim;

/// Version of the rules that make an answer of a state. Any change to fold, hash or selection raises it.
pub const RULES_VERSION: u32 = 4;

/// Events that may wait for the hub. Senders of facts wait their turn; askers are told that the server is busy.
const QUEUE_LEN: usize = 4096;

/// Everything that the hub is told.
pub enum Event {
    /// Events that are durable now, in their order; with a publication, if one of them is of files.
    Folded {
        /// The events.
        events: Arc<[Timed]>,
        /// What the files were made into, when there is a new generation.
        publication: Option<Arc<Publication>>,
        /// Called with the revision that then serves.
        done: Box<dyn FnOnce(Revision) + Send>,
    },
    /// What the last look at the files said, whether or not it led to a publication.
    Looked(Arc<Findings>),
    /// Somebody wants to know how things are.
    Ask(oneshot::Sender<View>),
    /// The end.
    Stop,
}

/// How things are, at one moment. Immutable; cheap to take, and to hold for a short while.
#[derive(Clone)]
pub struct View {
    /// What serves.
    pub snapshot: Arc<Snapshot>,
    /// What health remembers.
    pub health: Arc<State>,
    /// What the files were made into.
    pub publication: Arc<Publication>,
    /// What the last look at the files said.
    pub findings: Arc<Findings>,
    /// Old snapshots that somebody still holds.
    pub retired: usize,
}

impl View {
    /// What serves, as something to ask about.
    pub fn scene(&self) -> Scene {
        let parts = &self.publication.parts;
        Scene {
            snapshot: self.snapshot.clone(),
            health: self.health.clone(),
            world: parts.world.clone(),
            regions: parts.regions.clone(),
        }
    }
}

/// Reaches the hub.
#[derive(Clone)]
pub struct Hub {
    sender: SyncSender<Event>,
}

/// A hub that runs: the way to it, what it publishes into, its thread.
pub type Started = (Hub, Arc<ArcSwap<Snapshot>>, JoinHandle<()>);

/// The server is too busy to say, or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Hub {
    /// Starts the hub with the folded `state` of the log and a first publication. Gives what it publishes into.
    pub fn start(
        state: State,
        publication: Arc<Publication>,
        reclaim: Reclaim,
    ) -> Result<Started, std::io::Error> {
        let (hub, receiver) = Hub::channel();
        let owner = Owner::new(state, publication, reclaim);
        let snapshots = owner.snapshots();
        let thread =
            thread::Builder::new().name("hub".into()).spawn(move || owner.run(&receiver))?;
        Ok((hub, snapshots, thread))
    }

    /// The way to a hub, and where its owner hears of it.
    pub(super) fn channel() -> (Hub, Receiver<Event>) {
        let (sender, receiver) = sync_channel(QUEUE_LEN);
        (Hub { sender }, receiver)
    }

    /// Tells the hub a fact; waits while its queue is full.
    pub fn tell(&self, event: Event) -> Result<(), Busy> {
        self.sender.send(event).map_err(|_| Busy)
    }

    /// How things are now.
    pub async fn view(&self) -> Result<View, Busy> {
        let (reply, answer) = oneshot::channel();
        match self.sender.try_send(Event::Ask(reply)) {
            Ok(()) => answer.await.map_err(|_| Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
        }
    }

    /// How things are now, for a thread; none when the server ends.
    pub fn view_blocking(&self) -> Option<View> {
        let (reply, answer) = oneshot::channel();
        self.sender.send(Event::Ask(reply)).ok()?;
        answer.blocking_recv().ok()
    }
}

/// Who does it; a turn of its loop is [`Owner::take`].
pub(super) struct Owner {
    snapshots: Arc<ArcSwap<Snapshot>>,
    health: Arc<State>,
    publication: Arc<Publication>,
    findings: Arc<Findings>,
    table: LiveTable,
    reclaim: Reclaim,
}

impl Owner {
    pub(super) fn new(state: State, publication: Arc<Publication>, reclaim: Reclaim) -> Owner {
        let table = LiveTable::new(&publication.parts.plans, &state);
        let first = compose(&publication, &state, &table);
        Owner {
            snapshots: Arc::new(ArcSwap::from_pointee(first)),
            health: Arc::new(state),
            table,
            findings: Arc::clone(&publication.findings),
            publication,
            reclaim,
        }
    }

    /// What it publishes into.
    pub(super) fn snapshots(&self) -> Arc<ArcSwap<Snapshot>> {
        Arc::clone(&self.snapshots)
    }

    fn run(mut self, receiver: &Receiver<Event>) {
        for event in receiver {
            if self.take(event).is_break() {
                return;
            }
        }
    }

    pub(super) fn take(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Folded { events, publication, done } => {
                let publication = publication.filter(|publication| self.is_next(publication));
                if !events.is_empty() || publication.is_some() {
                    self.fold(&events, publication);
                }
                done(self.health.revision());
            }
            Event::Looked(findings) => self.findings = findings,
            // Whoever asked may be gone by now.
            Event::Ask(reply) => drop(reply.send(self.view())),
            Event::Stop => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// Invariant never-backwards: no generation serves after a later one, nor after another of its number. The writer
    /// refuses it before it is in the log; here it stops even if the log cannot be written, and so does not know what
    /// serves.
    fn is_next(&self, publication: &Publication) -> bool {
        let (number, serving) = (publication.generation, self.publication.generation);
        let is_other = publication.parts.files_digest != self.publication.parts.files_digest;
        let is_late = number < serving || number == serving && is_other;
        if is_late {
            metrics::counter!("homing_publications_refused_total").increment(1);
            tracing::error!(event = "publication-refused", generation = %number, %serving);
        }
        !is_late
    }

    /// Folds, lets the table follow, publishes once. However the events were batched, the result is the same: a row follows
    /// from the state alone.
    fn fold(&mut self, events: &[Timed], publication: Option<Arc<Publication>>) {
        let health = Arc::make_mut(&mut self.health);
        let changes: Vec<Changes> = events.iter().map(|timed| health.apply(timed)).collect();
        if let Some(publication) = publication {
            self.findings = Arc::clone(&publication.findings);
            self.publication = publication;
        }
        let plans = &self.publication.parts.plans;
        // A change of zones alone leaves all policies as they are.
        if Arc::ptr_eq(self.table.plans(), plans) {
            self.table.follow(&changes, &*self.health);
        } else {
            self.table = LiveTable::new(plans, &*self.health);
        }
        self.publish();
    }

    fn publish(&mut self) {
        let snapshot = compose(&self.publication, &self.health, &self.table);
        let old = self.snapshots.swap(Arc::new(snapshot));
        self.reclaim.retire(old);
    }

    pub(super) fn view(&self) -> View {
        View {
            snapshot: self.snapshots.load_full(),
            health: Arc::clone(&self.health),
            publication: Arc::clone(&self.publication),
            findings: Arc::clone(&self.findings),
            retired: self.reclaim.waiting(),
        }
    }
}

fn compose(publication: &Publication, health: &State, table: &LiveTable) -> Snapshot {
    Snapshot {
        generation: publication.generation,
        revision: health.revision(),
        digest: digest(publication, health),
        catalog: Arc::clone(&publication.parts.catalog),
        plans: Arc::clone(&publication.parts.plans),
        table: table.table(),
        steered: Arc::clone(&publication.slots),
    }
}

/// The hash of the whole state. Rows and their TTLs follow from these four by the rules of the version, so they are in
/// it without being hashed; and rows that look at the site's position (`unknown = "site"`) are not, so that sites can
/// be compared.
fn digest(publication: &Publication, health: &State) -> Digest {
    Digest::of_parts([
        ("rules", Digest::of(&RULES_VERSION.to_le_bytes())),
        ("files", publication.parts.files_digest),
        ("geography", publication.parts.geography_digest),
        ("health", health.digest()),
    ])
}
