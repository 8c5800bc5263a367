//! Why an answer is what it is: the same code that answers, with somebody listening.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{ExplainBody, read_at};
use crate::ask::{self, Inquiry};
use crate::fileset::FileSet;
use crate::history::Archive;

use super::super::desk::Desk;
use super::super::hindsight::Earlier;
use super::super::hub::View;
use super::super::wish::Unmet;
use super::body::json;
use super::problem::Refused;
use super::query::Query;

/// What /v1/explain is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The name asked for.
    #[param(min_length = 1, example = "www.example.com")]
    name: String,
    /// The type asked for.
    #[serde(rename = "type", default = "address_type")]
    #[param(min_length = 1, default = "A", example = "AAAA")]
    rtype: String,
    /// The client: an address, or the subnet that its resolver tells (RFC 7871).
    #[serde(default = "nowhere")]
    #[param(pattern = "^[0-9A-Fa-f.:/]+$", default = "127.0.0.1", example = "193.0.0.0/21")]
    client: String,
    /// `gen:41`, or a time: an earlier state instead of what serves.
    #[param(example = "gen:1")]
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
    if query.name.is_empty() {
        return Err(unreadable("the name is empty; the root is written as .".to_owned()));
    }
    let inquiry = Inquiry::read(&query.name, &query.rtype, &query.client)
        .map_err(|e| unreadable(e.to_string()))?;
    let at = query.at.as_deref().map(read_at).transpose().map_err(unreadable)?;
    let view = desk.hub.view().await?;
    // An account of a policy may take a millisecond, an earlier state seconds: not on a thread that answers requests.
    let told = match at {
        None => {
            // Several databases are asked again for who knows the client, one look at a time; else all are named.
            let several = view.publication.parts.sources.len() > 1;
            let permit = if several { desk.hindsight.claim() } else { None };
            tokio::task::spawn_blocking(move || {
                let files = geography(&desk, &view, permit.is_some());
                let _permit = permit;
                Ok(tell(&now(view, files), &inquiry))
            })
            .await
        }
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

/// The operator's own knowledge of places, and the databases if `whole`; none where the store cannot be read.
fn geography(desk: &Desk, view: &View, whole: bool) -> Option<FileSet> {
    let wanted = |path: &str| match whole {
        true => path.starts_with("geo/"),
        false => path == "geo/overrides.csv",
    };
    let archive = Archive::open(&desk.config.state).ok()?;
    let restored = archive.read_some(view.snapshot.generation, wanted).ok()?;
    Some(restored.files)
}

/// What serves, as something to ask about.
fn now(view: View, files: Option<FileSet>) -> Earlier {
    let (generation, revision) = (view.snapshot.generation, view.snapshot.revision);
    let digest = view.snapshot.digest.to_string();
    Earlier { scene: view.scene(), files, generation, revision, words: String::new(), digest }
}

fn tell(state: &Earlier, inquiry: &Inquiry) -> Option<ExplainBody> {
    let told = ask::explain_with(&state.scene, state.files.as_ref(), inquiry)?;
    Some(ExplainBody {
        generation: state.generation.0,
        revision: state.revision.0,
        digest: state.digest.clone(),
        files_digest: state.scene.health.files_digest().to_string(),
        as_of: state.words.clone(),
        ..told.body(inquiry)
    })
}
