//! What is kept when the disk refuses, what numbers are given, whose change it was.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::fileset::File;

fn files(text: &str) -> FileSet {
    let file = File::new(text.as_bytes());
    FileSet { files: [("zones/a.zone".to_owned(), file)].into() }
}

fn open(root: &Path, served: u64) -> (Past, Option<Last>) {
    Past::open(&Config::defaults(root), Generation(served), LogTime(0), Alarms::default())
}

fn keep(past: &Past, text: &str) -> u64 {
    past.keep(&files(text), &cause_of_files(Generation(1)), LogTime(0)).0
}

#[test]
fn numbers_start_above_what_the_log_knows() {
    let temp = tempfile::tempdir().unwrap();
    let (past, last) = open(temp.path(), 4);
    assert!(last.is_none());
    assert_eq!((keep(&past, "one"), keep(&past, "two")), (5, 6));
    drop(past);
    let rolled = Cause { kind: ROLLBACK.into(), why: "w".into(), ..Cause::default() };
    let past = eventually_open(temp.path(), 6).0;
    assert_eq!(past.keep(&files("one"), &rolled, LogTime(0)), Generation(7));
    drop(past);
    // 9 served, and was not kept: what was serves again, pinned as it was, under a number of its own.
    let (past, last) = eventually_open(temp.path(), 9);
    let last = last.unwrap();
    assert_eq!((last.generation, &last.files), (Generation(10), &files("one")));
    let (pin, good) = last.pinned.unwrap();
    assert_eq!((pin.generation, pin.why.as_str(), good), (Generation(10), "w", files("two")));
    assert_eq!(past.read(Generation(10)).unwrap().files, files("one"));
}

/// Opens once the thread that follows the one before has let go of the folder.
fn eventually_open(root: &Path, served: u64) -> (Past, Option<Last>) {
    loop {
        let (past, last) = open(root, served);
        if past.complaint().is_none() {
            return (past, last);
        }
        drop(past);
        std::thread::yield_now();
    }
}

#[test]
fn what_the_disk_refused_is_kept_as_soon_as_it_can_be() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("state");
    fs::write(&folder, "in the way").unwrap();
    let (past, last) = open(temp.path(), 0);
    assert!(last.is_none() && past.complaint().is_some());
    assert_eq!((keep(&past, "one"), keep(&past, "two")), (1, 2));
    assert_eq!(past.settle(&files("two"), Generation(2)), Generation(2));
    assert!(past.complaint().is_some() && past.list(None, 9).generations.is_empty());
    fs::remove_file(&folder).unwrap();
    assert_eq!(past.settle(&files("two"), Generation(2)), Generation(2));
    let listed = past.list(None, 9).generations;
    assert!(past.complaint().is_none());
    assert_eq!((listed.len(), listed[0].generation), (1, 2));
    assert_eq!(past.read(Generation(2)).unwrap().files, files("two"));
    assert_eq!(keep(&past, "three"), 3);
}

#[test]
fn another_process_has_the_folder_and_what_it_keeps_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let (first, _) = open(temp.path(), 0);
    keep(&first, "one");
    let (second, last) = open(temp.path(), 0);
    assert_eq!(last.unwrap().files, files("one"));
    assert!(second.complaint().is_some());
    assert_eq!(second.read(Generation(1)).unwrap().files, files("one"));
}

#[test]
fn the_author_is_told_of_what_was_committed() {
    let temp = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(temp.path()).args(["-c", "user.name=Ada", "-c", "user.email=a@b"]);
        command.args(arguments).output().is_ok_and(|output| output.status.success())
    };
    if !git(&["init"]) {
        return;
    }
    fs::create_dir(temp.path().join("zones")).unwrap();
    fs::write(temp.path().join("zones/a.zone"), "two").unwrap();
    assert!(git(&["add", "."]) && git(&["commit", "-m", "raise a"]));
    let (past, _) = open(temp.path(), 0);
    keep(&past, "one");
    let generation = keep(&past, "two");
    for _ in 0..1000 {
        let listed = past.list(None, 9).generations;
        if listed[0].author == "Ada <a@b>" {
            assert!(listed[0].why.ends_with(" raise a"), "{}", listed[0].why);
            assert_eq!((listed[0].generation, listed[1].author.as_str()), (generation, ""));
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("no author");
}
