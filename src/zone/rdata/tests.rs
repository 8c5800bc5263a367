//! Every type, both ways; what the octets must be for some; what must be refused.

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use crate::wire::{Name, Rtype};

use super::super::lexer::{Entry, Lexer};
use super::{Words, parse, to_text, write};

/// At least one record of each type that has a presentation format, as an operator may write it.
const RECORDS: &[(&str, &str)] = &[
    ("SOA", r#"ns hostmaster.t.test. 1 1h 15m 1w 5m"#),
    ("NS", r#"ns"#),
    ("A", r#"192.0.2.1"#),
    ("AAAA", r#"2001:db8::1"#),
    ("MD", r#"m"#),
    ("MF", r#"m"#),
    ("CNAME", r#"@"#),
    ("MB", r#"a\.b"#),
    ("MG", r#"m"#),
    ("MR", r#"m"#),
    ("WKS", r#"10.0.0.1 tcp smtp 21 domain"#),
    ("WKS", r#"10.0.0.1 17 53"#),
    ("PTR", r#"@"#),
    ("HINFO", r#""a b" c\"d"#),
    ("MINFO", r#"a b."#),
    ("MX", r#"10 @"#),
    ("MX", r#"0 ."#),
    ("TXT", r#""a\"b" c\;d "e;f" \000\255 """#),
    ("TXT", r#""multi" "line""#),
    ("RP", r#"a.b c"#),
    ("AFSDB", r#"1 x"#),
    ("X25", r#"311061700956"#),
    ("ISDN", r#"150862028003217 004"#),
    ("ISDN", r#""150862028003217""#),
    ("RT", r#"10 relay"#),
    ("NSAP", r#"0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00"#),
    ("NSAP-PTR", r#"x"#),
    ("SIG", r#"A 5 3 3600 20240101000000 20230101000000 1234 t.test. aGVsbG8gd29ybGQ="#),
    ("KEY", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3 Cbl+BBZH4b/0PY1kxkmvHjcZ"),
    ("PX", r#"10 a b"#),
    ("GPOS", r#"-32.6882 116.8652 10.0"#),
    ("AAAA", r#"::ffff:1.2.3.4"#),
    ("LOC", r#"52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"#),
    ("LOC", r#"42 21 54 N 71 06 18 W -24m 30m"#),
    ("LOC", r#"60 N 10 E 100"#),
    ("NXT", r#"a A NS SOA SIG NXT"#),
    ("EID", r#"12 34 abcd"#),
    ("NIMLOC", r#"abcdef"#),
    ("SRV", r#"1 2 3 @"#),
    ("ATMA", r#"+61.2.0000.0000"#),
    ("ATMA", r#"39.246f.00.0e7c.9c03.1200.0100.0100"#),
    ("NAPTR", r#"100 10 "S" "SIP+D2U" "!^.*$!sip:c@e.com!" _sip._udp"#),
    ("KX", r#"1 x"#),
    ("CERT", r#"PGP 0 0 aGVsbG8="#),
    ("CERT", r#"65534 65535 PRIVATEOID aGVsbG8="#),
    ("DNAME", r#"d"#),
    ("APL", r#"1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32"#),
    ("APL", r#""#),
    ("DS", r#"60485 RSASHA1 1 2BB183AF5F22588179A53B0A 98631FAD1A292118"#),
    ("NS", r#"x."#),
    ("SSHFP", r#"2 1 123456789abcdef67890123456789abcdef67890"#),
    ("IPSECKEY", r#"10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#),
    ("IPSECKEY", r#"10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#),
    ("IPSECKEY", r#"10 2 2 2001:db8::1 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#),
    ("IPSECKEY", r#"10 3 2 gw AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#),
    ("RRSIG", r#"A 8 3 3600 20300101000000 1672531200 1234 t.test. aGVsbG8gd29ybGQ="#),
    ("NSEC", r#"a A NS TYPE1234 CAA"#),
    ("DNSKEY", "257 3 13 aGVsbG8g d29ybGQ="),
    ("DHCID", r#"AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="#),
    ("NSEC3", r#"1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG"#),
    ("NSEC3", r#"1 1 12 - 2vptu5timamqttgl4luu9kg21e0aor3s"#),
    ("NSEC3PARAM", r#"1 0 12 aabbccdd"#),
    ("TLSA", r#"3 1 1 d2abde240d7cd3ee6b4b28c54df034b9 7983a1d16e8a410e4561cb106618e971"#),
    ("SMIMEA", r#"3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"#),
    ("HIP", r#"2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPC rvs1 rvs2"#),
    ("NINFO", r#""a" b"#),
    ("RKEY", r#"0 3 5 aGVsbG8="#),
    ("TALINK", r#"a b"#),
    ("CDS", r#"0 0 0 00"#),
    ("CDNSKEY", r#"0 3 0 AA=="#),
    ("OPENPGPKEY", r#"aGVsbG8gd29ybGQ="#),
    ("CSYNC", r#"66 3 A NS AAAA"#),
    ("ZONEMD", "2018031900 1 1 616c6c6f77656420616c6c6f77656420 627574206967627574206967"),
    ("SVCB", r#"16 foo alpn="h2,h3-19" mandatory=ipv4hint,alpn ipv4hint=192.0.2.1"#),
    ("SVCB", r#"0 foo"#),
    (
        "SVCB",
        r#"1 . key667="hello\210qoo" port=53 no-default-alpn alpn=bar ech=aA== dohpath=/q{?dns}"#,
    ),
    ("SVCB", r#"1 foo alpn="f\\\\oo\\,bar,h2""#),
    ("SVCB", r#"1 foo alpn=f\\\092oo\092,bar,h2"#),
    ("SVCB", r#"1 foo ipv6hint=2001:db8::1,2001:db8::53:1"#),
    ("HTTPS", r#"1 . alpn=h2"#),
    ("SPF", r#""v=spf1""#),
    ("NID", r#"10 14:4fff:ff20:ee64"#),
    ("L32", r#"10 10.1.2.0"#),
    ("L64", r#"10 2001:db8:1140:1000"#),
    ("LP", r#"10 l64"#),
    ("EUI48", r#"00-00-5e-00-53-2a"#),
    ("EUI64", r#"00-00-5e-ef-10-00-00-2A"#),
    ("URI", r#"10 1 "ftp://ftp1.example.com/public""#),
    ("CAA", r#"0 issue "ca.example.net; policy=ev""#),
    ("AVC", r#""app-name:WOLFGANG|app-class:OAM""#),
    ("DOA", r#"1 2 3 "text/plain" aGVsbG8="#),
    ("DOA", r#"1 2 3 "" -"#),
    ("AMTRELAY", r#"10 0 1 203.0.113.15"#),
    ("AMTRELAY", r#"10 0 0 ."#),
    ("AMTRELAY", r#"10 1 3 amtr"#),
    ("RESINFO", r#"qnamemin exterr=15,16"#),
    ("WALLET", r#""BTC" "addr""#),
    ("TA", r#"60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"#),
    ("DLV", r#"60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"#),
    ("DSYNC", "CDS NOTIFY 5359 rr-endpoint.example."),
    ("HHIT", "aGVsbG8gd29ybGQ="),
    ("BRID", "aGVsbG8gd29ybGQ="),
    ("CLA", "TCP-v4-v6"),
    ("IPN", "18446744073709551615"),
    ("TYPE65280", r#"\# 4 0a 000001"#),
    ("TYPE1", r#"\# 4 0a000001"#),
    ("A", r#"\# 4 0a000001"#),
    ("TYPE65281", r#"\# 0"#),
];

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
fn every_type_reads_what_it_writes() {
    for &(rtype, text) in RECORDS {
        let wire = read(rtype, text).unwrap_or_else(|code| panic!("{rtype} {text}: {code}"));
        let number = Rtype::parse(rtype).unwrap();
        assert!(write::check(number, &wire), "{rtype} {text}");
        let written = to_text(number, &wire);
        let is_generic = super::table::fields(number).is_none();
        assert_eq!(written.starts_with("\\#"), is_generic, "{rtype} {written}");
        assert_eq!(read(rtype, &written).as_deref(), Ok(&*wire), "{rtype} {written}");
        let generic = format!("\\# {} {}", wire.len(), HEXLOWER.encode(&wire));
        assert_eq!(read(rtype, &generic).as_deref(), Ok(&*wire), "{rtype} {generic}");
    }
}

#[test]
fn every_type_with_a_format_is_tried() {
    let tried: Vec<_> = RECORDS.iter().filter_map(|(rtype, _)| Rtype::parse(rtype)).collect();
    for number in 0..=u16::MAX {
        let rtype = Rtype(number);
        let has_format = super::table::fields(rtype).is_some();
        assert!(!has_format || tried.contains(&rtype), "{rtype} needs a record in RECORDS");
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
        row in 0..RECORDS.len(),
        noise in proptest::collection::vec(any::<u8>(), 0..40),
        keep in 0usize..60,
    ) {
        let (rtype, text) = RECORDS[row];
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
    fn any_text_is_read_or_refused(row in 0..RECORDS.len(), text in "[ -~]{0,60}") {
        let _ = read(RECORDS[row].0, &text);
    }
}
