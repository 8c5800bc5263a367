//! From files to parts of a snapshot: the pipeline on one page.
//!
//! Read [`Builder::build`], then [`Builder::attempt`]. What a mistake costs is decided in `retreat`: the file that has it,
//! and what was changed together with it; nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::answer::Catalog;
use crate::diagnostic::Diagnostic;
use crate::fileset::FileSet;
use crate::geo::Source;
use crate::number::Digest;
use crate::route::{Inventory, Plan};
use crate::zone::Name;

use super::bind::{self, Bindings, Served, Zones};
use super::compile::{self, ZoneImage};
use super::config::Config;
use super::files::Scan;
use super::forms::{self, Form, Forms};
use super::ground::{Ground, Grounds};
use super::outcome;
use super::removal::{self, Removals};
use super::retreat::{Choice, Fault, Reach, Refused};
use super::steering::{Steered, Steerings};

/// Makes parts of files, and remembers what it made, so that what did not change is not made again.
pub struct Builder {
    forms: Forms,
    grounds: Grounds,
    steerings: Steerings,
    images: BTreeMap<Name, (Digest, Arc<ZoneImage>)>,
    broken: Vec<Name>,
}

/// Parts of a snapshot, made from one state of files.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The zones, with those that were never loaded.
    pub catalog: Arc<Catalog>,
    /// The policies; a `PolicyId` indexes them.
    pub plans: Arc<[Arc<Plan>]>,
    /// What health needs to know.
    pub inventory: Arc<Inventory>,
    /// The hash of the files that serve.
    pub files_digest: Digest,
    /// The hash of what the compiled geography was made of.
    pub geography_digest: Digest,
    /// Where the knowledge of addresses came from, strongest first.
    pub sources: Vec<Source>,
    /// Counts for people.
    pub summary: Summary,
}

/// What was loaded, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Zones that serve.
    pub zones: usize,
    /// Records in them.
    pub records: usize,
    /// Routed names.
    pub routes: usize,
    /// Policies.
    pub policies: usize,
    /// Pools.
    pub pools: usize,
    /// Endpoints, each counted once in every pool.
    pub endpoints: usize,
    /// Regions.
    pub regions: usize,
    /// Zones that were never loaded, and answer SERVFAIL.
    pub broken: Vec<String>,
}

/// What came of a state of files.
#[derive(Clone, Debug)]
pub struct Built {
    /// The files that really serve: last good forms where a file was refused.
    pub serving: FileSet,
    /// The parts made of them.
    pub parts: Parts,
    /// All that is to be said, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were refused, in path order.
    pub refused: Vec<Refused>,
    /// Files that are gone from the disk, and go when it has been quiet: build again then.
    pub waiting: Vec<String>,
    /// Whether the parts differ from what serves.
    pub changed: bool,
}

/// One try at a set of files.
struct Attempt {
    forms: Vec<Arc<Form>>,
    served: BTreeMap<Name, Served>,
    ground: Arc<Ground>,
    steered: Arc<Steered>,
    bindings: Bindings,
    broken: Vec<Name>,
    faults: Vec<Fault>,
}

impl Builder {
    /// A builder that has made nothing yet.
    pub fn new(config: &Config) -> Builder {
        Builder {
            forms: Forms::default(),
            grounds: Grounds::default(),
            steerings: Steerings::new(config.site_position, config.health),
            images: BTreeMap::new(),
            broken: Vec::new(),
        }
    }

    /// Makes parts of what `scan` found. `serving` are the files that serve now, or served last: the last good form of
    /// each. It always ends with parts: at worst with those of `serving`.
    pub fn build(&mut self, scan: &Scan, serving: &FileSet, removals: Removals) -> Built {
        let asked = removal::asked(scan, serving, removals);
        let mut choice = Choice::new(asked.files.clone(), serving);
        let attempt = loop {
            let mut attempt = self.attempt(&choice, &asked);
            if !choice.retreat(std::mem::take(&mut attempt.faults)) {
                break attempt;
            }
        };
        let parts = self.parts(&attempt, &choice.files);
        let broken_changed = self.broken != attempt.broken;
        self.broken.clone_from(&attempt.broken);
        let diagnostics = self.diagnostics(&attempt, &choice, asked.said);
        self.forget_unwanted();
        Built {
            changed: broken_changed || choice.files.digest() != serving.digest(),
            diagnostics,
            refused: choice.refused(),
            waiting: asked.waiting.into_iter().filter(|p| choice.files.get(p).is_some()).collect(),
            serving: choice.files,
            parts,
        }
    }

    /// The journey of a set of files, up to the first step with faults: files by themselves, zones beside each other,
    /// steering as a whole, steering onto zones.
    fn attempt(&mut self, choice: &Choice<'_>, asked: &removal::Asked) -> Attempt {
        let files = &choice.files;
        let forms = self.forms.parse(files);
        let ground = self.grounds.compile(files);
        let (steered, local) = self.steerings.compile(files, &ground);
        let (served, doubles) = by_apex(&forms, asked);
        let broken = broken(choice, asked, &served);
        let mut faults: Vec<Fault> = forms.iter().filter_map(|form| form_fault(form)).collect();
        faults.extend(ground.faults());
        faults.extend(local);
        faults.extend(doubles);
        if faults.is_empty() {
            faults.extend(steered.faults());
        }
        let mut bindings = Bindings::default();
        if faults.is_empty() {
            let gone = self.gone(choice);
            let zones = Zones { served: &served, broken: &broken, gone: &gone };
            bindings = bind::bind(&steered.routes, &steered.plans, &zones);
            faults = std::mem::take(&mut bindings.faults);
        }
        Attempt { forms, served, ground, steered, bindings, broken, faults }
    }

    /// Zones that serve and whose file would go, by apex.
    fn gone(&mut self, choice: &Choice<'_>) -> BTreeMap<Name, String> {
        let paths = choice.gone().filter(|path| forms::is_zone_file(path)).map(str::to_owned);
        let paths: Vec<String> = paths.collect();
        let apex = |path: String| {
            let form = self.forms.parse_one(&path, choice.serving())?;
            Some((form.zone.as_ref()?.apex.clone(), path))
        };
        paths.into_iter().filter_map(apex).collect()
    }

    fn parts(&mut self, attempt: &Attempt, files: &FileSet) -> Parts {
        let images = self.images(attempt);
        let steered = &attempt.steered;
        Parts {
            catalog: Arc::new(compile::compose(images, attempt.broken.clone())),
            plans: Arc::clone(&steered.plans),
            inventory: Arc::clone(&steered.inventory),
            files_digest: files.digest(),
            geography_digest: attempt.ground.digest,
            sources: attempt.ground.world.sources.clone(),
            summary: summary(attempt),
        }
    }

    /// The image of every zone; only those whose zone or routes changed are made.
    fn images(&mut self, attempt: &Attempt) -> Vec<Arc<ZoneImage>> {
        let forms = attempt.forms.iter().filter_map(|form| Some((form, form.zone.as_ref()?)));
        let no_gone = BTreeMap::new();
        let zones = Zones { served: &attempt.served, broken: &attempt.broken, gone: &no_gone };
        let is_routed = |name: &Name| bind::is_routed(name, &attempt.bindings, &zones);
        let jobs: Vec<Job<'_>> = forms
            .map(|(form, zone)| {
                let routed = attempt.bindings.routed.get(&zone.apex);
                Job::new(form, zone, routed.map_or(&[], Vec::as_slice), &is_routed)
            })
            .collect();
        let before = std::mem::take(&mut self.images);
        let images = forms::in_parallel(jobs, |job| {
            let known = before.get(&job.zone.apex).filter(|(key, _)| *key == job.key);
            let image = known.map_or_else(|| job.run(&is_routed), |(_, image)| Arc::clone(image));
            (job.zone.apex.clone(), (job.key, image))
        });
        self.images = images.into_iter().collect();
        self.images.values().map(|(_, image)| Arc::clone(image)).collect()
    }

    fn diagnostics(
        &mut self,
        attempt: &Attempt,
        choice: &Choice<'_>,
        mut said: Vec<Diagnostic>,
    ) -> Vec<Diagnostic> {
        let serial = |path: &str| {
            let form = attempt.forms.iter().find(|form| form.path == path)?;
            form.zone.as_ref()?.serial()
        };
        for (path, diagnostic) in choice.said() {
            said.push(outcome::told(diagnostic.clone(), path, choice, serial(path)));
        }
        let remarks = attempt.forms.iter().flat_map(|form| &form.said);
        let remarks = remarks.chain(&attempt.ground.remarks).chain(attempt.steered.remarks());
        // What a last good form has to remark on was remarked when it came, and its lines are not those of the disk.
        let remarks = remarks.filter(|d| !choice.is_refused(&d.place.file));
        said.extend(remarks.cloned());
        said.extend(attempt.bindings.remarks.iter().cloned());
        said.extend(outcome::hint_warnings(attempt.forms.iter(), |name| {
            let gone = BTreeMap::new();
            let zones = Zones { served: &attempt.served, broken: &attempt.broken, gone: &gone };
            bind::is_routed(name, &attempt.bindings, &zones)
        }));
        outcome::in_order(said)
    }

    fn forget_unwanted(&mut self) {
        self.forms.forget_unwanted();
        self.grounds.forget_unwanted();
        self.steerings.forget_unwanted();
    }
}

/// One zone to be made into an image.
struct Job<'a> {
    zone: &'a crate::zone::Zone,
    routed: &'a [bind::Routed],
    strips: bool,
    key: Digest,
}

impl<'a> Job<'a> {
    fn new(
        form: &'a Form,
        zone: &'a crate::zone::Zone,
        routed: &'a [bind::Routed],
        is_routed: &impl Fn(&Name) -> bool,
    ) -> Job<'a> {
        let stripped: Vec<String> = form
            .hinted
            .iter()
            .filter(|hinted| is_routed(&hinted.target))
            .map(|hinted| hinted.target.to_string())
            .collect();
        let routes = routed.iter().map(|r| (r.owner.to_string(), r.policy));
        let routes: Vec<(String, Digest)> =
            routes.map(|(owner, policy)| (owner, Digest::of(&policy.0.to_le_bytes()))).collect();
        let parts = std::iter::once(("", form.key))
            .chain(routes.iter().map(|(owner, policy)| (owner.as_str(), *policy)))
            .chain(stripped.iter().map(|name| (name.as_str(), Digest::default())));
        Job { zone, routed, strips: !stripped.is_empty(), key: Digest::of_parts(parts) }
    }

    fn run(&self, is_routed: &impl Fn(&Name) -> bool) -> Arc<ZoneImage> {
        let bare = self.strips.then(|| super::hints::strip(self.zone, is_routed)).flatten();
        Arc::new(compile::zone(bare.as_ref().unwrap_or(self.zone), self.routed))
    }
}

fn form_fault(form: &Form) -> Option<Fault> {
    form.zone.is_none().then(|| Fault {
        primary: form.path.clone(),
        involved: form.involved(),
        reach: Reach::Involved,
        said: form.said.clone(),
    })
}

/// The zones by apex. Of two files with one apex the later path is refused; but a file that is gone from the disk gives
/// way to the one that it was moved to.
fn by_apex(forms: &[Arc<Form>], asked: &removal::Asked) -> (BTreeMap<Name, Served>, Vec<Fault>) {
    let mut served: BTreeMap<Name, Served> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut ordered: Vec<&Arc<Form>> = forms.iter().collect();
    ordered.sort_by_key(|form| (asked.absent.contains(&form.path), &form.path));
    for form in ordered {
        let Some(zone) = &form.zone else { continue };
        if let Some(first) = served.get(&zone.apex) {
            let moved = asked.absent.contains(&form.path);
            let said = outcome::apex_taken(&form.path, &zone.apex, &first.zone.path);
            faults.push(Fault {
                primary: form.path.clone(),
                involved: if moved { Vec::new() } else { form.involved() },
                reach: Reach::Involved,
                said: if moved { Vec::new() } else { vec![said] },
            });
            continue;
        }
        let files = form.involved();
        served.insert(zone.apex.clone(), Served { zone: Arc::clone(zone), files });
    }
    (served, faults)
}

/// Zones that are asked for, have no form that could serve, and are served by no other file.
fn broken(
    choice: &Choice<'_>,
    asked: &removal::Asked,
    served: &BTreeMap<Name, Served>,
) -> Vec<Name> {
    let dropped = asked.files.files.keys().filter(|path| {
        forms::is_zone_file(path) && choice.files.get(path).is_none() && choice.is_refused(path)
    });
    let mut names: Vec<Name> = dropped
        .filter_map(|path| forms::origin(path).ok())
        .filter(|name| !served.contains_key(name))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn summary(attempt: &Attempt) -> Summary {
    let inventory = &attempt.steered.inventory;
    Summary {
        zones: attempt.served.len(),
        records: attempt.served.values().map(|s| s.zone.record_count()).sum(),
        routes: attempt.bindings.routed.values().map(Vec::len).sum(),
        policies: attempt.steered.plans.len(),
        pools: inventory.pools.len(),
        endpoints: inventory.members.len(),
        regions: attempt.ground.regions.list.len(),
        broken: attempt.broken.iter().map(Name::to_string).collect(),
    }
}
