//! The states of files: which there are, back to one, back to the files, on with what the guard holds.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{AcceptRequest, GenerationsBody, ResumeRequest, RollbackRequest};
use crate::number::Generation;

use super::super::access::Caller;
use super::super::desk::Desk;
use super::super::past::Page;
use super::super::picture;
use super::super::wish::{Unmet, Wish, Wished};
use super::body::{Body, json, read};
use super::change::{remark, who, why};
use super::problem::Refused;
use super::query::Query;

/// Which generations are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Paged {
    /// Only those before this one: `next` of the page before.
    #[param(minimum = 0, format = "uint64", example = 41)]
    before: Option<u64>,
    /// How many.
    #[serde(default = "page_len")]
    #[param(minimum = 0, default = 100, example = 10)]
    limit: usize,
}

/// Generations on one page, where the request does not say.
fn page_len() -> usize {
    100
}

/// GET /v1/generations?before=&limit=
pub async fn list(
    State(desk): State<Desk>,
    Query(Paged { before, limit }): Query<Paged>,
) -> Result<Response, Refused> {
    let view = desk.hub.view().await?;
    let serving = view.snapshot.generation.0;
    let pin = view.publication.pin.as_ref().map(picture::pin);
    let past = desk.past.clone();
    let listed = tokio::task::spawn_blocking(move || past.list(before.map(Generation), limit));
    let page = listed.await.map_err(|e| Refused::unavailable("unreadable", e.to_string()))?;
    let Page { mut generations, next } = page;
    for body in &mut generations {
        body.serving = body.generation == serving;
        body.pinned = body.serving && pin.is_some();
    }
    let (pending, held) = (picture::pending(&view.findings), picture::held(&view.findings));
    let body = GenerationsBody { serving, pin, pending, held, generations, next };
    Ok(json(StatusCode::OK, &body))
}

/// POST /v1/rollback.
pub async fn roll_back(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> Result<Response, Refused> {
    let request: RollbackRequest = read(body)?;
    let wish = Wish::Rollback(request.generation.map(Generation));
    fulfil(&desk, wish, who(&caller, request.who)?.into(), why(&request.why)?.into()).await
}

/// POST /v1/resume.
pub async fn resume(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> Result<Response, Refused> {
    let request: ResumeRequest = read(body)?;
    fulfil(&desk, Wish::Resume, who(&caller, request.who)?.into(), remark(&request.why)?.into())
        .await
}

/// POST /v1/accept.
pub async fn accept(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> Result<Response, Refused> {
    let request: AcceptRequest = read(body)?;
    let wish = Wish::Accept(Generation(request.generation));
    fulfil(&desk, wish, who(&caller, request.who)?.into(), why(&request.why)?.into()).await
}

async fn fulfil(desk: &Desk, wish: Wish, who: String, why: String) -> Result<Response, Refused> {
    let wished = Wished { wish, who, why };
    let busy = || Refused::unavailable("busy", "too much waits for the files; try again");
    let outcome = desk.looks.fulfil(wished).ok_or_else(busy)?;
    let ends = || Refused::unavailable("stopping", "the server ends");
    let outcome = outcome.await.map_err(|_| ends())?;
    Ok(json(StatusCode::OK, &outcome?))
}

impl From<Unmet> for Refused {
    fn from(unmet: Unmet) -> Refused {
        let status = match unmet {
            Unmet::Unknown(..) | Unmet::Before(..) => 404,
            Unmet::Unreadable(..)
            | Unmet::NotPinned(_)
            | Unmet::Pinned(_)
            | Unmet::NothingHeld
            | Unmet::OtherHeld(..) => 409,
            Unmet::Fault => 500,
        };
        Refused::new(status, unmet.code(), unmet.to_string())
    }
}
