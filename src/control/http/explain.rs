//! Why an answer is what it is: the same code that answers, with somebody listening.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::api::ExplainBody;
use crate::ask::{self, Inquiry, Scene};

use super::super::desk::Desk;
use super::super::hub::View;
use super::body::json;
use super::problem::Refused;

/// What /v1/explain is asked.
#[derive(Deserialize)]
pub struct Asked {
    name: String,
    #[serde(rename = "type", default = "address_type")]
    rtype: String,
    #[serde(default = "nowhere")]
    client: String,
}

fn address_type() -> String {
    "A".into()
}

/// A client whose place nobody knows.
fn nowhere() -> String {
    "127.0.0.1".into()
}

/// GET /v1/explain.
pub async fn explain(
    State(desk): State<Desk>,
    Query(query): Query<Asked>,
) -> Result<Response, Refused> {
    let inquiry = Inquiry::read(&query.name, &query.rtype, &query.client)
        .map_err(|e| Refused::new(400, "unreadable-inquiry", e.to_string()))?;
    let View { snapshot, health, publication, .. } = desk.hub.view().await?;
    let world = publication.parts.world.clone();
    let (generation, revision) = (snapshot.generation.0, snapshot.revision.0);
    let scene = Scene { snapshot, health, world };
    let (name, rtype) = (inquiry.name.to_string(), inquiry.rtype.to_string());
    let client = inquiry.client.to_string();
    // An account of a policy may take a millisecond: not on a thread that answers requests.
    let told = tokio::task::spawn_blocking(move || ask::explain(&scene, &inquiry)).await;
    let Ok(Some(told)) = told else {
        return Err(Refused::new(500, "unexplained", "the answer could not be read back"));
    };
    let text = told.text;
    let body = ExplainBody { name, rtype, client, generation, revision, text };
    Ok(json(StatusCode::OK, &body))
}
