//! Pace: when a core that has answered a short batch rests before it looks for the next.
//!
//! A wake-up costs a core three times what a query does. Below saturation most batches would be one query and its wake-up;
//! a core that rests some dozens of microseconds meets several queries at once. It does so only where several are due, so
//! a quiet server answers as soon as it can, and one at its limit never rests.
//!
//! Never: reads a clock or sleeps.

use std::time::Duration;

/// A longer batch is answered and followed by the next at once: there is no wake-up to save.
const BATCH_COUNT_MAX: usize = 16;

/// Over how long queries are counted.
const WINDOW: Duration = Duration::from_millis(2);

/// Queries that have to be due in a rest for it to pay.
const DUE_COUNT_MIN: u32 = 3;

/// What a sleep takes beyond what was asked for: the kernel's slack for a timer of an ordinary thread (prctl(2),
/// PR_SET_TIMERSLACK).
const SLACK: Duration = Duration::from_micros(50);

/// The pace of one core.
#[derive(Clone, Debug)]
pub struct Pace {
    rest: Duration,
    /// When counting began, on any clock.
    since: Duration,
    /// Queries since then.
    count: u32,
    /// Whether so many came last time that a rest pays.
    is_busy: bool,
}

impl Pace {
    /// A pace with rests of so long; of 0 is no rest at all.
    pub fn new(rest: Duration) -> Pace {
        Pace { rest, since: Duration::ZERO, count: 0, is_busy: false }
    }

    /// How long to rest after a batch of `count` queries at `now`; a clock that is set back makes one window longer.
    pub fn after(&mut self, count: usize, now: Duration) -> Duration {
        self.count = self.count.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let elapsed = now.checked_sub(self.since);
        if elapsed.is_none_or(|elapsed| elapsed >= WINDOW) {
            let elapsed = elapsed.unwrap_or(Duration::MAX);
            let due = (self.rest + SLACK).saturating_mul(self.count);
            self.is_busy = due >= elapsed.saturating_mul(DUE_COUNT_MIN);
            (self.since, self.count) = (now, 0);
        }
        if self.is_busy && count <= BATCH_COUNT_MAX { self.rest } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_micros(100);

    /// The rests of a core that answers `count` queries each `micros`, for 20 ms.
    fn rests(pace: &mut Pace, from: Duration, count: usize, micros: u64) -> Vec<Duration> {
        let turns = (20_000 / micros) as u32;
        let times = (0..turns).map(|turn| from + Duration::from_micros(micros) * turn);
        times.map(|now| pace.after(count, now)).collect()
    }

    #[test]
    fn a_core_rests_only_where_several_queries_are_due() {
        let mut pace = Pace::new(REST);
        let day = Duration::from_secs(1_800_000_000);
        assert!(rests(&mut pace, day, 1, 60).iter().all(Duration::is_zero), "17,000 a second");
        let busy = rests(&mut pace, day + Duration::from_secs(1), 1, 20);
        assert!(busy[..50].iter().all(Duration::is_zero), "not before it is known");
        assert!(busy[500..].iter().all(|rest| *rest == REST), "50,000 a second");
        let full = rests(&mut pace, day + Duration::from_secs(2), 40, 100);
        assert!(full.iter().all(Duration::is_zero), "long batches follow each other at once");
        let quiet = rests(&mut pace, day + Duration::from_secs(3), 1, 2_000);
        assert!(quiet.iter().all(Duration::is_zero), "500 a second");
    }

    #[test]
    fn a_clock_that_is_set_back_and_a_rest_of_nothing_do_no_harm() {
        let mut pace = Pace::new(REST);
        rests(&mut pace, Duration::from_secs(100), 5, 100);
        let back = rests(&mut pace, Duration::from_secs(50), 5, 100);
        assert!(back[0].is_zero() && back[100] == REST);
        let mut never = Pace::new(Duration::ZERO);
        assert!(rests(&mut never, Duration::ZERO, 5, 100).iter().all(Duration::is_zero));
    }
}
