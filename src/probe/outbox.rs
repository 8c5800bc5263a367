//! What was said and has not arrived yet: of each endpoint the last word, so that it is never more than there are endpoints.
//!
//! Words keep the number under which they were said. So they may be sent again whole when it is not known what arrived: to
//! a server that has them they are duplicates.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::health::{Member, Status};

/// One thing that a vantage says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its number within the boot.
    pub seq: u64,
    /// What.
    pub what: What,
}

/// A report or a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A word on an endpoint.
    Word {
        /// Which.
        member: Arc<Member>,
        /// How it is.
        status: Status,
        /// Why, where it is not up.
        reason: Option<Box<str>>,
    },
    /// All last words hold.
    Heartbeat,
}

/// What is to be sent to one receiver.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The last word of each endpoint, arrived or not.
    words: BTreeMap<Arc<Member>, Said>,
    /// Those that have not arrived, by number.
    waiting: BTreeMap<u64, Arc<Member>>,
    heartbeat: Option<u64>,
}

impl Outbox {
    /// Puts in what was said last.
    pub fn put(&mut self, said: Said) {
        let What::Word { member, .. } = &said.what else {
            self.heartbeat = Some(said.seq);
            return;
        };
        let (member, seq) = (Arc::clone(member), said.seq);
        if let Some(older) = self.words.insert(Arc::clone(&member), said)
            && self.waiting.remove(&older.seq).is_some()
            && self.heartbeat.is_some_and(|beat| beat > older.seq)
        {
            // It would reaffirm what the receiver heard before the word that never comes.
            self.heartbeat = None;
        }
        self.waiting.insert(seq, member);
    }

    /// What is to be sent next, in order; at most `count`. It stays here until it has arrived.
    pub fn next(&self, count: usize) -> Vec<Said> {
        let words = self.waiting.values().filter_map(|member| self.words.get(member)).cloned();
        let beat = self.heartbeat.map(|seq| Said { seq, what: What::Heartbeat });
        let mut next: Vec<Said> = words.take(count).collect();
        if let Some(beat) = beat {
            let place = next.partition_point(|said| said.seq < beat.seq);
            // It goes after all words that came before it.
            if place < next.len() || next.len() == self.waiting.len() && next.len() < count {
                next.insert(place, beat);
                next.truncate(count);
            }
        }
        next
    }

    /// These have arrived.
    pub fn arrived(&mut self, sent: &[Said]) {
        for said in sent {
            match said.what {
                What::Word { .. } => drop(self.waiting.remove(&said.seq)),
                What::Heartbeat if self.heartbeat == Some(said.seq) => self.heartbeat = None,
                What::Heartbeat => {}
            }
        }
    }

    /// The receiver may know nothing any more: all last words are to be sent again.
    pub fn begin_again(&mut self) {
        let all = self.words.iter();
        self.waiting = all.map(|(member, said)| (said.seq, Arc::clone(member))).collect();
    }

    /// Forgets all but these.
    pub fn keep(&mut self, is_kept: impl Fn(&Member) -> bool) {
        self.words.retain(|member, _| is_kept(member));
        self.waiting.retain(|_, member| is_kept(member));
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.heartbeat.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(seq: u64, n: u8, status: Status) -> Said {
        let (region, pool) = ("fra".into(), "web".into());
        let member = Arc::new(Member { region, pool, address: format!("192.0.2.{n}").into() });
        Said { seq, what: What::Word { member, status, reason: None } }
    }

    fn beat(seq: u64) -> Said {
        Said { seq, what: What::Heartbeat }
    }

    fn seqs(said: &[Said]) -> Vec<u64> {
        said.iter().map(|said| said.seq).collect()
    }

    #[test]
    fn what_waits_is_the_last_word_of_each_in_order() {
        let mut outbox = Outbox::default();
        for seq in 1..=1000 {
            let status = if seq % 2 == 0 { Status::Up } else { Status::Down };
            outbox.put(word(seq, (seq % 3) as u8, status));
        }
        assert_eq!(seqs(&outbox.next(10)), [998, 999, 1000]);
        assert_eq!(seqs(&outbox.next(2)), [998, 999]);
        outbox.put(beat(1001));
        outbox.put(word(1002, 9, Status::Up));
        assert_eq!(seqs(&outbox.next(10)), [998, 999, 1000, 1001, 1002]);
        assert_eq!(seqs(&outbox.next(2)), [998, 999], "no heartbeat before what it reaffirms");
        outbox.arrived(&outbox.next(4));
        assert_eq!((seqs(&outbox.next(10)), outbox.len()), (vec![1002], 1));
    }

    #[test]
    fn a_heartbeat_never_stands_for_a_word_that_was_dropped() {
        let mut outbox = Outbox::default();
        outbox.put(word(1, 1, Status::Up));
        outbox.arrived(&outbox.next(9));
        outbox.put(word(2, 1, Status::Down));
        outbox.put(beat(3));
        outbox.put(word(4, 1, Status::Up));
        assert_eq!(seqs(&outbox.next(9)), [4], "3 would have reaffirmed 1");
    }

    #[test]
    fn what_came_while_it_was_sent_waits_on() {
        let mut outbox = Outbox::default();
        outbox.put(word(1, 1, Status::Up));
        let sent = outbox.next(9);
        outbox.put(word(2, 1, Status::Down));
        outbox.put(beat(3));
        outbox.arrived(&sent);
        assert_eq!(seqs(&outbox.next(9)), [2, 3]);
    }

    #[test]
    fn all_words_can_be_said_again_under_their_numbers() {
        let mut outbox = Outbox::default();
        outbox.put(word(1, 1, Status::Up));
        outbox.put(word(2, 2, Status::Down));
        outbox.arrived(&outbox.next(9));
        assert_eq!(outbox.len(), 0);
        outbox.begin_again();
        assert_eq!(seqs(&outbox.next(9)), [1, 2]);
        outbox.keep(|member| &*member.address == "192.0.2.2");
        assert_eq!(seqs(&outbox.next(9)), [2]);
    }
}
