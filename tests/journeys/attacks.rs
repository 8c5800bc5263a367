//! Attacks, each beside a client that asks at a steady rate from elsewhere and must not notice.
//!
//! All is on loopback: 127.0.0.1 is the client, and whoever attacks has other addresses of 127.0.0.0/8. Floods have a rate,
//! below what two cores can receive while they send it: what a full socket of the kernel drops, no server sees.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::support::{Kept, Query, Server, beside, free_port, http};
use super::tls::Issued;
use super::{REGIONS, STEERING, ZONE, doq, dot};

/// A debug build shares its machine with whatever else is tested: it walks the same path slower.
const FULL: bool = !cfg!(debug_assertions);
const STEADY_PER_SEC: u64 = if FULL { 5_000 } else { 500 };
const FLOOD_PER_SEC: u64 = if FULL { 100_000 } else { 2_000 };
const ATTACK: Duration = Duration::from_secs(if FULL { 10 } else { 3 });
const IDLE_CONNECTIONS: usize = if FULL { 20_000 } else { 1_500 };
const SLOW_CONNECTIONS: usize = if FULL { 2_000 } else { 200 };
/// Connections that this process has open at once.
const OPEN_MAX: usize = 15_000;
/// Ports of a flood, each of another /24.
const SOURCES: u64 = 256;

/// Nobody but the client is exempt from limits.
const LIMITS: &str = "[rate_limit]\nexempt = [\"127.0.0.1/32\"]\n";

fn start(more: &str) -> Server {
    Server::start_told(more, &[("zones/example.test.zone", ZONE)])
}

fn www() -> Query {
    Query::new("www.example.test A")
}

/// Whether the client kept its answers: 99.9 of a hundred; of a debug build 99.
fn keeps<T: Send>(server: &Server, what: &str, attack: impl FnOnce() -> T + Send) -> T {
    let (kept, result) = beside(server.dns, &www(), STEADY_PER_SEC, attack);
    let Kept { sent, answered, median, p99 } = kept;
    println!("{what}: {answered} of {sent} answered, median {median:?}, p99 {p99:?}");
    assert!(sent > STEADY_PER_SEC, "{what}: the client itself was kept waiting: {sent} sent");
    let lost_max = if FULL { sent / 1000 } else { sent / 100 };
    assert!(sent - answered <= lost_max, "{what}: {answered} of {sent} answered");
    result
}

/// An address of another /24 for each `n` up to [`SOURCES`], and after those others of the same.
fn source(n: usize) -> SocketAddr {
    let (network, host) = (n % SOURCES as usize, n / SOURCES as usize % 250 + 1);
    (Ipv4Addr::new(127, 66, network as u8, host as u8), 0).into()
}

/// Sends at the rate of a flood, from many networks, what `write` makes of a query by its number; reads nothing.
fn flood(dns: SocketAddr, write: impl Fn(u64) -> Vec<u8>) -> u64 {
    let open = |n| {
        let socket = UdpSocket::bind(source(n)).unwrap();
        socket.connect(dns).unwrap();
        socket
    };
    let sockets: Vec<UdpSocket> = (0..SOURCES as usize).map(open).collect();
    let (begun, mut sent) = (Instant::now(), 0);
    while begun.elapsed() < ATTACK {
        let due = begun.elapsed().as_micros() as u64 * FLOOD_PER_SEC / 1_000_000;
        // A flood that was kept waiting does not come at once.
        let burst = (due - sent).min(FLOOD_PER_SEC / 1000);
        for n in sent..sent + burst {
            // An error is one that the network reports of an earlier packet.
            let _ = sockets[(n % SOURCES) as usize].send(&write(n));
        }
        sent = due;
        thread::sleep(Duration::from_micros(200));
    }
    sent
}

#[test]
fn a_flood_from_forged_networks() {
    let server = start(LIMITS);
    let wire = www().edns(1232).to_wire();
    keeps(&server, "forged networks", || flood(server.dns, |_| wire.clone()));
    // 2,000 a second of 256 networks are within everybody's limits; 100,000 are not.
    let cut = server.metric("homing_responses_rate_limited_total{action=\"truncated\"}");
    assert!(!FULL || cut > 100_000, "{cut}");
}

#[test]
fn water_torture() {
    let server = start(LIMITS);
    keeps(&server, "water torture", || {
        flood(server.dns, |n| {
            let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Query::new(&format!("x{random:x}.example.test A")).to_wire()
        })
    });
}

/// Opens so many connections, each of which `begin`s as it likes, and gives those that stand: the newest, of more than a
/// process may have open. The server has let go of the others long before.
fn crowd(
    address: SocketAddr,
    count: usize,
    begin: impl Fn(&mut TcpStream) -> std::io::Result<()>,
) -> Vec<TcpStream> {
    let open = |n| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&source(n).into())?;
        socket.connect_timeout(&address.into(), Duration::from_secs(5))?;
        let mut stream = TcpStream::from(socket);
        stream.set_nonblocking(true)?;
        begin(&mut stream)?;
        std::io::Result::Ok(stream)
    };
    let mut crowd = VecDeque::new();
    for stream in (0..count).filter_map(|n| open(n).ok()) {
        crowd.push_back(stream);
        if crowd.len() > OPEN_MAX {
            crowd.pop_front();
        }
    }
    crowd.into()
}

/// Whoever comes honestly over TCP is answered, too.
fn newcomers_are_served(server: &Server, until: Instant) {
    while Instant::now() < until {
        assert_eq!(server.tcp(&www()).rdata("A"), ["192.0.2.80"]);
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn idle_connections() {
    raise_open_files();
    let server = start("");
    let stood = keeps(&server, "idle connections", || {
        let until = Instant::now() + ATTACK;
        let crowd = crowd(server.dns, IDLE_CONNECTIONS, |_| Ok(()));
        newcomers_are_served(&server, until.max(Instant::now() + Duration::from_secs(1)));
        crowd.len()
    });
    assert!(stood >= OPEN_MAX.min(IDLE_CONNECTIONS) * 9 / 10, "{stood} were opened");
    let accepted = server.metric("homing_tcp_connections_total{event=\"accepted\"}");
    assert!(accepted >= IDLE_CONNECTIONS as u64 * 9 / 10, "{accepted} were accepted");
    let open = server.metric("homing_tcp_connections_open");
    assert!(open <= 1024, "{open} connections are open");
    assert!(server.metric("homing_tcp_connections_total{event=\"evicted\"}") > 0);
}

/// An octet of a query at a time, to the end of the attack.
fn drip(crowd: &mut [TcpStream], message: &[u8], until: Instant) {
    for octet in message.iter().cycle() {
        for stream in &mut *crowd {
            // Some have been ended.
            let _ = stream.write(&[*octet]);
        }
        if Instant::now() > until {
            return;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn queries_an_octet_at_a_time() {
    let server = start("");
    keeps(&server, "an octet at a time", || {
        let until = Instant::now() + ATTACK;
        let mut crowd = crowd(server.dns, SLOW_CONNECTIONS, |_| Ok(()));
        thread::scope(|scope| {
            scope.spawn(|| newcomers_are_served(&server, until));
            drip(&mut crowd, &[0, 200, 1, 2, 3], until);
        });
    });
}

#[test]
fn clients_that_ask_and_never_read() {
    let server = start("");
    let wire = www().to_wire();
    let message = [&(wire.len() as u16).to_be_bytes(), &wire[..]].concat().repeat(1000);
    keeps(&server, "never reading", || {
        let until = Instant::now() + ATTACK;
        let mut crowd = crowd(server.dns, SLOW_CONNECTIONS, |_| Ok(()));
        thread::scope(|scope| {
            scope.spawn(|| newcomers_are_served(&server, until));
            while Instant::now() < until {
                crowd.iter_mut().for_each(|stream| drop(stream.write(&message)));
                thread::sleep(Duration::from_millis(500));
            }
        });
    });
}

#[test]
fn handshakes_that_stall() {
    let issued = Issued::new();
    let (server, dot) = dot::start("", &issued.pair());
    // The head of a TLS record that promises a ClientHello of 512 octets.
    let begun = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    keeps(&server, "stalled handshakes", || {
        let until = Instant::now() + ATTACK;
        let mut crowd = crowd(dot, SLOW_CONNECTIONS, |stream| stream.write_all(&begun));
        thread::scope(|scope| {
            scope.spawn(|| newcomers_are_served(&server, until));
            drip(&mut crowd, &[0], until);
        });
    });
}

/// Begins handshakes over QUIC and goes on with none: what a client writes reaches the server from many networks, and no
/// answer reaches the client.
async fn begin_handshakes(doq: SocketAddr, issued: &Issued, until: Instant) -> usize {
    let blackhole = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = blackhole.local_addr().unwrap();
    blackhole.set_nonblocking(true).unwrap();
    let sockets: Vec<UdpSocket> =
        (0..SOURCES as usize).map(|n| UdpSocket::bind(source(n)).unwrap()).collect();
    let endpoint = doq::endpoint(issued);
    let (mut begun, mut sent, mut packet) = (Vec::new(), 0, [0; 2048]);
    while Instant::now() < until {
        if begun.len() < SLOW_CONNECTIONS {
            begun.push(endpoint.connect(address, "127.0.0.1").unwrap());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        while let Ok(len) = blackhole.recv(&mut packet) {
            // An error is one that the network reports of an earlier packet.
            let _ = sockets[sent % sockets.len()].send_to(&packet[..len], doq);
            sent += 1;
        }
    }
    begun.len()
}

#[test]
fn handshakes_over_quic_that_stall() {
    let issued = Issued::new();
    let (server, doq) = doq::start("", &issued);
    let begun = keeps(&server, "stalled QUIC", || {
        let until = Instant::now() + ATTACK;
        thread::scope(|scope| {
            let attack = scope.spawn(|| doq::within(begin_handshakes(doq, &issued, until)));
            newcomers_are_served(&server, until);
            attack.join().unwrap()
        })
    });
    let accepted = server.metric("homing_tcp_connections_total{event=\"accepted\"}");
    println!("{begun} handshakes, {accepted} seated");
    assert!(begun >= 200 && accepted >= 200, "{begun} {accepted}");
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Begins requests over HTTP/2 and takes each back at once (CVE-2023-44487), on one connection after the other.
fn reset_rapidly(doh: SocketAddr, issued: &Issued, until: Instant) -> u64 {
    // POST, https, the path, an authority, the type: as HPACK has them (RFC 7541, appendix A).
    let head = [
        &[0x83, 0x87, 0x04, 10][..],
        b"/dns-query",
        &[0x01, 1, b'x', 0x0f, 0x10, 23],
        b"application/dns-message",
    ]
    .concat();
    let mut resets = 0;
    while Instant::now() < until {
        let mut client = dot::connect_for(b"h2", doh, issued);
        let mut out = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
        for stream in (1..).step_by(2).take(10_000) {
            out.extend(frame(1, 4, stream, &head));
            out.extend(frame(3, 0, stream, &8u32.to_be_bytes()));
            // Written until the server has had enough.
            if out.len() > 8_000 {
                let written = client.write_all(&out).and_then(|()| client.flush());
                out.clear();
                if written.is_err() || Instant::now() > until {
                    break;
                }
            }
            resets += 1;
        }
    }
    resets
}

#[test]
fn requests_over_https_that_are_taken_back_at_once() {
    let (issued, doh) = (Issued::new(), free_port());
    let (server, _) = dot::start(&format!("doh = [\"{doh}\"]\n"), &issued.pair());
    let resets = keeps(&server, "rapid reset", || {
        let until = Instant::now() + ATTACK;
        thread::scope(|scope| {
            let attack = scope.spawn(|| reset_rapidly(doh, &issued, until));
            newcomers_are_served(&server, until);
            attack.join().unwrap()
        })
    });
    let accepted = server.metric("homing_tcp_connections_total{event=\"accepted\"}");
    let failed = server.metric("homing_tcp_connections_total{event=\"failed\"}");
    println!("{resets} resets, {accepted} connections, of which {failed} were cut off");
    assert!(resets > 1_000 && failed > 1, "{resets} {failed}");
}

#[test]
fn reporters_that_flood_the_api() {
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ]);
    let report = |reporter: u64| {
        let until = Instant::now() + ATTACK;
        let mut answered = 0;
        for seq in 1.. {
            if Instant::now() > until {
                break;
            }
            let status = if seq % 2 == 0 { "up" } else { "down" };
            let body = format!(
                r#"{{"vantage":"v{reporter}","boot":1,"seq":{seq},"subject":"fra/web/192.0.2.10","status":"{status}"}}"#
            );
            let reply = http(server.api, "POST", "/v1/reports", Some(&body));
            answered += u64::from(reply.is_some());
        }
        answered
    };
    let answered = keeps(&server, "reports", || {
        thread::scope(|scope| {
            let reporters: Vec<_> = (0..4).map(|n| scope.spawn(move || report(n))).collect();
            reporters.into_iter().map(|reporter| reporter.join().unwrap()).sum::<u64>()
        })
    });
    println!("{answered} reports were answered");
    assert!(answered > 100, "{answered}");
}

#[test]
fn files_written_a_hundred_times_a_second() {
    let server = start("");
    let written = keeps(&server, "files", || {
        let until = Instant::now() + ATTACK;
        for n in 2.. {
            if Instant::now() > until {
                return n - 1;
            }
            let serial = format!("hostmaster {n} ");
            server.write("zones/example.test.zone", &ZONE.replace("hostmaster 1 ", &serial));
            thread::sleep(Duration::from_millis(10));
        }
        unreachable!("time passes")
    });
    println!("{written} versions");
    let soa = Query::new("example.test SOA");
    super::support::eventually("the last version is served", || {
        let told = server.udp(&soa).lines().join("\n");
        if told.contains(&format!(" {written} ")) { Ok(()) } else { Err(told) }
    });
}

/// As many files as the crowd needs, of those that the system allows.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = OPEN_MAX.min(IDLE_CONNECTIONS) as u64 + 1000;
    assert!(maximum.is_none_or(|most| most >= wanted), "ulimit -Hn is {maximum:?}, needs {wanted}");
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
}
