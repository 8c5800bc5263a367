//! Answers from zones laid out by hand, decoded by somebody else's parser. Whole zones are asked over the wire in
//! `tests/conformance`.

use std::sync::Arc;

use hickory_proto::op::Message;

use super::*;
use crate::answer::{
    Address, Catalog, CookieSecret, ImageWriter, NodeParts, ResponseClass, RrsetParts, Seed,
};
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

/// What came of a request over UDP, and its response.
fn outcome(request: &[u8], site: Site) -> (Outcome, Vec<u8>) {
    let mut response = vec![0; UDP_PAYLOAD_MAX];
    let mut core = Core::new(Arc::new(site), Arc::default());
    let client = "192.0.2.200".parse().unwrap();
    let transport = Transport::Udp;
    let exchange = Exchange {
        request,
        client,
        transport,
        now_secs: 0,
        idle_tenths: 0,
        response: &mut response,
    };
    let outcome = super::respond(&snapshot(), exchange, &mut core, &mut Silent);
    (outcome, response)
}

/// The response in words: code, flags, and each section's records.
fn ask(qname: &str, qtype: Rtype) -> String {
    show(&request(qname, qtype, 1))
}

fn show(request: &[u8]) -> String {
    let (outcome, response) = outcome(request, Site { name: "fra1".into(), ..Site::default() });
    if outcome.is_empty() {
        return "silence".into();
    }
    let message = Message::from_vec(&response[..outcome.len()]).unwrap();
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

/// The request with an OPT record that has these options.
fn with_opt(mut request: Vec<u8>, options: &[u8]) -> Vec<u8> {
    request[11] = 1;
    request.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\0\0\0");
    request.push(options.len() as u8);
    request.extend_from_slice(options);
    request
}

const COOKIE: &[u8] = b"\0\x0a\0\x0812345678";

// A limit has to count together what an attacker gets again by asking a little otherwise.
#[test]
fn what_says_the_same_has_one_account() {
    use ResponseClass::{Answer, Error, Nodata, Nxdomain, Referral};
    let account = |(qname, qtype): (&str, Rtype)| {
        outcome(&request(qname, qtype, 1), Site::default()).0.account
    };
    let (a, aaaa) = (Rtype::A, Rtype::AAAA);
    let same = [
        (Answer, ("www.a.test.", a), ("WWW.A.test.", a)),
        (Answer, ("p.wild.a.test.", a), ("q.r.wild.a.test.", a)),
        (Answer, ("x.old.a.test.", a), ("y.old.a.test.", a)),
        (Referral, ("x.cut.a.test.", a), ("y.cut.a.test.", aaaa)),
        (Nodata, ("www.a.test.", aaaa), ("www.a.test.", Rtype::TXT)),
        (Nxdomain, ("x.a.test.", a), ("y.z.a.test.", aaaa)),
        (Nxdomain, ("x.www.a.test.", a), ("y.www.a.test.", a)),
        (Error, ("elsewhere.", a), ("broken.", a)),
    ];
    let mut accounts = Vec::new();
    for (class, one, other) in same {
        assert_eq!(account(one), account(other), "{one:?} {other:?}");
        assert_eq!(account(one).class(), class as usize, "{one:?}");
        accounts.push(account(one).key());
    }
    for other in [("ns.a.test.", a), ("www.a.test.", Rtype::ANY), ("alias.a.test.", a)] {
        assert_eq!(account(other).class(), Answer as usize, "{other:?}");
        accounts.push(account(other).key());
    }
    let count = accounts.len();
    accounts.sort_unstable();
    accounts.dedup();
    assert_eq!(accounts.len(), count, "each has its own");
}

#[test]
fn a_response_cut_back_keeps_its_question_and_its_opt_record() {
    let cookie_secrets = CookieSecrets { current: CookieSecret::new([7; 16]), previous: None };
    let site = Site { cookie_secrets: Some(cookie_secrets), ..Site::default() };
    let plain = request("www.a.test.", Rtype::A, 1);
    for (request, has_opt) in [
        (plain.clone(), false),
        (with_opt(plain.clone(), b""), true),
        (with_opt(plain, COOKIE), true),
        (with_opt(request("x.a.test.", Rtype::A, 1), COOKIE), true),
        (with_opt(request("x.cut.a.test.", Rtype::A, 1), COOKIE), true),
        (request("elsewhere.", Rtype::A, 1), false),
    ] {
        let (outcome, mut response) = outcome(&request, site.clone());
        let whole = Message::from_vec(&response[..outcome.len()]).unwrap();
        let len = crate::answer::truncate(&mut response, &outcome);
        let cut = Message::from_vec(&response[..len]).unwrap();
        assert!(cut.metadata.truncation);
        assert_eq!(cut.queries, whole.queries);
        assert_eq!(cut.metadata.id, whole.metadata.id);
        assert_eq!(cut.metadata.response_code, whole.metadata.response_code);
        assert_eq!((cut.edns.is_some(), &cut.edns), (has_opt, &whole.edns));
        assert!(cut.answers.is_empty() && cut.authorities.is_empty());
        assert!(len <= request.len() + 4 + 16, "{len} octets for {}", request.len());
    }
}

// RFC 7873 §5.4: a cookie and no question.
#[test]
fn a_response_without_a_question_is_cut_back_to_its_opt_record() {
    let mut request = with_opt(vec![0x12, 0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], COOKIE);
    let secrets = CookieSecrets { current: CookieSecret::new([7; 16]), previous: None };
    let site = Site { cookie_secrets: Some(secrets), ..Site::default() };
    let (first, mut response) = outcome(&request, site.clone());
    assert!(!first.proven);
    assert_eq!(crate::answer::truncate(&mut response, &first), first.len());
    // The cookie that it got proves its address.
    request.truncate(23);
    request.extend_from_slice(&response[first.len() - 28..first.len()]);
    request[22] = 28;
    assert!(outcome(&request, site).0.proven);
}

#[test]
fn without_a_cookie_large_responses_are_truncated_where_that_is_asked() {
    let secrets = CookieSecrets { current: CookieSecret::new([7; 16]), previous: None };
    let site = Site { cookie_secrets: Some(secrets), ..Site::default() };
    let small = Site { unproven_payload: Some(90), ..site.clone() };
    let asked = with_opt(request("www.a.test.", Rtype::A, 1), COOKIE);
    let (whole, response) = outcome(&asked, site);
    assert!(!whole.truncated);
    assert!(outcome(&asked, small.clone()).0.truncated);
    let cookie = &response[whole.len() - 28..whole.len()];
    let proven = with_opt(request("www.a.test.", Rtype::A, 1), cookie);
    let (again, _) = outcome(&proven, small);
    assert!(again.proven && !again.truncated);
}
