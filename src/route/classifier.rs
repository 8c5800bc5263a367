//! What decides classes, resolved: the regions of a pool, the rules, and what holds for clients of unknown place.

use std::hash::{Hash, Hasher};

use crate::geo::{PlaceCode, Position, Prefix};
use crate::number::RegionId;

/// What decides classes: policies that agree in it share one range table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Classifier {
    /// The pool's regions, in the order of regions.toml.
    pub(super) regions: Vec<ClassRegion>,
    /// For each thing that may be wanted of a region (IPv4, IPv6, both at once), whether each region has it. None that no
    /// region has, and none twice.
    pub(super) wants: Vec<Vec<bool>>,
    pub(super) rules: Vec<ClassRule>,
    /// Where clients of unknown place are taken to be; none means the order of regions.toml.
    pub(super) unknown_position: Option<Position>,
    /// Indexes of regions that such clients go to first.
    pub(super) unknown: Vec<u16>,
}

/// A rule, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClassRule {
    pub(super) subnets: Vec<Prefix>,
    pub(super) places: Vec<PlaceCode>,
    pub(super) asns: Vec<u32>,
    /// Indexes of regions; none means by nearness.
    pub(super) listed: Option<Vec<u16>>,
    pub(super) fence: bool,
}

/// A region of the pool, as far as orders go.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClassRegion {
    pub(super) id: RegionId,
    pub(super) position: Position,
    /// How much nearer it seems than it is, −99 to 99; see [`biased`](super::order::biased).
    pub(super) bias: i8,
}

// Positions are read within bounds: none is NaN.
impl Eq for Classifier {}

impl Hash for Classifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Within one compilation a region has one position.
        self.regions.iter().for_each(|region| (region.id.0, region.bias).hash(state));
        (&self.wants, &self.rules, &self.unknown).hash(state);
    }
}

impl ClassRule {
    pub(super) fn is_unconditional(&self) -> bool {
        self.subnets.is_empty() && self.places.is_empty() && self.asns.is_empty()
    }

    /// Whether its clients could go nowhere at all.
    pub(super) fn is_dead_end(&self) -> bool {
        self.fence && self.listed.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Classifier {
    /// Whether the address of a client makes a difference to where it may go.
    pub(super) fn uses_place(&self) -> bool {
        let only = self.rules.first().filter(|rule| rule.is_unconditional());
        let fixed = only.is_some_and(|rule| !self.orders_by_nearness(rule));
        !fixed && self.regions.len() > 1
    }

    /// Whether any client's order depends on nearness.
    pub(super) fn uses_nearness(&self) -> bool {
        self.rules.iter().any(|rule| self.orders_by_nearness(rule))
    }

    /// Whether nearness orders any region for clients of `rule`.
    pub(super) fn orders_by_nearness(&self, rule: &ClassRule) -> bool {
        match &rule.listed {
            // One region that is left over has but one order.
            Some(listed) => !rule.fence && self.regions.len() > listed.len() + 1,
            None => self.regions.len() > 1,
        }
    }

    /// The rule at `index`.
    pub(super) fn rule(&self, index: u16) -> Option<&ClassRule> {
        self.rules.get(usize::from(index))
    }
}
