//! RFC 2308: negative answers.

use crate::{SOA, check};

#[test]
fn section_2_1_a_name_that_is_not_there() {
    check(&[
        ("missing.example.test A", &["NXDOMAIN aa", SOA]),
        ("a.missing.example.test MX", &["NXDOMAIN aa", SOA]),
        ("x.www.example.test A", &["NXDOMAIN aa", SOA]),
    ]);
}

#[test]
fn section_2_2_a_type_that_is_not_there() {
    check(&[
        ("www.example.test MX", &["NOERROR aa", SOA]),
        ("example.test A", &["NOERROR aa", SOA]),
        (
            "alias.example.test CNAME",
            &["NOERROR aa", "alias.example.test. 300 CNAME www.example.test."],
        ),
    ]);
}

#[test]
fn section_2_2_a_chain_to_a_type_that_is_not_there() {
    check(&[(
        "alias.example.test MX",
        &["NOERROR aa", "alias.example.test. 300 CNAME www.example.test.", SOA],
    )]);
}

#[test]
fn rfc_8020_an_empty_non_terminal_is_there() {
    check(&[
        ("b.ent.example.test A", &["NOERROR aa", SOA]),
        ("ent.example.test A", &["NOERROR aa", SOA]),
        ("c.ent.example.test A", &["NXDOMAIN aa", SOA]),
    ]);
}
