//! A measure of how much each may send: a bucket of tokens for each share, filled at a steady rate.
//!
//! Never: reads a clock; whoever asks tells the time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::access::Share;

/// Shares that are told apart; beyond, strangers have one bucket together. A guess: 400 kB.
const SHARE_COUNT_MAX: usize = 4096;

/// How often full buckets are thrown away at most: it takes a walk over all.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Buckets of one size.
#[derive(Clone)]
pub struct Measure {
    /// What one share gets in a second.
    rate: f64,
    /// What a bucket holds.
    burst: f64,
    buckets: Arc<Mutex<Buckets>>,
}

#[derive(Default)]
struct Buckets {
    by_share: HashMap<Share, Bucket>,
    /// All that found no bucket of their own.
    strangers: Option<Bucket>,
    swept: Option<Instant>,
}

/// How full one is, and when that was.
#[derive(Clone, Copy)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Measure {
    /// `rate` a second for each share, and `burst` at once.
    pub fn new(rate: f64, burst: f64) -> Measure {
        Measure { rate, burst, buckets: Arc::default() }
    }

    /// Items of the feed: 10,000 a second, 100,000 at once. A guess: all endpoints of a large platform, from each of five
    /// vantages that share a bucket, are 5,000 a second.
    pub fn of_items() -> Measure {
        Measure::new(10_000.0, 100_000.0)
    }

    /// Wrong tokens: one a second, ten at once. Of 256 bits nobody guesses any; this bounds what trying costs us.
    pub fn of_wrong_tokens() -> Measure {
        Measure::new(1.0, 10.0)
    }

    /// Takes `count` from the bucket of `share` at `now`, or tells how long until it holds as much. More than a bucket can
    /// hold takes a full one.
    pub fn take(&self, share: &Share, count: usize, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket { level: self.burst, at: now };
        if !buckets.by_share.contains_key(share) && buckets.by_share.len() >= SHARE_COUNT_MAX {
            self.sweep(&mut buckets, now);
        }
        let bucket = match buckets.by_share.len() < SHARE_COUNT_MAX {
            true => buckets.by_share.entry(share.clone()).or_insert(full),
            false => match buckets.by_share.get_mut(share) {
                Some(_) => buckets.by_share.entry(share.clone()).or_insert(full),
                None => buckets.strangers.get_or_insert(full),
            },
        };
        bucket.level = self.level(bucket, now);
        bucket.at = now;
        let wanted = (count as f64).min(self.burst);
        if bucket.level >= wanted {
            bucket.level -= wanted;
            return Ok(());
        }
        Err(Duration::from_secs_f64((wanted - bucket.level) / self.rate))
    }

    fn level(&self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.level + passed * self.rate).min(self.burst)
    }

    /// Throws full buckets away: a new one is as full.
    fn sweep(&self, buckets: &mut Buckets, now: Instant) {
        let is_due =
            buckets.swept.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP_EVERY);
        if is_due {
            buckets.by_share.retain(|_, bucket| self.level(bucket, now) < self.burst);
            buckets.swept = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn peer(number: u32) -> Share {
        Share::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_bucket_empties_and_fills_with_time() {
        let (measure, start) = (Measure::new(10.0, 20.0), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(measure.take(&peer(1), 20, at(0)), Ok(()));
        assert_eq!(measure.take(&peer(1), 5, at(0)), Err(Duration::from_millis(500)));
        assert_eq!(measure.take(&peer(1), 5, at(400)), Err(Duration::from_millis(100)));
        assert_eq!(measure.take(&peer(1), 5, at(500)), Ok(()));
        // Another has its own.
        assert_eq!(measure.take(&peer(2), 20, at(500)), Ok(()));
        // More than it can hold takes a full one, and a clock that stands still fills nothing.
        assert_eq!(measure.take(&peer(1), 1000, at(2499)), Err(Duration::from_millis(1)));
        assert_eq!(measure.take(&peer(1), 1000, at(2500)), Ok(()));
        assert!(measure.take(&peer(1), 1, at(0)).is_err());
    }

    #[test]
    fn a_crowd_of_strangers_takes_one_bucket_and_nobody_elses() {
        let (measure, now) = (Measure::new(1.0, 2.0), Instant::now());
        for number in 0..SHARE_COUNT_MAX as u32 {
            assert_eq!(measure.take(&peer(number), 1, now), Ok(()));
        }
        let beyond = |number: u32| peer(1_000_000 + number);
        assert_eq!(measure.take(&beyond(1), 1, now), Ok(()));
        assert_eq!(measure.take(&beyond(2), 1, now), Ok(()));
        assert!(measure.take(&beyond(3), 1, now).is_err());
        assert_eq!(measure.take(&peer(7), 1, now), Ok(()));
        assert!(measure.take(&peer(7), 1, now).is_err());
        // They were full again, and made room.
        let later = now + Duration::from_secs(2);
        assert_eq!(measure.take(&beyond(3), 2, later), Ok(()));
        assert_eq!(measure.take(&beyond(4), 2, later), Ok(()));
    }
}
