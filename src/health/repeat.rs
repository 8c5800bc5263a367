//! Repetition: what a vantage says again, and what of that the log has to know.
//!
//! Only what cannot turn anything is ever left out: words that their vantage holds already, said again soon.

use std::collections::BTreeSet;

use super::event::{Boot, LogTime, Report, Settings};
use super::ledger::{Opinion, rounds_to};
use super::state::State;
use super::subject::Subject;

/// What a report adds to what its vantage said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Novelty {
    /// Nothing: the same, said less than half an interval ago, and often enough before.
    Nothing,
    /// Only that the vantage still says so: a heartbeat does as well, where it says all that it says again.
    Freshness,
    /// A word, a load, a reason, or a round that counts towards `rise` or `fall`.
    News,
}

impl State {
    /// What `report` adds at `at`.
    pub fn novelty(&self, report: &Report, at: LogTime) -> Novelty {
        if self.vantages.get(&report.vantage).is_none_or(|v| v.boot != report.boot) {
            return Novelty::News;
        }
        let covered = self.covered(&report.subject);
        let held = covered.iter().map(|member| {
            let opinion = self.endpoints.get(member).and_then(|e| e.opinions.get(&report.vantage));
            let settings = self.settings(&member.pool);
            let settled = opinion.filter(|o| rounds_to(o, report.status, &settings) == 0);
            // A load of many is kept with the words on many.
            let load = report.load.filter(|_| report.subject.exact().is_some());
            settled.map_or(Novelty::News, |opinion| repeated(opinion, report, load, at, &settings))
        });
        let waits = report.subject.exact().is_none() || covered.is_empty();
        let waiting = waits.then(|| {
            let vantage = self.vantages.get(&report.vantage);
            let word = vantage.and_then(|v| v.words.get(&report.subject));
            let settings = self.settings("");
            word.map_or(Novelty::News, |word| repeated(word, report, report.load, at, &settings))
        });
        held.chain(waiting).max().unwrap_or(Novelty::News)
    }

    /// What a heartbeat adds at `at`: nothing, if all that it reaffirms is held and was said soon before.
    pub fn novelty_of_heartbeat(&self, name: &str, boot: Boot, at: LogTime) -> Novelty {
        let Some(vantage) = self.vantages.get(name).filter(|v| v.boot == boot) else {
            return Novelty::News;
        };
        let settings = self.settings("");
        let mut voices = vec![age(vantage.heard, at, &settings)];
        voices.extend(vantage.words.values().map(|word| age(word.at, at, &settings)));
        for (member, endpoint) in &self.endpoints {
            let Some(opinion) = endpoint.opinions.get(name).filter(|o| o.said.0 == boot) else {
                continue;
            };
            let settings = self.settings(&member.pool);
            voices.push(match rounds_to(opinion, opinion.word, &settings) {
                0 => age(opinion.at, at, &settings),
                _ => Novelty::News,
            });
        }
        voices.into_iter().max().unwrap_or(Novelty::News)
    }

    /// How many words the vantage said in this boot, an endpoint's that is covered by a wider one counted for itself.
    pub fn count_words(&self, name: &str, boot: Boot) -> usize {
        self.words_of(name, boot).count()
    }

    /// The words that the vantage said in this boot, and that are not among `subjects` nor on endpoints that these cover.
    pub fn words_besides(
        &self,
        name: &str,
        boot: Boot,
        subjects: &BTreeSet<Subject>,
    ) -> Vec<Subject> {
        let wide: Vec<&Subject> = subjects.iter().filter(|s| s.exact().is_none()).collect();
        let is_among = |subject: &Subject| {
            subjects.contains(subject)
                || subject.exact().is_some_and(|member| wide.iter().any(|s| s.covers(&member)))
        };
        self.words_of(name, boot).filter(|subject| !is_among(subject)).collect()
    }

    fn words_of(&self, name: &str, boot: Boot) -> impl Iterator<Item = Subject> {
        let waiting = self.vantages.get(name).into_iter().flat_map(|vantage| &vantage.words);
        let waiting = waiting.filter(move |(_, word)| word.said.0 == boot);
        let held = self.endpoints.iter().filter(move |(_, endpoint)| {
            endpoint.opinions.get(name).is_some_and(|opinion| opinion.said.0 == boot)
        });
        waiting.map(|(subject, _)| subject.clone()).chain(held.map(|(m, _)| Subject::of(m)))
    }

    /// How often a word on `subject` is expected, in milliseconds: the shortest interval of the pools that it may cover.
    pub fn interval_millis(&self, subject: &Subject) -> u64 {
        match subject.exact() {
            Some(member) => self.settings(&member.pool).interval_millis,
            None => {
                let all = self.inventory.pools.values().map(|settings| settings.interval_millis);
                all.chain([self.settings("").interval_millis]).min().unwrap_or_default()
            }
        }
    }
}

/// A load that is another is news, and no more often than freshness, for it is smoothed over a longer time; one that
/// leapt is news at once.
fn repeated(
    opinion: &Opinion,
    report: &Report,
    load: Option<f64>,
    at: LogTime,
    settings: &Settings,
) -> Novelty {
    let is_same = opinion.said.0 == report.boot
        && opinion.word == report.status
        && opinion.identity == report.identity
        && opinion.reason == report.reason;
    match age(opinion.at, at, settings) {
        _ if !is_same => Novelty::News,
        Novelty::Freshness if load.is_some() && opinion.load != load => Novelty::News,
        _ if load.is_some_and(|load| leapt(opinion.load, load)) => Novelty::News,
        age => age,
    }
}

/// By a quarter of the larger one, or more.
fn leapt(was: Option<f64>, is: f64) -> bool {
    was.is_none_or(|was| was != is && (was - is).abs() >= was.max(is) / 4.0)
}

/// Half an interval, so that a vantage that speaks at its interval is heard each time.
fn age(said: LogTime, at: LogTime, settings: &Settings) -> Novelty {
    match at.millis_since(said) < settings.interval_millis / 2 {
        true => Novelty::Nothing,
        false => Novelty::Freshness,
    }
}
