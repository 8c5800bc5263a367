//! Who gets which region, over the whole world: /v1/coverage, and `homing coverage --format json`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diff::Share;
use super::status::DatabaseBody;

/// GET /v1/coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoverageBody {
    /// The policy.
    pub policy: String,
    /// Its pool.
    pub pool: String,
    /// The type asked for: `A`, `AAAA`, or `any` where the pool holds host names.
    #[serde(rename = "type")]
    pub rtype: String,
    /// What it is told of, in words: files with every endpoint up, or a server as it stands.
    pub of: String,
    /// The state of files; 0 where files alone are looked at.
    #[serde(default)]
    pub generation: u64,
    /// The position in the event log; 0 where files alone are looked at.
    #[serde(default)]
    pub revision: u64,
    /// What is known of addresses comes from these, strongest first.
    pub databases: Vec<DatabaseBody>,
    /// What shares are counted in, in words.
    pub weights: String,
    /// How far clients are from their first region on average, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub km: Option<u32>,
    /// The regions of the pool, in the order of regions.toml.
    pub regions: Vec<CoverageRegion>,
    /// The countries, largest share of addresses first.
    pub countries: Vec<CoverageRow>,
    /// Addresses whose country is unknown. Its shares are of these and all others: of IPv4 addresses that are neither
    /// special-purpose nor multicast. Most of unlisted IPv6 is not announced at all, and is not counted.
    pub unknown: CoverageRow,
    /// Countries of which no address is known, by code.
    pub absent: Vec<String>,
    /// Where addresses lie and what they get, for a map; only if asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<CoveragePoint>,
}

/// One region of the pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoverageRegion {
    /// Its short name.
    pub region: String,
    /// Its name for people.
    pub name: String,
    /// Where it is: latitude and longitude in degrees.
    pub position: [f32; 2],
    /// How much of all addresses whose country is known have it first.
    pub first: Share,
    /// How far these are on average, in km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub km: Option<u32>,
    /// How much of all addresses would have it if their first region were gone.
    pub second: Share,
}

/// A country, a subdivision of one, or all that is unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoverageRow {
    /// The country's ISO 3166-1 alpha-2 code; empty where it is unknown.
    pub country: String,
    /// What follows the hyphen in the subdivision's ISO 3166-2 code; `?` where it is unknown, empty for a whole country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subdivision: String,
    /// Its name in English, where it has one.
    pub name: String,
    /// How much of all addresses whose country is known.
    pub share: Share,
    /// Who answers first, by share of this row's addresses.
    pub first: Vec<CoverageShare>,
    /// Who would without the first region, by share.
    pub second: Vec<CoverageShare>,
    /// What an operator should look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<CoverageMark>,
    /// The subdivisions, largest first; only where they do not all have the same first region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub subdivisions: Vec<CoverageRow>,
}

/// What some addresses of a row get.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoverageShare {
    /// The region, or what stands in for one.
    pub region: String,
    /// How much of the row's addresses.
    pub share: Share,
    /// How far they are from it on average, in km; none where either place is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub km: Option<u32>,
}

/// Something that an operator should look at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoverageMark {
    /// What: `hole` (no address), `alone` (no second region), `far` (much farther than the nearest region of the pool),
    /// `differs` (the other type goes elsewhere).
    pub mark: String,
    /// Why, in one word.
    pub why: String,
    /// How much of the row's addresses.
    pub share: Share,
}

/// Some addresses that lie together and get one region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoveragePoint {
    /// Where: latitude and longitude in degrees.
    pub position: [f32; 2],
    /// The region, or what stands in for one.
    pub region: String,
    /// How much of all addresses whose country is known.
    pub share: Share,
}
