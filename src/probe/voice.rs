//! What a vantage says of what it sees: changes at once, and a heartbeat for all the rest. Knows no clock.
//!
//! To health, a heartbeat is a round for each word said before. Invariant no-round-without-a-look: a word that is new is
//! not reaffirmed before its endpoint was looked at again. So the heartbeat waits for such words; where they do not
//! let it (somebody flaps all the time), the words of the others are said one by one. And what a vantage can no longer
//! see, it no longer reaffirms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::health::{Member, Status};

use super::outbox::{Said, What};

/// Repetitions that are said for themselves after a change. A guess: `rise` and `fall` are seldom more.
const REPEAT_COUNT_MAX: u32 = 10;

/// After how many heartbeats that could not be the words are said one by one: health takes a vantage of which nothing was
/// heard for three intervals as missing.
const BEATS_MISSED_MAX: u64 = 2;

/// The words of one vantage. Times are milliseconds since any start.
#[derive(Debug, Default)]
pub struct Voice {
    words: BTreeMap<Arc<Member>, Word>,
    /// Whose word was said and not seen again since, or cannot be seen now.
    unseen: BTreeSet<Arc<Member>>,
    /// Whose word was said, and seen again since: a round that was not said yet.
    owed: BTreeSet<Arc<Member>>,
    last_seq: u64,
    beat_every: u64,
    /// When all words were last said.
    reaffirmed: u64,
    /// How many words there are of each status.
    counts: [usize; 3],
}

#[derive(Debug)]
struct Word {
    status: Status,
    reason: Option<Box<str>>,
    repeats: u32,
}

impl Voice {
    /// A vantage that has said nothing, begun at `now`, and is to be heard each `beat_every` milliseconds.
    pub fn new(now: u64, beat_every: u64) -> Voice {
        Voice { beat_every: beat_every.max(1), reaffirmed: now, ..Voice::default() }
    }

    /// It is to be heard each `beat_every` milliseconds from now on.
    pub fn beat_every(&mut self, beat_every: u64) {
        self.beat_every = beat_every.max(1);
    }

    /// Forgets all but these.
    pub fn keep(&mut self, is_kept: impl Fn(&Member) -> bool) {
        self.words.retain(|member, _| is_kept(member));
        self.counts = [0; 3];
        self.words.values().for_each(|word| self.counts[place(word.status)] += 1);
        self.unseen.retain(|member| is_kept(member));
        self.owed.retain(|member| is_kept(member));
    }

    /// An endpoint was looked at. Says what is new.
    pub fn see(
        &mut self,
        member: &Arc<Member>,
        status: Status,
        reason: Option<Box<str>>,
    ) -> Option<Said> {
        match self.words.get(member) {
            Some(word) if word.status == status && word.reason == reason => {
                if self.unseen.remove(member) && word.repeats < REPEAT_COUNT_MAX {
                    self.owed.insert(Arc::clone(member));
                }
                None
            }
            _ => {
                self.owed.remove(member);
                self.counts[place(status)] += 1;
                let word = Word { status, reason, repeats: 0 };
                if let Some(older) = self.words.insert(Arc::clone(member), word) {
                    self.counts[place(older.status)] -= 1;
                }
                self.say(member)
            }
        }
    }

    /// An endpoint could not be looked at, by no fault of its own.
    pub fn lose(&mut self, member: &Arc<Member>) {
        self.owed.remove(member);
        if self.words.contains_key(member) {
            self.unseen.insert(Arc::clone(member));
        }
    }

    /// Says what is to be repeated at `now`.
    pub fn repeat(&mut self, now: u64) -> Vec<Said> {
        let waited = now.saturating_sub(self.reaffirmed);
        if self.words.is_empty() {
            self.reaffirmed = now;
            return Vec::new();
        }
        if waited >= self.beat_every && self.unseen.is_empty() {
            self.reaffirmed = now;
            self.owed.clear();
            self.last_seq += 1;
            return vec![Said { seq: self.last_seq, what: What::Heartbeat }];
        }
        let mut said: BTreeSet<Arc<Member>> = std::mem::take(&mut self.owed);
        if waited >= self.beat_every.saturating_mul(BEATS_MISSED_MAX) {
            self.reaffirmed = now;
            let seen = self.words.keys().filter(|member| !self.unseen.contains(*member));
            said.extend(seen.map(Arc::clone));
        }
        said.iter().filter_map(|member| self.say_again(member)).collect()
    }

    /// When a heartbeat is next due.
    pub fn due(&self) -> u64 {
        let waited = if self.unseen.is_empty() { 1 } else { BEATS_MISSED_MAX };
        self.reaffirmed.saturating_add(self.beat_every.saturating_mul(waited))
    }

    /// How many endpoints have which word: up, degraded, down.
    pub fn counts(&self) -> [usize; 3] {
        self.counts
    }

    /// The last word on an endpoint.
    pub fn word_on(&self, member: &Member) -> Option<Status> {
        self.words.get(member).map(|word| word.status)
    }

    fn say_again(&mut self, member: &Arc<Member>) -> Option<Said> {
        let word = self.words.get_mut(member)?;
        word.repeats = word.repeats.saturating_add(1);
        self.say(member)
    }

    fn say(&mut self, member: &Arc<Member>) -> Option<Said> {
        let word = self.words.get(member)?;
        self.unseen.insert(Arc::clone(member));
        self.last_seq += 1;
        let (status, reason) = (word.status, word.reason.clone());
        let what = What::Word { member: Arc::clone(member), status, reason };
        Some(Said { seq: self.last_seq, what })
    }
}

const fn place(status: Status) -> usize {
    match status {
        Status::Up => 0,
        Status::Degraded => 1,
        Status::Down => 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEAT: u64 = 10;

    fn member(n: usize) -> Arc<Member> {
        let (region, pool) = ("fra".into(), "web".into());
        Arc::new(Member { region, pool, address: format!("192.0.2.{n}").into() })
    }

    /// What is said, in short: `+1` up, `-1` down, of endpoint 1; `*` a heartbeat.
    fn shown(said: impl IntoIterator<Item = Said>) -> String {
        let one = |said: Said| match said.what {
            What::Heartbeat => "*".to_owned(),
            What::Word { member, status, .. } => {
                let sign = if status == Status::Up { '+' } else { '-' };
                format!("{sign}{}", member.address.trim_start_matches("192.0.2."))
            }
        };
        said.into_iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// Looks at the endpoints at `now`, then repeats what is to be.
    fn round(voice: &mut Voice, now: u64, up: &[bool]) -> String {
        let mut said = Vec::new();
        for (n, up) in up.iter().enumerate() {
            let status = if *up { Status::Up } else { Status::Down };
            said.extend(voice.see(&member(n), status, None));
        }
        said.extend(voice.repeat(now));
        shown(said)
    }

    #[test]
    fn changes_are_said_at_once_and_the_rest_is_a_heartbeat() {
        let mut voice = Voice::new(0, BEAT);
        assert_eq!(round(&mut voice, 0, &[true, true]), "+0 +1");
        assert_eq!(round(&mut voice, 10, &[true, true]), "*");
        assert_eq!(round(&mut voice, 15, &[true, true]), "");
        assert_eq!(round(&mut voice, 20, &[true, true]), "*");
        assert_eq!(round(&mut voice, 22, &[true, false]), "-1");
        assert_eq!(round(&mut voice, 32, &[true, false]), "*", "the second round of both");
        assert_eq!(voice.counts(), [1, 0, 1]);
    }

    #[test]
    fn a_heartbeat_waits_until_a_new_word_was_seen_again() {
        let mut voice = Voice::new(0, BEAT);
        round(&mut voice, 0, &[true, true]);
        assert_eq!(round(&mut voice, 10, &[true, true]), "*");
        assert_eq!(round(&mut voice, 19, &[false, true]), "-0");
        assert_eq!(shown(voice.repeat(20)), "", "endpoint 0 was not looked at since");
        assert_eq!(round(&mut voice, 21, &[false, true]), "*");
    }

    #[test]
    fn one_that_flaps_does_not_silence_the_others_and_gets_no_round_for_nothing() {
        let mut voice = Voice::new(0, BEAT);
        round(&mut voice, 0, &[true, true, true]);
        assert_eq!(round(&mut voice, 10, &[false, true, true]), "-0 +1 +2", "their second round");
        assert_eq!(round(&mut voice, 20, &[true, true, true]), "+0 +1 +2");
        assert_eq!(round(&mut voice, 30, &[false, true, true]), "-0 +1 +2");
        // Long after: only as often as is needed to be heard.
        for now in (40..200).step_by(10) {
            round(&mut voice, now, &[now % 20 == 0, true, true]);
        }
        let rounds: Vec<_> = (200..240)
            .step_by(10)
            .map(|now| round(&mut voice, now, &[now % 20 == 0, true, true]))
            .collect();
        assert_eq!(rounds.iter().filter(|said| said.contains("+1 +2")).count(), 2, "{rounds:?}");
        assert!(rounds.iter().all(|said| !said.contains('*')), "{rounds:?}");
    }

    #[test]
    fn what_can_no_longer_be_seen_is_not_reaffirmed() {
        let mut voice = Voice::new(0, BEAT);
        round(&mut voice, 0, &[true, true]);
        round(&mut voice, 10, &[true, true]);
        voice.lose(&member(0));
        assert_eq!(shown(voice.repeat(20)), "");
        assert_eq!(shown(voice.repeat(30)), "+1");
        assert_eq!(shown(voice.see(&member(0), Status::Up, None)), "");
        voice.see(&member(1), Status::Up, None);
        assert_eq!(shown(voice.repeat(40)), "*");
        voice.lose(&member(7));
        assert_eq!(shown(voice.repeat(50)), "*", "of whom nothing was said, nothing is reaffirmed");
    }

    proptest! {
        /// By no-round-without-a-look: as health counts rounds, so often was the word seen in a row.
        #[test]
        fn no_round_is_said_without_a_look(looks in proptest::collection::vec((0usize..4, any::<bool>(), 0u64..4), 1..400)) {
            let mut voice = Voice::new(0, 3 * BEAT);
            // What was seen in a row, and what of it was said, by endpoint.
            let (mut seen, mut rounds) = ([(true, 0u32); 4], [(true, 0u32); 4]);
            let mut now = 0;
            for (n, up, passed) in looks {
                now += passed;
                seen[n] = if seen[n].0 == up { (up, seen[n].1 + 1) } else { (up, 1) };
                let status = if up { Status::Up } else { Status::Down };
                let said: Vec<Said> = voice.see(&member(n), status, None).into_iter().chain(voice.repeat(now)).collect();
                for said in said {
                    match said.what {
                        What::Heartbeat => {
                            // Settled words may be reaffirmed as often as time passes; new ones not.
                            for (_, count) in rounds.iter_mut().filter(|(_, count)| *count == 1) {
                                *count += 1;
                            }
                        }
                        What::Word { member, status, .. } => {
                            let n: usize = member.address.trim_start_matches("192.0.2.").parse().unwrap();
                            let up = status == Status::Up;
                            rounds[n] = if rounds[n].0 == up { (up, rounds[n].1 + 1) } else { (up, 1) };
                        }
                    }
                }
                for n in 0..4 {
                    prop_assert!(rounds[n].1 <= seen[n].1, "{n} {seen:?} {rounds:?}");
                }
            }
        }
    }
}
