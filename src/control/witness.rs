//! The witness: sees event after event and says what came of each. Endpoints that turned, alarms raised and cleared. Pure:
//! it follows from the state and the event alone, so what is told again after a restart is what was told before.

use std::collections::BTreeMap;

use crate::api::{AlarmChange, Turn, WatchEvent, alarm_change, standing_body, watch_event};
use crate::health::{
    Changes, Event, Freshness, Member, Standing as Stands, State, Subject, Tier, Timed,
};
use crate::number::Revision;
use crate::reason::Reason;

use super::alarms::Standing;
use super::concerns::{self, Lacks};

/// Endpoints that are listed as turned by one event; of the others the count is told. A guess.
const TURN_COUNT_MAX: usize = 256;

/// Follows the log and tells of it.
pub struct Witness {
    state: State,
    /// How each endpoint in the files stood last.
    seen: BTreeMap<Member, Seen>,
    /// What they lack, by pool.
    lacks: Lacks,
    alarms: Standing,
}

/// What is told of an endpoint's standing when it changes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    tier: Tier,
    verdict: crate::health::Status,
    freshness: Freshness,
    reason: Reason,
}

impl Seen {
    fn of(stands: &Stands) -> Seen {
        let Stands { tier, verdict, freshness, reason, .. } = stands;
        Seen { tier: *tier, verdict: *verdict, freshness: *freshness, reason: *reason }
    }
}

impl Witness {
    /// One who knows all up to `state`.
    pub fn of(state: State) -> Witness {
        let lacks = concerns::lacks(&state);
        Witness { seen: seen(&state), alarms: concerns::with(&state, &lacks), lacks, state }
    }

    /// The last revision that was seen.
    pub fn revision(&self) -> Revision {
        self.state.revision()
    }

    /// The state after it.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Sees the next event, and tells of it.
    pub fn see(&mut self, timed: &Timed) -> WatchEvent {
        let overrides = self.state.overrides().size_hint().0;
        let changes = self.state.apply(timed);
        let mut told = watch_event(timed);
        let turned = self.turned(&changes);
        told.turned_more = turned.len().saturating_sub(TURN_COUNT_MAX);
        told.turned = turned.into_iter().take(TURN_COUNT_MAX).collect();
        // A word that is said again says its load again.
        let is_quiet = is_repetition(&timed.event)
            && self.state.inventory().capacities.is_empty()
            && changes == Changes::default()
            && self.state.overrides().size_hint().0 == overrides;
        told.alarms = self.changed_alarms(is_quiet);
        told
    }

    fn turned(&mut self, changes: &Changes) -> Vec<Turn> {
        let mut turned = Vec::new();
        for member in &changes.members {
            let stands = self.state.standing(member);
            let now = Seen::of(&stands);
            // One that was not in the files before did not turn: it came.
            let Some(before) = self.seen.insert(member.clone(), now) else { continue };
            if let Some(lack) = self.lacks.get_mut(&member.pool) {
                lack.change(before.freshness, now.freshness);
            }
            if before != now {
                turned.push(turn(member, before, &stands));
            }
        }
        if changes.inventory {
            (self.seen, self.lacks) = (seen(&self.state), concerns::lacks(&self.state));
        }
        turned
    }

    /// Where nothing but time can have changed anything, only vantages are looked at: they fall silent by time alone.
    fn changed_alarms(&mut self, is_quiet: bool) -> Vec<AlarmChange> {
        let now = if is_quiet {
            let others = self.alarms.iter().filter(|((alarm, _), _)| !concerns::is_of_time(*alarm));
            let others = others.map(|(key, words)| (key.clone(), words.clone()));
            others.chain(concerns::missing(&self.state)).collect()
        } else {
            concerns::with(&self.state, &self.lacks)
        };
        let before = std::mem::replace(&mut self.alarms, now);
        let cleared = before.keys().filter(|key| !self.alarms.contains_key(key));
        let cleared = cleared.map(|(alarm, subject)| alarm_change(*alarm, subject, None));
        let raised = self.alarms.iter().filter(|(key, _)| !before.contains_key(key));
        let raised =
            raised.map(|((alarm, subject), words)| alarm_change(*alarm, subject, Some(words)));
        cleared.chain(raised).collect()
    }
}

/// Whether it is of those that come all the time, and mostly say what was known.
fn is_repetition(event: &Event) -> bool {
    match event {
        Event::Report(report) => report.load.is_none(),
        Event::Heartbeat { .. } | Event::Reaffirmed { .. } => true,
        _ => false,
    }
}

fn seen(state: &State) -> BTreeMap<Member, Seen> {
    state.members().map(|(member, stands)| (member.clone(), Seen::of(stands))).collect()
}

fn turn(member: &Member, before: Seen, stands: &Stands) -> Turn {
    let body = standing_body(member, stands);
    Turn {
        subject: Subject::of(member).to_string(),
        was: crate::api::tier_word(before.tier).to_owned(),
        status: body.status,
        verdict: body.verdict,
        reason: body.reason,
        because: body.because,
        evidence: body.evidence,
    }
}

#[cfg(test)]
mod tests;
