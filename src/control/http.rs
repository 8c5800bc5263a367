//! The API: every path of /v1, and what watches over a server (/metrics, /healthz, /readyz). Routing only; each
//! subject has its own file.

mod body;
mod change;
mod coverage;
mod diff;
mod door;
mod explain;
mod generations;
mod geo;
mod guard;
mod listener;
mod problem;
mod reading;
mod reports;

use std::future::Future;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};
use tokio::net::TcpListener;

use super::desk::Desk;

/// Octets of a body: 10,000 reports of 100 octets. A guess, to be measured.
const BODY_LEN_MAX: usize = 1024 * 1024;

/// Serves the API on `listener` until `stop` is done; requests in flight are finished.
pub async fn serve(listener: TcpListener, desk: Desk, stop: impl Future<Output = ()> + Send) {
    listener::serve(listener, router(desk), stop).await;
}

/// Every path.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/v1/reports", post(reports::take))
        .route("/v1/health", get(reading::health))
        .route("/v1/health/{*subject}", get(reading::health_of))
        .route("/v1/overrides/{*subject}", put(change::decide).delete(change::clear))
        .route("/v1/regions/{region}/drain", post(change::drain))
        .route("/v1/regions/{region}/undrain", post(change::undrain))
        .route("/v1/site/drain", post(change::drain_site))
        .route("/v1/site/undrain", post(change::undrain_site))
        .route("/v1/reload", post(change::reload))
        .route("/v1/explain", get(explain::explain))
        .route("/v1/coverage", get(coverage::coverage))
        .route("/v1/geo", get(geo::lookup))
        .route("/v1/diff", get(diff::diff))
        .route("/v1/generations/{generation}/files", get(diff::files))
        .route("/v1/generations/{generation}/files/{*path}", get(diff::file))
        .route("/v1/generations", get(generations::list))
        .route("/v1/rollback", post(generations::roll_back))
        .route("/v1/resume", post(generations::resume))
        .route("/v1/accept", post(generations::accept))
        .route("/v1/status", get(reading::status))
        .route("/v1/weights", get(reading::weights))
        .route("/metrics", get(reading::metrics))
        .route("/healthz", get(reading::healthz))
        .route("/readyz", get(reading::readyz))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(from_fn_with_state(desk.clone(), door::pass))
        .with_state(desk)
}
