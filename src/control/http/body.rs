//! Bodies in and out: JSON, read whole within its bound, written with a last newline for terminals.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::guard::is_json;
use super::problem::Refused;

/// How long a body may take to arrive. A guess: 1 MiB over a line of 300 kbit/s.
const BODY_MAX: Duration = Duration::from_secs(30);

/// A body as it arrives; another kind than JSON is refused. That is asked here and not at the door, so that a path that
/// is not there says so (404), and a method that is not taken (405).
pub struct Body(Result<Bytes, BytesRejection>);

impl Body {
    /// Its octets.
    pub fn bytes(self) -> Result<Bytes, Refused> {
        Ok(self.0?)
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Body, Refused> {
        let kind = request.headers().get(CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.to_str().is_ok_and(is_json)) {
            let detail =
                "send Content-Type: application/json (or application/x-ndjson for reports)";
            return Err(Refused::new(415, "not-json", detail));
        }
        arrival(Bytes::from_request(request, state), BODY_MAX).await.map(Body)
    }
}

/// Waits for a body, and not for ever.
async fn arrival<T>(body: impl Future<Output = T>, most: Duration) -> Result<T, Refused> {
    tokio::time::timeout(most, body).await.map_err(|_| {
        let detail = format!("the body took longer than {} s to arrive", most.as_secs());
        Refused::new(408, "body-too-slow", detail)
    })
}

/// A request's body as `T`; an empty one as `{}`.
pub fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let bytes = body.bytes()?;
    let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
    // A list would be read as the fields in their order, which nobody means.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Refused::new(400, "bad-body", "a JSON object is expected: {…}"));
    }
    serde_json::from_slice(text).map_err(|e| Refused::new(400, "bad-body", e.to_string()))
}

/// An answer with a JSON body.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = match serde_json::to_vec(body) {
        Ok(bytes) => bytes,
        Err(error) => return Refused::new(500, "unwritable", error.to_string()).into_response(),
    };
    bytes.push(b'\n');
    let json = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, json)], bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let refused = arrival(std::future::pending::<()>(), Duration::ZERO).await.err().unwrap();
        assert_eq!((refused.problem.status, &*refused.problem.code), (408, "body-too-slow"));
        assert_eq!(arrival(std::future::ready(1), BODY_MAX).await.ok(), Some(1));
    }
}
