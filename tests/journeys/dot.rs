//! DNS over TLS (RFC 7858): the same answers, behind certificates that are renewed, for clients that keep nobody waiting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::ZONE;
use super::support::{Query, Response, Server, eventually, free_port};
use super::tls::Issued;

const PADDING: u16 = 12;

pub type Client = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

/// A server with DNS over TLS, and where.
pub fn start(more: &str, (certificate, key): &(String, String)) -> (Server, SocketAddr) {
    let dot = free_port();
    let told =
        format!("dot = [\"{dot}\"]\ndns_certificate = \"cert.pem\"\ndns_key = \"key.pem\"\n{more}");
    let files = [("zones/example.test.zone", ZONE), ("cert.pem", certificate), ("key.pem", key)];
    (Server::start_told(&told, &files), dot)
}

fn connect(dot: SocketAddr, issued: &Issued) -> Client {
    connect_for(b"dot", dot, issued)
}

/// Whom a client believes, and what it speaks (ALPN).
pub fn client_config(protocol: &[u8], issued: &Issued) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(issued.ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

/// A connection that believes the authority, to speak `protocol`.
pub fn connect_for(protocol: &[u8], dot: SocketAddr, issued: &Issued) -> Client {
    let config = client_config(protocol, issued);
    let connection = rustls::ClientConnection::new(config, dot.ip().into()).unwrap();
    let stream = TcpStream::connect(dot).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    rustls::StreamOwned::new(connection, stream)
}

/// Sends all queries at once, then reads as many responses; gives them with their lengths.
fn ask(client: &mut Client, queries: &[Query]) -> Vec<(usize, Response)> {
    let mut out = Vec::new();
    for query in queries {
        let wire = query.to_wire();
        out.extend((wire.len() as u16).to_be_bytes());
        out.extend(wire);
    }
    client.write_all(&out).unwrap();
    let mut read = |len: usize| {
        let mut octets = vec![0; len];
        client.read_exact(&mut octets).unwrap();
        octets
    };
    let mut one = || {
        let len = read(2);
        let message = read(usize::from(u16::from_be_bytes([len[0], len[1]])));
        (message.len(), Response::read(&message))
    };
    queries.iter().map(|_| one()).collect()
}

#[test]
fn the_answers_are_those_of_tcp_and_padded_if_that_is_asked() {
    let issued = Issued::new();
    let (server, dot) = start("", &issued.pair());
    let questions = ["www.example.test A", "missing.example.test A", "example.test NS"];
    let plain: Vec<Query> = questions.iter().map(|question| Query::new(question)).collect();
    let mut client = connect(dot, &issued);
    for (query, (_, response)) in plain.iter().zip(ask(&mut client, &plain)) {
        assert_eq!(response.lines(), server.tcp(query).lines());
    }
    assert_eq!(client.conn.alpn_protocol(), Some(&b"dot"[..]));

    // RFC 8467 §4.1: a multiple of 468 octets, where the query was padded; and never in the clear (RFC 7830 §6).
    let padded: Vec<Query> =
        questions.iter().map(|question| Query::new(question).option(PADDING, &[0; 40])).collect();
    for (len, response) in ask(&mut client, &padded) {
        assert_eq!(len, 468, "{:?}", response.lines());
    }
    assert_eq!(server.tcp(&padded[0]).option(PADDING), None);
    assert_eq!(server.udp(&padded[0]).option(PADDING), None);
    let (_, unpadded) = ask(&mut client, &[Query::new("www.example.test A").edns(1232)]).remove(0);
    assert_eq!(unpadded.option(PADDING), None);
    assert_eq!(server.metric("homing_queries_total{transport=\"tls\"}"), 7);
    let expiry = server.metric("homing_dot_certificate_expires_timestamp_seconds");
    assert!(expiry > 1_700_000_000, "{expiry}");
}

#[test]
fn who_stalls_in_the_handshake_keeps_nobody_waiting_and_leaves() {
    let issued = Issued::new();
    let more = "[tcp]\nconnections = 40\nidle = \"1s\"\n";
    let (server, dot) = start(more, &issued.pair());
    let stalled: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(dot).unwrap()).collect();
    let mut client = connect(dot, &issued);
    let (_, response) = ask(&mut client, &[Query::new("www.example.test A")]).remove(0);
    assert_eq!(response.rdata("A"), ["192.0.2.80"]);
    eventually("those that stalled have left", || {
        let evicted = server.metric("homing_tcp_connections_total{event=\"evicted\"}");
        let late = server.metric("homing_tcp_connections_total{event=\"handshake-timed-out\"}");
        if evicted > 0 && evicted + late >= 60 { Ok(()) } else { Err(format!("{evicted} {late}")) }
    });
    drop(stalled);
    // Words in the clear are no handshake.
    let mut plain = TcpStream::connect(dot).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest);
    assert!(server.metric("homing_tcp_connections_total{event=\"handshake-failed\"}") >= 1);
}

#[test]
fn a_renewed_certificate_serves_new_connections_and_a_bad_one_gives_alarm() {
    let issued = Issued::new();
    let (server, dot) = start("", &issued.pair());
    let mut before = connect(dot, &issued);
    let www = || [Query::new("www.example.test A")];
    ask(&mut before, &www());
    let first = before.conn.peer_certificates().unwrap()[0].clone();
    let (certificate, key) = issued.pair();
    server.write("cert.pem", &certificate);
    server.write("key.pem", &key);
    eventually("the new one is shown", || {
        let mut client = connect(dot, &issued);
        ask(&mut client, &www());
        let shown = client.conn.peer_certificates().unwrap()[0].clone();
        if shown == first { Err("the old one".to_owned()) } else { Ok(()) }
    });
    ask(&mut before, &www());
    server.write("key.pem", "no key\n");
    eventually("the alarm stands", || {
        let status = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
        let told =
            status.contains("certificate-refused") && status.contains("no private key in it");
        if told { Ok(()) } else { Err(status) }
    });
    ask(&mut connect(dot, &issued), &www());
}
