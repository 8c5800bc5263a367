//! From an edit to what it changes: between folders, commits and generations, before it is made and after.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{eventually, homing};
use crate::{REGIONS, STEERING, ZONE, server};

fn told(run: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&run.stderr));
    said
}

fn failed(run: &Output, word: &str) {
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains(word) && !said.contains("panicked"), "no {word:?} in {said}");
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
    let run = command.args(arguments).output().expect("git runs");
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A repository whose folder `dns` holds one zone with an include and a steered name, committed twice.
fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let dns = |path: &str| format!("dns/{path}");
    write(root.path(), &dns("zones/example.test.zone"), &format!("{ZONE}$INCLUDE inc/mail\n"));
    write(root.path(), &dns("zones/inc/mail"), "mail A 192.0.2.25\n");
    write(root.path(), &dns("zones/example.test.toml"), STEERING);
    write(root.path(), &dns("geo/regions.toml"), REGIONS);
    write(root.path(), "other/zones/none.zone", "no zone of ours\n");
    git(root.path(), &["init", "-q", "-b", "main"]);
    git(root.path(), &["add", "-A"]);
    git(root.path(), &["commit", "-q", "-m", "one"]);
    write(root.path(), &dns("zones/inc/mail"), "mail A 192.0.2.26\n");
    git(root.path(), &["commit", "-q", "-a", "-m", "two"]);
    root
}

#[test]
fn an_edit_is_seen_against_what_is_committed() {
    let root = repository();
    let dns = root.path().join("dns");
    let two = told(&homing(&dns, &["diff", "git:main~1", "git:HEAD"]), 0);
    let expected = "--- git:main~1\n+++ git:HEAD\n\nexample.test.  +1 −1 records  serial 1 is not raised\n  \
        ~ mail.example.test.  60 A - 192.0.2.25\n                             + 192.0.2.26\n";
    assert_eq!(two, expected);

    assert_eq!(told(&homing(&dns, &["diff", "git:HEAD", "--exit-code"]), 0).lines().count(), 3);
    let steering = STEERING.replace("sin = [\"203.0.113.10\"]\n", "");
    write(&dns, "zones/example.test.toml", &steering);
    write(&dns, "zones/new.test.zone", ZONE);
    let edit = told(&homing(&dns, &["diff", "git:HEAD", "--exit-code"]), 1);
    for line in ["+ zone new.test.", "      - sin  203.0.113.10", "      sin → iad  ", "sin → fra"]
    {
        assert!(edit.contains(line), "no {line:?} in {edit}");
    }
    assert!(edit.contains("NZ, ") && edit.contains(" of AU\n"), "{edit}");
    // From elsewhere, the folder is named; and a single file is compared with its like.
    let same = homing(root.path(), &["diff", "git:HEAD", "--files", "dns", "--stat"]);
    assert!(told(&same, 0).contains("~ policy web"));
    let file = homing(&dns, &["diff", "git:HEAD~1", "zones/example.test.zone"]);
    assert!(told(&file, 0).contains("+ 192.0.2.26"));
}

#[test]
fn a_mistake_in_an_edit_takes_nothing_away() {
    let root = repository();
    let dns = root.path().join("dns");
    write(&dns, "zones/example.test.zone", &format!("{ZONE}x A 1.2.3\n"));
    write(&dns, "zones/other.test.zone", ZONE);
    let edit = told(&homing(&dns, &["diff", "git:HEAD"]), 1);
    assert!(edit.contains(".: zones/example.test.zone:8:5: error[bad-address]"), "{edit}");
    assert!(edit.contains("+ zone other.test.") && !edit.contains("- zone"), "{edit}");
}

#[test]
fn what_git_cannot_tell_is_said() {
    let root = repository();
    let dns = root.path().join("dns");
    failed(&homing(&dns, &["diff", "git:nothing"]), "no such revision");
    failed(&homing(&dns, &["diff", "git:--all"]), "no revision");
    failed(&homing(&dns, &["diff", "HEAD"]), "git:HEAD");
    let bare = tempfile::tempdir().unwrap();
    fs::create_dir(bare.path().join("zones")).unwrap();
    failed(&homing(bare.path(), &["diff", "git:HEAD"]), "not a git repository");
    let mut without = Command::new(env!("CARGO_BIN_EXE_homing"));
    without.args(["diff", "git:HEAD"]).current_dir(&dns).env("PATH", "/nowhere");
    failed(&without.output().unwrap(), "git is not installed");
}

#[test]
fn generations_are_compared_and_listed() {
    let mut server = server();
    let newer =
        ZONE.replace("ns1 hostmaster 1", "ns1 hostmaster 2").replace("192.0.2.7", "192.0.2.8");
    server.write("zones/example.test.zone", &newer);
    eventually("the edit is served", || {
        let log = told(&server.homing(&["log"]), 0);
        if log.contains("gen:2  ") { Ok(()) } else { Err(log) }
    });
    let change = "example.test.  +1 −1 records  serial 1 → 2\n  \
        ~ static.example.test.  60 A - 192.0.2.7\n                               + 192.0.2.8\n";
    let expected = format!("--- gen:1\n+++ gen:2\n\n{change}");
    assert_eq!(told(&server.homing(&["diff", "gen:1", "gen:2"]), 0), expected);
    let reply = server.http("GET", "/v1/diff?old=gen:1&new=gen:now", None);
    assert_eq!((reply.status, &reply.json()["differs"]), (200, &true.into()), "{reply:?}");
    for (path, status) in [
        ("/v1/diff?old=gen:1&new=gen:99", 404),
        ("/v1/diff?old=1;2", 400),
        ("/v1/generations/1/files/zones/none.zone", 404),
    ] {
        assert_eq!(server.http("GET", path, None).status, status, "{path}");
    }

    let log = told(&server.homing(&["log"]), 0);
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].contains("files") && lines[0].contains("~1 of 3  serves"), "{log}");
    assert!(lines[1].contains("start") && lines.len() == 2, "{log}");
    let patches = told(&server.homing(&["log", "-p"]), 0);
    assert!(patches.contains("\n      ~ static.example.test."), "{patches}");
    assert!(patches.ends_with("the first of all\n\n"), "{patches}");
    assert_eq!(told(&server.homing(&["log", "-n", "1", "--since", "1h"]), 0).lines().count(), 2);

    // Another folder, against what is served; and all of it again from state/, while it serves and when it does not.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "zones/example.test.zone", ZONE);
    write(folder.path(), "zones/example.test.toml", STEERING);
    write(folder.path(), "geo/regions.toml", REGIONS);
    let path = folder.path().to_str().unwrap();
    let back = told(&server.homing(&["diff", "gen:now", path]), 0);
    assert!(back.contains("- 192.0.2.8\n") && back.contains("+ 192.0.2.7\n"), "{back}");
    let root = server.path("");
    let kept = || {
        assert_eq!(told(&homing(&root, &["diff", "gen:1", "gen:2", "--files", "."]), 0), expected);
        assert_eq!(told(&homing(&root, &["log", "--files", "."]), 0).lines().count(), 2);
    };
    kept();
    server.signal("TERM");
    server.wait_end();
    kept();
}
