//! What differs between two bodies of knowledge of addresses: who is said to be in another country, and who far away.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use crate::api::{CountryShift, GeographyChange, ShiftTo};
use crate::geo::{Position, World};

use super::extent::Extent;
use super::lanes::{place_at, places, public, walk};
use super::overlap::Country;

/// Positions that differ by less are alike: cities are circles, not points.
const FAR_KM: f32 = 100.0;
/// Two positions whose coordinates differ by less cannot be [`FAR_KM`] apart: 0.6 degrees are 67 km at most each way.
const NEAR_DEGREES: f32 = 0.6;
/// How fine the median is.
const MEDIAN_STEP_KM: f32 = 10.0;

/// What became of the addresses of one country.
#[derive(Clone, Debug, Default)]
struct Shift {
    all: Extent,
    to: BTreeMap<Country, Extent>,
    far: Far,
}

/// Addresses whose position is far from where it was.
#[derive(Clone, Debug, Default)]
struct Far {
    extent: Extent,
    /// Times the distance in km.
    km: Extent,
    /// By distance, in steps.
    steps: BTreeMap<u16, Extent>,
}

/// Compares what `old` and `new` know of every address of which one of them knows the country.
pub(super) fn compare(old: &World, new: &World) -> GeographyChange {
    let mut shifts: HashMap<Country, Shift, FixedState> = HashMap::default();
    walk([places(old), places(new), public()], |range, [before, after, public]| {
        let (before, after) = (old.place(place_at(before)), new.place(place_at(after)));
        if public.is_none() || before.country.is_none() && after.country.is_none() {
            return;
        }
        let extent = range.extent();
        let shift = shifts.entry(before.country).or_default();
        shift.all.add(extent, 1.0);
        if before.country != after.country {
            shift.to.entry(after.country).or_default().add(extent, 1.0);
        }
        if let Some(km) = before.position.zip(after.position).and_then(|(a, b)| apart(a, b)) {
            shift.far.add(extent, km);
        }
    });
    told(&shifts.into_iter().collect())
}

/// How far apart they are, if they are far apart.
fn apart(a: Position, b: Position) -> Option<f32> {
    let is_near = (a.latitude - b.latitude).abs() < NEAR_DEGREES
        && (a.longitude - b.longitude).abs() < NEAR_DEGREES;
    if is_near {
        return None;
    }
    Some(a.distance_km(b)).filter(|&km| km > FAR_KM)
}

impl Far {
    fn add(&mut self, extent: Extent, km: f32) {
        self.extent.add(extent, 1.0);
        self.km.add(extent, f64::from(km));
        self.steps.entry((km / MEDIAN_STEP_KM) as u16).or_default().add(extent, 1.0);
    }

    fn merge(&mut self, other: &Far) {
        self.extent.add(other.extent, 1.0);
        self.km.add(other.km, 1.0);
        for (step, extent) in &other.steps {
            self.steps.entry(*step).or_default().add(*extent, 1.0);
        }
    }

    /// Of IPv4, or of IPv6 where no IPv4 address is among them.
    fn mean_km(&self) -> Option<u32> {
        let mean = |km: f64, of: f64| (of > 0.0).then(|| (km / of).round() as u32);
        mean(self.km.v4, self.extent.v4).or_else(|| mean(self.km.v6, self.extent.v6))
    }

    fn median_km(&self) -> Option<u32> {
        let of = |extent: &Extent| if self.extent.v4 > 0.0 { extent.v4 } else { extent.v6 };
        let mut left = of(&self.extent) / 2.0;
        let step = self.steps.iter().find(|(_, extent)| {
            left -= of(extent);
            left <= 0.0
        });
        // The middle of the step.
        step.map(|(step, _)| ((f32::from(*step) + 0.5) * MEDIAN_STEP_KM).round() as u32)
    }
}

fn told(shifts: &BTreeMap<Country, Shift>) -> GeographyChange {
    let (mut all, mut changed, mut far) = (Extent::default(), Extent::default(), Far::default());
    for shift in shifts.values() {
        all.add(shift.all, 1.0);
        shift.to.values().for_each(|extent| changed.add(*extent, 1.0));
        far.merge(&shift.far);
    }
    let row = |(country, shift): (&Country, &Shift)| {
        let to = shift.to.iter().map(|(country, extent)| ShiftTo {
            country: code(*country),
            share: extent.share_of(shift.all),
        });
        let mut to: Vec<ShiftTo> = to.collect();
        to.sort_by(|a, b| {
            b.share.ipv4.partial_cmp(&a.share.ipv4).unwrap_or(a.country.cmp(&b.country))
        });
        CountryShift {
            country: code(*country),
            of_all: shift.all.share_of(all),
            to,
            far: shift.far.extent.share_of(shift.all),
            mean_km: shift.far.mean_km(),
            median_km: shift.far.median_km(),
        }
    };
    let differs = |(_, shift): &(&Country, &Shift)| {
        !shift.to.is_empty() || shift.far.extent != Extent::default()
    };
    let mut countries: Vec<(f64, CountryShift)> = shifts
        .iter()
        .filter(differs)
        .map(|it| {
            let changed: f64 = it.1.to.values().map(|extent| extent.v4).sum();
            (changed.max(it.1.far.extent.v4), row(it))
        })
        .collect();
    // Stable: equal ones stay in the order of their codes.
    countries.sort_by(|a, b| b.0.total_cmp(&a.0));
    GeographyChange {
        changed: changed.share_of(all),
        far: far.extent.share_of(all),
        mean_km: far.mean_km(),
        median_km: far.median_km(),
        countries: countries.into_iter().map(|(_, row)| row).collect(),
    }
}

fn code(country: Country) -> String {
    country.map(|code| String::from_utf8_lossy(&code).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Place, PlaceId};

    fn world(runs: &[(u32, u32)]) -> World {
        let at = |country: &[u8; 2], latitude, longitude| Place {
            country: Some(*country),
            position: Some(Position { latitude, longitude }),
            ..Place::default()
        };
        let places = vec![
            Place::default(),
            at(b"DE", 50.0, 8.0),
            at(b"DE", 50.5, 8.5),
            at(b"DE", 52.5, 13.4),
            at(b"FR", 48.8, 2.3),
        ];
        let v4 = runs.iter().map(|&(start, place)| (start << 24, PlaceId(place)));
        World::of_runs(v4, [(0, PlaceId(0))], places)
    }

    #[test]
    fn who_changes_its_country_and_who_is_far_is_told_by_the_old_country() {
        let old = world(&[(20, 1), (24, 4), (26, 0)]);
        let new = world(&[(20, 1), (21, 2), (22, 3), (23, 4), (25, 4), (26, 1), (27, 0)]);
        let change = compare(&old, &new);
        // Of seven /8s: one Germany → France, one unknown → Germany.
        assert_eq!(change.changed.ipv4, Some(0.285714));
        let de = change.countries.iter().find(|row| row.country == "DE").unwrap();
        assert_eq!(de.to.len(), 1);
        assert_eq!((de.to[0].country.as_str(), de.to[0].share.ipv4), ("FR", Some(0.25)));
        // Half a degree is near; Berlin and Paris are far.
        assert_eq!(de.far.ipv4, Some(0.5));
        assert!(de.mean_km.is_some_and(|km| (440..460).contains(&km)), "{:?}", de.mean_km);
        let unknown = change.countries.iter().find(|row| row.country.is_empty()).unwrap();
        assert_eq!((unknown.to[0].country.as_str(), unknown.far.ipv4), ("DE", Some(0.0)));
        assert!(change.countries.iter().all(|row| row.country != "FR"));
    }
}
