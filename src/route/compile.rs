//! All steering, compiled together: names resolved across files, policies into plans, routes to
//! policies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::diagnostic::{Diagnostic, Place, nearest_word};
use crate::geo::{Position, World};
use crate::health::{Capacity, Inventory, Member, Settings};
use crate::number::{PolicyId, RegionId};
use crate::reason::Reason;

use super::classifier::{ClassRegion, ClassRule, Classifier};
use super::classify::{Division, divide};
use super::plan::{Plan, PlanRegion, PlanRule, Scale, Shares};
use super::policy::{Families, Policy, Steering, Unknown};
use super::pool::{Pool, PoolRegion, Target};
use super::region::Regions;
use super::rule::{Named, Rule, Wanted};
use super::share::{Preference, Walk};
use super::verify;

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
        pools: BTreeMap::new(),
        policies: BTreeMap::new(),
        plans: Vec::new(),
        shared: HashMap::default(),
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

struct Compiler<'a> {
    regions: &'a Regions,
    world: &'a World,
    site: Option<Position>,
    pools: BTreeMap<&'a str, (&'a Steering, &'a Pool)>,
    policies: BTreeMap<&'a str, (&'a Steering, &'a Policy, Option<PolicyId>)>,
    plans: Vec<Arc<Plan>>,
    shared: HashMap<Classifier, Arc<Division>, FixedState>,
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
        let mut regions = PlanRegion::all(pool, self.regions);
        self.bias(file, policy, &mut regions);
        let (rules, classifier) = self.rules(file, policy, &regions);
        if regions.is_empty() || classifier.rules.iter().any(ClassRule::is_dead_end) {
            return None; // Its pool's regions are unknown, or a fence holds none, and that was told.
        }
        let division = self.division(classifier);
        // Invariant class-has-region: of a plan, each class has somewhere to go. Without a dead end none lacks it, and were
        // it by a fault of ours, the file is refused.
        if division.classes.iter().any(|class| class.order.is_empty()) {
            let message = "some clients of this policy would get no answer: a fault of homing";
            self.diagnostics.push(file.source.error("internal", &policy.span, message));
            return None;
        }
        self.diagnostics.extend(verify::tell(&file.source, policy, &division.findings));
        let id = PolicyId(self.plans.len() as u16);
        self.plans.push(Arc::new(Plan {
            name: policy.name.clone(),
            pool: pool.name.clone(),
            id,
            ranges: division.ranges.clone(),
            classes: Arc::clone(&division.classes),
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

    /// Policies that divide the world alike share one division.
    fn division(&mut self, classifier: Classifier) -> Arc<Division> {
        if let Some(shared) = self.shared.get(&classifier) {
            return Arc::clone(shared);
        }
        let division = Arc::new(divide(&classifier, self.world));
        self.shared.insert(classifier, Arc::clone(&division));
        division
    }

    /// What the policy says of how near regions seem.
    fn bias(&mut self, file: &Steering, policy: &Policy, regions: &mut [PlanRegion]) {
        for (named, bias) in &policy.bias {
            let found = self.indexes(file, std::slice::from_ref(named), regions);
            let region = found.first().and_then(|&at| regions.get_mut(usize::from(at)));
            region.into_iter().for_each(|region| region.bias = *bias);
        }
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
        let class_regions = regions.iter().filter_map(|region| {
            let position = self.regions.list.get(usize::from(region.id.0))?.position;
            Some(ClassRegion { id: region.id, position, bias: region.bias })
        });
        let classifier = Classifier {
            regions: class_regions.collect(),
            wants: wants(regions, policy.families),
            rules: class_rules,
            unknown_position: self.site,
            unknown,
        };
        for (plan_rule, class_rule) in plan_rules.iter_mut().zip(&classifier.rules) {
            plan_rule.by_nearness = classifier.orders_by_nearness(class_rule);
        }
        let is_ours = |name: &str| regions.iter().any(|region| &*region.name == name);
        if let Some((named, _)) = policy.bias.iter().find(|(named, _)| is_ours(&named.name))
            && !classifier.uses_nearness()
        {
            let message = "nearness orders no region of this policy: its bias changes nothing";
            let said = file.source.warning("bias-without-nearness", &named.span, message);
            self.diagnostics.push(said.help("remove it, or let a rule have \"nearest\""));
        }
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
        if let Some(within) = listed.as_deref().filter(|_| rule.fence) {
            self.check_fence(file, policy, rule, (regions, within));
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
            listed_count: listed.as_ref().map_or(0, Vec::len),
            by_nearness: false,
        };
        let class_rule = ClassRule {
            subnets: rule.subnets.iter().map(|(subnet, _)| *subnet).collect(),
            places: rule.places.iter().map(|(code, _)| *code).collect(),
            asns: rule.asns.iter().map(|(asn, _)| *asn).collect(),
            fence: plan_rule.fence,
            listed,
        };
        (plan_rule, class_rule)
    }

    /// Nothing overrides a fence: without a region there is no answer behind it, and NODATA for a family that only regions
    /// beyond it have.
    fn check_fence(
        &mut self,
        file: &Steering,
        policy: &Policy,
        rule: &Rule,
        (regions, within): (&[PlanRegion], &[u16]),
    ) {
        let pool = &policy.pool.name;
        if within.is_empty() {
            let message = "the fence holds no region of the pool: such clients would get no answer";
            let diagnostic = file.source.error("fence-without-region", &rule.span, message);
            self.diagnostics.push(diagnostic.help(format!("list regions of pool `{pool}`")));
            return;
        }
        for (side, family, rtype) in [(0, "IPv4", "A"), (1, "IPv6", "AAAA")] {
            let has = |region: &PlanRegion| !region.side(side).is_empty();
            let has_within = |&at: &u16| regions.get(usize::from(at)).is_some_and(has);
            if regions.iter().any(has) && !within.iter().any(has_within) {
                let message = format!("the fence holds no {family} endpoint of pool `{pool}`");
                let said = file.source.warning("fence-lacks-family", &rule.span, message);
                let help = format!("such clients get no {rtype} record: add one within the fence");
                self.diagnostics.push(said.help(help));
            }
        }
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
            for region in PlanRegion::all(pool, self.regions) {
                let endpoints = region.sides.iter().flat_map(|side| &side.endpoints);
                members.extend(endpoints.map(|endpoint| endpoint.member.clone()));
            }
        }
        members.sort();
        let settings = |(_, pool): &(&Steering, &Pool)| pool.health.over(health);
        let known = self.regions.list.iter();
        let capacities: BTreeMap<Box<str>, Capacity> =
            known.filter_map(|region| Some((region.name.clone(), region.capacity?))).collect();
        Inventory {
            regions: self.regions.list.iter().map(|region| region.name.clone()).collect(),
            pools: self.pools.iter().map(|(&name, pool)| (name.into(), settings(pool))).collect(),
            members,
            ttl_max_millis: self.plans.iter().map(|p| ttl_max_millis(p)).max().unwrap_or(0),
            borders: Scale::of(&self.plans).borders(&capacities),
            capacities,
        }
    }
}

fn ttl_max_millis(plan: &Plan) -> u64 {
    u64::from(plan.ttl_max.as_secs()) * 1000
}

/// For each thing that a query may want of a region, whether each region has it: see [`Classifier::wants`].
fn wants(regions: &[PlanRegion], families: Families) -> Vec<Vec<bool>> {
    let has = |side: usize| regions.iter().map(|r| !r.side(side).is_empty()).collect::<Vec<_>>();
    let both = || has(0).into_iter().zip(has(1)).map(|(v4, v6)| v4 && v6).collect();
    let mut wants = vec![has(0), has(1)];
    if families == Families::Together {
        wants.push(both());
    }
    wants.retain(|wanted| wanted.contains(&true));
    wants.dedup();
    wants
}

#[cfg(test)]
mod tests;
