//! Load: how busy each region is, by what vantages report, and what of its clients it sheds for it.
//!
//! Owns:  readings (the lower median of the fresh vantages, smoothed), the shed share of each border, and who rests.
//! Never: counts queries: what this server sees is not what the others see, and every site has to decide alike.
//!
//! A region is looked at when a load of it is told, and when its rest ends; so it makes no difference whether ticks were
//! written. A load that nobody tells any more changes nothing: silence is not emptiness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::number::Revision;

use super::balance::{Border, Busy, Scales};
use super::drain::KEEP_ALL;
use super::event::{Capacity, LogTime, Report};
use super::shed::{Reading, Shed};
use super::state::State;
use super::subject::{Member, Subject};
use super::verdict::Tier;

/// The least time between two readings of a region, in milliseconds: a walk over its endpoints each.
const READING_MILLIS_MIN: u64 = 1_000;

/// What a TTL is taken to be where no policy says: 10 s, in milliseconds.
const TTL_MILLIS_MIN: u64 = 10_000;

/// Parts that the weight of a border is told in.
pub(super) const WEIGHT_ALL: u32 = 65_536;

/// How busy a region is, and what it does about it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadView<'s> {
    /// Which.
    pub region: &'s str,
    /// What it can take.
    pub capacity: Capacity,
    /// Its load, smoothed; none before any was told.
    pub load: Option<f64>,
    /// When it was last told.
    pub at: Option<LogTime>,
    /// Whether that still counts.
    pub fresh: bool,
    /// Until when it neither gives nor takes.
    pub rests_until: Option<LogTime>,
    /// Whether it is over its high mark, and no neighbour has room.
    pub beyond_help: bool,
    /// To whom it sheds, and how many 256ths of the border.
    pub sheds: Vec<(&'s str, u16)>,
}

impl LoadView<'_> {
    /// Whether its load is told, and still counts.
    pub fn is_known(&self) -> bool {
        self.fresh && self.load.is_some()
    }
}

impl State {
    /// To whom a region sheds, and how many 256ths of the border to it.
    pub fn sheds<'s>(&'s self, region: &str) -> Vec<(&'s str, u16)> {
        let ours = self.sheds.iter().filter(|((from, _), _)| **from == *region);
        ours.map(|((_, to), shed)| (&**to, shed.share)).collect()
    }

    /// The regions that have a capacity, by name.
    pub fn loads(&self) -> Vec<LoadView<'_>> {
        let scales = self.scales();
        let views = self.inventory.capacities.iter().map(|(region, capacity)| {
            let reading = self.loads.get(region);
            LoadView {
                region,
                capacity: *capacity,
                load: reading.map(|reading| reading.load),
                at: reading.map(|reading| reading.at),
                fresh: reading.is_some_and(|reading| self.is_told(reading)),
                rests_until: self.rests.get(region).copied(),
                beyond_help: scales.is_beyond_help(region),
                sheds: self.sheds(region),
            }
        });
        views.collect()
    }

    /// Takes the load that came with a report; tells whether a share of a border changed.
    pub(super) fn take_load(
        &mut self,
        report: &Report,
        covered: &[Arc<Member>],
        revision: Revision,
    ) -> bool {
        if report.load.is_none() || self.inventory.capacities.is_empty() {
            return false;
        }
        let named = report.subject.region.iter().cloned();
        let regions: BTreeSet<Box<str>> =
            covered.iter().map(|member| member.region.clone()).chain(named).collect();
        self.read_all(regions, revision)
    }

    /// Takes the loads that a heartbeat reaffirmed.
    pub(super) fn retake_loads(&mut self, revision: Revision) -> bool {
        let regions: Vec<Box<str>> = self.inventory.capacities.keys().cloned().collect();
        self.read_all(regions, revision)
    }

    fn read_all(
        &mut self,
        regions: impl IntoIterator<Item = Box<str>>,
        revision: Revision,
    ) -> bool {
        let mut is_read = false;
        for region in regions {
            is_read |= self.read(&region);
        }
        is_read && self.rebalance(revision)
    }

    /// Ends the rests that are over; tells whether a share of a border changed.
    pub(super) fn end_rests(&mut self, revision: Revision) -> bool {
        let (now, count) = (self.now, self.rests.len());
        self.rests.retain(|_, until| *until > now);
        self.rests.len() < count && self.rebalance(revision)
    }

    /// When the first rest ends.
    pub(super) fn first_rest(&self) -> Option<LogTime> {
        self.rests.values().min().copied()
    }

    /// Drops what the files no longer know; tells whether that moves anybody.
    pub(super) fn forget_loads(&mut self) -> bool {
        let (inventory, count) = (&self.inventory, self.sheds.len());
        let knows = |region: &str| inventory.capacities.contains_key(region);
        self.loads.retain(|region, _| knows(region));
        self.rests.retain(|region, _| knows(region));
        self.sheds.retain(|border, _| {
            inventory.borders.contains_key(border) && knows(&border.0) && knows(&border.1)
        });
        self.sheds.len() < count
    }

    /// Takes the reading of a region anew; tells whether it did.
    fn read(&mut self, region: &str) -> bool {
        let now = self.now;
        let is_early = |reading: &Reading| now.millis_since(reading.at) < READING_MILLIS_MIN;
        if !self.inventory.capacities.contains_key(region)
            || self.loads.get(region).is_some_and(is_early)
        {
            return false;
        }
        let Some(told) = self.told(region) else { return false };
        let tau = (self.ttl_millis() / 2).max(1) as f64;
        let known = self.loads.get(region).filter(|reading| self.is_told(reading));
        let load = known.map_or(told, |reading| {
            // What an exponential would forget, without one: each machine rounds products alike.
            let passed = now.millis_since(reading.at) as f64;
            reading.load + (told - reading.load) * (passed / (passed + tau))
        });
        self.loads.insert(region.into(), Reading { load, at: now });
        true
    }

    /// The lower median of what the fresh vantages tell: a liar among three moves nothing upwards.
    fn told(&self, region: &str) -> Option<f64> {
        let mut by_vantage: BTreeMap<&str, f64> = BTreeMap::new();
        let first = Member { region: region.into(), pool: "".into(), address: "".into() };
        for (member, endpoint) in self.endpoints.range::<Member, _>(&first..) {
            if *member.region != *region {
                break;
            }
            let stale_millis = self.settings(&member.pool).stale_millis();
            for (vantage, opinion) in &endpoint.opinions {
                if let Some(load) =
                    opinion.load.filter(|_| opinion.is_fresh(self.now, stale_millis))
                {
                    *by_vantage.entry(vantage).or_default() += load;
                }
            }
        }
        // Who speaks of the region as a whole knows better than the sum of what it says of endpoints.
        let whole = Subject { region: Some(region.into()), ..Subject::default() };
        let stale_millis = self.settings("").stale_millis();
        for (name, vantage) in &self.vantages {
            let word = vantage.words.get(&whole).filter(|w| w.is_fresh(self.now, stale_millis));
            if let Some(load) = word.and_then(|word| word.load) {
                by_vantage.insert(name, load);
            }
        }
        let mut all: Vec<f64> = by_vantage.into_values().collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len().checked_sub(1)? / 2).copied()
    }

    fn is_told(&self, reading: &Reading) -> bool {
        self.now.millis_since(reading.at) < self.settings("").stale_millis()
    }

    /// Whether a region takes clients at all: it is not drained, and an endpoint of it is up or degraded.
    fn is_serving(&self, region: &str) -> bool {
        let first = Member { region: region.into(), pool: "".into(), address: "".into() };
        let ours = self.endpoints.range::<Member, _>(&first..);
        let mut ours = ours.take_while(|(member, _)| *member.region == *region);
        self.keep(region) == KEEP_ALL
            && ours.any(|(_, e)| {
                e.gone.is_none() && matches!(e.standing.tier, Tier::Up | Tier::Degraded)
            })
    }

    fn ttl_millis(&self) -> u64 {
        self.inventory.ttl_max_millis.max(TTL_MILLIS_MIN)
    }

    fn scales(&self) -> Scales<'_> {
        let regions = self.inventory.capacities.iter().filter_map(|(region, capacity)| {
            let reading = self.loads.get(region)?;
            let free = self.is_told(reading)
                && !self.rests.contains_key(region)
                && self.is_serving(region);
            Some((&**region, Busy { load: reading.load, capacity: *capacity, free }))
        });
        let borders = self.inventory.borders.iter().map(|(border, weight)| {
            let share = self.sheds.get(border).map_or(0, |shed| shed.share);
            let weight = f64::from(*weight) / f64::from(WEIGHT_ALL);
            Border { from: &border.0, to: &border.1, weight, share }
        });
        Scales { regions: regions.collect(), borders: borders.collect() }
    }

    /// Moves borders until nobody who is free needs it. Who gave or took rests for two TTLs: so long it takes until what
    /// was moved shows in the load.
    fn rebalance(&mut self, revision: Revision) -> bool {
        let mut moved = false;
        // Each move has two regions rest: it ends.
        while let Some((from, to, share)) =
            self.scales().next().map(|m| (Box::from(m.from), Box::from(m.to), m.share))
        {
            let until = self.now.plus_millis(2 * self.ttl_millis());
            self.rests.insert(Box::clone(&from), until);
            self.rests.insert(Box::clone(&to), until);
            match share {
                0 => drop(self.sheds.remove(&(from, to))),
                share => {
                    let shed = Shed { share, since: self.now, revision };
                    self.sheds.insert((from, to), shed);
                }
            }
            moved = true;
        }
        moved
    }
}
