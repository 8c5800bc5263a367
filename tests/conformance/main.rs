//! DNS rules, over the wire, without naming our types. One file an RFC or a subject, one test a clause.

mod rfc1034;
mod rfc1035;
mod rfc2308;
mod rfc4592;
mod rfc4892;
mod rfc6672;
mod rfc6891;
mod rfc7766;
mod rfc7828;
mod rfc7871;
mod rfc7873;
mod rfc8482;
mod rfc8914;
mod rfc9660;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{Arc, Mutex, Weak};

use support::Server;

const ZONE: &str = include_str!("example.test.zone");
const STEERING: &str = include_str!("example.test.toml");
const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n[sin]\nposition = [1.35, 103.82]\n";

/// The server that the tests running at this moment share; the last one to finish stops it.
fn server() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let big: String = (0..90).map(|n| format!("big A 198.18.0.{n}\n")).collect();
    let started = Arc::new(start(&[
        ("zones/example.test.zone", &format!("{ZONE}{big}")),
        (
            "zones/child.example.test.zone",
            "@ 300 SOA ns1 h 1 2 3 4 5\n@ 300 NS ns1\nns1 300 A 192.0.2.77\n",
        ),
    ]));
    *shared = Arc::downgrade(&started);
    started
}

/// A server with the steering of the tests, and `files`.
fn start(files: &[(&str, &str)]) -> Server {
    let steering = [("zones/example.test.toml", STEERING), ("geo/regions.toml", REGIONS)];
    Server::start(&[&steering, files].concat())
}

const SOA: &str = "authority example.test. 60 SOA ns1.example.test. hostmaster.example.test. 1 7200 3600 1209600 60";

/// Asks each question over UDP and TCP and compares the whole answer; tells all that differ.
fn check(cases: &[(&str, &[&str])]) {
    let server = server();
    let mut wrong = String::new();
    for (question, expected) in cases {
        let found = server.lines(question);
        if found != *expected {
            wrong += &format!("{question}\n  wanted {expected:#?}\n  found {found:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
