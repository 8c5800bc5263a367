//! What is canonical, case by case: what an author may have written, and what fmt makes of it.

use super::format;
use crate::diagnostic::Diagnostic;
use crate::wire::Name;

fn formatted(text: &str) -> Result<String, Vec<Diagnostic>> {
    let origin = Name::parse("t.test.", &Name::root()).unwrap();
    format("zones/t.test.zone", text.as_bytes(), &origin)
        .map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Holds `text` formatted against `expected`, and `expected` against itself.
fn check(text: &str, expected: &str) {
    for text in [text, expected] {
        let found = formatted(text).unwrap_or_else(|said| panic!("{text}\n{said:?}"));
        assert!(found == expected, "{text}\nis formatted to\n{found}\nand not to\n{expected}");
    }
}

#[test]
fn columns_are_those_of_a_block() {
    check(
        "$ttl 1H\n@ 60 in a 192.0.2.1\n  aaaa 2001:DB8::0:1\nwww cname @\n\n\n\n_sip._tcp srv 1 2 3 sip\n\
              mail mx 10 @\n; x\nb txt c\n",
        "\
$TTL 1h
@       60    IN A     192.0.2.1
              IN AAAA  2001:db8::1
www           IN CNAME @

_sip._tcp       IN SRV   1 2 3 sip
mail            IN MX    10 @
; x
b       IN TXT   \"c\"
",
    );
}

#[test]
fn a_long_owner_moves_no_other() {
    check(
        "a A 192.0.2.1\nan-owner-of-no-less-than-32-chars A 192.0.2.2\n\n\
              sub.an-owner-of-no-less-than-32-chars A 192.0.2.3\n TXT x\n",
        "\
a       A     192.0.2.1
an-owner-of-no-less-than-32-chars A     192.0.2.2

sub.an-owner-of-no-less-than-32-chars   A     192.0.2.3
                                        TXT   \"x\"
",
    );
}

#[test]
fn the_first_record_decides_on_classes() {
    check(
        "a A 192.0.2.1\nb IN 60 A 192.0.2.2\n",
        "a             A     192.0.2.1\nb       60    A     192.0.2.2\n",
    );
    check(
        "$TTL 1\na 1 IN A 192.0.2.1\nb A 192.0.2.2\n",
        "$TTL 1\na       1     IN A     192.0.2.1\nb             IN A     192.0.2.2\n",
    );
}

#[test]
fn comments_stay_with_what_they_are_of() {
    check(
        "\u{feff};one\r\n\r\n  ;two  \r\na A 192.0.2.1;x\r\n  TXT y  ; z\r\n             ; more of z\r\n; new\r\n\
              b A 192.0.2.2 ; q\r\n ; far\r\n\r\n\r\n; end",
        "\
;one

;two
a       A     192.0.2.1 ;x
        TXT   \"y\"       ; z
                        ; more of z
; new
b       A     192.0.2.2 ; q
; far

; end
",
    );
}

#[test]
fn a_soa_on_several_lines_has_its_numbers_named() {
    let named = "\
@       SOA   ns1 hostmaster (
              1   ; serial
              2h  ; refresh
              15m ; retry
              1w  ; expire
              5m  ; negative TTL
              )
";
    check("@ SOA ns1 hostmaster ( 1 2H\n15M 1W 5M )", named);
    check("@ SOA ( ns1\nhostmaster\n\n1 2h 15m 1w 5m )\n", named);
    check(
        "@ SOA ns1 hostmaster ( 1 2h 15m 1w 5m )\n",
        "@       SOA   ns1 hostmaster 1 2h 15m 1w 5m\n",
    );
    check(
        "@ SOA ns1 ( ; primary\n hostmaster ; who\n; of the day\n2026112101 1\n 2 3 ; times\n 4 )\n",
        "\
@       SOA   ns1 ( ; primary
              hostmaster ; who
              ; of the day
              2026112101
              1
              2 3        ; times
              4
              )
",
    );
}

#[test]
fn long_records_are_folded_as_their_type_is_best_read() {
    let (key, part) = ("A".repeat(56), "B".repeat(52));
    check(
        &format!(
            "a DNSKEY 257 3 13 {key}{part}\n a6 DS 1 13 2 {} {}",
            "12".repeat(16),
            "34".repeat(16)
        )
        .replace("\n a6", "\n"),
        &format!(
            "\
a       DNSKEY 257 3 13 (
               {key}
               {part}
               )
        DS     1 13 2 {}{}
",
            "12".repeat(16),
            "34".repeat(16)
        ),
    );
    check(
        &format!(
            "a TXT \"{key}\" \"{part}\" ; both\nb TXT \"{key}{part}\" ; one\nc TXT ( x\n\ty ) ; two\n"
        ),
        &format!(
            "\
a       TXT   (
              \"{key}\"
              \"{part}\"
              ) ; both
b       TXT   \"{key}{part}\" ; one
c       TXT   (
              \"x\"
              \"y\"
              ) ; two
"
        ),
    );
    check(
        &format!("a HTTPS 1 . alpn=h2 key65333=\"{part}\" key65334={part}\n"),
        &format!(
            "\
a       HTTPS 1 . (
              alpn=h2
              key65333=\"{part}\"
              key65334={part}
              )
"
        ),
    );
    check(
        &format!("a NSEC {part}.t.test. A NS SOA MX TXT AAAA rrsig nsec type4711"),
        &format!(
            "\
a       NSEC  {part}.t.test. A NS SOA MX TXT AAAA (
              RRSIG NSEC TYPE4711
              )
"
        ),
    );
    check(
        "$TTL 1\n@ SOA a-rather-long-name-of-a-server.example.com. hostmaster.example.com. 2026112101 \
              7200 3600 1209600 3600",
        "\
$TTL 1
@       SOA   a-rather-long-name-of-a-server.example.com. hostmaster.example.com. (
              2026112101 ; serial
              7200       ; refresh
              3600       ; retry
              1209600    ; expire
              3600       ; negative TTL
              )
",
    );
}

#[test]
fn blobs_keep_their_comments() {
    let key = "A".repeat(48);
    check(
        &format!("a DNSKEY 257 3 13 ( ; ours\n {key}\n {key} ; last\n ) ; KSK\n"),
        &format!(
            "\
a       DNSKEY 257 3 13 ( ; ours
               {key}
               {key} ; last
               ) ; KSK
"
        ),
    );
    check(
        &format!("a DNSKEY 257 3 13 ( ; ours\n {key}\n {key} )\n"),
        &format!(
            "\
a       DNSKEY 257 3 13 (
               {key}{}
               {}
               ) ; ours
",
            "A".repeat(8),
            "A".repeat(40)
        ),
    );
    check(
        "a DS 1 13 2 ( ; ours\n 12\n 34 ) ; end\n",
        "a       DS    1 13 2 ( ; ours\n              1234\n              ) ; end\n",
    );
    check("a DS 1 13 2 ( ; ours\n 12\n 34 )\n", "a       DS    1 13 2 1234 ; ours\n");
}

#[test]
fn words_are_spelt_one_way() {
    check(
        "\\065\\.b\\@c TXT a\\;b \"c\\;d\\\"\\\\\" \\252\\010\\ \n\"x y\" TXT caf\u{e9} \"\"\n",
        "A\\.b\\@c TXT   \"a;b\" \"c;d\\\"\\\\\" \"\\252\\010 \"\nx\\032y  TXT   \"caf\u{e9}\" \"\"\n",
    );
    check(
        "a TYPE65280 \\# 3 AB cd 01\na caa 0 issue \\;\na hinfo PC \"a b\"\n",
        "a       TYPE65280 \\# 3 ABcd01\na       CAA   0 issue \";\"\na       HINFO \"PC\" \"a b\"\n",
    );
    check(
        "a NAPTR 1 2 s SIP+D2U !^.*$!sip:a@b! _sip._udp\na HTTPS 1 . alpn=\"h2\" port=1\n",
        "a       NAPTR 1 2 \"s\" \"SIP+D2U\" \"!^.*$!sip:a@b!\" _sip._udp\na       HTTPS 1 . alpn=\"h2\" port=1\n",
    );
}

#[test]
fn directives_stay_where_they_are_and_as_they_are() {
    check(
        "$ORIGIN  A.test.  ; one\n$TTL 300;two\n$generate 1-2  a$ ( cname\tb$ )\n\n$INCLUDE \"x y.zone\" sub\n\
              a A 192.0.2.1\n",
        "\
$ORIGIN A.test. ; one
$TTL 300        ;two
$GENERATE 1-2 a$ cname b$

$INCLUDE \"x y.zone\" sub
a       A     192.0.2.1
",
    );
}

#[test]
fn parentheses_in_strange_places_lose_nothing() {
    for text in [
        "( ; one\na A ; two\n192.0.2.1 ; three\n) ; four\n",
        "a ( ; one\n ; two\n\n A 192.0.2.1 )\n",
        "a A (\n192.0.2.1\n)\n",
        "(a)(A)(192.0.2.1)\n",
        "( ; nothing\n)\na A 192.0.2.1\n",
        "$TTL ( 5 ; five\n ) ; six\na A 192.0.2.1",
        "a APL ; none\n APL ( ; none\n ) ; at all\n",
        "a TXT ( ; one\n x ; two\n   ; three\n ; four\n ) ; five\n ; six\n",
    ] {
        let once = formatted(text).unwrap_or_else(|said| panic!("{text}\n{said:?}"));
        assert_eq!(formatted(&once).as_ref(), Ok(&once), "{text}");
    }
}

#[test]
fn a_file_with_mistakes_is_told_and_not_formatted() {
    for (text, code) in [("a A 1.2.3", "bad-address"), ("a (", "unbalanced-parenthesis")] {
        assert_eq!(formatted(text).unwrap_err()[0].code, code, "{text}");
    }
    check("", "");
    check("\n\n \n", "");
}
