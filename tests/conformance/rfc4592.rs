//! RFC 4592: wildcards.

use crate::{SOA, check};

#[test]
fn section_3_3_a_wildcard_answers_for_what_is_not_there() {
    check(&[
        ("x.wild.example.test A", &["NOERROR aa", "x.wild.example.test. 300 A 192.0.2.5"]),
        ("x.y.wild.example.test A", &["NOERROR aa", "x.y.wild.example.test. 300 A 192.0.2.5"]),
    ]);
}

#[test]
fn section_2_1_1_a_wildcard_is_a_name_like_any_other_when_asked_for() {
    check(&[("*.wild.example.test A", &["NOERROR aa", "*.wild.example.test. 300 A 192.0.2.5"])]);
}

#[test]
fn section_3_3_1_the_closest_encloser_decides_even_when_empty() {
    check(&[
        ("host.wild.example.test A", &["NOERROR aa", "host.wild.example.test. 300 A 192.0.2.6"]),
        ("host.wild.example.test MX", &["NOERROR aa", SOA]),
        ("x.host.wild.example.test A", &["NXDOMAIN aa", SOA]),
        ("wild.example.test A", &["NOERROR aa", SOA]),
    ]);
}

#[test]
fn section_2_2_1_a_type_that_the_wildcard_has_not_is_no_data() {
    check(&[("x.wild.example.test AAAA", &["NOERROR aa", SOA])]);
}

#[test]
fn section_3_3_3_a_wildcard_cname_is_followed() {
    check(&[(
        "x.cwild.example.test A",
        &[
            "NOERROR aa",
            "www.example.test. 300 A 192.0.2.2",
            "x.cwild.example.test. 300 CNAME www.example.test.",
        ],
    )]);
}
