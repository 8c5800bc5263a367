//! RFC 7871: client subnet, and the scopes of steered answers.

use crate::support::{Query, Server};
use crate::{ZONE, server, start};

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

/// A server that `[listen]` of homing.toml tells besides what `keys` say.
fn server_with(keys: &str) -> Server {
    let mut server = start(&[("zones/example.test.zone", ZONE)]);
    let path = server.path("homing.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("[listen]\n", &format!("[listen]\n{keys}\n"))).unwrap();
    server.kill_and_restart();
    server
}

/// The counters of queries with a client subnet: told, and passed over.
fn subnet_counts(server: &Server) -> [u64; 2] {
    let metrics = server.http("GET", "/metrics", None).body;
    ["homing_queries_subnet_total ", "homing_queries_subnet_untrusted_total "].map(|name| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
    })
}

const OF_IAD: &[u8] = &[0, 1, 24, 0, 198, 51, 100];
const OF_NOBODY: &[u8] = &[0, 1, 0, 0];
const MALFORMED: &[u8] = &[0, 1, 24, 0, 198, 51];

#[test]
fn section_7_2_1_a_believed_resolver_decides_by_its_client() {
    for keys in ["ecs = \"all\"", "ecs = \"trusted\"\necs_trusted = [\"::1/128\", \"127.0.0.0/8\"]"]
    {
        let server = server_with(keys);
        let ask = |option| server.udp(&Query::new("geo.example.test A").option(8, option));
        let counts = subnet_counts(&server);
        let found = ask(OF_IAD);
        assert_eq!(found.rdata("A"), ["192.0.2.102"], "{keys}");
        assert_eq!(found.option(8), Some(&[0, 1, 24, 24, 198, 51, 100][..]), "{keys}");
        let silent = ask(OF_NOBODY);
        assert_eq!(silent.rdata("A"), ["192.0.2.101"], "{keys}");
        assert_eq!(silent.option(8), Some(OF_NOBODY), "{keys}");
        let refused = ask(MALFORMED);
        assert_eq!((refused.rcode, refused.option(8)), (1, None), "{keys}");
        assert_eq!(refused.edns, Some((1232, 0, 0)), "{keys}");
        assert_eq!(subnet_counts(&server), [counts[0] + 2, counts[1]], "{keys}");
    }
}

/// RFC 6891 §6.1.2: what is not used is not read, so that a mistake in it is none.
#[test]
fn section_7_2_1_who_does_not_use_the_option_ignores_it_and_does_not_return_it() {
    for keys in ["ecs = \"off\"", "ecs = \"trusted\"\necs_trusted = [\"192.0.2.0/24\"]"] {
        let server = server_with(keys);
        let plain = server.udp(&Query::new("geo.example.test A").edns(1232));
        assert_eq!(plain.rdata("A"), ["192.0.2.101"], "{keys}");
        let counts = subnet_counts(&server);
        for option in [OF_IAD, OF_NOBODY, MALFORMED] {
            for name in ["geo.example.test A", "www.example.test A", "missing.example.test A"] {
                let query = Query::new(name);
                let found = server.udp(&query.clone().option(8, option));
                assert_eq!(found.lines(), server.udp(&query.edns(1232)).lines(), "{keys} {name}");
                assert_eq!(
                    (found.option(8), found.edns),
                    (None, Some((1232, 0, 0))),
                    "{keys} {name}"
                );
            }
        }
        assert_eq!(subnet_counts(&server), [counts[0], counts[1] + 9], "{keys}");
    }
}
