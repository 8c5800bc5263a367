//! POST /v1/reports/stream: a report a line, for as long as its sender likes. What arrived while the disk was busy is one
//! batch, so a slow disk makes batches larger and not the wait longer. Each batch is a line of the answer.

use std::convert::Infallible;
use std::future::Future;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{StreamExt, adapters::Map};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;
use utoipa::openapi::Content;

use crate::api::{self, ReportError, ReportLine, ReportsTaken, StreamAnswer};

use super::super::access::Caller;
use super::super::desk::Desk;
use super::super::writer::WriteError;
use super::guard::is_json;
use super::problem::Refused;
use super::reports::settle;
use super::route::Route;

/// Octets of a line: ten times what any report needs.
const LINE_LEN_MAX: usize = 16 * 1024;

/// Items that are settled together. A guess.
const BATCH_LEN_MAX: usize = 1_000;

/// Answers that a sender may leave unread; beyond, it is not listened to.
const QUEUE_LEN: usize = 64;

/// A sender that reads no answer for this long is let go.
const SEND_MAX: Duration = Duration::from_secs(20);

/// How often it is asked whether the sender may still report.
const WELCOME_EVERY: Duration = Duration::from_secs(5);

/// How soon a writer that was busy is asked again.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// How long a sender is listened to that has been told of the end.
const LINGER: Duration = Duration::from_secs(1);

const NDJSON: &str = "application/x-ndjson";

/// Takes lines until they end, and answers with lines as they are settled.
pub async fn take(
    State(desk): State<Desk>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refused> {
    let kind = request.headers().get(CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.to_str().is_ok_and(is_json)) {
        let detail = format!("send Content-Type: {NDJSON}, one report a line");
        return Err(Refused::new(415, "not-json", detail));
    }
    let place = desk.gate.streams.clone().try_acquire_owned().map_err(|_| {
        let detail = "as many streams of reports are open as may be; send requests instead";
        Refused::unavailable("too-many-streams", detail)
    })?;
    let (sender, receiver) = mpsc::channel(QUEUE_LEN);
    let feeding = Feeding {
        lines: lines(request.into_body()),
        ended: desk.feed.ended(),
        desk,
        caller,
        sender,
        settled: 0,
        _place: place,
    };
    tokio::spawn(feeding.run());
    let answers = ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>);
    let kind = (CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(([kind], Body::from_stream(answers)).into_response())
}

/// The route with what its body may be.
pub fn described(route: Route) -> Route {
    let one = "{\"vantage\": \"ams-1\", \"subject\": \"fra/web\", \"status\": \"down\"}\n";
    let lines = Content::builder().example(Some(one.into())).build();
    let words = "An answer a line, as items are settled.";
    route.reads_as(&[(NDJSON, lines)]).sends(200, words, NDJSON)
}

type Octets = Map<BodyDataStream, fn(Result<Bytes, axum::Error>) -> Result<Bytes, std::io::Error>>;
type Lines = FramedRead<StreamReader<Octets, Bytes>, LinesCodec>;

fn lines(body: Body) -> Lines {
    let octets: Octets =
        body.into_data_stream().map(|octets| octets.map_err(std::io::Error::other));
    FramedRead::new(StreamReader::new(octets), LinesCodec::new_with_max_length(LINE_LEN_MAX))
}

type Line = Result<ReportLine, ReportError>;

/// One sender.
struct Feeding {
    lines: Lines,
    desk: Desk,
    caller: Caller,
    sender: mpsc::Sender<Bytes>,
    ended: watch::Receiver<bool>,
    /// How many of its items are settled.
    settled: usize,
    _place: OwnedSemaphorePermit,
}

/// How a stream ends: none where its sender ended it, or is gone; else a code, and what to do.
type End = Option<(&'static str, String)>;

impl Feeding {
    async fn run(mut self) {
        metrics::gauge!("homing_report_streams").increment(1.0);
        let end = loop {
            let (batch, end) = self.gather().await;
            if let Err(end) = self.settle(batch).await {
                break end;
            }
            if let Some(end) = end {
                break end;
            }
        };
        if let Some((code, detail)) = end {
            let (items, end) = (self.settled, code.to_owned());
            let last = StreamAnswer { items, end, detail, ..StreamAnswer::default() };
            // It may be gone.
            let _ = self.answer(&last).await;
            let Feeding { lines, sender, .. } = self;
            drop(sender);
            // To reset the stream at once would be within RFC 9113 §8.1, and some then lose the last answer.
            let _ = tokio::time::timeout(LINGER, drain(lines)).await;
        }
        metrics::gauge!("homing_report_streams").decrement(1.0);
    }

    /// What has arrived, once something has; and whether that was all.
    async fn gather(&mut self) -> (Vec<Line>, Option<End>) {
        let mut batch = Vec::new();
        let first = loop {
            tokio::select! {
                line = self.lines.next() => break line,
                _ = self.ended.wait_for(|ended| *ended) => return (batch, Some(stopping())),
                () = tokio::time::sleep(WELCOME_EVERY) => {}
            }
            if !self.caller.is_welcome() {
                return (batch, Some(not_welcome()));
            }
        };
        let mut next = Some(first);
        while let Some(line) = next {
            match line {
                // An empty one shows that the sender lives.
                Some(Ok(line)) if line.trim_ascii().is_empty() => {}
                Some(Ok(line)) => batch.push(api::read_item(line.as_bytes())),
                Some(Err(error)) => return (batch, Some(unreadable(error))),
                None => return (batch, Some(None)),
            }
            let is_full = batch.len() >= BATCH_LEN_MAX;
            next = if is_full { None } else { at_once(self.lines.next()).await };
        }
        (batch, None)
    }

    /// Has a batch written, in its time, and says so.
    async fn settle(&mut self, batch: Vec<Line>) -> Result<(), End> {
        if batch.is_empty() {
            return Ok(());
        }
        self.pay(batch.len()).await?;
        if !self.caller.is_welcome() {
            return Err(not_welcome());
        }
        let count = batch.len();
        let taken = loop {
            match settle(&self.desk, &self.caller, batch.clone(), self.settled).await {
                Ok(taken) => break taken,
                Err(WriteError::Busy) => self.pause(BUSY_PAUSE).await?,
                Err(error) => {
                    let problem = Refused::from(error).problem;
                    return Err(Some(("log-unwritable", problem.detail)));
                }
            }
        };
        self.settled += count;
        let ReportsTaken { revision, taken, refused } = taken;
        let items = self.settled;
        let told = StreamAnswer { items, revision, taken, refused, ..StreamAnswer::default() };
        self.answer(&told).await
    }

    /// Waits until the sender may send as many: it is slowed down, for it cannot be told to come again.
    async fn pay(&mut self, count: usize) -> Result<(), End> {
        let mut limited = count as u64;
        while let Err(wait) = self.desk.gate.items.take(&self.caller.share(), count, Instant::now())
        {
            // However often it has to wait, others of its share being quicker.
            metrics::counter!("homing_reports_limited_total").increment(limited);
            limited = 0;
            self.pause(wait).await?;
        }
        Ok(())
    }

    async fn pause(&mut self, wait: Duration) -> Result<(), End> {
        let mut ended = self.ended.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            _ = ended.wait_for(|ended| *ended) => Err(stopping()),
            () = self.sender.closed() => Err(None),
        }
    }

    async fn answer(&mut self, told: &StreamAnswer) -> Result<(), End> {
        // Text and numbers.
        let mut line = serde_json::to_vec(told).unwrap_or_default();
        line.push(b'\n');
        self.sender.send_timeout(line.into(), SEND_MAX).await.map_err(|error| match error {
            mpsc::error::SendTimeoutError::Timeout(_) => {
                let detail = "answers are not read; send what is not settled again";
                Some(("too-slow", detail.to_owned()))
            }
            mpsc::error::SendTimeoutError::Closed(_) => None,
        })
    }
}

/// Reads what nobody wants.
async fn drain(lines: Lines) {
    // To the end, or to the error that it is cut off with: either way it is over.
    let _ = tokio::io::copy(&mut lines.into_inner(), &mut tokio::io::sink()).await;
}

/// What `future` gives if it need not wait.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        it = future => Some(it),
        () = std::future::ready(()) => None,
    }
}

fn unreadable(error: LinesCodecError) -> End {
    match error {
        LinesCodecError::MaxLineLengthExceeded => {
            let detail = format!("a line has more than {LINE_LEN_MAX} octets: one report a line");
            Some(("line-too-long", detail))
        }
        LinesCodecError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Some(("not-text", "a line is not UTF-8".to_owned()))
        }
        // The sender is gone, and nobody reads why.
        LinesCodecError::Io(_) => None,
    }
}

fn stopping() -> End {
    let detail = "the server ends; send what is not settled again when it is back";
    Some(("stopping", detail.to_owned()))
}

fn not_welcome() -> End {
    let detail = "the token that opened this stream was revoked or has expired";
    Some(("not-welcome", detail.to_owned()))
}
