//! RFC 9660: the version of the zone that answers.

use crate::server;
use crate::support::{Query, Response};

const ZONE_VERSION: u16 = 19;

/// Labels of the apex, and the serial.
fn version(response: &Response) -> Option<(u8, u32)> {
    let [labels, 0, serial @ ..] = response.option(ZONE_VERSION)? else { panic!("another kind") };
    Some((*labels, u32::from_be_bytes(serial.try_into().expect("a serial"))))
}

fn ask(question: &str) -> Option<(u8, u32)> {
    version(&server().udp(&Query::new(question).option(ZONE_VERSION, &[])))
}

#[test]
fn section_2_the_apex_has_so_many_labels_and_the_soa_this_serial() {
    for question in [
        "www.example.test A",
        "missing.example.test A",
        "www.example.test LOC",
        "geo.example.test A",
    ] {
        assert_eq!(ask(question), Some((2, 1)), "{question}");
    }
    assert_eq!(ask("ns1.child.example.test A"), Some((3, 1)));
    // An alias answers from its own zone, wherever it leads.
    let response = server().tcp(&Query::new("www.example.test A").option(ZONE_VERSION, &[]));
    assert_eq!(version(&response), Some((2, 1)));
}

#[test]
fn section_3_2_who_has_no_such_zone_and_who_is_not_asked_tells_none() {
    assert_eq!(ask("elsewhere.invalid A"), None);
    let silent = server().udp(&Query::new("www.example.test A").edns(1232));
    assert_eq!(version(&silent), None);
}

#[test]
fn section_3_1_a_client_sends_it_empty() {
    let response =
        server().udp(&Query::new("www.example.test A").option(ZONE_VERSION, &[2, 0, 0, 0, 0, 1]));
    assert_eq!(response.rcode, 1);
}
