//! A client that asks at a steady rate, whatever becomes of its questions, while somebody else does harm.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::dns::{Query, ask};

/// Ports that it asks from, so that every core of the server has some of it.
const PORTS: usize = 4;
/// Questions sent at once after the client itself was kept waiting; what is beyond is never sent.
const BURST_MAX: u64 = 100;
/// How long the last answers may take.
const LATE_MAX: Duration = Duration::from_secs(1);

/// What became of its questions.
#[derive(Debug)]
pub struct Kept {
    pub sent: u64,
    /// Answered with the very octets of an answer in peace.
    pub answered: u64,
    /// How long the middle one took, and the slowest of a hundred.
    pub median: Duration,
    pub p99: Duration,
}

/// One port: when each question was sent, and how long each answer took.
struct Port {
    socket: UdpSocket,
    /// Nanoseconds since the begin, by the query's ID; 0 is none under way.
    sent: Vec<AtomicU64>,
}

/// Asks `query` so many times a second while `attack` runs, which ends by itself; its result comes second.
pub fn beside<T: Send>(
    server: SocketAddr,
    query: &Query,
    per_sec: u64,
    attack: impl FnOnce() -> T + Send,
) -> (Kept, T) {
    let wire = query.to_wire();
    let peaceful = ask(server, &wire, Duration::from_secs(5)).expect("an answer in peace");
    let (begun, is_over) = (Instant::now(), AtomicBool::new(false));
    let ports: Vec<Port> = (0..PORTS).map(|_| Port::open(server)).collect();
    thread::scope(|scope| {
        let listeners: Vec<_> = ports
            .iter()
            .map(|port| scope.spawn(|| port.listen(begun, &peaceful, &is_over)))
            .collect();
        let sender = scope.spawn(|| send(&ports, begun, &wire, per_sec, &is_over));
        let result = attack();
        is_over.store(true, Ordering::Relaxed);
        let sent = sender.join().unwrap();
        let mut took: Vec<u64> =
            listeners.into_iter().flat_map(|listener| listener.join().unwrap()).collect();
        took.sort_unstable();
        let at = |share: usize| {
            Duration::from_nanos(took.get(took.len() * share / 100).copied().unwrap_or(0))
        };
        (Kept { sent, answered: took.len() as u64, median: at(50), p99: at(99) }, result)
    })
}

impl Port {
    fn open(server: SocketAddr) -> Port {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Port { socket, sent: (0..=u16::MAX).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Nanoseconds that each good answer took, until all is over and nothing comes any more.
    fn listen(&self, begun: Instant, peaceful: &[u8], is_over: &AtomicBool) -> Vec<u64> {
        let (mut took, mut buffer, mut last) = (Vec::new(), [0; 2048], Instant::now());
        loop {
            if !is_over.load(Ordering::Relaxed) {
                last = Instant::now();
            } else if last.elapsed() > LATE_MAX {
                return took;
            }
            let Ok(len) = self.socket.recv(&mut buffer) else { continue };
            if buffer[2..len] == peaceful[2..] {
                let id = usize::from(u16::from_be_bytes([buffer[0], buffer[1]]));
                let sent = self.sent[id].swap(0, Ordering::Relaxed);
                took.extend((sent > 0).then(|| begun.elapsed().as_nanos() as u64 - sent));
            }
        }
    }
}

/// Sends in steps of a millisecond, and tells how many.
fn send(ports: &[Port], begun: Instant, wire: &[u8], per_sec: u64, is_over: &AtomicBool) -> u64 {
    let (mut wire, mut sent, mut skipped) = (wire.to_vec(), 0, 0);
    while !is_over.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_micros() as u64 * per_sec / 1_000_000;
        skipped += (due - skipped - sent).saturating_sub(BURST_MAX);
        while sent + skipped < due {
            let port = &ports[sent as usize % PORTS];
            let id = (sent / PORTS as u64) as u16;
            wire[..2].copy_from_slice(&id.to_be_bytes());
            let now = begun.elapsed().as_nanos() as u64;
            port.sent[usize::from(id)].store(now, Ordering::Relaxed);
            port.socket.send(&wire).unwrap();
            sent += 1;
        }
        thread::sleep(Duration::from_millis(1));
    }
    sent
}
