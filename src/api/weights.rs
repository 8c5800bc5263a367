//! How much of the world each place stands for: weights, in /v1/status and /v1/weights.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which weights count, and what the server's own queries say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WeightsBody {
    /// What counts: `published` (geo/weights.csv), `queries` (the server's own) or `announced` (addresses).
    pub basis: String,
    /// Lines of geo/weights.csv; 0 without one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub published: usize,
    /// How many queries the server's own stand for; the older, the less each counts.
    pub queries: f64,
    /// Fewer than this say nothing of the world.
    pub queries_min: f64,
    /// How long it takes until a query counts half, in seconds.
    pub half_life_secs: u64,
    /// When counting began (RFC 3339); empty where nothing is counted.
    pub since: String,
    /// Where the queries come from, most first; the first twenty.
    pub countries: Vec<CountryQueries>,
}

/// The queries of one country.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CountryQueries {
    /// Its ISO 3166-1 alpha-2 code; empty where no country is known.
    pub country: String,
    /// Its share of all queries, 0 to 1.
    pub share: f64,
}

/// GET /v1/weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlacesBody {
    /// Which weights count.
    pub weights: WeightsBody,
    /// The server's own queries by place, most first.
    pub places: Vec<PlaceQueries>,
    /// Those of which no place is known.
    pub unknown: f64,
}

/// The queries of one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlaceQueries {
    /// As `EU-DE` or `NA-US-CA`.
    pub place: String,
    /// How many; the older, the less each counts.
    pub queries: f64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
