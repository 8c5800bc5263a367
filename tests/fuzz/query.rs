//! Any octets as a packet: they are answered well or met with silence, in the clear and behind a PROXY header; and a cookie
//! of ours that comes back is known.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use homing::answer::{Transcript, Transport, UDP_PAYLOAD_MAX};
use homing::serve::unwrap_proxied;
use libfuzzer_sys::fuzz_target;

#[path = "../properties/world.rs"]
mod world;

const COOKIE: [u8; 2] = [0, 10];

fuzz_target!(|packet: &[u8]| {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Some((_, query)) = unwrap_proxied(packet, peer) {
        assert!(packet.ends_with(query), "what stands behind the header is as it was");
        judge(query);
    }
    judge(packet);
});

fn judge(request: &[u8]) {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let answer = answer(request, transport);
        if answer.is_empty() {
            continue;
        }
        assert!(request.len() >= 12 && request[2] & 0x80 == 0, "answered what is no query");
        assert_eq!(answer[..2], request[..2], "the ID comes back");
        assert!(answer[2] & 0x80 != 0, "QR is set");
        assert!(Transcript::read(&answer).is_some(), "well-formed: {answer:02x?}");
        assert!(transport != Transport::Udp || answer.len() <= UDP_PAYLOAD_MAX);
    }
    show_the_cookie_again(request);
}

fn answer(request: &[u8], transport: Transport) -> Vec<u8> {
    let mut response = vec![0; 65_535];
    let len = world::answer(world::everything(), request, transport, &mut world::core(), &mut response).len();
    response.truncate(len);
    response
}

/// Asks anew with the cookie that the first octets of `request` were answered with.
fn show_the_cookie_again(request: &[u8]) {
    let Some(client) = request.first_chunk::<8>() else { return };
    let www = b"\x03www\x07example\x04test\0";
    let ask = |cookie: &[u8]| {
        let option = [&COOKIE[..], &(cookie.len() as u16).to_be_bytes(), cookie].concat();
        answer(&world::query(0, www, 1, 1, &world::opt(0, &option)), Transport::Udp)
    };
    let first = ask(client);
    let at = first.windows(12).position(|w| w[..4] == [0, 10, 0, 24] && w[4..] == *client);
    let cookie = &first[at.expect("a cookie is given") + 4..][..24];
    assert_eq!(ask(cookie)[3] & 0xf, 0, "our own cookie is good");
    // Whatever cookie comes, it is answered.
    assert!(!ask(request.get(..request.len().min(40)).unwrap_or_default()).is_empty());
}
