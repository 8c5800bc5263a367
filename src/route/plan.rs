//! Plans: a policy compiled. For each class of clients, the regions in order. Static: verdicts are
//! in the table.
//!
//! Hot is the range table only; names and rules as text are the cold legend that `explain` reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::geo::Ranges;
use crate::health::{Capacity, Member};
use crate::number::{ClassId, PolicyId, RegionId, Ttl};
use crate::reason::Reason;

use super::border::{LENGTH, Stretch};
use super::policy::{Families, WhenAllDown};
use super::pool::{Endpoint, Family, Pool, PoolRegion, Target};
use super::region::Regions;
use super::share::{Preference, Walk};

/// One policy, compiled.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The policy's name.
    pub name: Box<str>,
    /// Its pool's name.
    pub pool: Box<str>,
    /// Its index.
    pub id: PolicyId,
    /// None where the address of a client makes no difference.
    pub(super) ranges: Option<Arc<Ranges>>,
    /// By class. Invariant plan-covers-ranges: every class of `ranges` is in it.
    pub(super) classes: Arc<[ClassOrder]>,
    pub(super) rules: Box<[PlanRule]>,
    /// The pool's regions, in the order of regions.toml.
    pub(super) regions: Box<[PlanRegion]>,
    pub(super) names: bool,
    pub(super) answers: usize,
    pub(super) ttl_min: Ttl,
    pub(super) ttl_max: Ttl,
    pub(super) when_all_down: WhenAllDown,
    pub(super) families: Families,
}

/// What a class of clients is: its rule, and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassOrder {
    /// Indexes the rules.
    pub(super) rule: u16,
    /// Whether the place of these clients is unknown.
    pub(super) unknown: bool,
    /// Indexes the plan's regions: all that these clients may go to, best first.
    pub(super) order: Box<[u16]>,
    /// Their stretch of the border between the first two of these; none where there is no second, or their
    /// place is unknown.
    pub(super) stretch: Option<Stretch>,
}

/// What is left of a rule after compiling.
#[derive(Clone, Debug)]
pub(super) struct PlanRule {
    pub(super) text: Box<str>,
    pub(super) place: Place,
    /// Why its first region is first: nearest, rule or weighted.
    pub(super) reason: Reason,
    pub(super) fence: bool,
    pub(super) shares: Option<Shares>,
    /// How many regions of the order it lists; the others stand there by nearness, if `by_nearness` says so.
    pub(super) listed_count: usize,
    /// Whether nearness orders any region for its clients.
    pub(super) by_nearness: bool,
}

/// The shares of a weighted rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shares {
    /// Indexes the plan's regions, by member.
    pub(super) regions: Box<[u16]>,
    pub(super) preference: Preference,
}

/// A region of the pool.
#[derive(Clone, Debug)]
pub(super) struct PlanRegion {
    pub(super) id: RegionId,
    pub(super) name: Box<str>,
    /// How much nearer it seems to `nearest` than it is, −99 to 99.
    pub(super) bias: i8,
    /// Endpoints by [`Family`]; host names are in the first.
    pub(super) sides: [PlanSide; 2],
}

/// A region's endpoints of one family.
#[derive(Clone, Debug)]
pub(super) struct PlanSide {
    pub(super) endpoints: Box<[PlanEndpoint]>,
    pub(super) preference: Preference,
}

#[derive(Clone, Debug)]
pub(super) struct PlanEndpoint {
    pub(super) member: Member,
    pub(super) target: Target,
    pub(super) weight: u32,
}

/// A class in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassLegend<'p> {
    /// The deciding rule's position in the policy, from 0.
    pub rule: usize,
    /// The rule as the file has it.
    pub rule_text: &'p str,
    /// Where it stands.
    pub rule_place: &'p Place,
    /// Whether such clients go nowhere but to `order`.
    pub fenced: bool,
    /// Whether the place of such clients is unknown.
    pub unknown: bool,
    /// The regions, best first, before shares and verdicts.
    pub order: Vec<RegionId>,
    /// The regions that the rule weighs, with their share in 256ths.
    pub shares: Vec<(RegionId, u16)>,
    /// The regions of `order` that nearness puts in their place and that have a bias, −99 to 99.
    pub bias: Vec<(RegionId, i8)>,
}

/// What decides beside verdicts: where two plans have the same, the same verdicts decide the same for every class of both.
/// Only what endpoints there are may differ.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Likeness<'p> {
    classes: *const ClassOrder,
    regions: Vec<RegionId>,
    rules: Vec<(Reason, bool)>,
    shares: Vec<Option<&'p Shares>>,
    names: bool,
    when_all_down: WhenAllDown,
    families: Families,
}

/// What the clients of regions weigh, all plans together.
#[derive(Default)]
pub(super) struct Scale<'p> {
    regions: BTreeMap<&'p str, u128>,
    borders: BTreeMap<(&'p str, &'p str), u128>,
}

impl<'p> Scale<'p> {
    /// All policies together: which of them is asked for how often nobody tells.
    pub(super) fn of(plans: &'p [Arc<Plan>]) -> Scale<'p> {
        let mut scale = Scale::default();
        plans.iter().for_each(|plan| plan.weigh(&mut scale));
        scale
    }

    /// Each border between regions with a capacity, and the share of its first region's clients that it holds, in 65,536ths.
    pub(super) fn borders(
        &self,
        capacities: &BTreeMap<Box<str>, Capacity>,
    ) -> BTreeMap<(Box<str>, Box<str>), u32> {
        let share = |(&(from, to), weight): (&(&str, &str), &u128)| {
            let of = self.regions.get(from).copied().unwrap_or_default().max(1);
            ((from.into(), to.into()), (weight * u128::from(LENGTH) / of) as u32)
        };
        let knows = |region: &str| capacities.contains_key(region);
        let known = self.borders.iter().filter(|((from, to), _)| knows(from) && knows(to));
        known.map(share).collect()
    }
}

impl Plan {
    /// Whether the pool holds host names, and so every answer is one CNAME.
    pub fn answers_names(&self) -> bool {
        self.names
    }

    /// Whether the pool holds IPv4 and IPv6 addresses.
    pub fn families(&self) -> [bool; 2] {
        let has = |side: usize| {
            self.regions.iter().filter_map(|r| r.sides.get(side)).any(|s| !s.endpoints.is_empty())
        };
        [!self.names && has(0), !self.names && has(1)]
    }

    /// Whether `when_all_down` could ask for the zone file's own records.
    pub fn uses_default_rrset(&self) -> bool {
        self.when_all_down == WhenAllDown::Default
    }

    /// Whether the client's address makes a difference. Where not, the scope is 0 and
    /// [`choose`](super::choose) is to be asked with the resolver's address, whatever subnet the
    /// query carries.
    pub fn uses_place(&self) -> bool {
        self.ranges.is_some()
    }

    /// The bounds of the TTL: `ttl.min` and `ttl.max`.
    pub fn ttl_bounds(&self) -> (Ttl, Ttl) {
        (self.ttl_min, self.ttl_max)
    }

    /// Whether any endpoint of `family` exists at all; never for host names.
    pub fn has_family(&self, family: Family) -> bool {
        !self.names && self.regions.iter().any(|r| !r.side(family.index()).is_empty())
    }

    /// What stands for this policy where nothing steers: rdata of the first region, in the order of regions.toml, that has
    /// endpoints of `family`. A pool of host names, all of them in [`Family::V4`], gives one: a CNAME stands alone.
    pub fn unsteered(&self, family: Family) -> Vec<Box<[u8]>> {
        let sides = self.regions.iter().map(|region| region.side(family.index()));
        let endpoints = sides.into_iter().find(|side| !side.is_empty()).unwrap_or_default();
        let count = if self.names { 1 } else { endpoints.len() };
        let rdata = |endpoint: &PlanEndpoint| match &endpoint.target {
            Target::Address(std::net::IpAddr::V4(address)) => address.octets().as_slice().into(),
            Target::Address(std::net::IpAddr::V6(address)) => address.octets().as_slice().into(),
            Target::Name { wire, .. } => wire.clone(),
        };
        endpoints.iter().take(count).map(rdata).collect()
    }

    /// How many classes there are; a `ClassId` is below it.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// The endpoints, as health knows them.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let sides = self.regions.iter().flat_map(|region| &region.sides);
        sides.flat_map(|side| &side.endpoints).map(|endpoint| &endpoint.member)
    }

    /// The endpoints, each with the indexes of its region and its family.
    pub(super) fn seats(&self) -> impl Iterator<Item = (&Member, u16, u8)> {
        (0..).zip(&self.regions).flat_map(|(at, region)| {
            let sides = (0..).zip(&region.sides);
            sides.flat_map(move |(side, of)| {
                of.endpoints.iter().map(move |it| (&it.member, at, side))
            })
        })
    }

    /// The endpoints with their weights.
    pub fn weights(&self) -> impl Iterator<Item = (&Member, u32)> {
        let sides = self.regions.iter().flat_map(|region| &region.sides);
        sides.flat_map(|side| &side.endpoints).map(|endpoint| (&endpoint.member, endpoint.weight))
    }

    /// The rules as the file has them, in order.
    pub fn rule_texts(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.text)
    }

    /// What else the file says of the policy, by the names it has there: for people.
    pub fn settings(&self) -> [(&'static str, String); 7] {
        let when_all_down = match self.when_all_down {
            WhenAllDown::All => "all",
            WhenAllDown::Default => "default",
            WhenAllDown::Nodata => "nodata",
            WhenAllDown::Servfail => "servfail",
        };
        let families = match self.families {
            Families::Separate => "separate",
            Families::Together => "together",
        };
        [
            ("pool", self.pool.to_string()),
            ("ttl.min", self.ttl_min.as_secs().to_string()),
            ("ttl.max", self.ttl_max.as_secs().to_string()),
            ("answers", self.answers.to_string()),
            ("when_all_down", when_all_down.to_owned()),
            ("families", families.to_owned()),
            ("bias", self.bias_text()),
        ]
    }

    fn bias_text(&self) -> String {
        let biased = self.regions.iter().filter(|region| region.bias != 0);
        let words: Vec<String> = biased.map(|r| format!("{} {}", r.name, r.bias)).collect();
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    }

    /// Whether every class of it goes to the same regions in the same order as that of `other` does, with all endpoints up.
    /// Which addresses a class has is for [`Plan::ranges`] to tell; regions count by name.
    pub fn orders_like(&self, other: &Plan) -> bool {
        let region = |region: &PlanRegion| {
            (region.name.clone(), [0, 1].map(|side| region.side(side).is_empty()))
        };
        let rule = |rule: &PlanRule| (rule.text.clone(), rule.fence);
        let class = |class: &ClassOrder| (class.rule, class.unknown, class.order.clone());
        self.classes.iter().map(class).eq(other.classes.iter().map(class))
            && self.families == other.families
            && self.regions.iter().map(region).eq(other.regions.iter().map(region))
            && self.rules.iter().map(rule).eq(other.rules.iter().map(rule))
    }

    /// What decides beside verdicts.
    pub(super) fn likeness(&self) -> Likeness<'_> {
        Likeness {
            classes: self.classes.as_ptr(),
            regions: self.regions.iter().map(|region| region.id).collect(),
            rules: self.rules.iter().map(|rule| (rule.reason, rule.fence)).collect(),
            shares: self.rules.iter().map(|rule| rule.shares.as_ref()).collect(),
            names: self.names,
            when_all_down: self.when_all_down,
            families: self.families,
        }
    }

    /// The pool's regions, in the order of regions.toml.
    pub fn regions(&self) -> impl Iterator<Item = (RegionId, &str)> {
        self.regions.iter().map(|region| (region.id, &*region.name))
    }

    /// The name of a region of the pool.
    pub fn region_name(&self, id: RegionId) -> Option<&str> {
        self.regions.iter().find(|region| region.id == id).map(|region| &*region.name)
    }

    /// The range table, where the client's address makes a difference; policies that divide the
    /// world alike share one.
    pub fn ranges(&self) -> Option<&Arc<Ranges>> {
        self.ranges.as_ref()
    }

    /// A class in words.
    pub fn class_legend(&self, class: ClassId) -> Option<ClassLegend<'_>> {
        let class = self.classes.get(usize::from(class.0))?;
        let rule = self.rules.get(usize::from(class.rule))?;
        let id = |&index: &u16| self.regions.get(usize::from(index)).map(|region| region.id);
        let shares = rule.shares.iter().flat_map(|shares| {
            let first = |bucket| shares.preference.of(bucket).first().copied();
            shares.regions.iter().enumerate().filter_map(move |(member, index)| {
                let count = (0..=u8::MAX).filter(|&b| first(b) == Some(member as u16)).count();
                Some((id(index)?, count as u16))
            })
        });
        let near = if rule.by_nearness { rule.listed_count } else { usize::MAX };
        let near =
            class.order.iter().skip(near).filter_map(|&at| self.regions.get(usize::from(at)));
        let biased = near.filter(|region| region.bias != 0);
        Some(ClassLegend {
            rule: usize::from(class.rule),
            rule_text: &rule.text,
            rule_place: &rule.place,
            fenced: rule.fence,
            unknown: class.unknown,
            order: class.order.iter().filter_map(id).collect(),
            shares: shares.collect(),
            bias: biased.map(|region| (region.id, region.bias)).collect(),
        })
    }

    /// Where a class may be shed to: its first region, the next one, and its stretch of the border between them. None
    /// where a rule weighs its regions: the operator has said who gets what.
    pub(super) fn border_of(&self, class: &ClassOrder) -> Option<(u16, u16, Stretch)> {
        let [first, second, ..] = *class.order else { return None };
        let is_weighed = self.rule_of(class).is_none_or(|rule| rule.shares.is_some());
        Some((first, second, class.stretch.filter(|_| !is_weighed)?))
    }

    /// Adds what this plan's clients weigh: those of each region, and those on each of its borders.
    fn weigh<'p>(&'p self, scale: &mut Scale<'p>) {
        let name = |index: u16| self.regions.get(usize::from(index)).map(|region| &*region.name);
        for class in &*self.classes {
            let Some((first, second, stretch)) = self.border_of(class) else { continue };
            let Some((first, second)) = name(first).zip(name(second)) else { continue };
            *scale.regions.entry(first).or_default() += u128::from(stretch.weight);
            *scale.borders.entry((first, second)).or_default() += u128::from(stretch.weight);
        }
    }

    pub(super) fn rule_of(&self, class: &ClassOrder) -> Option<&PlanRule> {
        self.rules.get(usize::from(class.rule))
    }
}

impl PlanSide {
    fn new(pool: &Pool, region: &str, endpoints: &[&Endpoint]) -> PlanSide {
        let weights: Vec<u32> = endpoints.iter().map(|endpoint| endpoint.weight).collect();
        let endpoints = endpoints.iter().map(|endpoint| PlanEndpoint {
            member: Member {
                region: region.into(),
                pool: pool.name.clone(),
                address: endpoint.target.text(),
            },
            target: endpoint.target.clone(),
            weight: endpoint.weight,
        });
        let preference = Preference::new(&weights, Walk::Golden);
        PlanSide { endpoints: endpoints.collect(), preference }
    }
}

impl PlanRegion {
    /// The regions of `pool` that `regions` knows, in its order, without a bias.
    pub(super) fn all(pool: &Pool, regions: &Regions) -> Box<[PlanRegion]> {
        let written = |name: &str| pool.regions.iter().find(|region| *region.region == *name);
        let known = (0..).zip(&regions.list);
        let found = known.filter_map(|(index, known)| Some((index, written(&known.name)?)));
        let region = |(index, written): (u16, &PoolRegion)| {
            let [v4, v6]: [Vec<&Endpoint>; 2] = [false, true].map(|wanted| {
                let is_v6 = |e: &Endpoint| matches!(&e.target, Target::Address(a) if a.is_ipv6());
                written.endpoints.iter().filter(|e| is_v6(e) == wanted).collect()
            });
            let side = |endpoints: Vec<&Endpoint>| PlanSide::new(pool, &written.region, &endpoints);
            let (name, sides) = (written.region.clone(), [side(v4), side(v6)]);
            PlanRegion { id: RegionId(index), name, bias: 0, sides }
        };
        found.map(region).collect()
    }

    /// The endpoints of one family.
    pub(super) fn side(&self, side: usize) -> &[PlanEndpoint] {
        self.sides.get(side).map_or(&[], |side| &side.endpoints)
    }
}
