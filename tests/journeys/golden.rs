//! What commands print, to the letter. `UPDATE_GOLDEN=1` writes it down anew: read the difference before it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::homing;

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

/// Runs `arguments` in `folder` and holds what is printed against the transcript `name`.
fn check(name: &str, folder: &Path, arguments: &[&str], code: i32) {
    let run = homing(folder, arguments);
    let printed = String::from_utf8(run.stdout).expect("text");
    assert_eq!(run.status.code(), Some(code), "{printed}{}", String::from_utf8_lossy(&run.stderr));
    let found = format!("$ homing {}\n{printed}", arguments.join(" "));
    let path = golden(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let wanted = fs::read_to_string(path).unwrap_or_default();
    let differs = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    let hint = "UPDATE_GOLDEN=1 cargo test --test journeys golden writes it anew";
    assert!(wanted == found, "{name}: {differs:?}\n{hint}\n{found}");
}

#[test]
fn check_of_broken_files() {
    check("check.txt", &golden("broken"), &["check"], 1);
}

#[test]
fn diff_of_two_folders_and_of_two_files() {
    let folder = golden("diff");
    check("diff-folders.txt", &folder, &["diff", "old", "new"], 1);
    check("diff-stat.txt", &folder, &["diff", "--stat", "old", "new"], 1);
    let files = ["old/zones/example.test.zone", "new/zones/example.test.zone"];
    check("diff-files.txt", &folder, &["diff", files[0], files[1]], 0);
    check("diff-exit.txt", &folder, &["diff", "--exit-code", files[0], "new"], 1);
    check("diff-nothing.txt", &folder, &["diff", "--exit-code", "old", "old"], 0);
    check("diff-json.txt", &folder, &["diff", "--format", "json", files[0], files[1]], 0);
}

#[test]
fn explain_of_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (transcript, question) in [
        ("explain-nearest.txt", "www.example.com A --client 193.0.0.1"),
        ("explain-fence.txt", "clinic.apps.example.net AAAA --client 2001:67c:2e8::/48"),
        ("explain-rule.txt", "x.y.old.example.com A --client 203.0.113.7"),
        ("explain-unknown.txt", "example.com A"),
        ("explain-referral.txt", "host.lab.example.com TXT --client 17.0.0.1"),
        ("explain-nxdomain.txt", "nothing.example.com MX --client 17.0.0.1"),
    ] {
        let words = question.split(' ');
        let arguments: Vec<&str> =
            ["explain"].into_iter().chain(words).chain(["--files", "."]).collect();
        check(transcript, root, &arguments, 0);
    }
}
