//! The README's section *In CI*: its command lines, run as they stand there, on the examples and with a mistake in them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The words after `key` in the YAML of the section.
fn lines(key: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let section = readme.split("\n### In CI\n").nth(1).and_then(|rest| rest.split("\n### ").next());
    let blocks = section.expect("the section").split("```yaml\n").skip(1);
    let yaml: Vec<&str> = blocks.filter_map(|block| block.split("```").next()).collect();
    let lines = yaml.iter().flat_map(|block| block.lines());
    lines.filter_map(|line| line.trim().strip_prefix(key)).map(str::to_owned).collect()
}

/// Runs `line` in `folder`, as a shell does that has the binary on its path.
fn run(folder: &Path, line: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_homing")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-ec", line]).current_dir(folder).env("PATH", path).output().unwrap()
}

fn copy(folder: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::create_dir(to.join(folder)).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&entry, to.join(folder).join(entry.file_name().unwrap())).unwrap();
    }
}

#[test]
fn the_workflow_passes_and_fails_where_it_should() {
    let [report, verdict] = &lines("- run: ")[..] else { panic!("{:?}", lines("- run: ")) };
    let root = tempfile::tempdir().unwrap();
    copy("zones", root.path());
    copy("geo", root.path());
    let sarif = || {
        let text = fs::read(root.path().join("homing.sarif")).unwrap();
        let mut sarif: serde_json::Value = serde_json::from_slice(&text).unwrap();
        sarif["runs"][0].take()
    };
    assert!(run(root.path(), report).status.success());
    assert_eq!(sarif()["results"], serde_json::json!([]));
    let passed = run(root.path(), verdict);
    assert!(passed.status.success());
    let said = String::from_utf8(passed.stdout).unwrap();
    assert!(said.ends_with("no mistakes; a server would serve all of it\n"), "{said}");

    let zone = root.path().join("zones/example.com.zone");
    let text = fs::read_to_string(&zone).unwrap();
    for (line, level, code) in [
        ("odd 60 TXT \"v=spf1 +all\"", "warning", "spf-passes-all"),
        ("odd A 1.2.3", "error", "bad-address"),
    ] {
        fs::write(&zone, format!("{text}{line}\n")).unwrap();
        assert!(run(root.path(), report).status.success());
        let found = sarif();
        let result = &found["results"][0];
        assert_eq!((&result["level"], &result["ruleId"]), (&level.into(), &code.into()));
        assert_eq!(found["tool"]["driver"]["rules"][0]["id"], code);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "zones/example.com.zone");
        assert_eq!(place["region"]["startLine"], text.lines().count() + 1);
        assert_eq!(run(root.path(), verdict).status.code(), Some(1), "{line}");
    }
}

#[test]
fn the_hook_fails_for_an_error_only() {
    let [entry] = &lines("entry: ")[..] else { panic!("{:?}", lines("entry: ")) };
    let root = tempfile::tempdir().unwrap();
    copy("zones", root.path());
    copy("geo", root.path());
    assert!(run(root.path(), entry).status.success());
    let zone = root.path().join("zones/example.com.zone");
    let text = fs::read_to_string(&zone).unwrap();
    for (line, code) in [("odd 60 TXT \"v=spf1 +all\"", 0), ("odd A 1.2.3", 1)] {
        fs::write(&zone, format!("{text}{line}\n")).unwrap();
        assert_eq!(run(root.path(), entry).status.code(), Some(code), "{line}");
    }
}

#[test]
fn a_check_is_explained_by_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let story = run(root, "homing check --explain spf-doubled");
    assert!(story.status.success());
    assert!(String::from_utf8_lossy(&story.stdout).contains("RFC 7208 §4.5"));
    let all = run(root, "homing check --explain");
    let all = String::from_utf8(all.stdout).unwrap();
    assert!(all.contains("  serial-not-raised ") && all.contains("  rule-never-reached "), "{all}");
    let unknown = run(root, "homing check --explain spf-dubled");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean spf-doubled"));
}
