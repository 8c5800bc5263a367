//! What would be: POST /v1/whatif.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::change::keep_of;
use super::diff::{Move, Share};

/// What is supposed. Nothing is changed by asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatifRequest {
    /// Subjects that an operator takes down: `fra`, `fra/web`, `*/web/192.0.2.10`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<String>,
    /// Subjects that an operator calls up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub up: Vec<String>,
    /// Subjects of which as many vantages as it takes say that they are down. Quorum, hold-down and panic apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fail: Vec<String>,
    /// Regions that are drained, at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drain: Vec<WhatifDrain>,
    /// Regions that are filled again, at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undrain: Vec<String>,
    /// Subjects whose override is cleared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clear: Vec<String>,
    /// The policy to tell of; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whose answers are wanted, before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<WhatifAsk>,
}

/// A region that is supposed to be drained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatifDrain {
    /// Which.
    pub region: String,
    /// The share of clients that it keeps, 0 to below 1.
    #[serde(default)]
    pub to: f64,
}

impl WhatifDrain {
    /// The share to keep in 256ths.
    pub fn keep(&self) -> Result<u8, String> {
        keep_of(self.to)
    }
}

/// Answers that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatifAsk {
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type", default = "address_type")]
    pub rtype: String,
    /// Clients, as addresses or subnets; at most 10,000.
    pub clients: Vec<String>,
}

fn address_type() -> String {
    "A".to_owned()
}

/// What would come of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatifBody {
    /// The state that it is supposed of, in words.
    pub of: String,
    /// Its generation.
    pub generation: u64,
    /// Its position in the event log.
    pub revision: u64,
    /// What is supposed, in words, in order.
    pub supposed: Vec<String>,
    /// What the real change would be refused for, unless it is forced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<WhatifRefusal>,
    /// Pools that would be in panic and are not: their endpoints are not believed to be down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub panics: Vec<String>,
    /// Endpoints that are used otherwise; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<WhatifEndpoint>,
    /// Endpoints that are supposed to be otherwise and would be as they are; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmoved: Vec<WhatifEndpoint>,
    /// What clients are counted by: `announced`, `queries`, `published`.
    pub weights: String,
    /// The policies that something changes of; or the one that was asked for.
    pub policies: Vec<WhatifPolicy>,
    /// The others: nobody moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<String>,
    /// Policies of which nothing is told, for the bound on what is compared in one answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The regions that have a capacity; none where no load is known, one policy was asked for, or some were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<WhatifLoad>,
    /// The answers that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<WhatifClient>,
}

/// What a region bears, if load goes along with the clients that move and each policy has as many as any other; before
/// anything is shed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatifLoad {
    /// Which.
    pub region: String,
    /// What it can take, in the unit of reports.
    pub capacity: f64,
    /// The share of it above which clients are shed.
    pub high: f64,
    /// As vantages report it; none where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// … and then; none where clients come to it from where no load is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
}

/// Why a real change would be refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhatifRefusal {
    /// Which of the suppositions.
    pub supposed: String,
    /// A stable short name, such as `at-least`.
    pub code: String,
    /// In words.
    pub detail: String,
}

/// An endpoint, before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhatifEndpoint {
    /// `region/pool/address`.
    pub subject: String,
    /// How it may be used: `up`, `degraded`, `down`, `overridden-down`.
    pub before: String,
    /// … and then.
    pub after: String,
    /// The reason's code, then.
    pub reason: String,
}

/// What comes of one policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatifPolicy {
    /// Its name.
    pub policy: String,
    /// How long resolvers may keep the answers of before, in seconds.
    pub ttl_max: u32,
    /// What clients get; one entry where both types have the same.
    pub types: Vec<WhatifType>,
    /// Which clients move, largest first.
    pub moves: Vec<Move>,
}

/// What clients get who ask for one type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatifType {
    /// `A` or `AAAA`; none where both have the same.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub rtype: Option<String>,
    /// Who answers, in the order of regions.toml, and what stands in for a region.
    pub regions: Vec<WhatifRegion>,
    /// Clients that are answered by another region.
    pub moved: Clients,
    /// Clients that are answered as a last resort, for nothing is up for them.
    pub last_resort: BeforeAfter,
    /// Clients that had an address of this type and have none.
    pub lost: Clients,
}

/// Whom one region answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatifRegion {
    /// Its name, or what stands in for one.
    pub region: String,
    /// Its clients.
    #[serde(flatten)]
    pub clients: BeforeAfter,
}

/// Clients before, and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BeforeAfter {
    /// Before.
    pub before: Clients,
    /// After.
    pub after: Clients,
}

/// Some of all clients whose country is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Clients {
    /// How much of their addresses.
    pub addresses: Share,
    /// How much of their queries, 0 to 1, where weights are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<f64>,
}

impl Clients {
    /// How much they are: of queries where these are known, else of IPv4, else of IPv6.
    pub fn size(&self) -> f64 {
        self.queries.or(self.addresses.ipv4).or(self.addresses.ipv6).unwrap_or(0.0)
    }
}

/// What one client gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatifClient {
    /// Who.
    pub client: String,
    /// The answer before.
    pub before: WhatifAnswer,
    /// … and after.
    pub after: WhatifAnswer,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhatifAnswer {
    /// The region that answers; none where the zone's own data does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Why, by its code; none where nothing is steered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The response code.
    pub rcode: String,
    /// The records of the answer section.
    pub answer: Vec<String>,
    /// The scope of the client subnet that is answered (RFC 7871), if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<u8>,
}
