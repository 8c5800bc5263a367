//! The live table: what every policy answers, kept up with health. What an event did not touch is not filled anew: an
//! endpoint costs its side of its region, and a drained region one set of rows for all policies that are alike.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::health::{Changes, Member};

use super::decide::{Verdicts, View};
use super::plan::{Likeness, Plan};
use super::rows::rows;
use super::table::{PolicyTable, RegionAnswers, Rows, Table};
use super::ttl::ttl_of;
use super::windows::{SideView, answers, bests, first_change, sides, windows};

/// Rows that are kept though no policy has them now: those of an endpoint that flaps are wanted again.
const SPARE_ROWS_MAX: usize = 64;

/// The table of one publication's plans. Whatever the events were and however they were batched, it is the one that
/// [`fill`](super::fill) gives of the state after them.
pub struct LiveTable {
    plans: Arc<[Arc<Plan>]>,
    /// By policy.
    policies: Vec<Live>,
    /// Where an endpoint stands: what to fill anew when its standing changes.
    seats: HashMap<Member, Vec<Seat>, FixedState>,
    rows: SharedRows,
}

/// One policy.
struct Live {
    /// The first policy that decides alike.
    like: u16,
    /// By region, then by family.
    sides: Box<[[SideView; 2]]>,
    table: Arc<PolicyTable>,
}

/// One side of a region of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seat {
    policy: u16,
    region: u16,
    side: u8,
}

/// The rows of policies that are alike, by which of them is the first and by the best tiers of its regions. They hold for
/// as long as shares stand as they are.
#[derive(Default)]
struct SharedRows {
    known: HashMap<Box<[u8]>, Arc<Rows>, FixedState>,
    key: Vec<u8>,
}

impl LiveTable {
    /// The table of `plans` as `health` stands.
    pub fn new(plans: &Arc<[Arc<Plan>]>, health: &impl Verdicts) -> LiveTable {
        let mut seats: HashMap<Member, Vec<Seat>, FixedState> = HashMap::default();
        let (mut policies, mut rows) = (Vec::with_capacity(plans.len()), SharedRows::default());
        let mut firsts: HashMap<Likeness<'_>, u16> = HashMap::new();
        for (plan, policy) in plans.iter().zip(0u16..) {
            for (member, region, side) in plan.seats() {
                seats.entry(member.clone()).or_default().push(Seat { policy, region, side });
            }
            let like = *firsts.entry(plan.likeness()).or_insert(policy);
            let sides = sides(plan, health);
            let rows = rows.of((plan, like), &sides, None, health);
            let regions = answers(plan, &sides, ttl_of(plan, first_change(&sides)));
            policies.push(Live { like, sides, table: Arc::new(PolicyTable { rows, regions }) });
        }
        LiveTable { plans: Arc::clone(plans), policies, seats, rows }
    }

    /// The plans whose table it is.
    pub fn plans(&self) -> &Arc<[Arc<Plan>]> {
        &self.plans
    }

    /// Follows what `changes` tell of, after all of which `health` stands.
    pub fn follow(&mut self, changes: &[Changes], health: &impl Verdicts) {
        if changes.iter().any(|change| change.inventory) {
            *self = LiveTable::new(&self.plans, health);
            return;
        }
        let members = changes.iter().flat_map(|change| &change.members);
        let mut seats: Vec<Seat> =
            members.filter_map(|member| self.seats.get(member)).flatten().copied().collect();
        seats.sort_unstable();
        seats.dedup();
        // Shares move clients in every policy that has the region: nearly all of them.
        let moves_shares = changes.iter().any(|change| change.drains);
        if moves_shares {
            self.rows.known.clear();
        }
        let mut of_policies = seats.chunk_by(|a, b| a.policy == b.policy).peekable();
        for ((plan, live), policy) in self.plans.iter().zip(&mut self.policies).zip(0u16..) {
            let own = of_policies.next_if(|own| own.first().is_some_and(|s| s.policy == policy));
            if own.is_some() || moves_shares {
                live.follow(plan, own.unwrap_or_default(), &mut self.rows, health);
            }
        }
        self.rows.forget_spare(&self.policies);
    }

    /// The table as it is now.
    pub fn table(&self) -> Table {
        Table { policies: self.policies.iter().map(|live| Arc::clone(&live.table)).collect() }
    }
}

impl Live {
    /// Weighs the endpoints of `seats` again, and decides again.
    fn follow(
        &mut self,
        plan: &Plan,
        seats: &[Seat],
        shared: &mut SharedRows,
        health: &impl Verdicts,
    ) {
        let regions = if seats.is_empty() { None } else { self.weigh(plan, seats, health) };
        let old = &self.table;
        let rows = shared.of((plan, self.like), &self.sides, Some(&old.rows), health);
        // An unchanged policy keeps its Arc.
        if regions.is_some() || !Arc::ptr_eq(&rows, &old.rows) {
            let regions = regions.unwrap_or_else(|| Arc::clone(&old.regions));
            self.table = Arc::new(PolicyTable { rows, regions });
        }
    }

    /// Weighs the endpoints of `seats` again. Gives what regions give then, if that is another.
    fn weigh(
        &mut self,
        plan: &Plan,
        seats: &[Seat],
        health: &impl Verdicts,
    ) -> Option<Arc<[RegionAnswers]>> {
        let before = ttl_of(plan, first_change(&self.sides));
        let mut changed = Vec::new();
        for seat in seats {
            let (region, side) = (usize::from(seat.region), usize::from(seat.side));
            let of_plan = plan.regions.get(region)?.sides.get(side)?;
            let view = self.sides.get_mut(region)?.get_mut(side)?;
            let old = std::mem::replace(view, SideView::new(of_plan, health));
            if view.eligible != old.eligible {
                changed.push((region, side, of_plan));
            }
        }
        let ttl = ttl_of(plan, first_change(&self.sides));
        if ttl != before {
            return Some(answers(plan, &self.sides, ttl));
        }
        if changed.is_empty() {
            return None;
        }
        let mut regions = self.table.regions.to_vec();
        for (region, side, of_plan) in changed {
            let view = self.sides.get(region)?.get(side)?;
            *regions.get_mut(region)?.sides.get_mut(side)? =
                Arc::new(windows(plan, of_plan, view, ttl));
        }
        Some(regions.into())
    }
}

impl SharedRows {
    /// The rows of a plan and of those like it. The `old` ones, if they are the same.
    fn of(
        &mut self,
        (plan, like): (&Plan, u16),
        sides: &[[SideView; 2]],
        old: Option<&Arc<Rows>>,
        health: &impl Verdicts,
    ) -> Arc<Rows> {
        write_key(&mut self.key, like, sides);
        if let Some(rows) = self.known.get(&*self.key) {
            return Arc::clone(rows);
        }
        let fresh = rows(plan, &View::of(plan, bests(sides), health));
        let same = old.filter(|old| ***old == fresh).map(Arc::clone);
        let rows = same.unwrap_or_else(|| Arc::new(fresh));
        self.known.insert(self.key.as_slice().into(), Arc::clone(&rows));
        rows
    }

    fn forget_spare(&mut self, policies: &[Live]) {
        if self.known.len() <= policies.len() + SPARE_ROWS_MAX {
            return;
        }
        let key = |live: &Live| {
            let mut key = Vec::new();
            write_key(&mut key, live.like, &live.sides);
            key
        };
        let wanted: HashSet<Vec<u8>> = policies.iter().map(key).collect();
        self.known.retain(|key, _| wanted.contains(&**key));
    }
}

/// What rows depend on, as long as shares stand as they are.
fn write_key(key: &mut Vec<u8>, like: u16, sides: &[[SideView; 2]]) {
    key.clear();
    key.extend(like.to_be_bytes());
    key.extend(bests(sides).flatten().map(|best| best.map_or(u8::MAX, |tier| tier as u8)));
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::geo::World;
    use crate::health::{Action, Event, Expiry, LogTime, Settings, State, Subject, Timed};
    use crate::number::{ClassId, Digest, Generation, Revision};
    use crate::route::{Family, compile, parse_regions, parse_steering};

    const REGION_NAMES: [&str; 8] = ["fra", "iad", "syd", "sin", "gru", "nrt", "jnb", "ams"];

    /// Three policies that decide alike, and one that does not, each with a pool of its own.
    struct Platform {
        table: LiveTable,
        health: State,
        revision: u64,
    }

    impl Platform {
        fn new() -> Platform {
            let (mut regions, mut text) = (String::new(), String::new());
            for (name, at) in REGION_NAMES.iter().zip(0..) {
                writeln!(regions, "{name} = {{ position = [{at}.0, 0.0] }}").unwrap();
            }
            for (name, last) in [("a", "all"), ("b", "all"), ("c", "all"), ("d", "nodata")] {
                writeln!(text, "[policies.{name}]\npool = '{name}'\nunknown = ['syd']").unwrap();
                writeln!(text, "when_all_down = '{last}'\n[pools.{name}]").unwrap();
                for (region, at) in REGION_NAMES.iter().zip(0..) {
                    writeln!(text, "{region} = ['192.0.2.{at}', '192.0.2.10{at}']").unwrap();
                }
            }
            let steering = parse_steering("zones/x.toml", text.as_bytes()).0.unwrap();
            let regions = parse_regions("geo/regions.toml", regions.as_bytes()).0.unwrap();
            let world = World::unknown();
            let compiled = compile(&[steering], &regions, &world, None, &Settings::default());
            let health = State::default();
            let table = LiveTable::new(&compiled.plans, &health);
            let mut platform = Platform { table, health, revision: 0 };
            let (generation, inventory) = (Generation(1), compiled.inventory);
            let digest = Digest::default();
            platform.take([Event::Files { generation, digest, inventory, origin: None }]);
            platform
        }

        fn take(&mut self, events: impl IntoIterator<Item = Event>) {
            let timed = (self.revision + 1..).zip(events).map(|(revision, event)| {
                self.revision = revision;
                Timed { revision: Revision(revision), at: LogTime(revision), event }
            });
            let changes: Vec<Changes> = timed.map(|timed| self.health.apply(&timed)).collect();
            self.table.follow(&changes, &self.health);
        }

        fn override_(&mut self, subject: &str, action: Action) {
            self.take([overridden(subject, action)]);
        }

        /// Of each policy, the region that clients of unknown place get.
        fn regions(&self) -> [u16; 4] {
            let table = self.table.table();
            let region = |it: &Arc<PolicyTable>| {
                it.choice(ClassId(0), Family::V4, 0).unwrap().region.unwrap().0
            };
            [0, 1, 2, 3].map(|policy| region(&table.policies[policy]))
        }

        /// By policy, the first that has the very same rows.
        fn sharing(&self) -> [usize; 4] {
            let table = self.table.table();
            let rows = |policy: usize| Arc::as_ptr(&table.policies[policy].rows);
            [0, 1, 2, 3].map(|policy| (0..4).find(|&other| rows(other) == rows(policy)).unwrap())
        }
    }

    fn overridden(subject: &str, action: Action) -> Event {
        let subject = Subject::parse(subject).unwrap();
        let (expiry, why, who) = (Expiry::Forever, "".into(), "".into());
        Event::Override { subject, action, expiry, why, who }
    }

    #[test]
    fn one_endpoint_in_the_place_of_another_is_answered() {
        let mut platform = Platform::new();
        let answer = |platform: &Platform| {
            let table = platform.table.table();
            table.policies[0].choice(ClassId(0), Family::V4, 0).unwrap().answer.clone()
        };
        platform.override_("syd/a/192.0.2.102", Action::Down);
        let before = answer(&platform);
        let events = [("2", Action::Down), ("102", Action::Up)];
        platform.take(events.map(|(at, to)| overridden(&format!("syd/a/192.0.2.{at}"), to)));
        let (now, plan) = (answer(&platform), &platform.table.plans()[0]);
        assert_ne!(now, before);
        let filled = crate::route::fill(plan, &platform.health);
        assert_eq!(now, *filled.choice(ClassId(0), Family::V4, 0).unwrap().answer);
    }

    #[test]
    fn policies_that_decide_alike_share_their_rows() {
        let mut platform = Platform::new();
        assert_eq!((platform.regions(), platform.sharing()), ([2, 2, 2, 2], [0, 0, 0, 3]));
        platform.override_("syd/b", Action::Down);
        assert_eq!((platform.regions(), platform.sharing()), ([2, 0, 2, 2], [0, 1, 0, 3]));
        platform.override_("syd/c", Action::Down);
        assert_eq!((platform.regions(), platform.sharing()), ([2, 0, 0, 2], [0, 1, 1, 3]));
        let (over_millis, why, who) = (0, "".into(), "".into());
        platform.take([Event::Drain { region: "syd".into(), keep: 0, over_millis, why, who }]);
        assert_eq!((platform.regions(), platform.sharing()), ([0, 0, 0, 0], [0, 1, 1, 3]));
    }

    #[test]
    fn what_an_event_does_not_touch_is_left_as_it_is() {
        let mut platform = Platform::new();
        let before = platform.table.table();
        platform.override_("syd/b", Action::Down);
        let after = platform.table.table();
        let is_left =
            |policy: usize| Arc::ptr_eq(&before.policies[policy], &after.policies[policy]);
        assert_eq!([0, 1, 2, 3].map(is_left), [true, false, true, true]);
        // Nobody is drained that was not already.
        platform.override_("syd/b", Action::Down);
        assert!(Arc::ptr_eq(&after.policies[1], &platform.table.table().policies[1]));
    }

    #[test]
    fn rows_that_nobody_has_are_forgotten_in_the_end() {
        let mut platform = Platform::new();
        for turn in 0..256 {
            for (region, at) in REGION_NAMES.iter().zip(0..) {
                let action = if turn >> at & 1 == 1 { Action::Down } else { Action::Up };
                platform.override_(&format!("{region}/a"), action);
            }
        }
        assert!(platform.table.rows.known.len() <= 4 + SPARE_ROWS_MAX);
    }
}
