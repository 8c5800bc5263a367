//! How the API refuses, status by status, as its description tells it: always problem details (RFC 9457).

use serde_json::json;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

use crate::api::Problem;

/// The statuses of refusals, each with what it means here.
const ALL: [(u16, &str); 14] = [
    (
        400,
        "The request cannot be read: its path, its query, its credentials or its body. Mend it before it is sent again.",
    ),
    (
        401,
        "No token was sent, or the token is unknown, expired or revoked. `WWW-Authenticate` tells which (RFC 6750).",
    ),
    (
        403,
        "The token is not good for this verb or subject; or, on an API without tokens, a proxy or a web page asks.",
    ),
    (
        404,
        "What the path, the query or the body names is not there; the detail tells where to look for what is.",
    ),
    (409, "The state does not allow it as things stand; the detail tells what stands against it."),
    (410, "It was there and is no longer kept; the detail tells from where on there is more."),
    (412, "The log has moved since the revision of `If-Match`: look again, then decide."),
    (408, "The body took longer than 30 s to arrive."),
    (413, "The body is longer than 1 MiB. Send it in parts."),
    (415, "The body is not of a kind that is read here: send `Content-Type: application/json`."),
    (421, "An API without tokens is asked under a name that is not this machine's own."),
    (
        422,
        "The request can be read and makes no sense; the detail tells which part, and how to write it.",
    ),
    (429, "More than this sender may send; `Retry-After` tells when there is room again."),
    (
        503,
        "The server cannot do it now: it is busy, or `state/` cannot be written. `Retry-After` tells when to try again.",
    ),
];

/// The name of a refusal among the document's responses: the phrase of its status, without its blanks.
pub fn name(status: u16) -> String {
    Problem::new(status, "", "").title.replace(' ', "")
}

/// Every refusal, by its name.
pub fn responses() -> impl Iterator<Item = (String, Response)> {
    ALL.iter().map(|&(status, words)| {
        let problem = Problem::new(status, "a-stable-name", "what is wrong, and how to mend it");
        let content = Content::builder()
            .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
            .example(Some(json!(problem)))
            .build();
        let response = ResponseBuilder::new().description(words);
        (name(status), response.content("application/problem+json", content).build())
    })
}
