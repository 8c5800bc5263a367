//! Addresses into classes: which rule decides, and in which order the regions stand.
//!
//! Clients of one rule whose orders begin alike are one class. Whole orders would explode (106,000 were counted with 100
//! regions and a city database); the place with the most addresses tells how the order of a class goes on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::geo::{Extent, Place, Position, Ranges, World, survey};
use crate::number::{ClassId, RegionId};

use super::classifier::{ClassRule, Classifier};
use super::order::Orders;
use super::plan::ClassOrder;
use super::proof::{Finding, Proof};

/// How many regions of an order tell classes apart, for each thing that is wanted of a region.
const HEAD_LEN: usize = 3;

/// What a classifier makes of a world.
#[derive(Clone)]
pub(super) struct Division {
    /// None where the address makes no difference: then there is one class, of the first rule without a condition.
    pub(super) ranges: Option<Arc<Ranges>>,
    /// By class.
    pub(super) classes: Arc<[ClassOrder]>,
    /// What decides for nobody.
    pub(super) findings: Vec<Finding>,
}

/// Divides `world` into ranges and classes, and proves what can be proved of the rules on the way.
pub(super) fn divide(classifier: &Classifier, world: &World) -> Division {
    let mut proof = Proof::new(&classifier.rules);
    let mut spots: HashMap<Spot, Extent, FixedState> = HashMap::default();
    let uses_place = classifier.uses_place();
    if uses_place || classifier.rules.len() > 1 {
        let cuts = proof.conditions().cuts().to_vec();
        survey(world, &cuts, |place, held, extent| {
            let spot = Spot::of(proof.deciding_rule(place, held), place);
            let known = spots.entry(spot).or_default();
            *known = known.plus(extent);
        });
    }
    let findings = proof.findings(&classifier.rules);
    if !uses_place {
        let rule =
            classifier.rules.iter().position(ClassRule::is_unconditional).unwrap_or(0) as u16;
        let everybody = (Spot::of(rule, &Place::default()), Extent::default());
        let classes = Classes::of(classifier, &HashMap::from_iter([everybody]));
        return Division { ranges: None, classes: classes.list.into(), findings };
    }
    let classes = Classes::of(classifier, &spots);
    let cuts = proof.conditions().cuts().to_vec();
    let ranges = Ranges::compile(world, &cuts, |place, held| {
        classes.class(&Spot::of(proof.deciding_rule(place, held), place))
    });
    let ranges = Some(Arc::new(ranges));
    Division { ranges, classes: classes.list.into(), findings }
}

/// What of an address decides its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Spot {
    /// The deciding rule.
    rule: u16,
    /// The bits of latitude and longitude.
    position: Option<(u32, u32)>,
    region: Option<RegionId>,
}

impl Spot {
    fn of(rule: u16, place: &Place) -> Spot {
        let bits = |at: Position| (at.latitude.to_bits(), at.longitude.to_bits());
        Spot { rule, position: place.position.map(bits), region: place.region }
    }

    fn place(&self) -> Place {
        let position = self.position.map(|(latitude, longitude)| Position {
            latitude: f32::from_bits(latitude),
            longitude: f32::from_bits(longitude),
        });
        Place { position, region: self.region, ..Place::default() }
    }
}

/// What tells classes apart: the rule, whether the place is unknown where that matters, and how the order begins.
type ClassKey = (u16, bool, Box<[u16]>);

/// The classes of all spots. They depend on what spots there are and on nothing else, the order of ranges included.
struct Classes {
    list: Vec<ClassOrder>,
    by_spot: HashMap<Spot, ClassId, FixedState>,
}

impl Classes {
    fn of(classifier: &Classifier, spots: &HashMap<Spot, Extent, FixedState>) -> Classes {
        let orders = Orders::new(classifier);
        // Ids are 16 bits: if heads tell too many apart, shorter ones do. Without any, there are two classes a rule.
        let keys = (0..=HEAD_LEN).rev().map(|len| keys(classifier, &orders, spots, len));
        let count_max = usize::from(Ranges::CLASS_COUNT_MAX);
        let keys = keys.into_iter().find(|keys| keys.len() <= count_max).unwrap_or_default();
        let mut classes = Classes { list: Vec::new(), by_spot: HashMap::default() };
        for ((rule, unknown, _), members) in keys {
            let class = ClassId(classes.list.len() as u16);
            classes.by_spot.extend(members.iter().map(|spot| (*spot, class)));
            let weight = |spot: &&Spot| (spots.get(spot).copied(), Reverse(**spot));
            let order = members.iter().max_by_key(weight).zip(classifier.rule(rule));
            let order = order.map(|(spot, rule)| orders.whole(rule, &spot.place()));
            classes.list.push(ClassOrder { rule, unknown, order: order.unwrap_or_default() });
        }
        classes
    }

    /// By spots-are-surveyed, which [`divide`] gives, each spot that a range has was counted before.
    fn class(&self, spot: &Spot) -> ClassId {
        self.by_spot.get(spot).copied().unwrap_or(ClassId(0))
    }
}

fn keys(
    classifier: &Classifier,
    orders: &Orders<'_>,
    spots: &HashMap<Spot, Extent, FixedState>,
    len: usize,
) -> BTreeMap<ClassKey, Vec<Spot>> {
    let mut keys: HashMap<ClassKey, Vec<Spot>, FixedState> = HashMap::default();
    for spot in spots.keys() {
        let Some(rule) = classifier.rule(spot.rule) else { continue };
        let unknown = spot.position.is_none() && classifier.orders_by_nearness(rule);
        let key = (spot.rule, unknown, orders.head(rule, &spot.place(), len));
        keys.entry(key).or_default().push(*spot);
    }
    keys.into_iter().collect()
}

#[cfg(test)]
mod tests;
