//! The states of files: /v1/generations, what stands between the files and what serves, and the way back and forth.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diagnostic::DiagnosticBody;

/// GET /v1/generations?before=&limit=.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GenerationsBody {
    /// The one that serves.
    pub serving: u64,
    /// How it is pinned, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinBody>,
    /// What the disk holds and the pin keeps from serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingBody>,
    /// What the guard holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldBody>,
    /// Those that are kept, newest first; as many as were asked for.
    pub generations: Vec<GenerationBody>,
    /// What to give as `before` for the next page; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One published state of files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GenerationBody {
    /// Its number.
    pub generation: u64,
    /// The hash of its files.
    pub digest: String,
    /// When it was published (RFC 3339).
    pub published: String,
    /// What brought it about: `start`, `files`, `rollback`, `resume`, `accept`.
    pub cause: String,
    /// Of a rollback, the generation whose files it has again; of an acceptance, the number that was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Who asked for it; empty when a file changed by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Who changed the files, where git tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// How many files it holds.
    pub files: usize,
    /// How many of them the generation before, as far as it is kept, did not have.
    #[serde(default)]
    pub added: usize,
    /// … and had otherwise.
    #[serde(default)]
    pub changed: usize,
    /// How many files the generation before had, and this one has not.
    #[serde(default)]
    pub removed: usize,
    /// Whether it serves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub serving: bool,
    /// Whether it is pinned: it serves whatever the files say, until `resume`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

/// A pinned generation: edits are checked and kept, and not served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PinBody {
    /// The generation that serves.
    pub generation: u64,
    /// The earlier one whose files it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Who pinned it.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when (RFC 3339).
    pub since: String,
}

/// What the disk holds and a pin keeps from serving.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingBody {
    /// How many files differ from what serves.
    pub count: usize,
    /// How many errors they have: with any, `resume` publishes the last good forms of those files.
    pub errors: usize,
    /// The first of those files, in path order.
    pub files: Vec<PendingFile>,
}

/// A file on the disk that differs from what serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingFile {
    /// Its path.
    pub path: String,
    /// `added`, `changed` or `removed`, beside what serves.
    pub change: String,
    /// Whether it is refused as it stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// What the guard holds: the last good form of each file serves on, until `accept`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldBody {
    /// The number to accept. It stands for exactly this change: another change gets another.
    pub generation: u64,
    /// How many zones.
    pub count: usize,
    /// The first of them, in the order of their files.
    pub zones: Vec<HeldZone>,
}

/// A zone that would lose more names than the guard lets go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldZone {
    /// The zone.
    pub zone: String,
    /// Its file.
    pub path: String,
    /// How many names it has below its apex.
    pub names: usize,
    /// How many of them would vanish.
    pub removed: usize,
}

/// POST /v1/rollback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// Which; without it, the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Why.
    pub why: String,
    /// Who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// POST /v1/accept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// The number of the change that is held, as status shows it.
    #[schema(format = "uint64")]
    #[schema(format = "uint64")]
    pub generation: u64,
    /// Why.
    pub why: String,
    /// Who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// What came of a rollback, a resume or an acceptance: a generation that serves now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedBody {
    /// Its number.
    pub generation: u64,
    /// Of a rollback, the one whose files it has again; else the one that served before.
    pub of: u64,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Names below the apexes of zones that served before, and do not any more.
    pub names_removed: usize,
    /// What else to know: databases that are no longer kept, a disk that could not be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What the guard holds back of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldBody>,
    /// All that is to be said of its files.
    pub diagnostics: Vec<DiagnosticBody>,
}
