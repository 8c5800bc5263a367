//! The API: every path of /v1, and what watches over a server (/metrics, /healthz, /readyz). `routes` is
//! the table of them; each subject has its own file.

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
mod openapi;
mod problem;
mod query;
mod reading;
mod refusals;
mod reports;
mod route;
mod routes;
mod stream;
mod watch;
mod whatif;

use std::future::Future;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use tokio::net::TcpListener;

use super::desk::Desk;
use openapi::Document;
use route::Route;

pub use listener::serve as serve_router;

/// Octets of a body: 10,000 reports of 100 octets. A guess, to be measured.
const BODY_LEN_MAX: usize = 1024 * 1024;

/// Serves the API on `listener` until `stop` is done; requests in flight are finished.
pub async fn serve(listener: TcpListener, desk: Desk, stop: impl Future<Output = ()> + Send) {
    let certificate = desk.gate.certificate.clone();
    listener::serve(listener, router(desk), certificate, stop).await;
}

/// Every path, and the description of them all.
pub fn router(desk: Desk) -> Router {
    let mut routes = routes::all();
    let document = Document::of(&mut routes);
    let add = |router: Router<Desk>, route: Route| router.route(route.path, route.handler);
    routes
        .into_iter()
        .fold(Router::new(), add)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(Extension(document))
        .layer(from_fn_with_state(desk.clone(), door::pass))
        .with_state(desk)
}
