//! Bodies in and out: JSON, read whole within its bound, written with a last newline for terminals.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Refused;

/// A body as it arrives.
pub type Body = Result<Bytes, BytesRejection>;

/// A request's body as `T`; an empty one as `{}`.
pub fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let bytes = body?;
    let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
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
