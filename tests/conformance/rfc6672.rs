//! RFC 6672: DNAME.

use crate::support::Query;
use crate::{SOA, check, server};

const DNAME: &str = "dn.example.test. 300 DNAME target.example.test.";

#[test]
fn section_3_2_a_cname_is_synthesized_and_followed() {
    let synthesized = "x.dn.example.test. 300 CNAME x.target.example.test.";
    let end = "x.target.example.test. 300 A 192.0.2.11";
    check(&[("x.dn.example.test A", &["NOERROR aa", DNAME, synthesized, end])]);
}

#[test]
fn section_3_2_the_end_of_the_chain_tells_the_code() {
    let synthesized = "y.dn.example.test. 300 CNAME y.target.example.test.";
    check(&[("y.dn.example.test A", &["NXDOMAIN aa", DNAME, synthesized, SOA])]);
}

#[test]
fn section_2_3_the_owner_itself_is_not_redirected() {
    check(&[
        ("dn.example.test DNAME", &["NOERROR aa", DNAME]),
        ("dn.example.test A", &["NOERROR aa", SOA]),
    ]);
}

#[test]
fn section_2_2_a_name_that_grows_too_long_is_yxdomain() {
    let labels = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(43)].join(".");
    let response = server().udp(&Query::new(&format!("{labels}.dn.example.test A")).edns(1232));
    assert_eq!((response.rcode, response.answer.len()), (6, 1), "{:?}", response.lines());
}

#[test]
fn rfc_2181_section_5_a_dname_met_twice_is_told_once() {
    let dname = "up.example.test. 300 DNAME example.test.";
    let synthesized = "up.up.example.test. 300 CNAME up.example.test.";
    check(&[("up.up.example.test DNAME", &["NOERROR aa", dname, synthesized])]);
}
