//! GET /v1/openapi.json: the API described (OpenAPI 3.1), made of the routes that are served and of the shapes that their
//! bodies have.

use std::collections::BTreeMap;

use axum::Extension;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem,
    SecurityRequirement, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::api::Problem;

use super::refusals;
use super::route::Route;

/// The subjects that routes are sorted by, in the order in which one meets them.
const TAGS: [(&str, &str); 7] = [
    ("health", "What vantages report about endpoints, and what is made of it."),
    (
        "operators",
        "What people decide: overrides, drains of regions, this site in or out of anycast.",
    ),
    (
        "questions",
        "Why an answer is what it is, what would be if, and what is known of an address.",
    ),
    ("files", "The published states of zones, steering and geography: look, go back, go on."),
    ("server", "What this server says of itself."),
    (
        "probes",
        "For load balancers, orchestrators and whoever announces the prefix: no token is asked for.",
    ),
    ("description", "The API itself."),
];

const DESCRIPTION: &str = "Steers DNS answers by place and health. Until a token exists the API is open to this machine \
    alone; afterwards each request carries `Authorization: Bearer TOKEN` (RFC 6750). Every error is a problem detail \
    (RFC 9457) with a stable `code` and a `detail` that tells what is wrong and how to mend it. Every change is durable \
    before it is acknowledged, and is in the log with who and why.";

/// The document as it is sent.
#[derive(Clone)]
pub struct Document(Bytes);

impl Document {
    /// The document of these routes.
    pub fn of(routes: &mut [Route]) -> Document {
        let mut text = describe(routes).to_pretty_json().unwrap_or_default();
        text.push('\n');
        Document(text.into())
    }
}

/// GET /v1/openapi.json.
pub async fn tell(Extension(Document(text)): Extension<Document>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// The description of these routes.
pub fn describe(routes: &mut [Route]) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new();
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    for route in routes {
        let item = PathItem::new(route.method.clone(), route.take_operation());
        paths = paths.path(route.path_described(), item);
        schemas.extend(route.schemas.iter().cloned());
    }
    for (name, schema) in schemas.into_iter().collect::<BTreeMap<_, _>>() {
        components = components.schema(name, schema);
    }
    let tag = |&(name, words)| TagBuilder::new().name(name).description(Some(words)).build();
    OpenApiBuilder::new()
        .info(info())
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(TAGS.iter().map(tag)))
        .paths(paths)
        .components(Some(
            components
                .responses_from_iter(refusals::responses())
                .security_scheme("bearer", bearer())
                .build(),
        ))
        // Without a token, where the API is open to its own machine.
        .security(Some([
            SecurityRequirement::new::<_, _, String>("bearer", []),
            SecurityRequirement::default(),
        ]))
        .build()
}

fn info() -> utoipa::openapi::Info {
    let licence = env!("CARGO_PKG_LICENSE");
    InfoBuilder::new()
        .title("homing")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name(licence).identifier(Some(licence)).build()))
        .build()
}

fn bearer() -> SecurityScheme {
    let words =
        "A token of `homing token add`, bound to one vantage or person, and to verbs and subjects.";
    SecurityScheme::Http(
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(words)).build(),
    )
}

#[cfg(test)]
mod tests;
