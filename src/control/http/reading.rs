//! What is read: verdicts, status, metrics, and whether the server is alive and ready.

use crate::api::HealthBody;
use crate::ask::places_body;
use crate::health::Subject;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};

use super::super::desk::Desk;
use super::super::hub::{Busy, View};
use super::super::metrics::Local;
use super::super::picture;
use super::super::writer::WriteError;
use super::body::json;
use super::change::read_subject;
use super::problem::Refused;

/// GET /v1/health.
pub async fn health(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Refused> {
    verdicts(&desk.hub.view().await?, &Subject::default(), &headers)
}

/// GET /v1/health/{subject}.
pub async fn health_of(
    State(desk): State<Desk>,
    Path(subject): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let subject = read_subject(&subject)?;
    let view = desk.hub.view().await?;
    if view.health.members_of(&subject).next().is_none() {
        let detail = format!("no endpoint in the files is {subject}; /v1/health lists them");
        return Err(Refused::new(404, "unknown-subject", detail));
    }
    verdicts(&view, &subject, &headers)
}

/// The entity tag is the revision: a reader that has it already is told so (RFC 9110 §13.1.2).
fn verdicts(view: &View, subject: &Subject, headers: &HeaderMap) -> Result<Response, Refused> {
    let revision = view.health.revision();
    let tag = format!("\"{revision}\"");
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let mut response = if known.is_some_and(|known| known.split(',').any(|t| t.trim() == tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let endpoints = picture::endpoints(&view.health, subject);
        json(StatusCode::OK, &HealthBody { revision: revision.0, endpoints })
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// GET /v1/status.
pub async fn status(State(desk): State<Desk>) -> Result<Response, Refused> {
    let view = desk.hub.view().await?;
    let (site, alarms) = (desk.site.drain(), desk.standing_alarms(&view));
    let counted = desk.weigher.looked().await;
    let body = picture::status(&view, &desk.facts, site, &alarms, &counted.tally);
    Ok(json(StatusCode::OK, &body))
}

/// GET /v1/weights: this server's own queries by place.
pub async fn weights(State(desk): State<Desk>) -> Result<Response, Refused> {
    let view = desk.hub.view().await?;
    let counted = desk.weigher.looked().await;
    // It walks all addresses there are: not on a thread that answers requests.
    let told = tokio::task::spawn_blocking(move || {
        let parts = &view.publication.parts;
        places_body(&parts.world, parts.weights.as_deref(), &counted.tally)
    });
    let body = told.await.map_err(|_| Refused::new(500, "internal", "a fault in homing itself"))?;
    Ok(json(StatusCode::OK, &body))
}

/// GET /metrics.
pub async fn metrics(State(desk): State<Desk>) -> Result<Response, Refused> {
    let view = desk.hub.view().await?;
    let alarms = desk.standing_alarms(&view);
    let local = Local {
        facts: &desk.facts,
        alarms: &alarms,
        is_ready: unready(&desk).is_none(),
        is_drained: desk.site.drain().drained,
        counted: &desk.weigher.counted(),
    };
    let text = desk.metrics.render(&view, &local);
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// GET /healthz: alive.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// GET /readyz: fails only for local inability (DESIGN rule 4.6), never because the control plane or a feed is lost.
pub async fn readyz(State(desk): State<Desk>) -> Result<&'static str, Refused> {
    match unready(&desk) {
        None => Ok("ready\n"),
        Some((code, detail)) => Err(Refused::unavailable(code, detail)),
    }
}

fn unready(desk: &Desk) -> Option<(&'static str, String)> {
    let drain = desk.site.drain();
    if drain.drained {
        return Some(("site-drained", format!("this site is drained: {}", drain.why)));
    }
    let silent = desk.ready.silent();
    let names: Vec<String> = silent.iter().map(ToString::to_string).collect();
    let detail = || format!("no answer of our own for 3 s on {}", names.join(", "));
    (!silent.is_empty()).then(|| ("unanswered", detail()))
}

impl From<Busy> for Refused {
    fn from(_: Busy) -> Refused {
        Refused::unavailable("busy", "the server is busy; try again")
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Refused {
        match error {
            WriteError::Busy => Refused::from(Busy),
            WriteError::Unwritable(cause) => Refused::unavailable(
                "log-unwritable",
                format!("nothing was taken, verdicts hold: {cause}"),
            ),
            WriteError::Refused(refusal) => match refusal.code {
                "unknown-region" | "unknown-subject" | "no-override" | "not-drained" => {
                    Refused::new(404, refusal.code, refusal.message)
                }
                "at-least" => Refused::new(409, refusal.code, refusal.message),
                _ => Refused::unprocessable(refusal.code, refusal.message),
            },
            WriteError::Moved(revision) => Refused::new(
                412,
                "moved",
                format!("the log stands at revision {revision}; look again, then decide"),
            ),
        }
    }
}
