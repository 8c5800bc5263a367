//! Trees on a real disk: what is read, what is not, and what is said of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Config) {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("zones")).unwrap();
    for (path, text) in files {
        write(temp.path(), path, text);
    }
    let config = Config::defaults(temp.path());
    (temp, config)
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn paths(scan: &Scan) -> Vec<&str> {
    scan.files.files.keys().map(String::as_str).collect()
}

fn codes(scan: &Scan) -> Vec<(&str, &str)> {
    scan.problems.iter().map(|d| (d.code, d.place.file.as_str())).collect()
}

#[test]
fn only_what_means_something_is_read() {
    let (_temp, config) = tree(&[
        ("zones/b.zone", "b"),
        ("zones/a/deep/a.zone", "a"),
        ("zones/web.toml", "w"),
        ("zones/.hidden.zone", ""),
        ("zones/.git/x.zone", ""),
        ("zones/b.zone~", ""),
        ("zones/#b.zone#", ""),
        ("zones/.#b.zone", ""),
        ("zones/b.zone.swp", ""),
        ("zones/b.zone.bak", ""),
        ("zones/README.zone", ""),
        ("zones/README.md", ""),
        ("zones/notes.txt", ""),
        ("geo/regions.toml", "r"),
        ("geo/overrides.csv", "o"),
        ("geo/city.mmdb", "m"),
        ("geo/other.toml", ""),
    ]);
    let scan = scan(&config);
    assert_eq!(
        paths(&scan),
        [
            "geo/city.mmdb",
            "geo/overrides.csv",
            "geo/regions.toml",
            "zones/a/deep/a.zone",
            "zones/b.zone",
            "zones/web.toml"
        ]
    );
    assert_eq!(&*scan.files.get("zones/b.zone").unwrap().bytes, b"b");
    assert_eq!((codes(&scan), scan.unread.as_slice()), (vec![], &[][..]));
}

#[test]
fn included_files_are_read_and_stay_in_zones() {
    let (temp, config) = tree(&[
        ("zones/a/a.zone", "$INCLUDE one.inc\n$INCLUDE \"two.inc\"\n$INCLUDE ../../secret\n"),
        ("zones/a/one.inc", "$INCLUDE three.inc\n$INCLUDE one.inc\n$INCLUDE link.inc\n"),
        ("zones/two.inc", "2"),
        ("zones/a/three.inc", "3"),
        ("zones/unused.inc", "4"),
        ("secret", "5"),
    ]);
    symlink(temp.path().join("secret"), temp.path().join("zones/a/link.inc")).unwrap();
    let scan = scan(&config);
    assert_eq!(
        paths(&scan),
        ["zones/a/a.zone", "zones/a/one.inc", "zones/a/three.inc", "zones/two.inc"]
    );
    assert_eq!(codes(&scan), [("include-leaves-zones", "zones/a/link.inc")]);
}

#[test]
fn links_are_followed_and_loops_end() {
    // As Kubernetes mounts a ConfigMap: files are links through a hidden folder that is swapped.
    let (temp, config) = tree(&[("zones/..one/a.zone", "one"), ("elsewhere/b.zone", "b")]);
    let zones = temp.path().join("zones");
    symlink("..one", zones.join("..data")).unwrap();
    symlink("..data/a.zone", zones.join("a.zone")).unwrap();
    symlink(temp.path().join("elsewhere"), zones.join("team")).unwrap();
    symlink("..", zones.join("loop")).unwrap();
    symlink(".", zones.join("self")).unwrap();
    let mut reader = Reader::default();
    let first = reader.scan(&config);
    assert!(first.files.get("zones/a.zone").is_some_and(|f| &*f.bytes == b"one"));
    assert!(first.files.get("zones/team/b.zone").is_some());
    assert_eq!(codes(&first), []);
    write(temp.path(), "zones/..two/a.zone", "two");
    fs::remove_file(zones.join("..data")).unwrap();
    symlink("..two", zones.join("..data")).unwrap();
    let second = reader.scan(&config);
    assert!(second.files.get("zones/a.zone").is_some_and(|f| &*f.bytes == b"two"));
}

#[test]
fn what_cannot_be_read_is_said_and_not_taken_for_gone() {
    let (temp, config) = tree(&[("zones/a.zone", "a")]);
    let zones = temp.path().join("zones");
    symlink("nowhere.zone", zones.join("b.zone")).unwrap();
    fs::create_dir(zones.join("c.zone")).unwrap();
    let found = scan(&config);
    assert_eq!(paths(&found), ["zones/a.zone"]);
    assert_eq!(codes(&found), [("file-unreadable", "zones/b.zone")]);
    assert_eq!(found.unread, ["zones/b.zone", "geo/"]);
    fs::rename(&zones, temp.path().join("gone")).unwrap();
    let found = scan(&config);
    assert_eq!(codes(&found), [("folder-unreadable", "zones/")]);
    assert_eq!(found.unread, ["zones/", "geo/"]);
}

#[test]
fn an_unchanged_file_is_not_read_again_and_a_changed_one_is() {
    let (temp, config) = tree(&[("zones/a.zone", "a"), ("zones/b.zone", "b")]);
    let path = temp.path().join("zones/a.zone");
    let old = SystemTime::now() - Duration::from_secs(60);
    fs::File::open(&path).unwrap().set_modified(old).unwrap();
    let mut reader = Reader::default();
    let bytes = |scan: &Scan, path| scan.files.get(path).unwrap().bytes.clone();
    let (first, second) = (reader.scan(&config), reader.scan(&config));
    assert!(std::sync::Arc::ptr_eq(
        &bytes(&first, "zones/a.zone"),
        &bytes(&second, "zones/a.zone")
    ));
    // A young file is read again: it may change within one tick of the clock, its times and size the same.
    assert!(!std::sync::Arc::ptr_eq(
        &bytes(&first, "zones/b.zone"),
        &bytes(&second, "zones/b.zone")
    ));
    fs::write(&path, "A").unwrap();
    assert_eq!(&*bytes(&reader.scan(&config), "zones/a.zone"), b"A");
}

#[test]
fn a_folder_without_leave_keeps_what_was_read_of_it() {
    use std::os::unix::fs::PermissionsExt;
    let (temp, config) = tree(&[("zones/sub/a.zone", "a"), ("geo/regions.toml", "")]);
    let sub = temp.path().join("zones/sub");
    fs::set_permissions(&sub, fs::Permissions::from_mode(0o000)).unwrap();
    let found = scan(&config);
    let is_root = fs::read_dir(&sub).is_ok();
    fs::set_permissions(&sub, fs::Permissions::from_mode(0o755)).unwrap();
    if !is_root {
        assert_eq!(found.unread, ["zones/sub/"]);
    }
}

// Between two looks at the path another file may have stood there: what is opened has to be the file that was looked at.
#[test]
fn only_the_file_that_was_looked_at_is_read() {
    let (temp, _) = tree(&[("zones/a.zone", "a"), ("zones/b.zone", "b")]);
    let (a, b) = (temp.path().join("zones/a.zone"), temp.path().join("zones/b.zone"));
    let looked = Stamp::of(&fs::metadata(&a).unwrap());
    assert_eq!(read_as(&a, looked).unwrap().as_deref(), Some(&b"a"[..]));
    fs::rename(&b, &a).unwrap();
    assert_eq!(read_as(&a, looked).unwrap(), None);
    // Nor is one that has grown since.
    let looked = Stamp::of(&fs::metadata(&a).unwrap());
    fs::write(&a, "longer").unwrap();
    assert_eq!(read_as(&a, looked).unwrap(), None);
}
