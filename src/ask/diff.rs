//! What differs between two states of files, in what they serve: zones record by record, steering down to who moves.

use std::collections::BTreeSet;

use crate::api::{
    ChangeWord, DiffBody, DiffSide, FileChange, RrsetBody, SteeringChange, ZoneChange,
};
use crate::fileset::FileSet;
use crate::load::{Config, Contents};
use crate::zone::{self, Name, RrsetChange, Rtype, Zone, to_text};

use super::steering;

/// One state of files.
#[derive(Clone, Copy)]
pub struct Side<'s> {
    /// As it was asked for: a folder, `git:HEAD`, `gen:41`.
    pub name: &'s str,
    /// The files; without errors, or as far as they are sound.
    pub files: &'s FileSet,
    /// What steering inherits.
    pub config: &'s Config,
}

/// What leads from `old` to `new`. At most `rrsets_max` RRsets are told; the rest is counted.
pub fn diff(old: Side<'_>, new: Side<'_>, rrsets_max: usize) -> DiffBody {
    let (before, after) = Contents::of_both((old.files, old.config), (new.files, new.config));
    let mut left = rrsets_max;
    let apexes: BTreeSet<&Name> = before.zones.keys().chain(after.zones.keys()).collect();
    let zones = apexes.into_iter().filter_map(|apex| {
        let zone = |contents: &Contents| contents.zones.get(apex).cloned();
        zone_change(zone(&before).as_deref(), zone(&after).as_deref(), &mut left)
    });
    let zones: Vec<ZoneChange> = zones.collect();
    let steering = match (&before.steering, &after.steering) {
        (Some(before), Some(after)) => steering::compare(before, after),
        _ => SteeringChange::default(),
    };
    let side = |side: Side<'_>| DiffSide {
        name: side.name.to_owned(),
        digest: side.files.digest().to_string(),
        diagnostics: Vec::new(),
    };
    DiffBody {
        old: side(old),
        new: side(new),
        differs: !zones.is_empty() || !steering.is_empty(),
        notes: Vec::new(),
        files: files(old.files, new.files),
        zones,
        steering,
    }
}

fn files(old: &FileSet, new: &FileSet) -> Vec<FileChange> {
    let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    let differing = paths.into_iter().filter_map(|path| {
        let (old, new) = (old.get(path), new.get(path));
        let same = old.map(|file| file.digest) == new.map(|file| file.digest);
        let change = ChangeWord::of(old.is_some(), new.is_some());
        (!same).then(|| FileChange { path: path.clone(), change })
    });
    differing.collect()
}

fn zone_change(old: Option<&Zone>, new: Option<&Zone>, left: &mut usize) -> Option<ZoneChange> {
    let changes = zone::diff(old, new);
    let either = new.or(old)?;
    if changes.is_empty() && old.is_some() && new.is_some() {
        return None;
    }
    let serial = |zone: Option<&Zone>| zone.and_then(Zone::serial);
    let (serial_old, serial_new) = (serial(old), serial(new));
    let is_soa = |change: &RrsetChange<'_>| change.rtype == Rtype::SOA;
    let count = |of: fn(&RrsetChange<'_>) -> usize| {
        changes.iter().filter(|change| !is_soa(change)).map(of).sum()
    };
    let raised = serial_old.zip(serial_new).is_none_or(|(old, new)| new.is_newer_than(old));
    let told = || changes.iter().filter(|change| !change.is_serial_only());
    let rrsets: Vec<RrsetBody> = told().take(*left).map(rrset_body).collect();
    *left -= rrsets.len();
    Some(ZoneChange {
        zone: either.apex.to_string(),
        change: ChangeWord::of(old.is_some(), new.is_some()),
        file: either.path.clone(),
        serial_old: serial_old.map(|serial| serial.0),
        serial_new: serial_new.map(|serial| serial.0),
        serial_not_raised: !raised,
        records_added: count(|change| change.added().len()),
        records_removed: count(|change| change.removed().len()),
        rrsets_left_out: told().count() - rrsets.len(),
        rrsets,
    })
}

fn rrset_body(change: &RrsetChange<'_>) -> RrsetBody {
    let texts = |rdata: Vec<&[u8]>| -> Vec<String> {
        rdata.into_iter().map(|rdata| to_text(change.rtype, rdata)).collect()
    };
    let added = texts(change.added());
    RrsetBody {
        owner: change.owner.to_string(),
        rtype: change.rtype.to_string(),
        change: ChangeWord::of(change.old.is_some(), change.new.is_some()),
        ttl_old: change.old.map(|rrset| rrset.ttl.as_secs()),
        ttl_new: change.new.map(|rrset| rrset.ttl.as_secs()),
        removed: texts(change.removed()),
        kept: change.new.map_or(0, |rrset| rrset.rdata.len() - added.len()),
        added,
    }
}
