//! Who gets which region, as the server stands: the whole world counted, beside the threads that answer requests.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use crate::api::CoverageBody;
use crate::ask::{Coverage, CoverageError, Endpoints, Tally, weigh};

use super::super::desk::Desk;
use super::super::hub::View;
use super::body::json;
use super::problem::Refused;
use super::query::Query;

/// How long a count waits for the one before it.
const TURN_WAIT_MAX: Duration = Duration::from_secs(10);

/// A count may take a core for a second: there is one at a time.
static TURNS: Semaphore = Semaphore::const_new(1);

/// What /v1/coverage is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The policy; needed where there are several.
    #[param(example = "web")]
    policy: Option<String>,
    /// The type that clients ask for, `A` or `AAAA`.
    #[serde(rename = "type")]
    #[param(example = "A")]
    rtype: Option<String>,
    /// Whether to tell what a map is drawn of.
    #[serde(default)]
    points: bool,
}

/// GET /v1/coverage?policy=web
pub async fn coverage(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let view = desk.hub.view().await?;
    let busy = || Refused::unavailable("busy", "another coverage is being counted; try again");
    let turn = tokio::time::timeout(TURN_WAIT_MAX, TURNS.acquire()).await;
    let turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
    let counted = desk.weigher.counted();
    let told = tokio::task::spawn_blocking(move || count(view, asked, &counted.tally)).await;
    drop(turn);
    let lost = |_| Refused::new(500, "internal", "a fault in homing itself");
    Ok(json(StatusCode::OK, &told.map_err(lost)??))
}

fn count(view: View, asked: Asked, own: &Tally) -> Result<CoverageBody, Refused> {
    let (generation, revision) = (view.snapshot.generation, view.snapshot.revision);
    let scene = view.scene();
    let wanted = Coverage { policy: asked.policy, rtype: asked.rtype, points: asked.points };
    let published = view.publication.parts.weights.as_deref();
    let weights = weigh(&scene.world, published, Some(own));
    let body = wanted.of(&scene, Endpoints::AsTheyStand, &weights)?;
    let of =
        format!("a server at generation {generation}, revision {revision}, as endpoints stand");
    Ok(CoverageBody { of, generation: generation.0, revision: revision.0, ..body })
}

impl From<CoverageError> for Refused {
    fn from(error: CoverageError) -> Refused {
        let (status, code) = match error {
            CoverageError::Unknown(..) | CoverageError::NoPolicy => (404, "unknown-policy"),
            CoverageError::Which(_) => (400, "which-policy"),
            CoverageError::Type(_) => (400, "unreadable-inquiry"),
        };
        Refused::new(status, code, error.to_string())
    }
}
