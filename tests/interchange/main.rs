//! Interchange: configurations and zones of other servers in, plain zones out, held against the servers themselves.
//!
//! What needs BIND, NSD or Knot (Debian: bind9, nsd, knot, bind9-utils, knot-dnsutils) is left out where they are not
//! installed, and fails instead where HOMING_REQUIRE_SERVERS is set, as `.ci/run` does.

mod export;
mod import;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod writers;

use std::fs;
use std::path::{Path, PathBuf};

/// A copy of the folder `name` of fixtures.
fn fixture(name: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    copy(&here().join(name), root.path());
    root
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The files below `dir`, paths relative to it, in order.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.path().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path().strip_prefix(dir).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

/// Holds `found` against the transcript `name`; `UPDATE_GOLDEN=1` writes it down anew.
fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(path, found).unwrap();
    }
    let wanted = fs::read_to_string(path).unwrap_or_default();
    let differs = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    let hint = "UPDATE_GOLDEN=1 cargo test --test interchange writes it anew";
    assert!(wanted == found, "{name}: {differs:?}\n{hint}\n{found}");
}
