//! Folding: reports on their way into the log. What only repeats is left out while the word is young, and then gathered:
//! one event for all that a vantage said again, when it has said all that it says, or when an interval is over. So the
//! log grows with what changes, and with intervals, and not with endpoints.
//!
//! A report that is left out is acknowledged all the same: were it lost, nothing would be lost but its time.

use std::collections::{BTreeMap, BTreeSet};

use crate::health::{
    Boot, Event, LogTime, Novelty, Refusal, Report, Safety, State, Subject, Words,
};

/// Vantages whose last word is remembered here. Those of the state come first, and it knows no more.
const HEARD_COUNT_MAX: usize = 2_000;

/// Subjects that one event lists: some tens of kilobytes in the log.
const LISTED_COUNT_MAX: usize = 1_000;

/// What was taken, and is not written (yet).
#[derive(Default)]
pub struct Folding {
    /// What was said again, by vantage.
    runs: BTreeMap<Box<str>, Run>,
    /// The last (boot, seq) of each vantage that repeated itself, for the log may not have it.
    heard: BTreeMap<Box<str>, (Boot, u64)>,
}

/// What one vantage said again.
struct Run {
    boot: Boot,
    /// The last sequence number in it.
    seq: u64,
    subjects: BTreeSet<Subject>,
    /// When it is written, complete or not; none while nothing of it is old enough to be.
    due: Option<LogTime>,
    /// Words that the vantage had when the run began: with fewer subjects that name one endpoint it is not complete.
    goal: usize,
    /// Subjects when it was last found incomplete.
    looked_at: usize,
    /// Whether one of them may cover many.
    is_wide: bool,
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
                    let mut written = self.make_way(report, ahead);
                    written.push(event);
                    written
                }
                novelty => {
                    self.hear(&event);
                    if let Event::Report(report) = event {
                        self.gather(report, novelty, ahead, at);
                    }
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
                        let mut written = self.end_run(&vantage.clone(), ahead);
                        written.push(event);
                        written
                    }
                }
            }
            _ => vec![event],
        }
    }

    /// A feed is over. Gives what is to be written now of what was held back: complete runs.
    pub fn end_feed(&mut self, ahead: &State) -> Vec<Event> {
        self.runs.retain(|_, run| run.due.is_some());
        let runs = self.runs.iter_mut();
        let complete = runs.filter_map(|(name, run)| run.is_complete(name, ahead).then_some(name));
        let complete: Vec<_> = complete.cloned().collect();
        complete.iter().flat_map(|name| self.end_run(name, ahead)).collect()
    }

    /// When something held back is to be written.
    pub fn due(&self) -> Option<LogTime> {
        self.runs.values().filter_map(|run| run.due).min()
    }

    /// Gives what is to be written by `now`.
    pub fn end_due(&mut self, ahead: &State, now: LogTime) -> Vec<Event> {
        let due = self.runs.iter().filter(|(_, run)| run.due.is_some_and(|due| due <= now));
        let due: Vec<_> = due.map(|(name, _)| name.clone()).collect();
        due.iter().flat_map(|name| self.end_run(name, ahead)).collect()
    }

    /// Nothing that was taken was written: all of it may come again.
    pub fn forget(&mut self) {
        *self = Folding::default();
    }

    /// Adds a repetition to its vantage's run.
    fn gather(&mut self, report: Report, novelty: Novelty, ahead: &State, at: LogTime) {
        let run = self.runs.entry(report.vantage).or_insert_with_key(|name| Run {
            boot: report.boot,
            seq: report.seq,
            subjects: BTreeSet::new(),
            due: None,
            goal: ahead.count_words(name, report.boot),
            looked_at: 0,
            is_wide: false,
        });
        if novelty == Novelty::Freshness {
            let due = at.plus_millis(ahead.interval_millis(&report.subject));
            run.due = Some(run.due.map_or(due, |earlier| earlier.min(due)));
        }
        run.seq = report.seq;
        run.is_wide |= report.subject.exact().is_none();
        run.subjects.insert(report.subject);
    }

    /// News goes before a run that goes on without it: what was said once must not count as said again.
    fn make_way(&mut self, news: &Report, ahead: &State) -> Vec<Event> {
        let Some(run) = self.runs.get_mut(&news.vantage) else { return Vec::new() };
        if run.is_wide || run.boot != news.boot || news.subject.exact().is_none() {
            return self.end_run(&news.vantage, ahead);
        }
        run.subjects.remove(&news.subject);
        if run.subjects.is_empty() {
            self.runs.remove(&news.vantage);
        }
        Vec::new()
    }

    /// What the log is told of a run: the shorter of what was said again and what was not.
    fn end_run(&mut self, name: &str, ahead: &State) -> Vec<Event> {
        let run = self.runs.remove(name);
        let run = run.filter(|run| run.due.is_some() && !run.subjects.is_empty());
        let Some(Run { boot, seq, subjects, .. }) = run else { return Vec::new() };
        let told = |words| Event::Reaffirmed { vantage: name.into(), boot, seq, words };
        let besides = ahead.words_besides(name, boot, &subjects);
        if besides.len() < subjects.len() && besides.len() <= LISTED_COUNT_MAX {
            return vec![told(Words::AllBut(besides.into()))];
        }
        let subjects: Vec<_> = subjects.into_iter().collect();
        subjects.chunks(LISTED_COUNT_MAX).map(|some| told(Words::Only(some.into()))).collect()
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
    /// Whether its vantage has said again all that it says. Looks only where it can be so.
    fn is_complete(&mut self, name: &str, ahead: &State) -> bool {
        let has_enough = self.is_wide || self.subjects.len() >= self.goal;
        if !has_enough || self.subjects.len() == self.looked_at {
            return false;
        }
        self.looked_at = self.subjects.len();
        ahead.words_besides(name, self.boot, &self.subjects).is_empty()
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
            let written = self.folding.end_feed(&self.ahead);
            count + self.write(written)
        }

        /// One request with this of each; how many events it made.
        fn say(&mut self, subjects: &[&str], status: Status) -> usize {
            let events = subjects.iter().map(|s| self.event(s, status)).collect();
            self.feed(events)
        }
    }

    /// An interval passes, and what is due by then is written: the events.
    fn wait(world: &mut World) -> Vec<Event> {
        world.at += 10_000;
        let written = world.folding.end_due(&world.ahead, LogTime(world.at));
        world.write(written.clone());
        written
    }

    fn listed(event: &Event) -> (bool, Vec<String>) {
        let Event::Reaffirmed { words, .. } = event else { panic!("{event:?}") };
        (words.is_all(), words.listed().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn unchanged_words_do_not_grow_the_log() {
        let mut world = World::new();
        assert_eq!(world.say(&ENDPOINTS, Status::Up), 3, "the first round");
        assert_eq!(world.say(&ENDPOINTS, Status::Up), 3, "the second turns the opinion: rise = 2");
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS, Status::Up), 1, "all that it says: one event, at once");
        let mut written = 0;
        for _ in 0..5_000 {
            world.at += 2;
            written += world.say(&ENDPOINTS[..1], Status::Up);
        }
        assert_eq!(written, 0, "10 s at 500 reports a second: it waits for the others");
        let written = wait(&mut world);
        assert_eq!(written.len(), 1);
        assert_eq!(listed(&written[0]), (false, vec![ENDPOINTS[0].to_owned()]));
        assert_eq!(world.say(&["fra"], Status::Up), 1, "another subject is another word");
        assert_eq!(world.say(&["fra"], Status::Up), 0);
    }

    #[test]
    fn what_comes_in_parts_is_written_when_it_is_whole() {
        let mut world = World::new();
        world.say(&ENDPOINTS, Status::Down);
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS[..2], Status::Down), 0);
        world.at += 5_000;
        assert_eq!(world.say(&ENDPOINTS[2..], Status::Down), 1);
        assert_eq!(world.folding.due(), None);
        // Nothing of it is said twice in the state either.
        assert_eq!(world.say(&ENDPOINTS, Status::Down), 0);
    }

    #[test]
    fn a_word_that_is_left_out_does_not_make_the_others_dear() {
        let mut world = World::new();
        world.say(&ENDPOINTS, Status::Down);
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS[1..], Status::Down), 0, "one is missing");
        assert_eq!(world.folding.due(), Some(LogTime(world.at + 10_000)));
        let written = wait(&mut world);
        assert_eq!(written.len(), 1);
        assert_eq!(listed(&written[0]), (true, vec![ENDPOINTS[0].to_owned()]));
    }

    #[test]
    fn news_is_not_said_again_by_what_was_held_back() {
        let mut world = World::new();
        world.say(&ENDPOINTS, Status::Down);
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS[..2], Status::Down), 0);
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Up), 1, "a first round of two: news");
        let written = wait(&mut world);
        assert_eq!(listed(&written[0]), (false, vec![ENDPOINTS[1].to_owned()]));
        let member = Subject::parse(ENDPOINTS[0]).unwrap().exact().unwrap();
        assert_eq!(world.ahead.standing(&member).verdict, Status::Down, "it was said once");
        assert_eq!(world.say(&ENDPOINTS[..1], Status::Up), 1);
        assert_eq!(world.ahead.standing(&member).verdict, Status::Up);
        // News on many goes behind what was held back.
        world.at += 10_000;
        assert_eq!(world.say(&ENDPOINTS[1..2], Status::Down), 0);
        assert_eq!(world.say(&["fra"], Status::Degraded), 2);
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
        assert_eq!(world.feed(events), 1, "still up, down; down again adds nothing");
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
    fn a_load_is_written_when_it_leaps_and_else_now_and_then() {
        let mut world = World::new();
        let say = |world: &mut World, load: f64| {
            let event = match world.event("fra", Status::Up) {
                Event::Report(report) => Event::Report(Report { load: Some(load), ..report }),
                other => other,
            };
            world.feed(vec![event])
        };
        say(&mut world, 100.0);
        say(&mut world, 100.0);
        let written = [110.0, 80.0, 125.0, 134.0].map(|load| say(&mut world, load));
        assert_eq!(written, [0, 0, 0, 1], "a quarter of the larger one");
        assert_eq!(say(&mut world, 130.0), 0);
        world.at += 5_000;
        assert_eq!(say(&mut world, 130.0), 1, "half an interval later");
        assert_eq!(say(&mut world, 0.0), 1);
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
