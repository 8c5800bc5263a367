//! What commands print, to the letter. `UPDATE_GOLDEN=1` writes it down anew: read the difference before it is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::homing;

pub fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

/// Runs `arguments` in `folder` and holds what is printed against the transcript `name`.
pub fn check(name: &str, folder: &Path, arguments: &[&str], code: i32) {
    let run = homing(folder, arguments);
    let printed = String::from_utf8(run.stdout).expect("text");
    assert_eq!(run.status.code(), Some(code), "{printed}{}", String::from_utf8_lossy(&run.stderr));
    let found = format!("$ homing {}\n{printed}", arguments.join(" "));
    hold(&golden(name), &found);
}

/// Holds `found` against what `path` keeps.
pub fn hold(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let wanted = fs::read_to_string(path).unwrap_or_default();
    let differs = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    let hint = "UPDATE_GOLDEN=1 cargo test --test journeys -- golden geography writes it anew";
    let name = path.display();
    assert!(wanted == found, "{name}: {differs:?}\n{hint}\n{found}");
}

#[test]
fn check_of_broken_files() {
    check("check.txt", &golden("broken"), &["check"], 1);
}

/// Each file of `tests/corpus/zones` is named for what is wrong with it or odd about it; one transcript for each folder.
#[test]
fn check_of_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let run = homing(&corpus, &["check"]);
    let printed = String::from_utf8(run.stdout).expect("text");
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for block in printed.split("\n\n").filter(|block| block.starts_with("zones/")) {
        let file = block.split([':', ' ']).next().unwrap_or_default();
        told.entry(file.trim_start_matches("zones/")).or_default().push(block);
    }
    for folder in sorted(&corpus.join("zones")) {
        let subject = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut transcript = "$ homing check\n".to_owned();
        for path in sorted(&folder) {
            let file = format!("{subject}/{}", path.file_name().unwrap().to_string_lossy());
            let blocks = told.remove(&*file).unwrap_or_default();
            transcript.push_str(&format!("\n=== {file}\n"));
            for block in blocks {
                transcript.push_str(&format!("{block}\n"));
            }
        }
        hold(&corpus.join(format!("{subject}.txt")), &transcript);
    }
    assert!(told.is_empty(), "of no file: {told:?}");
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
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
