//! Every type, both ways; what the octets must be for some; what must be refused.

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use crate::wire::{Name, Rtype};

use super::super::lexer::{Entry, Lexer};
use super::{Words, parse, to_text, write};

/// Where the cases of each type stand, and what other tools make of them.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rdata.txt");

/// A record as an operator may write it.
struct Case<'g> {
    rtype: &'g str,
    text: &'g str,
    /// The wire that another tool made of it, in hexadecimal.
    wire: String,
    /// What we write.
    ours: &'g str,
}

/// The cases of `golden`: three lines each.
fn cases(golden: &str) -> Vec<Case<'_>> {
    let lines: Vec<&str> =
        golden.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    lines
        .chunks(3)
        .map(|lines| {
            let (rtype, text) = lines[0].split_once(' ').unwrap();
            let (_, wire) = lines[1].trim_start().split_once(' ').unwrap();
            let ours = lines[2].trim_start().strip_prefix("ours").unwrap().trim_start();
            Case { rtype, text, wire: wire.replace('-', ""), ours }
        })
        .collect()
}

fn golden() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| std::fs::read_to_string(GOLDEN).unwrap())
}

/// Reads `text` as rdata of `rtype`, with the origin `t.test.`; on a mistake its code.
fn read(rtype: &str, text: &str) -> Result<Box<[u8]>, &'static str> {
    let rtype = Rtype::parse(rtype).ok_or("no type")?;
    let origin = Name::parse("t.test.", &Name::root()).map_err(|_| "no origin")?;
    let line = format!("x {text}");
    let mut entry = Entry::default();
    let lexed = Lexer::new(line.as_bytes()).next(&mut entry).is_some_and(|r| r.is_ok());
    let (first, rest) = entry.tokens.split_first().filter(|_| lexed).ok_or("no entry")?;
    let mut words = Words::new(line.as_bytes(), rest, *first, &origin);
    parse(rtype, &mut words).map_err(|faults| faults[0].code)
}

#[test]
fn the_wire_is_that_of_other_tools_and_reads_back() {
    let mut faults = Vec::new();
    for Case { rtype, text, wire: wanted, ours } in cases(golden()) {
        let wire = match read(rtype, text) {
            Ok(wire) => wire,
            Err(code) => {
                faults.push(format!("{rtype} {text}: {code}"));
                continue;
            }
        };
        let number = Rtype::parse(rtype).unwrap();
        let found = HEXLOWER.encode(&wire);
        if found != wanted {
            faults.push(format!("{rtype} {text}: {found}, not {wanted}"));
        }
        if !write::check(number, &wire) {
            faults.push(format!("{rtype} {text}: {found} is not taken for rdata of the type"));
        }
        let written = to_text(number, &wire);
        if read(rtype, &written).as_deref() != Ok(&*wire) {
            faults.push(format!("{rtype} {text}: {written} does not read back"));
        }
        let is_generic = super::table::fields(number).is_none();
        if written.starts_with("\\#") != is_generic {
            faults.push(format!("{rtype} {text}: {written}"));
        }
        let generic = format!("\\# {} {found}", wire.len());
        if read(rtype, &generic).as_deref() != Ok(&*wire) {
            faults.push(format!("{rtype} {generic} does not read back"));
        }
        if ours != written && std::env::var_os("UPDATE_GOLDEN").is_none() {
            faults.push(format!("{rtype} {text}: we write {written}, not {ours}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write_golden();
    }
}

/// Writes down anew what we write.
fn write_golden() {
    let mut written = String::new();
    let mut lines = golden().lines();
    while let Some(line) = lines.next() {
        written += &format!("{line}\n");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (rtype, text) = line.split_once(' ').unwrap();
        let ours = to_text(Rtype::parse(rtype).unwrap(), &read(rtype, text).unwrap());
        let told = lines.next().unwrap();
        written += format!("{told}\n    ours {ours}\n").trim_end_matches(' ');
        lines.next();
    }
    std::fs::write(GOLDEN, written).unwrap();
}

#[test]
fn every_type_with_a_format_is_tried() {
    let tried: Vec<_> = cases(golden()).iter().filter_map(|c| Rtype::parse(c.rtype)).collect();
    for number in 0..=u16::MAX {
        let rtype = Rtype(number);
        let has_format = super::table::fields(rtype).is_some();
        assert!(!has_format || tried.contains(&rtype), "{rtype} needs a case in {GOLDEN}");
    }
}

#[test]
fn octets_are_those_of_the_specifications() {
    for (rtype, text, hex) in [
        ("A", "192.0.2.1", "c0000201"),
        ("MX", "10 a", "000a016101740474657374 00"),
        ("TXT", r#""a\"b" c\;d \065"#, "03612262 03633b64 0141"),
        // RFC 1876 §4, RFC 3123 §6, RFC 7043, RFC 6742.
        ("LOC", "60 N 10 E 100", "00121613 8cdfe600 82255100 0098bd90"),
        ("APL", "1:192.168.32.0/21 !1:192.168.38.0/28", "00011503c0a820 00011c83c0a826"),
        ("EUI48", "00-00-5e-00-53-2a", "00005e00532a"),
        ("NID", "10 14:4fff:ff20:ee64", "000a 00144fffff20ee64"),
        // RFC 9460 appendix D.2.
        (
            "SVCB",
            "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
            "0010 03666f6f076578616d706c65036f726700 0000000400010004 \
             00010009026832 0568332d3139 00040004c0000201",
        ),
        (
            "SVCB",
            "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
            "0010 03666f6f076578616d706c65036f726700 0001000c 08665c6f6f2c6261720 26832",
        ),
        ("HTTPS", "0 .", "000000"),
        // RFC 4034 §4.3.
        (
            "NSEC",
            "host.example.com. A MX RRSIG NSEC TYPE1234",
            "04686f7374076578616d706c6503636f6d00 0006400100000003 \
             041b000000000000000000000000000000000000000000000000000020",
        ),
        ("CAA", "0 issue \"ca.example.net\"", "00 056973737565 63612e6578616d706c652e6e6574"),
        ("CDS", "0 0 0 0", "0000000000"),
        ("CDNSKEY", "0 3 0 0", "0000030000"),
    ] {
        let wire = read(rtype, text).map(|wire| HEXLOWER.encode(&wire));
        assert_eq!(wire, Ok(hex.replace(' ', "")), "{rtype} {text}");
    }
}

#[test]
fn mistakes_have_their_codes() {
    for (rtype, text, code) in [
        ("A", "", "field-missing"),
        ("A", "192.0.2.1 192.0.2.2", "field-extra"),
        ("A", "192.0.2", "bad-address"),
        ("A", "\\# 3 c00002", "bad-rdata"),
        ("A", "\\# 4 c00002", "bad-rdata"),
        ("A", "\\# 4 c000020", "bad-encoding"),
        ("AAAA", "192.0.2.1", "bad-address"),
        ("MX", "65536 a", "bad-number"),
        ("MX", "10 a..b", "bad-name"),
        ("MX", "10", "field-missing"),
        ("TXT", "", "field-missing"),
        ("TXT", "\\256", "bad-escape"),
        ("TYPE65280", "text", "generic-form-needed"),
        ("NULL", "text", "generic-form-needed"),
        ("CAA", "0 is-sue x", "bad-string"),
        ("DS", "1 8 2 abc", "bad-encoding"),
        ("DNSKEY", "256 3 8 AQ=", "bad-encoding"),
        ("NSEC", "a A NOTYPE", "unknown-type"),
        ("RRSIG", "A 8 2 300 20301301000000 0 1 . AQ==", "bad-time"),
        ("LOC", "91 N 0 E 0", "bad-number"),
        ("LOC", "90 0 1 N 0 E 0", "bad-number"),
        ("SVCB", "1 . port=x", "bad-parameter"),
        ("SVCB", "1 . port", "bad-parameter"),
        ("SVCB", "1 . alpn=h2 alpn=h3", "bad-parameter"),
        ("SVCB", "1 . alpn=h2,,h3", "bad-parameter"),
        ("SVCB", "1 . no-default-alpn", "bad-parameter"),
        ("SVCB", "1 . mandatory=port", "bad-parameter"),
        ("SVCB", "1 . mandatory=mandatory", "bad-parameter"),
        ("SVCB", "1 . key65535=x", "bad-parameter"),
        ("SVCB", "1 . key007=x", "bad-parameter"),
        ("SVCB", "\\# 9 0001000003000100 35", "bad-rdata"),
        ("IPSECKEY", "10 4 2 . AQ==", "bad-number"),
        ("AMTRELAY", "10 2 1 192.0.2.1", "bad-number"),
    ] {
        assert_eq!(read(rtype, text).err(), Some(code), "{rtype} {text}");
    }
    let long = format!("\"{}\"", "a".repeat(256));
    assert_eq!(read("TXT", &long).err(), Some("string-too-long"));
}

proptest! {
    // Whatever the octets, they are written, and what is written reads back as the same octets.
    #[test]
    fn any_octets_round_trip(
        row in any::<proptest::sample::Index>(),
        noise in proptest::collection::vec(any::<u8>(), 0..40),
        keep in 0usize..60,
    ) {
        let cases = cases(golden());
        let Case { rtype, text, .. } = *row.get(&cases);
        let wire = read(rtype, text).unwrap();
        let mut octets = wire[..keep.min(wire.len())].to_vec();
        octets.extend_from_slice(&noise);
        let written = to_text(Rtype::parse(rtype).unwrap(), &octets);
        let read_back = read(rtype, &written);
        let is_generic = written.starts_with("\\#");
        let refused = is_generic && read_back.is_err();
        prop_assert!(refused || read_back.as_deref() == Ok(&octets), "{} {}", rtype, written);
    }

    #[test]
    fn any_text_is_read_or_refused(row in any::<proptest::sample::Index>(), text in "[ -~]{0,60}") {
        let _ = read(row.get(&cases(golden())).rtype, &text);
    }
}
