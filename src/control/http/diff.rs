//! What differs between two generations, and the files of one: read beside the store, which nobody has to wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use crate::api::{DiffBody, GenerationFiles};
use crate::ask::{self, Side, Tally};
use crate::fileset::FileSet;
use crate::history::{Archive, Restored, StoreError};
use crate::load::{Config, Needs};
use crate::number::Generation;

use super::super::desk::Desk;
use super::body::json;
use super::problem::Refused;
use super::query::Query;

/// RRsets told in one answer; what is more is counted. A guess: some megabytes of JSON.
const RRSETS_MAX: usize = 20_000;
/// Octets of files that are compared at once, of both sides. A guess: two zones of some million records.
const COMPARED_LEN_MAX: usize = 512 << 20;
/// How long a comparison waits for the one before it.
const TURN_WAIT_MAX: Duration = Duration::from_secs(10);

/// A comparison may take a core for seconds: there is one at a time.
static TURNS: Semaphore = Semaphore::const_new(1);

/// What /v1/diff is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The generation before: `gen:41`.
    #[param(pattern = "^(gen:)?(now|[0-9]+)$", example = "gen:1")]
    old: String,
    /// The generation after.
    #[serde(default = "now")]
    #[param(pattern = "^(gen:)?(now|[0-9]+)$", default = "gen:now", example = "gen:now")]
    new: String,
}

/// What serves.
fn now() -> String {
    "gen:now".into()
}

/// GET /v1/diff?old=gen:41&new=gen:42
pub async fn diff(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let (old, new) = (named(&desk, &asked.old).await?, named(&desk, &asked.new).await?);
    let busy = || Refused::unavailable("busy", "another comparison is under way; try again");
    let turn = tokio::time::timeout(TURN_WAIT_MAX, TURNS.acquire()).await;
    let turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
    let (config, counted) = (desk.config, desk.weigher.counted());
    let compared = move || {
        let sides = (asked.old.as_str(), old, asked.new.as_str(), new);
        compare(sides, &config, &counted.tally)
    };
    let body = off(compared).await?;
    drop(turn);
    Ok(json(StatusCode::OK, &body))
}

/// GET /v1/generations/{generation}/files
pub async fn files(
    State(desk): State<Desk>,
    Path(generation): Path<String>,
) -> Result<Response, Refused> {
    let generation = named(&desk, &generation).await?;
    let body = off(move || {
        let archive = Archive::open(&desk.config.state)?;
        let entry = archive.entry(generation).ok_or(StoreError::Unknown(generation))?;
        let paths = archive.paths(generation)?.into_iter();
        Ok(GenerationFiles {
            generation: generation.0,
            digest: entry.digest.to_string(),
            files: paths.map(|(path, digest)| (path, digest.to_string())).collect(),
        })
    });
    Ok(json(StatusCode::OK, &body.await?))
}

/// GET /v1/generations/{generation}/files/{path}
pub async fn file(
    State(desk): State<Desk>,
    Path((generation, path)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let generation = named(&desk, &generation).await?;
    let file = off(move || {
        let archive = Archive::open(&desk.config.state)?;
        let mut restored = archive.read_some(generation, |other| other == path)?;
        let found = restored.files.files.remove(&path);
        found.ok_or_else(|| match restored.missing.is_empty() {
            true => {
                let detail = format!("generation {generation} has no {path}");
                Refused::new(404, "unknown-file", detail)
            }
            false => {
                let detail = format!("{path} of generation {generation} is no longer kept");
                Refused::new(404, "file-not-kept", detail)
            }
        })
    });
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, kind)], file.await?.bytes.to_vec()).into_response())
}

/// The generation that `text` names: `41`, `now`, either after `gen:`.
async fn named(desk: &Desk, text: &str) -> Result<Generation, Refused> {
    let bare = text.strip_prefix("gen:").unwrap_or(text);
    if bare == "now" {
        return Ok(desk.hub.view().await?.snapshot.generation);
    }
    let detail = format!("{text:?} is no generation: gen:41, or gen:now");
    bare.parse().map(Generation).map_err(|_| Refused::new(400, "unreadable-generation", detail))
}

/// Work that waits for the disk: not on a thread that answers requests.
async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Refused::new(500, "internal", "a fault in homing itself")))
}

/// Reads no more of either than it takes to compare them.
fn compare(
    (old_name, old, new_name, new): (&str, Generation, &str, Generation),
    config: &Config,
    own: &Tally,
) -> Result<DiffBody, Refused> {
    let archive = Archive::open(&config.state)?;
    let changes = archive.changes(old, new)?;
    let needs = Needs::of(changes.iter().map(|change| change.path.as_str()));
    let mut before = archive.read_some(old, |path| needs.wants(path))?;
    let mut after = archive.read_some(new, |path| needs.wants(path))?;
    let len: usize = [&before, &after].into_iter().map(|side| octets(&side.files)).sum();
    if len > COMPARED_LEN_MAX {
        let detail = format!(
            "what differs lies in {} MB of files; on this machine: homing diff {old_name} \
             {new_name} --files DIR",
            len >> 20
        );
        return Err(Refused::unprocessable("diff-too-large", detail));
    }
    let mut notes = lend(old_name, &mut before, &after.files);
    notes.extend(lend(new_name, &mut after, &before.files));
    let mut diff = ask::diff(
        Side { name: old_name, files: &before.files, config },
        Side { name: new_name, files: &after.files, config },
        own,
        RRSETS_MAX,
    );
    // Of a part, `diff` would tell the hash of that part.
    diff.old.digest = before.entry.digest.to_string();
    diff.new.digest = after.entry.digest.to_string();
    diff.notes = notes;
    Ok(diff)
}

fn octets(files: &FileSet) -> usize {
    files.files.values().map(|file| file.bytes.len()).sum()
}

/// Geo databases that `side` has lost are taken from the other one, and it is said.
fn lend(name: &str, side: &mut Restored, other: &FileSet) -> Vec<String> {
    let mut notes = BTreeMap::new();
    for path in &side.missing {
        let words = match other.get(path) {
            Some(file) => {
                side.files.files.insert(path.clone(), file.clone());
                "that of the other side is used"
            }
            None => "it is compared without",
        };
        notes.insert(path, format!("{name}: {path} is no longer kept; {words}"));
    }
    notes.into_values().collect()
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        match error {
            StoreError::Unknown(_) => Refused::new(404, "unknown-generation", error.to_string()),
            error => Refused::new(409, "generation-unreadable", error.to_string()),
        }
    }
}
