//! What differs in steering: regions, pools, policies and routes as the files have them, and whom it moves.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::api::{
    ChangeWord, EndpointChange, Move, PolicyChange, PoolChange, Rebound, RegionChange, RouteChange,
    SettingChange, SteeringChange,
};
use crate::geo::{Ranges, Tally, Weights, World};
use crate::health::{Failback, Settings, Status};
use crate::load::SteeringContents;
use crate::route::{Plan, Region};

use super::moves::moves;
use super::overlap::Overlap;
use super::weigh::{weigh, weights_body};

/// Pairs of range tables laid over each other in one comparison: each costs some tens of milliseconds.
const OVERLAP_COUNT_MAX: usize = 100;

/// What differs between `old` and `new`, and whom it moves: of the addresses of `new`, and of the queries of `own`, unless
/// `new` publishes weights.
pub(super) fn compare(
    old: &SteeringContents,
    new: &SteeringContents,
    own: &Tally,
) -> SteeringChange {
    let published = new.weights.as_deref();
    let weights = LazyCell::new(move || weigh(&new.world, published, Some(own)));
    let mut walks =
        Walks { world: &new.world, weights, same: HashMap::new(), overlaps: HashMap::new() };
    let routes = routes(old, new);
    let mut change = SteeringChange {
        regions: regions(old, new),
        pools: pools(old, new),
        policies: policies(old, new, &mut walks),
        rebound: rebound(&routes, old, new, &mut walks),
        routes,
        weights: None,
    };
    let moves = change.policies.iter().flat_map(|policy| &policy.moves);
    let mut moves = moves.chain(change.rebound.iter().flat_map(|rebound| &rebound.moves));
    if moves.any(|way| way.queries.is_some()) {
        change.weights = Some(weights_body(published, own));
    }
    change
}

/// Every key of either, with what each has there.
fn paired<'m, K: Ord, V>(
    old: &'m BTreeMap<K, V>,
    new: &'m BTreeMap<K, V>,
) -> impl Iterator<Item = (&'m K, Option<&'m V>, Option<&'m V>)> {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    keys.into_iter().map(|key| (key, old.get(key), new.get(key)))
}

/// The settings whose values differ; none where one side has none at all.
fn settings<N: AsRef<str>>(
    old: Option<&[(N, String)]>,
    new: Option<&[(N, String)]>,
) -> Vec<SettingChange> {
    let pairs = old.unwrap_or_default().iter().zip(new.unwrap_or_default());
    let changed = pairs.filter(|(old, new)| old.1 != new.1);
    let change = changed.map(|(old, new)| SettingChange {
        name: old.0.as_ref().to_owned(),
        old: old.1.clone(),
        new: new.1.clone(),
    });
    change.collect()
}

fn regions(old: &SteeringContents, new: &SteeringContents) -> Vec<RegionChange> {
    let words = |region: &Region| {
        let at = region.position;
        let capacity = region.capacity.map_or("none".to_owned(), |capacity| {
            format!("{}, high {}, low {}", capacity.load, capacity.high, capacity.low)
        });
        [
            ("name", region.title.clone()),
            ("position", format!("{}, {}", at.latitude, at.longitude)),
            ("capacity", capacity),
        ]
    };
    let all = |side: &SteeringContents| -> BTreeMap<Box<str>, [(&'static str, String); 3]> {
        side.regions.list.iter().map(|region| (region.name.clone(), words(region))).collect()
    };
    let (old, new) = (all(old), all(new));
    let changes = paired(&old, &new).filter(|(_, old, new)| old != new);
    let change = changes.map(|(name, old, new)| RegionChange {
        region: name.to_string(),
        change: ChangeWord::of(old.is_some(), new.is_some()),
        settings: settings(old.map(|s| &s[..]), new.map(|s| &s[..])),
    });
    change.collect()
}

/// The endpoints of one pool by region and address, with their weights where a policy uses the pool; and its settings.
#[derive(Default)]
struct PoolContents {
    endpoints: BTreeMap<(Box<str>, Box<str>), Option<u32>>,
    settings: Vec<(&'static str, String)>,
}

fn pools(old: &SteeringContents, new: &SteeringContents) -> Vec<PoolChange> {
    let all = |side: &SteeringContents| {
        let mut pools: BTreeMap<Box<str>, PoolContents> = BTreeMap::new();
        for (name, settings) in &side.inventory.pools {
            pools.entry(name.clone()).or_default().settings = health_words(settings);
        }
        for member in &side.inventory.members {
            let pool = pools.entry(member.pool.clone()).or_default();
            pool.endpoints.insert((member.region.clone(), member.address.clone()), None);
        }
        for (member, weight) in side.plans.iter().flat_map(|plan| plan.weights()) {
            let pool = pools.entry(member.pool.clone()).or_default();
            pool.endpoints.insert((member.region.clone(), member.address.clone()), Some(weight));
        }
        pools
    };
    let (old, new) = (all(old), all(new));
    let none = PoolContents::default();
    let mut changes = Vec::new();
    for (name, old, new) in paired(&old, &new) {
        let change = PoolChange {
            pool: name.to_string(),
            change: ChangeWord::of(old.is_some(), new.is_some()),
            settings: settings(old.map(|p| &*p.settings), new.map(|p| &*p.settings)),
            endpoints: endpoints(old.unwrap_or(&none), new.unwrap_or(&none)),
        };
        let differs = old.is_some() != new.is_some();
        if differs || !change.settings.is_empty() || !change.endpoints.is_empty() {
            changes.push(change);
        }
    }
    changes
}

fn endpoints(old: &PoolContents, new: &PoolContents) -> Vec<EndpointChange> {
    let pairs = paired(&old.endpoints, &new.endpoints);
    let changes = pairs.filter(|(_, old, new)| match (old, new) {
        (Some(old), Some(new)) => old.zip(**new).is_some_and(|(old, new)| old != new),
        _ => true,
    });
    let change = changes.map(|((region, address), old, new)| EndpointChange {
        region: region.to_string(),
        address: address.to_string(),
        change: ChangeWord::of(old.is_some(), new.is_some()),
        weight_old: old.copied().flatten(),
        weight_new: new.copied().flatten(),
    });
    change.collect()
}

fn health_words(settings: &Settings) -> Vec<(&'static str, String)> {
    let secs = |millis: u64| format!("{} s", millis as f64 / 1000.0);
    let failback = match settings.failback {
        Failback::AtOnce => "at once".to_owned(),
        Failback::AfterMillis(millis) => format!("after {}", secs(millis)),
        Failback::ByHand => "by hand".to_owned(),
    };
    let start = match settings.start {
        Status::Up => "up",
        Status::Degraded => "degraded",
        Status::Down => "down",
    };
    vec![
        ("health.quorum", settings.quorum.to_string()),
        ("health.rise", settings.rise.to_string()),
        ("health.fall", settings.fall.to_string()),
        ("health.interval", secs(settings.interval_millis)),
        ("health.hold_down", secs(settings.hold_down_millis)),
        ("health.failback", failback),
        ("health.start", start.to_owned()),
        ("health.at_least", settings.at_least.to_string()),
        ("health.max_down_share", settings.max_down_share.to_string()),
    ]
}

fn by_name(side: &SteeringContents) -> BTreeMap<Box<str>, Arc<Plan>> {
    side.plans.iter().map(|plan| (plan.name.clone(), Arc::clone(plan))).collect()
}

fn policies(
    old: &SteeringContents,
    new: &SteeringContents,
    walks: &mut Walks<'_, impl FnOnce() -> Weights>,
) -> Vec<PolicyChange> {
    let (old, new) = (by_name(old), by_name(new));
    let mut changes = Vec::new();
    for (name, old, new) in paired(&old, &new) {
        let (old, new) = (old.map(|plan| &**plan), new.map(|plan| &**plan));
        let words = [old, new].map(|plan| plan.map(|plan| plan.settings()));
        let mut change = PolicyChange {
            policy: name.to_string(),
            change: ChangeWord::of(old.is_some(), new.is_some()),
            settings: settings(
                words[0].as_ref().map(|s| &s[..]),
                words[1].as_ref().map(|s| &s[..]),
            ),
            rules_removed: rules_only_in(old, new),
            rules_added: rules_only_in(new, old),
            ..PolicyChange::default()
        };
        if let (Some(old), Some(new)) = (old, new) {
            match walks.moves(old, new) {
                Some(moves) => change.moves = moves,
                None => change.moves_left_out = true,
            }
        }
        let unchanged = PolicyChange { policy: name.to_string(), ..PolicyChange::default() };
        if change != unchanged {
            changes.push(change);
        }
    }
    changes
}

/// The rules that `this` has and `other` has not, as written.
fn rules_only_in(this: Option<&Plan>, other: Option<&Plan>) -> Vec<String> {
    let mut others: Vec<&str> = other.into_iter().flat_map(Plan::rule_texts).collect();
    let mut only = Vec::new();
    for rule in this.into_iter().flat_map(Plan::rule_texts) {
        match others.iter().position(|other| *other == rule) {
            Some(at) => drop(others.swap_remove(at)),
            None => only.push(rule.to_owned()),
        }
    }
    only
}

/// The policy of every routed name.
fn routed(side: &SteeringContents) -> BTreeMap<String, Box<str>> {
    let route = |route: &crate::route::Route| {
        let zone = if &*route.zone == "." { "" } else { &*route.zone };
        let name = match (&*route.owner, zone) {
            ("@", zone) => format!("{zone}."),
            (owner, "") => format!("{owner}."),
            (owner, zone) => format!("{owner}.{zone}."),
        };
        let plan = side.plans.get(usize::from(route.policy.0))?;
        Some((name.to_ascii_lowercase(), plan.name.clone()))
    };
    side.routes.iter().filter_map(route).collect()
}

fn routes(old: &SteeringContents, new: &SteeringContents) -> Vec<RouteChange> {
    let (old, new) = (routed(old), routed(new));
    let changes = paired(&old, &new).filter(|(_, old, new)| old != new);
    let change = changes.map(|(name, old, new)| RouteChange {
        name: name.clone(),
        change: ChangeWord::of(old.is_some(), new.is_some()),
        old: old.map(|policy| policy.to_string()),
        new: new.map(|policy| policy.to_string()),
    });
    change.collect()
}

/// What it means for clients that names have another policy: once for each pair of policies.
fn rebound(
    routes: &[RouteChange],
    old: &SteeringContents,
    new: &SteeringContents,
    walks: &mut Walks<'_, impl FnOnce() -> Weights>,
) -> Vec<Rebound> {
    let pairs: BTreeSet<(&String, &String)> =
        routes.iter().filter_map(|route| route.old.as_ref().zip(route.new.as_ref())).collect();
    let (old, new) = (by_name(old), by_name(new));
    let mut rebound = Vec::new();
    for (before, after) in pairs {
        let plans = old.get(before.as_str()).zip(new.get(after.as_str()));
        let Some(moves) = plans.and_then(|(old, new)| walks.moves(old, new)) else { continue };
        rebound.push(Rebound { old: before.clone(), new: after.clone(), moves });
    }
    rebound
}

/// What was found of pairs of range tables: policies share them.
struct Walks<'w, F: FnOnce() -> Weights> {
    world: &'w World,
    /// Found out when the first addresses are counted.
    weights: LazyCell<Weights, F>,
    same: HashMap<Pair, bool>,
    overlaps: HashMap<Pair, Overlap>,
}

/// Two range tables, known by where they lie; they outlive the comparison.
type Pair = (Option<*const Ranges>, Option<*const Ranges>);

impl<F: FnOnce() -> Weights> Walks<'_, F> {
    /// Whom it moves when `new` takes the place of `old`; none when too much was compared already.
    fn moves(&mut self, old: &Plan, new: &Plan) -> Option<Vec<Move>> {
        let pair = (old.ranges().map(Arc::as_ptr), new.ranges().map(Arc::as_ptr));
        let ranges = (old.ranges().map(|r| &**r), new.ranges().map(|r| &**r));
        let same = || match ranges {
            (Some(old), Some(new)) => old.is_same(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if old.orders_like(new) && *self.same.entry(pair).or_insert_with(same) {
            return Some(Vec::new());
        }
        if self.overlaps.len() >= OVERLAP_COUNT_MAX && !self.overlaps.contains_key(&pair) {
            return None;
        }
        let (world, weights) = (self.world, &self.weights);
        let lay = || Overlap::of(world, weights, ranges.0, ranges.1);
        Some(moves(old, new, self.overlaps.entry(pair).or_insert_with(lay)))
    }
}
