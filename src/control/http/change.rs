//! What operators change: overrides, drains, this site, the files. Every change says why, and is durable before the
//! answer.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, IF_MATCH};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::{
    self, Acknowledged, DrainRequest, OverrideRequest, SiteBody, SiteRequest, UndrainRequest,
};
use crate::health::{Event, Safety, Subject};
use crate::number::Revision;

use super::super::access::Caller;
use super::super::desk::Desk;
use super::super::site::SiteDrain;
use super::body::{Body, json, read};
use super::door;
use super::problem::Refused;
use super::query::Query;

/// PUT /v1/overrides/{subject}.
pub async fn decide(
    State(desk): State<Desk>,
    caller: Caller,
    Path(subject): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let request: OverrideRequest = read(body)?;
    let bad = |detail| Refused::unprocessable("bad-override", detail);
    let window = request.window().map_err(bad)?;
    let event = Event::Override {
        subject: within(&caller, read_subject(&subject)?)?,
        action: request.action().map_err(bad)?,
        expiry: api::expiry_at(window, desk.writer.now()).map_err(bad)?,
        why: why(&request.why)?,
        who: who(&caller, request.who)?,
    };
    acknowledge(&desk, event, safety(request.force), if_match(&headers)?).await
}

/// What a DELETE says in its query.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Why it is cleared; the log keeps it.
    #[serde(default)]
    #[param(max_length = 200, example = "link mended")]
    why: String,
    /// Who clears it; a token's own name goes before.
    #[param(max_length = 200, example = "ana")]
    who: Option<String>,
}

/// DELETE /v1/overrides/{subject}?why=&who=
pub async fn clear(
    State(desk): State<Desk>,
    caller: Caller,
    Path(subject): Path<String>,
    Query(words): Query<Words>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let event = Event::ClearOverride {
        subject: within(&caller, read_subject(&subject)?)?,
        why: remark(&words.why)?,
        who: who(&caller, words.who)?,
    };
    // What an operator decided, an operator may take back.
    acknowledge(&desk, event, Safety::Waived, if_match(&headers)?).await
}

/// POST /v1/regions/{region}/drain.
pub async fn drain(
    State(desk): State<Desk>,
    caller: Caller,
    Path(region): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let request: DrainRequest = read(body)?;
    let region = region_within(&caller, region)?;
    let keep = request.keep().map_err(|detail| Refused::unprocessable("bad-drain", detail))?;
    let over_millis = over(request.over.as_deref())?;
    let (why, who) = (why(&request.why)?, who(&caller, request.who)?);
    let event = Event::Drain { region, keep, over_millis, why, who };
    acknowledge(&desk, event, safety(request.force), if_match(&headers)?).await
}

/// POST /v1/regions/{region}/undrain.
pub async fn undrain(
    State(desk): State<Desk>,
    caller: Caller,
    Path(region): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let request: UndrainRequest = read(body)?;
    let region = region_within(&caller, region)?;
    let over_millis = over(request.over.as_deref())?;
    let (why, who) = (remark(&request.why)?, who(&caller, request.who)?);
    let event = Event::Undrain { region, over_millis, why, who };
    acknowledge(&desk, event, Safety::Kept, if_match(&headers)?).await
}

fn over(span: Option<&str>) -> Result<u64, Refused> {
    api::span_millis(span).map_err(|detail| Refused::unprocessable("bad-span", detail))
}

/// POST /v1/site/drain.
pub async fn drain_site(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> Result<Response, Refused> {
    let request: SiteRequest = read(body)?;
    let why = why(&request.why)?.into_string();
    let who = who(&caller, request.who)?.into_string();
    change_site(desk, SiteDrain { drained: true, why, who }).await
}

/// POST /v1/site/undrain.
pub async fn undrain_site(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> Result<Response, Refused> {
    let request: SiteRequest = read(body)?;
    let who = who(&caller, request.who)?.into_string();
    let why = remark(&request.why)?.into_string();
    change_site(desk, SiteDrain { drained: false, why, who }).await
}

async fn change_site(desk: Desk, drain: SiteDrain) -> Result<Response, Refused> {
    let (site, wish) = (desk.site.clone(), drain.clone());
    let kept = tokio::task::spawn_blocking(move || site.set(wish)).await;
    let unkept = |cause: String| {
        let detail = format!("the site's drain cannot be kept in state/: {cause}");
        Refused::unavailable("state-unwritable", detail)
    };
    kept.map_err(|e| unkept(e.to_string()))?.map_err(|e| unkept(e.to_string()))?;
    let SiteDrain { drained, why, who } = drain;
    tracing::warn!(event = "site-drain", drained, why, who);
    let name = desk.facts.site_name.clone();
    Ok(json(StatusCode::OK, &SiteBody { name, drained, why }))
}

/// Whether the answer waits for the outcome.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// Whether the answer waits for the outcome.
    #[serde(default = "yes")]
    wait: bool,
}

fn yes() -> bool {
    true
}

/// A request that has nothing to say: `{}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// POST /v1/reload?wait=: looks at the files now.
pub async fn reload(
    State(desk): State<Desk>,
    Query(Waits { wait }): Query<Waits>,
    body: Body,
) -> Result<Response, Refused> {
    let Nothing {} = read(body)?;
    let busy = || Refused::unavailable("busy", "too many ask for a reload; one is under way");
    let outcome = desk.looks.now().ok_or_else(busy)?;
    if !wait {
        return Ok(json(StatusCode::ACCEPTED, &serde_json::json!({})));
    }
    let ends = || Refused::unavailable("stopping", "the server ends");
    let outcome = outcome.await.map_err(|_| ends())?;
    Ok(json(StatusCode::OK, &outcome))
}

async fn acknowledge(
    desk: &Desk,
    event: Event,
    safety: Safety,
    expected: Option<Revision>,
) -> Result<Response, Refused> {
    let revision = desk.writer.decide(event, safety, expected).await?;
    Ok(json(StatusCode::OK, &Acknowledged { revision: revision.0 }))
}

/// A subject as the path of a request names it.
pub fn read_subject(text: &str) -> Result<Subject, Refused> {
    Subject::parse(text).map_err(|e| Refused::unprocessable("bad-subject", e.to_string()))
}

/// Why, as a request says it.
pub fn why(text: &str) -> Result<Box<str>, Refused> {
    api::why(text).map(Into::into).map_err(|detail| Refused::unprocessable("no-why", detail))
}

/// Why, as a request says it that need not.
pub fn remark(text: &str) -> Result<Box<str>, Refused> {
    let words = api::words("why", text);
    words.map(Into::into).map_err(|detail| Refused::unprocessable("long-why", detail))
}

/// Who, as a token proves it, or else as a request says it.
pub fn who(caller: &Caller, name: Option<String>) -> Result<Box<str>, Refused> {
    let name = name.unwrap_or_default();
    let words = api::words("who", &name);
    let named = words.map_err(|detail| Refused::unprocessable("long-who", detail))?;
    Ok(caller.who(named))
}

/// The subject, if the caller's token reaches it.
fn within(caller: &Caller, subject: Subject) -> Result<Subject, Refused> {
    match caller.reaches(&subject) {
        true => Ok(subject),
        false => Err(door::out_of_reach(&subject)),
    }
}

/// The region of a path. One that no file could name is told so before anything else is looked at.
fn region_within(caller: &Caller, region: String) -> Result<Box<str>, Refused> {
    let may_stand = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if region.is_empty() || !region.bytes().all(may_stand) {
        let detail = format!(
            "no region is called {region:?}; geo/regions.toml has letters, digits, - and _"
        );
        return Err(Refused::new(404, "unknown-region", detail));
    }
    let region: Box<str> = region.into();
    within(caller, Subject { region: Some(region.clone()), ..Subject::default() })?;
    Ok(region)
}

fn safety(force: bool) -> Safety {
    if force { Safety::Waived } else { Safety::Kept }
}

/// The revision that the change is meant for: an entity tag as GET /v1/health gave it (RFC 9110 §13.1.1).
fn if_match(headers: &HeaderMap) -> Result<Option<Revision>, Refused> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match number.and_then(|n| n.parse().ok()) {
        Some(revision) => Ok(Some(Revision(revision))),
        None => Err(Refused::new(412, "bad-if-match", "If-Match is an ETag of GET /v1/health")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn an_entity_tag_is_a_revision() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_static(text));
            if_match(&headers).map_err(|refused| refused.problem.status)
        };
        assert_eq!(read("\"17\""), Ok(Some(Revision(17))));
        assert_eq!(read("*"), Ok(None));
        assert_eq!(read("17"), Err(412));
        assert_eq!(if_match(&HeaderMap::new()), Ok(None));
    }
}
