//! What the folded log gives alarm for: panics, vantages that fell silent, what dangles. Pure: it follows from the state
//! alone, so it is the same at every site, and the same when the log is read again.

use std::collections::BTreeMap;

use crate::alarm::Alarm;
use crate::health::{Freshness, LoadView, LogTime, Settings, State};

use super::alarms::{Standing, Subject};

/// How many endpoints of a pool lack evidence, and how many it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// Of these nobody speaks any more.
    pub frozen: usize,
    /// Of these some speak, too few for the quorum.
    pub stale: usize,
    /// All of them.
    pub count: usize,
}

/// What each pool lacks.
pub type Lacks = BTreeMap<Box<str>, Lack>;

impl Lack {
    /// Counts one endpoint more.
    pub fn add(&mut self, freshness: Freshness) {
        self.count += 1;
        if let Some(count) = self.of(freshness) {
            *count += 1;
        }
    }

    /// Counts an endpoint that was counted otherwise before.
    pub fn change(&mut self, before: Freshness, now: Freshness) {
        if let Some(count) = self.of(before) {
            *count -= 1;
        }
        if let Some(count) = self.of(now) {
            *count += 1;
        }
    }

    fn of(&mut self, freshness: Freshness) -> Option<&mut usize> {
        match freshness {
            Freshness::Frozen => Some(&mut self.frozen),
            Freshness::Stale => Some(&mut self.stale),
            Freshness::Fresh | Freshness::Never => None,
        }
    }
}

/// Counts what each pool lacks.
pub fn lacks(state: &State) -> Lacks {
    let mut pools = Lacks::new();
    for (member, standing) in state.members() {
        let pool = match pools.get_mut(&member.pool) {
            Some(pool) => pool,
            None => pools.entry(member.pool.clone()).or_default(),
        };
        pool.add(standing.freshness);
    }
    pools
}

/// The alarms that the state gives.
pub fn of(state: &State) -> Standing {
    with(state, &lacks(state))
}

/// The alarms that the state gives, where its pools' lacks are counted already.
pub fn with(state: &State, lacks: &Lacks) -> Standing {
    let mut standing = Standing::new();
    for (pool, lack) in lacks.iter().filter(|(_, lack)| lack.frozen + lack.stale > 0) {
        standing.extend(of_pool(state, pool, *lack));
    }
    standing.extend(panics(state));
    standing.extend(missing(state));
    standing.extend(dangling(state));
    standing.extend(over_capacity(state));
    standing
}

type Entry = ((Alarm, Subject), String);

/// The alarms of a pool's evidence.
pub fn of_pool(state: &State, pool: &str, lack: Lack) -> Vec<Entry> {
    let quorum = state.inventory().pools.get(pool).map_or(1, |settings| settings.quorum);
    let mut entries = Vec::new();
    if lack.frozen > 0 {
        let words = format!(
            "nobody looks at {} of the {} endpoints of pool {pool} any more; their last verdicts hold",
            lack.frozen, lack.count
        );
        entries.push(((Alarm::PoolFrozen, pool.into()), words));
    }
    if lack.stale > 0 {
        let words = format!(
            "pool {pool} wants {quorum} vantages, fewer look at {} of its {} endpoints (names without a \
             token count as one); their verdicts hold",
            lack.stale, lack.count
        );
        entries.push(((Alarm::BelowQuorum, pool.into()), words));
    }
    entries
}

/// Pools in panic.
pub fn panics(state: &State) -> impl Iterator<Item = Entry> {
    state.panics().map(|(pool, _)| {
        let words = format!("too much of pool {pool} turned down at once; nothing turns down");
        ((Alarm::Panic, pool.into()), words)
    })
}

/// Overrides and drains of what the files no longer know.
pub fn dangling(state: &State) -> impl Iterator<Item = Entry> {
    let overrides = state.overrides().filter(|one| one.dangling).map(|one| {
        let words = format!("the override of {} covers no endpoint in the files", one.subject);
        ((Alarm::Dangling, one.subject.to_string().into()), words)
    });
    let drains = state.drains().filter(|one| one.dangling).map(|one| {
        let words = format!("region {} is drained, and the files no longer know it", one.region);
        ((Alarm::Dangling, one.region.into()), words)
    });
    overrides.chain(drains)
}

/// Regions that have more load than they may, and nobody to take it.
pub fn over_capacity(state: &State) -> Vec<Entry> {
    let over = state.loads().into_iter().filter(|load| load.fresh && load.beyond_help);
    let entry = |load: LoadView<'_>| {
        let words = format!(
            "{} has {:.0} of {:.0}, and no next region has room",
            load.region,
            load.load.unwrap_or_default(),
            load.capacity.load
        );
        ((Alarm::OverCapacity, load.region.into()), words)
    };
    over.map(entry).collect()
}

/// Whether an alarm comes by time alone, and no change of the state tells of it.
pub fn is_of_time(alarm: Alarm) -> bool {
    alarm == Alarm::VantageMissing
}

/// Vantages that fell silent.
pub fn missing(state: &State) -> impl Iterator<Item = Entry> {
    let (now, limit) = (state.now(), silence_millis(state));
    let silent = state.vantages().filter(move |vantage| is_missing(vantage.heard, now, limit));
    silent.map(|vantage| missing_entry(vantage.name))
}

/// The alarm of a vantage that fell silent.
pub fn missing_entry(vantage: &str) -> Entry {
    ((Alarm::VantageMissing, vantage.into()), format!("vantage {vantage} fell silent"))
}

/// Whether a vantage that spoke last at `heard` has been silent for longer than `limit` milliseconds.
pub fn is_missing(heard: LogTime, now: LogTime, limit: u64) -> bool {
    now.millis_since(heard) > limit
}

/// How long a vantage may be silent, in milliseconds: until its word is stale in the most patient pool.
pub fn silence_millis(state: &State) -> u64 {
    let pools = state.inventory().pools.values().map(Settings::stale_millis);
    pools.max().unwrap_or_else(|| Settings::default().stale_millis())
}
