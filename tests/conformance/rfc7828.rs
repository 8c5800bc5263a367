//! RFC 7828: how long an idle connection stays open.

use crate::server;
use crate::support::{Query, Server};

const KEEPALIVE: u16 = 11;

#[test]
fn section_3_2_1_over_udp_it_is_ignored() {
    assert_eq!(
        server().udp(&Query::new("www.example.test A").option(KEEPALIVE, &[])).option(KEEPALIVE),
        None
    );
}

#[test]
fn section_3_2_2_over_tcp_who_asks_is_told_in_tenths_of_a_second() {
    let asked = Query::new("www.example.test A").option(KEEPALIVE, &[]);
    assert_eq!(server().tcp(&asked).option(KEEPALIVE), Some(&100u16.to_be_bytes()[..]));
    assert_eq!(server().tcp(&Query::new("www.example.test A").edns(1232)).option(KEEPALIVE), None);
    let server = Server::start_told("[tcp]\nidle = \"2500ms\"\n", &[]);
    assert_eq!(server.tcp(&asked).option(KEEPALIVE), Some(&25u16.to_be_bytes()[..]));
}
