//! The decision: which region answers a bucket of a class. Pure, and the only place where a region
//! is preferred or passed over. `fill` asks it for every row, `account` asks it again for one row
//! and listens.

use crate::health::{Member, Standing, State, Tier};
use crate::reason::Reason;

use super::bucket::BUCKET_COUNT;
use super::plan::{ClassOrder, Plan, PlanEndpoint, PlanRegion};
use super::policy::WhenAllDown;

/// What health says: the state, or a supposition about it.
pub trait Verdicts {
    /// What is known of an endpoint.
    fn standing(&self, member: &Member) -> Standing;
    /// How many 256ths of its clients a region keeps.
    fn keep(&self, region: &str) -> u16;
    /// To which regions it sheds, and how many 256ths of the border to each.
    fn sheds(&self, _: &str) -> Vec<(&str, u16)> {
        Vec::new()
    }
}

impl Verdicts for State {
    fn standing(&self, member: &Member) -> Standing {
        State::standing(self, member)
    }

    fn keep(&self, region: &str) -> u16 {
        State::keep(self, region)
    }

    fn sheds(&self, region: &str) -> Vec<(&str, u16)> {
        State::sheds(self, region)
    }
}

/// The verdicts on one plan's regions, in the plan's order.
pub(super) struct View {
    pub(super) regions: Vec<RegionView>,
}

/// The verdicts on one region.
pub(super) struct RegionView {
    /// The region keeps the buckets below this.
    pub(super) keep: u16,
    /// To which regions it sheds, and how many 256ths of the border to each.
    pub(super) sheds: Vec<(u16, u16)>,
    /// The best tier of its endpoints by family; none without endpoints. Those of host names are in the first.
    pub(super) best: Best,
}

/// The best tier of a region's endpoints, by family.
pub(super) type Best = [Option<Tier>; 2];

/// For whom a region is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// For one family.
    Side(usize),
    /// For both at once.
    Both,
}

/// One pass over the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    tier: Tier,
    /// Whether a drained region is taken too.
    drained: bool,
}

/// What a bucket gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// A region of the plan, and why.
    Region(u16, Reason),
    /// The default RRset.
    Default,
    /// No address: none is permitted, or the policy says so.
    Nodata(Reason),
    /// The policy says SERVFAIL.
    Servfail,
}

const fn pass(tier: Tier, drained: bool) -> Pass {
    Pass { tier, drained }
}

/// Over the whole order: up; degraded; drained, but up.
const PASSES: [Pass; 4] = [
    pass(Tier::Up, false),
    pass(Tier::Degraded, false),
    pass(Tier::Up, true),
    pass(Tier::Degraded, true),
];

/// When all are down: as if they were up, drains included; the overridden ones only if nothing else
/// exists.
const LAST_PASSES: [Pass; 4] = [
    pass(Tier::Down, false),
    pass(Tier::Down, true),
    pass(Tier::OverriddenDown, false),
    pass(Tier::OverriddenDown, true),
];

impl View {
    /// What `health` says of the regions of `plan`.
    pub(super) fn new(plan: &Plan, health: &impl Verdicts) -> View {
        let best = |region: &PlanRegion| {
            let tier = |endpoint: &PlanEndpoint| health.standing(&endpoint.member).tier;
            [0, 1].map(|side| region.side(side).iter().map(tier).min())
        };
        View::of(plan, plan.regions.iter().map(best), health)
    }

    /// What `health` says of the shares of the regions of `plan`, whose best tiers are known.
    pub(super) fn of(
        plan: &Plan,
        bests: impl Iterator<Item = Best>,
        health: &impl Verdicts,
    ) -> View {
        let index = |name: &str| plan.regions.iter().position(|region| *region.name == *name);
        let sheds = |name: &str| {
            let all = health.sheds(name).into_iter();
            all.filter_map(|(to, share)| Some((index(to)? as u16, share))).collect()
        };
        let regions = plan.regions.iter().zip(bests).map(|(region, best)| RegionView {
            keep: health.keep(&region.name),
            sheds: sheds(&region.name),
            best,
        });
        View { regions: regions.collect() }
    }

    /// Whether no region keeps or sheds a part of its clients: without a rule's shares, every bucket gets the same.
    pub(super) fn is_even(&self) -> bool {
        let is_whole = |keep: u16| keep == 0 || usize::from(keep) >= BUCKET_COUNT;
        self.regions.iter().all(|region| is_whole(region.keep) && region.sheds.is_empty())
    }

    pub(super) fn region(&self, index: u16) -> Option<&RegionView> {
        self.regions.get(usize::from(index))
    }

    /// How many buckets of `class` its first region sheds to the next one.
    pub(super) fn shed_buckets(&self, plan: &Plan, class: &ClassOrder) -> u16 {
        let shed = || {
            let (first, second, stretch) = plan.border_of(class)?;
            let sheds = &self.region(first)?.sheds;
            let (_, share) = sheds.iter().find(|(to, _)| *to == second)?;
            Some(stretch.buckets(*share))
        };
        shed().unwrap_or(0)
    }
}

impl RegionView {
    /// The best tier in which the region can serve what is wanted: for both families, that of the
    /// worse.
    fn best_for(&self, want: Want) -> Option<Tier> {
        match want {
            Want::Side(side) => self.best.get(side).copied().flatten(),
            Want::Both => match self.best {
                [Some(a), Some(b)] => Some(a.max(b)),
                _ => None,
            },
        }
    }

    /// Why the region does not serve `bucket` in this pass; none if it does.
    fn strike(&self, want: Want, pass: Pass, bucket: u8) -> Option<Reason> {
        let kept = pass.drained || u16::from(bucket) < self.keep;
        match self.best_for(want) {
            None => Some(Reason::LacksFamily),
            Some(tier) if tier == pass.tier => (!kept).then_some(Reason::Drained),
            Some(Tier::OverriddenDown) => Some(Reason::OverriddenDown),
            Some(_) => Some(Reason::AllDown),
        }
    }
}

/// The regions that `bucket` of `class` may go to, most preferred first: the rule's shares, then
/// the order.
pub(super) fn walk<'p>(
    plan: &'p Plan,
    class: &'p ClassOrder,
    bucket: u8,
) -> impl Iterator<Item = u16> + Clone + 'p {
    let shares = plan.rule_of(class).and_then(|rule| rule.shares.as_ref());
    let members = shares.map_or(&[][..], |shares| shares.preference.of(bucket));
    let region = move |&member: &u16| shares?.regions.get(usize::from(member)).copied();
    let preferred = members.iter().filter_map(region);
    let seen = preferred.clone();
    let rest = class.order.iter().copied();
    preferred.chain(rest.filter(move |&index| !seen.clone().any(|other| other == index)))
}

/// Whether the first region of the order, which could serve `cell`, sheds it: the next one has to be as able.
fn is_shed(plan: &Plan, view: &View, cell: Cell<'_>, want: Want, pass: Pass) -> bool {
    let Cell { class, bucket, .. } = cell;
    let is_able = |index: &u16| {
        view.region(*index).is_some_and(|region| region.strike(want, pass, bucket).is_none())
    };
    !pass.drained
        && matches!(pass.tier, Tier::Up | Tier::Degraded)
        && u16::from(bucket) < view.shed_buckets(plan, class)
        && class.order.get(1).is_some_and(is_able)
}

/// What is decided at once: one bucket of one class, for one family.
#[derive(Clone, Copy)]
pub(super) struct Cell<'p> {
    pub(super) class: &'p ClassOrder,
    pub(super) side: usize,
    pub(super) bucket: u8,
}

/// Decides for one cell. Every region passed over is told, with the reason, in each pass.
pub(super) fn decide(
    plan: &Plan,
    view: &View,
    cell: Cell<'_>,
    told: &mut impl FnMut(u16, Reason),
) -> Outcome {
    let Cell { class, side, bucket } = cell;
    let has =
        |want| class.order.iter().any(|&r| view.region(r).and_then(|r| r.best_for(want)).is_some());
    if !has(Want::Side(side)) {
        for &region in &class.order {
            told(region, Reason::LacksFamily);
        }
        return Outcome::Nodata(Reason::LacksFamily);
    }
    let find = |want, passes: &[Pass], told: &mut dyn FnMut(u16, Reason)| {
        passes.iter().find_map(|&pass| {
            let mut walk = walk(plan, class, bucket).enumerate();
            let mut shed = false;
            walk.find_map(|(position, index)| {
                let struck = view.region(index)?.strike(want, pass, bucket);
                shed |= position == 0 && struck.is_none() && is_shed(plan, view, cell, want, pass);
                let is_shed = shed && position == 0;
                match struck.or(is_shed.then_some(Reason::Shed)) {
                    Some(reason) => {
                        told(index, reason);
                        None
                    }
                    None if shed => Some(Outcome::Region(index, Reason::Shed)),
                    None => Some(Outcome::Region(index, reason(plan, class, pass, position))),
                }
            })
        })
    };
    // One region for both families, as long as one can serve both without a last resort.
    let together = plan.families == super::policy::Families::Together && has(Want::Both);
    if together && let Some(outcome) = find(Want::Both, &PASSES, told) {
        return outcome;
    }
    let want = Want::Side(side);
    if let Some(outcome) = find(want, &PASSES, told) {
        return outcome;
    }
    let fence = plan.rule_of(class).is_some_and(|rule| rule.fence);
    match plan.when_all_down {
        // The zone file's own records may lie beyond a fence: within one, `default` acts as `all`.
        WhenAllDown::Default if !fence => Outcome::Default,
        WhenAllDown::All | WhenAllDown::Default => {
            find(want, &LAST_PASSES, told).unwrap_or(Outcome::Nodata(Reason::LacksFamily))
        }
        WhenAllDown::Nodata => Outcome::Nodata(Reason::LastResort),
        WhenAllDown::Servfail => Outcome::Servfail,
    }
}

fn reason(plan: &Plan, class: &ClassOrder, pass: Pass, position: usize) -> Reason {
    match (pass.tier, pass.drained, position) {
        (Tier::Down | Tier::OverriddenDown, _, _) => Reason::LastResort,
        (_, true, _) => Reason::Drained,
        (_, false, 0) => plan.rule_of(class).map_or(Reason::Nearest, |rule| rule.reason),
        (_, false, _) => Reason::Spill,
    }
}
