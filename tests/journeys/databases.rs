//! A geo database comes, changes, breaks and goes: which one serves, and what is said of it.

use std::fs;
use std::io::Write;

use crate::support::{Server, country_database, eventually};
use crate::{EUROPE, FRA, IAD, REGIONS, STEERING, ZONE};

const SIN: [&str; 1] = ["203.0.113.10"];
const BUILT: u64 = 1_700_000_000;
/// A network of the other family.
const EUROPE_V6: &str = "2a00:db8::/48";

/// Where the networks of the tests are said to be, and three more, so that a database may shrink.
fn database(country: &str) -> Vec<u8> {
    let more = [("5.0.0.0/8", "DE"), ("17.0.0.0/8", "US"), ("133.0.0.0/8", "JP")];
    country_database(&[&[("193.0.0.0/16", country)], &more[..]].concat(), BUILT)
}

fn database_v6(country: &str) -> Vec<u8> {
    country_database(&[("2a00::/16", country)], BUILT)
}

fn server() -> Server {
    Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ])
}

/// Puts a database in place as a download does: written beside, then renamed.
fn put(server: &Server, path: &str, bytes: &[u8]) {
    let beside = server.path(".beside");
    fs::write(&beside, bytes).unwrap();
    fs::rename(beside, server.path(path)).unwrap();
}

fn wait_status(server: &Server, word: &str, is_there: bool) {
    eventually(&format!("status names {word}: {is_there}"), || {
        let status = server.http("GET", "/v1/status", None).body;
        if status.contains(word) == is_there { Ok(()) } else { Err(status) }
    });
}

/// Has the server look at its files, and gives what it says of them.
fn reload(server: &Server) -> String {
    server.http("POST", "/v1/reload", Some("{}")).body
}

#[test]
fn a_database_comes_changes_breaks_and_goes() {
    let mut server = server();
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    wait_status(&server, "built-in", true);

    put(&server, "geo/country.mmdb", &database("JP"));
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    wait_status(&server, "geo/country.mmdb", true);
    put(&server, "geo/country.mmdb", &database("US"));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);

    // Written where it stands: no half of it is read while its writer has it open.
    let whole = database("JP");
    let mut open = fs::File::create(server.path("geo/country.mmdb")).unwrap();
    open.write_all(&whole[..whole.len() / 2]).unwrap();
    open.flush().unwrap();
    reload(&server);
    assert_eq!(server.addresses("geo.example.test", EUROPE), IAD);
    open.write_all(&whole[whole.len() / 2..]).unwrap();
    drop(open);
    server.wait_addresses("geo.example.test", EUROPE, &SIN);

    // Broken: what served before serves on, over a restart too.
    put(&server, "geo/country.mmdb", &whole[..whole.len() - 20]);
    wait_status(&server, "geo-database-broken", true);
    assert_eq!(server.addresses("geo.example.test", EUROPE), SIN);
    server.kill_and_restart();
    wait_status(&server, "geo-database-broken", true);
    assert_eq!(server.addresses("geo.example.test", EUROPE), SIN);

    // Taken away, the built-in table serves once it has been quiet; put back, it serves again.
    fs::remove_file(server.path("geo/country.mmdb")).unwrap();
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    wait_status(&server, "geo-database-broken", false);
    put(&server, "geo/country.mmdb", &database("US"));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn one_file_of_a_pair_may_be_new_and_the_other_broken() {
    let server = server();
    put(&server, "geo/c-ipv4.mmdb", &database("JP"));
    put(&server, "geo/c-ipv6.mmdb", &database_v6("US"));
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    server.wait_addresses("geo.example.test", EUROPE_V6, &IAD);
    put(&server, "geo/c-ipv4.mmdb", &database("US"));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    assert_eq!(server.addresses("geo.example.test", EUROPE_V6), IAD);

    // What served of the broken one is no longer on the disk: it comes back from what is kept.
    put(&server, "geo/c-ipv6.mmdb", b"an error page");
    wait_status(&server, "geo-database-broken", true);
    put(&server, "geo/c-ipv4.mmdb", &database("JP"));
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    assert_eq!(server.addresses("geo.example.test", EUROPE_V6), IAD);
    put(&server, "geo/c-ipv6.mmdb", &database_v6("JP"));
    server.wait_addresses("geo.example.test", EUROPE_V6, &SIN);
    wait_status(&server, "geo-database-broken", false);
    assert_eq!(server.addresses("geo.example.test", EUROPE), SIN);
}

#[test]
fn a_rollback_brings_back_the_database_of_then() {
    let server = server();
    put(&server, "geo/country.mmdb", &database("JP"));
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    put(&server, "geo/country.mmdb", &database("US"));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    assert_eq!(server.homing(&["rollback", "previous", "--why", "test"]).status.code(), Some(0));
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    server.write("geo/overrides.csv", "193.0.0.0/21,fra,pending\n");
    assert_eq!(server.homing(&["resume", "--why", "test"]).status.code(), Some(0));
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    fs::remove_file(server.path("geo/overrides.csv")).unwrap();
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn an_absurd_database_is_refused_and_a_flat_one_is_read() {
    let server = server();
    put(&server, "geo/country.mmdb", &database("JP"));
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    put(&server, "geo/country.mmdb", &country_database(&[("193.0.0.0/16", "US")], BUILT));
    wait_status(&server, "geo-database-shrunk", true);
    assert_eq!(server.addresses("geo.example.test", EUROPE), SIN);
    put(&server, "geo/country.mmdb", &database("DE"));
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    wait_status(&server, "geo-database-shrunk", false);

    // The path that comes first is the stronger of two that know as much.
    server.write("geo/a-ipv4.csv", "193.0.0.0,193.0.7.255,JP\n");
    server.wait_addresses("geo.example.test", EUROPE, &SIN);
    server.write("geo/a-ipv4.csv", "193.0.0.0,193.0.7.255,JP\n192.0.7.0,193.0.8.255,JP\n");
    assert!(reload(&server).contains("geo-table-order"));
    assert_eq!(server.addresses("geo.example.test", EUROPE), SIN);
}
