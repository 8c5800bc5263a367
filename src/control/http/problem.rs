//! Errors as the API answers them: problem details (RFC 9457).

use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::api::Problem;

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the body says.
    pub problem: Box<Problem>,
    /// What the head says besides.
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refused {
    /// Refused with this status, for this reason.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Refused {
        let problem = Box::new(Problem::new(status, code, detail));
        let header = (status == 503).then_some((RETRY_AFTER, HeaderValue::from_static("1")));
        Refused { problem, header }
    }

    /// … with this line in the head.
    pub fn with(self, name: HeaderName, value: &str) -> Refused {
        let header = HeaderValue::from_str(value).ok().map(|value| (name, value));
        Refused { header, ..self }
    }

    /// Too much of it (RFC 6585 §4): once more after `wait`.
    pub fn too_much(code: &str, detail: impl Into<String>, wait: Duration) -> Refused {
        // Whole seconds, and never too early (RFC 9110 §10.2.3).
        let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Refused::new(429, code, detail).with(RETRY_AFTER, &secs.max(1).to_string())
    }

    /// What was sent makes no sense.
    pub fn unprocessable(code: &str, detail: impl Into<String>) -> Refused {
        Refused::new(422, code, detail)
    }

    /// The server cannot do it now.
    pub fn unavailable(code: &str, detail: impl Into<String>) -> Refused {
        Refused::new(503, code, detail)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = serde_json::to_vec(&*self.problem).unwrap_or_default();
        body.push(b'\n');
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}

impl From<BytesRejection> for Refused {
    fn from(rejection: BytesRejection) -> Refused {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Refused::new(413, "body-too-large", "a body holds at most 1 MiB; send it in parts")
            }
            status => Refused::new(status.as_u16(), "body-unreadable", rejection.body_text()),
        }
    }
}

/// There is nothing at this path.
pub async fn not_found(uri: Uri) -> Refused {
    Refused::new(404, "unknown-path", format!("there is nothing at {}", uri.path()))
}

/// There is something, but not for this method.
pub async fn wrong_method(method: Method, uri: Uri) -> Refused {
    Refused::new(405, "wrong-method", format!("{} does not take {method}", uri.path()))
}
