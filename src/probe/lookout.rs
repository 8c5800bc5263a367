//! The lookout: one task that has every endpoint looked at in its turn, and puts what is worth saying into the mail.
//!
//! Owns: the clock of a vantage, the looks under way and their bound, the words said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::health::{Member, Status};

use super::look::{Outcome, look};
use super::outbox::{Outbox, Said};
use super::schedule::{Rhythm, Schedule};
use super::target::Target;
use super::voice::Voice;

/// Looks begin together in such grains, so that a thousand in a second do not wake the task a thousand times.
const GRAIN: Duration = Duration::from_millis(10);

/// A look that begins this much after its turn is counted as late.
const LATE_MILLIS: u64 = 1_000;

/// Who is looked at, and how often what.
#[derive(Clone, Debug, Default)]
pub struct Rota {
    /// The endpoints, each once.
    pub targets: Vec<Target>,
    /// How often everything said is reaffirmed.
    pub heartbeat: Duration,
    /// Looks at once; at least 1.
    pub concurrency: usize,
}

/// What waits for one receiver. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    outbox: Arc<Mutex<Outbox>>,
    came: Arc<Notify>,
}

impl Mail {
    /// Waits until something is there, then gives what is to be sent next, at most `count`. It stays until it has arrived.
    pub async fn next(&self, count: usize) -> Vec<Said> {
        loop {
            let came = self.came.notified();
            let next = self.with(|outbox| outbox.next(count));
            if !next.is_empty() {
                return next;
            }
            came.await;
        }
    }

    /// These have arrived.
    pub fn arrived(&self, sent: &[Said]) {
        self.with(|outbox| outbox.arrived(sent));
    }

    /// The receiver may know nothing any more: all last words are to be sent again.
    pub fn begin_again(&self) {
        self.with(Outbox::begin_again);
        self.came.notify_one();
    }

    /// How much waits.
    pub fn waiting(&self) -> usize {
        self.with(|outbox| outbox.len())
    }

    /// Puts in what was said.
    pub fn put(&self, said: &[Said]) {
        self.with(|outbox| said.iter().for_each(|said| outbox.put(said.clone())));
        self.came.notify_one();
    }

    /// Forgets all words but those on these.
    pub fn keep(&self, is_kept: impl Fn(&Member) -> bool) {
        self.with(|outbox| outbox.keep(is_kept));
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Outbox) -> T) -> T {
        use_it(&mut self.outbox.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a look came to, and of whom.
type Looked = (Arc<Target>, Outcome);

/// Looks out.
pub struct Lookout {
    vantage: Box<str>,
    mails: Vec<Mail>,
    started: Instant,
    targets: Vec<Arc<Target>>,
    places: BTreeMap<Arc<Member>, usize>,
    schedule: Schedule,
    concurrency: usize,
    looks: JoinSet<Looked>,
    voice: Voice,
}

impl Lookout {
    /// A vantage of this name, which tells all these receivers.
    pub fn new(vantage: &str, mails: Vec<Mail>) -> Lookout {
        Lookout {
            vantage: vantage.into(),
            mails,
            started: Instant::now(),
            targets: Vec::new(),
            places: BTreeMap::new(),
            schedule: Schedule::default(),
            concurrency: 1,
            looks: JoinSet::new(),
            voice: Voice::new(0, 1),
        }
    }

    /// Looks until nobody can change the rota any more.
    pub async fn keep(mut self, mut rota: watch::Receiver<Arc<Rota>>) {
        let first = rota.borrow_and_update().clone();
        self.adopt(&first);
        let mut woken = Instant::now();
        loop {
            let wake = self.wake().max(woken + GRAIN);
            tokio::select! {
                changed = rota.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let next = rota.borrow_and_update().clone();
                    self.adopt(&next);
                }
                Some(done) = self.looks.join_next(), if !self.looks.is_empty() => self.note(done),
                () = tokio::time::sleep_until(wake) => woken = Instant::now(),
            }
            while let Some(done) = self.looks.try_join_next() {
                self.note(done);
            }
            self.begin();
            let now = self.now();
            let said = self.voice.repeat(now);
            self.post(&said);
        }
    }

    /// Who is there already keeps its turn and its word.
    fn adopt(&mut self, rota: &Rota) {
        let rhythm = |target: &Target| {
            let member = &target.member;
            let subject = format!("{}/{}/{}", member.region, member.pool, member.address);
            Rhythm::new(&self.vantage, &subject, millis(target.settings.interval))
        };
        self.schedule = Schedule::new(self.now(), rota.targets.iter().map(rhythm).collect());
        self.targets = rota.targets.iter().cloned().map(Arc::new).collect();
        let places = self.targets.iter().enumerate();
        self.places = places.map(|(place, target)| (Arc::clone(&target.member), place)).collect();
        self.concurrency = rota.concurrency.max(1);
        self.voice.beat_every(millis(rota.heartbeat));
        self.voice.keep(|member| self.places.contains_key(member));
        for mail in &self.mails {
            mail.keep(|member| self.places.contains_key(member));
        }
        metrics::gauge!("homing_probe_endpoints").set(self.targets.len() as f64);
    }

    /// When there is something to do, if no look ends before.
    fn wake(&self) -> Instant {
        let is_full = self.looks.len() >= self.concurrency;
        let turn = self.schedule.next().filter(|_| !is_full);
        let at = turn.map_or(self.voice.due(), |turn| turn.min(self.voice.due()));
        self.started + Duration::from_millis(at)
    }

    fn begin(&mut self) {
        let now = self.now();
        while self.looks.len() < self.concurrency
            && let Some((place, turn)) = self.schedule.take(now)
        {
            if now.saturating_sub(turn) > LATE_MILLIS {
                metrics::counter!("homing_probe_looks_late_total").increment(1);
            }
            let Some(target) = self.targets.get(place).cloned() else { continue };
            self.looks.spawn(async move {
                let (outcome, took) = look(&target).await;
                let kind = target.settings.check.kind();
                metrics::histogram!("homing_probe_look_seconds", "kind" => kind)
                    .record(took.as_secs_f64());
                (target, outcome)
            });
        }
        metrics::gauge!("homing_probe_looks_under_way").set(self.looks.len() as f64);
    }

    fn note(&mut self, done: Result<Looked, JoinError>) {
        // A look that panicked said so; of its endpoint nothing is known.
        let Ok((target, outcome)) = done else { return };
        let current = self.places.get(&target.member).and_then(|place| self.targets.get(*place));
        // One that began before the settings changed looked for something else.
        if !current.is_some_and(|current| current.is_as(&target)) {
            return;
        }
        let word = match &outcome {
            Outcome::Seen { status, .. } => status.word(),
            Outcome::Unable(_) => "unable",
        };
        let kind = target.settings.check.kind();
        metrics::counter!("homing_probe_looks_total", "kind" => kind, "result" => word)
            .increment(1);
        match outcome {
            Outcome::Seen { status, reason } => self.see(&target.member, status, reason),
            Outcome::Unable(words) => {
                tracing::debug!(event = "unable-to-look", address = %target.member.address, %words);
                self.voice.lose(&target.member);
            }
        }
    }

    fn see(&mut self, member: &Arc<Member>, status: Status, reason: Option<Box<str>>) {
        let before = self.voice.word_on(member);
        let words = reason.clone().unwrap_or_default();
        let Some(said) = self.voice.see(member, status, reason) else { return };
        self.post(&[said]);
        // That all is well at the start is no news.
        if before != Some(status) && (before, status) != (None, Status::Up) {
            let (region, pool, address) = (&member.region, &member.pool, &member.address);
            let subject = format!("{region}/{pool}/{address}");
            tracing::info!(event = "seen", subject, status = status.word(), reason = %words);
        }
        for (status, count) in ["up", "degraded", "down"].into_iter().zip(self.voice.counts()) {
            metrics::gauge!("homing_probe_words", "status" => status).set(count as f64);
        }
    }

    fn post(&self, said: &[Said]) {
        if !said.is_empty() {
            self.mails.iter().for_each(|mail| mail.put(said));
        }
    }

    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
