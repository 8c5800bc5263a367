//! `homing probe` looks at endpoints and a server hears of it: what dies is left, what comes back is used again.

use std::process::Output;

use crate::support::{Endpoint, Vantage, eventually, homing};
use crate::{EUROPE, FRA, server};

/// Looks at the two routers of Frankfurt where `first` and `second` are.
fn two(first: &Endpoint, second: &Endpoint) -> String {
    let one = |address: &str, endpoint: &Endpoint| {
        let port = endpoint.address.port();
        format!(
            "[[endpoints]]\nsubjects = [\"fra/web/{address}\"]\nat = \"127.0.0.1\"\nport = {port}\n"
        )
    };
    let (first, second) = (one(FRA[0], first), one(FRA[1], second));
    format!(
        "[probe]\nkind = \"tcp\"\ninterval = \"200ms\"\ntimeout = \"150ms\"\nheartbeat = \"1s\"\n{first}{second}"
    )
}

#[test]
fn an_endpoint_that_dies_is_left_and_comes_back() {
    let server = server();
    let (first, second) = (Endpoint::start(), Endpoint::start());
    let mut vantage = Vantage::start(&[server.api], &two(&first, &second));
    eventually("both are seen", || {
        let metrics = vantage.metrics();
        let line = "homing_probe_words{status=\"up\"} 2";
        if metrics.contains(line) { Ok(()) } else { Err(metrics) }
    });
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA);
    let address = first.address;
    drop(first);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    let health = server.http("GET", "/v1/health/fra/web/192.0.2.10", None);
    assert!(health.body.contains("connection refused"), "{health:?}");
    let _first = Endpoint::start_at(address);
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    let metrics = vantage.metrics();
    for name in [
        "homing_probe_looks_total{kind=\"tcp\",result=\"down\"}",
        "homing_probe_look_seconds_bucket{kind=\"tcp\",le=\"0.001\"}",
        "homing_probe_delivered_timestamp_seconds{server=",
        "homing_probe_waiting{server=",
    ] {
        assert!(metrics.contains(name), "no {name} in\n{metrics}");
    }
    vantage.signal("TERM");
    assert_eq!(vantage.wait_end().code(), Some(0), "{}", vantage.log());
    assert!(vantage.log().contains("stopped"), "{}", vantage.log());
}

#[test]
fn what_was_seen_while_a_server_was_away_arrives_at_all_of_them() {
    let (mut away, there) = (server(), server());
    let (first, second) = (Endpoint::start(), Endpoint::start());
    let vantage = Vantage::start(&[away.api, there.api], &two(&first, &second));
    for server in [&away, &there] {
        eventually("the vantage is heard", || {
            let metrics = server.http("GET", "/metrics", None).body;
            let line = "homing_vantage_heard_timestamp_seconds{vantage=\"test\"}";
            if metrics.contains(line) { Ok(()) } else { Err(metrics) }
        });
    }
    away.signal("KILL");
    drop(first);
    there.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    vantage.wait_said("not-delivered");
    away.restart_unready();
    away.wait_ready();
    away.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    vantage.wait_said("delivered-again");
}

#[test]
fn a_changed_file_is_taken_and_a_bad_one_is_not() {
    let server = server();
    let (first, second) = (Endpoint::start(), Endpoint::start());
    let good = two(&first, &second);
    let vantage = Vantage::start(&[server.api], &good);
    vantage.wait_said("looking-out");
    vantage.rewrite(&[server.api], &good.replace("kind", "knid"));
    vantage.wait_said("did you mean `kind`?");
    vantage.wait_said("what it was told before holds on");
    let address = first.address;
    drop(first);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    // Elsewhere it lives.
    let moved = Endpoint::start();
    let elsewhere = good.replace(&address.port().to_string(), &moved.address.port().to_string());
    vantage.rewrite(&[server.api], &elsewhere);
    vantage.signal("HUP");
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
}

fn said(outcome: &Output) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
        + &String::from_utf8_lossy(&outcome.stderr)
}

#[test]
fn a_file_can_be_checked_and_a_bad_one_does_not_start() {
    let root = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(root.path().join("probe.toml"), text).unwrap();
    write("vantage = \"ams-1\"\n[[endpoints]]\nsubjects = [\"fra/web/192.0.2.10\"]\n");
    let outcome = homing(root.path(), &["probe", "--check"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    let words = "no mistakes: ams-1 would look at 1 endpoint and tell 0 servers\n";
    assert_eq!(said(&outcome), words);
    let outcome = homing(root.path(), &["probe"]);
    assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    assert!(said(&outcome).contains("names nobody to tell"), "{outcome:?}");
    write("vantage = \"ams-1\"\n[[endpoints]]\nsubjects = [\"fra/web\"]\n");
    let outcome = homing(root.path(), &["probe", "--check"]);
    assert_eq!(outcome.status.code(), Some(1), "{outcome:?}");
    assert!(said(&outcome).contains("probe.toml:3:13: error[probe-endpoint]"), "{outcome:?}");
    let outcome = homing(root.path(), &["probe"]);
    assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    assert!(
        said(&outcome).contains("  | subjects = [\"fra/web\"]\n  |             ^"),
        "{outcome:?}"
    );
    let outcome = homing(root.path(), &["probe", "--check", "--config", "none.toml"]);
    assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
}
