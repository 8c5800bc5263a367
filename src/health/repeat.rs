//! Repetition: what a vantage says again, and what of that the log has to know.
//!
//! Only what cannot turn anything is ever left out: words that their vantage holds already, said again soon.

use std::collections::BTreeSet;

use super::event::{Boot, LogTime, Report, Settings};
use super::ledger::{Opinion, rounds_to};
use super::state::State;
use super::subject::{Member, Subject};

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
            settled.map_or(Novelty::News, |opinion| repeated(opinion, report, at, &settings))
        });
        let waits = report.subject.exact().is_none() || covered.is_empty();
        let waiting = waits.then(|| {
            let vantage = self.vantages.get(&report.vantage);
            let word = vantage.and_then(|v| v.words.get(&report.subject));
            word.map_or(Novelty::News, |word| repeated(word, report, at, &self.settings("")))
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

    /// Whether `subjects` cover every word that the vantage said in this boot.
    pub fn covers_all_words<'s>(
        &self,
        name: &str,
        boot: Boot,
        subjects: impl Iterator<Item = &'s Subject>,
    ) -> bool {
        let subjects: BTreeSet<&Subject> = subjects.collect();
        let wide: Vec<&Subject> =
            subjects.iter().copied().filter(|s| s.exact().is_none()).collect();
        let is_covered = |member: &Member| {
            subjects.contains(&Subject::of(member)) || wide.iter().any(|s| s.covers(member))
        };
        let Some(vantage) = self.vantages.get(name) else { return false };
        let waiting = vantage.words.iter().filter(|(_, word)| word.said.0 == boot);
        let held = self.endpoints.iter().filter(|(_, endpoint)| {
            endpoint.opinions.get(name).is_some_and(|opinion| opinion.said.0 == boot)
        });
        waiting.into_iter().all(|(subject, _)| subjects.contains(subject))
            && held.into_iter().all(|(member, _)| is_covered(member))
    }
}

fn repeated(opinion: &Opinion, report: &Report, at: LogTime, settings: &Settings) -> Novelty {
    let is_same = opinion.said.0 == report.boot
        && opinion.word == report.status
        && opinion.identity == report.identity
        && opinion.reason == report.reason
        && (report.load.is_none() || opinion.load == report.load);
    if is_same { age(opinion.at, at, settings) } else { Novelty::News }
}

/// Half an interval, so that a vantage that speaks at its interval is heard each time.
fn age(said: LogTime, at: LogTime, settings: &Settings) -> Novelty {
    match at.millis_since(said) < settings.interval_millis / 2 {
        true => Novelty::Nothing,
        false => Novelty::Freshness,
    }
}
