//! Steering files parsed and compiled, each content once.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, has_error};
use crate::fileset::{self, FileSet};
use crate::geo::Position;
use crate::number::Digest;
use crate::route::{self, Inventory, Plan, Route, Settings, Steering};
use crate::zone::Name;

use super::forms::bug;
use super::ground::Ground;
use super::retreat::{Choice, Fault, Reach};

/// All steering of one set of files, compiled together.
pub(super) struct Steered {
    /// The policies.
    pub(super) plans: Arc<[Arc<Plan>]>,
    /// The routes.
    pub(super) routes: Vec<Route>,
    /// What health needs to know.
    pub(super) inventory: Arc<Inventory>,
    said: Vec<Diagnostic>,
}

impl Steered {
    /// What is wrong between the files, by the file that each error names.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut by_file: BTreeMap<&str, Vec<Diagnostic>> = BTreeMap::new();
        for said in self.said.iter().filter(|d| d.is_error()) {
            by_file.entry(&said.place.file).or_default().push(said.clone());
        }
        let fault = |(file, said): (&str, Vec<Diagnostic>)| Fault {
            primary: file.to_owned(),
            involved: vec![file.to_owned()],
            reach: Reach::Steering,
            route: None,
            said,
        };
        by_file.into_iter().map(fault).collect()
    }

    /// What is to be said, and refuses nothing.
    pub(super) fn remarks(&self) -> impl Iterator<Item = &Diagnostic> {
        self.said.iter().filter(|d| !d.is_error())
    }
}

/// Steering files and whole steerings by content.
pub(super) struct Steerings {
    site: Option<Position>,
    health: Settings,
    files: HashMap<(String, Digest), File>,
    compiled: Vec<(Digest, Arc<Steered>, bool)>,
}

/// A route that serves now.
pub(super) struct RoutedBefore {
    /// The file that has it.
    pub(super) file: String,
    /// The zone as written.
    pub(super) zone: String,
    /// The owner as written.
    pub(super) owner: String,
}

struct File {
    parsed: Option<Steering>,
    said: Vec<Diagnostic>,
    wanted: bool,
}

impl Steerings {
    /// Steerings for a site at `site`, whose pools inherit `health`.
    pub(super) fn new(site: Option<Position>, health: Settings) -> Steerings {
        Steerings { site, health, files: HashMap::new(), compiled: Vec::new() }
    }

    /// Reads every steering file among `files`, and tells the faults of each.
    pub(super) fn parse(&mut self, files: &FileSet) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (path, file) in files.files.iter().filter(|(path, _)| is_steering_file(path)) {
            let read = self.read(path, file);
            if read.parsed.is_none() {
                faults.push(local_fault(path, &read.said));
            }
        }
        faults
    }

    /// The steering of `files` on `ground`; of those that could be read.
    pub(super) fn compile(&mut self, files: &FileSet, ground: &Ground) -> Arc<Steered> {
        let paths = files.files.iter().filter(|(path, _)| is_steering_file(path));
        let mut parts = vec![(String::new(), ground.digest)];
        parts.extend(paths.map(|(path, file)| (path.clone(), file.digest)));
        let digest = Digest::of_parts(parts.iter().map(|(path, digest)| (path.as_str(), *digest)));
        if let Some((_, known, wanted)) = self.compiled.iter_mut().find(|(d, ..)| *d == digest) {
            *wanted = true;
            return Arc::clone(known);
        }
        let steered = Arc::new(self.whole(&parts, ground));
        self.compiled.push((digest, Arc::clone(&steered), true));
        steered
    }

    /// The faults with every changed file that refers to one they involve, or is referred to: before the change or after.
    pub(super) fn widened(&mut self, mut faults: Vec<Fault>, choice: &Choice<'_>) -> Vec<Fault> {
        if faults.is_empty() {
            return faults;
        }
        let changed: Vec<String> = choice.changed().filter(|p| is_steering_file(p)).collect();
        let forms: Vec<(String, Vec<Steering>)> = changed
            .into_iter()
            .map(|path| {
                let sets = [&choice.files, choice.serving()];
                let forms = sets.into_iter().filter_map(|set| self.form(&path, set)).collect();
                (path, forms)
            })
            .collect();
        let tied = |a: &[Steering], b: &[Steering]| {
            a.iter().any(|a| b.iter().any(|b| a.refers_to(b) || b.refers_to(a)))
        };
        for fault in &mut faults {
            let mut at = 0;
            // Bounded by the changed files: each is taken once.
            while let Some(path) = fault.involved.get(at) {
                at += 1;
                let Some((_, own)) = forms.iter().find(|(p, _)| p == path) else { continue };
                let more = forms
                    .iter()
                    .filter(|(p, other)| !fault.involved.contains(p) && tied(own, other));
                let more: Vec<String> = more.map(|(path, _)| path.clone()).collect();
                fault.involved.extend(more);
            }
        }
        faults
    }

    /// The routes that serve now, of files that changed or are gone: file, zone and owner as written.
    pub(super) fn routed_before(&mut self, choice: &Choice<'_>) -> Vec<RoutedBefore> {
        let changed: Vec<String> = choice.changed().filter(|p| is_steering_file(p)).collect();
        let mut before = Vec::new();
        for path in changed {
            let Some(form) = self.form(&path, choice.serving()) else { continue };
            before.extend(form.owners().map(|(zone, owner)| RoutedBefore {
                file: path.clone(),
                zone: zone.to_owned(),
                owner: owner.to_owned(),
            }));
        }
        before
    }

    /// Changed files that route names of the zone at `apex`, before the change or after.
    pub(super) fn routing(&mut self, apex: &Name, choice: &Choice<'_>) -> Vec<String> {
        let is_of_zone = |zone: &str| Name::parse(zone, &Name::root()).is_ok_and(|n| n == *apex);
        let changed: Vec<String> = choice.changed().filter(|p| is_steering_file(p)).collect();
        let mut routing = |path: &String| {
            let sets = [&choice.files, choice.serving()];
            let mut forms = sets.into_iter().filter_map(|set| self.form(path, set));
            forms.any(|form| form.owners().any(|(zone, _)| is_of_zone(zone)))
        };
        changed.into_iter().filter(|path| routing(path)).collect()
    }

    /// One steering file among `files`, if it is there and can be read.
    pub(super) fn form(&mut self, path: &str, files: &FileSet) -> Option<Steering> {
        self.read(path, files.get(path)?).parsed.clone()
    }

    fn read(&mut self, path: &str, file: &fileset::File) -> &File {
        let read = || {
            // Rule 7: a file cannot end the process, not even by a fault of ours.
            let parse = || route::parse_steering(path, &file.bytes);
            let parsed = catch_unwind(AssertUnwindSafe(parse));
            let (parsed, said) = parsed.unwrap_or_else(|_| (None, vec![bug(path)]));
            let parsed = parsed.filter(|_| !has_error(&said));
            File { parsed, said, wanted: true }
        };
        let read = self.files.entry((path.to_owned(), file.digest)).or_insert_with(read);
        read.wanted = true;
        read
    }

    fn whole(&self, parts: &[(String, Digest)], ground: &Ground) -> Steered {
        let read = || parts.iter().filter_map(|part| self.files.get(part));
        let steerings: Vec<Steering> = read().filter_map(|file| file.parsed.clone()).collect();
        let compiled =
            route::compile(&steerings, &ground.regions, &ground.world, self.site, &self.health);
        let mut said: Vec<Diagnostic> = read().flat_map(|file| file.said.clone()).collect();
        said.extend(compiled.diagnostics);
        Steered {
            plans: compiled.plans,
            routes: compiled.routes,
            inventory: compiled.inventory,
            said,
        }
    }

    /// Forgets what nobody has asked for since the last call.
    pub(super) fn forget_unwanted(&mut self) {
        self.files.retain(|_, file| std::mem::take(&mut file.wanted));
        self.compiled.retain_mut(|(_, _, wanted)| std::mem::take(wanted));
    }
}

fn local_fault(path: &str, said: &[Diagnostic]) -> Fault {
    Fault {
        primary: path.to_owned(),
        involved: vec![path.to_owned()],
        reach: Reach::Involved,
        route: None,
        said: said.to_vec(),
    }
}

/// Whether a file holds pools, policies or routes.
pub(super) fn is_steering_file(path: &str) -> bool {
    path.starts_with("zones/") && path.ends_with(".toml")
}
