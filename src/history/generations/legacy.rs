//! What version 0.1 kept: manifests with all their paths, each content a file under `blobs/`. Read, never written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::fileset::{File, FileSet};
use crate::history::durable::StoreError;
use crate::number::{Digest, Generation};

use super::manifest::{Cause, Entry, Tally};

/// A manifest in the flat format.
#[derive(Deserialize)]
struct Manifest {
    generation: u64,
    time_millis: u64,
    cause: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    why: String,
    digest: String,
    files: BTreeMap<String, String>,
}

/// The digest of each file, by path.
pub(super) type Files = BTreeMap<String, Digest>;

/// The generation that `text` tells of; none when that is not what was written.
pub(super) fn read_manifest(text: &[u8]) -> Option<(Entry, Files)> {
    let manifest: Manifest = serde_json::from_slice(text).ok()?;
    let digests = manifest.files.into_iter().map(|(path, d)| Some((path, Digest::parse(&d)?)));
    let files: Files = digests.collect::<Option<_>>()?;
    let whole = Digest::of_parts(files.iter().map(|(path, digest)| (path.as_str(), *digest)));
    let Manifest { cause: kind, who, why, .. } = manifest;
    let entry = Entry {
        generation: Generation(manifest.generation),
        time_millis: manifest.time_millis,
        cause: Cause { kind, who, why, ..Cause::default() },
        digest: Digest::parse(&manifest.digest).filter(|digest| *digest == whole)?,
        tally: Tally { files: files.len(), ..Tally::default() },
        root: None,
    };
    Some((entry, files))
}

/// The contents of `files` from `blobs`, and the paths of geo databases that are no longer kept.
pub(super) fn read_files(
    blobs: &Path,
    files: &Files,
    may_miss: impl Fn(&str) -> bool,
) -> Result<(FileSet, Vec<String>), StoreError> {
    let (mut set, mut missing) = (FileSet::default(), Vec::new());
    for (path, &digest) in files {
        let name = digest.to_string();
        let blob = blobs.join(name.get(..2).unwrap_or_default()).join(&name);
        match fs::read(&blob).map(File::new) {
            Ok(file) if file.digest == digest => drop(set.files.insert(path.clone(), file)),
            Ok(_) => return Err(StoreError::Corrupt(blob)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && may_miss(path) => {
                missing.push(path.clone());
            }
            Err(error) => return Err(StoreError::Io(blob, error)),
        }
    }
    Ok((set, missing))
}
