//! Addresses into classes: which rule decides, and in which order the regions stand.
//!
//! Distinct pairs of rule and order are classes. Full orders can explode (106,000 were counted with
//! 100 regions and a city database), so behind a limit only the rule and the first few regions tell
//! classes apart; the first place seen represents the rest.

use std::collections::HashMap;

use crate::geo::{Place, PlaceCode, Position, Prefix, Ranges, World};
use crate::number::{ClassId, RegionId};

use super::plan::ClassOrder;

/// Classes up to which whole orders are told apart. A guess: rows for all stay under a megabyte.
const WHOLE_ORDERS_MAX: usize = 4096;
/// How many regions tell orders apart behind that.
const HEAD_LEN: usize = 4;

/// What decides classes: policies that agree in it share one range table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Classifier {
    /// The pool's regions with their positions, in the order of regions.toml.
    pub(super) regions: Vec<(RegionId, Position)>,
    pub(super) rules: Vec<ClassRule>,
    /// Where clients of unknown place are taken to be; none means the order of regions.toml.
    pub(super) unknown_position: Option<Position>,
    /// Indexes of regions that such clients go to first.
    pub(super) unknown: Vec<u16>,
}

/// A rule, resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClassRule {
    pub(super) subnets: Vec<Prefix>,
    pub(super) places: Vec<PlaceCode>,
    /// Sorted.
    pub(super) asns: Vec<u32>,
    /// Indexes of regions; none means by nearness.
    pub(super) listed: Option<Vec<u16>>,
    pub(super) fence: bool,
}

impl ClassRule {
    fn is_unconditional(&self) -> bool {
        self.subnets.is_empty() && self.places.is_empty() && self.asns.is_empty()
    }
}

impl Classifier {
    /// Whether the address of a client makes a difference to where it may go.
    pub(super) fn uses_place(&self) -> bool {
        let only = self.rules.first().filter(|rule| rule.is_unconditional());
        let fixed = only.and_then(|rule| Some((rule.fence, rule.listed.as_ref()?.len())));
        // One region that is left over has but one order.
        let fixed = fixed.is_some_and(|(fence, len)| fence || self.regions.len() <= len + 1);
        !fixed && self.regions.len() > 1
    }

    /// Whether any client's order depends on nearness.
    pub(super) fn uses_nearness(&self) -> bool {
        let by_nearness = |rule: &ClassRule| match &rule.listed {
            Some(listed) => !rule.fence && self.regions.len() > listed.len() + 1,
            None => true,
        };
        self.regions.len() > 1 && self.rules.iter().any(by_nearness)
    }

    /// Compiles `world` into ranges and classes. None for the ranges where the address makes no
    /// difference: then there is one class, of the first rule without a condition.
    pub(super) fn compile(&self, world: &World) -> (Option<Ranges>, Vec<ClassOrder>) {
        let mut classes = Classes::new(self);
        if !self.uses_place() {
            let rule = self.rules.iter().position(ClassRule::is_unconditional).unwrap_or(0);
            classes.class(rule as u16, &Place::default());
            return (None, classes.list);
        }
        let mut cuts = Vec::new();
        let mut cut_rules = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            cuts.extend_from_slice(&rule.subnets);
            cut_rules.resize(cuts.len(), index);
        }
        let ranges = Ranges::compile(world, &cuts, |place, held| {
            let rule = self.deciding_rule(place, held, &cut_rules);
            classes.class(rule, place)
        });
        (Some(ranges), classes.list)
    }

    /// The first rule that matches; the last matches always.
    fn deciding_rule(&self, place: &Place, held: &[usize], cut_rules: &[usize]) -> u16 {
        let matches = |(index, rule): (usize, &ClassRule)| {
            let in_subnet = || held.iter().any(|&cut| cut_rules.get(cut) == Some(&index));
            let in_place = || rule.places.iter().any(|code| code.matches(place));
            let in_asn = || place.asn.is_some_and(|asn| rule.asns.binary_search(&asn).is_ok());
            (rule.subnets.is_empty() || in_subnet())
                && (rule.asns.is_empty() || in_asn())
                && (rule.places.is_empty() || in_place())
        };
        let found = self.rules.iter().enumerate().position(matches);
        found.unwrap_or(self.rules.len().saturating_sub(1)) as u16
    }
}

/// What of a place decides its class, once the rule is known.
type Spot = (u16, Option<(u32, u32)>, Option<RegionId>);
/// What tells classes apart: the rule, whether the place is unknown, and the order or its head.
type ClassKey = (u16, bool, Box<[u16]>);

struct Classes<'c> {
    classifier: &'c Classifier,
    vectors: Vec<[f64; 3]>,
    list: Vec<ClassOrder>,
    by_spot: HashMap<Spot, ClassId, foldhash::fast::FixedState>,
    by_order: HashMap<ClassKey, ClassId, foldhash::fast::FixedState>,
    by_head: HashMap<ClassKey, ClassId, foldhash::fast::FixedState>,
}

impl<'c> Classes<'c> {
    fn new(classifier: &'c Classifier) -> Classes<'c> {
        Classes {
            classifier,
            vectors: classifier.regions.iter().map(|&(_, position)| vector(position)).collect(),
            list: Vec::new(),
            by_spot: HashMap::default(),
            by_order: HashMap::default(),
            by_head: HashMap::default(),
        }
    }

    /// The class of clients at `place` for whom the rule at index `rule` decides.
    fn class(&mut self, rule: u16, place: &Place) -> ClassId {
        let bits = |at: Position| (at.latitude.to_bits(), at.longitude.to_bits());
        let spot = (rule, place.position.map(bits), place.region);
        if let Some(&class) = self.by_spot.get(&spot) {
            return class;
        }
        let (order, unknown) = self.order(rule, place);
        let class = self.class_of_order(rule, unknown, order.into());
        self.by_spot.insert(spot, class);
        class
    }

    fn class_of_order(&mut self, rule: u16, unknown: bool, order: Box<[u16]>) -> ClassId {
        let key = (rule, unknown, order);
        if let Some(&class) = self.by_order.get(&key) {
            return class;
        }
        // Ids are 16 bits: the fuller the list, the fewer regions tell orders apart. There are at
        // most 256 rules.
        let head_len = match self.list.len() {
            0..WHOLE_ORDERS_MAX => usize::MAX,
            WHOLE_ORDERS_MAX..32_768 => HEAD_LEN,
            32_768..61_440 => 1,
            _ => 0,
        };
        let head = |len: usize| (rule, unknown, key.2.iter().take(len).copied().collect());
        if head_len != usize::MAX
            && let Some(&class) = self.by_head.get(&head(head_len))
        {
            return class;
        }
        let class = ClassId(self.list.len() as u16);
        self.list.push(ClassOrder { rule, unknown, order: key.2.clone() });
        for len in [HEAD_LEN, 1, 0] {
            self.by_head.entry(head(len)).or_insert(class);
        }
        self.by_order.insert(key, class);
        class
    }

    /// The regions for `place`, best first, and whether its being unknown mattered.
    fn order(&self, rule: u16, place: &Place) -> (Vec<u16>, bool) {
        let Some(rule) = self.classifier.rules.get(usize::from(rule)) else {
            return (Vec::new(), false);
        };
        let listed = rule.listed.as_deref();
        if let Some(listed) = listed
            && (rule.fence || listed.len() + 1 >= self.vectors.len())
        {
            let rest =
                (0..self.vectors.len() as u16).filter(|i| !rule.fence && !listed.contains(i));
            return (listed.iter().copied().chain(rest).collect(), false);
        }
        let unknown = place.position.is_none();
        let mut first: Vec<u16> = Vec::new();
        match listed {
            Some(listed) => first.extend_from_slice(listed),
            // The operator's own word from overrides.csv goes first in `nearest` only.
            None => first.extend(place.region.and_then(|region| self.index(region))),
        }
        if unknown {
            first.extend_from_slice(&self.classifier.unknown);
        }
        let mut order = self.by_nearness(place.position.or(self.classifier.unknown_position));
        // To the front, the last of the first ones first; nothing to do for most places.
        for wanted in first.into_iter().rev() {
            if let Some(at) = order.iter().position(|&index| index == wanted)
                && let Some(front) = order.get_mut(..=at)
            {
                front.rotate_right(1);
            }
        }
        (order, unknown)
    }

    fn index(&self, region: RegionId) -> Option<u16> {
        let found = self.classifier.regions.iter().position(|&(id, _)| id == region);
        found.map(|index| index as u16)
    }

    /// All regions by nearness to `from`, by whole metres; those that are equally near in the order
    /// of regions.toml.
    fn by_nearness(&self, from: Option<Position>) -> Vec<u16> {
        let mut order: Vec<u16> = (0..self.vectors.len() as u16).collect();
        if let Some(from) = from {
            let from = vector(from);
            let metres: Vec<u32> = self.vectors.iter().map(|&to| metres(from, to)).collect();
            order.sort_by_key(|&index| metres.get(usize::from(index)).copied());
        }
        order
    }
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
mod tests;
