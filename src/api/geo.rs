//! What is known of an address, and what it means: /v1/geo.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::status::DatabaseBody;

/// GET /v1/geo.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeoBody {
    /// The address asked about.
    pub address: String,
    /// What is known of it, all taken together: what answers are made from.
    pub place: PlaceBody,
    /// The shortest prefix around it of which the same is known.
    pub prefix: String,
    /// What each source says by itself, in the order in which they are asked.
    pub sources: Vec<GeoSource>,
    /// The lines of overrides.csv that hold the address; the first decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<GeoOverride>,
    /// What it means under each policy.
    pub policies: Vec<GeoPolicy>,
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlaceBody {
    /// In words.
    pub words: String,
    /// Its continent, by the code of GeoNames.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub continent: String,
    /// Its country, by its ISO 3166-1 alpha-2 code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// Its subdivision: what follows the hyphen in the ISO 3166-2 code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subdivision: String,
    /// Latitude and longitude in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<[f32; 2]>,
    /// The autonomous system that announces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// The region that overrides.csv puts first in `nearest`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
}

/// One source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeoSource {
    /// The database, with its age and licence.
    pub database: DatabaseBody,
    /// What it says.
    pub place: PlaceBody,
    /// Of which prefix it says so.
    pub prefix: String,
    /// Whether the place that holds is the one that it says.
    pub wins: bool,
    /// Why it cannot be read, if it cannot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// A line of overrides.csv.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeoOverride {
    /// Its number, from 1.
    pub line: u32,
    /// Its prefix.
    pub prefix: String,
    /// What follows the prefix, as written.
    pub text: String,
    /// Whether it decides: of those that hold the address the longest prefix does.
    pub wins: bool,
}

/// What an address means under a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeoPolicy {
    /// The policy.
    pub policy: String,
    /// The number of the address's class.
    pub class: u16,
    /// The rule that decides, as written.
    pub rule: String,
    /// Where it stands.
    pub at: String,
    /// Whether the rule keeps all regions out that it does not name.
    pub fenced: bool,
    /// The scope of an answer, of type A where the two differ.
    pub scope: String,
    /// The regions in the order of this class.
    pub order: Vec<GeoRegion>,
    /// Who answers type A with all endpoints up; none where the pool has no such address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub a: String,
    /// Who answers type AAAA with all endpoints up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub aaaa: String,
}

/// A region of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeoRegion {
    /// Its name.
    pub region: String,
    /// How far it is, in km; none where the address's place is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub km: Option<u32>,
}
