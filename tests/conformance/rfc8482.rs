//! RFC 8482: ANY is answered small.

use crate::server;
use crate::support::Query;

#[test]
fn section_4_any_gives_something_and_not_everything() {
    for name in ["www.example.test", "example.test", "x.wild.example.test"] {
        let response = server().udp(&Query::new(&format!("{name} ANY")));
        assert_eq!(response.head(), "NOERROR aa", "{name}");
        assert!(!response.answer.is_empty(), "{name}");
    }
    let response = server().udp(&Query::new("big.example.test ANY"));
    assert!(response.bytes.len() <= 512);
}

#[test]
fn section_4_any_of_a_routed_name_gives_the_family_that_it_has() {
    let response = server().udp(&Query::new("six.example.test ANY"));
    assert_eq!(response.rdata("AAAA"), ["2001:db8::66"]);
}

#[test]
fn section_4_any_of_nothing_is_nothing() {
    assert_eq!(server().udp(&Query::new("missing.example.test ANY")).head(), "NXDOMAIN aa");
    let referral = server().udp(&Query::new("x.deleg.example.test ANY"));
    assert_eq!((referral.head().as_str(), referral.authority.len()), ("NOERROR", 2));
}
