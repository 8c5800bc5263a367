//! Response rate limiting: how many responses over UDP a network gets, so that a server that answers whoever it is told to
//! answer is no use against others.
//!
//! Owns:  the accounts of one core, a fixed number of them in memory taken once; what becomes of a response whose account
//!        is overdrawn.
//! Never: reads a clock, locks, allocates after its making, or looks into a message.
//!
//! An account is a leaky bucket. Each response is charged to two: to the one of what it says and whom it goes to, and to
//! the one of all that goes there. What is refused is charged as well, so that a flood gets nothing while it lasts.
//! Whoever has no account begins one, in the place of the least indebted of its bucket: a flood of forged sources pushes out
//! those who owe nothing, and they lose nothing by it.

use std::hash::Hasher;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use crate::answer::{Outcome, RATE_WINDOW_SECS_MAX, RateLimits, ResponseClass};

/// Accounts of one bucket: those that one line of the cache holds.
const WAY_COUNT: usize = 8;

/// Responses that an account has room for, however few it gets a second: a core sees only its part of a client, and not
/// evenly.
const BURST_COUNT_MIN: u32 = 16;

/// The account of all that goes to a network: of no class.
const ALL_KEY: u64 = 7;

/// The longest that one response costs. With it no time of an account is as far ahead as half of what 32 bits count.
const STEP_MICROS_MAX: u32 = 60_000_000;

/// What becomes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Within,
    /// It is over the limit, and sent: limits are only watched.
    Watched,
    /// It is over the limit, and sent all the same, as one of many is.
    Leaked,
    /// It is over the limit, and sent truncated.
    Truncated,
    /// It is over the limit, and not sent.
    Dropped,
}

/// The accounts of one core.
pub struct RateLimiter {
    limits: RateLimits,
    /// What one response costs, by kind, and any response.
    classes: [Charge; ResponseClass::ALL.len()],
    all: Charge,
    buckets: Box<[Bucket]>,
    seed: SharedSeed,
    /// Responses over their limit so far.
    over: u32,
    /// The network that was last over its limit.
    last_over: u64,
}

/// What one response costs an account, in microseconds of its time.
#[derive(Clone, Copy, Debug)]
struct Charge {
    /// 0: nothing.
    step: u32,
    /// So far ahead an account is good.
    burst: u32,
    /// So far ahead it is at most.
    most: u32,
}

/// Accounts that are looked through together. A mark of 0 is an empty place.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    marks: [u32; WAY_COUNT],
    /// When each would have been paid off, in microseconds; wraps.
    due: [u32; WAY_COUNT],
}

impl Charge {
    /// That of a core, where `core_count` of them get even parts of `per_second`.
    fn of(per_second: u32, core_count: usize, window: Duration) -> Charge {
        let step = match per_second {
            0 => 0,
            per_second => {
                let step = 1_000_000 * core_count.max(1) as u64 / u64::from(per_second);
                step.clamp(1, STEP_MICROS_MAX.into()) as u32
            }
        };
        // The worth of one second, in all.
        let burst = step.saturating_mul(BURST_COUNT_MIN).max(1_000_000);
        let window = window.as_micros().min(u128::from(RATE_WINDOW_SECS_MAX) * 1_000_000) as u32;
        Charge { step, burst, most: burst.saturating_add(window) }
    }
}

impl RateLimiter {
    /// Accounts for one of `core_count` cores that share a client's queries; none where nothing is limited.
    pub fn new(limits: &RateLimits, core_count: usize, random: u64) -> Option<RateLimiter> {
        if !limits.is_on() {
            return None;
        }
        let charge = |per_second| Charge::of(per_second, core_count, limits.window);
        let bucket_count = limits.accounts.div_ceil(WAY_COUNT).next_power_of_two();
        Some(RateLimiter {
            classes: ResponseClass::ALL.map(|class| charge(limits.per_second.of(class))),
            all: charge(limits.all_per_second),
            limits: limits.clone(),
            buckets: vec![Bucket::default(); bucket_count].into(),
            seed: SharedSeed::from_u64(random),
            over: 0,
            last_over: 0,
        })
    }

    /// Charges a response, and tells what becomes of it. `now_micros` is the time of day, wrapped; a clock that is set
    /// forgives what was owed.
    #[inline]
    pub fn judge(&mut self, client: IpAddr, outcome: &Outcome, now_micros: u32) -> Verdict {
        if outcome.proven || self.limits.exempt.contains(client) {
            return Verdict::Within;
        }
        let network = self.limits.network(client);
        let charge = self.classes.get(outcome.account.class()).copied().unwrap_or(self.all);
        // A kind that is not limited has no account. Neither has any response where all are as many as asked for.
        let own =
            charge.step > 0 && self.overdraws(network, outcome.account.key(), charge, now_micros);
        let all = self.all.step > 0 && self.overdraws(network, ALL_KEY, self.all, now_micros);
        if own || all { self.refuse(network) } else { Verdict::Within }
    }

    /// The network that was last over its limit; 0 is none.
    pub fn last_over(&self) -> u64 {
        self.last_over
    }

    #[cold]
    fn refuse(&mut self, network: u64) -> Verdict {
        self.last_over = network;
        if self.limits.log_only {
            return Verdict::Watched;
        }
        self.over = self.over.wrapping_add(1);
        let is_each = |of: u32| of > 0 && self.over.is_multiple_of(of);
        if is_each(self.limits.leak) {
            Verdict::Leaked
        } else if is_each(self.limits.slip) {
            Verdict::Truncated
        } else {
            Verdict::Dropped
        }
    }

    /// Charges an account, and tells whether it has no room for it.
    #[inline]
    fn overdraws(&mut self, network: u64, key: u64, charge: Charge, now: u32) -> bool {
        let mut hasher = FoldHasher::with_seed(key, &self.seed);
        hasher.write_u64(network);
        let hash = hasher.finish();
        let mark = (hash >> 32) as u32 | 1;
        let at = hash as usize & (self.buckets.len() - 1);
        let Some(bucket) = self.buckets.get_mut(at) else { return false };
        let way = bucket.way(mark, now);
        let ahead = bucket.ahead(way, now).min(charge.most) + charge.step;
        bucket.marks[way] = mark;
        bucket.due[way] = now.wrapping_add(ahead.min(charge.most));
        ahead > charge.burst
    }
}

impl Bucket {
    /// Where the account of this mark is, or is to be: in the place of the least indebted, which has its debt forgiven.
    #[inline]
    fn way(&mut self, mark: u32, now: u32) -> usize {
        if let Some(way) = self.marks.iter().position(|other| *other == mark) {
            return way;
        }
        let way = (0..WAY_COUNT).min_by_key(|way| self.ahead(*way, now)).unwrap_or(0);
        self.due[way] = now;
        way
    }

    /// How far ahead of the clock an account is. One that is further than any may be is of another time.
    #[inline]
    fn ahead(&self, way: usize, now: u32) -> u32 {
        const MOST: u32 = STEP_MICROS_MAX * BURST_COUNT_MIN + RATE_WINDOW_SECS_MAX * 1_000_000;
        let ahead = self.due[way].wrapping_sub(now);
        if ahead > MOST { 0 } else { ahead }
    }
}

#[cfg(test)]
mod tests;
