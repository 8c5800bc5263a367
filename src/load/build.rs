//! From files to parts of a snapshot: the pipeline on one page.
//!
//! Read [`Builder::build`], then [`Builder::attempt`]. What a mistake costs is decided in `retreat`: the file that has it,
//! and what was changed together with it; nothing else.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::answer::{Catalog, Seed, ZoneImage};
use crate::diagnostic::Diagnostic;
use crate::fileset::FileSet;
use crate::number::{Digest, PolicyId};
use crate::zone::{Name, PackedZone};

use super::bind::{self, Bindings, Routed, Served, Zones};
use super::compile::compile_zone;
use super::config::Config;
use super::files::Scan;
use super::forms::{self, Form, Forms};
use super::ground::{Ground, Grounds};
use super::guard::Guard;
use super::job::Job;
use super::losses::{self, After, Held};
use super::outcome;
use super::parts::{Built, Parts, Summary};
use super::removal::{self, Removals};
use super::retreat::{Choice, Fault, Patience, Reach, moved_away};
use super::second::{ReadAgain, SecondReading};
use super::standing::{Left, Standing};
use super::steering::{Steered, Steerings, is_steering_file};
use super::timely::Serials;

mod flatten;
mod narrow;

/// Names for people to try. A guess: the first that shows something is taken.
const EXAMPLE_COUNT_MAX: usize = 16;

/// Makes parts of files, and remembers what it made, so that what did not change is not made again.
pub struct Builder {
    seed: Seed,
    forms: Forms,
    grounds: Grounds,
    steerings: Steerings,
    serials: Serials,
    images: Images,
    lay_out: LayOut,
    /// When the files were looked at, if a clock was: databases of then grow old.
    now_secs: Option<u64>,
    broken: Vec<Name>,
    /// The routed names of the last build: they exist whatever their files own.
    routed: BTreeMap<Name, Routed>,
    /// What the guard holds, as of the last build that it watched.
    held: Vec<Held>,
    /// The last build, if another may be made from it.
    standing: Option<Standing>,
}

/// The image of each zone, by apex, with the hash of all that it was made from.
type Images = BTreeMap<Name, (Digest, Arc<ZoneImage>)>;

/// Lays a zone out, as [`compile_zone`] does.
type LayOut = fn(&Seed, &PackedZone, &Routed, &dyn Fn(&Name) -> bool) -> ZoneImage;

/// One try at a set of files.
struct Attempt {
    forms: Vec<Arc<Form>>,
    served: BTreeMap<Name, Served>,
    ground: Arc<Ground>,
    steered: Arc<Steered>,
    bindings: Bindings,
    broken: Vec<Name>,
    images: Vec<Arc<ZoneImage>>,
}

impl Builder {
    /// A builder that has made nothing yet.
    pub fn new(config: &Config) -> Builder {
        // The one source of randomness that std has; no answer depends on it.
        let random = std::hash::RandomState::new().build_hasher().finish();
        Builder {
            seed: Seed::new(random),
            forms: Forms::default(),
            grounds: Grounds::new(config.geo_terms),
            now_secs: None,
            steerings: Steerings::new(config.site_position, config.health),
            serials: Serials::default(),
            images: BTreeMap::new(),
            lay_out: compile_zone,
            broken: Vec::new(),
            routed: BTreeMap::new(),
            held: Vec::new(),
            standing: None,
        }
    }

    /// Makes parts of what `scan` found. `serving` are the files that serve now, or served last: the last good form of
    /// each. It always ends with parts: at worst with those of `serving`.
    pub fn build(&mut self, scan: &Scan, serving: &FileSet, removals: Removals) -> Built {
        self.build_guarded(scan, serving, removals, None)
    }

    /// As [`Builder::build`]; what takes away more than `guard` lets go stays as it serves.
    pub fn build_guarded(
        &mut self,
        scan: &Scan,
        serving: &FileSet,
        removals: Removals,
        guard: Option<&Guard>,
    ) -> Built {
        self.now_secs = scan.at_secs;
        if let Some(built) = self.narrow(scan, serving, guard) {
            return built;
        }
        let settled = std::mem::take(&mut self.held).into_iter().flat_map(|h| h.gone).collect();
        let asked = removal::asked(scan, serving, removals, &settled);
        let mut choice = Choice::new(asked.files.clone(), serving);
        let mut patience = Patience::None;
        let attempt = loop {
            match self.attempt(&choice, &asked, patience, guard) {
                Ok(attempt) => break attempt,
                Err(faults) => {
                    // Where nothing is left to take back, what is without fault serves.
                    let mended = choice.retreat(faults);
                    patience = if mended { patience } else { Patience::Any };
                }
            }
        };
        let parts = self.parts(&attempt, &choice.files);
        let broken_changed = self.broken != attempt.broken;
        self.broken.clone_from(&attempt.broken);
        let mut diagnostics = self.diagnostics(&attempt, &choice, asked.said);
        let forms = &attempt.forms;
        diagnostics.extend(self.serials.remarks(forms, &self.forms, &choice, scan.at_secs));
        let diagnostics = outcome::in_order(diagnostics);
        self.forget_unwanted();
        let built = Built {
            changed: broken_changed || choice.files != *serving,
            diagnostics,
            refused: choice.refused(),
            held: self.held.clone(),
            waiting: asked.waiting.into_iter().filter(|p| choice.files.get(p).is_some()).collect(),
            serving: choice.files.clone(),
            parts,
        };
        self.routed.clone_from(&attempt.bindings.routed);
        let Attempt { forms, served, steered, bindings, .. } = attempt;
        let left = Left { forms: &forms, served, steered, bindings };
        self.standing = Standing::of(scan, left, &built, &choice, &self.forms);
        built
    }

    /// The journey of a set of files, up to the first step with faults: files by themselves and zones beside each other,
    /// steering as a whole, steering onto zones, the guard, zones laid out.
    fn attempt(
        &mut self,
        choice: &Choice<'_>,
        asked: &removal::Asked,
        patience: Patience,
        guard: Option<&Guard>,
    ) -> Result<Attempt, Vec<Fault>> {
        let files = &choice.files;
        let forms = self.forms.parse(files);
        let ground = self.grounds.compile(files);
        let (served, doubles) = by_apex(&forms, asked);
        let mut faults: Vec<Fault> = forms.iter().filter_map(|form| form.fault()).collect();
        faults.extend(ground.faults());
        faults.extend(self.grounds.absurd(files, choice.serving(), self.now_secs));
        faults.extend(self.steerings.parse(files));
        faults.extend(doubles);
        patience.bear(faults)?;
        let steered = self.steerings.compile(files, &ground);
        patience.bear(self.cross(steered.faults(), choice, asked))?;
        let broken = broken(choice, asked, &served);
        let gone = self.gone(choice);
        let zones = Zones { served: &served, broken: &broken, gone: &gone };
        let routes = steered.routes.iter().filter(|route| !choice.is_lost(&route.place));
        let mut bindings = bind::bind(routes, &steered.plans, &zones);
        let before = self.steerings.routed_before(choice);
        bind::unbound(&before, choice, &zones, &mut bindings);
        let faults = std::mem::take(&mut bindings.faults);
        patience.bear(self.cross(faults, choice, asked))?;
        if let Some(guard) = guard {
            let after = After { served: &served, routed: &bindings.routed };
            let (forms, steerings) = (&mut self.forms, &mut self.steerings);
            let (held, faults) = losses::held(guard, choice, &after, forms, steerings);
            self.held.extend(held);
            patience.bear(faults)?;
        }
        let images = Vec::new();
        let mut attempt = Attempt { forms, served, ground, steered, bindings, broken, images };
        let (images, unlaid) = self.images(&attempt);
        let (names, faults): (Vec<Name>, Vec<Fault>) = unlaid.into_iter().unzip();
        patience.bear(faults)?;
        attempt.broken.extend(names);
        attempt.images = images;
        Ok(attempt)
    }

    /// Faults between files, with all that changed together. Where something is defined twice, a file that is gone from the
    /// disk was moved: it gives way first, and what is left is looked at again.
    fn cross(
        &mut self,
        faults: Vec<Fault>,
        choice: &Choice<'_>,
        asked: &removal::Asked,
    ) -> Vec<Fault> {
        let is_double = |said: &Diagnostic| {
            said.code.starts_with("duplicate-") || said.code.ends_with("-defined-twice")
        };
        if faults.iter().flat_map(|fault| &fault.said).any(is_double) {
            let moved = asked.waiting.iter().filter(|path| {
                is_steering_file(path)
                    && choice.files.get(path).is_some()
                    && !choice.is_refused(path)
            });
            let moved: Vec<Fault> = moved.map(|path| moved_away(path)).collect();
            if !moved.is_empty() {
                return moved;
            }
        }
        self.steerings.widened(faults, choice)
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

    fn parts(&self, attempt: &Attempt, files: &FileSet) -> Parts {
        let steered = &attempt.steered;
        let images = attempt.images.clone();
        Parts {
            catalog: Arc::new(Catalog::compose(self.seed.clone(), images, &attempt.broken)),
            plans: Arc::clone(&steered.plans),
            inventory: Arc::clone(&steered.inventory),
            files_digest: files.digest(),
            geography_digest: attempt.ground.digest,
            sources: attempt.ground.world.sources.clone(),
            world: Arc::clone(&attempt.ground.world),
            weights: attempt.ground.weights.clone(),
            regions: Arc::clone(&attempt.ground.regions),
            examples: examples(attempt),
            summary: summary(attempt),
        }
    }

    /// The image of every zone, and the zones that have none; only those whose zone or routes changed are made.
    fn images(&mut self, attempt: &Attempt) -> (Vec<Arc<ZoneImage>>, Vec<(Name, Fault)>) {
        let zones = attempt.zones();
        let before = std::mem::take(&mut self.images);
        let faults = self.lay_out(&attempt.forms, &attempt.bindings, &zones, &before);
        (self.images.values().map(|(_, image)| Arc::clone(image)).collect(), faults)
    }

    /// Adds the images of these forms to those that there are, made from those `before` where that can be. Gives the
    /// zones that cannot be laid out.
    fn lay_out(
        &mut self,
        forms: &[Arc<Form>],
        bindings: &Bindings,
        zones: &Zones<'_>,
        before: &Images,
    ) -> Vec<(Name, Fault)> {
        let is_routed = |name: &Name| bind::is_routed(name, bindings, zones);
        let forms = forms.iter().filter_map(|form| Some((form, form.zone.as_ref()?)));
        let jobs: Vec<Job<'_>> =
            forms.map(|(form, zone)| Job::new(form, zone, bindings, &is_routed)).collect();
        let (seed, lay_out) = (&self.seed, self.lay_out);
        let made = forms::in_parallel(jobs, |job| {
            let known = before.get(&job.zone.apex).filter(|(key, _)| *key == job.key);
            let patched = || {
                let known = before.get(&job.zone.apex).filter(|(key, _)| Some(*key) == job.base);
                job.patch(seed, &known?.1, &is_routed)
            };
            let made =
                || patched().unwrap_or_else(|| lay_out(seed, job.zone, job.routed, &is_routed));
            let image = known.map(|(_, image)| Arc::clone(image)).or_else(|| {
                // Rule 7: a file cannot end the process, not even by a fault of ours.
                catch_unwind(AssertUnwindSafe(made)).ok().map(Arc::new)
            });
            let image = image.map(|image| (job.key, image));
            (job.zone.apex.clone(), image.ok_or_else(|| unlaid(job.form)))
        });
        let mut faults = Vec::new();
        for (apex, made) in made {
            match made {
                Ok(image) => drop(self.images.insert(apex, image)),
                Err(fault) => faults.push((apex, fault)),
            }
        }
        faults
    }

    fn diagnostics(
        &mut self,
        attempt: &Attempt,
        choice: &Choice<'_>,
        mut said: Vec<Diagnostic>,
    ) -> Vec<Diagnostic> {
        said.extend(outcome::all_told(choice, &attempt.forms));
        said.extend(self.grounds.remarks(&attempt.ground, self.now_secs));
        let remarks = attempt.forms.iter().flat_map(|form| &form.said);
        let remarks = remarks.chain(&attempt.ground.remarks).chain(attempt.steered.remarks());
        // What a last good form has to remark on was remarked when it came, and its lines are not those of the disk.
        let remarks = remarks.filter(|d| !choice.is_refused(&d.place.file));
        said.extend(remarks.cloned());
        said.extend(attempt.bindings.remarks.iter().cloned());
        let zones = attempt.zones();
        let is_routed = |name: &Name| bind::is_routed(name, &attempt.bindings, &zones);
        said.extend(outcome::hint_warnings(attempt.forms.iter(), is_routed));
        said
    }

    /// Whether not all is said yet of some file: only what changed in it was read.
    pub fn is_hasty(&self) -> bool {
        self.forms.is_hasty()
    }

    /// Those files, to be read as a whole, by anyone.
    pub fn second_reading(&self) -> SecondReading {
        SecondReading { files: self.forms.hasty_files() }
    }

    /// Has the next build take what was read as a whole, where the files are still the same. Tells whether any is.
    pub fn take_whole(&mut self, read: ReadAgain) -> bool {
        let mut taken = Vec::new();
        for (form, digest) in read.forms {
            let path = form.path.clone();
            taken.extend(self.forms.take_whole(form, digest).map(|apex| (path, apex)));
        }
        let is_any = !taken.is_empty();
        if let Some(standing) = &mut self.standing {
            standing.read_again(taken);
        }
        is_any
    }

    /// How many names, below the apexes of their zones, `before` serves and `built`, of the last build, does not.
    pub fn names_removed(&mut self, before: &FileSet, built: &FileSet) -> usize {
        losses::removed_count(before, built, &self.routed, &mut self.forms)
    }

    fn forget_unwanted(&mut self) {
        self.forms.forget_unwanted();
        self.grounds.forget_unwanted();
        self.steerings.forget_unwanted();
    }
}

impl Attempt {
    fn zones(&self) -> Zones<'_> {
        static NO_GONE: BTreeMap<Name, String> = BTreeMap::new();
        Zones { served: &self.served, broken: &self.broken, gone: &NO_GONE }
    }
}

/// A zone that cannot be laid out for answering. Its routes have a part in that too.
fn unlaid(form: &Form) -> Fault {
    Fault {
        primary: form.path.clone(),
        involved: form.involved(),
        reach: Reach::Steering,
        route: None,
        said: vec![forms::bug(&form.path)],
    }
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
            if asked.absent.contains(&form.path) {
                faults.push(moved_away(&form.path));
                continue;
            }
            let said = outcome::apex_taken(&form.path, &zone.apex, &first.zone.path);
            faults.push(Fault {
                primary: form.path.clone(),
                involved: form.involved(),
                reach: Reach::Involved,
                route: None,
                said: vec![said],
            });
            continue;
        }
        let files = form.involved();
        let (zone, record_count) = (Arc::clone(zone), form.record_count);
        served.insert(zone.apex.clone(), Served { zone, files, record_count });
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

fn examples(attempt: &Attempt) -> Vec<(String, PolicyId)> {
    // A wildcard is no name to ask for.
    let plain = |routed: &Routed| {
        let names = routed.iter().map(|(owner, policy)| (owner.to_string(), *policy));
        let names = names.filter(|(owner, _)| !owner.starts_with('*'));
        names.take(EXAMPLE_COUNT_MAX).collect::<Vec<_>>()
    };
    attempt.bindings.routed.values().flat_map(plain).take(EXAMPLE_COUNT_MAX).collect()
}

fn summary(attempt: &Attempt) -> Summary {
    let inventory = &attempt.steered.inventory;
    Summary {
        zones: attempt.served.len(),
        records: attempt.served.values().map(|s| s.record_count).sum(),
        routes: attempt.bindings.routed.values().map(Routed::len).sum(),
        policies: attempt.steered.plans.len(),
        pools: inventory.pools.len(),
        endpoints: inventory.members.len(),
        regions: attempt.ground.regions.list.len(),
        broken: attempt.broken.iter().map(Name::to_string).collect(),
    }
}

#[cfg(test)]
mod tests;
