//! Stores on a real disk: what is kept, what goes, what damage costs, what version 0.1 left.

use std::fs;
use std::path::{Path, PathBuf};

use super::prune::{DATABASE_COUNT_MAX, GENERATION_COUNT_MIN};
use super::*;
use crate::fileset::{File, FileSet};
use crate::history::StoreError;
use crate::history::durable::listed;
use crate::number::{Digest, Generation};

fn files(parts: &[(&str, &str)]) -> FileSet {
    let file = |text: &str| File::new(text.as_bytes());
    FileSet { files: parts.iter().map(|&(p, text)| (p.to_owned(), file(text))).collect() }
}

fn numbered(n: usize) -> FileSet {
    files(&[("zones/a.zone", &format!("zone {n}"))])
}

/// Many small zones and a large one, of which one record can differ.
fn many(count: usize, changed: &str) -> FileSet {
    let mut set = FileSet::default();
    for n in 0..count {
        let path = format!("zones/zone-{n:06}.example.zone");
        set.files
            .insert(path, File::new(format!("$TTL 60\n@ IN A 10.0.{}.1\n", n % 251).into_bytes()));
    }
    let mut large: String =
        (0..60_000).map(|n| format!("h{n} IN A 10.0.{}.1\n", n % 241)).collect();
    large.insert_str(large.len() / 2, changed);
    set.files.insert("zones/large.example.zone".to_owned(), File::new(large.into_bytes()));
    set
}

fn cause(why: &str) -> Cause {
    Cause { kind: "files".to_owned(), why: why.to_owned(), ..Cause::default() }
}

fn keep(store: &mut Store, set: &FileSet) -> Generation {
    let kept = store.keep(set, cause(""), 0, Generation(0)).unwrap();
    store.prune();
    kept
}

fn packs(state: &Path) -> Vec<PathBuf> {
    listed(&state.join("generations/packs")).unwrap()
}

fn manifest(state: &Path, generation: u64) -> PathBuf {
    state.join(format!("generations/generations/{generation:010}.json"))
}

fn size(state: &Path) -> u64 {
    packs(state).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

/// Damages the one place in the packs where `text` stands as it is.
fn damage(state: &Path, text: &str) {
    for path in packs(state) {
        let mut bytes = fs::read(&path).unwrap();
        if let Some(at) = bytes.windows(text.len()).position(|window| window == text.as_bytes()) {
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
            return;
        }
    }
    panic!("no pack has {text}");
}

#[test]
fn a_generation_is_read_again_after_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let first = files(&[("zones/a.zone", "one"), ("geo/regions.toml", "r"), ("zones/b.zone", "")]);
    let second = files(&[("zones/a.zone", "two"), ("geo/regions.toml", "r"), ("zones/c.zone", "")]);
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest, None);
    assert!(matches!(Store::open(temp.path()), Err(StoreError::InUse(_))));
    let why = Cause { author: "A <a@example.net>".into(), of: Some(Generation(9)), ..cause("y") };
    assert_eq!(store.keep(&first, cause("x"), 5, Generation(0)).unwrap(), Generation(1));
    assert_eq!(store.keep(&second, cause("y"), 6, Generation(0)).unwrap(), Generation(2));
    store.amend(Generation(2), why.clone()).unwrap();
    drop(store);
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    let latest = latest.unwrap();
    assert_eq!((&latest.files, latest.entry.time_millis), (&second, 6));
    assert_eq!((latest.entry.cause, latest.entry.digest), (why, second.digest()));
    assert_eq!(latest.entry.tally, Tally { files: 3, added: 1, changed: 1, removed: 1 });
    assert_eq!(store.archive().read(Generation(1)).unwrap().files, first);
    assert!(matches!(store.archive().read(Generation(3)), Err(StoreError::Unknown(_))));
    // A number that was served and could not be kept is not given again.
    assert_eq!(store.keep(&first, cause(""), 7, Generation(8)).unwrap(), Generation(9));
}

#[test]
fn one_changed_record_costs_a_chunk_and_a_path() {
    let temp = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(temp.path()).unwrap();
    let (old, new) = (many(3000, ""), many(3000, "new IN A 192.0.2.1\n"));
    keep(&mut store, &old);
    let before = size(temp.path());
    keep(&mut store, &new);
    let grown = size(temp.path()) - before;
    assert!(grown < 80_000, "{grown} octets");
    // One small zone costs its node, those above it, and its content.
    let mut newer = new.clone();
    newer.files.insert("zones/zone-001000.example.zone".to_owned(), File::new(*b"changed"));
    newer.files.remove("zones/zone-000999.example.zone");
    let before = size(temp.path());
    keep(&mut store, &newer);
    let grown = size(temp.path()) - before;
    assert!(grown < 20_000, "{grown} octets");
    for (nth, set) in [&old, &new, &newer].into_iter().enumerate() {
        assert_eq!(&store.archive().read(Generation(nth as u64 + 1)).unwrap().files, set);
    }
    let changes = store.archive().changes(Generation(2), Generation(3)).unwrap();
    let told: Vec<_> =
        changes.iter().map(|c| (c.path.as_str(), c.old.is_some(), c.new.is_some())).collect();
    let expected = [
        ("zones/zone-000999.example.zone", true, false),
        ("zones/zone-001000.example.zone", true, true),
    ];
    assert_eq!(told, expected);
    drop(store);
    // What was cut is known after a restart, too.
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest.unwrap().files, newer);
    let before = size(temp.path());
    keep(&mut store, &old);
    assert!(size(temp.path()) - before < 1000);
}

#[test]
fn what_a_killed_process_leaves_is_swept() {
    let temp = tempfile::tempdir().unwrap();
    let (good, next) = (numbered(1), numbered(2));
    let (mut store, _) = Store::open(temp.path()).unwrap();
    keep(&mut store, &good);
    keep(&mut store, &next);
    drop(store);
    // Killed before it wrote the manifest, and while it wrote that, and a pack.
    fs::remove_file(manifest(temp.path(), 2)).unwrap();
    let litter = ["generations/generations/0000000002.part", "generations/packs/0000000003.part"];
    litter.iter().for_each(|path| fs::write(temp.path().join(path), "{").unwrap());
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest.unwrap().files, good);
    assert_eq!((packs(temp.path()).len(), store.problems().len()), (1, 0));
    assert!(litter.iter().all(|path| !temp.path().join(path).exists()));
    assert_eq!(keep(&mut store, &next), Generation(2));
}

#[test]
fn damage_is_found_and_an_older_generation_stands_in() {
    let temp = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(temp.path()).unwrap();
    for n in 1..=3 {
        keep(&mut store, &numbered(n));
    }
    drop(store);
    damage(temp.path(), "zone 2");
    fs::write(manifest(temp.path(), 3), "{}").unwrap();
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest.unwrap().files, numbered(1));
    assert_eq!(store.problems().len(), 2, "{:?}", store.problems());
    // The number of the damaged one is not used again; what was damaged is healed when it is kept again.
    assert_eq!(keep(&mut store, &numbered(2)), Generation(4));
    assert_eq!(store.archive().read(Generation(4)).unwrap().files, numbered(2));
    assert_eq!(store.archive().read(Generation(2)).unwrap().files, numbered(2));
}

#[test]
fn a_pack_that_cannot_be_read_costs_what_leads_to_it() {
    let temp = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(temp.path()).unwrap();
    keep(&mut store, &numbered(1));
    keep(&mut store, &numbered(2));
    drop(store);
    let newest = packs(temp.path()).pop().unwrap();
    for len in 0..fs::metadata(&newest).unwrap().len() {
        fs::File::options().write(true).open(&newest).unwrap().set_len(len / 2).unwrap();
        let (store, latest) = Store::open(temp.path()).unwrap();
        assert_eq!(latest.unwrap().files, numbered(1));
        assert!(!store.problems().is_empty() && newest.exists());
    }
    let (mut store, _) = Store::open(temp.path()).unwrap();
    assert_eq!(keep(&mut store, &numbered(2)), Generation(3));
    // What was damaged has all that it leads to again, and the pack goes.
    for generation in [2, 3] {
        assert_eq!(store.archive().read(Generation(generation)).unwrap().files, numbered(2));
    }
    assert!(!newest.exists());
}

#[test]
fn a_newer_format_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    drop(Store::open(temp.path()).unwrap());
    fs::write(manifest(temp.path(), 1), "{\"format\": 3}").unwrap();
    assert!(matches!(Store::open(temp.path()), Err(StoreError::Newer(_, 3))));
    assert!(matches!(Archive::open(temp.path()), Err(StoreError::Newer(_, 3))));
}

#[test]
fn the_oldest_go_first_and_databases_are_kept_three() {
    let temp = tempfile::tempdir().unwrap();
    let limits = Limits { count: 5, bytes: 1 << 20 };
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    for n in 0..8 {
        let (zone, world) = (format!("zone {n}"), format!("world {n}"));
        keep(&mut store, &files(&[("zones/a.zone", &zone), ("geo/x.mmdb", &world)]));
    }
    let numbers: Vec<u64> = store.archive().list().map(|e| e.generation.0).collect();
    assert_eq!(numbers, [8, 7, 6, 5, 4]);
    assert_eq!(packs(temp.path()).len(), 5 + DATABASE_COUNT_MAX);
    let oldest = store.archive().read(Generation(4)).unwrap();
    assert_eq!(oldest.missing, ["geo/x.mmdb"]);
    assert_eq!(oldest.files, files(&[("zones/a.zone", "zone 3")]));
    // By size: the two newest stay, whatever they weigh.
    drop(store);
    let tight = Limits { count: 5, bytes: 1 };
    let (mut store, _) = Store::open_with(temp.path(), tight).unwrap();
    keep(&mut store, &files(&[("zones/a.zone", "last")]));
    assert_eq!(store.archive().list().count(), GENERATION_COUNT_MIN);
}

#[test]
fn the_disk_never_holds_more_than_the_limit() {
    let temp = tempfile::tempdir().unwrap();
    let limits = Limits { count: 1000, bytes: 100_000 };
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    // Octets that do not pack: each generation shares two contents with the one before.
    let noise = |n: u64| {
        let part = |i: u64| Digest::of(&(n * 1000 + i).to_le_bytes()).to_string();
        (0..40).map(part).collect::<String>()
    };
    for n in 0..150 {
        let texts = [0, 1, 2].map(|more| noise((n + more) / 3));
        let set = files(&[("zones/a", &texts[0]), ("zones/b", &texts[1]), ("zones/c", &texts[2])]);
        keep(&mut store, &set);
        assert!(size(temp.path()) <= limits.bytes);
        assert_eq!(store.archive().read(Generation(n + 1)).unwrap().files, set);
    }
    let kept: Vec<Generation> = store.archive().list().map(|entry| entry.generation).collect();
    assert!(kept.len() > 20, "{} kept", kept.len());
    kept.iter().for_each(|generation| drop(store.archive().read(*generation).unwrap()));
    assert!(packs(temp.path()).len() <= kept.len() + 3);
}

#[test]
fn a_generation_stands_though_an_old_one_does_not_go() {
    let temp = tempfile::tempdir().unwrap();
    let limits = Limits { count: 2, bytes: 1 << 20 };
    let state = temp.path().join("new/deep");
    let (mut store, _) = Store::open_with(&state, limits).unwrap();
    keep(&mut store, &numbered(1));
    keep(&mut store, &numbered(2));
    let oldest = manifest(&state, 1);
    fs::remove_file(&oldest).unwrap();
    fs::create_dir(&oldest).unwrap();
    for n in 3..6 {
        assert_eq!(keep(&mut store, &numbered(n)), Generation(n as u64));
        let codes: Vec<&str> = store.problems().iter().map(|d| d.code).collect();
        assert_eq!(codes, ["generations-overfull"]);
    }
    fs::remove_dir(&oldest).unwrap();
    keep(&mut store, &numbered(6));
    assert_eq!((store.problems().len(), store.archive().list().count()), (0, 2));
}

#[test]
fn what_a_damaged_manifest_may_lead_to_stays_as_long_as_it_does() {
    let temp = tempfile::tempdir().unwrap();
    let limits = Limits { count: 3, bytes: 1 << 20 };
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    keep(&mut store, &numbered(1));
    keep(&mut store, &numbered(2));
    drop(store);
    let path = manifest(temp.path(), 2);
    let good = fs::read(&path).unwrap();
    fs::write(&path, "{}").unwrap();
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    keep(&mut store, &numbered(3));
    assert_eq!(packs(temp.path()).len(), 3);
    drop(store);
    // Mended by hand, it is whole again.
    fs::write(&path, good).unwrap();
    let (store, _) = Store::open_with(temp.path(), limits).unwrap();
    assert_eq!(store.archive().read(Generation(2)).unwrap().files, numbered(2));
    drop(store);
    // It goes in its turn, and takes what nobody else has along.
    fs::write(&path, "{}").unwrap();
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    keep(&mut store, &numbered(4));
    keep(&mut store, &numbered(5));
    assert!(!path.exists());
    assert_eq!((store.archive().list().count(), packs(temp.path()).len()), (3, 3));
}

#[test]
fn an_archive_reads_while_a_store_writes() {
    let temp = tempfile::tempdir().unwrap();
    assert!(matches!(Archive::open(temp.path()), Err(StoreError::Io(..))));
    let limits = Limits { count: 3, bytes: 1 << 20 };
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    for (n, at) in [(1, 100), (2, 200), (3, 300)] {
        store.keep(&numbered(n), cause(""), at, Generation(0)).unwrap();
    }
    let archive = Archive::open(temp.path()).unwrap();
    let told: Vec<u64> = archive.list().map(|entry| entry.generation.0).collect();
    assert_eq!(told, [3, 2, 1]);
    let at = |time| archive.at(time).map(|entry| entry.generation.0);
    assert_eq!([at(99), at(100), at(299), at(1000)], [None, Some(1), Some(2), Some(3)]);
    assert_eq!(archive.changes(Generation(1), Generation(3)).unwrap().len(), 1);
    for n in 4..6 {
        keep(&mut store, &numbered(n));
    }
    // What went meanwhile is an error, what was moved is found, and what is new is seen by who opens it anew.
    assert!(matches!(archive.read(Generation(1)), Err(StoreError::Unknown(_))));
    assert_eq!(archive.read(Generation(3)).unwrap().files, numbered(3));
    assert!(matches!(archive.read(Generation(5)), Err(StoreError::Unknown(_))));
    assert_eq!(Archive::open(temp.path()).unwrap().read(Generation(5)).unwrap().files, numbered(5));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in listed(from).unwrap() {
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => _ = fs::copy(&path, target).unwrap(),
        }
    }
}

#[test]
fn what_version_0_1_kept_is_read_and_carried_over() {
    let temp = tempfile::tempdir().unwrap();
    let old = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/state-0.1"));
    copy(old, temp.path());
    let archive = Archive::open(temp.path()).unwrap();
    let read = |archive: &Archive, n| archive.read(Generation(n)).unwrap();
    let before: Vec<Restored> = (1..=3).map(|n| read(&archive, n)).collect();
    assert_eq!(archive.changes(Generation(2), Generation(3)).unwrap().len(), 1);
    let (store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest.unwrap().files, before[2].files);
    assert!(store.problems().is_empty() && !temp.path().join("generations/blobs").exists());
    for old in &before {
        let new = store.archive().read(old.entry.generation).unwrap();
        assert_eq!((&new.files, &new.missing), (&old.files, &old.missing));
        assert_eq!(new.entry.time_millis, old.entry.time_millis);
        assert_eq!((new.entry.digest, &new.entry.cause), (new.files.digest(), &old.entry.cause));
        let text = fs::read_to_string(manifest(temp.path(), new.entry.generation.0)).unwrap();
        assert!(text.contains("\"format\":2"), "version 0.1 would read {text}");
    }
    assert_eq!(store.archive().changes(Generation(2), Generation(3)).unwrap().len(), 1);
    drop(store);
    // Killed on the way, it goes on at the next start; what cannot be carried over is told and stays.
    copy(&old.join("generations/blobs"), &temp.path().join("generations/blobs"));
    let flat = old.join("generations/generations/0000000003.json");
    fs::copy(flat, manifest(temp.path(), 3)).unwrap();
    let (store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!((latest.unwrap().files, store.problems().len()), (before[2].files.clone(), 0));
    assert!(!temp.path().join("generations/blobs").exists());
    drop(store);
    let flat = old.join("generations/generations/0000000002.json");
    fs::copy(flat, manifest(temp.path(), 2)).unwrap();
    let (store, latest) = Store::open(temp.path()).unwrap();
    let codes: Vec<&str> = store.problems().iter().map(|problem| problem.code).collect();
    assert_eq!(
        (latest.unwrap().files, codes),
        (before[2].files.clone(), vec!["generation-not-carried-over"])
    );
    assert_eq!(store.archive().list().count(), 3);
}
