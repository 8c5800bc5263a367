//! What the shell sees: exit codes, one clear line each, and a clean end.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Output;

use crate::support::{Query, homing};
use crate::{REGIONS, STEERING, ZONE, server};

/// One clear line, or a few; never a backtrace.
fn check(outcome: &Output, code: i32, word: &str) {
    let said = String::from_utf8_lossy(&outcome.stdout) + String::from_utf8_lossy(&outcome.stderr);
    assert_eq!(outcome.status.code(), Some(code), "{said}");
    assert!(said.contains(word), "no {word:?} in: {said}");
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
}

#[test]
fn an_address_in_use_is_told() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("zones")).unwrap();
    fs::write(root.path().join("zones/a.zone"), ZONE).unwrap();
    let config = format!("[listen]\ndns = [\"{address}\"]\napi = \"127.0.0.1:0\"\n");
    fs::write(root.path().join("homing.toml"), config).unwrap();
    check(&homing(root.path(), &["serve"]), 2, &address);
}

#[test]
fn a_missing_folder_or_file_is_told() {
    let root = tempfile::tempdir().unwrap();
    check(&homing(root.path(), &["check", "nowhere"]), 2, "nowhere");
    check(&homing(root.path(), &["serve", "--config", "none.toml"]), 2, "none.toml");
}

#[test]
fn a_bad_option_is_told() {
    let root = tempfile::tempdir().unwrap();
    check(&homing(root.path(), &["--colour"]), 2, "--colour");
    check(&homing(root.path(), &["dance"]), 2, "dance");
    fs::write(root.path().join("homing.toml"), "[listen]\ndsn = []\n").unwrap();
    check(&homing(root.path(), &["serve"]), 2, "dsn");
}

#[test]
fn check_exits_0_or_1_and_names_each_mistake() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("zones")).unwrap();
    fs::write(root.path().join("zones/a.test.zone"), ZONE).unwrap();
    check(&homing(root.path(), &["check"]), 0, "");
    fs::write(root.path().join("zones/b.test.zone"), format!("{ZONE}x A 1.2.3\ny AAAA z\n"))
        .unwrap();
    let found = homing(root.path(), &["check"]);
    check(&found, 1, "zones/b.test.zone:8");
    check(&found, 1, "zones/b.test.zone:9");
    let json = homing(root.path(), &["check", "--format", "json"]);
    assert!(serde_json::from_slice::<serde_json::Value>(&json.stdout).is_ok(), "{json:?}");
}

#[test]
fn init_writes_a_tree_that_checks() {
    let root = tempfile::tempdir().unwrap();
    check(&homing(root.path(), &["init", "here"]), 0, "");
    check(&homing(root.path(), &["check", "here"]), 0, "");
    assert!(Path::new(&root.path().join("here/zones")).is_dir());
}

#[test]
fn a_command_without_its_server_says_so() {
    let root = tempfile::tempdir().unwrap();
    let asked = homing(root.path(), &["status", "--server", "http://127.0.0.1:1"]);
    check(&asked, 2, "127.0.0.1:1");
}

#[test]
fn term_and_interrupt_end_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut server = server();
        server.udp(&Query::new("www.example.test A"));
        server.signal(signal);
        assert_eq!(server.wait_end().code(), Some(0), "{signal}: {}", server.log());
        assert!(!server.log().contains("panicked"));
    }
}

#[test]
fn a_bias_is_told_where_nearness_decides() {
    let root = tempfile::tempdir().unwrap();
    let biased = STEERING.replace("unknown =", "bias = { iad = 90, sin = -10 }\nunknown =");
    for (path, text) in [
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &biased),
        ("geo/regions.toml", REGIONS),
        ("geo/overrides.csv", "192.0.2.0/24,EU-PT,\n"),
    ] {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), text).unwrap();
    }
    let question = ["explain", "geo.example.test", "A", "--client", "192.0.2.0/24", "--files", "."];
    let told = homing(root.path(), &question);
    check(&told, 0, "order     iad, fra, sin\n");
    check(&told, 0, "bias      iad 90 (distance × 0.1), sin -10 (distance ÷ 0.9)\n");
    check(&told, 0, "A 198.51.100.10");
}
