//! Behind a balancer that speaks the PROXY protocol, version 2: answers are for who asks it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::support::{Query, Response, Server, eventually};
use crate::{AMERICA, EUROPE, FRA, REGIONS, STEERING, ZONE};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// All that comes from 127.0.5.0/24 is a balancer's.
fn start(more: &str) -> Server {
    let told = format!("cores = 1\nproxy_protocol = [\"127.0.5.0/24\"]\n{more}");
    let files = [
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ];
    Server::start_told(&told, &files)
}

/// The header that says that `client` asks; `family` is 0x12 over UDP, 0x11 over TCP.
fn header(client: Ipv4Addr, family: u8) -> Vec<u8> {
    let addresses = [&client.octets()[..], &[198, 51, 100, 1], &[0x30, 0x39, 0, 53]].concat();
    [SIGNATURE, &[0x21, family, 0, 12], &addresses].concat()
}

/// The first address of the network.
fn within(network: &str) -> Ipv4Addr {
    network.split('/').next().unwrap().parse::<Ipv4Addr>().unwrap()
}

/// What comes back over UDP for these octets from 127.0.5.1; none if nothing does.
fn udp(server: &Server, octets: &[u8]) -> Option<Response> {
    let socket = UdpSocket::bind("127.0.5.1:0").unwrap();
    socket.connect(server.dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.send(octets).unwrap();
    let mut buffer = [0; 2048];
    let len = socket.recv(&mut buffer).ok()?;
    Some(Response::read(&buffer[..len]))
}

/// The same over TCP: octets, then the query; none if the connection ends.
fn tcp(server: &Server, first: &[u8], query: &Query) -> Option<Response> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.5.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.connect(&server.dns.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let wire = query.to_wire();
    let octets = [first, &(wire.len() as u16).to_be_bytes(), &wire].concat();
    // In pieces, as a network may bring it.
    for piece in octets.chunks(7) {
        stream.write_all(piece).ok()?;
    }
    let mut len = [0; 2];
    stream.read_exact(&mut len).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut message).ok()?;
    Some(Response::read(&message))
}

fn addresses(response: Option<Response>) -> Vec<String> {
    let mut found = response.expect("an answer").rdata("A");
    found.sort();
    found
}

#[test]
fn the_answer_is_for_whom_the_balancer_names() {
    let server = start("");
    let query = Query::new("geo.example.test A");
    for (network, expected) in [(EUROPE, &FRA[..]), (AMERICA, &["198.51.100.10"])] {
        let client = within(network);
        let packet = [header(client, 0x12), query.to_wire()].concat();
        assert_eq!(addresses(udp(&server, &packet)), expected, "{network} over UDP");
        let found = tcp(&server, &header(client, 0x11), &query);
        assert_eq!(addresses(found), expected, "{network} over TCP");
    }
    // A balancer that asks for itself, to see whether we live.
    let itself = [SIGNATURE, &[0x20, 0, 0, 0]].concat();
    assert!(udp(&server, &[&itself[..], &query.to_wire()].concat()).is_some());
    assert!(tcp(&server, &itself, &query).is_some());
}

#[test]
fn without_a_header_a_balancer_gets_nothing_and_with_one_nobody_else_does() {
    let server = start("");
    let query = Query::new("www.example.test A");
    assert!(udp(&server, &query.to_wire()).is_none());
    assert!(tcp(&server, b"", &query).is_none());
    let told = [header(within(EUROPE), 0x12), query.to_wire()].concat();
    // Its first octets are no query that is known: NOTIMP.
    let found = crate::support::ask(server.dns, &told, Duration::from_secs(5)).expect("a refusal");
    assert_eq!(found[3] & 0x0f, 4);
    assert_eq!(server.metric("homing_udp_packets_total{event=\"proxy-refused\"}"), 1);
    eventually("the connection is counted", || {
        let count = server.metric("homing_tcp_connections_total{event=\"proxy-refused\"}");
        if count == 1 { Ok(()) } else { Err(count.to_string()) }
    });
    // The others are served as ever.
    assert_eq!(server.udp(&query).rdata("A"), ["192.0.2.80"]);
    assert_eq!(server.tcp(&query).rdata("A"), ["192.0.2.80"]);
}

#[test]
fn limits_are_of_whom_the_balancer_names() {
    let more = "[rate_limit]\nresponses_per_second = 20\n[tcp]\nconnections_per_client = 2\n";
    let server = start(more);
    let query = Query::new("www.example.test A");
    let is_whole = |client: &str| {
        let packet = [header(client.parse().unwrap(), 0x12), query.to_wire()].concat();
        let response = udp(&server, &packet).expect("an answer");
        !response.lines()[0].contains(" tc")
    };
    let whole = (0..60).filter(|_| is_whole("193.0.0.7")).count();
    assert!((20..60).contains(&whole), "{whole}");
    assert!(is_whole("17.0.0.7"), "another network has its own");
    // The balancer itself has no share of connections.
    let streams: Vec<Option<Response>> =
        (0..6).map(|_| tcp(&server, &header(within(EUROPE), 0x11), &query)).collect();
    assert!(streams.iter().all(Option::is_some));
}
