//! RFC 1035: messages. Headers, cases, truncation, opcodes, what is malformed; with RFC 3597 and RFC 9619.

use std::time::Duration;

use crate::server;
use crate::support::{Query, Response, ask, name_wire, tcp_exchange};

fn raw(request: &[u8]) -> Option<Response> {
    ask(server().dns, request, Duration::from_secs(5)).map(|bytes| Response::read(&bytes))
}

/// Whether a request meets silence. A second query on the way tells that the server has had its chance.
fn is_silent(request: &[u8]) -> bool {
    ask(server().dns, request, Duration::from_millis(300)).is_none()
}

#[test]
fn section_4_1_1_flags_of_a_response() {
    let server = server();
    for (sent, head) in [
        (0x0000, "NOERROR aa"),
        (0x0100, "NOERROR aa rd"), // RD is copied, RA never set
        (0x0080, "NOERROR aa"),
        (0x0040, "NOERROR aa"),
        (0x0400, "NOERROR aa"),
        (0x0020, "NOERROR aa"), // RFC 6840 §5.7: AD in a query is a wish
    ] {
        let mut query = Query::new("www.example.test A");
        query.flags = sent;
        let response = server.udp(&query);
        assert_eq!((response.head().as_str(), response.flags & 0x20), (head, 0), "{sent:04x}");
    }
}

#[test]
fn section_4_1_1_the_id_comes_back() {
    let mut query = Query::new("www.example.test A");
    for id in [0, 1, 0x8000, 0xffff] {
        query.id = id;
        assert_eq!(server().udp(&query).id, id);
    }
}

#[test]
fn section_4_1_1_a_response_is_never_answered() {
    let mut query = Query::new("www.example.test A");
    query.flags = 0x8000;
    assert!(is_silent(&query.to_wire()));
}

#[test]
fn section_4_1_1_less_than_a_header_is_never_answered() {
    let wire = Query::new("www.example.test A").to_wire();
    for len in [0, 1, 2, 11] {
        assert!(is_silent(&wire[..len]), "{len} octets");
    }
}

#[test]
fn section_4_1_1_other_opcodes_are_not_implemented() {
    for opcode in [1, 2, 3, 6, 15] {
        let mut query = Query::new("example.test SOA");
        query.flags = opcode << 11;
        let response = server().udp(&query);
        assert_eq!(response.head(), "NOTIMP", "opcode {opcode}");
        assert_eq!(response.flags >> 11 & 15, opcode, "the opcode comes back");
    }
}

#[test]
fn rfc_9619_more_than_one_question_is_malformed() {
    let mut wire = Query::new("www.example.test A").to_wire();
    wire[5] = 2;
    wire.extend(name_wire("www.example.test"));
    wire.extend([0, 28, 0, 1]);
    assert_eq!(raw(&wire).unwrap().head(), "FORMERR");
}

#[test]
fn section_4_1_2_a_question_that_ends_early_is_malformed() {
    let wire = Query::new("www.example.test A").to_wire();
    for len in 12..wire.len() {
        let response = raw(&wire[..len]).expect("FORMERR");
        assert_eq!(response.head(), "FORMERR", "{len} octets");
    }
}

#[test]
fn section_4_1_4_a_pointer_in_a_question_is_malformed() {
    let mut query = Query::new("www.example.test A");
    for name in [&[0xc0, 12][..], &[0xc0, 0], &[1, b'a', 0xc0, 12], &[0x40, b'x', 0]] {
        query.name = name.to_vec();
        assert_eq!(raw(&query.to_wire()).unwrap().head(), "FORMERR", "{name:02x?}");
    }
}

#[test]
fn section_2_3_3_names_match_in_any_case_and_the_question_keeps_its_own() {
    for name in ["WWW.EXAMPLE.TEST", "wWw.eXaMpLe.TeSt", "www.example.TEST"] {
        let query = Query::new(&format!("{name} A"));
        let response = server().udp(&query);
        assert_eq!(response.rdata("A"), ["192.0.2.2"]);
        assert_eq!(&response.bytes[12..12 + query.name.len()], query.name, "0x20: octet for octet");
    }
    assert_eq!(server().udp(&Query::new("case.example.test A")).rdata("A"), ["192.0.2.12"]);
}

#[test]
fn section_4_2_1_what_does_not_fit_is_truncated_and_tcp_has_it_all() {
    let server = server();
    for (query, max) in [
        (Query::new("big.example.test A"), 512),
        (Query::new("big.example.test A").edns(512), 512),
        (Query::new("big.example.test A").edns(100), 512), // RFC 6891 §6.2.3: less than 512 is 512
        (Query::new("big.example.test A").edns(900), 900),
        (Query::new("big.example.test A").edns(65_535), 1232),
    ] {
        let response = server.udp(&query);
        assert_eq!(response.head(), "NOERROR aa tc");
        assert!(response.bytes.len() <= max, "{} octets of {max}", response.bytes.len());
        assert_eq!(response.edns.is_some(), query.edns.is_some(), "the OPT record stays");
        let whole = server.tcp(&query);
        assert_eq!((whole.head().as_str(), whole.answer.len()), ("NOERROR aa", 90));
    }
}

#[test]
fn rfc_3597_section_3_unknown_types_are_served_as_they_stand() {
    let response = server().udp(&Query::new("odd.example.test TYPE65280"));
    assert_eq!((response.head().as_str(), response.answer.len()), ("NOERROR aa", 1));
    assert!(response.bytes.ends_with(&[0, 4, 1, 2, 3, 4]));
    let nodata = server().udp(&Query::new("www.example.test TYPE666"));
    assert_eq!((nodata.head().as_str(), nodata.authority.len()), ("NOERROR aa", 1));
}

#[test]
fn rfc_9460_https_records_are_served() {
    let response = server().udp(&Query::new("svc.example.test HTTPS"));
    assert_eq!((response.head().as_str(), response.answer.len()), ("NOERROR aa", 1));
    assert!(response.bytes.ends_with(&[0, 1, 0, 0, 1, 0, 3, 2, b'h', b'2']));
}

#[test]
fn section_3_2_4_another_class_is_refused() {
    let mut query = Query::new("www.example.test A");
    for class in [3, 4, 254] {
        query.class = class;
        let response = server().udp(&query);
        assert!(response.rcode != 0 && response.answer.is_empty(), "{class}: {}", response.head());
    }
}

#[test]
fn rfc_5936_section_4_2_no_zone_over_udp_nor_tcp() {
    let query = Query::new("example.test AXFR");
    assert!(server().udp(&query).answer.is_empty());
    let bytes = tcp_exchange(server().dns, &[query.to_wire()]);
    assert!(Response::read(&bytes[0]).answer.is_empty());
}
