//! What if: a world as it is beside one that is supposed, policy by policy. Rows are those that serve, and rows that the
//! same code fills; every address counts, none is sampled.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::api::{
    BeforeAfter, Clients, WhatifBody, WhatifEndpoint, WhatifPolicy, WhatifRegion, WhatifRequest,
    WhatifType, tier_word,
};
use crate::diagnostic::nearest_word;
use crate::geo::{Ranges, Weights};
use crate::health::{LoadView, Member, Status, Subject, Tier};
use crate::reason::Reason;
use crate::route::{Family, Plan, PolicyTable};

use super::extent::Extent;
use super::loads::Flows;
use super::moves::{Filled, Got, Sides, moves_between};
use super::overlap::Overlap;
use super::predict::predict;
use super::scene::Scene;
use super::suppose::{Supposed, Unthinkable};
use super::weigh::basis_word;

/// Range tables laid over each other in one answer: each costs some tens of milliseconds.
const OVERLAP_COUNT_MAX: usize = 100;
/// Endpoints that are named.
const ENDPOINTS_TOLD: usize = 200;

/// What comes of `supposed` for the clients of `before`, as the request wants it: of one policy, or of all; and where some
/// clients' answers are asked for, of these alone, unless a policy is named.
pub fn whatif(
    before: &Scene,
    supposed: &Supposed,
    request: &WhatifRequest,
    weights: &Weights,
) -> Result<WhatifBody, Unthinkable> {
    let after = &supposed.scene;
    let (endpoints, unmoved) = endpoints(before, supposed);
    let mut body = WhatifBody {
        generation: before.snapshot.generation.0,
        revision: before.snapshot.revision.0,
        supposed: supposed.words.clone(),
        refused: supposed.refused.clone(),
        panics: panics(before, after),
        endpoints,
        unmoved,
        weights: basis_word(weights.basis()).to_owned(),
        ..WhatifBody::default()
    };
    let policy = request.policy.as_deref();
    if let Some(ask) = &request.ask {
        body.clients = predict(before, after, ask)?;
        if policy.is_none() {
            return Ok(body);
        }
    }
    // Who stays counts too, which costs a comparison of each policy: only where some load is known.
    let wants_loads = policy.is_none() && before.health.loads().iter().any(LoadView::is_known);
    let (overlaps, flows) = (HashMap::new(), Flows::default());
    let mut comparison = Comparison { after, weights, overlaps, flows, is_partial: false };
    for old in chosen(before, policy)? {
        let Some(new) = filled(after).find(|new| new.plan.name == old.plan.name) else { continue };
        let is_same = policy.is_none() && old.is_same(new);
        let told = if is_same && !wants_loads { None } else { comparison.policy(old, new) };
        let name = old.plan.name.to_string();
        match told {
            _ if is_same => body.unchanged.push(name),
            Some(told) => body.policies.push(told),
            None => body.left_out.push(name),
        }
    }
    if wants_loads && !comparison.is_partial {
        body.loads = comparison.flows.loads(&before.health, &after.health);
    }
    Ok(body)
}

fn filled(scene: &Scene) -> impl Iterator<Item = Filled<'_>> {
    let tables = scene.snapshot.table.policies.iter();
    let plans = scene.snapshot.plans.iter().zip(tables);
    plans.map(|(plan, table): (&Arc<Plan>, &Arc<PolicyTable>)| Filled { plan, table })
}

/// The policies to tell of.
fn chosen<'s>(scene: &'s Scene, policy: Option<&str>) -> Result<Vec<Filled<'s>>, Unthinkable> {
    let Some(wanted) = policy else { return Ok(filled(scene).collect()) };
    let found: Vec<_> = filled(scene).filter(|of| *of.plan.name == *wanted).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = scene.snapshot.plans.iter().map(|plan| &*plan.name).collect();
    let message = match nearest_word(wanted, &names) {
        Some(near) => format!("there is no policy `{wanted}`; did you mean `{near}`?"),
        None => format!("there is no policy `{wanted}`; there are {}", names.join(", ")),
    };
    Err(Unthinkable { code: "unknown-policy", message })
}

/// Pools that would be in panic and are not.
fn panics(before: &Scene, after: &Scene) -> Vec<String> {
    let is_new = |pool: &&str| !before.health.panics().any(|(old, _)| old == *pool);
    after.health.panics().map(|(pool, _)| pool).filter(is_new).map(str::to_owned).collect()
}

/// Endpoints that are used otherwise; and those that are supposed to be up or down, and would not.
fn endpoints(before: &Scene, supposed: &Supposed) -> (Vec<WhatifEndpoint>, Vec<WhatifEndpoint>) {
    let is_denied = |member: &Member, then: Tier| {
        let is_down = matches!(then, Tier::Down | Tier::OverriddenDown);
        let denies = |wanted: &Status| wanted.is_down() != is_down;
        supposed.wanted.iter().any(|(of, wanted)| of.covers(member) && denies(wanted))
    };
    let (mut moved, mut unmoved) = (Vec::new(), Vec::new());
    for (member, then) in supposed.scene.health.members() {
        let now = before.health.standing(member);
        let of = || WhatifEndpoint {
            subject: Subject::of(member).to_string(),
            before: tier_word(now.tier).to_owned(),
            after: tier_word(then.tier).to_owned(),
            reason: then.reason.code().to_owned(),
        };
        if now.tier != then.tier && moved.len() < ENDPOINTS_TOLD {
            moved.push(of());
        }
        if is_denied(member, then.tier) && unmoved.len() < ENDPOINTS_TOLD {
            unmoved.push(of());
        }
    }
    (moved, unmoved)
}

/// Two range tables, known by where they lie; they outlive the comparison.
type Pair = (Option<*const Ranges>, Option<*const Ranges>);

struct Comparison<'s> {
    after: &'s Scene,
    weights: &'s Weights,
    overlaps: HashMap<Pair, Overlap>,
    flows: Flows,
    /// Whether some policy was not compared.
    is_partial: bool,
}

impl Comparison<'_> {
    /// What comes of one policy; none when too much was compared already.
    fn policy(&mut self, old: Filled<'_>, new: Filled<'_>) -> Option<WhatifPolicy> {
        let pair = (old.plan.ranges().map(Arc::as_ptr), new.plan.ranges().map(Arc::as_ptr));
        if self.overlaps.len() >= OVERLAP_COUNT_MAX && !self.overlaps.contains_key(&pair) {
            self.is_partial = true;
            return None;
        }
        let ranges = (old.plan.ranges().map(|r| &**r), new.plan.ranges().map(|r| &**r));
        let (world, weights) = (&*self.after.world, self.weights);
        let overlap = self
            .overlaps
            .entry(pair)
            .or_insert_with(|| Overlap::of(world, weights, ranges.0, ranges.1));
        let flows = &mut self.flows;
        let mut of = |family| tally(Sides { old, new, family }, overlap, flows);
        let has = |family| old.plan.has_family(family) || new.plan.has_family(family);
        let types = match (has(Family::V4), has(Family::V6)) {
            (true, true) => {
                let (a, aaaa) = (of(Family::V4), of(Family::V6));
                if a == aaaa { vec![a] } else { vec![named(a, "A"), named(aaaa, "AAAA")] }
            }
            (false, true) => vec![named(of(Family::V6), "AAAA")],
            (true, false) => vec![named(of(Family::V4), "A")],
            // Host names answer every type.
            (false, false) => vec![of(Family::V4)],
        };
        Some(WhatifPolicy {
            policy: old.plan.name.to_string(),
            ttl_max: old.plan.ttl_bounds().1.as_secs(),
            types,
            moves: moves_between(old, new, overlap),
        })
    }
}

fn named(of: WhatifType, rtype: &str) -> WhatifType {
    WhatifType { rtype: Some(rtype.to_owned()), ..of }
}

/// Clients before and after.
#[derive(Clone, Copy, Default)]
struct Two {
    before: Extent,
    after: Extent,
}

/// Counts whom each region answers, before and after.
fn tally(sides: Sides<'_>, overlap: &Overlap, flows: &mut Flows) -> WhatifType {
    let mut all = Extent::default();
    let mut ways: BTreeMap<(&str, &str), Extent> = BTreeMap::new();
    let mut regions: BTreeMap<&str, Two> = BTreeMap::new();
    let (mut moved, mut lost, mut last_resort) =
        (Extent::default(), Extent::default(), Two::default());
    let is_last = |got: Got<'_>| got.reason == Reason::LastResort;
    sides.each(overlap, |country, cell, gets| {
        if country.is_none() {
            return;
        }
        all.add(cell.extent, 1.0);
        for &((from, to), share) in gets {
            let extent = cell.extent;
            ways.entry((from.who, to.who)).or_default().add(extent, share);
            regions.entry(from.who).or_default().before.add(extent, share);
            regions.entry(to.who).or_default().after.add(extent, share);
            if from.who != to.who {
                moved.add(extent, share);
            }
            if from.is_address && !to.is_address {
                lost.add(extent, share);
            }
            if is_last(from) {
                last_resort.before.add(extent, share);
            }
            if is_last(to) {
                last_resort.after.add(extent, share);
            }
        }
    });
    for ((from, to), extent) in ways {
        flows.add(from, to, clients(extent, all).size());
    }
    let order = order(sides, &regions);
    let region = |name: &str| WhatifRegion {
        region: name.to_owned(),
        clients: both(regions.get(name).copied().unwrap_or_default(), all),
    };
    WhatifType {
        rtype: None,
        regions: order.into_iter().map(region).collect(),
        moved: clients(moved, all),
        last_resort: both(last_resort, all),
        lost: clients(lost, all),
    }
}

/// The regions of the pool in the order of regions.toml, then what stands in for one.
fn order<'p>(sides: Sides<'p>, found: &BTreeMap<&'p str, Two>) -> Vec<&'p str> {
    let mut order: Vec<&str> = Vec::new();
    let old = sides.old.plan.regions().map(|(_, name)| name);
    let named = sides.new.plan.regions().map(|(_, name)| name).chain(old);
    for name in named.chain(found.keys().copied()) {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    order
}

fn both(of: Two, all: Extent) -> BeforeAfter {
    BeforeAfter { before: clients(of.before, all), after: clients(of.after, all) }
}

fn clients(of: Extent, all: Extent) -> Clients {
    Clients { addresses: of.share_of(all), queries: of.weight_of(all) }
}
