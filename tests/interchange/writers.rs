//! Tools that write zone files where they stand: no state between two writes is ever served.

use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{Query, Server};

const HEAD: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n";

/// A zone of so many names, all with `address`; the last one is `last`.
fn zone(address: &str) -> String {
    let names: String = (0..50).map(|n| format!("n{n} A {address}\n")).collect();
    format!("{HEAD}{names}last A {address}\n")
}

/// Asks for the last name of the zone for `time`, and asserts that it is always there.
fn never_gone(server: &Server, time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        let response = server.udp(&Query::new("last.example.test A"));
        assert_eq!(response.rcode, 0, "half a file is served\n{}", server.log());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_that_is_being_written_is_not_served_by_halves() {
    let server = Server::start(&[("zones/example.test.zone", &zone("192.0.2.10"))]);
    let text = zone("192.0.2.20");
    // Cut where a record ends, so that each half is a sound zone by itself, and idle for longer than changes are gathered.
    let (first, second) = text.split_at(text.find("n40 ").unwrap());
    let mut file = File::create(server.path("zones/example.test.zone")).unwrap();
    never_gone(&server, Duration::from_millis(400));
    file.write_all(first.as_bytes()).unwrap();
    never_gone(&server, Duration::from_millis(1500));
    assert_eq!(server.udp(&Query::new("last.example.test A")).rdata("A"), ["192.0.2.10"]);
    file.write_all(second.as_bytes()).unwrap();
    drop(file);
    let subnet = "17.0.0.0/8";
    server.wait_addresses("last.example.test", subnet, &["192.0.2.20"]);
}

#[test]
fn a_reload_right_after_a_write_reads_it() {
    let server = Server::start(&[("zones/example.test.zone", &zone("192.0.2.10"))]);
    for n in 0..10 {
        let address = format!("192.0.2.{}", 100 + n);
        fs::write(server.path("zones/example.test.zone"), zone(&address)).unwrap();
        assert_eq!(server.http("POST", "/v1/reload", Some("{}")).status, 200);
        let found = server.udp(&Query::new("last.example.test A")).rdata("A");
        assert_eq!(found, [address], "{}", server.log());
    }
}

#[test]
fn one_file_in_motion_holds_back_no_other() {
    let server = Server::start(&[("zones/example.test.zone", &zone("192.0.2.10"))]);
    let mut file = File::create(server.path("zones/example.test.zone")).unwrap();
    file.write_all(HEAD.as_bytes()).unwrap();
    server.write("zones/other.test.zone", &zone("192.0.2.30"));
    server.wait_addresses("last.other.test", "17.0.0.0/8", &["192.0.2.30"]);
    assert_eq!(server.udp(&Query::new("last.example.test A")).rdata("A"), ["192.0.2.10"]);
}
