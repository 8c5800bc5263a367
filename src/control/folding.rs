//! Folding: reports on their way into the log. What only repeats is left out while the word is young, and is one
//! heartbeat where a vantage says all that it says again. So the log grows with what changes, and with intervals.
//!
//! A report that is left out is acknowledged all the same: were it lost, nothing would be lost but its time.

use std::collections::BTreeMap;

use crate::health::{Boot, Event, LogTime, Novelty, Refusal, Report, Safety, State};

/// Vantages whose last word is remembered here. Those of the state come first, and it knows no more.
const HEARD_COUNT_MAX: usize = 2_000;

/// What was taken, and is not written (yet).
#[derive(Default)]
pub struct Folding {
    /// Repetitions in the feed under way, by vantage.
    runs: BTreeMap<Box<str>, Run>,
    /// The last (boot, seq) of each vantage that repeated itself, for the log may not have it.
    heard: BTreeMap<Box<str>, (Boot, u64)>,
}

/// Repetitions of one vantage, in order.
#[derive(Default)]
struct Run {
    reports: Vec<(Report, Novelty)>,
}

impl Folding {
    /// Whether the event would be taken, after all that was.
    pub fn admit(&self, event: &Event, ahead: &State) -> Result<(), Refusal> {
        if let Some((vantage, place)) = place(event)
            && let Some(last) = self.heard.get(vantage).filter(|last| place <= **last)
        {
            return Err(Refusal::duplicate(vantage, place, *last));
        }
        ahead.admit(event, Safety::Kept)
    }

    /// Takes an admitted event. Gives what of it, and of what was held back before it, is to be written now.
    pub fn take(&mut self, event: Event, ahead: &State, at: LogTime) -> Vec<Event> {
        match &event {
            Event::Report(report) => match ahead.novelty(report, at) {
                Novelty::News => {
                    let run = self.runs.remove(&report.vantage).unwrap_or_default();
                    let mut written = run.end(ahead);
                    written.push(event);
                    written
                }
                novelty => {
                    self.hear(&event);
                    let run = self.runs.entry(report.vantage.clone()).or_default();
                    run.reports.push((report.clone(), novelty));
                    Vec::new()
                }
            },
            Event::Heartbeat { vantage, boot, .. } => {
                match ahead.novelty_of_heartbeat(vantage, *boot, at) {
                    Novelty::Nothing => {
                        self.hear(&event);
                        Vec::new()
                    }
                    // It says again what the run did, and more.
                    Novelty::Freshness => {
                        self.runs.remove(vantage);
                        vec![event]
                    }
                    Novelty::News => {
                        let run = self.runs.remove(vantage).unwrap_or_default();
                        let mut written = run.end(ahead);
                        written.push(event);
                        written
                    }
                }
            }
            _ => vec![event],
        }
    }

    /// The feed is over. Gives what is to be written of what was held back.
    pub fn end(&mut self, ahead: &State) -> Vec<Event> {
        let runs = std::mem::take(&mut self.runs);
        runs.into_values().flat_map(|run| run.end(ahead)).collect()
    }

    /// Nothing that was taken was written: all of it may come again.
    pub fn forget(&mut self) {
        *self = Folding::default();
    }

    fn hear(&mut self, event: &Event) {
        let Some((vantage, place)) = place(event) else { return };
        // A vantage that is forgotten here is only not told that its last repetition is an old one.
        if self.heard.len() >= HEARD_COUNT_MAX {
            self.heard.clear();
        }
        self.heard.insert(vantage.into(), place);
    }
}

impl Run {
    fn end(self, ahead: &State) -> Vec<Event> {
        let adds = |(_, novelty): &&(Report, Novelty)| *novelty != Novelty::Nothing;
        let count = self.reports.iter().filter(adds).count();
        let Some((last, _)) = self.reports.last().filter(|_| count > 0) else { return Vec::new() };
        let subjects = self.reports.iter().map(|(report, _)| &report.subject);
        if count > 1 && ahead.covers_all_words(&last.vantage, last.boot, subjects) {
            let (vantage, boot, seq) = (last.vantage.clone(), last.boot, last.seq);
            return vec![Event::Heartbeat { vantage, boot, seq }];
        }
        let written = self.reports.into_iter().filter(|(_, novelty)| *novelty != Novelty::Nothing);
        written.map(|(report, _)| Event::Report(report)).collect()
    }
}

/// Who speaks, and where in its order.
fn place(event: &Event) -> Option<(&str, (Boot, u64))> {
    match event {
        Event::Report(report) => Some((&report.vantage, (report.boot, report.seq))),
        Event::Heartbeat { vantage, boot, seq } => Some((vantage, (*boot, *seq))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::health::{Identity, Inventory, Settings, Status, Subject, Timed};
    use crate::number::{Digest, Generation, Revision};

    const ENDPOINTS: [&str; 3] = ["fra/web/192.0.2.1", "fra/web/192.0.2.2", "iad/web/192.0.2.3"];

    /// A log without a disk.
    struct World {
        folding: Folding,
        ahead: State,
        seq: u64,
        at: u64,
    }

    impl World {
        fn new() -> World {
            let mut members = ENDPOINTS.map(|e| Subject::parse(e).unwrap().exact().unwrap());
            members.sort();
            let pools = [("web".into(), Settings::default())].into();
            let regions = vec!["fra".into(), "iad".into()];
            let inventory = Arc::new(Inventory {
                regions,
                pools,
                members: members.to_vec(),
                ..Inventory::default()
            });
            let (generation, digest) = (Generation(1), Digest::default());
            let (folding, ahead) = (Folding::default(), State::default());
            let mut world = World { folding, ahead, seq: 0, at: 1_000_000 };
            world.write(vec![Event::Files { generation, digest, inventory, origin: None }]);
            world
        }

        fn write(&mut self, events: Vec<Event>) -> usize {
            for event in &events {
                let revision = Revision(self.ahead.revision().0 + 1);
                let timed = Timed { revision, at: LogTime(self.at), event: event.clone() };
                self.ahead.apply(&timed);
            }
            events.len()
        }

        fn event(&mut self, subject: &str, status: Status) -> Event {
            self.seq += 1;
            Event::Report(Report {
                vantage: "a".into(),
                identity: Identity::Claimed,
                boot: Boot(1),
                seq: self.seq,
                subject: Subject::parse(subject).unwrap(),
                status,
                load: None,
                reason: None,
            })
        }

        fn feed(&mut self, events: Vec<Event>) -> usize {
            let mut count = 0;
            for event in events {
                assert_eq!(self.folding.admit(&event, &self.ahead), Ok(()));
                let written = self.folding.take(event, &self.ahead, LogTime(self.at));
                count += self.write(written);
            }
            let written = self.folding.end(&self.ahead);
            count + self.write(written)
        }

        /// One request with this of each; how many events it made.
        fn say(&mut self, subjects: &[&str], status: Status) -> usize {
            let events = subjects.iter().map(|s| self.event(s, status)).collect();
            self.feed(events)
        }
    }

    #[test]
    fn unchanged_words_do_not_grow_the_log() {
        let mut world = World::new();
        assert_eq!(world.say(&ENDPOINTS, Status::Up), 3, "the first round");
        assert_eq!(world.say(&ENDPOINTS, Status::Up), 3, "the second turns the opinion: rise = 2");
        let mut written = 0;
        for _ in 0..5_000 {
            world.at += 2;
            written += world.say(&ENDPOINTS[..1], Status::Up);
        }
        assert_eq!(written, 2, "10 s at 500 reports a second: once each half interval");
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS, Status::Up), 1, "all that it says: one heartbeat");
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS[1..], Status::Up), 2, "a heartbeat would say too much");
        assert_eq!(world.say(&["fra"], Status::Up), 1, "another subject is another word");
        assert_eq!(world.say(&["fra"], Status::Up), 0);
    }

    #[test]
    fn a_round_that_counts_is_written() {
        let mut world = World::new();
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Down), 1);
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Down), 0, "fall = 1");
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Up), 1);
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Up), 1, "rise = 2");
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Up), 0);
        world.at += 9_000;
        let mixed = [Status::Up, Status::Down, Status::Down];
        let events = mixed.into_iter().map(|status| world.event(ENDPOINTS[0], status)).collect();
        assert_eq!(world.feed(events), 2, "still up, down; down again adds nothing");
    }

    #[test]
    fn what_was_left_out_is_a_duplicate_when_it_comes_again() {
        let mut world = World::new();
        world.say(&ENDPOINTS[..1], Status::Down);
        let again = world.event(ENDPOINTS[0], Status::Down);
        let older = match again.clone() {
            Event::Report(report) => Event::Report(Report { status: Status::Up, ..report }),
            other => other,
        };
        assert_eq!(world.feed(vec![again.clone()]), 0);
        for event in [&again, &older] {
            let refused = world.folding.admit(event, &world.ahead).unwrap_err();
            assert_eq!(refused.code, "duplicate");
        }
        world.folding.forget();
        assert_eq!(world.folding.admit(&again, &world.ahead), Ok(()), "nothing was written");
    }

    #[test]
    fn heartbeats_are_folded_too() {
        let mut world = World::new();
        world.say(&ENDPOINTS, Status::Up);
        let beat = |world: &mut World| {
            world.seq += 1;
            let (vantage, boot, seq) = ("a".into(), Boot(1), world.seq);
            world.feed(vec![Event::Heartbeat { vantage, boot, seq }])
        };
        assert_eq!(beat(&mut world), 1, "the second round");
        assert_eq!(beat(&mut world), 0);
        world.at += 10_000;
        assert_eq!(beat(&mut world), 1);
    }
}
