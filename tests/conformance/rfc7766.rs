//! RFC 7766: DNS over TCP.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server;
use crate::support::{Query, Response, tcp_exchange};

#[test]
fn section_6_2_1_1_queries_sent_together_are_all_answered() {
    let requests: Vec<Vec<u8>> = (0..50)
        .map(|id| {
            let mut query = Query::new("www.example.test A");
            query.id = id;
            query.to_wire()
        })
        .collect();
    let responses = tcp_exchange(server().dns, &requests);
    let ids: BTreeSet<u16> = responses.iter().map(|r| Response::read(r).id).collect();
    assert_eq!(ids, (0..50).collect());
}

#[test]
fn section_8_a_message_may_come_octet_by_octet() {
    let wire = Query::new("www.example.test A").to_wire();
    let mut stream = TcpStream::connect(server().dns).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for octet in (wire.len() as u16).to_be_bytes().iter().chain(&wire) {
        stream.write_all(&[*octet]).unwrap();
    }
    let mut len = [0; 2];
    stream.read_exact(&mut len).unwrap();
    let mut response = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut response).unwrap();
    assert_eq!(Response::read(&response).rdata("A"), ["192.0.2.2"]);
}

#[test]
fn section_6_2_3_a_connection_stays_open_for_the_next_query() {
    let mut stream = TcpStream::connect(server().dns).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for id in 0..3 {
        let mut query = Query::new("www.example.test A");
        query.id = id;
        let wire = query.to_wire();
        stream.write_all(&[&(wire.len() as u16).to_be_bytes()[..], &wire].concat()).unwrap();
        let mut len = [0; 2];
        stream.read_exact(&mut len).unwrap();
        let mut response = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut response).unwrap();
        assert_eq!(Response::read(&response).id, id);
    }
}
