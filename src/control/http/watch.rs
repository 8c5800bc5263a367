//! What happens, as it happens: server-sent events (WHATWG HTML §9.2), each with its revision as `id`, so that whoever was
//! cut off resumes exactly where it was.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc, watch};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use crate::api::{WatchEnd, WatchStart, alarm_body, alarm_change};
use crate::number::Revision;

use super::super::access::Caller;
use super::super::alarms::{Change, Standing};
use super::super::changefeed::Told;
use super::super::desk::Desk;
use super::super::follower::{Follower, Lost};
use super::problem::Refused;
use super::query::Query;

/// Events under way to one watcher. What it does not take stays where it is: in the log.
const QUEUE_LEN: usize = 16;

/// A watcher that takes nothing for this long is let go.
const SEND_MAX: Duration = Duration::from_secs(20);

/// How often a quiet stream shows that it lives: more often than proxies lose patience.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);

/// How often it is asked whether the watcher may still watch.
const WELCOME_EVERY: Duration = Duration::from_secs(5);

/// When a watcher that was cut off comes again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// From where one watches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The revision after which to begin; without it, what happens from now on.
    #[param(minimum = 0, example = 17)]
    from: Option<u64>,
}

/// GET /v1/watch?from=REVISION: everything after it; after now where no revision is given. `Last-Event-ID`, which a browser
/// sends when it connects again, goes before `from`.
pub async fn watch(
    State(desk): State<Desk>,
    caller: Caller,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let asked = last_event(&headers)?.or(asked.from).map(Revision);
    if desk.feed.log().is_none() {
        let detail = "there is no event log to watch; GET /v1/status says why";
        return Err(Refused::unavailable("no-log", detail));
    }
    let place = desk.feed.place().ok_or_else(|| {
        let detail = "as many watch as may at one time; share one watch, or come again";
        Refused::unavailable("too-many-watchers", detail)
    })?;
    let now = desk.hub.view().await?.health.revision();
    let from = asked.unwrap_or(now);
    if from > now {
        return Err(ahead(from, now));
    }
    // Told before what happened since, so that no alarm is missed between.
    let (standing, alarms) = desk.alarms.follow();
    let mut follower = Follower::new(desk.feed.clone(), from);
    // The first piece, so that who is too late is told so in place of a stream.
    let first = follower.take().await.map_err(|lost| refusal(from, lost))?;
    let (sender, receiver) = mpsc::channel(QUEUE_LEN);
    let end = Arc::new(OnceLock::new());
    let watching = Watching {
        ended: desk.feed.ended(),
        follower,
        alarms,
        caller,
        sender,
        sent: from,
        end: Arc::clone(&end),
        _place: place,
    };
    metrics::gauge!("homing_watchers").increment(1.0);
    tokio::spawn(watching.run(standing, first));
    Ok(stream(receiver, end))
}

/// The stream of what is sent, and why it ended as its last event.
fn stream(receiver: mpsc::Receiver<Event>, end: Arc<OnceLock<WatchEnd>>) -> Response {
    // Looked at when all else was taken, and not before.
    let last = std::iter::once_with(move || end.get().map(|end| named("end", end)));
    let last = tokio_stream::iter(last).filter_map(std::convert::identity);
    let events = ReceiverStream::new(receiver).chain(last).map(Ok::<Event, Infallible>);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE_EVERY);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // Proxies that would gather what is sent let it through: nginx listens to this.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    response
}

/// The revision that a watcher has seen last, as it says itself.
fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Refused> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = value.to_str().unwrap_or("?").trim();
    // Empty: it has seen none (WHATWG HTML §9.2.3).
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let detail = format!("Last-Event-ID {text:?} is no revision of ours");
        Refused::new(400, "bad-last-event-id", detail)
    })
}

fn ahead(from: Revision, now: Revision) -> Refused {
    let detail = format!(
        "revision {from} is not yet: the log stands at {now}; it is of another server, or state/ was \
         removed: read /v1/status, then watch from its revision"
    );
    Refused::new(409, "revision-ahead", detail)
}

fn refusal(from: Revision, lost: Lost) -> Refused {
    match lost {
        Lost::TooOld(oldest) => Refused::new(410, "revision-too-old", too_old(from, oldest)),
        Lost::Unreadable(cause) => Refused::unavailable("log-unreadable", cause),
    }
}

fn too_old(from: Revision, oldest: Option<Revision>) -> String {
    let kept = oldest.map_or_else(String::new, |oldest| {
        format!("; the oldest to resume after is {oldest} (from={oldest})")
    });
    format!(
        "what came after revision {from} is no longer kept{kept}: read /v1/status, then watch from its \
         revision"
    )
}

/// One watcher.
struct Watching {
    follower: Follower,
    alarms: broadcast::Receiver<Change>,
    ended: watch::Receiver<bool>,
    caller: Caller,
    sender: mpsc::Sender<Event>,
    /// The last revision that was sent.
    sent: Revision,
    end: Arc<OnceLock<WatchEnd>>,
    _place: OwnedSemaphorePermit,
}

/// Why a watcher is let go; none: it went.
type LetGo = Option<(&'static str, String)>;

impl Watching {
    async fn run(mut self, standing: Standing, first: Vec<Arc<Told>>) {
        let let_go = match self.watch(&standing, first).await {
            Err(let_go) => let_go,
            Ok(never) => match never {},
        };
        if let Some((code, detail)) = let_go {
            metrics::counter!("homing_watchers_let_go_total", "code" => code).increment(1);
            let end = WatchEnd { code: code.to_owned(), detail, revision: self.sent.0 };
            // Set once, here.
            let _ = self.end.set(end);
        }
        metrics::gauge!("homing_watchers").decrement(1.0);
    }

    async fn watch(
        &mut self,
        standing: &Standing,
        mut batch: Vec<Arc<Told>>,
    ) -> Result<Infallible, LetGo> {
        self.begin(standing).await?;
        loop {
            for told in &batch {
                let id = told.revision().to_string();
                self.send(Event::default().id(id).data(&told.json)).await?;
                self.sent = told.revision();
            }
            if batch.is_empty() {
                self.wait().await?;
            }
            self.is_to_go_on()?;
            batch = self.follower.take().await.map_err(|lost| {
                Some(match lost {
                    Lost::TooOld(oldest) => ("too-old", too_old(self.sent, oldest)),
                    Lost::Unreadable(cause) => ("unreadable", cause),
                })
            })?;
        }
    }

    async fn begin(&mut self, standing: &Standing) -> Result<(), LetGo> {
        let alarms = standing.iter();
        let alarms = alarms.map(|((alarm, subject), words)| alarm_body(*alarm, subject, words));
        let start = WatchStart { revision: self.sent.0, alarms: alarms.collect() };
        let start = named("start", &start).id(self.sent.to_string()).retry(RETRY_AFTER);
        self.send(start).await
    }

    /// Waits for the next event; meanwhile tells of this machine's alarms.
    async fn wait(&mut self) -> Result<(), LetGo> {
        let change = tokio::select! {
            () = self.follower.changed() => return Ok(()),
            // In any case it is asked why below.
            _ = self.ended.changed() => return Ok(()),
            () = self.sender.closed() => return Err(None),
            () = tokio::time::sleep(WELCOME_EVERY) => return Ok(()),
            change = self.alarms.recv() => change,
        };
        match change {
            Ok(change) => {
                let Change { alarm, subject, raised } = change;
                self.send(named("alarm", &alarm_change(alarm, &subject, raised.as_deref()))).await
            }
            // Told whole when it comes again.
            Err(RecvError::Lagged(_)) => Err(too_slow()),
            Err(RecvError::Closed) => Err(stopping()),
        }
    }

    fn is_to_go_on(&self) -> Result<(), LetGo> {
        if *self.ended.borrow() {
            return Err(stopping());
        }
        if !self.caller.is_welcome() {
            let detail = "the token that opened this watch was revoked or has expired";
            return Err(Some(("not-welcome", detail.to_owned())));
        }
        Ok(())
    }

    async fn send(&mut self, event: Event) -> Result<(), LetGo> {
        let mut ended = self.ended.clone();
        tokio::select! {
            sent = self.sender.send_timeout(event, SEND_MAX) => match sent {
                Ok(()) => Ok(()),
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(too_slow()),
                Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(None),
            },
            _ = ended.wait_for(|ended| *ended) => Err(stopping()),
        }
    }
}

fn too_slow() -> LetGo {
    let detail = "events are not taken as fast as they come; resume after this revision";
    Some(("too-slow", detail.to_owned()))
}

fn stopping() -> LetGo {
    Some(("stopping", "the server ends; resume after this revision when it is back".to_owned()))
}

/// An event that has a name and no place in the order.
fn named(name: &str, body: &impl Serialize) -> Event {
    let json = serde_json::to_string(body).unwrap_or_default();
    Event::default().event(name).data(json)
}
