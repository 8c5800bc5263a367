//! What is known of an address: the databases that serve are read again, where the store keeps them.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::GeoBody;
use crate::ask;
use crate::history::Archive;

use super::super::desk::Desk;
use super::super::hub::View;
use super::body::json;
use super::problem::Refused;
use super::query::Query;

/// What /v1/geo is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The address.
    #[param(pattern = "^[0-9A-Fa-f.:]+$", example = "193.0.0.1")]
    address: String,
}

/// GET /v1/geo?address=192.0.2.1
pub async fn lookup(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let detail = || format!("{:?} is no address: 192.0.2.1 or 2001:db8::1", asked.address);
    let address = asked.address.parse();
    let address = address.map_err(|_| Refused::new(400, "unreadable-address", detail()))?;
    let view = desk.hub.view().await?;
    let busy = || Refused::unavailable("busy", "an earlier state is being looked at");
    // Databases are read whole from the store: as much at once as for a look at an earlier state.
    let permit = desk.hindsight.claim().ok_or_else(busy)?;
    let told = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        look(&desk, &view, address)
    });
    let lost = |_| Refused::new(500, "internal", "a fault in homing itself");
    Ok(json(StatusCode::OK, &told.await.map_err(lost)??))
}

fn look(desk: &Desk, view: &View, address: IpAddr) -> Result<GeoBody, Refused> {
    let archive = Archive::open(&desk.config.state)?;
    let generation = view.snapshot.generation;
    let restored = archive.read_some(generation, |path| path.starts_with("geo/"))?;
    Ok(ask::look(&view.scene(), &restored.files, address))
}
