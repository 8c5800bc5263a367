//! What we make of a file, by the reader that serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use homing::wire::Name;
use homing::zone;

use super::records::Records;

/// The records of the zone, or the short names of what refuses it.
pub fn read(path: &Path) -> Result<Records, Vec<String>> {
    let folder = path.parent().unwrap();
    let include = |written: &str, _: &str| match fs::read(folder.join(written)) {
        Ok(bytes) => Ok((written.to_owned(), Arc::from(bytes))),
        Err(why) => Err(why.to_string()),
    };
    let stem = path.file_stem().unwrap().to_string_lossy();
    let origin = Name::parse(&format!("{stem}."), &Name::root()).unwrap();
    let parsed = zone::parse("z", &fs::read(path).unwrap(), &origin, &include);
    let codes = parsed.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code.to_owned());
    let zone = parsed.zone.ok_or_else(|| codes.collect::<Vec<String>>())?;
    let mut records = Records::default();
    for (owner, node) in &zone.nodes {
        for rrset in &node.rrsets {
            let rdata = rrset.rdata.iter().map(|r| r.to_vec()).collect();
            records.insert(owner.as_wire(), rrset.rtype.0, rrset.ttl.as_secs(), rdata);
        }
    }
    Ok(records)
}

pub fn is_zone(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "zone")
}

/// What lies in a folder, in order.
pub fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.path()).collect();
    paths.sort();
    paths
}
