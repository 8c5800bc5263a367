//! A file is edited: the new answer, or the old one and the reason why.

use std::fs;

use crate::support::{Query, Server, eventually};
use crate::{AMERICA, EUROPE, FRA, IAD, REGIONS, STEERING, ZONE, server};

const BROKEN: &str = "$TTL 60\n@ SOA ns1 hostmaster 2 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n\
    www A 192.0.2.999\n";

fn edited(www: &str) -> String {
    ZONE.replace("192.0.2.80", www)
}

/// Waits until the status names `word`, or does not.
fn wait_status(server: &Server, word: &str, is_there: bool) {
    eventually(&format!("status names {word}: {is_there}"), || {
        let status = server.http("GET", "/v1/status", None).body;
        if status.contains(word) == is_there { Ok(()) } else { Err(status) }
    });
}

#[test]
fn an_edit_is_served_and_a_new_zone_too() {
    let server = server();
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.80"]);
    server.write("zones/example.test.zone", &edited("192.0.2.81"));
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.81"]);
    server.write("zones/other.test.zone", &edited("192.0.2.82"));
    server.wait_addresses("www.other.test", EUROPE, &["192.0.2.82"]);
}

// Of a large file only the change is read before it serves; nobody asks for what else is to be said.
#[test]
fn what_a_change_of_a_large_file_means_elsewhere_is_told_without_asking() {
    let large = |www: &str, hosts: std::ops::Range<u32>| {
        let hosts: String = hosts.map(|n| format!("host{n:05} A 192.0.2.7\n")).collect();
        format!("{}@ MX 10 host00009\n{hosts}", edited(www))
    };
    let server = server();
    server.write("zones/example.test.zone", &large("192.0.2.81", 0..20_000));
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.81"]);
    wait_status(&server, "target-missing", false);
    server.write("zones/example.test.zone", &large("192.0.2.82", 10..20_000));
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.82"]);
    wait_status(&server, "target-missing", true);
    server.write("zones/example.test.zone", &large("192.0.2.83", 9..20_000));
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.83"]);
    wait_status(&server, "target-missing", false);
}

#[test]
fn a_broken_edit_is_told_and_the_last_good_form_serves_until_it_is_mended() {
    let server = server();
    server.write("zones/example.test.zone", BROKEN);
    wait_status(&server, "example.test.zone", true);
    wait_status(&server, "\"line\":5", true);
    assert_eq!(server.addresses("www.example.test", EUROPE), ["192.0.2.80"]);
    assert!(server.log().contains("zones/example.test.zone"), "the log tells too");
    server.write("zones/example.test.zone", &edited("192.0.2.83"));
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.83"]);
    wait_status(&server, "\"line\":5", false);
}

#[test]
fn a_broken_file_serves_its_last_good_form_after_a_restart_too() {
    let mut server = server();
    server.write("zones/example.test.zone", &edited("192.0.2.84"));
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.84"]);
    server.write("zones/example.test.zone", BROKEN);
    wait_status(&server, "\"line\":5", true);
    server.kill_and_restart();
    assert_eq!(server.addresses("www.example.test", EUROPE), ["192.0.2.84"]);
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA);
    wait_status(&server, "\"line\":5", true);
}

#[test]
fn one_broken_zone_holds_no_other_back() {
    let server = server();
    server.write("zones/example.test.zone", BROKEN);
    wait_status(&server, "\"line\":5", true);
    server.write("zones/other.test.zone", &edited("192.0.2.85"));
    server.wait_addresses("www.other.test", EUROPE, &["192.0.2.85"]);
    assert_eq!(server.addresses("www.example.test", EUROPE), ["192.0.2.80"]);
}

#[test]
fn broken_steering_leaves_zone_and_steering_as_they_were() {
    let server = server();
    server.write(
        "zones/example.test.toml",
        &STEERING.replace("pool    = \"web\"", "pool = \"none\""),
    );
    wait_status(&server, "example.test.toml", true);
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA);
    server.write("zones/example.test.toml", &STEERING.replace("\"nearest\"", "[\"iad\"]"));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn a_removed_zone_goes_after_a_while_and_never_the_last_one() {
    let server = server();
    server.write("zones/other.test.zone", &edited("192.0.2.86"));
    server.wait_addresses("www.other.test", EUROPE, &["192.0.2.86"]);
    fs::remove_file(server.path("zones/other.test.zone")).unwrap();
    eventually("the removed zone is refused", || {
        // Over UDP alone: the change may come between it and TCP.
        let lines = server.udp(&Query::new("www.other.test A")).lines();
        if lines == ["REFUSED"] { Ok(()) } else { Err(format!("{lines:?}")) }
    });
    assert_eq!(server.addresses("www.example.test", EUROPE), ["192.0.2.80"]);
}

#[test]
fn the_operators_knowledge_of_a_network_goes_first() {
    let server = server();
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    server.wait_addresses("geo.example.test", AMERICA, &IAD);
    server.write("geo/overrides.csv", "193.0.0.0/21,iad,measured\n");
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn a_moved_region_moves_its_clients() {
    let server = server();
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    let moved = REGIONS.replace("[50.11, 8.68]", "[-33.87, 151.21]");
    server.write("geo/regions.toml", &moved);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn a_rescan_is_asked_for_by_signal_by_api_and_by_command() {
    let server = server();
    server.write("zones/example.test.zone", BROKEN);
    let reload = server.http("POST", "/v1/reload", Some("{}"));
    assert!(reload.body.contains("example.test.zone"), "{reload:?}");
    let told = server.homing(&["reload", "--wait"]);
    let said = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{said}");
    assert!(said.contains("zones/example.test.zone:5"), "{said}");
    server.write("zones/example.test.zone", &edited("192.0.2.87"));
    assert_eq!(server.homing(&["reload", "--wait"]).status.code(), Some(0));
    assert_eq!(server.addresses("www.example.test", EUROPE), ["192.0.2.87"]);
    server.write("zones/example.test.zone", &edited("192.0.2.88"));
    server.signal("HUP");
    server.wait_addresses("www.example.test", EUROPE, &["192.0.2.88"]);
}
