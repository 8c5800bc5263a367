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

use super::border::{Dweller, stretches, weight};
use super::classifier::{ClassRule, Classifier};
use super::order::Orders;
use super::plan::ClassOrder;
use super::proof::{Finding, Proof};

/// How many regions of an order tell classes apart, for each thing that is wanted of a region. Measured with GeoLite2 City
/// (2018) and 6, 20 and 100 regions, IPv4 ranges in thousands and the mean scope of random addresses:
///
/// ```text
/// head     6 regions      20 regions     100 regions
///    2    185  /14.54     579  /15.91     845  /16.45
///    3    326  /15.23     690  /16.14   1,012  /16.64
///    4    382  /15.48     774  /16.33   1,107  /16.78
///  all    470  /15.73   1,238  /17.10   too many classes
/// ```
///
/// Three is what gdnsd keeps (`auto_dc_limit`): a client finds its nearest with two regions down, and scopes are no longer.
/// Behind them all are far, and a class is small enough for one order.
const HEAD_LEN: usize = 3;

/// What a classifier makes of a world.
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
    let mut spots = Spots::default();
    let uses_place = classifier.uses_place();
    if uses_place || classifier.rules.len() > 1 {
        let cuts = proof.conditions().cuts().to_vec();
        survey(world, &cuts, |place, held, extent| {
            spots.add(Spot::of(proof.deciding_rule(place, held), place), extent);
        });
    }
    let findings = proof.findings(&classifier.rules);
    if !uses_place {
        let rule =
            classifier.rules.iter().position(ClassRule::is_unconditional).unwrap_or(0) as u16;
        let mut everybody = Spots::default();
        everybody.add(Spot::of(rule, &Place::default()), Extent::default());
        let classes = Classes::of(classifier, &everybody);
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

    /// Whether its being nowhere matters.
    fn is_unknown(&self, classifier: &Classifier, rule: &ClassRule) -> bool {
        self.position.is_none() && classifier.orders_by_nearness(rule)
    }
}

/// All spots of a world, each with what it stands for.
#[derive(Default)]
struct Spots {
    list: Vec<(Spot, Extent)>,
    /// Indexes the list.
    index: HashMap<Spot, usize, FixedState>,
}

impl Spots {
    fn add(&mut self, spot: Spot, extent: Extent) {
        let next = self.list.len();
        let at = *self.index.entry(spot).or_insert(next);
        match self.list.get_mut(at) {
            Some((_, known)) => *known = known.plus(extent),
            None => self.list.push((spot, extent)),
        }
    }
}

/// The classes of all spots. They depend on what spots there are and on nothing else, the order of ranges included.
struct Classes<'s> {
    list: Vec<ClassOrder>,
    spots: &'s Spots,
    /// By spot.
    of_spots: Vec<ClassId>,
}

/// Whose orders begin alike, by indexes of spots: of one rule, of known or unknown place where that matters, and with one
/// head; the key is the three in a row.
type Alike = BTreeMap<Box<[u16]>, Vec<usize>>;

impl Classes<'_> {
    fn of<'s>(classifier: &Classifier, spots: &'s Spots) -> Classes<'s> {
        let orders = Orders::new(classifier);
        // Ids are 16 bits: if heads tell too many apart, shorter ones do. Without any, there are two classes a rule.
        let mut lens = (0..=HEAD_LEN).rev().map(|len| alike(classifier, &orders, spots, len));
        let alike = lens.find(|alike| alike.len() <= usize::from(Ranges::CLASS_COUNT_MAX));
        let of_spots = vec![ClassId(0); spots.list.len()];
        let mut classes = Classes { list: Vec::new(), spots, of_spots };
        let mut dwellers = Vec::new();
        for members in alike.unwrap_or_default().values() {
            dwellers.extend(classes.add(classifier, &orders, members));
        }
        for (class, stretch) in classes.list.iter_mut().zip(stretches(&dwellers)) {
            class.stretch = stretch;
        }
        classes
    }

    /// Adds the class of these spots; gives, where it is one, who dwells on which border.
    fn add(
        &mut self,
        classifier: &Classifier,
        orders: &Orders<'_>,
        members: &[usize],
    ) -> Option<Option<Dweller>> {
        let class = ClassId(self.list.len() as u16);
        for &at in members {
            if let Some(of) = self.of_spots.get_mut(at) {
                *of = class;
            }
        }
        let spots = members.iter().filter_map(|&at| self.spots.list.get(at));
        let largest = spots.clone().max_by_key(|(spot, extent)| (*extent, Reverse(*spot)));
        let (spot, _) = largest?;
        let rule = classifier.rule(spot.rule)?;
        let place = spot.place();
        let order = orders.whole(rule, &place);
        let unknown = spot.is_unknown(classifier, rule);
        let extent = spots.fold(Extent::default(), |sum, (_, extent)| sum.plus(*extent));
        // Of clients whose place is unknown nobody knows what they lose, and space that no database lists would outweigh
        // all that is known: they are not shed.
        let two = order.get(..2).filter(|_| !unknown);
        let dweller = two.map(|two| Dweller {
            border: (two[0], two[1]),
            margin: orders.margin(&place, two[0], two[1]),
            weight: weight(extent),
        });
        self.list.push(ClassOrder { rule: spot.rule, unknown, order, stretch: None });
        Some(dweller)
    }

    /// Invariant spots-are-surveyed: [`divide`] has met each spot that it asks for before.
    fn class(&self, spot: &Spot) -> ClassId {
        let at = self.spots.index.get(spot);
        at.and_then(|&at| self.of_spots.get(at)).copied().unwrap_or(ClassId(0))
    }
}

fn alike(classifier: &Classifier, orders: &Orders<'_>, spots: &Spots, len: usize) -> Alike {
    let mut alike: HashMap<Box<[u16]>, Vec<usize>, FixedState> = HashMap::default();
    let mut key = Vec::new();
    for (at, (spot, _)) in spots.list.iter().enumerate() {
        let Some(rule) = classifier.rule(spot.rule) else { continue };
        key.clear();
        key.extend([spot.rule, u16::from(spot.is_unknown(classifier, rule))]);
        orders.head(rule, &spot.place(), len, &mut key);
        match alike.get_mut(&*key) {
            Some(members) => members.push(at),
            None => drop(alike.insert(key.as_slice().into(), vec![at])),
        }
    }
    alike.into_iter().collect()
}

#[cfg(test)]
mod tests;
