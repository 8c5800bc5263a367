//! Stores on a real disk: what is kept, what goes, what damage costs.

use super::*;

fn files(parts: &[(&str, &str)]) -> FileSet {
    let file = |text: &str| File::new(text.as_bytes());
    FileSet { files: parts.iter().map(|&(p, text)| (p.to_owned(), file(text))).collect() }
}

fn cause(why: &str) -> Cause {
    Cause { kind: "files".to_owned(), who: "a".to_owned(), why: why.to_owned() }
}

fn blobs(folder: &Path) -> Vec<PathBuf> {
    let folders = listed(&folder.join("blobs")).unwrap();
    folders.iter().flat_map(|f| listed(f).unwrap()).collect()
}

#[test]
fn a_generation_is_read_again_after_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let first = files(&[("zones/a.zone", "one"), ("geo/regions.toml", "r")]);
    let second = files(&[("zones/a.zone", "two"), ("geo/regions.toml", "r")]);
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest, None);
    assert!(matches!(Store::open(temp.path()), Err(StoreError::InUse(_))));
    assert_eq!(store.keep(&first, cause("x"), 5).unwrap(), Generation(1));
    assert_eq!(store.keep(&second, cause("y"), 6).unwrap(), Generation(2));
    drop(store);
    let (store, latest) = Store::open(temp.path()).unwrap();
    let latest = latest.unwrap();
    assert_eq!((latest.files, latest.entry.time_millis), (second, 6));
    assert_eq!(latest.entry.cause, cause("y"));
    assert_eq!(store.read(Generation(1)).unwrap().files, first);
    assert!(matches!(store.read(Generation(3)), Err(StoreError::Unknown(_))));
    // Three contents for four files: what is the same is kept once.
    assert_eq!(blobs(temp.path()).len(), 3);
}

#[test]
fn what_a_killed_process_leaves_is_swept() {
    let temp = tempfile::tempdir().unwrap();
    let good = files(&[("zones/a.zone", "one")]);
    Store::open(temp.path()).unwrap().0.keep(&good, cause(""), 1).unwrap();
    // Killed while it wrote a content, before it wrote the manifest, and while it wrote the manifest.
    let orphan = Digest::of(b"two").to_string();
    let folder = temp.path().join("blobs").join(&orphan[..2]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("half.part"), "t").unwrap();
    fs::write(folder.join(&orphan), "two").unwrap();
    fs::write(temp.path().join("generations/0000000002.part"), "{").unwrap();
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest.unwrap().files, good);
    assert_eq!((blobs(temp.path()).len(), store.problems().len()), (1, 0));
    assert!(!temp.path().join("generations/0000000002.part").exists());
    assert_eq!(store.keep(&good, cause(""), 2).unwrap(), Generation(2));
}

#[test]
fn damage_is_found_and_an_older_generation_stands_in() {
    let temp = tempfile::tempdir().unwrap();
    let sets = ["one", "two", "three"].map(|text| files(&[("zones/a.zone", text)]));
    let (mut store, _) = Store::open(temp.path()).unwrap();
    for set in &sets {
        store.keep(set, cause(""), 0).unwrap();
    }
    let blob = store.blob(Digest::of(b"two"));
    drop(store);
    fs::write(blob, "twX").unwrap();
    fs::write(temp.path().join("generations/0000000003.json"), "{}").unwrap();
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest.unwrap().files, sets[0]);
    assert_eq!(store.problems().len(), 2);
    // The number of the damaged one is not used again.
    assert_eq!(store.keep(&sets[1], cause(""), 0).unwrap(), Generation(4));
}

#[test]
fn a_damaged_content_is_healed_when_it_is_kept_again() {
    let temp = tempfile::tempdir().unwrap();
    let set = files(&[("zones/a.zone", "one")]);
    let (mut store, _) = Store::open(temp.path()).unwrap();
    store.keep(&set, cause(""), 0).unwrap();
    let blob = store.blob(Digest::of(b"one"));
    fs::write(&blob, "onX").unwrap();
    assert!(matches!(store.read(Generation(1)), Err(StoreError::Corrupt(_))));
    drop(store);
    let (mut store, latest) = Store::open(temp.path()).unwrap();
    assert_eq!(latest, None);
    let again = store.keep(&set, cause(""), 0).unwrap();
    assert_eq!(store.read(again).unwrap().files, set);
}

#[test]
fn a_newer_format_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    drop(Store::open(temp.path()).unwrap());
    fs::write(temp.path().join("generations/0000000001.json"), "{\"format\": 2}").unwrap();
    assert!(matches!(Store::open(temp.path()), Err(StoreError::Newer(_, 2))));
}

#[test]
fn the_oldest_go_first_and_databases_are_kept_three() {
    let temp = tempfile::tempdir().unwrap();
    let limits = Limits { count: 5, bytes: 1 << 20 };
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    for n in 0..8 {
        let (zone, world) = (format!("zone {n}"), format!("world {n}"));
        let set = files(&[("zones/a.zone", &zone), ("geo/x.mmdb", &world)]);
        store.keep(&set, cause(""), 0).unwrap();
    }
    let numbers: Vec<u64> = store.list().map(|e| e.generation.0).collect();
    assert_eq!(numbers, [4, 5, 6, 7, 8]);
    assert_eq!(blobs(temp.path()).len(), 5 + DATABASE_COUNT_MAX);
    let oldest = store.read(Generation(4)).unwrap();
    assert_eq!(oldest.missing, ["geo/x.mmdb"]);
    assert_eq!(oldest.files, files(&[("zones/a.zone", "zone 3")]));
    // By size: the two newest stay, whatever they weigh.
    drop(store);
    let tight = Limits { count: 5, bytes: 1 };
    let (mut store, _) = Store::open_with(temp.path(), tight).unwrap();
    store.keep(&files(&[("zones/a.zone", "last")]), cause(""), 0).unwrap();
    assert_eq!(store.list().count(), GENERATION_COUNT_MIN);
}

#[test]
fn a_generation_stands_though_an_old_one_does_not_go() {
    let temp = tempfile::tempdir().unwrap();
    let set = |n: u32| files(&[("zones/a.zone", &format!("zone {n}"))]);
    let limits = Limits { count: 2, bytes: 1 << 20 };
    let (mut store, _) = Store::open_with(&temp.path().join("new/deep"), limits).unwrap();
    store.keep(&set(1), cause(""), 0).unwrap();
    store.keep(&set(2), cause(""), 0).unwrap();
    let oldest = store.manifest(Generation(1));
    fs::remove_file(&oldest).unwrap();
    fs::create_dir(&oldest).unwrap();
    for n in 3..6 {
        assert_eq!(store.keep(&set(n), cause(""), 0).unwrap(), Generation(n.into()));
        let codes: Vec<&str> = store.problems().iter().map(|d| d.code).collect();
        assert_eq!(codes, ["generations-overfull"]);
    }
    assert_eq!(store.newest(), Generation(5));
    fs::remove_dir(&oldest).unwrap();
    store.keep(&set(6), cause(""), 0).unwrap();
    assert_eq!((store.problems().len(), store.list().count()), (0, 2));
}

#[test]
fn contents_beside_a_damaged_manifest_stay_as_long_as_it_does() {
    let temp = tempfile::tempdir().unwrap();
    let set = |n: u32| files(&[("zones/a.zone", &format!("zone {n}"))]);
    let limits = Limits { count: 3, bytes: 1 << 20 };
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    store.keep(&set(1), cause(""), 0).unwrap();
    store.keep(&set(2), cause(""), 0).unwrap();
    let (manifest, blob) = (store.manifest(Generation(2)), store.blob(Digest::of(b"zone 2")));
    drop(store);
    let good = fs::read(&manifest).unwrap();
    fs::write(&manifest, "{}").unwrap();
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    store.keep(&set(3), cause(""), 0).unwrap();
    assert!(blob.exists());
    drop(store);
    // Mended by hand, it is whole again.
    fs::write(&manifest, good).unwrap();
    let (store, _) = Store::open_with(temp.path(), limits).unwrap();
    assert_eq!(store.read(Generation(2)).unwrap().files, set(2));
    drop(store);
    // It goes in its turn, and takes what nobody else has along.
    fs::write(&manifest, "{}").unwrap();
    let (mut store, _) = Store::open_with(temp.path(), limits).unwrap();
    for n in 4..6 {
        store.keep(&set(n), cause(""), 0).unwrap();
    }
    assert!(!manifest.exists() && !blob.exists());
    assert_eq!((store.list().count(), blobs(temp.path()).len()), (3, 3));
}
