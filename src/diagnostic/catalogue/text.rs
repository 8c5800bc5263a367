//! The text of zone files: words, fields and lines that cannot be read.

use super::super::check::{Check, EITHER, ERROR, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "bad-address",
        severities: ERROR,
        title: "what should be an address is none",
        why: "An address record holds exactly one address, written out. Octets above 255, leading \
            zeros and host names are no addresses, and a guess at what was meant could send \
            clients to a stranger.",
        wrong: "www  A     192.0.2.999",
        right: "www  A     192.0.2.99",
        clause: "RFC 1035 §3.4.1, RFC 3596 §2.4",
    },
    Check {
        code: "bad-encoding",
        severities: ERROR,
        title: "digits of a key, hash, salt or digest do not decode",
        why: "Hexadecimal, base32hex and base64 data has to be whole: a digit lost while copying \
            makes another key of it. Look for a cut end, or for a letter that is no digit of the \
            alphabet.",
        wrong: "@  DS  2371 13 2 1F987CC6583E92DF0890718C4",
        right: "@  DS  2371 13 2 1F987CC6583E92DF0890718C42A1B2C3...",
        clause: "RFC 4648",
    },
    Check {
        code: "bad-escape",
        severities: ERROR,
        title: "a backslash is followed by neither three digits nor a character",
        why: "In a master file \\DDD is the octet with that decimal number, up to \\255, and \\X \
            is X itself. Anything else has no meaning, and servers would read it differently.",
        wrong: "txt  TXT  \"50\\3 off\"",
        right: "txt  TXT  \"50\\037 off\"",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "bad-generate",
        severities: ERROR,
        title: "a $GENERATE line has no usable range or pattern",
        why: "$GENERATE makes one record for each number of its range, start-stop or \
            start-stop/step. A range that runs backwards or a modifier that is none makes \
            nothing, and silently nothing is what nobody asked for.",
        wrong: "$GENERATE 10-1 host$ A 192.0.2.$",
        right: "$GENERATE 1-10 host$ A 192.0.2.$",
        clause: "BIND 9 Administrator Reference Manual, The $GENERATE Directive",
    },
    Check {
        code: "bad-name",
        severities: ERROR,
        title: "a word is no domain name, or no name for a region, pool or policy",
        why: "Labels hold 1 to 63 octets and a name 255; an empty label stands at the end only. \
            Regions, pools and policies are named with letters, digits, hyphens and underscores, \
            since their names stand in subjects such as fra/web/192.0.2.10.",
        wrong: "www..example.com.  A  192.0.2.1",
        right: "www.example.com.   A  192.0.2.1",
        clause: "RFC 1035 §2.3.4",
    },
    Check {
        code: "bad-number",
        severities: ERROR,
        title: "a field that takes a number holds something else, or too much",
        why: "Preferences, weights, ports and the like are whole numbers within the width of their \
            field. What does not fit cannot be sent.",
        wrong: "@  MX  ten   mail",
        right: "@  MX  10    mail",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "bad-parameter",
        severities: ERROR,
        title: "a service parameter of SVCB or HTTPS cannot stand as it is",
        why: "Each key has its own form of value, stands once, and what `mandatory` lists has to \
            be there. Clients ignore a malformed record whole, so that a service with one slip \
            has no record at all.",
        wrong: "@  HTTPS  1 . alpn=h2 alpn=h3",
        right: "@  HTTPS  1 . alpn=h2,h3",
        clause: "RFC 9460 §2.1, §8",
    },
    Check {
        code: "bad-rdata",
        severities: ERROR,
        title: "the data of a record does not make a record of its type",
        why: "Lengths that do not match, or fields that exclude each other. In the generic form \
            (\\# length octets) the length counts the octets that follow.",
        wrong: "host  TYPE65280  \\# 3 0A00",
        right: "host  TYPE65280  \\# 2 0A00",
        clause: "RFC 3597 §5",
    },
    Check {
        code: "bad-string",
        severities: ERROR,
        title: "a character string cannot stand as it is",
        why: "This field takes a string of a given form, such as the digits of an X.121 or ISDN \
            address.",
        wrong: "host  X25  3110abc",
        right: "host  X25  311061700956",
        clause: "RFC 1183 §3.1",
    },
    Check {
        code: "bad-time",
        severities: ERROR,
        title: "what should be a time of a signature is none",
        why: "Signature times are written YYYYMMDDHHmmSS in UTC, or as seconds since 1970. Another \
            form would be read as another time, and a signature with a wrong time is a broken \
            one.",
        wrong: "@  RRSIG  SOA 13 2 3600 2026-12-01 ...",
        right: "@  RRSIG  SOA 13 2 3600 20261201000000 ...",
        clause: "RFC 4034 §3.2",
    },
    Check {
        code: "bad-ttl",
        severities: ERROR,
        title: "what should be a time to live is none",
        why: "A TTL is a number of seconds, or numbers with the units w, d, h, m and s.",
        wrong: "$TTL  1 hour",
        right: "$TTL  1h",
        clause: "RFC 2308 §4",
    },
    Check {
        code: "class-not-in",
        severities: ERROR,
        title: "a record is of another class than IN",
        why: "Only the Internet class is served: CH and HS records answer other questions, and in \
            a zone of class IN they have no place.",
        wrong: "version  CH  TXT  \"1.0\"",
        right: "version  IN  TXT  \"1.0\"",
        clause: "RFC 1035 §3.2.4",
    },
    Check {
        code: "directive-indented",
        severities: ERROR,
        title: "white space stands before a directive",
        why: "A line that begins with white space is a record of the owner before. BIND reads an indented \
            directive as such a record and refuses it, so the file would mean two things.",
        wrong: "  $TTL 3600",
        right: "$TTL 3600",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "field-extra",
        severities: ERROR,
        title: "a line goes on after all that its type or directive takes",
        why: "What follows the last field is most often text without its quotes, a comment without \
            its semicolon, or two records on one line. To leave it out would lose something that \
            was meant.",
        wrong: "www  A    192.0.2.1  main server",
        right: "www  A    192.0.2.1  ; main server",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "field-missing",
        severities: ERROR,
        title: "a record or directive ends before all its fields are there",
        why: "The type is followed by each of its fields, in order. An MX without preference, or a \
            SOA without its five numbers, is the usual case.",
        wrong: "@  MX  mail",
        right: "@  MX  10 mail",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "file-is-utf16",
        severities: ERROR,
        title: "the file is UTF-16 text",
        why: "Some editors save two octets for each character. A master file is octets, of which names and \
            directives are ASCII; nothing in such a file can be read.",
        wrong: "an example.com.zone saved as Unicode",
        right: "the same file saved as UTF-8, or as plain ASCII",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "file-too-large",
        severities: ERROR,
        title: "a file is larger than can be read",
        why: "Files have a bound, so that no mistake fills the memory of a name server.",
        wrong: "zones/example.com.zone of 3 GiB",
        right: "a zone split at its delegations into several files",
        clause: "README.md, Promises",
    },
    Check {
        code: "fmt-would-change",
        severities: ERROR,
        title: "what fmt would write does not read as what was there",
        why: "`homing fmt` reads what it writes before it replaces a file, and leaves the file alone if any \
            record differs. This is a fault of ours: please report it with the lines around.",
        wrong: "(none: it is our mistake)",
        right: "the file as it is",
        clause: "zones/README.md, Canonical form",
    },
    Check {
        code: "generic-form-needed",
        severities: ERROR,
        title: "a type without a text form of its own is written as if it had one",
        why: "Of types that have no presentation format only the octets are known: they are \
            written \\# length hexadecimal.",
        wrong: "host  TYPE65280  hello",
        right: "host  TYPE65280  \\# 5 68656C6C6F",
        clause: "RFC 3597 §5",
    },
    Check {
        code: "include-failed",
        severities: ERROR,
        title: "an included file is not there, or may not be read from here",
        why: "Paths are relative to the file that includes, and stay inside the zone folder. \
            Includes that nest deeper than ten files, or in a circle, are refused too.",
        wrong: "$INCLUDE ../secret/hosts.inc",
        right: "$INCLUDE hosts.inc",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "meta-type",
        severities: EITHER,
        title: "a type that can only be asked for stands in the zone",
        why: "ANY, AXFR, OPT, TSIG and the like are questions or parts of messages. No server can \
            answer with one from a zone. In its generic form (TYPE255) other servers load such a \
            record and can do nothing with it: there it is left out with a warning.",
        wrong: "www  ANY  192.0.2.1",
        right: "www  A    192.0.2.1",
        clause: "RFC 6895 §3.1",
    },
    Check {
        code: "more",
        severities: EITHER,
        title: "more was found than is told",
        why: "Of one file, a hundred mistakes and remarks are told, errors before warnings; the \
            rest is counted. Mend the first ones: what is left shows itself then.",
        wrong: "a file with 3,000 lines of one mistake",
        right: "the same file, mended at its cause",
        clause: "README.md, Promises",
    },
    Check {
        code: "owner-missing",
        severities: ERROR,
        title: "a line takes its owner from the record before, and there is none",
        why: "A line that begins with white space belongs to the owner above it. As the first \
            record of a file it belongs to nobody.",
        wrong: "   A  192.0.2.1",
        right: "@  A  192.0.2.1",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "quoted-word",
        severities: ERROR,
        title: "quotes stand around what is no string",
        why: "Quotes belong to character strings. Around a name, a TTL, a class, a type or a number some \
            servers take them for a part of the word and others do not.",
        wrong: "www  A  \"192.0.2.1\"",
        right: "www  A  192.0.2.1",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "rdata-too-long",
        severities: ERROR,
        title: "the data of a record is longer than 65,535 octets",
        why: "The length of record data is a 16-bit number, so that such a record cannot be sent.",
        wrong: "big  TXT  (600 strings of 255 octets)",
        right: "big  TXT  (fewer of them)",
        clause: "RFC 1035 §3.2.1",
    },
    Check {
        code: "string-too-long",
        severities: ERROR,
        title: "a character string is longer than 255 octets",
        why: "The length of a string is one octet. Long texts, such as DKIM keys, are written as \
            several strings in one record; readers join them without a space.",
        wrong: "k._domainkey  TXT  \"v=DKIM1; p=MIIBIjANBg...(400 characters)\"",
        right: "k._domainkey  TXT  \"v=DKIM1; p=MIIBIjANBg...\" \"...(the rest)\"",
        clause: "RFC 1035 §3.3, RFC 7208 §3.3",
    },
    Check {
        code: "too-many-records",
        severities: ERROR,
        title: "a zone has more records than can be served",
        why: "A bound far above any zone known, so that no $GENERATE fills the memory.",
        wrong: "$GENERATE 1-4294967295 h$ A 192.0.2.1",
        right: "*.h  A  192.0.2.1",
        clause: "README.md, Promises",
    },
    Check {
        code: "ttl-missing",
        severities: WARNING,
        title: "nothing says how long the records may be kept",
        why: "Neither the record, nor a $TTL before it, nor an earlier record gives a TTL. The \
            SOA's minimum was the default before 1998; servers differ in what they take today.",
        wrong: "@    SOA  ns1 hostmaster 1 7200 900 1209600 300",
        right: "$TTL 3600\n\
            @    SOA  ns1 hostmaster 1 7200 900 1209600 300",
        clause: "RFC 2308 §4",
    },
    Check {
        code: "ttl-too-large",
        severities: WARNING,
        title: "a TTL is larger than a TTL can be",
        why: "A TTL has 31 bits. Resolvers take a larger one as 0, which is the opposite of what \
            was meant.",
        wrong: "$TTL  4000000000",
        right: "$TTL  604800",
        clause: "RFC 2181 §8",
    },
    Check {
        code: "unbalanced-parenthesis",
        severities: ERROR,
        title: "a parenthesis is opened and not closed, or closed and not opened",
        why: "Within parentheses a record goes on over line ends. One that is never closed would \
            swallow the rest of the file, so reading goes on at the next line that begins with \
            no white space.",
        wrong: "@  SOA  ns1 hostmaster (1 7200 900 1209600 300",
        right: "@  SOA  ns1 hostmaster (1 7200 900 1209600 300)",
        clause: "RFC 1035 §5.1",
    },
    Check {
        code: "unknown-directive",
        severities: ERROR,
        title: "a line begins with a dollar sign and a word that is no directive",
        why: "Known are $ORIGIN, $TTL, $INCLUDE and $GENERATE. To skip an unknown one would serve \
            a zone without what it should have brought.",
        wrong: "$ORIGN  example.com.",
        right: "$ORIGIN example.com.",
        clause: "RFC 1035 §5.1, RFC 2308 §4",
    },
    Check {
        code: "unknown-type",
        severities: ERROR,
        title: "a word stands where a type should, and is none",
        why: "A line is owner, TTL, class, type and data. Misspelt types, and TTLs with a blank \
            inside, end up here. A type that has no name here is written TYPE and its number.",
        wrong: "www  AAA   2001:db8::1",
        right: "www  AAAA  2001:db8::1",
        clause: "RFC 1035 §5.1, RFC 3597 §5",
    },
    Check {
        code: "unterminated-string",
        severities: ERROR,
        title: "a line ends within quotes",
        why: "Quoted text ends on its line. A forgotten quote would make one string of all that \
            follows.",
        wrong: "txt  TXT  \"v=spf1 -all",
        right: "txt  TXT  \"v=spf1 -all\"",
        clause: "RFC 1035 §5.1",
    },
];
