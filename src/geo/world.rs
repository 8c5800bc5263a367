//! All that is known of addresses: ranges of addresses to places, from a database, the overrides, or the built-in table.

use super::place::{Place, PlaceId};

/// Where the knowledge came from, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What serves: a path such as `geo/GeoLite2-City.mmdb`, or `built-in`.
    pub name: String,
    /// The licence, where known.
    pub licence: String,
    /// When it was built, in seconds of the Unix epoch; 0 when unknown.
    pub built_epoch_secs: u64,
    /// How many networks it lists.
    pub networks: usize,
}

/// Addresses to places. Both lists are sorted by start, begin at 0, and cover the whole address space: a range ends
/// where the next begins. Place 0 is the unknown place.
#[derive(Clone, Debug)]
pub struct World {
    /// Starts of IPv4 ranges.
    pub v4: Vec<(u32, PlaceId)>,
    /// Starts of IPv6 ranges. IPv4-embedding prefixes are not in it: they are looked up as IPv4.
    pub v6: Vec<(u128, PlaceId)>,
    /// The places.
    pub places: Vec<Place>,
    /// Where all this came from, strongest first.
    pub sources: Vec<Source>,
}
