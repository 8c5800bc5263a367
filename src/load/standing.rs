//! What the last build left standing, for the next to be built onto where few zone files changed.
//!
//! Owns:  when that may be: the files hang together with no others, and nothing is undecided. A zone file that is refused
//!        for its own text is decided: it is passed over until it changes.
//! Never: decides anything itself. Where there is a choice to make, it gives none, and all is built.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::answer::ZoneImage;
use crate::diagnostic::Diagnostic;
use crate::fileset::FileSet;
use crate::number::Digest;
use crate::route::Route;
use crate::zone::Name;

use super::bind::{self, Bindings, ROUTE_REMOVED, Served, Zones};
use super::files::Scan;
use super::forms::{Form, Forms, is_zone_file};
use super::losses::After;
use super::outcome;
use super::parts::{Built, Parts};
use super::retreat::{Choice, Fault, Refused};
use super::steering::Steered;

/// Changed files beyond which all is built: it costs little more then.
const EDIT_COUNT_MAX: usize = 1000;

/// What is said of time, such as of old databases, is said anew after so long, whether or not a file changed.
const TIMELY_SECS: u64 = 3600;

/// What a build of all made on the way.
pub(super) struct Left<'a> {
    /// The forms, in path order.
    pub(super) forms: &'a [Arc<Form>],
    /// The zones.
    pub(super) served: BTreeMap<Name, Served>,
    /// The steering.
    pub(super) steered: Arc<Steered>,
    /// What is bound to them.
    pub(super) bindings: Bindings,
}

/// The last build, to be built onto.
pub(super) struct Standing {
    files: FileSet,
    served: BTreeMap<Name, Served>,
    bindings: Bindings,
    steered: Arc<Steered>,
    /// The routes of each zone, once they were asked for: places in the list of all.
    routes: OnceCell<HashMap<Name, Vec<usize>>>,
    parts: Parts,
    diagnostics: Vec<Diagnostic>,
    /// Whether a zone has signatures.
    is_signed: bool,
    at_secs: Option<u64>,
    /// Files that are to be read as a whole now, with the apexes of their zones.
    again: BTreeMap<String, Name>,
    refused: BTreeMap<String, PassedOver>,
}

/// A refused zone file, whose last good form serves, if it has one.
struct PassedOver {
    /// The hash of what was refused.
    digest: Digest,
    why: String,
}

impl Standing {
    /// What stands after a build of all; none where something of it is still undecided, or files hang together. `known` has
    /// the forms of the files that were refused.
    pub(super) fn of(
        scan: &Scan,
        left: Left<'_>,
        built: &Built,
        choice: &Choice<'_>,
        known: &Forms,
    ) -> Option<Standing> {
        let Left { forms, served, steered, bindings } = left;
        let refused = passed_over(&built.refused, scan, known)?;
        let is_passed_over = |path: &str| refused.contains_key(path);
        let undecided = !is_plain(scan)
            || !built.held.is_empty()
            || !built.waiting.is_empty()
            || !choice.said().iter().all(|(path, _)| is_passed_over(path))
            || !built.serving.differences(&scan.files).all(|d| is_passed_over(d.path));
        let includes = forms.iter().any(|form| form.depends_on_others());
        if undecided || includes {
            return None;
        }
        let is_signed = forms.iter().any(|form| form.validity.is_some());
        let mut diagnostics = built.diagnostics.clone();
        diagnostics.retain(|said| said.code != ROUTE_REMOVED);
        Some(Standing {
            files: built.serving.clone(),
            served,
            bindings,
            steered,
            routes: OnceCell::new(),
            parts: built.parts.clone(),
            diagnostics,
            is_signed,
            at_secs: scan.at_secs,
            again: BTreeMap::new(),
            refused,
        })
    }

    /// Has these files looked at by the next build, changed or not.
    pub(super) fn read_again(&mut self, files: Vec<(String, Name)>) {
        self.again.extend(files);
    }

    /// The zone files that the next build has to look at; none where it has to look at all.
    pub(super) fn edits(&self, scan: &Scan, serving: &FileSet) -> Option<Vec<String>> {
        if !is_plain(scan) || self.files != *serving {
            return None;
        }
        let digest = |path: &str| scan.files.get(path).map(|file| file.digest);
        let is_as_refused =
            |path: &str| self.refused.get(path).is_some_and(|r| Some(r.digest) == digest(path));
        let again = self.again.keys().chain(self.refused.keys().filter(|p| !is_as_refused(p)));
        let mut edits: Vec<String> = again.cloned().collect();
        let differing = self.files.differences(&scan.files).map(|differing| differing.path);
        let differing = differing.filter(|path| !is_as_refused(path));
        edits.extend(differing.take(EDIT_COUNT_MAX + 1).map(str::to_owned));
        edits.sort();
        edits.dedup();
        let are_zones = edits.iter().all(|path| is_zone_file(path) && digest(path).is_some());
        let age = scan.at_secs.zip(self.at_secs).map(|(now, then)| now.abs_diff(then));
        // A look that finds no change is mostly a sweep: it tells anew of signatures that end.
        let is_old = age.is_none_or(|age| age >= TIMELY_SECS) || self.is_signed && edits.is_empty();
        (edits.len() <= EDIT_COUNT_MAX && are_zones && !is_old).then_some(edits)
    }

    /// The files that are asked for: those of `scan`, but of what is passed over the last good forms.
    pub(super) fn asked(&self, edits: &[String], scan: &Scan) -> FileSet {
        let mut asked = scan.files.clone();
        let is_edit = |path: &String| edits.binary_search(path).is_ok();
        for path in self.refused.keys().filter(|path| !is_edit(path)) {
            match self.files.get(path) {
                Some(good) => drop(asked.files.insert(path.clone(), good.clone())),
                None => drop(asked.files.remove(path)),
            }
        }
        asked
    }

    /// Has the zones of the files `edits` be what `choice` has there, and gives their forms; what is refused by itself goes
    /// back to its last good form. None where one hangs together with others, or has none to go back to.
    pub(super) fn exchange(
        &mut self,
        edits: &[String],
        choice: &mut Choice<'_>,
        forms: &mut Forms,
    ) -> Option<Vec<Arc<Form>>> {
        let mut apexes = HashSet::new();
        for path in edits {
            let Some(before) = choice.serving().get(path) else { continue };
            let again = self.again.remove(path);
            let form = forms.of_content(path, before.digest);
            let apex = again.or_else(|| Some(form?.zone.as_ref()?.apex.clone()))?;
            // Its form is left: an edit may use that up.
            self.take_out(&apex)?;
            apexes.insert(apex);
        }
        let mut chosen = forms.parse_some(edits, &choice.files);
        let faults: Vec<Fault> = chosen.iter().filter_map(|form| form.fault()).collect();
        if !faults.is_empty() {
            let hang_together = chosen.iter().any(|form| form.depends_on_others());
            (!hang_together && choice.retreat(faults)).then_some(())?;
            chosen = forms.parse_some(edits, &choice.files);
        }
        for form in &chosen {
            let is_known = form.zone.as_ref().is_some_and(|zone| apexes.remove(&zone.apex));
            self.put_in(form, !is_known)?;
        }
        // A file may have another apex than before: then a zone is gone.
        (apexes.is_empty() && chosen.len() == edits.len()).then_some(chosen)
    }

    /// What would serve.
    pub(super) fn after(&self) -> After<'_> {
        After { served: &self.served, routed: &self.bindings.routed }
    }

    /// The zones, and what is bound to them.
    pub(super) fn bound(&self) -> (Zones<'_>, &Bindings) {
        (zones(&self.served), &self.bindings)
    }

    /// Takes out the zone of `apex`, which another is to follow.
    fn take_out(&mut self, apex: &Name) -> Option<()> {
        let served = self.served.remove(apex)?;
        self.parts.summary.records -= served.record_count;
        self.parts.summary.zones -= 1;
        Some(())
    }

    /// Puts in the zone of `form`, if it hangs together with no other. `is_new` tells that none of its apex served.
    fn put_in(&mut self, form: &Form, is_new: bool) -> Option<()> {
        let zone = form.zone.as_ref()?;
        let hangs_together = form.depends_on_others()
            || !form.hinted.is_empty()
            || self.served.contains_key(&zone.apex)
            || self.is_broken(&zone.apex)
            || is_new && self.has_routes_below(&zone.apex);
        let (files, record_count) = (form.involved(), form.record_count);
        let served = Served { zone: Arc::clone(zone), files, record_count };
        (!hangs_together).then(|| self.served.insert(zone.apex.clone(), served))?;
        self.parts.summary.records += record_count;
        self.parts.summary.zones += 1;
        self.bind(&zone.apex)
    }

    fn is_broken(&self, apex: &Name) -> bool {
        let broken = &self.parts.summary.broken;
        !broken.is_empty() && broken.contains(&apex.to_string())
    }

    /// Whether a name at or below `apex` is routed, whichever zone has it: a new zone would have it in the place of that.
    fn has_routes_below(&self, apex: &Name) -> bool {
        let routed = &self.bindings.routed;
        let below = routed.range(apex..).next();
        let mut above = std::iter::successors(Some(apex.clone()), Name::parent);
        let has_owner_below = |zone: Name| {
            let owner = routed.get(&zone).and_then(|routed| routed.range(apex..).next());
            owner.is_some_and(|(owner, _)| owner.is_at_or_below(apex))
        };
        below.is_some_and(|(zone, _)| zone.is_at_or_below(apex)) || above.any(has_owner_below)
    }

    /// Binds the routes of the zone at `apex` anew. None where its routed names are not the same as before, or a wildcard
    /// is among them: then more than the zone hangs on it.
    fn bind(&mut self, apex: &Name) -> Option<()> {
        let all = &self.steered.routes;
        let index = || {
            let mut by_zone: HashMap<Name, Vec<usize>> = HashMap::new();
            for (at, route) in all.iter().enumerate() {
                let zone = Name::parse(&route.zone, &Name::root());
                zone.into_iter().for_each(|zone| by_zone.entry(zone).or_default().push(at));
            }
            by_zone
        };
        let Some(of_zone) = self.routes.get_or_init(index).get(apex) else { return Some(()) };
        let routes: Vec<&Route> = of_zone.iter().filter_map(|at| all.get(*at)).collect();
        let zones = zones(&self.served);
        let bindings = bind::bind(routes.iter().copied(), &self.steered.plans, &zones);
        let is_same = bindings.faults.is_empty()
            && bindings.routed.get(apex) == self.bindings.routed.get(apex)
            && !routes.iter().any(|route| route.owner.starts_with('*'));
        is_same.then_some(())?;
        let is_old = |said: &Diagnostic| routes.iter().any(|route| route.place == said.place);
        let old: Vec<Diagnostic> = self.bindings.remarks.extract_if(.., |r| is_old(r)).collect();
        self.diagnostics.retain(|said| !old.contains(said));
        self.diagnostics.extend(bindings.remarks.iter().cloned());
        self.bindings.remarks.extend(bindings.remarks);
        Some(())
    }

    /// The outcome of `choice`, with `images` of the zones that `forms` brought, of which `said` is to be said besides.
    pub(super) fn finish(
        &mut self,
        scan: &Scan,
        choice: Choice<'_>,
        forms: &[Arc<Form>],
        images: &[Arc<ZoneImage>],
        said: Vec<Diagnostic>,
    ) -> Built {
        let is_of =
            |file: &str| forms.binary_search_by(|form| form.path.as_str().cmp(file)).is_ok();
        self.diagnostics.retain(|known| !is_of(&known.place.file));
        let heard = forms.iter().filter(|form| !choice.is_refused(&form.path));
        self.diagnostics.extend(heard.flat_map(|form| &form.said).cloned());
        self.diagnostics.extend(outcome::all_told(&choice, forms));
        self.diagnostics.extend(said);
        self.diagnostics = outcome::in_order(std::mem::take(&mut self.diagnostics));
        self.refused.retain(|path, _| !is_of(path));
        let digest = |path: &str| scan.files.get(path).map(|file| file.digest);
        self.refused.extend(choice.refused().into_iter().filter_map(|Refused { path, why }| {
            let digest = digest(&path)?;
            Some((path, PassedOver { digest, why }))
        }));
        let refused = self.refused.iter();
        let refused =
            refused.map(|(path, r)| Refused { path: path.clone(), why: r.why.clone() }).collect();
        self.parts.catalog = Arc::new(self.parts.catalog.with(images));
        self.parts.files_digest = choice.files.digest();
        let before = std::mem::replace(&mut self.files, choice.files);
        Built {
            serving: self.files.clone(),
            parts: self.parts.clone(),
            diagnostics: self.diagnostics.clone(),
            refused,
            held: Vec::new(),
            waiting: Vec::new(),
            changed: before != self.files,
        }
    }
}

/// What may be passed over of the `refused`, with the text that `scan` found; none where a file may become good or worse
/// by a change of another.
fn passed_over(
    refused: &[Refused],
    scan: &Scan,
    known: &Forms,
) -> Option<BTreeMap<String, PassedOver>> {
    let each = refused.iter().take(EDIT_COUNT_MAX + 1).map(|Refused { path, why }| {
        let digest = scan.files.get(path)?.digest;
        let form = known.of_content(path, digest)?;
        let by_itself = form.zone.is_none() && !form.depends_on_others();
        by_itself.then(|| (path.clone(), PassedOver { digest, why: why.clone() }))
    });
    let passed_over: BTreeMap<String, PassedOver> = each.collect::<Option<_>>()?;
    (passed_over.len() <= EDIT_COUNT_MAX).then_some(passed_over)
}

fn zones(served: &BTreeMap<Name, Served>) -> Zones<'_> {
    static NO_GONE: BTreeMap<Name, String> = BTreeMap::new();
    Zones { served, broken: &[], gone: &NO_GONE }
}

/// Whether all that was asked for was read, and without a word.
fn is_plain(scan: &Scan) -> bool {
    scan.problems.is_empty() && scan.unread.iter().all(|unread| unread == "geo/")
}
