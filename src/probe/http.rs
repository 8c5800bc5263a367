//! A look at an HTTP server: it answers a request as it should (RFC 9110, RFC 9112). No redirect is followed: who sends
//! elsewhere has answered.

use std::pin::pin;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite};

use super::fault::Fault;
use super::settings::{HeaderWish, HttpCheck, Method};

/// Octets of a body that are looked through.
const BODY_LEN_MAX: usize = 64 * 1024;

/// Octets that the head of a response may take.
const HEAD_LEN_MAX: usize = 64 * 1024;

/// Sends one request as `host` over `stream`, and judges the response.
pub async fn ask<S>(stream: S, check: &HttpCheck, host: &str) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = request(check, host)?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_LEN_MAX);
    let io = TokioIo::new(stream);
    let (mut sender, connection) = builder.handshake(io).await.map_err(|e| fault(&e))?;
    let exchange = async move {
        let response = sender.send_request(request).await.map_err(|e| fault(&e))?;
        judge(response, check).await
    };
    let (mut exchange, connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        biased;
        done = &mut exchange => return done,
        // The server closed. What it had sent is still to be read.
        _ = connection => {}
    }
    exchange.await
}

fn request(check: &HttpCheck, host: &str) -> Result<Request<Empty<Bytes>>, Fault> {
    let method = match check.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
    };
    let request = Request::builder()
        .method(method)
        .uri(check.path.as_ref())
        .header(HOST, host)
        .header(USER_AGENT, concat!("homing-probe/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close");
    request.body(Empty::new()).map_err(|e| Fault::ours(format!("no request can be made: {e}")))
}

async fn judge(response: Response<Incoming>, check: &HttpCheck) -> Result<(), Fault> {
    let status = response.status().as_u16();
    if !check.statuses.iter().any(|(from, to)| (*from..=*to).contains(&status)) {
        return Err(Fault::theirs(format!("HTTP {status}")));
    }
    if let Some(wish) = &check.header
        && !is_met(wish, &response)
    {
        return Err(Fault::theirs(format!("header {} is not as it should be", wish.name)));
    }
    match &check.body {
        Some(text) => find(response.into_body(), text.as_bytes()).await,
        None => Ok(()),
    }
}

fn is_met(wish: &HeaderWish, response: &Response<Incoming>) -> bool {
    let mut values = response.headers().get_all(wish.name.as_ref()).iter();
    match &wish.value {
        None => values.next().is_some(),
        Some(value) => values.any(|found| found.as_bytes().trim_ascii() == value.as_bytes()),
    }
}

async fn find(mut body: Incoming, text: &[u8]) -> Result<(), Fault> {
    let mut seen = Vec::new();
    while seen.len() < BODY_LEN_MAX {
        let Some(frame) = body.frame().await else { break };
        let Ok(octets) = frame.map_err(|e| fault(&e))?.into_data() else { continue };
        // What was looked through before, less what may be the beginning of the text.
        let from = seen.len().saturating_sub(text.len());
        let room = BODY_LEN_MAX - seen.len();
        seen.extend_from_slice(octets.get(..room).unwrap_or(&octets));
        if memmem::find(seen.get(from..).unwrap_or_default(), text).is_some() {
            return Ok(());
        }
    }
    Err(Fault::theirs("the text is not in the body"))
}

fn fault(error: &hyper::Error) -> Fault {
    use std::error::Error;
    if error.is_parse() || error.is_parse_too_large() {
        return Fault::theirs("it answers, and not with HTTP");
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Fault::theirs("connection closed too early");
    }
    match error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()) {
        Some(cause) => Fault::of(cause),
        None => Fault::theirs(error.to_string()),
    }
}
