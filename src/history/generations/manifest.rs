//! Manifests: what is told of a generation, as JSON with a checksum over all of it.
//!
//! A manifest of this format may gain fields: a reader passes over those that it does not know.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::history::durable::{StoreError, write_durably};
use crate::number::{Digest, Generation};

/// The version of what this binary writes, and the newest that it reads.
const FORMAT: u32 = 2;
/// The format of version 0.1: all paths in the manifest, each content a file.
pub(super) const FORMAT_FLAT: u32 = 1;
/// Octets of the largest manifest that is read. A guess, for some millions of files in the flat format.
const LEN_MAX: u64 = 1 << 30;

/// What brought a generation about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// A word: `start`, `files`, `rollback`, `resume`, `accept`.
    pub kind: String,
    /// Who asked for it; empty when a file changed by itself.
    pub who: String,
    /// Why; may be empty.
    pub why: String,
    /// Who changed the files, where git tells; else empty.
    pub author: String,
    /// Of a rollback, the generation whose files it has again.
    pub of: Option<Generation>,
}

/// How many files a generation has, and how they differ from the one that was kept before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub files: usize,
    /// Those that the one before had not.
    pub added: usize,
    /// Those that it had with another content.
    pub changed: usize,
    /// Those that it had, and this one has not.
    pub removed: usize,
}

/// One generation, without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub generation: Generation,
    /// When it was published, in milliseconds of the Unix epoch.
    pub time_millis: u64,
    /// What brought it about.
    pub cause: Cause,
    /// The digest of its files: [`crate::fileset::FileSet::digest`].
    pub digest: Digest,
    /// Its files, in numbers. Not known of what version 0.1 kept, but for `files`.
    pub tally: Tally,
    /// The root of its tree of paths; none in the flat format.
    pub(super) root: Option<Digest>,
}

/// A generation as it stands on the disk.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    generation: u64,
    time_millis: u64,
    cause: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    who: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    author: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    digest: String,
    root: String,
    files: usize,
    added: usize,
    changed: usize,
    removed: usize,
}

/// What every format of a manifest has.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

/// Where the checksum stands among the fields.
const SUM: &str = "sum";

/// A manifest that was read.
pub(super) enum Read {
    /// In the format of this binary.
    Ours(Box<Entry>),
    /// In the flat format: its text, for [`super::legacy`].
    Flat(Vec<u8>),
}

/// Where the manifest of `generation` stands in `folder`.
pub(super) fn path_of(folder: &Path, generation: Generation) -> PathBuf {
    folder.join(format!("{:010}.json", generation.0))
}

/// The generation whose manifest stands at `path`, if one does.
pub(super) fn number_of(path: &Path) -> Option<Generation> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".json")?;
    stem.bytes().all(|b| b.is_ascii_digit()).then(|| stem.parse().ok().map(Generation))?
}

/// Writes the manifest so that it stands whole or not at all. The caller syncs the folder.
pub(super) fn write(folder: &Path, entry: &Entry) -> Result<(), StoreError> {
    let path = path_of(folder, entry.generation);
    let text = to_text(entry).map_err(|e| StoreError::Io(path.clone(), e.into()))?;
    write_durably(&path, &text)
}

/// Reads the manifest of `generation`.
pub(super) fn read(folder: &Path, generation: Generation) -> Result<Read, StoreError> {
    let path = path_of(folder, generation);
    let io = |e| StoreError::Io(path.clone(), e);
    let corrupt = || StoreError::Corrupt(path.clone());
    if fs::metadata(&path).map_err(io)?.len() > LEN_MAX {
        return Err(corrupt());
    }
    let text = fs::read(&path).map_err(io)?;
    let versioned: Versioned = serde_json::from_slice(&text).map_err(|_| corrupt())?;
    match versioned.format {
        FORMAT_FLAT => Ok(Read::Flat(text)),
        FORMAT => {
            let entry = from_text(&text).filter(|entry| entry.generation == generation);
            entry.map(|entry| Read::Ours(Box::new(entry))).ok_or_else(corrupt)
        }
        newer => Err(StoreError::Newer(path.clone(), newer)),
    }
}

fn to_text(entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let mut fields = serde_json::to_value(Manifest::from(entry))?;
    let sum = sum_of(&fields)?;
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(SUM.to_owned(), sum.into());
    }
    serde_json::to_vec(&fields)
}

/// The entry that was written; none when it is not what was written.
fn from_text(text: &[u8]) -> Option<Entry> {
    let mut fields: serde_json::Value = serde_json::from_slice(text).ok()?;
    let sum = fields.as_object_mut()?.remove(SUM)?;
    if sum.as_str()? != sum_of(&fields).ok()? {
        return None;
    }
    serde_json::from_value::<Manifest>(fields).ok()?.into_entry()
}

/// Over all fields in the order of their names, known ones or not.
fn sum_of(fields: &serde_json::Value) -> Result<String, serde_json::Error> {
    Ok(Digest::of(&serde_json::to_vec(fields)?).to_string())
}

impl From<&Entry> for Manifest {
    fn from(entry: &Entry) -> Manifest {
        let Cause { kind, who, why, author, of } = entry.cause.clone();
        Manifest {
            format: FORMAT,
            generation: entry.generation.0,
            time_millis: entry.time_millis,
            cause: kind,
            who,
            why,
            author,
            of: of.map(|generation| generation.0),
            digest: entry.digest.to_string(),
            root: entry.root.map(|root| root.to_string()).unwrap_or_default(),
            files: entry.tally.files,
            added: entry.tally.added,
            changed: entry.tally.changed,
            removed: entry.tally.removed,
        }
    }
}

impl Manifest {
    fn into_entry(self) -> Option<Entry> {
        let Manifest { who, why, author, files, added, changed, removed, .. } = self;
        let of = self.of.map(Generation);
        Some(Entry {
            generation: Generation(self.generation),
            time_millis: self.time_millis,
            cause: Cause { kind: self.cause, who, why, author, of },
            digest: Digest::parse(&self.digest)?,
            tally: Tally { files, added, changed, removed },
            root: Some(Digest::parse(&self.root)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_as_it_was_written_and_no_octet_may_differ() {
        let entry = Entry {
            generation: Generation(7),
            time_millis: 1_700_000_000_000,
            cause: Cause { kind: "rollback".into(), of: Some(Generation(3)), ..Cause::default() },
            digest: Digest::of(b"d"),
            tally: Tally { files: 4, added: 3, changed: 2, removed: 1 },
            root: Some(Digest::of(b"r")),
        };
        let text = to_text(&entry).unwrap();
        assert_eq!(from_text(&text), Some(entry));
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 1;
            assert_eq!(from_text(&damaged), None, "octet {at}");
        }
    }
}
