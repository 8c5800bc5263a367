//! What is known of addresses, and where it came from.

use super::layers::Layers;
use super::place::{Place, PlaceId};
use super::starts::{List, Starts};

/// Where the knowledge came from, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What serves: a path such as `geo/GeoLite2-City.mmdb`, or
    /// `built-in (dbip-city, 300 metros)`.
    pub name: String,
    /// The licence, where known.
    pub licence: String,
    /// When it was built, in seconds of the Unix epoch; 0 when unknown.
    pub built_epoch_secs: u64,
    /// How many networks it lists.
    pub networks: usize,
}

/// What is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// IPv4 ranges.
    pub(super) v4: Layers<u32>,
    /// IPv6 ranges. IPv4-embedding prefixes are not in it: they are looked up as IPv4.
    pub(super) v6: Layers<u64>,
    /// The places.
    pub(super) places: Vec<Place>,
}

impl Known {
    /// Nothing is known of any address.
    pub(super) fn nothing() -> Known {
        Known {
            v4: List::whole(PlaceId(0)).into(),
            v6: List::whole(PlaceId(0)).into(),
            places: vec![Place::default()],
        }
    }

    /// Ranges, each given by its start, in order. The first of `places` is the unknown place.
    pub(super) fn of_runs(
        v4: impl IntoIterator<Item = (u32, PlaceId)>,
        v6: impl IntoIterator<Item = (u128, PlaceId)>,
        places: Vec<Place>,
    ) -> Known {
        let (mut starts_v4, mut starts_v6) = (Starts::new(), Starts::new());
        v4.into_iter().for_each(|(start, place)| starts_v4.push(start, place));
        v6.into_iter().for_each(|(start, place)| starts_v6.push(start, place));
        let (v4, v6) = (starts_v4.into_list().into(), starts_v6.into_list().into());
        Known { v4, v6, places }
    }
}
