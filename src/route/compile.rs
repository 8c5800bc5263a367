//! All steering, compiled together: names resolved across files, policies into plans, routes to
//! policies.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, nearest_word};
use crate::geo::{Position, Ranges, World};
use crate::health::{Inventory, Member, Settings};
use crate::number::{PolicyId, RegionId};
use crate::reason::Reason;

use super::classify::{ClassRule, Classifier};
use super::plan::{ClassOrder, Plan, PlanEndpoint, PlanRegion, PlanRule, PlanSide, Shares};
use super::policy::{Policy, Steering, Unknown};
use super::pool::{Pool, PoolRegion, Target};
use super::region::Regions;
use super::rule::{Named, Rule, Wanted};
use super::share::{Preference, Walk};

/// The most policies: ids are 16 bits. A guess far above use.
const POLICY_COUNT_MAX: usize = 10_000;

/// An owner name bound to a policy, as one line of a steering file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The zone's name as written, without the trailing dot; the root is `.`.
    pub zone: Box<str>,
    /// The owner as written: `@`, or labels relative to the zone; the first may be `*`.
    pub owner: Box<str>,
    /// The policy.
    pub policy: PolicyId,
    /// Where the line stands.
    pub place: Place,
}

/// All steering, compiled.
pub struct Compiled {
    /// The plans; a `PolicyId` indexes them.
    pub plans: Arc<[Arc<Plan>]>,
    /// The routes of all files.
    pub routes: Vec<Route>,
    /// What health needs to know.
    pub inventory: Arc<Inventory>,
    /// What is wrong between the files: each error names the file that is to be refused.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles all steering. `site` is the position of this site, for clients whose place is unknown.
pub fn compile(
    files: &[Steering],
    regions: &Regions,
    world: &World,
    site: Option<Position>,
    health: &Settings,
) -> Compiled {
    let mut files: Vec<&Steering> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut compiler = Compiler {
        regions,
        world,
        site,
        known_places: OnceCell::new(),
        pools: BTreeMap::new(),
        policies: BTreeMap::new(),
        plans: Vec::new(),
        shared: Vec::new(),
        used: BTreeSet::new(),
        diagnostics: Vec::new(),
    };
    compiler.pools(&files);
    compiler.policies(&files);
    let routes = compiler.routes(&files);
    compiler.warn_of_unused();
    let inventory = compiler.inventory(health);
    Compiled {
        plans: compiler.plans.into(),
        routes,
        inventory: Arc::new(inventory),
        diagnostics: compiler.diagnostics,
    }
}

/// The ranges, where the address of a client makes a difference, and the classes.
type Classes = (Option<Arc<Ranges>>, Arc<[ClassOrder]>);

struct Compiler<'a> {
    regions: &'a Regions,
    world: &'a World,
    site: Option<Position>,
    known_places: OnceCell<Vec<crate::geo::Place>>,
    pools: BTreeMap<&'a str, (&'a Steering, &'a Pool)>,
    policies: BTreeMap<&'a str, (&'a Steering, &'a Policy, Option<PolicyId>)>,
    plans: Vec<Arc<Plan>>,
    shared: Vec<(Classifier, Classes)>,
    /// Pools and policies that something names.
    used: BTreeSet<(&'static str, &'a str)>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Compiler<'a> {
    fn pools(&mut self, files: &[&'a Steering]) {
        for &file in files {
            for pool in &file.pools {
                if let Some((first, _)) = self.pools.get(&*pool.name) {
                    let message =
                        format!("pool `{}` is already defined in {}", pool.name, first.path);
                    let diagnostic = file.source.error("duplicate-pool", &pool.span, message);
                    self.diagnostics.push(diagnostic.help("pool names are global: rename one"));
                    continue;
                }
                self.pools.insert(&pool.name, (file, pool));
                self.check_pool(file, pool);
            }
        }
    }

    fn check_pool(&mut self, file: &Steering, pool: &Pool) {
        let families = |region: &PoolRegion| {
            let targets = || region.endpoints.iter().map(|e| &e.target);
            let v4 = targets().any(|t| matches!(t, Target::Address(address) if address.is_ipv4()));
            let v6 = targets().any(|t| matches!(t, Target::Address(address) if address.is_ipv6()));
            [v4, v6]
        };
        let all: Vec<[bool; 2]> = pool.regions.iter().map(families).collect();
        for (region, has) in pool.regions.iter().zip(&all) {
            let named = Named { name: region.region.clone(), span: region.span.clone() };
            self.region_id(file, &named);
            for (side, family) in ["IPv4", "IPv6"].into_iter().enumerate() {
                let elsewhere = all.iter().any(|other| other.get(side) == Some(&true));
                if elsewhere && has.get(side) == Some(&false) {
                    let message = format!(
                        "region `{}` of pool `{}` has no {family} endpoint",
                        region.region, pool.name
                    );
                    let help = "such queries go to the next region that has one";
                    let code = "region-lacks-family";
                    let diagnostic = file.source.warning(code, &region.span, message);
                    self.diagnostics.push(diagnostic.help(help));
                }
            }
        }
    }

    /// The region called `named`; an error if regions.toml has none.
    fn region_id(&mut self, file: &Steering, named: &Named) -> Option<RegionId> {
        let found = self.regions.list.iter().position(|region| region.name == named.name);
        if found.is_none() {
            let names: Vec<&str> = self.regions.list.iter().map(|r| &*r.name).collect();
            let help = match nearest_word(&named.name, &names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "regions are defined in geo/regions.toml".to_owned(),
            };
            let message = format!("there is no region `{}`", named.name);
            let diagnostic = file.source.error("unknown-region", &named.span, message);
            self.diagnostics.push(diagnostic.help(help));
        }
        found.map(|index| RegionId(index as u16))
    }

    fn policies(&mut self, files: &[&'a Steering]) {
        for &file in files {
            for policy in &file.policies {
                if let Some((first, ..)) = self.policies.get(&*policy.name) {
                    let message =
                        format!("policy `{}` is already defined in {}", policy.name, first.path);
                    let diagnostic = file.source.error("duplicate-policy", &policy.span, message);
                    self.diagnostics.push(diagnostic.help("policy names are global: rename one"));
                    continue;
                }
                let id = self.policy(file, policy);
                self.policies.insert(&policy.name, (file, policy, id));
            }
        }
    }

    fn policy(&mut self, file: &'a Steering, policy: &'a Policy) -> Option<PolicyId> {
        let Some(&(_, pool)) = self.pools.get(&*policy.pool.name) else {
            let names: Vec<&str> = self.pools.keys().copied().collect();
            let message = format!("there is no pool `{}`", policy.pool.name);
            let help = match nearest_word(&policy.pool.name, &names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("define [pools.{}] in any steering file", policy.pool.name),
            };
            let diagnostic = file.source.error("unknown-pool", &policy.pool.span, message);
            self.diagnostics.push(diagnostic.help(help));
            return None;
        };
        self.used.insert(("pool", &policy.pool.name));
        if self.plans.len() == POLICY_COUNT_MAX {
            let message = format!("more than {POLICY_COUNT_MAX} policies");
            self.diagnostics.push(file.source.error("too-many-policies", &policy.span, message));
            return None;
        }
        let regions = plan_regions(pool, self.regions);
        let (rules, classifier) = self.rules(file, policy, &regions);
        if regions.is_empty() {
            return None; // Its pool's regions are unknown, and that was told.
        }
        let (ranges, classes) = self.classes(classifier);
        let id = PolicyId(self.plans.len() as u16);
        self.plans.push(Arc::new(Plan {
            name: policy.name.clone(),
            pool: pool.name.clone(),
            id,
            ranges,
            classes,
            rules,
            names: regions.iter().any(|r| r.side(0).iter().any(|e| e.target.is_name())),
            regions,
            answers: usize::from(policy.answers),
            ttl_min: policy.ttl_min,
            ttl_max: policy.ttl_max,
            when_all_down: policy.when_all_down,
            families: policy.families,
        }));
        Some(id)
    }

    fn classes(&mut self, classifier: Classifier) -> Classes {
        if let Some((_, shared)) = self.shared.iter().find(|(other, _)| *other == classifier) {
            return shared.clone();
        }
        let (ranges, classes) = classifier.compile(self.world);
        let classes = (ranges.map(Arc::new), Arc::from(classes));
        self.shared.push((classifier, classes.clone()));
        classes
    }

    fn rules(
        &mut self,
        file: &Steering,
        policy: &Policy,
        regions: &[PlanRegion],
    ) -> (Box<[PlanRule]>, Classifier) {
        let mut plan_rules = Vec::new();
        let mut class_rules = Vec::new();
        for rule in &policy.rules {
            let (plan_rule, class_rule) = self.rule(file, policy, rule, regions);
            plan_rules.push(plan_rule);
            class_rules.push(class_rule);
        }
        let unknown = match &policy.unknown {
            Unknown::Site => Vec::new(),
            Unknown::List(list) => self.indexes(file, list, regions),
        };
        let positions = regions.iter().filter_map(|region| {
            let known = self.regions.list.get(usize::from(region.id.0))?;
            Some((region.id, known.position))
        });
        let classifier = Classifier {
            regions: positions.collect(),
            rules: class_rules,
            unknown_position: self.site,
            unknown,
        };
        let by_site = policy.unknown == Unknown::Site && self.site.is_none();
        if by_site && classifier.uses_nearness() {
            let message = "clients of unknown place get the order of regions.toml";
            let help = "set `position` in [site] of homing.toml, or `unknown` to a list of regions";
            let code = "site-without-position";
            let diagnostic = file.source.warning(code, &policy.span, message);
            self.diagnostics.push(diagnostic.help(help));
        }
        (plan_rules.into(), classifier)
    }

    fn rule(
        &mut self,
        file: &Steering,
        policy: &Policy,
        rule: &Rule,
        regions: &[PlanRegion],
    ) -> (PlanRule, ClassRule) {
        self.warn_of_strangers(file, rule);
        let (reason, listed, shares) = match &rule.wanted {
            Wanted::Nearest => (Reason::Nearest, None, None),
            Wanted::List(list) => {
                let listed = self.indexes(file, list, regions);
                let reason = if listed.is_empty() { Reason::Nearest } else { Reason::Rule };
                (reason, Some(listed), None)
            }
            Wanted::Weighted(list) => {
                let (mut indexes, mut weights) = (Vec::new(), Vec::new());
                for (named, weight) in list {
                    let found = self.indexes(file, std::slice::from_ref(named), regions);
                    weights.extend(found.iter().map(|_| *weight));
                    indexes.extend(found);
                }
                let shares = Shares {
                    regions: indexes.clone().into(),
                    preference: Preference::new(&weights, Walk::Reversed),
                };
                let reason = if indexes.is_empty() { Reason::Nearest } else { Reason::Weighted };
                (reason, Some(indexes), Some(shares))
            }
        };
        if rule.fence && listed.as_ref().is_some_and(Vec::is_empty) {
            let message = "the fence holds no region of the pool: such clients would get no answer";
            let help = format!("list regions of pool `{}`", policy.pool.name);
            let diagnostic = file.source.error("fence-without-region", &rule.span, message);
            self.diagnostics.push(diagnostic.help(help));
        }
        let default = rule.span == policy.span;
        let text = match default {
            true => "{ regions = \"nearest\" }".to_owned(),
            false => file.source.quote(&rule.span),
        };
        let plan_rule = PlanRule {
            text: text.into(),
            place: file.source.place(&rule.span),
            reason,
            fence: rule.fence && listed.is_some(),
            shares: shares.filter(|shares| !shares.regions.is_empty()),
        };
        let class_rule = ClassRule {
            subnets: rule.subnets.clone(),
            places: rule.places.iter().map(|(code, _)| *code).collect(),
            asns: rule.asns.clone(),
            fence: plan_rule.fence,
            listed,
        };
        (plan_rule, class_rule)
    }

    /// Where the listed regions stand among the pool's. Those that the pool lacks are skipped, with
    /// a warning.
    fn indexes(&mut self, file: &Steering, list: &[Named], regions: &[PlanRegion]) -> Vec<u16> {
        let mut indexes = Vec::new();
        for named in list {
            let Some(id) = self.region_id(file, named) else { continue };
            match regions.iter().position(|region| region.id == id) {
                Some(index) if !indexes.contains(&(index as u16)) => indexes.push(index as u16),
                Some(_) => {}
                None => {
                    let message = format!("the pool has no endpoint in region `{}`", named.name);
                    let code = "region-not-in-pool";
                    let diagnostic = file.source.warning(code, &named.span, message);
                    self.diagnostics.push(diagnostic.help("the region is passed over here"));
                }
            }
        }
        indexes
    }

    /// Warns of places and autonomous systems that no known address has.
    fn warn_of_strangers(&mut self, file: &Steering, rule: &Rule) {
        let world = self.world;
        for (code, span) in &rule.places {
            let known = self.known_places.get_or_init(|| distinct_places(world));
            if !known.iter().any(|place| code.matches(place)) {
                let message = format!("no known address is in `{}`", file.source.quote(span));
                let help = "the geo database does not tell such places; see `homing geo lookup`";
                let diagnostic = file.source.warning("place-never-matched", span, message);
                self.diagnostics.push(diagnostic.help(help));
            }
        }
        if !rule.asns.is_empty() && !world.places().iter().any(|place| place.asn.is_some()) {
            let message = "the geo database knows no autonomous system: this rule never matches";
            let diagnostic = file.source.warning("asn-never-matched", &rule.span, message);
            self.diagnostics.push(diagnostic.help("add an ASN database to geo/"));
        }
    }

    fn routes(&mut self, files: &[&'a Steering]) -> Vec<Route> {
        let mut routes = Vec::new();
        let mut seen: BTreeMap<(String, String), &str> = BTreeMap::new();
        for &file in files {
            for line in &file.routes {
                self.used.insert(("policy", &line.policy.name));
                if let Some(first) = seen.insert(line.key(), &file.path) {
                    let message =
                        format!("`{}` of zone `{}` is routed in {first}", line.owner, line.zone);
                    let diagnostic = file.source.error("duplicate-route", &line.span, message);
                    self.diagnostics.push(diagnostic.help("remove one of the two lines"));
                    continue;
                }
                match self.policies.get(&*line.policy.name) {
                    Some(&(_, _, Some(policy))) => routes.push(Route {
                        zone: line.zone.clone(),
                        owner: line.owner.clone(),
                        policy,
                        place: file.source.place(&line.span),
                    }),
                    Some((_, _, None)) => {} // It cannot be compiled, and that was told.
                    None => self.unknown_policy(file, &line.policy),
                }
            }
        }
        routes
    }

    fn unknown_policy(&mut self, file: &Steering, named: &Named) {
        let names: Vec<&str> = self.policies.keys().copied().collect();
        let help = match nearest_word(&named.name, &names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("define [policies.{}] in any steering file", named.name),
        };
        let message = format!("there is no policy `{}`", named.name);
        let diagnostic = file.source.error("unknown-policy", &named.span, message);
        self.diagnostics.push(diagnostic.help(help));
    }

    fn warn_of_unused(&mut self) {
        for (name, (file, pool)) in &self.pools {
            if !self.used.contains(&("pool", name)) {
                let message = format!("no policy uses pool `{name}`");
                let diagnostic = file.source.warning("unused-pool", &pool.span, message);
                self.diagnostics.push(diagnostic);
            }
        }
        for (name, (file, policy, _)) in &self.policies {
            if !self.used.contains(&("policy", name)) {
                let message = format!("no route uses policy `{name}`");
                let diagnostic = file.source.warning("unused-policy", &policy.span, message);
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn inventory(&self, health: &Settings) -> Inventory {
        let mut members: Vec<Member> = Vec::new();
        for (_, pool) in self.pools.values() {
            for region in plan_regions(pool, self.regions) {
                let endpoints = region.sides.iter().flat_map(|side| &side.endpoints);
                members.extend(endpoints.map(|endpoint| endpoint.member.clone()));
            }
        }
        members.sort();
        let settings = |(_, pool): &(&Steering, &Pool)| pool.health.over(health);
        Inventory {
            regions: self.regions.list.iter().map(|region| region.name.clone()).collect(),
            pools: self.pools.iter().map(|(&name, pool)| (name.into(), settings(pool))).collect(),
            members,
        }
    }
}

/// The pool's regions that regions.toml knows, in its order.
fn plan_regions(pool: &Pool, regions: &Regions) -> Box<[PlanRegion]> {
    let mut found: Vec<PlanRegion> = Vec::new();
    for (index, known) in regions.list.iter().enumerate() {
        let Some(written) = pool.regions.iter().find(|region| region.region == known.name) else {
            continue;
        };
        let side = |want_v6: bool| {
            let endpoints = written.endpoints.iter().filter(|endpoint| {
                want_v6 == matches!(&endpoint.target, Target::Address(a) if a.is_ipv6())
            });
            let endpoints: Box<[PlanEndpoint]> = endpoints
                .map(|endpoint| PlanEndpoint {
                    member: Member {
                        region: known.name.clone(),
                        pool: pool.name.clone(),
                        address: endpoint.target.text(),
                    },
                    target: endpoint.target.clone(),
                    weight: endpoint.weight,
                })
                .collect();
            let weights: Vec<u32> = endpoints.iter().map(|endpoint| endpoint.weight).collect();
            PlanSide { preference: Preference::new(&weights, Walk::Golden), endpoints }
        };
        let sides = [side(false), side(true)];
        found.push(PlanRegion { id: RegionId(index as u16), name: known.name.clone(), sides });
    }
    found.into()
}

/// The places that codes can tell apart, each once: a city database has few of them among many.
fn distinct_places(world: &World) -> Vec<crate::geo::Place> {
    let codes: BTreeSet<_> =
        world.places().iter().map(|p| (p.continent, p.country, p.subdivision)).collect();
    let place = |(continent, country, subdivision)| crate::geo::Place {
        continent,
        country,
        subdivision,
        ..crate::geo::Place::default()
    };
    codes.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests;
