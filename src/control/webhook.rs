//! The webhook: what happens, told to one receiver over HTTP, in order, until it says that it has it.
//!
//! Never: makes anybody wait. Where the receiver stands in the log is kept, so that it hears the rest after a restart, of
//!        either side; alarms of this machine are told as they stand.

mod letter;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::broadcast;

use crate::alarm::Alarm;
use crate::api::{AlarmChange, WatchEvent, WebhookBody, alarm_change};
use crate::history::Cursor;
use crate::load::{Config, Webhook};
use crate::number::Revision;

use super::alarms::{Alarms, Change, Standing, Subject};
use super::changefeed::Changefeed;
use super::facts::epoch_millis;
use super::follower::{Follower, Lost};
use super::outbound::{Pauses, agent};

use letter::{is_news, signature};

/// How long the receiver may take for one letter.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Between the first failure of a letter and the next attempt, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// Failures in a row that give alarm: some 10 s, in which a receiver may have started again.
const FAILURE_COUNT_MAX: u32 = 4;

/// Events that are no news after which the place in the log is kept all the same, so that a start need not read them.
const UNKEPT_COUNT_MAX: u64 = 1_000;

/// Has the webhook of `config` told, for as long as the runtime lives; nothing happens without one. Call it within the
/// runtime.
pub fn start(config: &Config, feed: &Changefeed, alarms: &Alarms) {
    describe();
    let Some(webhook) = config.webhook.clone() else { return };
    // Without a log nothing is told but alarms; what is not logged has no place to resume at.
    let cursor = feed.log().map(|state: &Path| Cursor::of(state, "webhook"));
    let (begun, gap) = place(cursor.as_ref(), *feed.told().borrow());
    let messenger = Messenger {
        changes: alarms.follow().1,
        follower: Follower::new(feed.clone(), begun),
        told: Told { begins: webhook.news.alarms, gap, alarms: BTreeSet::new() },
        pauses: Pauses::new(PAUSES.0, PAUSES.1),
        site: config.site_name.clone(),
        position: begun,
        kept: begun,
        failures: 0,
        agent: None,
        feed: feed.clone(),
        alarms: alarms.clone(),
        webhook,
        cursor,
    };
    tokio::spawn(messenger.run());
}

fn describe() {
    let help = "Letters to the receiver of the webhook, by what came of them.";
    metrics::describe_counter!("homing_webhook_deliveries_total", help);
    for result in ["taken", "failed"] {
        metrics::counter!("homing_webhook_deliveries_total", "result" => result).absolute(0);
    }
    let help = "Events of the log that the receiver of the webhook has not been told of.";
    metrics::describe_gauge!("homing_webhook_waiting", help);
    metrics::gauge!("homing_webhook_waiting").set(0.0);
}

/// Where to begin, and whether something may be missing before.
fn place(cursor: Option<&Cursor>, now: Revision) -> (Revision, bool) {
    match cursor.map(Cursor::read) {
        None | Some(Ok(None)) => (now, false),
        Some(Ok(Some(kept))) if kept <= now => (kept, false),
        // Of a log that was removed since.
        Some(Ok(Some(_))) => (now, true),
        Some(Err(error)) => {
            tracing::warn!(event = "webhook-place-lost", %error, "it goes on from now");
            (now, true)
        }
    }
}

struct Messenger {
    webhook: Webhook,
    site: String,
    feed: Changefeed,
    follower: Follower,
    alarms: Alarms,
    changes: broadcast::Receiver<Change>,
    cursor: Option<Cursor>,
    /// Up to where the receiver has been told what is news to it.
    position: Revision,
    /// … and what of that is kept.
    kept: Revision,
    told: Told,
    pauses: Pauses,
    /// Failures in a row.
    failures: u32,
    /// One that the receiver answered well.
    agent: Option<ureq::Agent>,
}

/// What the receiver knows, and should.
struct Told {
    /// It has not heard yet that this server began.
    begins: bool,
    /// It has not heard yet that something is missing.
    gap: bool,
    /// Alarms of this machine that stand, as far as it knows.
    alarms: BTreeSet<(Alarm, Subject)>,
}

impl Messenger {
    async fn run(mut self) {
        loop {
            let (events, position) = self.take().await;
            let standing = self.standing();
            let alarms = self.told.changes(&standing);
            let is_news = !events.is_empty() || !alarms.is_empty() || self.told.gap;
            if is_news || self.told.begins {
                let (gap, begins) = (self.told.gap, self.told.begins);
                let body = WebhookBody { site: self.site.clone(), begins, events, alarms, gap };
                // Text and numbers, none of them infinite.
                self.deliver(serde_json::to_string(&body).unwrap_or_default()).await;
                self.told = Told { begins: false, gap: false, alarms: keys(&standing) };
            }
            let is_still = position == self.position;
            self.position = position;
            if is_news || position.0 - self.kept.0 > UNKEPT_COUNT_MAX {
                self.keep().await;
            }
            self.count_waiting();
            if is_still && !is_news {
                tokio::select! {
                    () = self.follower.changed() => {}
                    // That one lags behind or is closed is a change as well: what stands is asked for.
                    _ = self.changes.recv() => {}
                }
            }
        }
    }

    /// The next events that are news, and up to where all were looked at.
    async fn take(&mut self) -> (Vec<WatchEvent>, Revision) {
        match self.follower.take().await {
            Ok(batch) => {
                let last = batch.last().map_or(self.position, |last| last.revision());
                let events = batch.iter().map(|told| &told.event);
                let news = events.filter(|event| is_news(event, self.webhook.news));
                (news.cloned().collect(), last)
            }
            Err(Lost::TooOld(oldest)) => {
                let from = oldest.unwrap_or(*self.feed.told().borrow());
                tracing::warn!(event = "webhook-gap", after = self.position.0, before = from.0);
                self.told.gap = true;
                self.follower = Follower::new(self.feed.clone(), from);
                (Vec::new(), from)
            }
            Err(Lost::Unreadable(cause)) => {
                tracing::warn!(event = "webhook-behind", cause, "it is tried again");
                tokio::time::sleep(PAUSES.0).await;
                (Vec::new(), self.position)
            }
        }
    }

    /// The alarms of this machine that it is told of. That it cannot be told is none of them.
    fn standing(&self) -> Standing {
        let mut standing = self.alarms.standing();
        standing
            .retain(|(alarm, _), _| self.webhook.news.alarms && *alarm != Alarm::WebhookFailing);
        standing
    }

    /// Sends a letter until it is taken.
    async fn deliver(&mut self, body: String) {
        let body: Arc<str> = body.into();
        while let Err(words) = self.send(Arc::clone(&body)).await {
            count("failed");
            self.failures += 1;
            let url = &self.webhook.url;
            tracing::debug!(event = "webhook-failed", %url, cause = words, self.failures);
            if self.failures == FAILURE_COUNT_MAX {
                self.alarms.raise(Alarm::WebhookFailing, format!("{url}: {words}"));
            }
            self.count_waiting();
            tokio::time::sleep(self.pauses.next()).await;
        }
        count("taken");
        self.failures = 0;
        self.pauses.begin_again();
        self.alarms.clear(Alarm::WebhookFailing);
    }

    async fn send(&mut self, body: Arc<str>) -> Result<(), String> {
        let (webhook, agent) = (self.webhook.clone(), self.agent.take());
        // Blocking, as the client is.
        let sent = tokio::task::spawn_blocking(move || post(&webhook, agent, &body)).await;
        self.agent = Some(sent.map_err(|_| "a fault in homing itself".to_owned())??);
        Ok(())
    }

    async fn keep(&mut self) {
        let (Some(cursor), position) = (self.cursor.clone(), self.position) else { return };
        let set = tokio::task::spawn_blocking(move || cursor.set(position)).await;
        match set {
            Ok(Ok(())) => self.kept = position,
            // Told again after a restart, if it cannot be kept until then.
            Ok(Err(error)) => tracing::warn!(event = "webhook-place-unkept", %error),
            Err(_) => {}
        }
    }

    fn count_waiting(&self) {
        let waiting = self.feed.told().borrow().0.saturating_sub(self.position.0);
        metrics::gauge!("homing_webhook_waiting").set(waiting as f64);
    }
}

impl Told {
    /// What of `standing` the receiver does not know.
    fn changes(&self, standing: &Standing) -> Vec<AlarmChange> {
        let known = |key: &(Alarm, Subject)| self.alarms.contains(key);
        let gone = self.alarms.iter().filter(|key| !standing.contains_key(key));
        let cleared = gone.map(|(alarm, subject)| alarm_change(*alarm, subject, None));
        let new = standing.iter().filter(|(key, _)| !known(key));
        let raised =
            new.map(|((alarm, subject), words)| alarm_change(*alarm, subject, Some(words)));
        cleared.chain(raised).collect()
    }
}

fn keys(standing: &Standing) -> BTreeSet<(Alarm, Subject)> {
    standing.keys().cloned().collect()
}

fn count(result: &'static str) {
    metrics::counter!("homing_webhook_deliveries_total", "result" => result).increment(1);
}

/// Sends one letter, and gives back the client if it was taken. The secret is read with each, so that it may be changed.
fn post(webhook: &Webhook, known: Option<ureq::Agent>, body: &str) -> Result<ureq::Agent, String> {
    let new = || agent(webhook.ca.as_deref(), "homing", TIMEOUT);
    let agent = known.map_or_else(new, Ok)?;
    let mut request = agent.post(&*webhook.url).header("content-type", "application/json");
    if let Some(path) = &webhook.secret_file {
        let secret = std::fs::read(path)
            .map_err(|e| format!("the secret cannot be read from {}: {e}", path.display()))?;
        let at = epoch_millis(SystemTime::now()).0 / 1000;
        request = request.header("homing-signature", signature(&secret, at, body)?);
    }
    let response = request.send(body).map_err(|e| e.to_string())?;
    match response.status().as_u16() {
        200..=299 => Ok(agent),
        status => Err(format!("it answers HTTP {status}")),
    }
}
