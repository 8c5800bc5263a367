//! Policies within records: SPF, DMARC and CAA.

use super::super::check::{Check, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "caa-flags",
        severities: WARNING,
        title: "the flags of a CAA record are neither 0 nor 128",
        why: "Only the first bit means something: an authority that does not know the tag must not \
            issue. It is the highest bit, so that `critical` is 128; a 1 is ignored.",
        wrong: "@  CAA  1 issue \"ca.example.net\"",
        right: "@  CAA  128 issue \"ca.example.net\"",
        clause: "RFC 8659 §4.1",
    },
    Check {
        code: "caa-tag",
        severities: WARNING,
        title: "the tag of a CAA record is not a registered one",
        why: "Authorities act on issue, issuewild, issuemail, issuevmc and tell iodef, \
            contactemail and contactphone. A misspelt tag restricts nothing; a critical one that \
            nobody knows forbids every certificate.",
        wrong: "@  CAA  0 isue \"ca.example.net\"",
        right: "@  CAA  0 issue \"ca.example.net\"",
        clause: "RFC 8659 §4.1.1, §4.2",
    },
    Check {
        code: "caa-value",
        severities: WARNING,
        title: "the value of a CAA record is not what its tag takes",
        why: "`issue` takes the domain of an authority and parameters behind semicolons, or a \
            semicolon alone for nobody; `iodef` takes a URL. A malformed `issue` counts as one \
            that allows nobody.",
        wrong: "@  CAA  0 issue \"https://ca.example.net\"",
        right: "@  CAA  0 issue \"ca.example.net\"",
        clause: "RFC 8659 §4.2, §4.4",
    },
    Check {
        code: "dmarc-doubled",
        severities: WARNING,
        title: "a domain has two DMARC records",
        why: "With more than one, receivers act as if there were none.",
        wrong: "_dmarc  TXT  \"v=DMARC1; p=none\"\n\
            _dmarc  TXT  \"v=DMARC1; p=reject\"",
        right: "_dmarc  TXT  \"v=DMARC1; p=reject\"",
        clause: "RFC 7489 §6.6.3",
    },
    Check {
        code: "dmarc-syntax",
        severities: WARNING,
        title: "a DMARC record cannot be read as meant",
        why: "Receivers skip a record that does not begin with v=DMARC1 or lacks a p= that they \
            know, and skip each tag with a wrong value: the domain is then unprotected without \
            anybody noticing.",
        wrong: "_dmarc  TXT  \"v=DMARC1; policy=reject\"",
        right: "_dmarc  TXT  \"v=DMARC1; p=reject\"",
        clause: "RFC 7489 §6.3",
    },
    Check {
        code: "spf-after-all",
        severities: WARNING,
        title: "an SPF record goes on after `all`",
        why: "`all` matches every sender, so that what stands after it is never looked at. A \
            redirect is not either.",
        wrong: "@  TXT  \"v=spf1 -all include:_spf.example.net\"",
        right: "@  TXT  \"v=spf1 include:_spf.example.net -all\"",
        clause: "RFC 7208 §5.1",
    },
    Check {
        code: "spf-doubled",
        severities: WARNING,
        title: "a domain has two SPF records",
        why: "Two records are a permanent error: receivers treat mail as if the policy were \
            broken. Merge them into one.",
        wrong: "@  TXT  \"v=spf1 mx -all\"\n\
            @  TXT  \"v=spf1 include:_spf.example.net -all\"",
        right: "@  TXT  \"v=spf1 mx include:_spf.example.net -all\"",
        clause: "RFC 7208 §4.5",
    },
    Check {
        code: "spf-lookups",
        severities: WARNING,
        title: "an SPF record needs more than ten DNS lookups by itself",
        why: "include, a, mx, ptr, exists and redirect cost one each, and those of included \
            records count too. After ten the result is a permanent error.",
        wrong: "@  TXT  \"v=spf1 include:a.example include:b.example ... (eleven) -all\"",
        right: "@  TXT  \"v=spf1 include:_spf.example.net ip4:192.0.2.0/24 -all\"",
        clause: "RFC 7208 §4.6.4",
    },
    Check {
        code: "spf-passes-all",
        severities: WARNING,
        title: "an SPF record lets everybody send",
        why: "`+all`, or `all` without a sign, says that every host of the Internet may send mail \
            for the domain.",
        wrong: "@  TXT  \"v=spf1 mx +all\"",
        right: "@  TXT  \"v=spf1 mx -all\"",
        clause: "RFC 7208 §5.1",
    },
    Check {
        code: "spf-syntax",
        severities: WARNING,
        title: "an SPF record has a term that is none",
        why: "One malformed term makes the whole record a permanent error.",
        wrong: "@  TXT  \"v=spf1 ipv4:192.0.2.0/24 -all\"",
        right: "@  TXT  \"v=spf1 ip4:192.0.2.0/24 -all\"",
        clause: "RFC 7208 §4.6, §12",
    },
];
