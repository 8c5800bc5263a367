//! RFC 6891: EDNS.

use std::time::Duration;

use crate::server;
use crate::support::{Query, Response, ask};

fn www() -> Query {
    Query::new("www.example.test A")
}

#[test]
fn section_6_1_1_an_opt_record_is_answered_by_one_and_only_then() {
    let server = server();
    assert_eq!(server.udp(&www()).edns, None);
    for name in
        ["www.example.test A", "missing.example.test A", "deleg.example.test A", "no.test A"]
    {
        let response = server.udp(&Query::new(name).edns(1232));
        let (size, version, flags) = response.edns.expect("an OPT record");
        assert!(size >= 512, "{name}");
        assert_eq!((version, flags), (0, 0), "{name}");
    }
}

#[test]
fn section_6_1_3_another_version_is_badvers() {
    let mut query = www().edns(1232);
    query.edns.as_mut().unwrap().1 = 1;
    let response = server().udp(&query);
    assert_eq!((response.rcode, response.edns.map(|e| e.1)), (16, Some(0)));
    assert!(response.answer.is_empty() && response.flags & 0x400 == 0);
}

#[test]
fn rfc_3225_section_3_the_do_bit_is_copied_and_no_other() {
    let mut query = www().dnssec_ok();
    query.edns.as_mut().unwrap().2 |= 0x7fff;
    assert_eq!(server().udp(&query).edns.map(|e| e.2), Some(0x8000));
}

#[test]
fn section_6_1_2_unknown_options_are_ignored() {
    let response = server().udp(&www().option(100, b"x").option(65_001, b""));
    assert_eq!((response.head().as_str(), response.options.len()), ("NOERROR aa", 0));
}

#[test]
fn section_6_1_1_a_second_opt_record_is_malformed() {
    let mut wire = www().edns(1232).to_wire();
    wire.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    wire[11] = 2;
    let response = ask(server().dns, &wire, Duration::from_secs(5)).unwrap();
    assert_eq!(Response::read(&response).rcode, 1);
}

#[test]
fn section_6_1_2_an_option_beyond_the_record_is_malformed() {
    let mut query = www().edns(1232);
    for options in [&[0][..], &[0, 3, 0], &[0, 3, 0, 50]] {
        query.edns.as_mut().unwrap().3 = options.to_vec();
        assert_eq!(server().udp(&query).rcode, 1, "{options:?}");
    }
}

#[test]
fn rfc_4035_section_3_1_4_a_ds_without_signature_is_no_part_of_a_referral() {
    let response = server().udp(&Query::new("x.secure.example.test A").dnssec_ok());
    assert_eq!(response.authority, ["secure.example.test. 300 NS ns.other.test."]);
}
