//! A publication: one generation of files, made into parts, on its way into snapshots.

use std::collections::HashMap;
use std::sync::Arc;

use crate::answer::{STEERED_SLOT_COUNT, SteeredSlots};
use crate::diagnostic::{Diagnostic, Severity};
use crate::fileset::FileSet;
use crate::health::{Event, LogTime, Origin, State, Timed};
use crate::history::Cause;
use crate::load::{Built, HELD_CODE, Held, Parts, Refused, Scan};
use crate::number::{Generation, Revision};
use crate::route::Plan;

use super::blocks::{Blocks, ClassBlock};

/// Pending files that are named; of the others the count is told.
const PENDING_SHOWN_MAX: usize = 100;

/// One generation.
#[derive(Clone)]
pub struct Publication {
    /// Its number.
    pub generation: Generation,
    /// When it was published.
    pub published: LogTime,
    /// What the files were made into.
    pub parts: Parts,
    /// Which counter each steered answer adds to.
    pub slots: Arc<SteeredSlots>,
    /// The names of the slots given out so far, from slot 1.
    pub slot_names: Arc<[SlotName]>,
    /// Which counter each class of clients adds to.
    pub blocks: Arc<[ClassBlock]>,
    /// What was to be said of the files.
    pub findings: Arc<Findings>,
    /// How it is pinned, if it is.
    pub pin: Option<Pin>,
    /// What brought it about.
    pub cause: Cause,
}

/// Why a generation serves whatever the files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The generation that serves.
    pub generation: Generation,
    /// The earlier one whose files it has, where that is known.
    pub of: Option<Generation>,
    /// Who pinned it.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: LogTime,
}

/// What one counter of steered answers counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlotName {
    /// The policy.
    pub policy: Box<str>,
    /// The region that answered; none where the zone's own data did.
    pub region: Option<Box<str>>,
}

/// What a look at the files found, whether or not it led to a publication.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// All that is to be said, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were refused.
    pub refused: Vec<Refused>,
    /// Files that are gone, and serve on until it has been quiet.
    pub waiting: Vec<String>,
    /// What the guard holds, under the number to accept.
    pub held: Option<(Generation, Vec<Held>)>,
    /// Under a pin: how the disk differs from what serves.
    pub pending: Option<Pending>,
}

/// How the disk differs from what a pin has serving.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// How many files differ.
    pub count: usize,
    /// The first of them, in path order: path, what became of it, whether it is refused.
    pub files: Vec<(String, &'static str, bool)>,
}

impl Publication {
    /// The event that tells the log of it.
    pub fn event(&self) -> Event {
        Event::Files {
            generation: self.generation,
            digest: self.parts.files_digest,
            inventory: Arc::clone(&self.parts.inventory),
            origin: Some(Box::new(Origin {
                kind: self.cause.kind.as_str().into(),
                of: self.cause.of,
                who: self.cause.who.as_str().into(),
                why: self.cause.why.as_str().into(),
            })),
        }
    }
}

impl Publication {
    /// Whether the state already holds this generation as it is: the first one after a restart, mostly.
    pub fn is_known_to(&self, state: &State) -> bool {
        self.generation == state.generation()
            && self.parts.files_digest == state.files_digest()
            && self.parts.inventory == *state.inventory()
    }

    /// Its event, with a place in an order that no log keeps.
    pub fn unlogged(&self, state: &State, at: LogTime) -> Timed {
        let revision = Revision(state.revision().0.saturating_add(1));
        Timed { revision, at, event: self.event() }
    }
}

impl Findings {
    /// What a build found.
    pub fn of(built: &Built) -> Findings {
        Findings {
            diagnostics: built.diagnostics.clone(),
            refused: built.refused.clone(),
            waiting: built.waiting.clone(),
            held: None,
            pending: None,
        }
    }

    /// Notes what the guard holds, under the number to accept.
    pub fn hold(&mut self, number: Generation, held: Vec<Held>) {
        for diagnostic in self.diagnostics.iter_mut().filter(|d| d.code == HELD_CODE) {
            diagnostic.help = format!(
                "if it is meant: homing accept {number} --why TEXT; [guard] of homing.toml sets the \
                 limits"
            );
        }
        self.held = Some((number, held));
    }

    /// Notes that all this is said of files that do not serve, for `pin` stands.
    pub fn pend(&mut self, pin: &Pin, pending: Pending) {
        for diagnostic in self.diagnostics.iter_mut().filter(|d| d.is_error()) {
            diagnostic.consequence = format!(
                "generation {} is pinned and serves; homing resume would serve the last good form",
                pin.generation
            );
        }
        self.pending = Some(pending);
    }

    /// How many of the diagnostics are of `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }
}

impl Pending {
    /// How the disk, as `scan` found it, differs from the files that serve.
    pub fn between(serving: &FileSet, scan: &Scan, built: &Built) -> Pending {
        let is_refused = |path: &str| built.refused.iter().any(|r| r.path == path);
        let is_unread = |path: &str| {
            scan.unread.iter().any(|u| u == path || u.ends_with('/') && path.starts_with(u))
        };
        let paths = serving.differences(&scan.files).filter_map(|d| match (d.old, d.new) {
            (None, _) => Some((d.path, "added")),
            (_, Some(_)) => Some((d.path, "changed")),
            (_, None) => (!is_unread(d.path)).then_some((d.path, "removed")),
        });
        let paths: Vec<(&str, &str)> = paths.collect();
        let shown = paths.iter().take(PENDING_SHOWN_MAX);
        let shown = shown.map(|(path, change)| ((*path).to_owned(), *change, is_refused(path)));
        Pending { count: paths.len(), files: shown.collect() }
    }
}

/// Gives out the counters of steered answers. A name keeps its slot for the life of the process, for counters only
/// grow; names beyond the bound count together in slot 0.
#[derive(Debug, Default)]
pub struct Slots {
    known: HashMap<SlotName, u16>,
    names: Vec<SlotName>,
    blocks: Blocks,
}

/// Counters given out: the slots, what those of policies and regions are called, the rows of classes.
pub type Given = (Arc<SteeredSlots>, Arc<[SlotName]>, Arc<[ClassBlock]>);

impl Slots {
    /// The slots of `plans`, and the names of all slots given out.
    pub fn give(&mut self, plans: &[Arc<Plan>]) -> Given {
        let by_policy = plans.iter().map(|plan| {
            // By region, for a `RegionId` indexes them; the last is for answers without a region.
            let mut slots = Vec::new();
            for (id, region) in plan.regions() {
                slots.resize(usize::from(id.0), 0);
                slots.push(self.slot(&plan.name, Some(region)));
            }
            slots.push(self.slot(&plan.name, None));
            slots.into_boxed_slice()
        });
        let slots = by_policy.collect();
        let (classes, blocks) = self.blocks.give(plans);
        (Arc::new(SteeredSlots { slots, classes }), self.names.clone().into(), blocks)
    }

    fn slot(&mut self, policy: &str, region: Option<&str>) -> u16 {
        let name = SlotName { policy: policy.into(), region: region.map(Into::into) };
        if let Some(slot) = self.known.get(&name) {
            return *slot;
        }
        let next = self.names.len() + 1;
        let Some(slot) = u16::try_from(next).ok().filter(|_| next < STEERED_SLOT_COUNT) else {
            return 0;
        };
        self.known.insert(name.clone(), slot);
        self.names.push(name);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_slot_and_the_last_count_together() {
        let mut slots = Slots::default();
        assert_eq!(slots.slot("web", Some("fra")), 1);
        assert_eq!(slots.slot("web", None), 2);
        assert_eq!(slots.slot("web", Some("fra")), 1);
        for i in 3..STEERED_SLOT_COUNT {
            assert_eq!(usize::from(slots.slot(&format!("p{i}"), None)), i);
        }
        assert_eq!(slots.slot("one too many", None), 0);
        assert_eq!(slots.names.len(), STEERED_SLOT_COUNT - 1);
    }
}
