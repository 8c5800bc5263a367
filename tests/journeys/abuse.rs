//! A server that answers whoever it is told to answer is a weapon, unless it counts.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::ZONE;
use crate::support::{Query, Response, Server, eventually};

const COOKIE: u16 = 10;

/// 20 responses a second of one content to a network, 50 of all; nobody is exempt.
const LIMITS: &str =
    "cores = 1\n[rate_limit]\nexempt = []\nresponses_per_second = 20\nall_per_second = 50\n";

fn start(more: &str) -> Server {
    Server::start_told(more, &[("zones/example.test.zone", ZONE)])
}

/// Queries under way at once: as many as any socket has room for.
const BATCH: u16 = 20;

/// Asks `count` times over UDP, as fast as it is answered, from `client`; gives the responses, and the seconds it took.
fn flood(server: &Server, client: &str, query: &Query, count: u16) -> (Vec<Response>, f64) {
    let socket = UdpSocket::bind(SocketAddr::new(client.parse().unwrap(), 0)).unwrap();
    socket.connect(server.dns).unwrap();
    // What is dropped is not waited for long.
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (begun, mut buffer, mut responses) = (Instant::now(), [0; 2048], Vec::new());
    for first in (0..count).step_by(BATCH.into()) {
        for id in first..first + BATCH {
            let mut wire = query.to_wire();
            wire[..2].copy_from_slice(&id.to_be_bytes());
            socket.send(&wire).unwrap();
        }
        for _ in 0..BATCH {
            let Ok(len) = socket.recv(&mut buffer) else { break };
            responses.push(Response::read(&buffer[..len]));
        }
    }
    (responses, begun.elapsed().as_secs_f64())
}

fn whole(responses: &[Response]) -> usize {
    responses.iter().filter(|response| !response.lines()[0].contains(" tc")).count()
}

#[test]
fn a_network_gets_its_rate_and_who_asks_honestly_gets_on() {
    let server = start(LIMITS);
    let query = Query::new("www.example.test A").edns(1232);
    let (responses, seconds) = flood(&server, "127.0.0.1", &query, 400);
    // Every response comes; beyond the worth of a second and what grew since, all are truncated, none larger than its query.
    assert_eq!(responses.len(), 400);
    let most = 20 + (20.0 * seconds) as usize + 1;
    assert!((20..=most).contains(&whole(&responses)), "{} of {most}", whole(&responses));
    let cut = responses.iter().find(|response| response.lines()[0].contains(" tc")).unwrap();
    assert_eq!(cut.lines(), ["NOERROR aa tc"]);
    assert!(cut.edns.is_some());

    // Over TCP there is no limit: the address is the client's own.
    assert_eq!(server.tcp(&query).rdata("A"), ["192.0.2.80"]);
    // Nor with a cookie, which the truncated response brings as well.
    let first = server.udp(&Query::new("www.example.test A").option(COOKIE, &[1; 8]));
    let cookie = first.option(COOKIE).expect("a cookie").to_vec();
    let proven = Query::new("www.example.test A").option(COOKIE, &cookie);
    let (responses, _) = flood(&server, "127.0.0.1", &proven, 100);
    assert_eq!((responses.len(), whole(&responses)), (100, 100));
    // Another network has its own.
    let (responses, _) = flood(&server, "127.0.9.1", &query, 20);
    assert_eq!(whole(&responses), 20);

    let limited = server.metric("homing_responses_rate_limited_total{action=\"truncated\"}");
    assert!(limited >= 370, "{limited}");
    eventually("the alarm stands", || {
        let status = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
        let told = status.contains("responses-limited") && status.contains("127.0.0.0/24");
        if told { Ok(()) } else { Err(status) }
    });
}

#[test]
fn names_that_do_not_exist_are_counted_together() {
    let server = start(LIMITS);
    let begun = Instant::now();
    let ask = |n: usize| server.udp(&Query::new(&format!("x{n}.example.test A")));
    let responses: Vec<Response> = (0..100).map(ask).collect();
    let most = 20 + (20.0 * begun.elapsed().as_secs_f64()) as usize + 1;
    assert!((20..=most).contains(&whole(&responses)), "{} of {most}", whole(&responses));
    assert!(responses.iter().all(|response| response.rcode == 3));
}

#[test]
fn what_is_only_watched_is_sent_and_counted() {
    let server = start(&format!("{LIMITS}log_only = true\n"));
    let (responses, _) = flood(&server, "127.0.0.1", &Query::new("www.example.test A"), 200);
    assert_eq!(whole(&responses), 200);
    assert!(server.metric("homing_responses_rate_limited_total{action=\"watched\"}") >= 150);
}

#[test]
fn slip_and_leak_are_as_told() {
    let server = start(&format!("{LIMITS}slip = 4\nleak = 6\nwindow = \"60s\"\n"));
    let query = Query::new("www.example.test A");
    flood(&server, "127.0.0.1", &query, 200);
    let (responses, _) = flood(&server, "127.0.0.1", &query, 120);
    // Of twelve: the sixth and the twelfth leak, the fourth and the eighth slip.
    assert_eq!((responses.len(), whole(&responses)), (40, 20));
    let dropped = server.metric("homing_responses_rate_limited_total{action=\"dropped\"}");
    assert!(dropped >= 80, "{dropped}");
}

#[test]
fn large_responses_want_a_cookie_where_that_is_asked() {
    let texts: String = (0..6).map(|n| format!("big TXT \"{}\"\n", "x".repeat(100 + n))).collect();
    let zone = format!("{ZONE}{texts}");
    let more = "[cookies]\nmax_udp_without_cookie = 512\n";
    let server = Server::start_told(more, &[("zones/example.test.zone", &zone)]);
    let big = || Query::new("big.example.test TXT");
    assert_eq!(server.udp(&big().edns(1232)).lines()[0], "NOERROR aa tc");
    let first = server.udp(&big().option(COOKIE, &[1; 8]));
    assert_eq!(first.lines()[0], "NOERROR aa tc");
    let proven = server.udp(&big().option(COOKIE, first.option(COOKIE).expect("a cookie")));
    assert_eq!(proven.rdata("TXT").len(), 6);
    assert_eq!(server.tcp(&big()).rdata("TXT").len(), 6);
}
