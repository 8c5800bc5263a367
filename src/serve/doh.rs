//! DNS queries over HTTPS (RFC 8484), within TLS that is agreed upon already: HTTP/1.1 and HTTP/2, GET and POST.
//!
//! Owns:  one connection, from its first request to its end; what is a query, and what a response may be kept for.
//! Never: waits for one request while another of the connection could be answered.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, BufWriter};
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout};

use crate::answer::{Transcript, Transport};

use super::connection::Seat;
use super::counters::add;
use super::responder::Responder;

/// The path (RFC 8484 §4.1 has the template `/dns-query{?dns}` in its examples, and all know it).
const PATH: &str = "/dns-query";
/// What a query and a response are (RFC 8484 §6).
const MESSAGE: &str = "application/dns-message";
/// Octets of a query: as of any message.
const QUERY_LEN_MAX: usize = 65_535;
/// Octets of the head of a request: a query in it, as text, and what browsers add.
const HEAD_LEN_MAX: u32 = 16 * 1024;
/// Requests under way on one connection. A guess: what a resolver asks at once.
const STREAM_COUNT_MAX: u32 = 64;
/// Octets of a request's body that may come before they are read: a query of usual length, of each request.
const WINDOW_LEN: u32 = 16 * 1024;
/// Octets that are gathered before they are written.
const WRITE_LEN: usize = 16 * 1024;
/// Requests taken back before they were whole, after which a client is let go ("rapid reset", CVE-2023-44487).
const RESET_COUNT_MAX: u64 = 100;

type Reply = Response<Full<Bytes>>;

/// Why a request is none, with its code.
#[derive(Clone, Copy, Debug)]
struct Refusal(StatusCode, &'static str);

/// Tasks of a connection stay on its thread.
#[derive(Clone, Copy)]
struct Local;

impl<T: Future<Output = ()> + 'static> hyper::rt::Executor<T> for Local {
    fn execute(&self, task: T) {
        spawn_local(task);
    }
}

/// What the requests of a connection share.
struct Conversation<F> {
    seat: Seat<F>,
    client: IpAddr,
    /// When a request was last answered.
    heard: Cell<Instant>,
    /// Requests that may still come.
    left: Cell<u64>,
    /// Requests begun that came to no end.
    open: Cell<u64>,
    /// Told when the client has had enough.
    spent: Notify,
}

/// Answers `client` over `stream` until it leaves, is silent for too long, or the server stops.
pub async fn converse<F: Responder>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    client: IpAddr,
    seat: Seat<F>,
) {
    let limits = seat.desk.limits;
    let ends = Instant::now() + limits.life;
    let mut stopping = seat.desk.stopping.clone();
    let shared = Rc::new(Conversation {
        seat,
        client,
        heard: Cell::new(Instant::now()),
        left: Cell::new(limits.queries_per_connection),
        open: Cell::new(0),
        spent: Notify::new(),
    });
    let requests = Rc::clone(&shared);
    let service = service_fn(move |request| {
        let shared = Rc::clone(&requests);
        async move { Ok::<_, Infallible>(shared.reply(request).await) }
    });
    let builder = builder(limits.idle);
    // Head and body of a response, and of several, leave in one record of TLS.
    let stream = TokioIo::new(BufWriter::with_capacity(WRITE_LEN, stream));
    let mut connection = pin!(builder.serve_connection(stream, service));
    loop {
        let counters = &shared.seat.desk.counters;
        let silent_at = shared.heard.get() + shared.idle_time();
        tokio::select! {
            biased;
            ended = connection.as_mut() => return if ended.is_err() { add(&counters.failed, 1) },
            _ = stopping.wait_for(|&stop| stop) => {}
            () = shared.spent.notified() => add(&counters.exhausted, 1),
            () = sleep_until(silent_at.min(ends)) => {
                let now = Instant::now();
                if now >= ends {
                    add(&counters.outlived, 1);
                } else if now >= shared.heard.get() + shared.idle_time() {
                    add(&counters.timed_out_read, 1);
                } else {
                    continue;
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        // What is under way is answered, by who takes it.
        let _ = timeout(limits.write, connection).await;
        return;
    }
}

fn builder(patience: Duration) -> Builder<Local> {
    let mut builder = Builder::new(Local);
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(patience);
    http1.max_buf_size(HEAD_LEN_MAX as usize);
    let mut http2 = builder.http2();
    http2.max_concurrent_streams(STREAM_COUNT_MAX).max_header_list_size(HEAD_LEN_MAX);
    http2.initial_stream_window_size(WINDOW_LEN);
    http2.initial_connection_window_size(WINDOW_LEN * STREAM_COUNT_MAX);
    builder
}

impl<F: Responder> Conversation<F> {
    fn idle_time(&self) -> Duration {
        self.seat.desk.seats.borrow().idle_time()
    }

    /// Answers one request. Dropped before its end, it stays counted as open.
    async fn reply(&self, request: Request<Incoming>) -> Reply {
        self.open.set(self.open.get() + 1);
        if self.open.get() > RESET_COUNT_MAX {
            self.spent.notify_one();
        }
        let reply = match query(request, self.idle_time()).await {
            Ok(query) => self.answer(&query),
            Err(refusal) => refusal.reply(),
        };
        self.open.set(self.open.get().saturating_sub(1));
        self.heard.set(Instant::now());
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            self.spent.notify_one();
        }
        reply
    }

    fn answer(&self, query: &[u8]) -> Reply {
        let seat = &self.seat;
        seat.desk.seats.borrow_mut().work(seat.id);
        let answer = seat.answer(query, self.client, Transport::Https);
        seat.desk.seats.borrow_mut().wait(seat.id);
        match answer {
            Some(answer) => message(answer),
            None => Refusal(StatusCode::BAD_REQUEST, "this is no query of DNS").reply(),
        }
    }
}

/// The query of a request (RFC 8484 §4.1), or how it is refused. The body is read in any case: what is left of one would be
/// taken for a fault of the stream.
async fn query(request: Request<Incoming>, patience: Duration) -> Result<Vec<u8>, Refusal> {
    let (head, body) = request.into_parts();
    let body = whole(body, patience).await?;
    if head.uri.path() != PATH {
        return Err(Refusal(StatusCode::NOT_FOUND, "queries are answered at /dns-query"));
    }
    match head.method {
        Method::GET => of_parameter(head.uri.query().unwrap_or_default()),
        Method::POST if head.headers.get(CONTENT_TYPE).is_some_and(is_message) => Ok(body.into()),
        Method::POST => {
            let why = "content-type: application/dns-message";
            Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
        }
        _ => Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "ask by GET or POST")),
    }
}

fn is_message(value: &HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(MESSAGE.as_bytes())
}

fn of_parameter(parameters: &str) -> Result<Vec<u8>, Refusal> {
    const REFUSAL: Refusal =
        Refusal(StatusCode::BAD_REQUEST, "dns= is a query in base64url without padding");
    let text = parameters.split('&').find_map(|it| it.strip_prefix("dns=")).ok_or(REFUSAL)?;
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| REFUSAL)
}

async fn whole(body: Incoming, patience: Duration) -> Result<Bytes, Refusal> {
    match timeout(patience, Limited::new(body, QUERY_LEN_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "a query has at most 65,535 octets"))
        }
        Ok(Err(_)) => Err(Refusal(StatusCode::BAD_REQUEST, "the body broke off")),
        Err(_) => Err(Refusal(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    }
}

/// A response, which is its client's alone: another is answered another region (RFC 8484 §5.1, RFC 9111 §5.2.2.7).
fn message(answer: Vec<u8>) -> Reply {
    let fresh = Transcript::read(&answer).map_or(0, |transcript| freshness_secs(&transcript));
    let mut reply = Response::new(Full::new(Bytes::from(answer)));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MESSAGE));
    if let Ok(kept) = HeaderValue::try_from(format!("private, max-age={fresh}")) {
        headers.insert(CACHE_CONTROL, kept);
    }
    reply
}

/// The smallest TTL of the answer; of a negative one, that of the SOA beside it (RFC 8484 §5.1).
fn freshness_secs(transcript: &Transcript) -> u32 {
    let section =
        if transcript.answer.is_empty() { &transcript.authority } else { &transcript.answer };
    section.iter().map(|record| record.ttl.as_secs()).min().unwrap_or(0)
}

impl Refusal {
    fn reply(self) -> Reply {
        let Refusal(status, why) = self;
        let mut reply = Response::new(Full::new(Bytes::from_static(why.as_bytes())));
        *reply.status_mut() = status;
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        reply
    }
}
