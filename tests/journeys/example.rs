//! The README's five minutes, on the examples that come with the project.

use std::fs;
use std::path::Path;

use crate::support::{Server, homing};
use crate::{EUROPE, report};

/// The files below `folder` of this project, as a server is started with.
fn files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path());
    let texts = entries.filter(|p| p.extension().is_some_and(|e| e == "zone" || e == "toml"));
    let name = |p: &Path| p.strip_prefix(root).unwrap().to_str().unwrap().to_string();
    texts.map(|p| (name(&p), fs::read_to_string(&p).unwrap())).collect()
}

/// All files of the examples.
pub fn all() -> Vec<(String, String)> {
    files("zones").into_iter().chain(files("geo")).collect()
}

#[test]
fn the_examples_hold_no_mistake() {
    let checked = homing(Path::new(env!("CARGO_MANIFEST_DIR")), &["check"]);
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(0), "{said}");
    assert!(!said.contains("warning[") && !said.contains("error["), "{said}");
}

#[test]
fn frankfurt_goes_down_and_stockholm_answers() {
    let all = all();
    let all: Vec<(&str, &str)> = all.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let server = Server::start(&all);
    server.wait_addresses("www.example.com", EUROPE, &["192.0.2.10", "192.0.2.11"]);
    server.wait_addresses("tenant7.apps.example.net", EUROPE, &["192.0.2.10", "192.0.2.11"]);
    report(&server, 1, "down", &["fra/web/192.0.2.10", "fra/web/192.0.2.11"]);
    server.wait_addresses("www.example.com", EUROPE, &["192.0.2.20"]);
    server.wait_addresses("shop.example.com", EUROPE, &["192.0.2.20"]);
    server.wait_addresses("x.apps.example.com", EUROPE, &["192.0.2.20"]);
    server.wait_addresses("x.old.example.com", EUROPE, &["192.0.2.20"]);
    server.wait_addresses("clinic.apps.example.net", EUROPE, &["192.0.2.20"]);
}
