//! The fold: events, in order, into state. Same events in the same order, same state, however they were batched.
//!
//! Time moves in steps: before an event counts, every deadline up to its time falls due at its own time. So the state
//! never tells whether ticks were written, only what time it was.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::number::{Digest, Generation, Revision};

use super::drain::{Drain, KEEP_ALL, Wish};
use super::event::{Boot, Event, Inventory, LogTime, Report, Timed, Words};
use super::ledger::{Opinion, Vantage};
use super::state::{
    Endpoint, MEMORY_MILLIS, OVERRIDE_COUNT_MAX, Override, State, VANTAGE_COUNT_MAX, WORD_COUNT_MAX,
};
use super::subject::{Member, Subject};
use super::verdict::Cause;
use super::weigh::{Moved, Round};

/// What an event changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Endpoints whose standing changed, sorted.
    pub members: Vec<Member>,
    /// Whether shares changed: how much of its clients a region keeps, or what of a border it sheds.
    pub drains: bool,
    /// Pools whose panic began or ended, sorted.
    pub pools: Vec<Box<str>>,
    /// Whether the inventory changed.
    pub inventory: bool,
}

/// The endpoints that an event has something to say of.
#[derive(Default)]
struct Touched {
    /// Through an operator or the files.
    decided: Vec<Arc<Member>>,
    /// Through a vantage.
    heard: Vec<Arc<Member>>,
}

impl State {
    /// Folds one event. Time and order come with it: time that goes back counts as standing still, and an event whose
    /// revision is not after the last is not taken again.
    pub fn apply(&mut self, timed: &Timed) -> Changes {
        if self.revision.is_some_and(|last| timed.revision <= last) {
            return Changes::default();
        }
        let revision = timed.revision;
        self.revision = Some(revision);
        let mut moved = Moved::default();
        self.pass_time(self.now.max(timed.at), revision, &mut moved);
        let mut changes = Changes { drains: moved.drains, ..Changes::default() };
        let touched = self.take(timed, &mut changes);
        self.weigh(&touched.decided, Round { revision, cause: Cause::Decision }, &mut moved);
        self.weigh(&touched.heard, Round { revision, cause: Cause::Voice }, &mut moved);
        changes.members = moved.members.iter().map(|member| Member::clone(member)).collect();
        changes.pools = moved.pools.into_iter().collect();
        changes
    }

    /// Lets every deadline up to `until` fall due, each at its own time.
    fn pass_time(&mut self, until: LogTime, revision: Revision, moved: &mut Moved) {
        while let Some(time) = self.deadline().filter(|&time| time <= until) {
            self.now = self.now.max(time);
            let mut due: BTreeSet<Arc<Member>> =
                self.calendar.marked(time).iter().map(Arc::clone).collect();
            due.retain(|m| self.endpoints.get(m).is_some_and(|e| e.due == Some(time)));
            due.extend(self.drop_expired());
            moved.drains |= self.step_drains();
            moved.drains |= self.end_rests(revision);
            let due: Vec<_> = due.into_iter().collect();
            self.weigh(&due, Round { revision, cause: Cause::Time }, moved);
        }
        self.now = until;
        if self.forget_at.is_some_and(|at| at <= until) {
            self.forget();
        }
    }

    /// Drops the overrides that have expired; tells what they covered.
    fn drop_expired(&mut self) -> Vec<Arc<Member>> {
        let now = self.now;
        let mut covered = Vec::new();
        for (subject, decision) in &self.overrides {
            if !decision.stands(now) {
                covered.extend(self.covered(subject));
            }
        }
        self.overrides.retain(|_, decision| decision.stands(now));
        covered
    }

    /// Makes the steps of drains that are due; tells whether there were any.
    fn step_drains(&mut self) -> bool {
        let now = self.now;
        let mut moved = false;
        for drain in self.drains.values_mut() {
            if drain.due().is_some_and(|due| due <= now) {
                drain.advance();
                moved = true;
            }
        }
        self.drains.retain(|_, drain| !drain.is_over());
        moved
    }

    /// Brings a region from the share that it keeps to another, in some time. Tells whether its share changes now.
    fn take_drain(&mut self, region: &str, to: u16, over_millis: u64, wish: Wish) -> bool {
        let keep = self.keep(region);
        let drain = Drain::new((keep, to), over_millis, self.inventory.ttl_max_millis, wish);
        let moved = drain.keep != keep;
        match drain.is_over() {
            true => drop(self.drains.remove(region)),
            false => drop(self.drains.insert(region.into(), drain)),
        }
        moved
    }

    /// Drops what was not heard of for seven days. What is dropped has long been stale: no verdict hears of it.
    fn forget(&mut self) {
        let now = self.now;
        let keeps = |at: LogTime| now < at.plus_millis(MEMORY_MILLIS);
        self.endpoints.retain(|_, endpoint| endpoint.gone.is_none_or(keeps));
        for vantage in self.vantages.values_mut() {
            vantage.words.retain(|_, word| keeps(word.at));
            vantage.words_hash.forget();
        }
        self.vantages.retain(|_, vantage| keeps(vantage.heard));
        for endpoint in self.endpoints.values_mut().map(Arc::make_mut) {
            endpoint.opinions.retain(|vantage, _| self.vantages.contains_key(vantage));
            endpoint.hash.forget();
        }
        self.derive();
    }

    /// Takes the event itself.
    fn take(&mut self, timed: &Timed, changes: &mut Changes) -> Touched {
        let (since, revision) = (self.now, timed.revision);
        let decided = match &timed.event {
            Event::Files { generation, digest, inventory, origin: _ } => {
                return self.take_files((*generation, *digest), inventory, revision, changes);
            }
            Event::Report(report) => {
                let heard = self.take_report(report);
                changes.drains |= self.take_load(report, &heard, revision);
                return Touched { heard, ..Touched::default() };
            }
            Event::Heartbeat { vantage, boot, seq } => {
                let heard = self.take_heartbeat(vantage, *boot, *seq);
                changes.drains |= self.retake_loads(revision);
                return Touched { heard, ..Touched::default() };
            }
            Event::Reaffirmed { vantage, boot, seq, words } => {
                let heard = self.take_reaffirmed(vantage, (*boot, *seq), words);
                changes.drains |= self.retake_loads(revision);
                return Touched { heard, ..Touched::default() };
            }
            Event::Override { subject, action, expiry, why, who } => {
                let (why, who) = (why.clone(), who.clone());
                let decision =
                    Override { action: *action, expiry: *expiry, why, who, since, revision };
                self.take_override(subject, decision)
            }
            Event::ClearOverride { subject, .. } => match self.overrides.remove(subject) {
                Some(_) => self.covered(subject),
                None => Vec::new(),
            },
            Event::Drain { region, keep, over_millis, why, who } => {
                if self.inventory.regions.contains(region) || self.drains.contains_key(region) {
                    let wish = Wish { why: why.clone(), who: who.clone(), since, revision };
                    changes.drains |= self.take_drain(region, (*keep).into(), *over_millis, wish);
                }
                Vec::new()
            }
            Event::Undrain { region, over_millis, why, who } => {
                if self.drains.contains_key(region) {
                    let wish = Wish { why: why.clone(), who: who.clone(), since, revision };
                    changes.drains |= self.take_drain(region, KEEP_ALL, *over_millis, wish);
                }
                Vec::new()
            }
            Event::Tick => Vec::new(),
        };
        Touched { decided, ..Touched::default() }
    }

    fn take_files(
        &mut self,
        (generation, digest): (Generation, Digest),
        inventory: &Arc<Inventory>,
        revision: Revision,
        changes: &mut Changes,
    ) -> Touched {
        if generation < self.generation {
            return Touched::default();
        }
        (self.generation, self.files) = (generation, digest);
        if self.inventory == *inventory {
            return Touched::default();
        }
        self.inventory = Arc::clone(inventory);
        self.inventory_hash.forget();
        changes.inventory = true;
        changes.drains |= self.forget_loads();
        let present: BTreeSet<&Member> = inventory.members.iter().collect();
        for (member, endpoint) in &mut self.endpoints {
            let endpoint = Arc::make_mut(endpoint);
            endpoint.hash.forget();
            if present.contains(&**member) {
                endpoint.gone = None;
            } else if endpoint.gone.is_none() {
                (endpoint.gone, endpoint.due, endpoint.opined_down) = (Some(self.now), None, false);
                (endpoint.standing.next_change, endpoint.standing.steady_millis) = (None, None);
            }
        }
        let mut touched = Touched::default();
        for &member in &present {
            if !self.endpoints.contains_key(member) {
                let endpoint = self.welcome(member, revision);
                let member = Arc::new(member.clone());
                self.endpoints.insert(Arc::clone(&member), Arc::new(endpoint));
                // What was said of it before it came counts as said now.
                touched.heard.push(member);
            }
        }
        self.begin_anew();
        self.derive();
        let all = self.endpoints.iter().filter(|(_, endpoint)| endpoint.gone.is_none());
        touched.decided = all.map(|(member, _)| Arc::clone(member)).collect();
        touched
    }

    /// A new endpoint, with the words that waited for it.
    fn welcome(&mut self, member: &Member, revision: Revision) -> Endpoint {
        let settings = self.settings(&member.pool);
        let mut endpoint = Endpoint::new(settings.start, self.now, revision);
        let subject = Subject::of(member);
        for (name, vantage) in &mut self.vantages {
            if let Some(word) = vantage.word_on(member) {
                let mut opinion = word.clone();
                opinion.settle(&settings);
                endpoint.opinions.insert(name.clone(), opinion);
                endpoint.reported = true;
            }
            if vantage.words.remove(&subject).is_some() {
                vantage.words_hash.forget();
            }
        }
        endpoint
    }

    /// Gives endpoints whose verdict never turned the start verdict of their settings.
    fn begin_anew(&mut self) {
        for (member, endpoint) in &mut self.endpoints {
            if let Some(settings) = self.inventory.pools.get(&member.pool)
                && endpoint.turned.is_none()
            {
                let endpoint = Arc::make_mut(endpoint);
                endpoint.verdict = settings.start;
                endpoint.hash.forget();
            }
        }
    }

    /// Notes that a vantage spoke; none if what it says is old, or there is no room to remember it.
    fn hear(&mut self, name: &str, boot: Boot, seq: u64) -> Option<&mut Vantage> {
        let now = self.now;
        match self.vantages.get(name) {
            Some(vantage) if !vantage.is_next(boot, seq) => return None,
            None if self.vantages.len() >= VANTAGE_COUNT_MAX => return None,
            Some(_) | None => {}
        }
        let forget_at = now.plus_millis(MEMORY_MILLIS);
        self.forget_at = Some(self.forget_at.map_or(forget_at, |earlier| earlier.min(forget_at)));
        let vantage = self.vantages.entry(name.into()).or_default();
        (vantage.boot, vantage.seq, vantage.heard) = (boot, seq, now);
        Some(vantage)
    }

    fn take_report(&mut self, report: &Report) -> Vec<Arc<Member>> {
        let now = self.now;
        if self.hear(&report.vantage, report.boot, report.seq).is_none() {
            return Vec::new();
        }
        let covered = self.covered(&report.subject);
        // The load of many is not the load of each.
        let of_each = report.load.filter(|_| report.subject.exact().is_some());
        let voice = &Report { load: of_each, ..report.clone() };
        for member in &covered {
            let settings = self.settings(&member.pool);
            let Some(endpoint) = self.endpoints.get_mut(member).map(Arc::make_mut) else {
                continue;
            };
            endpoint.hash.forget();
            endpoint.reported = true;
            let opinion = match endpoint.opinions.get_mut(&report.vantage) {
                Some(opinion) => {
                    opinion.hear(voice, now, settings.stale_millis());
                    opinion
                }
                None => endpoint
                    .opinions
                    .entry(report.vantage.clone())
                    .or_insert_with(|| Opinion::new(voice, now)),
            };
            opinion.settle(&settings);
        }
        if report.subject.exact().is_none() || covered.is_empty() {
            self.keep_word(report);
        }
        covered
    }

    /// Keeps a word for endpoints that files may yet bring. They have no settings: the default interval holds.
    fn keep_word(&mut self, report: &Report) {
        let room = self.word_count() < WORD_COUNT_MAX;
        let (now, stale_millis) = (self.now, self.settings("").stale_millis());
        let Some(vantage) = self.vantages.get_mut(&report.vantage) else { return };
        vantage.words_hash.forget();
        match vantage.words.get_mut(&report.subject) {
            Some(word) => word.hear(report, now, stale_millis),
            None if room => {
                vantage.words.insert(report.subject.clone(), Opinion::new(report, now));
            }
            None => {}
        }
    }

    /// How many words wait, all vantages together.
    pub(super) fn word_count(&self) -> usize {
        self.vantages.values().map(|vantage| vantage.words.len()).sum()
    }

    fn take_heartbeat(&mut self, name: &str, boot: Boot, seq: u64) -> Vec<Arc<Member>> {
        match self.hear(name, boot, seq) {
            Some(_) => self.reaffirm(name, boot, &Words::AllBut(Box::default())),
            None => Vec::new(),
        }
    }

    /// Unlike what a vantage sends, this is no duplicate when a later word of it was written first.
    fn take_reaffirmed(
        &mut self,
        name: &str,
        (boot, seq): (Boot, u64),
        words: &Words,
    ) -> Vec<Arc<Member>> {
        let now = self.now;
        let Some(vantage) = self.vantages.get_mut(name).filter(|v| v.boot == boot) else {
            return Vec::new();
        };
        (vantage.seq, vantage.heard) = (vantage.seq.max(seq), now);
        self.reaffirm(name, boot, words)
    }

    /// A word of an earlier boot is not reaffirmed: a vantage that started anew no longer knows what it said.
    fn reaffirm(&mut self, name: &str, boot: Boot, words: &Words) -> Vec<Arc<Member>> {
        let (now, word_stale_millis) = (self.now, self.settings("").stale_millis());
        let listed: BTreeSet<&Subject> = words.listed().iter().collect();
        if let Some(vantage) = self.vantages.get_mut(name).filter(|v| !v.words.is_empty()) {
            vantage.words_hash.forget();
            for (subject, word) in &mut vantage.words {
                if word.said.0 == boot && words.is_all() != listed.contains(subject) {
                    word.reaffirm(now, word_stale_millis);
                }
            }
        }
        let mut reaffirmed = self.members_with(words);
        reaffirmed.retain(|member| {
            let endpoint = self.endpoints.get(member);
            let opinion = endpoint.and_then(|endpoint| endpoint.opinions.get(name));
            opinion.is_some_and(|opinion| opinion.said.0 == boot)
        });
        for member in &reaffirmed {
            let settings = self.settings(&member.pool);
            let endpoint = self.endpoints.get_mut(member).map(Arc::make_mut);
            let Some(endpoint) = endpoint else { continue };
            endpoint.hash.forget();
            if let Some(opinion) = endpoint.opinions.get_mut(name) {
                opinion.reaffirm(now, settings.stale_millis());
                opinion.settle(&settings);
            }
        }
        reaffirmed
    }

    /// The endpoints that words may be on, in order.
    fn members_with(&self, words: &Words) -> Vec<Arc<Member>> {
        match words {
            Words::AllBut(subjects) => {
                let but: BTreeSet<Member> = subjects.iter().filter_map(Subject::exact).collect();
                self.endpoints.keys().filter(|member| !but.contains(&***member)).cloned().collect()
            }
            Words::Only(subjects) => {
                let all: BTreeSet<_> = subjects.iter().flat_map(|s| self.covered(s)).collect();
                all.into_iter().collect()
            }
        }
    }

    fn take_override(&mut self, subject: &Subject, decision: Override) -> Vec<Arc<Member>> {
        let room = self.overrides.len() < OVERRIDE_COUNT_MAX;
        if decision.stands(self.now) && (room || self.overrides.contains_key(subject)) {
            self.overrides.insert(subject.clone(), decision);
        } else if self.overrides.remove(subject).is_none() {
            return Vec::new();
        }
        self.covered(subject)
    }
}

#[cfg(test)]
mod tests;
