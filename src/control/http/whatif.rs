//! What if: a world beside the one that serves, counted off the hub and beside the threads that answer requests.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::Semaphore;

use crate::api::{WhatifBody, WhatifRequest};
use crate::ask::{Tally, Unthinkable, suppose, weigh, whatif};
use crate::health::LogTime;

use super::super::desk::Desk;
use super::super::hub::View;
use super::body::{Body, json, read};
use super::problem::Refused;

/// How long a supposition waits for the one before it.
const TURN_WAIT_MAX: Duration = Duration::from_secs(10);

/// A count may take a core for a second: there is one at a time.
static TURNS: Semaphore = Semaphore::const_new(1);

/// POST /v1/whatif: nothing is changed.
pub async fn suppose_all(State(desk): State<Desk>, body: Body) -> Result<Response, Refused> {
    let request: WhatifRequest = read(body)?;
    let view = desk.hub.view().await?;
    let busy = || Refused::unavailable("busy", "another supposition is being counted; try again");
    let turn = tokio::time::timeout(TURN_WAIT_MAX, TURNS.acquire()).await;
    let turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
    let (now, counted) = (desk.writer.now(), desk.weigher.counted());
    let count = move || count(&view, &request, now, &counted.tally);
    let told = tokio::task::spawn_blocking(count).await;
    drop(turn);
    let lost = |_| Refused::new(500, "internal", "a fault in homing itself");
    Ok(json(StatusCode::OK, &told.map_err(lost)??))
}

fn count(
    view: &View,
    request: &WhatifRequest,
    now: LogTime,
    own: &Tally,
) -> Result<WhatifBody, Unthinkable> {
    let scene = view.scene();
    let supposed = suppose(&scene, request, now)?;
    let published = view.publication.parts.weights.as_deref();
    let weights = weigh(&scene.world, published, Some(own));
    let body = whatif(&scene, &supposed, request, &weights)?;
    let of = format!(
        "a server at generation {}, revision {}",
        scene.snapshot.generation, scene.snapshot.revision
    );
    Ok(WhatifBody { of, ..body })
}

impl From<Unthinkable> for Refused {
    fn from(unthinkable: Unthinkable) -> Refused {
        let status = match unthinkable.code {
            "unknown-region" | "unknown-subject" | "unknown-policy" | "no-override"
            | "not-drained" => 404,
            "unreadable-inquiry" => 400,
            _ => 422,
        };
        Refused::new(status, unthinkable.code, unthinkable.message)
    }
}
