//! What differs between two states of files: /v1/diff, and `homing diff --format json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diagnostic::DiagnosticBody;
use super::weights::WeightsBody;

/// GET /v1/diff.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiffBody {
    /// The state before.
    pub old: DiffSide,
    /// The state after.
    pub new: DiffSide,
    /// Whether anything that is served differs.
    pub differs: bool,
    /// What is to be known of this comparison itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The files that differ, in path order; with differences that serve nothing, such as comments.
    pub files: Vec<FileChange>,
    /// The zones that differ, in canonical order.
    pub zones: Vec<ZoneChange>,
    /// What differs in steering.
    pub steering: SteeringChange,
    /// What differs in the knowledge of addresses, where databases do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geography: Option<GeographyChange>,
}

/// One state of files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiffSide {
    /// As it was asked for: a folder, a file, `git:HEAD`, `gen:41`.
    pub name: String,
    /// The hash of the files that were compared.
    pub digest: String,
    /// The mistakes in them; what they refuse was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<DiagnosticBody>,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeWord {
    /// Only the new state has it.
    Added,
    /// Only the old state has it.
    Removed,
    /// Both have it, and it differs.
    #[default]
    Changed,
}

impl ChangeWord {
    /// What became of a thing that is there, or not, before and after.
    pub fn of(old: bool, new: bool) -> ChangeWord {
        match (old, new) {
            (false, true) => ChangeWord::Added,
            (true, false) => ChangeWord::Removed,
            _ => ChangeWord::Changed,
        }
    }
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// What became of it.
    pub change: ChangeWord,
}

/// One zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneChange {
    /// Its apex.
    pub zone: String,
    /// What became of it.
    pub change: ChangeWord,
    /// Its file; the newer one.
    pub file: String,
    /// Its serial before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_old: Option<u32>,
    /// Its serial after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_new: Option<u32>,
    /// Whether its content changed and its serial is not newer (RFC 1982): secondaries would not fetch it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub serial_not_raised: bool,
    /// How many records only the new zone has, its SOA left out.
    pub records_added: usize,
    /// How many records only the old zone has, its SOA left out.
    pub records_removed: usize,
    /// The RRsets that differ, in canonical order. A SOA whose serial alone differs is not among them.
    pub rrsets: Vec<RrsetBody>,
    /// How many more there are than `rrsets` tells.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rrsets_left_out: usize,
}

/// One RRset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RrsetBody {
    /// Its owner.
    pub owner: String,
    /// Its type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// What became of it.
    pub change: ChangeWord,
    /// Its TTL before, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_old: Option<u32>,
    /// Its TTL after, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_new: Option<u32>,
    /// Rdata that is gone, in presentation format.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Rdata that is new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// How many records of it stay.
    pub kept: usize,
}

/// What differs in steering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SteeringChange {
    /// Regions of regions.toml.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionChange>,
    /// Pools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolChange>,
    /// Policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyChange>,
    /// Routed names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteChange>,
    /// Where the clients of names go that have another policy now, once for each pair of policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rebound: Vec<Rebound>,
    /// What shares of queries are counted by, where any are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsBody>,
}

impl SteeringChange {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == SteeringChange::default()
    }
}

/// One setting that has another value now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingChange {
    /// Its name in the file.
    pub name: String,
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
}

/// One region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegionChange {
    /// Its name.
    pub region: String,
    /// What became of it.
    pub change: ChangeWord,
    /// What of it is different.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingChange>,
}

/// One pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoolChange {
    /// Its name.
    pub pool: String,
    /// What became of it.
    pub change: ChangeWord,
    /// Its health settings that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingChange>,
    /// Its endpoints that differ.
    pub endpoints: Vec<EndpointChange>,
}

/// One endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndpointChange {
    /// Its region.
    pub region: String,
    /// Its address, or its host name.
    pub address: String,
    /// What became of it.
    pub change: ChangeWord,
    /// Its weight before, where a policy uses the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_old: Option<u32>,
    /// Its weight after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_new: Option<u32>,
}

/// One policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyChange {
    /// Its name.
    pub policy: String,
    /// What became of it.
    pub change: ChangeWord,
    /// What of it is different, its rules left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingChange>,
    /// Rules that are gone, as the file had them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_removed: Vec<String>,
    /// Rules that are new, as the file has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_added: Vec<String>,
    /// Which clients move, largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// Whether the bound on policies told in detail left the moves out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moves_left_out: bool,
}

/// One routed name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteChange {
    /// The name.
    pub name: String,
    /// What became of its route.
    pub change: ChangeWord,
    /// Its policy before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// Its policy after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// What it means for clients that names have another policy now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rebound {
    /// The policy before.
    pub old: String,
    /// The policy after.
    pub new: String,
    /// Which clients move, largest first.
    pub moves: Vec<Move>,
}

/// Clients that had their answer from one region and have it from another, with every endpoint up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Move {
    /// The type asked for, `A` or `AAAA`; none where both move alike.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub rtype: Option<String>,
    /// The region before, or what stood in for one.
    pub from: String,
    /// The region after.
    pub to: String,
    /// How much of all addresses whose country is known.
    pub share: Share,
    /// How much of all queries, 0 to 1, where weights are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<f64>,
    /// By country, largest share first.
    pub countries: Vec<CountryMove>,
    /// Whether addresses move whose country is unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// The very prefixes, where they are few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
}

/// A share of addresses, 0 to 1; none where the family has no addresses there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// Of IPv4 addresses.
    pub ipv4: Option<f64>,
    /// Of IPv6 networks, counted in /64s.
    pub ipv6: Option<f64>,
}

/// How much of a country moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CountryMove {
    /// Its ISO 3166-1 alpha-2 code.
    pub country: String,
    /// How much of its addresses.
    pub share: Share,
    /// How much of all queries, 0 to 1, these addresses are, where weights are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<f64>,
}

/// What one set of geo databases says and another does not, of addresses whose country one of them knows. What stands in
/// overrides.csv counts as said by both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeographyChange {
    /// How much of all addresses changes its country.
    pub changed: Share,
    /// How much of all addresses has its position moved by more than 100 km.
    pub far: Share,
    /// How far these move on average, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_km: Option<u32>,
    /// How far half of these move at most, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_km: Option<u32>,
    /// By the country of before, most addresses first.
    pub countries: Vec<CountryShift>,
}

/// What becomes of the addresses of one country.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CountryShift {
    /// Its ISO 3166-1 alpha-2 code; empty for addresses whose country was unknown.
    pub country: String,
    /// How much of all addresses it has.
    pub of_all: Share,
    /// The countries that addresses of it are said to be in now, most first.
    pub to: Vec<ShiftTo>,
    /// How much of its addresses has its position moved by more than 100 km.
    pub far: Share,
    /// How far these move on average, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_km: Option<u32>,
    /// How far half of these move at most, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_km: Option<u32>,
}

/// Where addresses are said to be now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShiftTo {
    /// The country; empty where it is no longer known.
    pub country: String,
    /// How much of the addresses of the country of before.
    pub share: Share,
}

/// GET /v1/generations/{generation}/files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GenerationFiles {
    /// Which.
    pub generation: u64,
    /// The hash of all its files.
    pub digest: String,
    /// The hash of each file, by path.
    pub files: BTreeMap<String, String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
