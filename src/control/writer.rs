//! The writer: the one who gives events their place in the order. A thread of its own, for it waits for the disk.
//!
//! Owns: the event log, its clock, the state *ahead*: all that is durable, and the batch under way. Admission looks at it.
//! Read `Owner::turn`: gather what waits, admit, make durable, have the hub fold and publish, then acknowledge.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::alarm::Alarm;
use crate::health::{Event, LogTime, Refusal, Safety, State, Timed};
use crate::history::{Log, LogClock};
use crate::number::Revision;

use super::alarms::Alarms;
use super::changefeed::Teller;
use super::folding::Folding;
use super::hub::{self, Hub};
use super::publication::Publication;

/// Orders that may wait for the writer; beyond, senders are told that the server is busy.
const QUEUE_LEN: usize = 4096;

/// Events in one batch: what one sync makes durable. A guess, to be measured.
const BATCH_LEN_MAX: usize = 4096;

/// How soon a log that could not be written is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

const ALARM: Alarm = Alarm::LogUnwritable;

/// What became of a feed of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// The log's position after it.
    pub revision: Revision,
    /// How many events were taken.
    pub taken: usize,
    /// The others, by their place in the feed, and why.
    pub refused: Vec<(usize, Refusal)>,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// Too much waits.
    Busy,
    /// The log cannot be written: the cause.
    Unwritable(String),
    /// The event is not admitted.
    Refused(Refusal),
    /// The log stands elsewhere than the sender expected.
    Moved(Revision),
}

enum Order {
    Feed(Vec<Event>, oneshot::Sender<Result<Fed, WriteError>>),
    Decide(Decision, oneshot::Sender<Result<Revision, WriteError>>),
    Publish(Arc<Publication>, oneshot::Sender<Result<(), WriteError>>),
    Stop,
}

struct Decision {
    event: Event,
    safety: Safety,
    expected: Option<Revision>,
}

/// Reaches the writer.
#[derive(Clone)]
pub struct Writer {
    sender: SyncSender<Order>,
    clock: Clock,
    /// What reports without boot and seq are given: this server's start, and a number.
    boot: u64,
    last_seq: Arc<AtomicU64>,
}

/// Log time as it passes.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    log: LogClock,
    started: Instant,
}

impl Clock {
    /// A clock that goes on where the log ended.
    pub fn start(last: LogTime, wall: LogTime) -> Clock {
        Clock { log: LogClock::start(last, wall), started: Instant::now() }
    }

    /// Log time now.
    pub fn now(&self) -> LogTime {
        let elapsed = self.started.elapsed().as_millis();
        self.log.at(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// How long until log time is `at`.
    fn until(&self, at: LogTime) -> Duration {
        Duration::from_millis(at.millis_since(self.now()))
    }
}

impl Writer {
    /// Starts the writer. Without a log (it could not be opened) reports and decisions are refused, and files serve.
    pub fn start(
        log: Option<Log>,
        state: State,
        clock: Clock,
        hub: Hub,
        teller: Teller,
        alarms: Alarms,
    ) -> Result<(Writer, JoinHandle<()>), std::io::Error> {
        let (sender, receiver) = sync_channel(QUEUE_LEN);
        // After all that the log holds, and so after every boot that was given out before.
        let boot = clock.now().max(state.now().plus_millis(1)).0;
        let owner = Owner::new(log, state, clock, hub, teller, alarms);
        let thread =
            thread::Builder::new().name("writer".into()).spawn(move || owner.run(&receiver))?;
        Ok((Writer { sender, clock, boot, last_seq: Arc::default() }, thread))
    }

    /// Log time now.
    pub fn now(&self) -> LogTime {
        self.clock.now()
    }

    /// Boot and sequence number for a report without them, later than any given before. One boot for all, so that a
    /// report that only repeats is known as such, and a heartbeat reaffirms what was said.
    pub fn next_place(&self) -> (u64, u64) {
        (self.boot, self.last_seq.fetch_add(1, Ordering::Relaxed))
    }

    /// Has reports and heartbeats written, each that is admitted; back when they are durable and served.
    pub async fn feed(&self, events: Vec<Event>) -> Result<Fed, WriteError> {
        self.order(|reply| Order::Feed(events, reply)).await?
    }

    /// Has an operator's decision written; back when it is durable and served. With `expected`, only if the log still
    /// stands there.
    pub async fn decide(
        &self,
        event: Event,
        safety: Safety,
        expected: Option<Revision>,
    ) -> Result<Revision, WriteError> {
        let decision = Decision { event, safety, expected };
        self.order(|reply| Order::Decide(decision, reply)).await?
    }

    /// Has a generation written and published; blocks until it serves. It serves even if the log cannot be written, and
    /// is refused only if a later one was taken before it.
    pub fn publish(&self, publication: Arc<Publication>) -> Result<(), WriteError> {
        let (reply, done) = oneshot::channel();
        self.sender.send(Order::Publish(publication, reply)).map_err(|_| WriteError::Busy)?;
        done.blocking_recv().map_err(|_| WriteError::Busy)?
    }

    /// Ends the writer, after what waits.
    pub fn stop(&self) {
        let _ = self.sender.send(Order::Stop);
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, WriteError> {
        let (reply, answer) = oneshot::channel();
        match self.sender.try_send(order(reply)) {
            Ok(()) => answer.await.map_err(|_| WriteError::Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(WriteError::Busy),
        }
    }
}

struct Owner {
    log: Option<Log>,
    /// What is durable, and what the batch under way adds.
    ahead: State,
    folding: Folding,
    clock: Clock,
    hub: Hub,
    teller: Teller,
    alarms: Alarms,
    /// A generation that serves, and that the log does not know yet.
    unlogged: Option<Event>,
    /// When a log that failed is tried again.
    retry_at: Option<Instant>,
}

/// Events under way to the disk, and who waits for them.
#[derive(Default)]
struct Batch {
    events: Vec<(LogTime, Event)>,
    publication: Option<Arc<Publication>>,
    waiting: Vec<Waiting>,
    ends: bool,
}

enum Waiting {
    Feed(Fed, oneshot::Sender<Result<Fed, WriteError>>),
    Decision(oneshot::Sender<Result<Revision, WriteError>>),
    Publication(oneshot::Sender<Result<(), WriteError>>),
}

impl Owner {
    fn new(
        log: Option<Log>,
        ahead: State,
        clock: Clock,
        hub: Hub,
        teller: Teller,
        alarms: Alarms,
    ) -> Owner {
        let (folding, unlogged, retry_at) = (Folding::default(), None, None);
        Owner { log, ahead, folding, clock, hub, teller, alarms, unlogged, retry_at }
    }

    fn run(mut self, receiver: &Receiver<Order>) {
        while self.turn(receiver).is_continue() {}
    }

    /// One batch: what waits, or what a deadline asks for. Breaks after the last one.
    fn turn(&mut self, receiver: &Receiver<Order>) -> ControlFlow<()> {
        let mut batch = Batch::default();
        let next = self.next(receiver);
        if let Some(event) = self.unlogged.clone() {
            self.add(event, &mut batch);
        }
        match next {
            Ok(order) => self.gather(order, receiver, &mut batch),
            Err(RecvTimeoutError::Timeout) => self.tick(&mut batch),
            Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(()),
        }
        for event in self.folding.end_due(&self.ahead, self.clock.now()) {
            self.add(event, &mut batch);
        }
        let ends = batch.ends;
        self.commit(batch);
        self.fold_log();
        if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The next order, or a timeout when a deadline has passed: of the state, or of what was held back.
    fn next(&self, receiver: &Receiver<Order>) -> Result<Order, RecvTimeoutError> {
        let retry = self.retry_at.map(|at| at.saturating_duration_since(Instant::now()));
        let deadlines = self.ahead.deadline().into_iter().chain(self.folding.due());
        let deadline = deadlines.min().filter(|_| self.log.is_some());
        let deadline = deadline.map(|at| self.clock.until(at).max(retry.unwrap_or_default()));
        let unlogged = retry.filter(|_| self.unlogged.is_some());
        match deadline.into_iter().chain(unlogged).min() {
            Some(wait) => receiver.recv_timeout(wait),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Takes what waits into one batch. A publication is the last of its batch, so that the hub gets it with its event.
    fn gather(&mut self, first: Order, receiver: &Receiver<Order>, batch: &mut Batch) {
        let mut next = Some(first);
        while let Some(order) = next {
            self.take(order, batch);
            let is_full = batch.events.len() >= BATCH_LEN_MAX;
            let is_last = is_full || batch.ends || batch.publication.is_some();
            next = if is_last { None } else { receiver.try_recv().ok() };
        }
    }

    fn take(&mut self, order: Order, batch: &mut Batch) {
        match order {
            Order::Feed(_, reply) if self.log.is_none() => drop(reply.send(Err(no_log()))),
            Order::Decide(_, reply) if self.log.is_none() => drop(reply.send(Err(no_log()))),
            Order::Feed(events, reply) => {
                let fed = self.take_feed(events, batch);
                batch.waiting.push(Waiting::Feed(fed, reply));
            }
            Order::Decide(decision, reply) => match self.judge(&decision) {
                Ok(()) => {
                    self.add(decision.event, batch);
                    batch.waiting.push(Waiting::Decision(reply));
                }
                Err(error) => drop(reply.send(Err(error))),
            },
            Order::Publish(publication, reply) => {
                // By never-backwards: who built on an older base and comes late has lost.
                if let Err(refusal) = self.ahead.admit(&publication.event(), Safety::Kept) {
                    metrics::counter!("homing_publications_refused_total").increment(1);
                    tracing::error!(event = "publication-refused", %refusal);
                    self.alarms.raise(Alarm::PublicationRefused, refusal.message.clone());
                    drop(reply.send(Err(WriteError::Refused(refusal))));
                    return;
                }
                self.alarms.clear(Alarm::PublicationRefused);
                if !publication.is_known_to(&self.ahead) {
                    self.add(publication.event(), batch);
                }
                batch.publication = Some(publication);
                batch.waiting.push(Waiting::Publication(reply));
            }
            Order::Stop => batch.ends = true,
        }
    }

    fn take_feed(&mut self, events: Vec<Event>, batch: &mut Batch) -> Fed {
        let mut fed = Fed::default();
        for (index, event) in events.into_iter().enumerate() {
            if let Err(refusal) = self.folding.admit(&event, &self.ahead) {
                fed.refused.push((index, refusal));
                continue;
            }
            fed.taken += 1;
            let at = self.clock.now().max(self.ahead.now());
            for event in self.folding.take(event, &self.ahead, at) {
                self.add(event, batch);
            }
        }
        for event in self.folding.end_feed(&self.ahead) {
            self.add(event, batch);
        }
        fed
    }

    fn judge(&self, decision: &Decision) -> Result<(), WriteError> {
        let at = self.ahead.revision();
        if decision.expected.is_some_and(|expected| expected != at) {
            return Err(WriteError::Moved(at));
        }
        self.ahead.admit(&decision.event, decision.safety).map_err(WriteError::Refused)
    }

    fn add(&mut self, event: Event, batch: &mut Batch) {
        let revision = Revision(self.ahead.revision().0.saturating_add(1));
        let at = self.clock.now().max(self.ahead.now());
        self.ahead.apply(&Timed { revision, at, event: event.clone() });
        batch.events.push((at, event));
    }

    /// A deadline has passed and nothing came. Doubles would be harmless.
    fn tick(&mut self, batch: &mut Batch) {
        let now = self.clock.now();
        if self.ahead.deadline().is_some_and(|at| at <= now) {
            self.add(Event::Tick, batch);
        }
    }

    /// Makes the batch durable, then has it folded and served, then tells those who wait.
    fn commit(&mut self, mut batch: Batch) {
        if batch.events.is_empty() && batch.waiting.is_empty() {
            return;
        }
        match self.write(std::mem::take(&mut batch.events)) {
            Ok(events) => {
                self.unlogged = None;
                self.serve(events, batch, Ok(()));
            }
            Err(cause) => {
                metrics::counter!("homing_log_errors_total").increment(1);
                self.alarms.raise(ALARM, format!("{cause}; reports are refused, verdicts hold"));
                self.retry_at = Some(Instant::now() + RETRY_AFTER);
                self.fall_back(batch.publication.as_deref());
                self.serve(Vec::new(), batch, Err(WriteError::Unwritable(cause)));
            }
        }
    }

    fn write(&mut self, events: Vec<(LogTime, Event)>) -> Result<Vec<Timed>, String> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let Some(log) = self.log.as_mut() else {
            return Ok(unlogged(events, self.ahead.revision()));
        };
        let timed = log.append(events).map_err(|e| e.to_string())?;
        self.retry_at = None;
        self.alarms.clear(ALARM);
        Ok(timed)
    }

    /// Nothing of the batch was written: the state ahead is again what is durable, and a generation waits for the log.
    fn fall_back(&mut self, publication: Option<&Publication>) {
        self.folding.forget();
        if let Some(view) = self.hub.view_blocking() {
            self.ahead = State::clone(&view.health);
        }
        if let Some(publication) = publication {
            self.unlogged = Some(publication.event()).filter(|_| self.log.is_some());
        }
    }

    fn serve(&self, events: Vec<Timed>, batch: Batch, written: Result<(), WriteError>) {
        let (events, waiting): (Arc<[Timed]>, _) = (events.into(), batch.waiting);
        let (teller, served) = (self.teller.clone(), Arc::clone(&events));
        let done = move |revision| {
            acknowledge(waiting, &written, revision);
            teller.tell(served);
        };
        let folded =
            hub::Event::Folded { events, publication: batch.publication, done: Box::new(done) };
        // Without a hub the server ends, and whoever waits hears it from the closed channel.
        let _ = self.hub.tell(folded);
    }

    /// Shortens the next start. Nobody waits for it, but the next batch.
    fn fold_log(&mut self) {
        let Some(log) = self.log.as_mut().filter(|log| log.is_fold_due()) else { return };
        if self.retry_at.is_none()
            && let Err(error) = log.write_fold(&self.ahead)
        {
            metrics::counter!("homing_log_errors_total").increment(1);
            tracing::error!(event = "log-fold-failed", %error);
            self.retry_at = Some(Instant::now() + RETRY_AFTER);
        }
    }
}

fn no_log() -> WriteError {
    WriteError::Unwritable("there is no event log; status says why".to_owned())
}

/// Without a log, generations of files serve all the same; nothing else gets here.
/// `last` is the revision that the last of them has in the state ahead.
fn unlogged(events: Vec<(LogTime, Event)>, last: Revision) -> Vec<Timed> {
    let timed = |((at, event), revision)| Timed { revision: Revision(revision), at, event };
    let before = last.0.saturating_sub(events.len() as u64);
    events.into_iter().zip(before + 1..).map(timed).collect()
}

/// Tells those who wait; some may have gone.
fn acknowledge(waiting: Vec<Waiting>, written: &Result<(), WriteError>, revision: Revision) {
    for one in waiting {
        match one {
            Waiting::Feed(fed, reply) => {
                // What was refused was refused in any case.
                let outcome = if fed.taken == 0 { Ok(()) } else { written.clone() };
                drop(reply.send(outcome.map(|()| Fed { revision, ..fed })));
            }
            Waiting::Decision(reply) => drop(reply.send(written.clone().map(|()| revision))),
            // It serves even if the log cannot be written.
            Waiting::Publication(reply) => drop(reply.send(Ok(()))),
        }
    }
}

#[cfg(test)]
mod tests;
