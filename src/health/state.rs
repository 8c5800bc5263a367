//! The state: all that health remembers, and how to find things in it.
//!
//! Every map is ordered, so that nothing depends on the order of insertion. What is marked *derived* follows from the
//! rest and is neither written nor hashed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};
use crate::reason::Reason;

use super::cached::Cached;
use super::calendar::Calendar;
use super::drain::{Drain, KEEP_ALL};
use super::event::{Action, Expiry, Inventory, LogTime, Settings, Status};
use super::ledger::{Opinion, Vantage};
use super::shed::{Reading, Shed};
use super::subject::{Member, Subject};
use super::verdict::{Case, Cause, Freshness, Orders, Standing, Tier};

/// How long an endpoint, a waiting word or a silent vantage is remembered, in milliseconds: 7 days.
pub(super) const MEMORY_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Turns within this many milliseconds count together for panic: 60 s.
pub(super) const PANIC_WINDOW_MILLIS: u64 = 60_000;

/// Vantages remembered at once. A guess, to be measured.
pub(super) const VANTAGE_COUNT_MAX: usize = 1_000;

/// Words kept that wait for their endpoint or speak of many, all vantages together. A guess, to be measured.
pub(super) const WORD_COUNT_MAX: usize = 100_000;

/// Overrides that stand at once. A guess, to be measured: each is asked for each endpoint that is weighed.
pub(super) const OVERRIDE_COUNT_MAX: usize = 1_000;

/// All that health remembers.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) now: LogTime,
    pub(super) revision: Option<Revision>,
    pub(super) generation: Generation,
    pub(super) files: Digest,
    pub(super) inventory: Arc<Inventory>,
    /// Derived.
    pub(super) inventory_hash: Cached,
    pub(super) vantages: BTreeMap<Box<str>, Vantage>,
    /// Shared with older copies of the state, as is what is derived and large: a copy costs counts, not contents.
    pub(super) endpoints: BTreeMap<Arc<Member>, Arc<Endpoint>>,
    pub(super) overrides: BTreeMap<Subject, Override>,
    pub(super) drains: BTreeMap<Box<str>, Drain>,
    /// How busy regions are.
    pub(super) loads: BTreeMap<Box<str>, Reading>,
    /// What of each border is shed: from whom, to whom.
    pub(super) sheds: BTreeMap<(Box<str>, Box<str>), Shed>,
    /// Until when regions neither give nor take clients.
    pub(super) rests: BTreeMap<Box<str>, LogTime>,
    /// Since when each pool in panic is so.
    pub(super) panics: BTreeMap<Box<str>, LogTime>,
    /// Derived.
    pub(super) pools: BTreeMap<Box<str>, Pool>,
    /// Derived.
    pub(super) by_address: Arc<BTreeMap<Box<str>, Vec<Arc<Member>>>>,
    /// Derived.
    pub(super) calendar: Calendar,
    /// Derived: nothing is to be forgotten before this time.
    pub(super) forget_at: Option<LogTime>,
}

/// One endpoint in one pool, in the files or remembered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Endpoint {
    /// What the vantages say.
    pub opinions: BTreeMap<Box<str>, Opinion>,
    /// Whether anything was ever reported.
    pub reported: bool,
    /// The verdict.
    pub verdict: Status,
    /// When it last turned; none if it is still the start verdict.
    pub turned: Option<LogTime>,
    /// What the quorum wanted when it was last weighed.
    pub wish: Option<Status>,
    /// Since when a quorum calls it up although its verdict is down.
    pub recovering: Option<LogTime>,
    /// When it left the files; none while it is in them.
    pub gone: Option<LogTime>,
    /// What others are told.
    pub standing: Standing,
    /// When it is to be weighed again.
    pub due: Option<LogTime>,
    /// Derived: whether its pool counts it among those that a quorum calls down.
    pub opined_down: bool,
    /// Derived: the hash of all the rest.
    pub hash: Cached,
}

/// An operator's decision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Override {
    pub action: Action,
    pub expiry: Expiry,
    pub why: Box<str>,
    pub who: Box<str>,
    pub since: LogTime,
    pub revision: Revision,
}

/// What panic asks of a pool, kept as counts so that weighing one endpoint does not look at all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    pub members: Arc<Vec<Arc<Member>>>,
    /// Endpoints that a quorum calls down, those under `accept` aside.
    pub opined_down: usize,
    /// Endpoints that turned down and are still so, by the time of their turn; older than the window are dropped.
    pub turned_down: BTreeMap<LogTime, usize>,
}

impl Override {
    /// Whether it still stands at `now`.
    pub fn stands(&self, now: LogTime) -> bool {
        match self.expiry {
            Expiry::At(at) => now < at,
            Expiry::Forever => true,
        }
    }
}

impl Endpoint {
    /// An endpoint that nothing was decided of yet.
    pub fn new(start: Status, now: LogTime, revision: Revision) -> Endpoint {
        let standing = Standing {
            tier: tier(start),
            verdict: start,
            reason: Reason::NeverReported,
            since: now,
            since_revision: revision,
            freshness: Freshness::Never,
            next_change: None,
            steady_millis: None,
        };
        Endpoint {
            opinions: BTreeMap::new(),
            reported: false,
            verdict: start,
            turned: None,
            wish: None,
            recovering: None,
            gone: None,
            standing,
            due: None,
            opined_down: false,
            hash: Cached::default(),
        }
    }

    /// The case to be judged, as if its pool were not in panic.
    pub fn case<'a>(
        &'a self,
        now: LogTime,
        settings: &'a Settings,
        orders: Orders,
        cause: Cause,
    ) -> Case<'a> {
        Case {
            now,
            settings,
            reported: self.reported,
            opinions: &self.opinions,
            verdict: self.verdict,
            wish: self.wish,
            cause,
            turned: self.turned,
            recovering: self.recovering,
            orders,
            panic: false,
        }
    }
}

/// The tier that a verdict gives where no override stands.
pub(super) fn tier(verdict: Status) -> Tier {
    match verdict {
        Status::Up => Tier::Up,
        Status::Degraded => Tier::Degraded,
        Status::Down => Tier::Down,
    }
}

impl State {
    /// What is known of an endpoint in a pool.
    pub fn standing(&self, member: &Member) -> Standing {
        match self.endpoints.get(member) {
            Some(endpoint) => endpoint.standing.clone(),
            None => {
                let start = self.settings(&member.pool).start;
                Endpoint::new(start, LogTime::default(), Revision::default()).standing
            }
        }
    }

    /// How many 256ths of its clients a region keeps: 256 when it is not drained, 0 when it is wholly.
    pub fn keep(&self, region: &str) -> u16 {
        self.drains.get(region).map_or(KEEP_ALL, |drain| drain.keep)
    }

    /// … and how many when the drain that is under way is done.
    pub(super) fn keep_in_the_end(&self, region: &str) -> u16 {
        self.drains.get(region).map_or(KEEP_ALL, |drain| drain.to)
    }

    /// The earliest log time at which a `Tick` would change something.
    pub fn deadline(&self) -> Option<LogTime> {
        let step = self.drains.values().filter_map(Drain::due).min();
        let others = [self.first_expiry(), step, self.first_rest()];
        others.into_iter().chain([self.calendar.first()]).flatten().min()
    }

    /// When the first override expires.
    pub(super) fn first_expiry(&self) -> Option<LogTime> {
        let expiries = self.overrides.values().filter_map(|o| match o.expiry {
            Expiry::At(at) => Some(at),
            Expiry::Forever => None,
        });
        expiries.min()
    }

    /// The settings of a pool; the defaults for a pool that the files do not know.
    pub(super) fn settings(&self, pool: &str) -> Settings {
        self.inventory.pools.get(pool).copied().unwrap_or_default()
    }

    /// The endpoints that `subject` covers, in the files or remembered, in order.
    pub(super) fn covered(&self, subject: &Subject) -> Vec<Arc<Member>> {
        if let Some(member) = subject.exact() {
            let found = self.endpoints.get_key_value(&member);
            return found.map(|(member, _)| Arc::clone(member)).into_iter().collect();
        }
        let covers = |member: &&Arc<Member>| subject.covers(member);
        match &subject.address {
            Some(address) if !subject.is_pattern() => {
                let same = self.by_address.get(address).map_or(&[][..], Vec::as_slice);
                same.iter().filter(covers).cloned().collect()
            }
            Some(_) | None => self.endpoints.keys().filter(covers).cloned().collect(),
        }
    }

    /// What operators have ordered for `member`: an endpoint's override beats a pool's, a pool's a region's, a
    /// region's one on everything, and the later one its equals.
    pub(super) fn orders(&self, member: &Member) -> Orders {
        let mut orders = Orders::default();
        let mut authority = None;
        for (subject, decision) in &self.overrides {
            if !subject.covers(member) {
                continue;
            }
            if let Expiry::At(at) = decision.expiry {
                orders.expires = Some(orders.expires.map_or(at, |earlier| earlier.min(at)));
            }
            match decision.action {
                Action::Accept => orders.accepted = true,
                Action::Hold => orders.frozen = true,
                Action::Up | Action::Down => {}
            }
            let rank = Some((subject.closeness(), decision.since, decision.revision));
            if decision.action != Action::Accept && rank > authority {
                (authority, orders.action) = (rank, Some(decision.action));
            }
        }
        orders
    }

    /// Whether `count` endpoints are more of the pool than its `max_down_share`.
    pub(super) fn is_too_many(&self, pool: &str, count: usize) -> bool {
        let total = self.pools.get(pool).map_or(0, |p| p.members.len());
        count as f64 > self.settings(pool).max_down_share * total as f64
    }

    /// Builds what is derived from the rest.
    pub(super) fn derive(&mut self) {
        let mut pools: BTreeMap<Box<str>, Pool> = BTreeMap::new();
        let mut by_address: BTreeMap<Box<str>, Vec<Arc<Member>>> = BTreeMap::new();
        self.calendar = Calendar::default();
        for (member, endpoint) in &self.endpoints {
            let same = by_address.entry(member.address.clone()).or_default();
            same.push(Arc::clone(member));
            if endpoint.gone.is_some() {
                continue;
            }
            self.calendar.move_to(member, None, endpoint.due);
            let pool = pools.entry(member.pool.clone()).or_default();
            Arc::make_mut(&mut pool.members).push(Arc::clone(member));
            pool.opined_down += usize::from(endpoint.opined_down);
            if let (Status::Down, Some(turned)) = (endpoint.verdict, endpoint.turned) {
                *pool.turned_down.entry(turned).or_default() += 1;
            }
        }
        self.panics.retain(|pool, _| pools.contains_key(pool));
        self.pools = pools;
        self.by_address = Arc::new(by_address);
        self.forget_at = self.first_to_forget();
    }

    /// The earliest time at which something may be forgotten.
    pub(super) fn first_to_forget(&self) -> Option<LogTime> {
        let vantages = self
            .vantages
            .values()
            .flat_map(|vantage| vantage.words.values().map(|word| word.at).chain([vantage.heard]));
        let gone = self.endpoints.values().filter_map(|endpoint| endpoint.gone);
        vantages.chain(gone).min().map(|at| at.plus_millis(MEMORY_MILLIS))
    }
}
