//! When who is looked at: one order of times for all, so that ten thousand endpoints are one timer. Knows no clock.
//!
//! Each endpoint has a phase of its own in its interval, by a hash of what it is and who looks, so that looks are spread
//! evenly and two vantages do not look at the same moment; and each look comes up to a tenth of the interval later.

use std::collections::BTreeSet;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// Which part of an interval a look may come later.
const JITTER_PART: u64 = 10;

/// Who is due, and when. Times are milliseconds since any start.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    rhythms: Vec<Rhythm>,
    due: BTreeSet<(u64, usize)>,
}

/// The rhythm of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    seed: u64,
    interval: u64,
}

impl Rhythm {
    /// The rhythm of `subject`, seen from `vantage`, each `interval` milliseconds.
    pub fn new(vantage: &str, subject: &str, interval: u64) -> Rhythm {
        let mut hasher = SipHasher13::new();
        hasher.write(vantage.as_bytes());
        hasher.write_u8(0);
        hasher.write(subject.as_bytes());
        Rhythm { seed: hasher.finish(), interval: interval.max(1) }
    }

    /// The first turn at or after `now`.
    fn turn_from(self, now: u64) -> u64 {
        let phase = self.seed % self.interval;
        let round = now.saturating_sub(phase) / self.interval;
        // A turn wanders less than an interval, so it is one of these.
        let turns = (round.saturating_sub(1)..=round + 1).map(|round| self.turn(round));
        turns.filter(|turn| *turn >= now).min().unwrap_or(now)
    }

    fn turn(self, round: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.seed, round);
        hasher.write_u8(1);
        let jitter = hasher.finish() % (self.interval / JITTER_PART).max(1);
        round * self.interval + self.seed % self.interval + jitter
    }
}

impl Schedule {
    /// Everybody is due at the first turn from `now`.
    pub fn new(now: u64, rhythms: Vec<Rhythm>) -> Schedule {
        let due = rhythms.iter().enumerate().map(|(index, r)| (r.turn_from(now), index)).collect();
        Schedule { rhythms, due }
    }

    /// When somebody is next due.
    pub fn next(&self) -> Option<u64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Who has been due longest at `now`, and since when; its next turn is noted. Turns that were missed are passed over.
    pub fn take(&mut self, now: u64) -> Option<(usize, u64)> {
        let &(at, index) = self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.pop_first();
        if let Some(rhythm) = self.rhythms.get(index) {
            // At least half an interval on: jitter does not make two looks of one.
            let from = now.max(at + rhythm.interval / 2);
            self.due.insert((rhythm.turn_from(from.max(at + 1)), index));
        }
        Some((index, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(count: usize) -> Schedule {
        let rhythm = |n| Rhythm::new("ams", &format!("fra/web/192.0.2.{n}"), 10_000);
        Schedule::new(0, (0..count).map(rhythm).collect())
    }

    #[test]
    fn everybody_has_a_turn_in_each_interval_and_no_two_in_a_row() {
        let mut schedule = schedule(100);
        let mut turns = vec![Vec::new(); 100];
        for now in (0..100_000).step_by(50) {
            while let Some((index, at)) = schedule.take(now) {
                turns[index].push(at);
            }
        }
        for turns in &turns {
            assert!((9..=10).contains(&turns.len()), "{turns:?}");
            let gaps = turns.windows(2).map(|w| w[1] - w[0]);
            assert!(gaps.clone().all(|gap| (9_000..=11_000).contains(&gap)), "{turns:?}");
        }
    }

    #[test]
    fn ten_thousand_are_spread_over_the_interval() {
        let mut schedule = schedule(10_000);
        let mut counts = Vec::new();
        for now in (100..=10_000).step_by(100) {
            let mut count = 0;
            while schedule.take(now).is_some() {
                count += 1;
            }
            counts.push(count);
        }
        // The first tenth is thinner: nobody is early. After it 100 in each hundredth, give or take chance.
        assert!(counts[10..].iter().all(|c| (55..=150).contains(c)), "{counts:?}");
    }

    #[test]
    fn turns_that_were_missed_are_passed_over() {
        let mut schedule = schedule(1);
        let first = schedule.next().unwrap();
        assert_eq!(schedule.take(first + 95_000), Some((0, first)));
        assert_eq!(schedule.take(first + 95_000), None);
        let next = schedule.next().unwrap();
        assert!((first + 95_000..=first + 106_000).contains(&next), "{first} {next}");
    }

    #[test]
    fn two_vantages_look_at_different_times() {
        let turn = |vantage| Rhythm::new(vantage, "fra/web/192.0.2.1", 10_000).turn_from(0);
        assert_ne!(turn("ams"), turn("lhr"));
        assert_eq!(turn("ams"), turn("ams"));
    }
}
