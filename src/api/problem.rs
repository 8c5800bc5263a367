//! Problem details (RFC 9457): the one shape of every error that the API answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::report::RefusedLine;

/// One error, for people and for programs. `code` is stable; the words may improve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: `about:blank`, for the status says it all (RFC 9457 §4.2.1).
    #[serde(rename = "type", default = "blank")]
    pub kind: String,
    /// The phrase of the status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here, and how to mend it.
    pub detail: String,
    /// A stable short name, such as `not-loopback`.
    pub code: String,
    /// Of a request with several items, each that was refused (an extension member, RFC 9457 §3.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedLine>,
}

impl Problem {
    /// A problem of this status; the title follows from it.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: blank(),
            title: title(status).to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            refused: Vec::new(),
        }
    }
}

fn blank() -> String {
    "about:blank".to_owned()
}

/// The phrases of the statuses that this API answers (RFC 9110 §15).
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let problem = Problem::new(404, "unknown-path", "there is nothing at /v2");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"type":"about:blank","title":"Not Found","status":404,"#,
                r#""detail":"there is nothing at /v2","code":"unknown-path"}"#
            )
        );
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }
}
