//! One case for each thing that is said of a zone, and of what nothing is said.

use super::super::parser::parse;
use crate::wire::Name;

/// What is said of a zone a.test with `records` behind a SOA and an NS: line, severity and code.
fn said(records: &str) -> Vec<String> {
    let head = "@ 60 SOA n.b.test. h 1 7200 900 1209600 300\n@ 60 NS n.b.test.\n$TTL 60\n";
    raw(&format!("{head}{records}"))
}

fn raw(text: &str) -> Vec<String> {
    let origin = Name::parse("a.test", &Name::root()).unwrap();
    let parsed = parse("z", text.as_bytes(), &origin, &|_, _| Err("none".to_owned()));
    let show = |d: &crate::diagnostic::Diagnostic| format!("{} {}", d.place.line, d.code);
    parsed.diagnostics.iter().map(show).collect()
}

fn check(cases: &[(&str, &[&str])]) {
    for (records, expected) in cases {
        assert_eq!(said(records), *expected, "{records}");
    }
}

#[test]
fn a_name_owns_what_goes_together() {
    check(&[
        ("@ CNAME b.test.\n", &["4 cname-at-apex"]),
        ("w CNAME b.test.\nw TXT a\n", &["4 cname-and-other-data"]),
        ("w CNAME b.test.\nw CNAME c.test.\n", &["5 cname-doubled"]),
        ("w CNAME b.test.\nw DNAME c.test.\n", &["4 cname-and-other-data"]),
    ]);
}

// RFC 1912 §2.2, RFC 2308 §5.
#[test]
fn the_numbers_of_a_soa_make_sense() {
    let soa = |rest: &str| raw(&format!("@ 60 SOA n.b.test. {rest}\n@ 60 NS n.b.test.\n"));
    assert_eq!(soa("h 1 7200 900 1209600 300"), [""; 0]);
    assert_eq!(soa("h 1 7200 7200 1209600 300"), ["1 soa-retry"]);
    assert_eq!(soa("h 1 7200 900 8099 300"), ["1 soa-expire"]);
    assert_eq!(soa("h 1 7200 900 8100 86401"), [""; 0]);
    let long = "@ 2d SOA n.b.test. h 1 7200 900 8100 86401\n@ 60 NS n.b.test.\n";
    assert_eq!(raw(long), ["1 soa-negative-ttl"]);
    assert_eq!(soa("h@a.test. 1 7200 900 1209600 300"), ["1 soa-mail-address"]);
}

#[test]
fn times_that_stand_out_are_told_once() {
    check(&[
        ("w 0 A 192.0.2.1\nx 0 A 192.0.2.1\n", &["4 ttl-zero"]),
        ("@ 0 CDS 0 0 0 00\n", &[]),
        ("w 1w A 192.0.2.1\nx 604801 A 192.0.2.1\n", &["5 ttl-long"]),
    ]);
}

#[test]
fn owner_names_are_what_was_meant() {
    check(&[
        ("w.a.test A 192.0.2.1\n", &["4 dot-missing"]),
        ("my_host A 192.0.2.1\n_dmarc TXT a\n", &["4 owner-not-host-name"]),
        ("*.w A 192.0.2.1\n", &[]),
        ("-w AAAA ::1\n", &["4 owner-not-host-name"]),
        ("*.*.w TXT a\n", &["4 wildcard-inner"]),
        ("*.w NS n.b.test.\n", &["4 wildcard-delegation"]),
    ]);
}

// RFC 2181 §10.3, RFC 2782.
#[test]
fn what_records_point_at_is_there() {
    check(&[
        ("@ MX 10 m\n@ MX 20 m\nw SRV 0 0 1 m\n", &["4 target-missing"]),
        ("@ MX 10 m\nm CNAME b.test.\n", &["4 target-is-alias"]),
        ("@ MX 10 192.0.2.1\n", &["4 target-looks-like-address"]),
        ("@ MX 0 .\n", &[]),
        ("@ MX 0 .\n@ MX 10 b.test.\n", &["4 mx-null-beside-others"]),
        ("@ MX 10 m.a.test\n", &["4 dot-missing"]),
        ("w CNAME m\n", &["4 cname-target-missing"]),
        ("w CNAME e\nx.e A 192.0.2.1\n", &[]),
        ("w CNAME m.l\n*.l A 192.0.2.1\n", &[]),
        ("w CNAME m.l\nl NS n.b.test.\n", &[]),
        ("w CNAME m.l\nl DNAME n.b.test.\n", &[]),
        ("w CNAME w\n", &["4 cname-loop"]),
        ("w CNAME x\nx CNAME y\ny CNAME w\nz CNAME w\n", &["4 cname-loop"]),
        ("1 PTR w.4.3.2.in-addr.arpa.\n", &["4 ptr-in-reverse"]),
        ("1 PTR w.b.test.\n", &[]),
    ]);
}

// RFC 1034 §4.2.1, RFC 6672 §2.3, RFC 9471 §2.2.
#[test]
fn delegations_have_their_glue_and_nothing_else() {
    check(&[
        ("l NS n.l\n", &["4 glue-missing"]),
        ("l NS n.l\nn.l A 192.0.2.1\n", &[]),
        ("l NS l\nl A 192.0.2.1\n", &[]),
        ("l NS n.l\nn.l A 192.0.2.1\no.l A 192.0.2.1\n", &["6 glue-needless"]),
        // The address of a server of a sibling is glue.
        ("l NS n.l\nn.l A 192.0.2.1\no.l A 192.0.2.1\nm NS O.L\n", &[]),
        ("l NS n.b.test.\nl TXT a\n", &["5 beside-cut"]),
        ("l NS n.b.test.\nx.l TXT a\n", &["5 below-cut"]),
        ("l NS n.b.test.\nl DNAME b.test.\n", &["5 dname-beside-ns"]),
        ("l DNAME b.test.\nx.l A 192.0.2.1\n", &["5 below-dname"]),
    ]);
}

#[test]
fn a_delegation_to_many_servers_has_the_glue_of_each() {
    let mut records: String =
        (10..50).map(|n| format!("l NS n{n}.l\nn{n}.l A 192.0.2.{n}\n")).collect();
    assert_eq!(said(&records), [""; 0]);
    records.push_str("o.l A 192.0.2.1\n");
    assert_eq!(said(&records), ["84 glue-needless"]);
}

#[test]
fn policies_for_mail_and_certificates_can_be_read() {
    check(&[
        ("@ TXT \"v=spf1 mx \" \"-all\"\n", &[]),
        ("@ TXT \"v=spf1 mx -all\"\n@ TXT \"v=spf1 -all\"\n", &["5 spf-doubled"]),
        ("@ TXT \"v=spf1 ipv4:192.0.2.1 -all\"\n", &["4 spf-syntax"]),
        ("@ TXT \"v=spf1; -all\"\n", &["4 spf-syntax"]),
        ("@ TXT \"v=spf10 -all\"\n@ TXT \"v=spf\"\n", &["4 spf-syntax"]),
        ("@ TXT \"v=spf1 -all mx\"\n", &["4 spf-after-all"]),
        ("@ TXT \"v=spf1 -all exp=why.b.test\"\n", &[]),
        ("@ TXT \"v=spf1 -all redirect=b.test\"\n", &["4 spf-after-all"]),
        ("@ TXT \"v=spf1 mx all\"\n", &["4 spf-passes-all"]),
        ("@ TXT \"v=spf1 a:1 a:2 a:3 a:4 a:5 mx:6 mx:7 mx:8 exists:9 ptr ?all\"\n", &[]),
        (
            "@ TXT \"v=spf1 a:1 a:2 a:3 a:4 a:5 a:6 a:7 a:8 a:9 a:0 include:1 ~all\"\n",
            &["4 spf-lookups"],
        ),
        ("_dmarc TXT \"v=DMARC1; p=none\"\n", &[]),
        ("_dmarc TXT \"v=DMARC1; policy=none\"\n", &["4 dmarc-syntax"]),
        (
            "_dmarc TXT \"v=DMARC1; p=none\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n",
            &["5 dmarc-doubled"],
        ),
        ("@ CAA 0 issue \"ca.b.test; account=1\"\n@ CAA 128 issuewild \";\"\n", &[]),
        ("@ CAA 1 issue \"ca.b.test\"\n", &["4 caa-flags"]),
        ("@ CAA 0 isue \"ca.b.test\"\n", &["4 caa-tag"]),
        ("@ CAA 0 iodef \"security@b.test\"\n", &["4 caa-value"]),
    ]);
}

#[test]
fn one_kind_of_remark_does_not_hide_the_others() {
    let lines: String = (0..500).map(|n| format!("h_{n} A 192.0.2.1\n")).collect();
    let said = said(&format!("{lines}@ TXT \"v=spf1 all\"\n"));
    let count = |code: &str| said.iter().filter(|s| s.ends_with(code)).count();
    assert_eq!((count("owner-not-host-name"), count("spf-passes-all")), (11, 1));
}

/// A key whose tag is 55648 (RFC 6605 §6.1).
const KEY: &str = "@ DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYb\
                   cB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==\n";

fn rrsig(owner: &str, covered: &str, labels: u8, tag: u16) -> String {
    format!(
        "{owner} RRSIG {covered} 13 {labels} 60 20261201000000 20261101000000 {tag} a.test. AAAA\n"
    )
}

/// A small zone, signed and chained as it should be, if nothing is replaced in it.
fn signed(replace: &str, with: &str) -> Vec<String> {
    let mut text = String::from(KEY);
    for (owner, labels, types) in [
        ("@", 2, "NS SOA RRSIG NSEC DNSKEY"),
        ("*.w", 3, "TXT RRSIG NSEC"),
        ("l", 3, "DS RRSIG NSEC"),
        ("w", 3, "A RRSIG NSEC"),
    ] {
        for covered in types.split(' ').filter(|t| *t != "RRSIG") {
            text += &rrsig(owner, covered, labels, 55648);
        }
    }
    text += "w A 192.0.2.1\n*.w TXT a\nl NS n.l\nn.l A 192.0.2.1\n\
             l DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17\n\
             @ NSEC l NS SOA RRSIG NSEC DNSKEY\nl NSEC w NS DS RRSIG NSEC\n\
             w NSEC *.w A RRSIG NSEC\n*.w NSEC @ TXT RRSIG NSEC\n";
    assert!(text.contains(replace), "{replace}");
    let codes = said(&text.replacen(replace, with, 1));
    codes.iter().map(|said| said.split(' ').next_back().unwrap().to_owned()).collect()
}

// RFC 4034, RFC 4035 §2.
#[test]
fn signed_zones_hold_together() {
    let wrong_label = (rrsig("w", "A", 3, 55648), rrsig("w", "A", 2, 55648));
    let old_key = (rrsig("w", "A", 3, 55648), rrsig("w", "A", 3, 1));
    for (replace, with, expected) in [
        ("w", "w", &[][..]),
        (KEY, "", &["nsec-types-differ", "rrsig-covers-nothing", "dnskey-missing"]),
        ("w A 192.0.2.1\n", "", &["rrsig-covers-nothing", "nsec-types-differ"]),
        ("w A 192.0.2.1\n", "w A 192.0.2.1\nw TXT a\n", &["rrsig-missing", "nsec-types-differ"]),
        ("w A 192.0.2.1\n", "w 30 A 192.0.2.1\n", &["rrsig-original-ttl"]),
        ("w A 192.0.2.1\n", "w A 192.0.2.1\nv TXT a\n", &["rrsig-missing", "nsec-missing"]),
        (&old_key.0, &old_key.1, &["rrsig-without-key"]),
        (&wrong_label.0, &wrong_label.1, &["rrsig-labels"]),
        ("w NSEC *.w", "w NSEC @", &["nsec-chain-broken"]),
        ("*.w NSEC @", "*.w NSEC l", &["nsec-chain-broken"]),
        (
            "l NS n.l\n",
            "",
            &["ds-without-delegation", "nsec-types-differ", "nsec-missing", "rrsig-missing"],
        ),
    ] {
        let mut found = signed(replace, with);
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{replace} -> {with}");
    }
}
