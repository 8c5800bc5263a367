//! Files and what is to be made of them: records, or diagnostics with their places.

use std::sync::Arc;

use proptest::prelude::*;

use crate::wire::Name;

use super::super::rdata::to_text;
use super::{Parsed, parse};

const SOA: &str = "@ SOA ns h 1 9 3 99 300\n";

fn run(text: &[u8]) -> Parsed {
    let origin = Name::parse("a.test.", &Name::root()).unwrap();
    parse("z", text, &origin, &|path, from| match path {
        "inc" => Ok((
            "inc".to_owned(),
            Arc::from(&b"b A 192.0.2.2\n$ORIGIN x.a.test.\nc A 192.0.2.3\n"[..]),
        )),
        "bad" => Ok(("bad".to_owned(), Arc::from(&b"\n  x\n"[..]))),
        "loop" => Ok(("loop".to_owned(), Arc::from(&b"$INCLUDE loop\n$INCLUDE loop\n"[..]))),
        _ => Err(format!("{path} is not there, says {from}")),
    })
}

fn records(text: &str) -> Vec<String> {
    let Parsed { zone, diagnostics, .. } = run(text.as_bytes());
    let Some(zone) = zone else { panic!("{text}: {diagnostics:#?}") };
    let rrsets = zone.nodes.iter().flat_map(|(o, n)| n.rrsets.iter().map(move |r| (o, r)));
    rrsets
        .flat_map(|(o, r)| r.rdata.iter().map(move |d| (o, r, d)))
        .map(|(o, r, d)| format!("{o} {} {} {}", r.ttl.as_secs(), r.rtype, to_text(r.rtype, d)))
        .filter(|line| !line.contains(" SOA "))
        .collect()
}

fn said(text: &[u8]) -> Vec<String> {
    let line =
        |d: &crate::diagnostic::Diagnostic| format!("{} {} {}", d.place, d.severity.word(), d.code);
    run(text).diagnostics.iter().map(line).collect()
}

#[test]
fn records_are_read() {
    for (text, expected) in [
        // TTL and class in either order, units, blank owners, relative and absolute names.
        (
            "$TTL 1h\n NS @\n 5 IN NS b.\n IN 5 NS c.\n",
            vec!["a.test. 5 NS a.test.", "a.test. 5 NS b.", "a.test. 5 NS c."],
        ),
        ("w 1h30m in a 192.0.2.1\n", vec!["w.a.test. 5400 A 192.0.2.1"]),
        ("w CLASS1 TYPE1 \\# 4 c0000201\n", vec!["w.a.test. 300 A 192.0.2.1"]),
        // Where neither $TTL nor a TTL of the SOA is given, its MINIMUM is the default.
        (
            "w 7 A 192.0.2.1\nv A 192.0.2.1\n",
            vec!["v.a.test. 300 A 192.0.2.1", "w.a.test. 7 A 192.0.2.1"],
        ),
        (
            "$TTL 9\nw 7 A 192.0.2.1\nv A 192.0.2.1\n",
            vec!["v.a.test. 9 A 192.0.2.1", "w.a.test. 7 A 192.0.2.1"],
        ),
        ("w 2147483648 A 192.0.2.1\n", vec!["w.a.test. 0 A 192.0.2.1"]),
        // Parentheses, comments, quotes, escapes, line ends.
        (
            "w TXT ( \"a;b\" ; (\n \\065\\; ) \"\" ; )\r\nv TXT x",
            vec!["v.a.test. 300 TXT \"x\"", "w.a.test. 300 TXT \"a;b\" \"A;\" \"\""],
        ),
        ("\\w\\.x\\032 TXT a\n", vec!["w\\.x\\032.a.test. 300 TXT \"a\""]),
        (
            "$ORIGIN b\n@ TXT a\n$ORIGIN a.test.\nc TXT d\n",
            vec!["b.a.test. 300 TXT \"a\"", "c.a.test. 300 TXT \"d\""],
        ),
        // Neither owner nor origin comes back from an included file.
        (
            "w A 192.0.2.1\n$INCLUDE inc i\n AAAA ::1\n",
            vec![
                "b.i.a.test. 300 A 192.0.2.2",
                "w.a.test. 300 A 192.0.2.1",
                "w.a.test. 300 AAAA ::1",
                "c.x.a.test. 300 A 192.0.2.3",
            ],
        ),
        (
            "$GENERATE 8-10/2 h${-8,2,x} A 192.0.2.$\n",
            vec!["h00.a.test. 300 A 192.0.2.8", "h02.a.test. 300 A 192.0.2.10"],
        ),
        // What stands in quotes is the data, and not one string of it.
        ("$GENERATE 1-1 \\$$ TXT \"${0,3} $\"\n", vec!["\\$1.a.test. 300 TXT \"001\" \"1\""]),
        ("$GENERATE 1-1 w TXT \"\\\"a $\\\" $$\\065\"\n", vec!["w.a.test. 300 TXT \"a 1\" \"$A\""]),
        ("$GENERATE 1-1 w${-2} MX \"1${0,2,x} b\"\n", vec!["w-1.a.test. 300 MX 101 b.a.test."]),
        ("$GENERATE 18-18 ${0,3,n} PTR x\n", vec!["2.1.a.test. 300 PTR x.a.test."]),
        // What is double or outside is left out.
        ("w MX 1 B\nw MX 1 b\nw.b. A 192.0.2.1\n", vec!["w.a.test. 300 MX 1 B.a.test."]),
    ] {
        assert_eq!(records(&format!("{SOA}{text}")), expected, "{text}");
    }
}

/// The TTL of each record whose owner is `w` or `v`, in order of owner and type.
fn ttls(text: &str) -> Vec<u32> {
    let zone = run(text.as_bytes()).zone.expect("a zone");
    let wanted = zone.nodes.iter().filter(|(owner, _)| owner.label_count() == 3);
    wanted.flat_map(|(_, node)| node.rrsets.iter().map(|r| r.ttl.as_secs())).collect()
}

#[test]
fn ttls_come_from_the_record_before() {
    for (text, expected) in [
        ("@ 9 SOA ns h 1 2 3 4 300\nv 7 A 192.0.2.1\nw A 192.0.2.1\n", vec![7, 7]),
        ("@ 9 SOA ns h 1 2 3 4 300\n$GENERATE 1-1 v 7 A 192.0.2.1\nw A 192.0.2.1\n", vec![7, 7]),
        ("@ SOA ns h 1 2 3 4 300\nv 7 A 192.0.2.1\nw A 192.0.2.1\n", vec![7, 300]),
        // What is nobody's TTL is not carried on.
        ("v A 192.0.2.1\n@ SOA ns h 1 2 3 4 300\nw A 192.0.2.1\n", vec![3_600, 300]),
        ("$TTL 5\n@ SOA ns h 1 2 3 4 300\nv 7 A 192.0.2.1\nw A 192.0.2.1\n", vec![7, 5]),
        // A duplicate counts for the smallest TTL.
        ("$TTL 5\n@ SOA ns h 1 2 3 4 300\nv 7 A 192.0.2.1\nv A 192.0.2.1\n", vec![5]),
    ] {
        assert_eq!(ttls(text), expected, "{text}");
    }
}

#[test]
fn mistakes_have_their_places() {
    for (text, expected) in [
        ("", vec!["z error soa-missing"]),
        (
            "$TTL x\n$TTL\n$FOO\n$ORIGIN ..\n$TTL 1 2\n",
            vec![
                "z:2:6 error bad-ttl",
                "z:3:1 error field-missing",
                "z:4:1 error unknown-directive",
                "z:5:9 error bad-name",
                "z:6:8 error field-extra",
            ],
        ),
        (
            "w A 192.0.2\nw XX y\n\u{e9} MX a b\n",
            vec!["z:2:5 error bad-address", "z:3:3 error unknown-type", "z:4:6 error bad-number"],
        ),
        (
            "w CH A 192.0.2.1\nw ANY x\nw TYPE255 \\# 0\nw IN\n",
            vec![
                "z:2:3 error class-not-in",
                "z:3:3 error meta-type",
                "z:4:3 warning meta-type",
                "z:5:3 error field-missing",
            ],
        ),
        // Every mistake of a record, but not what only follows from one.
        (
            "w SRV x 0 y z..z\nw MX mail 10\nw MX mail\nw SOA ns 1 2 3 4 5\nw SVCB 1 a..b port=x\n",
            vec![
                "z:2:7 error bad-number",
                "z:2:11 error bad-number",
                "z:2:13 error bad-name",
                "z:3:6 error bad-number",
                "z:4:6 error bad-number",
                "z:5:18 error field-missing",
                "z:6:10 error bad-name",
                "z:6:15 error bad-parameter",
            ],
        ),
        ("a..b A 192.0.2.1\n A x\n", vec!["z:2:1 error bad-name", "z:3:4 error bad-address"]),
        (
            "w TXT \"a\nv TXT (\n\"b\n) c\nu TXT )\nt TXT ( a\n",
            vec![
                "z:2:7 error unterminated-string",
                "z:4:1 error unterminated-string",
                "z:6:7 error unbalanced-parenthesis",
                "z:7:7 error unbalanced-parenthesis",
            ],
        ),
        // A parenthesis that is never closed does not hide what is wrong after it.
        (
            "w TXT ( a\n b\nv A x\nu A y ; )\n",
            vec![
                "z:2:7 error unbalanced-parenthesis",
                "z:4:5 error bad-address",
                "z:5:5 error bad-address",
            ],
        ),
        (
            "$INCLUDE none\n$INCLUDE bad\n$INCLUDE\n",
            vec![
                "z:2:10 error include-failed",
                "z:4:1 error field-missing",
                "bad:2:3 error unknown-type",
            ],
        ),
        (
            "$GENERATE 2-1 a A 192.0.2.$\n$GENERATE 1-2 ${x} A 192.0.2.$\n\
             $GENERATE 1-300 a$ A 192.0.2.$\n$GENERATE 1-2\n$GENERATE 1-2 a MX 1 b$\n\
             $GENERATE 1-2 a\n$GENERATE 1-2 a 5 A\n$GENERATE 1-2 a FOO b\n",
            vec![
                "z:2:11 error bad-generate",
                "z:3:15 error bad-generate",
                "z:4:1 error bad-address",
                "z:5:11 error field-missing",
                "z:6:22 error field-extra",
                "z:7:15 error field-missing",
                "z:8:19 error field-missing",
                "z:9:17 error unknown-type",
            ],
        ),
        ("$GENERATE 0-4000000000 a TXT b\n", vec!["z:2:11 error bad-generate"]),
        // Others read a record where a directive is indented, and refuse it.
        (
            " $ORIGIN b\n\t$TTL 5\n",
            vec!["z:2:2 error directive-indented", "z:3:2 error directive-indented"],
        ),
    ] {
        let text = if text.is_empty() { String::new() } else { format!("{SOA}{text}") };
        let errors = said(text.as_bytes());
        let errors: Vec<&str> = errors
            .iter()
            .map(String::as_str)
            .filter(|d| {
                !["ttl-missing", "ns-missing", "duplicate-record"].iter().any(|c| d.ends_with(c))
            })
            .take(20)
            .collect();
        assert_eq!(errors, expected, "{text}");
    }
    assert_eq!(said(b" A 192.0.2.1\n"), ["z:1:2 error owner-missing"]);
    assert_eq!(said(b"\xff\xfe@\0 \0S\0O\0A\0\n\0"), ["z error file-is-utf16"]);
    // Without a SOA that can be read, the other mistakes are told all the same.
    for (soa, code) in [("", "z error soa-missing"), ("@ SOA ns", "z:1:7 error field-missing")] {
        let text = format!("{soa}\nw 5 CNAME x\nw 5 A 192.0.2.1\nb. 5 TYPE255 \\# 0\n");
        let rest = ["z:2:1 error cname-and-other-data", "z:4:6 warning meta-type"];
        assert_eq!(said(text.as_bytes()), [&[code][..], &rest].concat());
    }
    assert_eq!(said(b"w 5 TYPE255 \\# 0\n"), ["z error soa-missing", "z:1:5 warning meta-type"]);
}

#[test]
fn whole_zones_are_checked() {
    for (text, expected) in [
        ("", vec!["z:1:1 warning ns-missing"]),
        (" NS b.\nw CNAME b.\nw A 192.0.2.1\n", vec!["z:3:1 error cname-and-other-data"]),
        (" NS b.\nw CNAME b.\nw CNAME c.\n", vec!["z:4:1 error cname-doubled"]),
        (" NS b.\nw DNAME x\nw DNAME y\n", vec!["z:4:1 error dname-doubled"]),
        (" NS b.\n@ SOA ns h 2 2 3 4 300\n", vec!["z:3:1 error soa-doubled"]),
        (" NS b.\nw SOA ns h 1 2 3 4 300\n", vec!["z:3:1 error soa-doubled"]),
        (" NS b.\nb. A 192.0.2.1\n", vec!["z:3:1 warning out-of-zone"]),
        (" NS b.\n NS b.\n", vec!["z:3:2 note duplicate-record"]),
        (" NS b.\nw 5 A 192.0.2.1\nw 6 A 192.0.2.2\n", vec!["z:4:1 warning ttl-mismatch"]),
        (
            " NS ns\nw MX 1 x\n SRV 0 0 1 y\n",
            vec![
                "z:2:2 warning target-missing",
                "z:3:1 warning target-missing",
                "z:4:2 warning target-missing",
            ],
        ),
        (" NS ns\nns CNAME b.\n", vec!["z:2:2 warning target-is-alias"]),
        (" NS b.\nw MX 1 x.y\n*.y A 192.0.2.1\n", vec![]),
        (" NS b.\ns NS n.s\n", vec!["z:3:1 warning glue-missing"]),
        (
            " NS b.\ns NS n.s\nn.s A 192.0.2.1\nn.s TXT x\nn.s MX 0 .\n",
            vec!["z:6:1 warning below-cut"],
        ),
        (" NS b.\nd DNAME b.\nx.d A 192.0.2.1\n", vec!["z:4:1 warning below-dname"]),
    ] {
        let text = format!("$TTL 300\n{SOA}{text}").replacen("$TTL 300\n@", "@ 300", 1);
        assert_eq!(said(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn diagnostics_show_the_line_and_are_bounded() {
    let parsed = run(format!("{SOA}w\tTXT\t\"a\" (\n\tb\n\n").as_bytes());
    let shown = parsed.diagnostics.iter().find(|d| d.is_error()).map(ToString::to_string);
    let shown = shown.unwrap_or_default();
    assert!(shown.starts_with("z:2:11: error[unbalanced-parenthesis]"), "{shown}");
    assert!(shown.contains("\n  | w\tTXT\t\"a\" (\n  |  \t   \t    ^\n"), "{shown}");
    let many = "x. A 192.0.2.1\n".repeat(150) + &"w A x\n".repeat(150);
    let said = said(format!("{SOA}{many}").as_bytes());
    assert_eq!(said.len(), 101);
    assert_eq!(said.iter().filter(|d| d.ends_with("error bad-address")).count(), 100);
    assert_eq!(said.last().map(String::as_str), Some("z error more"));
}

#[test]
fn what_is_generated_is_bounded_in_octets_too() {
    let text = format!("{SOA}$GENERATE 0-999999 a$ TXT \"b ; {}\"\n", "x".repeat(200_000));
    let said = said(text.as_bytes());
    assert!(said.iter().any(|d| d == "z:2:11 error bad-generate"), "{said:?}");
}

#[test]
fn includes_in_a_circle_end() {
    let said = said(format!("{SOA}$INCLUDE loop\n").as_bytes());
    assert!(said.iter().any(|d| d.ends_with("error include-failed")), "{said:?}");
}

/// A zone with some of everything, for mutation.
const SAMPLE: &str = "$TTL 1h\n@ SOA ns h ( 1 2 ; x\n 3 4 5 )\n NS ns\nns A 192.0.2.1\n$ORIGIN b\n\
    w 5 IN TXT \"a b\" c\\;d\n$INCLUDE inc q\n* CNAME @\ns HTTPS 1 . alpn=\"h2,h3\" port=53\n\
    l LOC 60 N 10 E 100\n$GENERATE 1-3 g$ A 192.0.2.${0,1,d}\nu TYPE65280 \\# 2 abcd\n";

proptest! {
    #[test]
    fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        run(&text);
    }

    #[test]
    fn no_mutation_panics(
        edits in proptest::collection::vec((0..SAMPLE.len(), any::<u8>(), 0usize..12), 1..8),
    ) {
        let mut text = SAMPLE.as_bytes().to_vec();
        for (at, byte, cut) in edits {
            let at = at.min(text.len());
            let end = (at + cut).min(text.len());
            text.splice(at..end, [byte]);
        }
        let Parsed { zone, diagnostics, .. } = run(&text);
        // A zone, or a reason why not.
        prop_assert_eq!(zone.is_none(), diagnostics.iter().any(|d| d.is_error()));
    }
}
