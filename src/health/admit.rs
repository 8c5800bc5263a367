//! Admission: whether an event would be taken, asked before it is written to the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::number::Revision;

use super::event::{Action, Boot, Event, Expiry, Report, Timed};
use super::state::{OVERRIDE_COUNT_MAX, State, VANTAGE_COUNT_MAX, WORD_COUNT_MAX};
use super::subject::Subject;
use super::verdict::Tier;

/// The longest name of a vantage or a person, in octets.
pub const NAME_OCTETS_MAX: usize = 255;

/// The longest reason of a report, in octets.
pub const REASON_OCTETS_MAX: usize = 200;

/// The longest `why` of a decision, in octets. A guess, to be measured.
pub const WHY_OCTETS_MAX: usize = 500;

/// The longest time that a drain may take, in milliseconds: seven days. Beyond that nobody remembers it. A guess.
const DRAIN_MILLIS_MAX: u64 = 7 * 86_400_000;

/// Whether `at_least` is guarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Safety {
    /// A decision that leaves a pool with too few regions is refused.
    #[default]
    Kept,
    /// The operator has seen the consequence and wants it.
    Waived,
}

/// Why an event would be refused: words for the operator, with the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable short name, such as `duplicate`.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }

    /// The vantage spoke of `last` already.
    pub fn duplicate(vantage: &str, place: (Boot, u64), last: (Boot, u64)) -> Refusal {
        let (Boot(boot), seq) = place;
        let message = format!(
            "boot {boot} seq {seq} of {vantage} is not after boot {} seq {}, which was taken",
            last.0.0, last.1
        );
        Refusal::new("duplicate", message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl State {
    /// Whether the event would be taken now, asked before it is written to the log: duplicates, bounds, overrides of
    /// unknown subjects, decisions that break `at_least` unless that guard is waived.
    ///
    /// Codes: `duplicate`, `older`, `bad-name`, `bad-subject`, `bad-reason`, `bad-load`, `bad-why`,
    /// `too-many-vantages`, `too-many-subjects`, `too-many-overrides`, `unknown-subject`, `unknown-region`, `expired`,
    /// `no-override`, `not-drained`, `bad-span`, `at-least`.
    pub fn admit(&self, event: &Event, safety: Safety) -> Result<(), Refusal> {
        match event {
            Event::Files { generation, .. } if *generation < self.generation => Err(Refusal::new(
                "older",
                format!("generation {generation} is older than {}, which serves", self.generation),
            )),
            Event::Files { generation, digest, .. }
                if *generation == self.generation && *digest != self.files_digest() =>
            {
                let what =
                    "is another state of the files than the one that serves under this number";
                Err(Refusal::new("older", format!("generation {generation} {what}")))
            }
            Event::Files { .. } | Event::Tick => Ok(()),
            Event::Report(report) => self.admit_report(report),
            Event::Heartbeat { vantage, boot, seq } => self.admit_vantage(vantage, *boot, *seq),
            // Only whoever writes the log makes it, of what was admitted.
            Event::Reaffirmed { .. } => Ok(()),
            Event::Override { subject, action, expiry, why, who } => {
                admit_words(why, who)?;
                self.admit_override(subject, *expiry)?;
                match action {
                    Action::Down => self.admit_loss(event, safety),
                    Action::Up | Action::Hold | Action::Accept => Ok(()),
                }
            }
            Event::ClearOverride { subject, why, who } => {
                admit_words(why, who)?;
                if !self.overrides.contains_key(subject) {
                    let message = format!("no override stands on {subject}; status lists them");
                    return Err(Refusal::new("no-override", message));
                }
                self.admit_loss(event, safety)
            }
            Event::Drain { region, over_millis, why, who, .. } => {
                admit_words(why, who)?;
                self.admit_span(*over_millis)?;
                if !self.inventory.regions.contains(region) {
                    let message = format!("no region is called {region}; known: {}", self.names());
                    return Err(Refusal::new("unknown-region", message));
                }
                self.admit_loss(event, safety)
            }
            Event::Undrain { region, over_millis, why, who } => {
                admit_words(why, who)?;
                self.admit_span(*over_millis)?;
                match self.drains.contains_key(region) {
                    true => Ok(()),
                    false => {
                        Err(Refusal::new("not-drained", format!("region {region} is not drained")))
                    }
                }
            }
        }
    }

    fn admit_vantage(&self, name: &str, boot: Boot, seq: u64) -> Result<(), Refusal> {
        if !is_name(name) {
            let message = "a vantage is named with 1 to 255 printable ASCII characters, no space";
            return Err(Refusal::new("bad-name", message));
        }
        match self.vantages.get(name) {
            Some(vantage) if !vantage.is_next(boot, seq) => {
                Err(Refusal::duplicate(name, (boot, seq), (vantage.boot, vantage.seq)))
            }
            None if self.vantages.len() >= VANTAGE_COUNT_MAX => Err(Refusal::new(
                "too-many-vantages",
                format!("{VANTAGE_COUNT_MAX} vantages are known; a silent one goes after 7 days"),
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn admit_report(&self, report: &Report) -> Result<(), Refusal> {
        self.admit_vantage(&report.vantage, report.boot, report.seq)?;
        admit_subject(&report.subject)?;
        if report.subject.is_pattern() {
            let message = "a report names what it speaks of: a part is a name or *, not a pattern";
            return Err(Refusal::new("bad-subject", message));
        }
        if let Some(reason) = &report.reason
            && (reason.len() > REASON_OCTETS_MAX || reason.contains(char::is_control))
        {
            let message = "a reason has at most 200 octets and no control characters";
            return Err(Refusal::new("bad-reason", message));
        }
        if report.load.is_some_and(|load| !load.is_finite() || load < 0.0) {
            return Err(Refusal::new("bad-load", "a load is a number, zero or more"));
        }
        let waits = report.subject.exact().is_none_or(|m| !self.endpoints.contains_key(&m));
        let known = self.vantages.get(&report.vantage);
        let is_new = known.is_none_or(|v| !v.words.contains_key(&report.subject));
        if waits && is_new && self.word_count() >= WORD_COUNT_MAX {
            let message = format!(
                "{WORD_COUNT_MAX} words wait for endpoints that the files do not hold; \
                 report only what they hold"
            );
            return Err(Refusal::new("too-many-subjects", message));
        }
        Ok(())
    }

    fn admit_override(&self, subject: &Subject, expiry: Expiry) -> Result<(), Refusal> {
        admit_subject(subject)?;
        let everything = *subject == Subject::default();
        if !everything && !self.inventory.members.iter().any(|m| subject.covers(m)) {
            let message = format!("no endpoint in the files is {subject}; status lists them");
            return Err(Refusal::new("unknown-subject", message));
        }
        if matches!(expiry, Expiry::At(at) if at <= self.now) {
            return Err(Refusal::new("expired", "the override would have expired already"));
        }
        if self.overrides.len() >= OVERRIDE_COUNT_MAX && !self.overrides.contains_key(subject) {
            let message = format!("{OVERRIDE_COUNT_MAX} overrides stand; clear some first");
            return Err(Refusal::new("too-many-overrides", message));
        }
        Ok(())
    }

    /// Refuses what leaves a pool fewer regions than `at_least`. The fold itself tells what would come.
    fn admit_loss(&self, event: &Event, safety: Safety) -> Result<(), Refusal> {
        if safety == Safety::Waived {
            return Ok(());
        }
        let mut after = self.clone();
        let revision = Revision(self.revision.map_or(1, |last| last.0.saturating_add(1)));
        after.apply(&Timed { revision, at: self.now, event: event.clone() });
        let (before, after) = (self.eligible(), after.eligible());
        for (pool, settings) in &self.inventory.pools {
            let count = |by_pool: &BTreeMap<&str, BTreeSet<&str>>| {
                by_pool.get(&**pool).map_or(0, BTreeSet::len)
            };
            let (had, has) = (count(&before), count(&after));
            if has < had && has < settings.at_least as usize {
                let message = format!(
                    "pool {pool} would have {has} eligible of {had} regions now, at_least is {}; \
                     force it if that is meant",
                    settings.at_least
                );
                return Err(Refusal::new("at-least", message));
            }
        }
        Ok(())
    }

    /// By pool, the regions that are not wholly drained and have an endpoint that is up or degraded.
    fn eligible(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut by_pool: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (member, endpoint) in &self.endpoints {
            let usable = matches!(endpoint.standing.tier, Tier::Up | Tier::Degraded);
            if endpoint.gone.is_none() && usable && self.keep_in_the_end(&member.region) > 0 {
                by_pool.entry(&member.pool).or_default().insert(&member.region);
            }
        }
        by_pool
    }

    /// Refuses a time that a drain cannot keep to: too long, or too short for a second step, so that all would move at
    /// once although time was asked for.
    fn admit_span(&self, over_millis: u64) -> Result<(), Refusal> {
        if over_millis > DRAIN_MILLIS_MAX {
            return Err(Refusal::new("bad-span", "a drain takes at most seven days"));
        }
        let ttl_max_millis = self.inventory.ttl_max_millis;
        if (1..ttl_max_millis).contains(&over_millis) {
            let secs = ttl_max_millis.div_ceil(1000);
            let message = format!(
                "steps are a ttl.max apart, {secs} s in the files that serve: give at least that, or no \
                 time to move all at once"
            );
            return Err(Refusal::new("bad-span", message));
        }
        Ok(())
    }

    fn names(&self) -> String {
        let known: Vec<&str> = self.inventory.regions.iter().take(20).map(|r| &**r).collect();
        known.join(", ")
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_OCTETS_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}

fn admit_subject(subject: &Subject) -> Result<(), Refusal> {
    match subject.is_canonical() {
        true => Ok(()),
        false => Err(Refusal::new("bad-subject", format!("{subject:?} is not a subject"))),
    }
}

fn admit_words(why: &str, who: &str) -> Result<(), Refusal> {
    if why.len() > WHY_OCTETS_MAX || why.contains(char::is_control) {
        let message = "why has at most 500 octets and no control characters";
        return Err(Refusal::new("bad-why", message));
    }
    if who.len() > NAME_OCTETS_MAX || who.contains(char::is_control) {
        let message = "who has at most 255 octets and no control characters";
        return Err(Refusal::new("bad-name", message));
    }
    Ok(())
}
