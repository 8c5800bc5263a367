//! The load over TCP: connections that ask in batches, and begin anew where that is wanted.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::count::{Count, Meter};
use super::packets::Packets;

/// Queries that one connection has under way.
const PIPELINE: u64 = 10;

/// One connection.
struct Connection {
    stream: TcpStream,
    sent: Instant,
    /// Queries under way, by ID.
    under_way: Vec<(u16, usize)>,
    /// Queries that it may still send.
    left: u64,
    heard: Vec<u8>,
}

/// Asks over so many `connections`, each of which ends after `each` queries and is followed by another. One line of JSON.
pub fn run(
    to: SocketAddr,
    mut packets: Packets,
    connections: usize,
    each: u64,
    mut meter: Meter,
) -> String {
    let mut count = Count::default();
    let mut all: Vec<Connection> = (0..connections).map(|_| Connection::open(to, each)).collect();
    let mut next_id = 0u16;
    while meter.goes_on(&mut count).is_some() {
        for connection in &mut all {
            if connection.under_way.is_empty() {
                if connection.left == 0 {
                    *connection = Connection::open(to, each);
                }
                connection.ask(&mut packets, &mut next_id);
            }
            if !connection.hear(&packets, &mut count) {
                count.lost += connection.under_way.len() as u64;
                *connection = Connection::open(to, each);
            }
        }
    }
    meter.tell(&mut count)
}

impl Connection {
    fn open(to: SocketAddr, each: u64) -> Connection {
        let stream = TcpStream::connect(to).expect("connected");
        // It ends at once, and keeps no port.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("set");
        stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).expect("set");
        Connection {
            stream,
            sent: Instant::now(),
            under_way: Vec::new(),
            left: each,
            heard: Vec::new(),
        }
    }

    fn ask(&mut self, packets: &mut Packets, next_id: &mut u16) {
        let mut octets = Vec::new();
        for _ in 0..PIPELINE.min(self.left) {
            let (number, packet) = packets.next(*next_id);
            octets.extend((packet.len() as u16).to_be_bytes());
            octets.extend_from_slice(packet);
            self.under_way.push((*next_id, number));
            *next_id = next_id.wrapping_add(1);
        }
        self.left -= self.under_way.len() as u64;
        self.sent = Instant::now();
        // A batch is far smaller than what a socket takes.
        if self.stream.write_all(&octets).is_err() {
            self.left = 0;
        }
    }

    /// Takes the answers that have come. False where the connection has ended, or nothing came for a second.
    fn hear(&mut self, packets: &Packets, count: &mut Count) -> bool {
        let mut octets = [0; 16 * 1024];
        match self.stream.read(&mut octets) {
            Ok(0) => return self.under_way.is_empty(),
            Ok(len) => self.heard.extend_from_slice(&octets[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return self.sent.elapsed() < Duration::from_secs(1);
            }
            Err(_) => return false,
        }
        let mut at = 0;
        while let Some(len) = self.heard.get(at..at + 2) {
            let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
            let Some(answer) = self.heard.get(at + 2..at + 2 + len) else { break };
            let id = u16::from_be_bytes([answer[0], answer[1]]);
            if let Some(found) = self.under_way.iter().position(|(known, _)| *known == id) {
                let (_, number) = self.under_way.swap_remove(found);
                count.take(self.sent.elapsed(), packets.is_answer(number, answer));
            }
            at += 2 + len;
        }
        self.heard.drain(..at);
        true
    }
}
