//! Why an answer is what it is: the same code that answers, with somebody listening.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::api::{ExplainBody, read_at};
use crate::ask::{self, Inquiry};

use super::super::desk::Desk;
use super::super::hindsight::Earlier;
use super::super::hub::View;
use super::super::wish::Unmet;
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
    /// `gen:41`, or a time: an earlier state instead of what serves.
    at: Option<String>,
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
    let unreadable = |words: String| Refused::new(400, "unreadable-inquiry", words);
    let inquiry = Inquiry::read(&query.name, &query.rtype, &query.client)
        .map_err(|e| unreadable(e.to_string()))?;
    let at = query.at.as_deref().map(read_at).transpose().map_err(unreadable)?;
    let view = desk.hub.view().await?;
    // An account of a policy may take a millisecond, an earlier state seconds: not on a thread that answers requests.
    let told = match at {
        None => tokio::task::spawn_blocking(move || Ok(tell(&now(view), &inquiry))).await,
        Some(at) => {
            let busy = || Refused::unavailable("busy", "an earlier state is being looked at");
            let permit = desk.hindsight.claim().ok_or_else(busy)?;
            tokio::task::spawn_blocking(move || {
                // Held until all of it is dropped again.
                let _permit = permit;
                Ok::<_, Unmet>(tell(&desk.hindsight.see(at, &view.health)?, &inquiry))
            })
            .await
        }
    };
    let lost = || Refused::new(500, "unexplained", "the answer could not be read back");
    let body = told.map_err(|_| lost())??;
    Ok(json(StatusCode::OK, &body.ok_or_else(lost)?))
}

/// What serves, as something to ask about.
fn now(view: View) -> Earlier {
    let (generation, revision) = (view.snapshot.generation, view.snapshot.revision);
    Earlier { scene: view.scene(), generation, revision, words: String::new() }
}

fn tell(state: &Earlier, inquiry: &Inquiry) -> Option<ExplainBody> {
    let told = ask::explain(&state.scene, inquiry)?;
    Some(ExplainBody {
        name: inquiry.name.to_string(),
        rtype: inquiry.rtype.to_string(),
        client: inquiry.client.to_string(),
        generation: state.generation.0,
        revision: state.revision.0,
        as_of: state.words.clone(),
        text: told.text,
    })
}
