//! RFC 8914: why, beyond the response code.

use crate::support::{Query, Response};
use crate::{server, start};

const EXTENDED_ERROR: u16 = 15;

/// Info code and text.
fn error(response: &Response) -> Option<(u16, String)> {
    let (code, text) = response.option(EXTENDED_ERROR)?.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*code), String::from_utf8(text.to_vec()).expect("UTF-8")))
}

fn ask(question: &str) -> Option<(u16, String)> {
    error(&server().udp(&Query::new(question).edns(1232)))
}

#[test]
fn section_4_21_who_is_not_authoritative_says_so() {
    assert_eq!(ask("elsewhere.invalid A"), Some((20, String::new())));
}

#[test]
fn section_4_15_a_zone_that_never_loaded_is_not_ready() {
    let server = start(&[("zones/broken.test.zone", "@ 60 SOA ns1 h 1 2 3\n")]);
    let response = server.udp(&Query::new("www.broken.test A").edns(1232));
    assert_eq!((response.rcode, error(&response)), (2, Some((14, "zone-broken".into()))));
}

#[test]
fn section_2_without_edns_there_is_none_and_neither_on_a_good_day() {
    assert_eq!(error(&server().udp(&Query::new("elsewhere.invalid A"))), None);
    assert_eq!(ask("www.example.test A"), None);
    assert_eq!(ask("geo.example.test A"), None);
    // A pool without IPv4 has none every day.
    assert_eq!(ask("six.example.test A"), None);
    assert_eq!(ask("missing.example.test A"), None);
}

// §4.1: the text tells, in the reason codes of `homing explain`.
#[test]
fn section_4_1_the_last_resort_is_told() {
    let server = start(&[("zones/example.test.zone", crate::ZONE)]);
    let asked = Query::new("geo.example.test A").edns(1232);
    for region in ["fra", "iad", "sin"] {
        let done = server.homing(&[
            "override",
            region,
            "down",
            "--why",
            "all of it",
            "--forever",
            "--force",
        ]);
        assert!(done.status.success(), "{done:?}");
    }
    let response = server.udp(&asked);
    assert_eq!(error(&response), Some((0, "last-resort".into())), "{:?}", response.lines());
}
