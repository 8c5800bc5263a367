//! The order of regions for one place: what goes first, then the others by nearness.

use crate::geo::{Place, Position};
use crate::number::RegionId;

use super::classifier::{ClassRule, Classifier};

/// Puts the regions of one classifier in order.
pub(super) struct Orders<'c> {
    classifier: &'c Classifier,
    vectors: Vec<[f64; 3]>,
}

/// What of an order is the same for all of a rule's clients, or nearly so.
struct Front {
    /// Indexes of regions.
    first: Vec<u16>,
    /// Whether others follow by nearness.
    goes_on: bool,
}

impl<'c> Orders<'c> {
    pub(super) fn new(classifier: &'c Classifier) -> Orders<'c> {
        let vectors = classifier.regions.iter().map(|region| vector(region.position)).collect();
        Orders { classifier, vectors }
    }

    /// All regions that clients of `rule` at `place` may go to, best first.
    pub(super) fn whole(&self, rule: &ClassRule, place: &Place) -> Box<[u16]> {
        let Front { first, goes_on } = self.front(rule, place);
        let mut rest: Vec<u16> = match rule.listed.is_some() && rule.fence {
            true => Vec::new(),
            false => (0..self.vectors.len() as u16).filter(|i| !first.contains(i)).collect(),
        };
        if goes_on {
            let metres = self.metres(place);
            // Equally near ones stay in the order of regions.toml.
            rest.sort_by_key(|&index| metres.get(usize::from(index)).copied());
        }
        first.into_iter().chain(rest).collect()
    }

    /// Adds to `head` the beginning of the order for each thing that may be wanted of a region, one behind the other: the
    /// first `len` regions that have it, among them one at least by nearness. It tells what [`Orders::whole`] begins with.
    pub(super) fn head(&self, rule: &ClassRule, place: &Place, len: usize, head: &mut Vec<u16>) {
        let Front { first, goes_on } = self.front(rule, place);
        let metres = if goes_on { self.metres(place) } else { Vec::new() };
        for wanted in &self.classifier.wants {
            let has = |index: &u16| wanted.get(usize::from(*index)) == Some(&true);
            let start = head.len();
            head.extend(first.iter().copied().filter(has).take(len));
            if goes_on && len > 0 {
                let rest = len.saturating_sub(head.len() - start).max(1);
                let others = (0..).zip(&metres).map(|(index, &metres)| (metres, index));
                let others = others.filter(|(_, index)| has(index) && !first.contains(index));
                head.extend(least(others, rest).into_iter().map(|(_, index)| index));
            }
            head.push(u16::MAX);
        }
    }

    /// How much farther one region is than another, in metres.
    pub(super) fn margin(&self, place: &Place, near: u16, far: u16) -> i64 {
        let metres = self.metres(place);
        let to = |index: u16| metres.get(usize::from(index)).copied().map_or(0, i64::from);
        to(far) - to(near)
    }

    fn front(&self, rule: &ClassRule, place: &Place) -> Front {
        let goes_on = self.classifier.orders_by_nearness(rule);
        let mut first = match &rule.listed {
            Some(listed) => listed.clone(),
            // The operator's own word from overrides.csv goes first in `nearest` only.
            None => place.region.and_then(|region| self.index(region)).into_iter().collect(),
        };
        if goes_on && place.position.is_none() {
            for &index in &self.classifier.unknown {
                if !first.contains(&index) {
                    first.push(index);
                }
            }
        }
        Front { first, goes_on }
    }

    fn index(&self, region: RegionId) -> Option<u16> {
        let found = self.classifier.regions.iter().position(|it| it.id == region);
        found.map(|index| index as u16)
    }

    /// How far each region seems to be, in whole metres; all alike where nobody knows.
    fn metres(&self, place: &Place) -> Vec<u32> {
        let Some(from) = place.position.or(self.classifier.unknown_position) else {
            return vec![0; self.vectors.len()];
        };
        let from = vector(from);
        let regions = self.vectors.iter().zip(&self.classifier.regions);
        regions.map(|(&to, region)| biased(metres(from, to), region.bias)).collect()
    }
}

/// The least few of `items`, in order.
fn least(items: impl Iterator<Item = (u32, u16)>, count: usize) -> Vec<(u32, u16)> {
    let mut least: Vec<(u32, u16)> = Vec::with_capacity(8);
    for item in items {
        if least.len() < count || least.last().is_some_and(|last| item < *last) {
            least.truncate(count - 1);
            least.insert(least.partition_point(|it| *it < item), item);
        }
    }
    least
}

/// The distance that counts, as in geoproximity routing of Amazon Route 53: `metres × (1 − bias/100)` for a region that is
/// to have more clients, `metres ÷ (1 + bias/100)` for one that is to have fewer. Whole metres, half ones up, so that every
/// site finds the same order.
pub(super) fn biased(metres: u32, bias: i8) -> u32 {
    let left = 100 - u64::from(bias.unsigned_abs().min(99));
    let (times, by) = if bias < 0 { (100, left) } else { (left, 100) };
    let counted = (u64::from(metres) * times + by / 2) / by;
    u32::try_from(counted).unwrap_or(u32::MAX)
}

/// The point on the unit sphere.
fn vector(position: Position) -> [f64; 3] {
    let latitude = f64::from(position.latitude).to_radians();
    let longitude = f64::from(position.longitude).to_radians();
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

/// The great-circle distance between two points on the unit sphere, scaled to Earth's mean radius.
/// A sine, a root and three products: cheaper than the haversine of `Position::distance_km`, which
/// it equals.
fn metres(a: [f64; 3], b: [f64; 3]) -> u32 {
    const EARTH_RADIUS_M: f64 = 6_371_008.8; // IUGG mean radius R1
    let chord2: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    (2.0 * EARTH_RADIUS_M * (chord2.sqrt() / 2.0).min(1.0).asin()).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_equal_those_of_the_haversine() {
        let points =
            [(50.11, 8.68), (38.95, -77.45), (-33.87, 151.2), (52.31, 4.76), (50.12, 8.68)];
        let points = points.map(|(latitude, longitude)| Position { latitude, longitude });
        for (a, b) in points.iter().flat_map(|a| points.iter().map(move |b| (*a, *b))) {
            let (fast, slow) =
                (f64::from(metres(vector(a), vector(b))), f64::from(a.distance_km(b)));
            assert!((fast / 1000.0 - slow).abs() < 0.01 + slow * 1e-5, "{fast} m, {slow} km");
        }
    }

    #[test]
    fn a_bias_moves_a_region_nearer_or_farther() {
        for (metres, bias, counted) in [
            (1000, 0, 1000),
            (1000, 20, 800),
            (1000, 99, 10),
            (1000, -20, 1250),
            (1000, -50, 2000),
            (1000, -99, 100_000),
            // Half a metre is one.
            (1, 50, 1),
            (1, 51, 0),
            (3, 50, 2),
            (7, -10, 8),
            (0, -99, 0),
            // Half of Earth's circumference, a hundred times.
            (20_015_115, -99, 2_001_511_500),
        ] {
            assert_eq!(biased(metres, bias), counted, "{metres} m, {bias}");
        }
    }

    #[test]
    fn the_least_few_are_those_that_sorting_puts_first() {
        let items = [(5, 0), (3, 1), (5, 2), (1, 3), (3, 4), (0, 5)];
        for count in 1..8 {
            let mut sorted = items.to_vec();
            sorted.sort_unstable();
            sorted.truncate(count);
            assert_eq!(least(items.into_iter(), count), sorted, "{count}");
        }
    }
}
