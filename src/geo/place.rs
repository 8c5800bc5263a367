//! A place: what a geo database says of an address.

use crate::number::RegionId;

/// A point on Earth, in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Latitude, −90 to 90.
    pub latitude: f32,
    /// Longitude, −180 to 180.
    pub longitude: f32,
}

impl Position {
    /// The great-circle distance in kilometres, on a sphere of Earth's mean radius (haversine).
    pub fn distance_km(self, other: Position) -> f32 {
        const EARTH_RADIUS_KM: f64 = 6371.0088; // IUGG mean radius R1
        let radians = |degrees: f32| f64::from(degrees).to_radians();
        let (lat1, lat2) = (radians(self.latitude), radians(other.latitude));
        let dlat = lat2 - lat1;
        let dlon = radians(other.longitude) - radians(self.longitude);
        let h = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
        (2.0 * EARTH_RADIUS_KM * h.sqrt().min(1.0).asin()) as f32
    }
}

/// Indexes the places of a [`World`](super::World).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub u32);

/// What is known of some addresses. Every part may be unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Two-letter continent code of GeoNames: AF AN AS EU NA OC SA.
    pub continent: Option<[u8; 2]>,
    /// ISO 3166-1 alpha-2 code.
    pub country: Option<[u8; 2]>,
    /// The part of the ISO 3166-2 code after the hyphen, one to three characters, padded with zero.
    pub subdivision: Option<[u8; 3]>,
    /// Where it is; for a country without better knowledge, its centre of population.
    pub position: Option<Position>,
    /// The autonomous system that announces it.
    pub asn: Option<u32>,
    /// The operator's own word, from overrides.csv: this region goes first in `nearest`.
    pub region: Option<RegionId>,
}

impl Place {
    /// Whether nothing at all is known.
    pub fn is_unknown(&self) -> bool {
        *self == Place::default()
    }
}
