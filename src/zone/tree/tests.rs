//! Questions and answers by the clauses that decide them.

use std::sync::Arc;

use crate::wire::{Name, Rtype};

use super::super::parser::parse;
use super::super::rdata::to_text;
use super::super::rrset::Zone;
use super::{Record, answer};

fn zone(origin: &str, text: &str) -> Zone {
    let origin = Name::parse(origin, &Name::root()).unwrap();
    let none = |_: &str, _: &str| -> Result<(String, Arc<[u8]>), String> { Err(String::new()) };
    let parsed = parse("z", text.as_bytes(), &origin, &none);
    parsed.zone.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}

fn zones() -> Vec<Zone> {
    let long = "l".repeat(60);
    let text = format!(
        "@ 600 SOA ns h 1 2 3 4 300\n 600 NS ns\nns A 192.0.2.1\na.ent TXT x\n*.w A 192.0.2.2\n\
         b.*.v TXT x\nc CNAME d\nd CNAME x.w\nloop CNAME pool\n\
         pool CNAME loop\nout CNAME o.b.test.\n\
         lost CNAME nx\ndn DNAME t\ny.t A 192.0.2.3\nfar DNAME {long}.{long}.{long}.b.test.\n\
         sub NS n.sub\nsub NS sib\nn.sub A 192.0.2.4\nsib AAAA ::4\n\
         x.sub TXT hidden\n\
         sub.c2 NS .\ntocut CNAME q.sub\nboth A 192.0.2.9\nboth TXT x\n"
    );
    vec![
        zone("a.test.", &text),
        zone("b.test.", "@ 60 SOA . . 1 2 3 4 300\n NS .\no A 192.0.2.5\n"),
    ]
}

fn shown(records: &[Record]) -> String {
    let line = |r: &Record| {
        format!("{} {} {} {}", r.owner, r.ttl.as_secs(), r.rtype, to_text(r.rtype, &r.rdata))
    };
    records.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn check(zones: &[Zone], question: &str, dnssec_ok: bool, expected: &str) {
    let (qname, qtype) = question.split_once(' ').unwrap();
    let qname = Name::parse(qname, &Name::root()).unwrap();
    let got = answer(zones, &qname, Rtype::parse(qtype).unwrap(), dnssec_ok);
    let aa = if got.authoritative { " aa" } else { "" };
    let (answer, authority) = (shown(&got.answer), shown(&got.authority));
    let text = format!("{}{aa} | {answer} | {authority} | {}", got.rcode, shown(&got.additional));
    assert_eq!(text, expected, "{question}");
}

#[test]
fn answers_by_the_book() {
    let zones = zones();
    let soa = "a.test. 300 SOA ns.a.test. h.a.test. 1 2 3 4 300";
    let referral = "sub.a.test. 600 NS n.sub.a.test.; sub.a.test. 600 NS sib.a.test. | \
                    sib.a.test. 600 AAAA ::4; n.sub.a.test. 600 A 192.0.2.4";
    for (question, expected) in [
        ("NS.a.test. A", "NOERROR aa | NS.a.test. 600 A 192.0.2.1 |  | ".to_owned()),
        ("c.test. A", "REFUSED |  |  | ".to_owned()),
        // RFC 2308 §2.1, §2.2, and the TTL of §3.
        ("nx.a.test. A", format!("NXDOMAIN aa |  | {soa} | ")),
        ("ns.a.test. TXT", format!("NOERROR aa |  | {soa} | ")),
        // RFC 4592 §2.2.2, §3.3.1: empty non-terminals exist, also as a source of synthesis.
        ("ent.a.test. A", format!("NOERROR aa |  | {soa} | ")),
        ("q.ent.a.test. A", format!("NXDOMAIN aa |  | {soa} | ")),
        ("p.q.w.a.test. A", "NOERROR aa | p.q.w.a.test. 600 A 192.0.2.2 |  | ".to_owned()),
        ("p.w.a.test. TXT", format!("NOERROR aa |  | {soa} | ")),
        ("p.v.a.test. TXT", format!("NOERROR aa |  | {soa} | ")),
        // RFC 1034 §4.3.2 step 3a: the chain, within a zone and into another.
        (
            "c.a.test. A",
            "NOERROR aa | c.a.test. 600 CNAME d.a.test.; d.a.test. 600 CNAME x.w.a.test.; \
                         x.w.a.test. 600 A 192.0.2.2 |  | "
                .to_owned(),
        ),
        ("c.a.test. CNAME", "NOERROR aa | c.a.test. 600 CNAME d.a.test. |  | ".to_owned()),
        (
            "loop.a.test. A",
            "NOERROR aa | loop.a.test. 600 CNAME pool.a.test.; \
                            pool.a.test. 600 CNAME loop.a.test. |  | "
                .to_owned(),
        ),
        ("lost.a.test. A", format!("NXDOMAIN aa | lost.a.test. 600 CNAME nx.a.test. | {soa} | ")),
        (
            "tocut.a.test. A",
            format!("NOERROR aa | tocut.a.test. 600 CNAME q.sub.a.test. | {referral}"),
        ),
        (
            "out.a.test. A",
            "NOERROR aa | out.a.test. 600 CNAME o.b.test.; o.b.test. 60 A 192.0.2.5 |  | "
                .to_owned(),
        ),
        // RFC 6672 §3.1, §2.2.
        (
            "y.dn.a.test. A",
            "NOERROR aa | dn.a.test. 600 DNAME t.a.test.; \
                            y.dn.a.test. 600 CNAME y.t.a.test.; y.t.a.test. 600 A 192.0.2.3 |  | "
                .to_owned(),
        ),
        ("dn.a.test. A", format!("NOERROR aa |  | {soa} | ")),
        // RFC 1034 §4.2.1: cuts; RFC 4035 §3.1.4.1: DS is the parent's.
        ("sub.a.test. NS", format!("NOERROR |  | {referral}")),
        ("x.sub.a.test. TXT", format!("NOERROR |  | {referral}")),
        ("sub.a.test. DS", format!("NOERROR aa |  | {soa} | ")),
        ("q.sub.a.test. DS", format!("NOERROR |  | {referral}")),
        // RFC 8482 §4.1.
        ("both.a.test. ANY", "NOERROR aa | both.a.test. 600 A 192.0.2.9 |  | ".to_owned()),
    ] {
        check(&zones, question, false, &expected);
    }
    let long = format!("{0}.{0}.far.a.test. A", "m".repeat(60));
    let qname = Name::parse(long.trim_end_matches(" A"), &Name::root()).unwrap();
    assert_eq!(answer(&zones, &qname, Rtype::A, false).rcode, crate::wire::Rcode::YXDOMAIN);
}

#[test]
fn ds_is_asked_of_the_parent_zone() {
    let parent = zone(
        "test.",
        "@ 60 SOA . . 1 2 3 4 60\n NS .\na NS ns.a\nns.a A 192.0.2.1\na DS 1 8 1 00\n",
    );
    let mut both = zones();
    check(
        &both,
        "a.test. DS",
        false,
        "NOERROR aa |  | a.test. 300 SOA ns.a.test. h.a.test. 1 2 3 4 300 | ",
    );
    both.push(parent);
    check(&both, "a.test. DS", false, "NOERROR aa | a.test. 60 DS 1 8 1 00 |  | ");
    check(
        &both,
        "a.test. NS",
        false,
        "NOERROR aa | a.test. 600 NS ns.a.test. |  | ns.a.test. 600 A 192.0.2.1",
    );
}

// RFC 1034 §4.3.2 step 6, RFC 1035 §3.3.9, RFC 2782: what the next question would be is answered too.
#[test]
fn addresses_of_targets_come_along() {
    let text = "@ 60 SOA . . 1 2 3 4 60\n NS z\n NS Ns\n NS o.b.test.\nz AAAA ::1\n\
                ns A 192.0.2.1\nns A 192.0.2.2\nns AAAA ::2\n\
                mail MX 20 ns\nmail MX 10 alias\nmail MX 30 z\nmail MX 40 Z\n\
                _s._tcp SRV 1 1 443 z\n_s._tcp SRV 1 1 80 .\nalias CNAME mail\n\
                top CNAME @\n*.w MX 1 z\nsvc HTTPS 1 z\nsub NS n.sub\nn.sub A 192.0.2.3\n\
                in MX 1 n.sub\ncut CNAME x.sub\n";
    let zones = [zone("t.", text)];
    let soa = "t. 60 SOA . . 1 2 3 4 60";
    let ns = "ns.t. 60 A 192.0.2.1; ns.t. 60 A 192.0.2.2; ns.t. 60 AAAA ::2";
    let apex = "t. 60 NS z.t.; t. 60 NS Ns.t.; t. 60 NS o.b.test.";
    let mail = "mail.t. 60 MX 20 ns.t.; mail.t. 60 MX 10 alias.t.; mail.t. 60 MX 30 z.t.; \
                mail.t. 60 MX 40 Z.t.";
    for (question, expected) in [
        // In canonical order of the targets, each once, A before AAAA; those outside are not known.
        ("t. NS", format!("NOERROR aa | {apex} |  | {ns}; z.t. 60 AAAA ::1")),
        // An alias among the targets is not followed.
        ("mail.t. MX", format!("NOERROR aa | {mail} |  | {ns}; z.t. 60 AAAA ::1")),
        (
            "_s._tcp.t. SRV",
            "NOERROR aa | _s._tcp.t. 60 SRV 1 1 443 z.t.; _s._tcp.t. 60 SRV 1 1 80 . |  | \
             z.t. 60 AAAA ::1"
                .to_owned(),
        ),
        ("q.w.t. MX", "NOERROR aa | q.w.t. 60 MX 1 z.t. |  | z.t. 60 AAAA ::1".to_owned()),
        // Glue, where an answer points at it.
        ("in.t. MX", "NOERROR aa | in.t. 60 MX 1 n.sub.t. |  | n.sub.t. 60 A 192.0.2.3".to_owned()),
        ("svc.t. HTTPS", "NOERROR aa | svc.t. 60 HTTPS 1 z.t. |  | ".to_owned()),
        // The last RRset of a chain decides.
        (
            "alias.t. MX",
            format!("NOERROR aa | alias.t. 60 CNAME mail.t.; {mail} |  | {ns}; z.t. 60 AAAA ::1"),
        ),
        ("alias.t. CNAME", "NOERROR aa | alias.t. 60 CNAME mail.t. |  | ".to_owned()),
        ("alias.t. A", format!("NOERROR aa | alias.t. 60 CNAME mail.t. | {soa} | ")),
        (
            "top.t. NS",
            format!("NOERROR aa | top.t. 60 CNAME t.; {apex} |  | {ns}; z.t. 60 AAAA ::1"),
        ),
        (
            "cut.t. MX",
            "NOERROR aa | cut.t. 60 CNAME x.sub.t. | sub.t. 60 NS n.sub.t. | \
             n.sub.t. 60 A 192.0.2.3"
                .to_owned(),
        ),
    ] {
        check(&zones, question, false, &expected);
    }
}

#[test]
fn nsec_proves_what_is_not() {
    let sig = |rtype: &str| format!("RRSIG {rtype} 8 1 60 20300101000000 20240101000000 1 t. AA==");
    let text = format!(
        "@ 60 SOA . . 1 2 3 4 60\n {}\n NS .\n NSEC *.w SOA NS\n {}\n\
         *.w A 192.0.2.1\n {}\n NSEC z A\n {}\n\
         z NS .\n NSEC @ NS\n {}\n",
        sig("SOA"),
        sig("NSEC"),
        sig("A"),
        sig("NSEC"),
        sig("NSEC"),
    );
    let zones = [zone("t.", &text)];
    let rrsig = |owner: &str, rtype: &str| format!("{owner} 60 {}", sig(rtype));
    let soa = format!("t. 60 SOA . . 1 2 3 4 60; {}", rrsig("t.", "SOA"));
    let apex = format!("t. 60 NSEC *.w.t. NS SOA; {}", rrsig("t.", "NSEC"));
    let wild = format!("*.w.t. 60 NSEC z.t. A; {}", rrsig("*.w.t.", "NSEC"));
    let cut = format!("z.t. 60 NSEC t. NS; {}", rrsig("z.t.", "NSEC"));
    let a = format!("q.w.t. 60 A 192.0.2.1; {}", rrsig("q.w.t.", "A"));
    for (question, expected) in [
        ("a.t. A", format!("NXDOMAIN aa |  | {soa}; {apex} | ")),
        ("t. TXT", format!("NOERROR aa |  | {soa}; {apex} | ")),
        ("w.t. TXT", format!("NOERROR aa |  | {soa}; {apex} | ")),
        ("q.w.t. A", format!("NOERROR aa | {a} | {wild} | ")),
        ("q.w.t. TXT", format!("NOERROR aa |  | {soa}; {wild} | ")),
        ("z.t. A", format!("NOERROR |  | z.t. 60 NS .; {cut} | ")),
        ("z.t. DS", format!("NOERROR aa |  | {soa}; {cut} | ")),
    ] {
        check(&zones, question, true, &expected);
    }
}
