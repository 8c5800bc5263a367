//! Answers from zones laid out by hand, decoded by somebody else's parser. Whole zones are asked over the wire in
//! `tests/conformance`.

use std::sync::Arc;

use hickory_proto::op::Message;

use super::*;
use crate::answer::{Address, Catalog, ImageWriter, NodeParts, RrsetParts, Seed};
use crate::number::Ttl;
use crate::trace::Silent;
use crate::wire::{Name, Rtype};

type Rdata = Box<[u8]>;
type Owned = (Name, Vec<(Rtype, Vec<Rdata>)>);

fn name(text: &str) -> Name {
    Name::parse(text, &Name::root()).unwrap()
}

fn wire(text: &str) -> Rdata {
    name(text).as_wire().into()
}

fn soa(mname: &str) -> Rdata {
    let numbers = [9u32, 7200, 3600, 86400, 60].map(u32::to_be_bytes).concat();
    [&wire(mname)[..], &wire("hostmaster.a.test."), &numbers].concat().into()
}

/// a.test. with one of everything, in canonical order.
fn snapshot() -> Snapshot {
    let seed = Seed::new(42);
    let zone: Vec<Owned> = vec![
        (
            name("a.test."),
            vec![(Rtype::NS, vec![wire("ns.a.test.")]), (Rtype::SOA, vec![soa("ns.A.test.")])],
        ),
        (name("alias.a.test."), vec![(Rtype::CNAME, vec![wire("www.a.test.")])]),
        (name("cut.a.test."), vec![(Rtype::NS, vec![wire("ns.cut.a.test."), wire("ns.b.test.")])]),
        (name("ns.cut.a.test."), vec![(Rtype::A, vec![[192, 0, 2, 3].into()])]),
        (name("old.a.test."), vec![(Rtype::DNAME, vec![wire("somewhere.quite.new.test.")])]),
        (name("loop.a.test."), vec![(Rtype::CNAME, vec![wire("loop.a.test.")])]),
        (name("ns.a.test."), vec![(Rtype::A, vec![[192, 0, 2, 1].into()])]),
        (name("*.wild.a.test."), vec![(Rtype::CNAME, vec![wire("alias.a.test.")])]),
        (name("stale.a.test."), vec![(Rtype::CNAME, vec![wire("x.broken.")])]),
        (name("www.a.test."), vec![(Rtype::A, vec![[192, 0, 2, 7].into(), [192, 0, 2, 8].into()])]),
    ];
    let mut zone = zone;
    zone.sort_by(|a, b| a.0.cmp(&b.0));
    let mut writer = ImageWriter::new(&seed, &name("a.test."), zone.len());
    let ttl = Ttl::from_secs(300);
    let (glue, address) = (name("ns.cut.a.test."), [192, 0, 2, 3]);
    let address = Address { owner: glue, rtype: Rtype::A, ttl, rdata: &address };
    for (owner, rrsets) in &zone {
        let is_cut = *owner == name("cut.a.test.");
        let parts = rrsets.iter().map(|(rtype, rdata)| RrsetParts {
            rtype: *rtype,
            ttl,
            rdata: rdata.iter().map(|rdata| &**rdata).collect(),
            signatures: Vec::new(),
            additional: if is_cut { vec![address.clone()] } else { Vec::new() },
            additional_signatures: Vec::new(),
        });
        writer.node(&NodeParts { owner, rrsets: parts.collect(), policy: None });
    }
    let catalog =
        Catalog::compose(seed.clone(), vec![Arc::new(writer.finish())], &[name("broken.")]);
    Snapshot {
        generation: crate::number::Generation(3),
        revision: Default::default(),
        digest: Default::default(),
        catalog: Arc::new(catalog),
        plans: Arc::new([]),
        table: Default::default(),
        steered: Default::default(),
    }
}

fn request(qname: &str, qtype: Rtype, qclass: u16) -> Vec<u8> {
    let mut request = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    request.extend_from_slice(name(qname).as_wire());
    request.extend_from_slice(&qtype.0.to_be_bytes());
    request.extend_from_slice(&qclass.to_be_bytes());
    request
}

/// The response in words: code, flags, and each section's records.
fn ask(qname: &str, qtype: Rtype) -> String {
    show(&request(qname, qtype, 1))
}

fn show(request: &[u8]) -> String {
    let mut response = [0; UDP_PAYLOAD_MAX];
    let site = Site { name: "fra1".into(), ..Site::default() };
    let mut core = Core::new(Arc::new(site), Arc::default());
    let client = "192.0.2.200".parse().unwrap();
    let transport = Transport::Udp;
    let exchange = Exchange { request, client, transport, now_secs: 0, response: &mut response };
    let outcome = super::respond(&snapshot(), exchange, &mut core, &mut Silent);
    if outcome.len == 0 {
        return "silence".into();
    }
    let message = Message::from_vec(&response[..outcome.len]).unwrap();
    let records = |section: &[hickory_proto::rr::Record]| {
        let one =
            |r: &hickory_proto::rr::Record| format!("{} {} {}", r.name, r.record_type(), r.data);
        section.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    format!(
        "{:?}{}{} | {} | {} | {}",
        message.metadata.response_code,
        if message.metadata.authoritative { " aa" } else { "" },
        if message.metadata.truncation { " tc" } else { "" },
        records(&message.answers),
        records(&message.authorities),
        records(&message.additionals),
    )
}

const SOA: &str = "a.test. SOA ns.a.test. hostmaster.a.test. 9 7200 3600 86400 60";

#[test]
fn every_kind_of_answer() {
    let www = "www.a.test. A 192.0.2.7, www.a.test. A 192.0.2.8";
    let alias = format!("alias.a.test. CNAME www.a.test., {www}");
    let cases = [
        ("www.a.test.", Rtype::A, format!("NoError aa | {www} |  | ")),
        ("WWW.a.test.", Rtype::AAAA, format!("NoError aa |  | {SOA} | ")),
        ("a.test.", Rtype::SOA, format!("NoError aa | {SOA} |  | ")),
        ("x.a.test.", Rtype::A, format!("NXDomain aa |  | {SOA} | ")),
        ("x.y.z.www.a.test.", Rtype::A, format!("NXDomain aa |  | {SOA} | ")),
        ("alias.a.test.", Rtype::A, format!("NoError aa | {alias} |  | ")),
        (
            "alias.a.test.",
            Rtype::CNAME,
            "NoError aa | alias.a.test. CNAME www.a.test. |  | ".into(),
        ),
        // RFC 4592 §2.2.2: an empty non-terminal exists.
        ("wild.a.test.", Rtype::A, format!("NoError aa |  | {SOA} | ")),
        (
            "q.wild.a.test.",
            Rtype::A,
            format!("NoError aa | q.wild.a.test. CNAME alias.a.test., {alias} |  | "),
        ),
        (
            "x.cut.a.test.",
            Rtype::A,
            "NoError |  | cut.a.test. NS ns.cut.a.test., cut.a.test. NS ns.b.test. | \
             ns.cut.a.test. A 192.0.2.3"
                .into(),
        ),
        // RFC 4035 §3.1.4.1: the parent answers for DS.
        ("cut.a.test.", Rtype::DS, format!("NoError aa |  | {SOA} | ")),
        ("loop.a.test.", Rtype::A, "NoError aa | loop.a.test. CNAME loop.a.test. |  | ".into()),
        // A zone that never loaded takes no other along: whoever asks may find its data elsewhere.
        ("stale.a.test.", Rtype::A, "NoError aa | stale.a.test. CNAME x.broken. |  | ".into()),
        ("broken.", Rtype::A, "ServFail |  |  | ".into()),
        ("elsewhere.", Rtype::A, "Refused |  |  | ".into()),
        ("a.test.", Rtype::AXFR, "Refused |  |  | ".into()),
    ];
    for (qname, qtype, expected) in cases {
        assert_eq!(ask(qname, qtype), expected, "{qname} {qtype}");
    }
}

// RFC 6672 §3.1 and §2.2.
#[test]
fn a_dname_brings_its_cname() {
    let answer = ask("p.q.old.a.test.", Rtype::A);
    assert!(answer.contains("old.a.test. DNAME"), "{answer}");
    assert!(answer.contains("p.q.old.a.test. CNAME p.q.somewhere.quite.new.test."), "{answer}");
    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(47)].join(".");
    let answer = ask(&format!("{long}.old.a.test."), Rtype::A);
    assert!(answer.starts_with("YXDomain aa | old.a.test. DNAME"), "{answer}");
    assert!(!answer.contains("CNAME"), "{answer}");
}

#[test]
fn class_chaos_tells_of_the_server() {
    let tell = |qname| show(&request(qname, Rtype::TXT, 3));
    assert_eq!(tell("generation.homing."), "NoError aa | generation.homing. TXT 3 |  | ");
    assert_eq!(tell("ID.server."), "NoError aa | ID.server. TXT fra1 |  | ");
    assert_eq!(tell("www.a.test."), "Refused |  |  | ");
}

// RFC 7873 §5.4, of a site that speaks no cookies: to it such a query only lacks a question.
#[test]
fn without_secrets_cookies_are_not_spoken() {
    let opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x0812345678";
    let header = |questions| [0x12, 0x34, 1, 0, 0, questions, 0, 0, 0, 0, 0, 1];
    let question = &request("ns.a.test.", Rtype::A, 1)[12..];
    let asked = [&header(1)[..], question, opt].concat();
    assert_eq!(show(&asked), "NoError aa | ns.a.test. A 192.0.2.1 |  | ");
    assert_eq!(show(&[&header(0)[..], opt].concat()), "FormErr |  |  | ");
}
