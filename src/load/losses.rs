//! What a change of files takes away, zone by zone, for the guard to judge; and what is held of it, as faults.
//!
//! Only zones whose files changed are looked at, each in one pass over its owners before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::FileSet;
use crate::number::Digest;
use crate::zone::{Name, PackedZone};

use super::bind::{Routed, Served};
use super::forms::{Form, Forms, is_zone_file};
use super::guard::{Guard, Loss};
use super::retreat::{Choice, Fault, Reach, is_steering};
use super::steering::Steerings;

/// The short name of what is said of a change that is held.
pub const HELD_CODE: &str = "change-held";

/// Names that are told of those that would vanish.
const EXAMPLE_COUNT_MAX: usize = 3;

/// A zone that the guard holds at its last good form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The zone: presentation format.
    pub zone: String,
    /// Its file on the disk, or as it was there last.
    pub path: String,
    /// Names that it has as it serves.
    pub names: usize,
    /// How many of them would vanish.
    pub removed: usize,
    /// The hash of the files that are held back: another change has another.
    pub key: Digest,
    /// Files of it that are gone from the disk: that they are was settled when it was held.
    pub gone: Vec<String>,
}

/// What would serve.
#[derive(Clone, Copy)]
pub(super) struct After<'a> {
    /// The zones, by apex.
    pub(super) served: &'a BTreeMap<Name, Served>,
    /// Their routed names: they are answered, whatever the files own.
    pub(super) routed: &'a BTreeMap<Name, Routed>,
}

/// A zone that serves and would change.
struct Change {
    /// Its file as it serves.
    path: String,
    apex: Name,
    loss: Loss,
    /// Some of the names that would vanish.
    examples: Vec<Name>,
}

/// What the guard holds of a choice of files, with the faults that take it back.
pub(super) fn held(
    guard: &Guard,
    choice: &Choice<'_>,
    after: &After<'_>,
    forms: &mut Forms,
    steerings: &mut Steerings,
) -> (Vec<Held>, Vec<Fault>) {
    let changes = changes(choice, after, forms);
    let held = judged(guard, &changes, after);
    let served = after.served;
    let held = changes.iter().zip(held).filter(|(_, held)| *held);
    let taken = held.filter_map(|(change, _)| {
        let before = forms.parse_one(&change.path, choice.serving())?;
        let involved = involved(&before, served.get(&change.apex), choice, steerings);
        Some(taken_back(change, &before, served.get(&change.apex), &involved, choice))
    });
    let (held, faults): (Vec<Held>, Vec<Vec<Fault>>) = taken.unzip();
    (held, faults.into_iter().flatten().collect())
}

/// Whether the guard holds anything of a choice of files.
pub(super) fn is_any_held(
    guard: &Guard,
    choice: &Choice<'_>,
    after: &After<'_>,
    forms: &mut Forms,
) -> bool {
    judged(guard, &changes(choice, after, forms), after).contains(&true)
}

/// Which of the changes the guard holds.
fn judged(guard: &Guard, changes: &[Change], after: &After<'_>) -> Vec<bool> {
    if changes.iter().all(|change| change.loss.removed == 0) {
        return vec![false; changes.len()];
    }
    let losses: Vec<Loss> = changes.iter().map(|change| change.loss).collect();
    if losses.iter().map(|loss| loss.removed).sum::<usize>() < guard.min_removed {
        // However many names there are, so few may go: the others need not be counted.
        return guard.held(&losses, 0);
    }
    // All names as they serve: those of now, but of what changed those of before.
    let served = after.served;
    let now: usize = served.values().map(|s| name_count(&s.zone)).sum();
    let of_changed = |change: &Change| served.get(&change.apex).map(|s| name_count(&s.zone));
    let changed: usize = changes.iter().filter_map(of_changed).sum();
    let before: usize = changes.iter().map(|change| change.loss.names).sum();
    guard.held(&losses, (now + before).saturating_sub(changed))
}

/// How many names, below the apexes of their zones, `before` serves and `after` does not.
pub(super) fn removed_count(
    before: &FileSet,
    after: &FileSet,
    routed: &BTreeMap<Name, Routed>,
    forms: &mut Forms,
) -> usize {
    let served = forms.parse(after).into_iter().filter_map(|form| {
        let zone = form.zone.clone()?;
        let (files, record_count) = (form.involved(), form.record_count);
        Some((zone.apex.clone(), Served { zone, files, record_count }))
    });
    let served: BTreeMap<Name, Served> = served.collect();
    let choice = Choice::new(after.clone(), before);
    let after = After { served: &served, routed };
    changes(&choice, &after, forms).iter().map(|change| change.loss.removed).sum()
}

/// The zones that serve and whose files changed.
fn changes(choice: &Choice<'_>, after: &After<'_>, forms: &mut Forms) -> Vec<Change> {
    let mut paths: BTreeSet<String> = choice.changed().collect();
    let is_included =
        |path: &String| path.starts_with("zones/") && !is_zone_file(path) && !is_steering(path);
    if choice.changed().chain(choice.new_files()).any(|path| is_included(&path)) {
        // Any zone may include it.
        paths.extend(choice.serving().files.keys().cloned());
    }
    let mut changes = Vec::new();
    for path in paths.iter().filter(|path| is_zone_file(path)) {
        if let Some(change) = edited(path, choice, after, forms) {
            changes.push(change);
            continue;
        }
        let Some(before) = forms.parse_one(path, choice.serving()) else { continue };
        let Some(zone) = &before.zone else { continue };
        let now = after.served.get(&zone.apex);
        if now.is_some_and(|now| Arc::ptr_eq(&now.zone, zone)) {
            continue;
        }
        let (loss, examples) = vanished(zone, after);
        changes.push(Change { path: path.clone(), apex: zone.apex.clone(), loss, examples });
    }
    changes
}

/// The change of a file of which the edit alone was read: only what it touched is looked at, and the form before, which is
/// used up, is not read again. Names that came are counted as if they had been there.
fn edited(path: &str, choice: &Choice<'_>, after: &After<'_>, forms: &mut Forms) -> Option<Change> {
    let form = forms.parse_one(path, &choice.files)?;
    let (zone, edit) = (form.zone.as_ref()?, form.change.as_ref()?);
    let serving = choice.serving().get(path)?;
    if edit.base != Digest::of_parts([(path, serving.digest)]) {
        return None;
    }
    let is_gone = |owner: &&Name| zone.node(owner).is_none() && !is_taken_over(owner, zone, after);
    let gone = edit.touched.iter().filter(|touched| touched.more_records < 0);
    let gone: Vec<&Name> = gone.map(|touched| &touched.owner).filter(is_gone).collect();
    let names = name_count(zone) + gone.len();
    let loss = Loss { names, removed: gone.len(), emptied: names == gone.len() };
    let examples = gone.into_iter().take(EXAMPLE_COUNT_MAX).cloned().collect();
    Some(Change { path: path.to_owned(), apex: zone.apex.clone(), loss, examples })
}

/// What `zone` loses when `after` serves instead, and some of the names.
fn vanished(zone: &PackedZone, after: &After<'_>) -> (Loss, Vec<Name>) {
    let now = after.served.get(&zone.apex).map(|served| &served.zone);
    let owners = now.into_iter().flat_map(|zone| zone.nodes());
    let mut owners = owners.map(|(owner, _)| owner).peekable();
    let mut loss = Loss { names: name_count(zone), ..Loss::default() };
    let mut examples = Vec::new();
    for (name, _) in zone.nodes() {
        while owners.next_if(|owner| *owner < name).is_some() {}
        if name == zone.apex || owners.peek() == Some(&name) || is_taken_over(&name, zone, after) {
            continue;
        }
        loss.removed += 1;
        if examples.len() < EXAMPLE_COUNT_MAX {
            examples.push(name);
        }
    }
    loss.emptied = now.is_some_and(|zone| zone.node_count() <= 1) && loss.removed == loss.names;
    (loss, examples)
}

/// Whether a route answers the name, or another zone: a subdomain that became a zone, or the other way round.
fn is_taken_over(name: &Name, zone: &PackedZone, after: &After<'_>) -> bool {
    if after.routed.get(&zone.apex).is_some_and(|routed| routed.contains_key(name)) {
        return true;
    }
    let mut encloser = Some(name.clone());
    while let Some(apex) = encloser {
        if let Some(served) = after.served.get(&apex) {
            return apex != zone.apex && served.zone.node(name).is_some();
        }
        encloser = apex.parent();
    }
    false
}

fn name_count(zone: &PackedZone) -> usize {
    // By parsing, the apex is among the nodes.
    zone.node_count().saturating_sub(1)
}

/// The files that a change is about, before it and after: those of the zone, and the steering that was changed with it.
fn involved(
    before: &Form,
    after: Option<&Served>,
    choice: &Choice<'_>,
    steerings: &mut Steerings,
) -> Vec<String> {
    let mut involved = before.involved();
    involved.extend(after.into_iter().flat_map(|after| after.files.iter().cloned()));
    involved.extend(before.zone.iter().flat_map(|zone| steerings.routing(&zone.apex, choice)));
    involved.sort();
    involved.dedup();
    involved
}

/// The change as it is held, and the faults that bring all involved files back to their last good forms.
fn taken_back(
    change: &Change,
    before: &Form,
    after: Option<&Served>,
    involved: &[String],
    choice: &Choice<'_>,
) -> (Held, Vec<Fault>) {
    let path = after.map_or(&*before.path, |after| &after.zone.path);
    let said = told(change, path, before, after);
    let fault = |primary: &str, involved: &[String], said: Vec<Diagnostic>| Fault {
        primary: primary.to_owned(),
        involved: involved.to_vec(),
        reach: Reach::Involved,
        route: None,
        said,
    };
    let mut faults = vec![fault(&before.path, involved, vec![said.clone()])];
    if path != before.path && choice.serving().get(path).is_none() {
        // A zone that moved to another file: that one goes in the same step, or there would be two.
        faults.push(fault(path, &[], vec![said]));
    }
    let parts = involved.iter().map(|path| {
        let digest = choice.files.get(path).map(|file| file.digest);
        (path.as_str(), digest.unwrap_or_default())
    });
    let is_gone = |path: &&String| choice.files.get(path).is_none();
    let held = Held {
        zone: change.apex.to_string(),
        path: path.to_owned(),
        names: change.loss.names,
        removed: change.loss.removed,
        key: Digest::of_parts(parts),
        gone: involved.iter().filter(is_gone).cloned().collect(),
    };
    (held, faults)
}

fn told(change: &Change, path: &str, before: &Form, after: Option<&Served>) -> Diagnostic {
    let Loss { names, removed, emptied } = change.loss;
    let apex = &change.apex;
    let shown: Vec<String> = change.examples.iter().map(Name::to_string).collect();
    let more = if removed > shown.len() { ", …" } else { "" };
    let what = match (after, emptied) {
        (None, _) => format!("the zone {apex} would vanish, with its {names} names"),
        (Some(_), true) => {
            format!("the zone {apex} would be emptied: it has {names} names below its apex")
        }
        (Some(_), false) => {
            let shown = shown.join(", ");
            format!("{removed} of the {names} names of {apex} would vanish: {shown}{more}")
        }
    };
    let serial = before.zone.as_ref().and_then(|zone| zone.serial()).map_or(0, |serial| serial.0);
    Diagnostic::error(HELD_CODE, Place::file(path), what)
        .consequence(format!("the change is held; serial {serial} stays in service"))
        .help(
            "if it is meant: homing accept GEN --why TEXT, with the GEN that homing status shows; \
             [guard] of homing.toml sets the limits",
        )
}

#[cfg(test)]
mod tests;
