//! RFC 7871: client subnet, and the scopes of steered answers.

use crate::server;
use crate::support::Query;

fn ask_with(name: &str, option: &[u8]) -> (u16, Option<Vec<u8>>) {
    let response = server().udp(&Query::new(&format!("{name} A")).option(8, option));
    (response.rcode, response.option(8).map(<[u8]>::to_vec))
}

/// Address and scope for a client.
fn steered(name: &str, subnet: &str) -> (Vec<String>, u8) {
    let response = server().udp(&Query::new(&format!("{name} A")).subnet(subnet));
    (response.rdata("A"), response.option(8).expect("the option comes back")[3])
}

#[test]
fn section_7_2_1_only_who_asks_gets_the_option() {
    let response = server().udp(&Query::new("geo.example.test A").edns(1232));
    assert_eq!(response.option(8), None);
}

#[test]
fn section_7_2_1_family_source_and_address_come_back_and_static_names_have_scope_0() {
    for option in [
        &[0, 1, 24, 0, 192, 0, 2][..],
        &[0, 1, 27, 0, 192, 0, 2, 32],
        &[0, 2, 56, 0, 0x20, 1, 0xd, 0xb8, 0, 1, 0],
        &[0, 1, 0, 0],
        &[0, 2, 0, 0],
    ] {
        let (rcode, echoed) = ask_with("www.example.test", option);
        assert_eq!((rcode, echoed.as_deref()), (0, Some(option)), "{option:?}");
    }
}

#[test]
fn section_7_2_1_negatives_and_referrals_have_scope_0() {
    for name in ["missing.example.test", "x.deleg.example.test"] {
        let (_, echoed) = ask_with(name, &[0, 1, 24, 0, 192, 0, 2]);
        assert_eq!(echoed.unwrap()[3], 0, "{name}");
    }
}

#[test]
fn section_6_malformed_options_are_formerr() {
    for option in [
        &[][..],
        &[0],
        &[0, 1, 24],
        &[0, 1, 33, 0, 192, 0, 2, 0, 0],
        &[0, 2, 129, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
        &[0, 1, 32, 0, 192, 0, 2],
        &[0, 1, 24, 0, 192, 0, 2, 1],
        &[0, 1, 23, 0, 192, 0, 3],
        &[0, 3, 24, 0, 192, 0, 2],
        &[0, 1, 24, 1, 192, 0, 2],
    ] {
        assert_eq!(ask_with("www.example.test", option).0, 1, "{option:?}");
        assert_eq!(ask_with("geo.example.test", option).0, 1, "{option:?}");
    }
}

#[test]
fn section_7_2_1_the_scope_covers_no_client_with_another_answer() {
    assert_eq!(steered("geo.example.test", "198.51.100.0/24"), (vec!["192.0.2.102".into()], 24));
    assert_eq!(steered("geo.example.test", "198.51.100.77/32"), (vec!["192.0.2.102".into()], 24));
    assert_eq!(steered("geo.example.test", "203.0.113.0/25"), (vec!["192.0.2.103".into()], 25));
    // The other half of 203.0.113.0/24 has another answer, so its scope must not reach over the border.
    let (other, scope) = steered("geo.example.test", "203.0.113.128/25");
    assert!(other != ["192.0.2.103"] && scope >= 25, "{other:?} {scope}");
    // RFC 7871 §7.2.1 lets a scope be longer than the source: the answer depends on more than was told.
    let (_, scope) = steered("geo.example.test", "203.0.113.0/24");
    assert!(scope >= 25, "{scope}");
}

#[test]
fn section_7_2_1_ipv6_clients_have_scopes_of_their_own() {
    assert_eq!(steered("geo.example.test", "2001:db8:5::/48"), (vec!["192.0.2.103".into()], 48));
    let (mapped, scope) = steered("geo.example.test", "::ffff:198.51.100.0/120");
    assert_eq!((mapped, scope), (vec!["192.0.2.102".into()], 120));
    let (six_to_four, scope) = steered("geo.example.test", "2002:c633:6400::/40");
    assert_eq!((six_to_four, scope), (vec!["192.0.2.102".into()], 40));
}

#[test]
fn section_7_1_2_source_0_gives_scope_0() {
    let (rcode, echoed) = ask_with("geo.example.test", &[0, 1, 0, 0]);
    assert_eq!((rcode, echoed.as_deref()), (0, Some(&[0, 1, 0, 0][..])));
}

#[test]
fn a_chain_to_a_steered_name_has_its_scope() {
    assert_eq!(steered("togeo.example.test", "198.51.100.0/24"), (vec!["192.0.2.102".into()], 24));
    assert_eq!(
        steered("any.geo.example.test", "198.51.100.0/24"),
        (vec!["192.0.2.102".into()], 24)
    );
}

#[test]
fn families_are_decided_apart() {
    let query = Query::new("geo.example.test AAAA").subnet("198.51.100.0/24");
    let found = server().udp(&query).rdata("AAAA");
    // iad has no IPv6 router: the nearest region that has one answers.
    assert_eq!(found, ["2001:db8::101"]);
    assert_eq!(server().udp(&Query::new("geo.example.test TXT")).head(), "NOERROR aa");
}
