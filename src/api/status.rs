//! What a server says of itself: /v1/status.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alarm::AlarmBody;
use super::diagnostic::DiagnosticBody;
use super::generations::{HeldBody, PendingBody, PinBody};
use super::health::{EndpointHealth, OverrideBody};
use super::weights::WeightsBody;

/// GET /v1/status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusBody {
    /// This server's version.
    pub version: String,
    /// The site.
    pub site: SiteBody,
    /// The published state of files.
    pub generation: u64,
    /// The position in the event log.
    pub revision: u64,
    /// The hash of the whole state.
    pub digest: String,
    /// The hash of the files.
    pub files_digest: String,
    /// When this was said, by the server's clock (RFC 3339).
    #[serde(default)]
    pub now: String,
    /// When the server started (RFC 3339).
    pub started: String,
    /// When the generation was published (RFC 3339).
    pub published: String,
    /// When the last event was folded, in log time (RFC 3339); empty before the first.
    pub last_event: String,
    /// What it serves.
    pub served: ServedBody,
    /// Databases, strongest first.
    pub databases: Vec<DatabaseBody>,
    /// How much of the world each place stands for, in what is said of shares of clients.
    #[serde(default)]
    pub weights: WeightsBody,
    /// Regions and their drains.
    pub regions: Vec<RegionBody>,
    /// Endpoints and their verdicts.
    pub endpoints: Vec<EndpointHealth>,
    /// How many endpoints have evidence of which age.
    #[serde(default)]
    pub evidence: EvidenceBody,
    /// The vantages that are remembered, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vantages: Vec<VantageBody>,
    /// Overrides that stand, dangling ones included.
    pub overrides: Vec<OverrideBody>,
    /// All that is to be said of the files: errors name files that are refused.
    pub diagnostics: Vec<DiagnosticBody>,
    /// Files that are gone, and serve on until it has been quiet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    /// How the generation is pinned, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinBody>,
    /// What the disk holds and the pin keeps from serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingBody>,
    /// What the guard holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldBody>,
    /// The alarms that stand.
    pub alarms: Vec<AlarmBody>,
    /// What the process gave up.
    #[serde(default)]
    pub sandbox: SandboxBody,
}

/// What the process gave up once it had its sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SandboxBody {
    /// The user that it is.
    pub user: String,
    /// The capabilities that it kept (capabilities(7)).
    pub capabilities: Vec<String>,
    /// Whether no program that it starts could gain privileges.
    pub no_new_privileges: bool,
    /// Whether files are bounded (landlock(7)): `on`, or why not.
    pub landlock: String,
    /// Whether system calls are bounded (seccomp(2)): `on`, or why not.
    pub seccomp: String,
}

/// The site that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteBody {
    /// Its name.
    pub name: String,
    /// Whether it is drained: `/readyz` fails.
    pub drained: bool,
    /// Why it is drained.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How much is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServedBody {
    /// Zones.
    pub zones: usize,
    /// Zones that were never loaded and answer SERVFAIL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// Records.
    pub records: usize,
    /// Routed names.
    pub routes: usize,
    /// Addresses that DNS is answered on.
    pub listen: Vec<String>,
    /// Addresses that DNS is answered on within TLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dot: Vec<String>,
    /// … within HTTPS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doh: Vec<String>,
    /// … within QUIC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doq: Vec<String>,
}

/// A geo database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseBody {
    /// A path, or `built-in`.
    pub name: String,
    /// Its licence, where known.
    pub licence: String,
    /// When it was built (RFC 3339); empty when unknown.
    pub built: String,
    /// Its age in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
    /// How many networks it lists.
    pub networks: usize,
}

/// Endpoints by the age of their evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceBody {
    /// A quorum of vantages is fresh.
    pub fresh: usize,
    /// Some vantage speaks, too few for the quorum: the last verdict stands.
    pub stale: usize,
    /// Nobody speaks any more: the last verdict stands.
    pub frozen: usize,
    /// Nobody ever spoke.
    pub never: usize,
}

/// Somebody who looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VantageBody {
    /// Its name.
    pub name: String,
    /// `fresh` where any of its words counts still, else `missing`.
    pub state: String,
    /// Its boot.
    pub boot: u64,
    /// Its last sequence number.
    pub seq: u64,
    /// When it last spoke, in log time (RFC 3339).
    pub heard: String,
    /// How many of the endpoints it holds up, after `rise` and `fall`.
    pub up: usize,
    /// … degraded.
    pub degraded: usize,
    /// … down.
    pub down: usize,
    /// … and of how many it has no opinion yet.
    pub undecided: usize,
    /// Its words on subjects that name more than one endpoint, or none that is known.
    pub words: usize,
}

/// A region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionBody {
    /// Its name.
    pub name: String,
    /// How many 256ths of its clients it keeps: 256 when it is not drained.
    pub keep: u16,
    /// … and in the end; less than 256 where it is drained.
    #[serde(default)]
    pub to: u16,
    /// When a drain that is under way is complete (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_by: Option<String>,
    /// … and its next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// Why it is drained.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Who drained it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// Whether the files no longer know it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangling: bool,
    /// How busy it is; none where the files give it no capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadBody>,
}

/// How busy a region is, and what it does about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LoadBody {
    /// The lower median of its fresh vantages, smoothed; none before any told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// What it can take, in the same unit.
    pub capacity: f64,
    /// The share of it above which clients are shed.
    pub high: f64,
    /// The share of it below which they are taken back.
    pub low: f64,
    /// Whether the load was told lately; a stale one changes nothing.
    pub fresh: bool,
    /// Until when it neither gives nor takes clients (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_until: Option<String>,
    /// To whom it sheds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheds: Vec<ShedBody>,
}

/// What one region sheds to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShedBody {
    /// To whom.
    pub to: String,
    /// How many 256ths of the clients whose next region that is, those nearest to it first.
    pub share: u16,
}
