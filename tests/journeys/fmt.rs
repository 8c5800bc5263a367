//! `homing fmt`: what it writes, what it leaves, and what the shell is told.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::homing;

const UGLY: &str =
    "$TTL 60\r\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60 ; why\r\n  ns ns1\r\nns1 A 192.0.2.1";
const NEAT: &str = "\
$TTL 60
@       SOA   ns1 hostmaster 1 7200 3600 1209600 60 ; why
        NS    ns1
ns1     A     192.0.2.1
";
const BROKEN: &str =
    "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nwww CNAME ns1\nwww A 192.0.2.2\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

fn check(run: &Output, code: i32, out: &str, err: &str) {
    let (stdout, stderr) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(code), "{stdout}{stderr}");
    assert_eq!(stdout, out, "{stderr}");
    assert!(stderr.contains(err), "no {err:?} in {stderr}");
}

#[test]
fn all_zone_files_of_a_folder_and_what_they_include() {
    let included = format!("{NEAT}$INCLUDE common.inc\n");
    let root = folder(&[
        ("zones/a.test.zone", UGLY),
        ("zones/sub/b.test.zone", &included),
        ("zones/sub/common.inc", "mail  A 192.0.2.2\n"),
        ("zones/notes.txt", "not  a zone"),
        ("zones/a.test.toml", ""),
    ]);
    let root = root.path();
    let changed = "zones/a.test.zone\nzones/sub/common.inc\n";
    check(&homing(root, &["fmt", "--check"]), 1, changed, "3 zone files, 2 would change");
    assert_eq!(text(root, "zones/a.test.zone"), UGLY);
    check(&homing(root, &["fmt"]), 0, changed, "3 zone files, 2 changed");
    assert_eq!(text(root, "zones/a.test.zone"), NEAT);
    assert_eq!(text(root, "zones/sub/common.inc"), "mail    A     192.0.2.2\n");
    check(&homing(root, &["fmt", "--check"]), 0, "", "0 would change");
    assert_eq!(fs::read_dir(root.join("zones")).unwrap().count(), 4, "nothing is left behind");
}

#[test]
fn a_file_with_errors_is_told_and_left() {
    let root = folder(&[("zones/a.test.zone", UGLY), ("zones/b.test.zone", BROKEN)]);
    let root = root.path();
    let run = homing(root, &["fmt"]);
    check(&run, 1, "zones/a.test.zone\n", "zones/b.test.zone:5:1: error[cname-and-other-data]");
    check(&run, 1, "zones/a.test.zone\n", "the file was left as it is");
    assert_eq!(text(root, "zones/b.test.zone"), BROKEN);
    check(&homing(root, &["fmt", "zones/b.test.zone"]), 1, "", "cname-and-other-data");
}

#[test]
fn one_file_through_a_link_keeps_its_permissions() {
    let root = folder(&[("zones/a.test.zone", UGLY), ("zones/b.test.zone", UGLY)]);
    let root = root.path();
    fs::set_permissions(root.join("zones/a.test.zone"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("zones/a.test.zone", root.join("link.zone")).unwrap();
    check(&homing(root, &["fmt", "link.zone"]), 0, "link.zone\n", "1 zone file, 1 changed");
    assert_eq!(text(root, "zones/a.test.zone"), NEAT);
    assert_eq!(text(root, "zones/b.test.zone"), UGLY);
    assert!(fs::symlink_metadata(root.join("link.zone")).unwrap().is_symlink());
    let mode = fs::metadata(root.join("zones/a.test.zone")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    check(&homing(root, &["fmt", "none.zone"]), 2, "", "none.zone");
}

#[test]
fn a_diff_shows_and_writes_nothing() {
    let root = folder(&[("zones/a.test.zone", &NEAT.replace("ns1     A ", "ns1 A"))]);
    let shown = "\
--- zones/a.test.zone
+++ zones/a.test.zone (canonical)
@@ -2,3 +2,3 @@
 @       SOA   ns1 hostmaster 1 7200 3600 1209600 60 ; why
         NS    ns1
-ns1 A    192.0.2.1
+ns1     A     192.0.2.1
";
    check(&homing(root.path(), &["fmt", "--diff", "zones"]), 1, shown, "1 would change");
    assert!(text(root.path(), "zones/a.test.zone").contains("ns1 A "));
}

#[test]
fn standard_input_to_standard_output() {
    for (input, code, out) in [(UGLY, 0, NEAT), ("a A 1.2.3\n", 1, "")] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_homing"))
            .args(["fmt", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        check(&child.wait_with_output().unwrap(), code, out, "");
    }
}
