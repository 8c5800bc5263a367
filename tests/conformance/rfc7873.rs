//! RFC 7873: DNS cookies, made as RFC 9018 says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::server;
use crate::support::{Query, Response, ask};

const COOKIE: u16 = 10;
const CLIENT: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn www() -> Query {
    Query::new("www.example.test A")
}

/// The cookie of the response, which is otherwise the usual answer.
fn cookie_of(response: &Response) -> [u8; 24] {
    assert_eq!(response.lines()[0], "NOERROR aa");
    assert_eq!(response.rdata("A").len(), server().udp(&www()).rdata("A").len());
    assert_eq!(response.options.len(), 1);
    response.option(COOKIE).expect("a cookie").try_into().expect("24 octets")
}

/// The query without its question, and as many octets shorter.
fn without_question(query: &Query) -> Vec<u8> {
    let mut wire = query.to_wire();
    wire[5] = 0;
    wire.drain(12..12 + query.name.len() + 4);
    wire
}

fn ask_raw(request: &[u8]) -> Response {
    Response::read(&ask(server().dns, request, Duration::from_secs(5)).expect("an answer"))
}

#[test]
fn section_5_2_1_without_a_cookie_there_is_none_in_the_response() {
    assert_eq!(server().udp(&www().edns(1232)).option(COOKIE), None);
    assert_eq!(server().udp(&www()).edns, None);
}

#[test]
fn section_5_2_2_other_lengths_are_malformed() {
    for len in [0, 1, 7, 9, 15, 41, 100] {
        let response = server().udp(&www().option(COOKIE, &vec![1; len]));
        assert_eq!(response.rcode, 1, "{len} octets");
        assert!(response.answer.is_empty() && response.edns.is_some(), "{len} octets");
    }
    for len in [8, 16, 24, 40] {
        assert_eq!(server().udp(&www().option(COOKIE, &vec![1; len])).rcode, 0, "{len} octets");
    }
}

#[test]
fn section_5_2_3_a_client_cookie_gets_a_server_cookie() {
    let server = server();
    let query = www().option(COOKIE, &CLIENT);
    for response in [server.udp(&query), server.tcp(&query)] {
        let cookie = cookie_of(&response);
        assert_eq!(cookie[..8], CLIENT);
        // RFC 9018 §4.1 and §4.2: version 1, reserved 0.
        assert_eq!(cookie[8..12], [1, 0, 0, 0]);
        let made = u32::from_be_bytes(cookie[12..16].try_into().unwrap());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as u32;
        assert!(now.abs_diff(made) <= 60, "{made} is not now");
    }
}

#[test]
fn section_5_2_4_a_wrong_server_cookie_is_replaced() {
    for wrong in
        [&[0; 16][..], &[1; 8], &[9; 32], &[1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]]
    {
        let response = server().udp(&www().option(COOKIE, &[&CLIENT[..], wrong].concat()));
        let cookie = cookie_of(&response);
        assert_eq!(cookie[..8], CLIENT);
        assert_ne!(&cookie[8..], wrong);
    }
}

#[test]
fn section_5_2_5_a_good_server_cookie_serves_on_over_any_transport() {
    let server = server();
    let cookie = cookie_of(&server.udp(&www().option(COOKIE, &CLIENT)));
    let query = www().option(COOKIE, &cookie);
    assert_eq!(cookie_of(&server.udp(&query)), cookie);
    assert_eq!(cookie_of(&server.tcp(&query)), cookie);
    // Another client cookie makes the server cookie a stranger's.
    let mut other = cookie;
    other[0] ^= 1;
    assert_ne!(cookie_of(&server.udp(&www().option(COOKIE, &other)))[8..], cookie[8..]);
}

#[test]
fn section_5_2_of_several_cookies_the_first_counts() {
    let response = server().udp(&www().option(COOKIE, &CLIENT).option(COOKIE, &[9; 8]));
    assert_eq!(cookie_of(&response)[..8], CLIENT);
}

#[test]
fn section_5_2_every_kind_of_answer_carries_it() {
    for (question, rcode) in
        [("missing.example.test A", 3), ("no.test A", 5), ("big.example.test A", 0)]
    {
        let response = server().udp(&Query::new(question).option(COOKIE, &CLIENT));
        assert_eq!(response.rcode, rcode, "{question}");
        assert_eq!(response.option(COOKIE).map(<[u8]>::len), Some(24), "{question}");
        assert!(response.bytes.len() <= 1232, "{question}");
    }
}

#[test]
fn section_5_4_a_query_for_a_cookie_needs_no_question() {
    let request = without_question(&www().option(COOKIE, &CLIENT));
    let response = ask_raw(&request);
    assert_eq!((response.id, response.head().as_str()), (4711, "NOERROR"));
    assert_eq!(response.bytes[4..12], [0, 0, 0, 0, 0, 0, 0, 1]);
    let cookie = response.option(COOKIE).expect("a cookie");
    assert_eq!((cookie.len(), &cookie[..8]), (24, &CLIENT[..]));
}

#[test]
fn section_5_4_without_a_cookie_no_question_is_malformed() {
    for query in [www(), www().edns(1232), www().option(3, b""), www().option(COOKIE, &[1; 9])] {
        let response = ask_raw(&without_question(&query));
        assert_eq!((response.rcode, response.option(COOKIE)), (1, None));
    }
}
