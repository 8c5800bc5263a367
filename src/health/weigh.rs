//! Weighing: endpoints judged anew after something changed, pool by pool, because panic looks at a whole pool.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::number::Revision;

use super::event::{Action, LogTime, Status};
use super::state::{PANIC_WINDOW_MILLIS, Pool, State, tier};
use super::subject::Member;
use super::verdict::{Case, Cause, Finding, Orders, Standing, Tier, judge};

/// What made endpoints be weighed.
#[derive(Clone, Copy)]
pub(super) struct Round {
    /// The event.
    pub revision: Revision,
    /// In which way it touched them.
    pub cause: Cause,
}

/// What weighing changed.
#[derive(Default)]
pub(super) struct Moved {
    /// Endpoints whose standing changed.
    pub members: BTreeSet<Arc<Member>>,
    /// Pools whose panic began or ended.
    pub pools: BTreeSet<Box<str>>,
    /// Whether a drain made a step.
    pub drains: bool,
}

impl State {
    /// Judges `members` at `self.now` and takes what comes of it.
    pub(super) fn weigh(&mut self, members: &[Arc<Member>], round: Round, moved: &mut Moved) {
        self.weigh_once(members, round, moved);
        // A feed that was disbelieved and then falls silent did not take its words back: its silence ends no panic.
        if round.cause != Cause::Time {
            let calm = self.end_panics(members, moved);
            self.weigh_once(&calm, round, moved);
        }
    }

    fn weigh_once(&mut self, members: &[Arc<Member>], round: Round, moved: &mut Moved) {
        // All that one event turns counts together: a pool is believed or disbelieved as a whole, so that no region
        // is left half down by the order of its endpoints.
        let mut turning: BTreeMap<&str, usize> = BTreeMap::new();
        let mut findings = Vec::with_capacity(members.len());
        for member in members {
            let orders = self.orders(member);
            let Some(finding) = self.note(member, orders, round.cause) else { continue };
            if finding.turn == Some(Status::Down) && !orders.accepted {
                *turning.entry(&member.pool).or_default() += 1;
            }
            findings.push((member, orders, finding));
        }
        for (pool, count) in turning {
            self.begin_panic(pool, count, moved);
        }
        for (member, orders, finding) in findings {
            if self.commit(member, orders, finding, round) {
                moved.members.insert(Arc::clone(member));
            }
        }
    }

    /// Judges an endpoint that is in the files as if its pool were not in panic, and counts it if a quorum calls it
    /// down.
    fn note(&mut self, member: &Member, orders: Orders, cause: Cause) -> Option<Finding> {
        let settings = self.settings(&member.pool);
        let endpoint = self.endpoints.get_mut(member).filter(|e| e.gone.is_none())?;
        let endpoint = Arc::make_mut(endpoint);
        let finding = judge(&endpoint.case(self.now, &settings, orders, cause));
        let opined_down = finding.wish == Some(Status::Down) && !orders.accepted;
        if opined_down != endpoint.opined_down
            && let Some(pool) = self.pools.get_mut(&member.pool)
        {
            pool.opined_down += usize::from(opined_down);
            pool.opined_down -= usize::from(endpoint.opined_down);
            endpoint.opined_down = opined_down;
            endpoint.hash.forget();
        }
        Some(finding)
    }

    /// Judges it again, as its pool stands.
    fn finding(&self, member: &Member, orders: Orders, cause: Cause) -> Option<Finding> {
        let settings = self.settings(&member.pool);
        let panic = self.panics.contains_key(&member.pool);
        let endpoint = self.endpoints.get(member)?;
        Some(judge(&Case { panic, ..endpoint.case(self.now, &settings, orders, cause) }))
    }

    fn begin_panic(&mut self, pool: &str, turning: usize, moved: &mut Moved) {
        let now = self.now;
        let recent = self.pools.get_mut(pool).map_or(0, |pool| pool.turned_down_lately(now));
        if !self.panics.contains_key(pool) && self.is_too_many(pool, recent + turning) {
            self.panics.insert(pool.into(), now);
            moved.pools.insert(pool.into());
        }
    }

    /// Ends the panics that no longer have a cause, and tells the endpoints that waited for it.
    fn end_panics(&mut self, members: &[Arc<Member>], moved: &mut Moved) -> Vec<Arc<Member>> {
        let touched: BTreeSet<&str> = members.iter().map(|member| &*member.pool).collect();
        let mut waiting = Vec::new();
        for name in touched {
            let Some(pool) = self.pools.get(name) else { continue };
            if !self.panics.contains_key(name) || self.is_too_many(name, pool.opined_down) {
                continue;
            }
            waiting.extend(pool.members.iter().cloned());
            self.panics.remove(name);
            moved.pools.insert(name.into());
        }
        waiting
    }

    /// Takes the finding on one endpoint; tells whether its standing changed in more than the hour of its next change.
    fn commit(
        &mut self,
        member: &Arc<Member>,
        orders: Orders,
        mut finding: Finding,
        round: Round,
    ) -> bool {
        if finding.wish == Some(Status::Down) && self.panics.contains_key(&member.pool) {
            let Some(doubted) = self.finding(member, orders, round.cause) else { return false };
            finding = doubted;
        }
        if let Some(verdict) = finding.turn {
            self.turn(member, verdict);
            let Some(after) = self.finding(member, orders, round.cause) else { return false };
            finding = after;
        }
        let endpoint = self.endpoints.get_mut(&**member).map(Arc::make_mut);
        let Some(endpoint) = endpoint else { return false };
        endpoint.hash.forget();
        (endpoint.wish, endpoint.recovering) = (finding.wish, finding.recovering);
        self.calendar.move_to(member, endpoint.due, finding.due);
        endpoint.due = finding.due;
        let tier = match orders.action {
            Some(Action::Up) => Tier::Up,
            Some(Action::Down) => Tier::OverriddenDown,
            Some(Action::Hold | Action::Accept) | None => tier(endpoint.verdict),
        };
        let before = endpoint.standing.clone();
        let (since, since_revision) = match before.tier == tier {
            true => (before.since, before.since_revision),
            false => (self.now, round.revision),
        };
        endpoint.standing = Standing {
            tier,
            verdict: endpoint.verdict,
            reason: finding.reason,
            since,
            since_revision,
            freshness: finding.freshness,
            next_change: finding.next_change,
            steady_millis: finding.next_change.map(|at| at.millis_since(self.now)),
        };
        endpoint.standing != Standing { next_change: finding.next_change, ..before }
    }

    fn turn(&mut self, member: &Member, verdict: Status) {
        let now = self.now;
        let Some(endpoint) = self.endpoints.get_mut(member).map(Arc::make_mut) else { return };
        if let Some(pool) = self.pools.get_mut(&member.pool) {
            match (endpoint.verdict.is_down(), verdict.is_down(), endpoint.turned) {
                (false, true, _) => *pool.turned_down.entry(now).or_default() += 1,
                (true, false, Some(turned)) => pool.forget_turn(turned),
                (true, false, None) | (false, false, _) | (true, true, _) => {}
            }
        }
        endpoint.hash.forget();
        endpoint.verdict = verdict;
        endpoint.turned = Some(now);
        endpoint.recovering = None;
    }
}

impl Pool {
    /// How many turned down within the window that ends now, and are still so.
    fn turned_down_lately(&mut self, now: LogTime) -> usize {
        self.turned_down.retain(|turned, _| now.millis_since(*turned) < PANIC_WINDOW_MILLIS);
        self.turned_down.values().sum()
    }

    fn forget_turn(&mut self, turned: LogTime) {
        if let Some(count) = self.turned_down.get_mut(&turned) {
            *count -= 1;
            if *count == 0 {
                self.turned_down.remove(&turned);
            }
        }
    }
}
