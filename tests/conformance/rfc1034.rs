//! RFC 1034: how a name server answers (§4.3.2), with the clarifications of RFC 2181 and RFC 6604.

use crate::{SOA, check, server};

const WWW: &str = "www.example.test. 300 A 192.0.2.2";
const DELEG: [&str; 2] = [
    "authority deleg.example.test. 300 NS ns.deleg.example.test.",
    "authority deleg.example.test. 300 NS ns.other.test.",
];
const GLUE: &str = "additional ns.deleg.example.test. 300 A 192.0.2.9";

#[test]
fn section_4_3_2_step_3a_an_exact_match_answers_its_rrset() {
    check(&[
        ("www.example.test A", &["NOERROR aa", WWW]),
        ("www.example.test AAAA", &["NOERROR aa", "www.example.test. 300 AAAA 2001:db8::2"]),
        ("a.b.ent.example.test A", &["NOERROR aa", "a.b.ent.example.test. 300 A 192.0.2.4"]),
    ]);
}

#[test]
fn section_3_6_2_a_cname_is_followed_within_what_is_served() {
    let chain = |n: u8, to: &str| format!("chain{n}.example.test. 300 CNAME {to}.example.test.");
    check(&[
        (
            "alias.example.test A",
            &["NOERROR aa", "alias.example.test. 300 CNAME www.example.test.", WWW],
        ),
        (
            "alias.example.test CNAME",
            &["NOERROR aa", "alias.example.test. 300 CNAME www.example.test."],
        ),
        (
            "chain1.example.test A",
            &["NOERROR aa", &chain(1, "chain2"), &chain(2, "chain3"), &chain(3, "www"), WWW],
        ),
        ("out.example.test A", &["NOERROR aa", "out.example.test. 300 CNAME www.elsewhere.test."]),
    ]);
}

#[test]
fn section_3_6_2_a_loop_of_cnames_ends() {
    let lines = server().lines("loop1.example.test A");
    assert!(["NOERROR aa", "SERVFAIL aa", "SERVFAIL"].contains(&lines[0].as_str()), "{lines:?}");
    let records: std::collections::BTreeSet<&String> = lines[1..].iter().collect();
    assert_eq!(records.len(), lines.len() - 1, "no record twice: {lines:?}");
}

#[test]
fn rfc_6604_section_3_the_code_is_that_of_the_end_of_a_chain() {
    check(&[(
        "dangling.example.test A",
        &["NXDOMAIN aa", "dangling.example.test. 300 CNAME missing.example.test.", SOA],
    )]);
}

#[test]
fn section_4_3_2_step_3b_below_a_cut_is_a_referral_with_glue() {
    for question in [
        "deleg.example.test A",
        "deleg.example.test NS",
        "x.y.deleg.example.test A",
        "ns.deleg.example.test A",
        "below.deleg.example.test A",
    ] {
        check(&[(question, &["NOERROR", DELEG[0], DELEG[1], GLUE])]);
    }
}

#[test]
fn rfc_4035_section_3_1_4_1_ds_at_a_cut_is_the_parents() {
    check(&[("deleg.example.test DS", &["NOERROR aa", SOA])]);
}

#[test]
fn section_4_3_2_a_chain_into_a_delegation_ends_in_a_referral() {
    let cname = "intodeleg.example.test. 300 CNAME x.deleg.example.test.";
    check(&[("intodeleg.example.test A", &["NOERROR aa", cname, DELEG[0], DELEG[1], GLUE])]);
}

#[test]
fn section_4_3_2_step_2_the_nearest_zone_answers() {
    check(&[
        ("ns1.child.example.test A", &["NOERROR aa", "ns1.child.example.test. 300 A 192.0.2.77"]),
        (
            "no.child.example.test A",
            &[
                "NXDOMAIN aa",
                "authority child.example.test. 5 SOA ns1.child.example.test. h.child.example.test. 1 2 3 4 5",
            ],
        ),
    ]);
}

#[test]
fn a_name_in_no_zone_is_refused() {
    check(&[
        ("elsewhere.test A", &["REFUSED"]),
        ("test SOA", &["REFUSED"]),
        (". NS", &["REFUSED"]),
        ("notexample.test A", &["REFUSED"]),
    ]);
}
