//! The ledger: the last word of each vantage, and the opinion that its rounds amount to.
//!
//! Hysteresis is here, per vantage, before any quorum: a word is what was said last, an opinion is what was said often
//! enough.

use std::collections::BTreeMap;

use super::cached::Cached;
use super::event::{Boot, Identity, LogTime, Report, Settings, Status};
use super::subject::{Member, Subject};

/// What one vantage says of one endpoint in a pool.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Opinion {
    /// Its last word.
    pub word: Status,
    /// What it holds, once its words came often enough.
    pub held: Option<Status>,
    /// Rounds in a row with this very word.
    pub streak: u32,
    /// Rounds in a row on the word's side: down, or not.
    pub side: u32,
    /// When it was last said or reaffirmed.
    pub at: LogTime,
    /// Whether the vantage of the last word is who it says.
    pub identity: Identity,
    /// The report that said it, to tell which of two words is the later.
    pub said: (Boot, u64),
    /// Why, in the vantage's words.
    pub reason: Option<Box<str>>,
    /// The load that came with it.
    pub load: Option<f64>,
}

/// One vantage.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vantage {
    /// Its boot.
    pub boot: Boot,
    /// Its last sequence number.
    pub seq: u64,
    /// When it last spoke.
    pub heard: LogTime,
    /// Its words on subjects that are not exactly one known endpoint: they wait for endpoints that files may bring.
    pub words: BTreeMap<Subject, Opinion>,
    /// Derived: the hash of the words.
    pub words_hash: Cached,
}

impl Opinion {
    /// A first word.
    pub fn new(report: &Report, at: LogTime) -> Opinion {
        Opinion {
            word: report.status,
            held: None,
            streak: 1,
            side: 1,
            at,
            identity: report.identity,
            said: (report.boot, report.seq),
            reason: report.reason.clone(),
            load: report.load,
        }
    }

    /// One more word: a round.
    pub fn hear(&mut self, report: &Report, at: LogTime, stale_millis: u64) {
        self.count(report.status, at, stale_millis);
        (self.identity, self.said) = (report.identity, (report.boot, report.seq));
        self.reason.clone_from(&report.reason);
        self.load = report.load.or(self.load);
    }

    /// The last word again: a round.
    pub fn reaffirm(&mut self, at: LogTime, stale_millis: u64) {
        self.count(self.word, at, stale_millis);
    }

    // A gap long enough to be stale starts the count anew: rounds are rounds in a row.
    fn count(&mut self, word: Status, at: LogTime, stale_millis: u64) {
        let in_a_row = self.is_fresh(at, stale_millis);
        let same_side = word.is_down() == self.word.is_down();
        let next = |count: u32, goes_on: bool| if goes_on { count.saturating_add(1) } else { 1 };
        self.side = next(self.side, in_a_row && same_side);
        self.streak = next(self.streak, in_a_row && word == self.word);
        self.word = word;
        self.at = at;
    }

    /// Turns the opinion if the word came often enough.
    pub fn settle(&mut self, settings: &Settings) {
        if rounds_to(self, self.word, settings) == 0 {
            self.held = Some(self.word);
        }
    }

    /// Whether it still counts at `now`.
    pub fn is_fresh(&self, now: LogTime, stale_millis: u64) -> bool {
        now < self.at.plus_millis(stale_millis)
    }
}

/// How many more rounds of `goal` the vantage must say before it holds `goal`; 0 if it holds it already, or has said it
/// often enough.
pub(super) fn rounds_to(opinion: &Opinion, goal: Status, settings: &Settings) -> u32 {
    let (rise, fall) = (settings.rise.max(1), settings.fall.max(1));
    let crosses = match opinion.held {
        Some(held) if held == goal => return 0,
        Some(held) => held.is_down() != goal.is_down(),
        None => true,
    };
    let (needed, counted) = if crosses {
        // A first opinion that an endpoint is degraded is bad news, and comes as fast as such.
        let rises = goal == Status::Up || (goal == Status::Degraded && opinion.held.is_some());
        let counted = if opinion.word.is_down() == goal.is_down() { opinion.side } else { 0 };
        (if rises { rise } else { fall }, counted)
    } else {
        let counted = if opinion.word == goal { opinion.streak } else { 0 };
        (if goal == Status::Up { rise } else { fall }, counted)
    };
    needed.saturating_sub(counted)
}

impl Vantage {
    /// Whether (boot, seq) is later than all that was heard.
    pub fn is_next(&self, boot: Boot, seq: u64) -> bool {
        (boot, seq) > (self.boot, self.seq)
    }

    /// The latest of its waiting words that covers `member`: each of the three parts is its own or is left open, so
    /// eight subjects can.
    pub fn word_on(&self, member: &Member) -> Option<&Opinion> {
        let subjects = (0..8u8).map(|named| {
            let part = |bit: u8, text: &str| (named & bit != 0).then(|| text.into());
            Subject {
                region: part(1, &member.region),
                pool: part(2, &member.pool),
                address: part(4, &member.address),
            }
        });
        subjects.filter_map(|subject| self.words.get(&subject)).max_by_key(|word| word.said)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{Boot, Identity, LogTime, Report, Settings, Status};
    use super::super::subject::Subject;
    use super::Opinion;

    fn said(status: Status) -> Report {
        Report {
            vantage: "v".into(),
            identity: Identity::Proven,
            boot: Boot(1),
            seq: 1,
            subject: Subject::default(),
            status,
            load: None,
            reason: None,
        }
    }

    /// Says the words at an interval of 10 s and tells what is held after each: `-` for nothing.
    fn held_after(words: &str, rise: u32, fall: u32) -> String {
        let settings = Settings { rise, fall, ..Settings::default() };
        let status = |c| match c {
            'u' => Status::Up,
            'g' => Status::Degraded,
            _ => Status::Down,
        };
        let mut opinion: Option<Opinion> = None;
        let mut seen = String::new();
        for (round, word) in (1..).zip(words.chars()) {
            let (report, at) = (said(status(word)), LogTime(round * 10_000));
            match &mut opinion {
                None => opinion = Some(Opinion::new(&report, at)),
                Some(o) => o.hear(&report, at, settings.stale_millis()),
            }
            let opinion = opinion.as_mut().expect("set above");
            opinion.settle(&settings);
            seen.push(match opinion.held {
                None => '-',
                Some(Status::Up) => 'u',
                Some(Status::Degraded) => 'g',
                Some(Status::Down) => 'd',
            });
        }
        seen
    }

    #[test]
    fn an_opinion_turns_after_its_rounds() {
        assert_eq!(held_after("uudduu", 2, 1), "-udddu");
        assert_eq!(held_after("uuddu", 1, 2), "uuudu");
        assert_eq!(held_after("uudududd", 2, 2), "-uuuuuud");
        // Degraded counts with up against down, and by its own rounds against up.
        assert_eq!(held_after("dgu", 2, 1), "ddu");
        assert_eq!(held_after("uugug", 2, 2), "-uuuu");
        assert_eq!(held_after("uuggu", 2, 2), "-uugg");
        assert_eq!(held_after("g", 2, 1), "g");
    }
}
