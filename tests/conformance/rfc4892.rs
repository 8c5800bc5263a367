//! RFC 4892 and RFC 5001: which server was that? And the state it serves, for comparing sites.

use crate::server;
use crate::support::Query;

fn chaos(name: &str) -> Vec<String> {
    let mut query = Query::new(&format!("{name} TXT"));
    query.class = 3;
    let response = server().udp(&query);
    assert_eq!(response.rcode, 0, "{name}");
    response.answer
}

#[test]
fn section_2_the_server_names_itself() {
    for name in ["id.server", "hostname.bind", "ID.Server"] {
        let answer = chaos(name);
        assert_eq!(answer.len(), 1, "{name}");
        assert!(answer[0].contains("test"), "{answer:?}");
    }
    assert_eq!(chaos("version.bind").len(), 1);
}

#[test]
fn the_state_is_told_in_chaos_too() {
    for name in ["generation.homing", "revision.homing", "digest.homing"] {
        let answer = chaos(name);
        assert_eq!(answer.len(), 1, "{name}");
    }
    assert_eq!(chaos("digest.homing"), chaos("digest.homing"));
}

#[test]
fn rfc_5001_section_2_nsid_when_asked_for_and_only_then() {
    let server = server();
    let asked = server.udp(&Query::new("www.example.test A").option(3, b""));
    assert_eq!(asked.option(3), Some(&b"test"[..]));
    assert_eq!(server.udp(&Query::new("www.example.test A").edns(1232)).option(3), None);
}
