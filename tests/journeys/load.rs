//! Under load: questions at a steady rate, a zone rewritten ten times a second, reports by the hundred, and no
//! question lost, no SERVFAIL, every answer an old or a new one and never going backwards.
//!
//! The zone's version is the address of a static name; a client socket stays on one core of the server, so the versions
//! that it sees only grow. Reports turn the router of one region down and up, which a steered name must follow.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Query, Server};
use crate::{REGIONS, STEERING, ZONE};

/// What the README promises is promised of a release build. A debug build, which shares its machine with whatever else is
/// tested, walks the same path slower.
const FULL: bool = !cfg!(debug_assertions);
const QUERIES_PER_SEC: u64 = if FULL { 20_000 } else { 1_000 };
const REPORTS_PER_SEC: u64 = if FULL { 500 } else { 50 };
const SECS: u64 = if FULL { 20 } else { 4 };
/// Questions under way on one socket: few enough for all sockets to fit into one default buffer of the kernel (208 KiB, of
/// which a small packet takes 768 octets). What a full buffer drops is no loss of the server's; a stall shows in the rate.
const UNDER_WAY_MAX: u64 = 60;
/// Reports of one reporter between two turns.
const TURN: u64 = if FULL { 8 } else { 3 };
const SOCKETS: u64 = 4;
const REPORTERS: u64 = 4;
const REWRITE: Duration = Duration::from_millis(100);
/// Waits of 200 ms without an answer after which the rest counts as lost: 25 s in all, longer than any machine is busy.
const SILENT_MAX: u32 = 125;

/// What the threads share.
struct World {
    dns: SocketAddr,
    api: SocketAddr,
    /// Set when the load is over.
    is_over: AtomicBool,
    /// The last version of the zone that was begun to be written.
    version: AtomicU32,
    answered: AtomicU64,
    reported: AtomicU64,
    /// Answers that the steered name had, as bits: Frankfurt, Ashburn.
    seen: AtomicU32,
}

fn zone(version: u32) -> String {
    let address = Ipv4Addr::from(0x0a00_0000 + version);
    ZONE.replace("192.0.2.80", &address.to_string())
        .replace("hostmaster 1 ", &format!("hostmaster {version} "))
}

#[test]
fn nothing_is_lost_while_everything_changes() {
    let steering = STEERING
        .replace("\"192.0.2.11\"", "")
        .replace("[routes", "[pools.web.health]\nrise = 1\n[routes");
    let server = Server::start(&[
        ("zones/example.test.zone", &zone(1)),
        ("zones/example.test.toml", &steering),
        ("geo/regions.toml", REGIONS),
    ]);
    let world = World {
        dns: server.dns,
        api: server.api,
        is_over: AtomicBool::new(false),
        version: AtomicU32::new(1),
        answered: AtomicU64::new(0),
        reported: AtomicU64::new(0),
        seen: AtomicU32::new(0),
    };
    let begun = Instant::now();
    let mut took = Duration::ZERO;
    let sent: u64 = std::thread::scope(|scope| {
        let writer = scope.spawn(|| rewrite(&world, &server));
        let reporters: Vec<_> = (0..REPORTERS)
            .map(|n| {
                scope.spawn({
                    let world = &world;
                    move || report(world, n)
                })
            })
            .collect();
        let senders: Vec<_> = (0..SOCKETS).map(|_| scope.spawn(|| question(&world))).collect();
        let sent = senders.into_iter().map(|s| s.join().unwrap()).sum();
        took = begun.elapsed();
        world.is_over.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        reporters.into_iter().for_each(|r| r.join().unwrap());
        sent
    });
    let (answered, version) =
        (world.answered.load(Ordering::Relaxed), world.version.load(Ordering::Relaxed));
    let reported = world.reported.load(Ordering::Relaxed);
    println!(
        "{sent} queries sent, {answered} answered, {} a second; {version} versions of the zone; {reported} reports",
        (sent * 1000).checked_div(took.as_millis() as u64).unwrap_or(0),
    );
    assert_eq!(answered, sent, "queries were lost");
    assert_eq!(world.seen.load(Ordering::Relaxed), 3, "the steered name followed the reports");
    let last = Ipv4Addr::from(0x0a00_0000 + version).to_string();
    server.wait_addresses("www.example.test", "193.0.0.0/21", &[&last]);
}

/// Rewrites the zone at a steady pace until the load is over.
fn rewrite(world: &World, server: &Server) {
    while !world.is_over.load(Ordering::Relaxed) {
        std::thread::sleep(REWRITE);
        let version = world.version.fetch_add(1, Ordering::Relaxed) + 1;
        server.write("zones/example.test.zone", &zone(version));
    }
}

/// Reports one router down and up in turn over one kept connection; each must be taken.
fn report(world: &World, reporter: u64) {
    let mut stream = BufReader::new(TcpStream::connect(world.api).unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    let begun = Instant::now();
    for seq in 1.. {
        let due = Duration::from_micros(1_000_000 * REPORTERS / REPORTS_PER_SEC * seq);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        if world.is_over.load(Ordering::Relaxed) {
            return;
        }
        let status = if seq / TURN % 2 == 1 { "down" } else { "up" };
        let body = format!(
            r#"{{"vantage":"v{reporter}","boot":1,"seq":{seq},"subject":"fra/web/192.0.2.10","status":"{status}"}}"#
        );
        let head = format!(
            "POST /v1/reports HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n",
            world.api
        );
        write!(stream.get_mut(), "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        assert_eq!(read_status(&mut stream), 202);
        world.reported.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads one response off a kept connection and gives its status.
fn read_status(stream: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut len, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let lower = line.trim().to_ascii_lowercase();
        if let Some(rest) = lower.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(rest) = lower.strip_prefix("content-length:") {
            len = rest.trim().parse().unwrap();
        } else if lower.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; len]).unwrap();
    status
}

/// Sends its share of the questions at a steady rate and reads the answers beside; gives how many it sent.
fn question(world: &World) -> u64 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(world.dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let total = QUERIES_PER_SEC * SECS / SOCKETS;
    let count = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(world, &socket, &count, total));
        let mut questions = ["www.example.test A", "geo.example.test A"].map(Query::new);
        let begun = Instant::now();
        for n in 0..total {
            let due = Duration::from_micros(n * 1_000_000 * SOCKETS / QUERIES_PER_SEC);
            // A short sleep costs more than it waits: sleep only when a few are not yet due.
            if let Some(early) = due.checked_sub(begun.elapsed()).filter(|e| e.as_millis() >= 1) {
                std::thread::sleep(early);
            }
            while n - count.load(Ordering::Relaxed) >= UNDER_WAY_MAX && !reader.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let query = &mut questions[usize::from(n % 8 == 0)];
            query.id = n as u16;
            socket.send(&query.to_wire()).unwrap();
        }
        reader.join().unwrap();
    });
    total
}

/// Reads and judges answers until all have come, or none came for a while.
fn read(world: &World, socket: &UdpSocket, count: &AtomicU64, total: u64) {
    let (mut buffer, mut newest, mut silent) = ([0; 512], 0, 0);
    // One socket's packets keep their order, so a gap is a loss, and a step back an answer given twice.
    let mut next = 0_u16;
    while count.load(Ordering::Relaxed) < total && silent < SILENT_MAX {
        let Ok(len) = socket.recv(&mut buffer) else {
            silent += 1;
            continue;
        };
        silent = 0;
        let response = &buffer[..len];
        let id = u16::from_be_bytes([response[0], response[1]]);
        assert!(id.wrapping_sub(next) < 0x8000, "{id} again, {next} is next");
        next = id.wrapping_add(1);
        assert_eq!((response[2] & 0x80, response[3] & 15, response[7]), (0x80, 0, 1), "id {id}");
        let address = u32::from_be_bytes(response[len - 4..].try_into().unwrap());
        if id % 8 == 0 {
            let bit = [0xc000_020a, 0xc633_640a].iter().position(|a| *a == address);
            world.seen.fetch_or(1 << bit.expect("a router of the pool"), Ordering::Relaxed);
        } else {
            let version = address.wrapping_sub(0x0a00_0000);
            assert!(version <= world.version.load(Ordering::Relaxed), "a version not yet written");
            assert!(version >= newest, "from version {newest} back to {version}");
            newest = version;
        }
        count.fetch_add(1, Ordering::Relaxed);
        world.answered.fetch_add(1, Ordering::Relaxed);
    }
}
