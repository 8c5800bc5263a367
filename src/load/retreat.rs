//! The way back from a fault: which files return to their last good form (DESIGN rule 4).
//!
//! Edits that refer to each other publish together or not at all: a fault takes back every changed file that it involves.
//! A file that never served and stands at the root of a fault is dropped; it takes nothing else with it. A file that serves
//! as it did loses no more than the route that can no longer be.

use std::collections::{BTreeMap, HashSet};

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::FileSet;

/// A file that was refused, and the first reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its path.
    pub path: String,
    /// The short name and the words of its first error.
    pub why: String,
}

/// Something that cannot be published.
pub(super) struct Fault {
    /// The file at its root: the one to drop when nothing can be taken back.
    pub(super) primary: String,
    /// Files that it is about. Those that changed go back together.
    pub(super) involved: Vec<String>,
    /// Files that might be about it. They go back when nothing in `involved` has changed.
    pub(super) reach: Reach,
    /// The one route that it is about, by its line. It alone goes where its file serves as it did.
    pub(super) route: Option<Place>,
    /// What is said of it; nothing where the drop is no fault of the operator's.
    pub(super) said: Vec<Diagnostic>,
}

/// How far a fault may lie from where it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// In the involved files.
    Involved,
    /// In any steering file or in regions.toml: they share one space of names.
    Steering,
}

/// Whether a step may end with faults.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    /// It may not.
    None,
    /// It may, with any.
    Any,
}

impl Patience {
    /// Goes on without faults, and with them where all that can be taken back was.
    pub(super) fn bear(self, faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
        match self {
            Patience::None if !faults.is_empty() => Err(faults),
            Patience::None | Patience::Any => Ok(()),
        }
    }
}

/// The files that are to be published, on their way to a set without fault.
pub(super) struct Choice<'s> {
    /// As it stands now.
    pub(super) files: FileSet,
    serving: &'s FileSet,
    refused: BTreeMap<String, String>,
    said: Vec<(String, Diagnostic)>,
    /// Files that were dropped: they do not come back.
    dropped: HashSet<String>,
    /// Routes of files that serve as they did, and cannot be.
    lost: HashSet<Place>,
}

impl<'s> Choice<'s> {
    /// Begins with the files that are asked for; `serving` holds the last good form of each.
    pub(super) fn new(files: FileSet, serving: &'s FileSet) -> Choice<'s> {
        let (refused, said) = (BTreeMap::new(), Vec::new());
        let (dropped, lost) = (HashSet::new(), HashSet::new());
        Choice { files, serving, refused, said, dropped, lost }
    }

    /// Takes back what the faults involve. False when there was nothing more to take back.
    ///
    /// Each step brings a file to its last good form, drops one, or gives up a route. Invariant retreat-ends: what was
    /// dropped or given up is never brought back, so a file takes at most two steps, and a route one.
    pub(super) fn retreat(&mut self, faults: Vec<Fault>) -> bool {
        // All faults of a round are judged by the files that they were found in.
        let (mut restored, mut dropped) = (Vec::new(), Vec::new());
        let (lone, faults): (Vec<Fault>, Vec<Fault>) =
            faults.into_iter().partition(|fault| self.costs_its_route_only(fault));
        for fault in &faults {
            let changed = self.to_restore(fault);
            let why = fault.said.iter().find(|d| d.is_error());
            let why = why.map(|d| format!("{}: {}", d.code, d.message));
            match changed.is_empty() {
                true => {
                    let paths = self.to_drop(fault).into_iter();
                    dropped.extend(paths.map(|path| (path, why.clone())));
                }
                false => restored.extend(changed.into_iter().map(|path| (path, why.clone()))),
            }
        }
        let kept: HashSet<&String> = restored.iter().map(|(path, _)| path).collect();
        dropped.retain(|(path, _)| !kept.contains(path));
        let mut moved = !restored.is_empty();
        for (path, why) in restored {
            self.restore(&path, why.as_deref());
        }
        for (path, why) in dropped {
            moved |= self.drop_file(&path, why.as_deref());
        }
        for fault in faults {
            let entries = fault.said.into_iter().map(|said| (fault.primary.clone(), said));
            self.said.extend(entries);
        }
        // A route is given up last: what moved may have mended it.
        moved || self.give_up(lone)
    }

    /// Whether nothing is to blame but the route itself: neither a change nor anything new.
    fn costs_its_route_only(&self, fault: &Fault) -> bool {
        fault.route.is_some()
            && self.serves_as_it_did(&fault.primary)
            && self.to_restore(fault).is_empty()
            && self.to_drop(fault) == [fault.primary.as_str()]
    }

    fn give_up(&mut self, faults: Vec<Fault>) -> bool {
        let count_before = self.lost.len();
        for fault in faults {
            self.lost.extend(fault.route);
            let said = fault.said.into_iter().map(|said| {
                said.consequence("the route was not loaded; the rest of the file serves")
            });
            self.said.extend(said.map(|said| (fault.primary.clone(), said)));
        }
        self.lost.len() > count_before
    }

    /// Whether the route on this line was given up.
    pub(super) fn is_lost(&self, route: &Place) -> bool {
        self.lost.contains(route)
    }

    fn serves_as_it_did(&self, path: &str) -> bool {
        let file = self.files.get(path).map(|f| f.digest);
        file.is_some() && file == self.serving.get(path).map(|f| f.digest)
    }

    fn to_restore(&self, fault: &Fault) -> Vec<String> {
        let involved: Vec<String> =
            fault.involved.iter().filter(|p| self.is_changed(p)).cloned().collect();
        match fault.reach {
            Reach::Steering if involved.is_empty() => self.changed_steering(),
            Reach::Involved | Reach::Steering => involved,
        }
    }

    /// What gives way when nothing can be taken back. A file that serves as it did is not to blame while there is something
    /// new (DESIGN rule 4): that goes instead.
    fn to_drop(&self, fault: &Fault) -> Vec<String> {
        let is_new =
            |path: &&String| self.files.get(path).is_some() && self.serving.get(path).is_none();
        let mut new: Vec<String> = Vec::new();
        if !is_new(&&fault.primary) {
            new.extend(fault.involved.iter().filter(is_new).cloned());
            if new.is_empty() && fault.reach == Reach::Steering {
                let steering = self.files.files.keys().filter(|path| is_steering(path));
                new.extend(steering.filter(is_new).cloned());
            }
        }
        if new.is_empty() { vec![fault.primary.clone()] } else { new }
    }

    /// Whether the file differs from a last good form that it has, and may return to it.
    fn is_changed(&self, path: &str) -> bool {
        let good = self.serving.get(path).map(|f| f.digest);
        good.is_some()
            && !self.dropped.contains(path)
            && self.files.get(path).map(|f| f.digest) != good
    }

    /// Files that differ from a last good form that they have.
    pub(super) fn changed(&self) -> impl Iterator<Item = String> {
        let differing = self.serving.differences(&self.files).filter(|d| d.old.is_some());
        differing.filter(|d| self.is_changed(d.path)).map(|d| d.path.to_owned())
    }

    /// Files that have no last good form.
    pub(super) fn new_files(&self) -> impl Iterator<Item = String> {
        let differing = self.serving.differences(&self.files);
        differing.filter(|d| d.old.is_none()).map(|d| d.path.to_owned())
    }

    fn changed_steering(&self) -> Vec<String> {
        self.changed().filter(|path| is_steering(path)).collect()
    }

    fn restore(&mut self, path: &str, why: Option<&str>) {
        if let Some(file) = self.serving.get(path) {
            self.files.files.insert(path.to_owned(), file.clone());
            self.refuse(path, why);
        }
    }

    fn drop_file(&mut self, path: &str, why: Option<&str>) -> bool {
        let dropped = self.files.files.remove(path).is_some();
        if dropped {
            self.dropped.insert(path.to_owned());
            self.refuse(path, why);
        }
        dropped
    }

    fn refuse(&mut self, path: &str, why: Option<&str>) {
        if let Some(why) = why {
            self.refused.entry(path.to_owned()).or_insert_with(|| why.to_owned());
        }
    }

    /// Whether the file, or a change of it, was refused.
    pub(super) fn is_refused(&self, path: &str) -> bool {
        self.refused.contains_key(path)
    }

    /// The refused files, in path order.
    pub(super) fn refused(&self) -> Vec<Refused> {
        let entries = self.refused.iter();
        entries.map(|(path, why)| Refused { path: path.clone(), why: why.clone() }).collect()
    }

    /// The last good forms.
    pub(super) fn serving(&self) -> &FileSet {
        self.serving
    }

    /// Files that serve and would go.
    pub(super) fn gone(&self) -> impl Iterator<Item = &str> {
        let differing = self.serving.differences(&self.files);
        differing.filter(|d| d.new.is_none()).map(|d| d.path)
    }

    /// All that the faults said, each with the file at its root.
    pub(super) fn said(&self) -> &[(String, Diagnostic)] {
        &self.said
    }
}

/// A file that is gone from the disk gives way to the one that it was moved to: no fault of anybody's.
pub(super) fn moved_away(path: &str) -> Fault {
    Fault {
        primary: path.to_owned(),
        involved: Vec::new(),
        reach: Reach::Involved,
        route: None,
        said: Vec::new(),
    }
}

/// Whether a file is read by the steering: its own files, the regions, the operator's overrides.
pub(super) fn is_steering(path: &str) -> bool {
    path.ends_with(".toml") || path == "geo/overrides.csv"
}
