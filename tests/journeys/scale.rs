//! A large platform: 10,000 endpoints, five vantages that each tell all of them every 10 s; and one that sends as much as it
//! can. Nobody else notices.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::support::{Query, Server, eventually};
use super::{EUROPE, REGIONS, ZONE};

/// A debug build walks the same path with fewer and for less long: what is promised is promised of a release build.
pub const FULL: bool = !cfg!(debug_assertions);
const POOLS: usize = if FULL { 1_000 } else { 100 };
/// In each pool: five in Frankfurt, three in Ashburn, two in Singapore.
const ADDRESSES: [(&str, usize); 3] = [("fra", 5), ("iad", 3), ("sin", 2)];
const VANTAGES: usize = 5;
pub const INTERVAL: Duration = Duration::from_secs(if FULL { 10 } else { 2 });
/// In the first two words are new, and opinions rise; from then on they only repeat.
const INTERVALS: u32 = 4;
const SETTLED: u32 = 2;
/// Reports in one request.
const LETTER: usize = 1_000;
/// Letters of a flood, at most: four times what may come at once.
const LETTERS: usize = if FULL { 400 } else { 130 };

fn address(pool: usize, index: usize) -> String {
    format!("10.{}.{}.{index}", pool / 250, pool % 250)
}

fn steering() -> String {
    let mut text = String::new();
    for pool in 0..POOLS {
        writeln!(text, "[pools.p{pool}]").unwrap();
        let mut next = 1;
        for (region, count) in ADDRESSES {
            let all: Vec<String> =
                (next..next + count).map(|index| format!("\"{}\"", address(pool, index))).collect();
            writeln!(text, "{region} = [{}]", all.join(", ")).unwrap();
            next += count;
        }
        writeln!(
            text,
            "[policies.p{pool}]\npool = \"p{pool}\"\nttl = {{ min = 10, max = 60 }}\n\
             rules = [{{ regions = \"nearest\" }}]\nunknown = [\"fra\"]"
        )
        .unwrap();
    }
    text.push_str("[routes.\"example.test\"]\n\"geo\" = \"p7\"\n");
    text
}

pub fn subjects() -> Vec<String> {
    let mut all = Vec::new();
    for pool in 0..POOLS {
        let mut index = 0;
        for (region, count) in ADDRESSES {
            for _ in 0..count {
                index += 1;
                all.push(format!("{region}/p{pool}/{}", address(pool, index)));
            }
        }
    }
    all
}

pub fn server() -> Server {
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &steering()),
        ("geo/regions.toml", REGIONS),
    ]);
    let base = std::fs::read_to_string(server.path("homing.toml")).unwrap();
    assert!(base.contains("[listen]"));
    server
}

/// Makes a token for a vantage, and gives its secret.
fn token(server: &Server, vantage: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homing"));
    command.args(["token", "add", vantage, "--vantage"]).current_dir(server.path("."));
    let out = command.stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// One vantage with a connection that it keeps.
struct Sender {
    stream: BufReader<TcpStream>,
    api: SocketAddr,
    name: String,
    token: String,
    seq: u64,
}

impl Sender {
    fn new(server: &Server, name: String, token: String) -> Sender {
        let stream = TcpStream::connect(server.api).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Sender { stream: BufReader::new(stream), api: server.api, name, token, seq: 0 }
    }

    /// Sends one letter; gives the status, the head and the body of the answer.
    fn send(&mut self, subjects: &[String], status: &str) -> (u16, String, String) {
        let mut body = String::from("[");
        for subject in subjects {
            self.seq += 1;
            let comma = if body.len() > 1 { "," } else { "" };
            write!(
                body,
                r#"{comma}{{"vantage":"{}","boot":1,"seq":{},"subject":"{subject}","status":"{status}"}}"#,
                self.name, self.seq
            )
            .unwrap();
        }
        body.push(']');
        let head = format!(
            "POST /v1/reports HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.api,
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        self.stream.get_mut().write_all(body.as_bytes()).unwrap();
        self.read()
    }

    fn read(&mut self) -> (u16, String, String) {
        let (mut head, mut line) = (String::new(), String::from("x"));
        while !line.trim().is_empty() {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            head.push_str(&line.to_ascii_lowercase());
        }
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |l| l.trim().parse().unwrap())];
        self.stream.read_exact(&mut body).unwrap();
        (status, head, String::from_utf8(body).unwrap())
    }
}

/// Waits until every vantage's token is known to the server.
fn senders(server: &Server, names: &[String]) -> Vec<Sender> {
    let made: Vec<_> = names.iter().map(|name| (name.clone(), token(server, name))).collect();
    let mut all = Vec::new();
    for (name, token) in made {
        eventually("the token is known", || {
            let mut sender = Sender::new(server, name.clone(), token.clone());
            let (status, _, body) = sender.send(&["fra/p0/10.0.0.1".to_owned()], "up");
            if status == 202 { Ok(()) } else { Err(body) }
        });
        all.push(Sender { seq: 1, ..Sender::new(server, name, token) });
    }
    all
}

/// Kilobytes that the process holds, and seconds of CPU that it took.
pub fn cost(process: u32) -> (u64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = after[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    (line.trim().trim_end_matches(" kB").parse().unwrap(), ticks / 100.0)
}

/// Asks without a pause until it is over; every question is answered. Gives how many, and the longest wait.
fn question(server: &Server, is_over: &AtomicBool) -> (u64, Duration) {
    let (mut count, mut longest) = (0, Duration::ZERO);
    while !is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let found = server.udp(&Query::new("geo.example.test A").subnet(EUROPE)).rdata("A");
        assert!(!found.is_empty());
        longest = longest.max(begun.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    (count, longest)
}

#[test]
fn ten_thousand_endpoints_are_told_by_five_vantages_every_interval() {
    let server = server();
    let all = subjects();
    let names: Vec<String> = (0..VANTAGES).map(|n| format!("v{n}")).collect();
    let mut senders = senders(&server, &names);
    let reader = token_of_person(&server);
    let (_, cpu_before) = cost(server.process());
    let (begun, is_over) = (Instant::now(), AtomicBool::new(false));
    let slowest_micros = AtomicU64::new(0);
    let mut settled = 0;
    let (asked, longest) = std::thread::scope(|scope| {
        let asker = scope.spawn(|| question(&server, &is_over));
        for rounds in [0..SETTLED, SETTLED..INTERVALS] {
            settled = revision(&server, &reader);
            std::thread::scope(|scope| {
                for sender in &mut senders {
                    scope.spawn(|| tell_all(sender, &all, rounds.clone(), begun, &slowest_micros));
                }
            });
        }
        is_over.store(true, Ordering::Relaxed);
        asker.join().unwrap()
    });
    let (kilobytes, cpu) = cost(server.process());
    let count = all.len() * VANTAGES * INTERVALS as usize;
    let grown = revision(&server, &reader) - settled;
    println!(
        "{} endpoints, {VANTAGES} vantages, every {INTERVAL:?}: {count} reports taken, slowest {} ms for {LETTER}; \
         {:.1} % of a core, {} MB; {asked} queries, longest {longest:?}; log {} kB, {grown} events since words only repeat",
        all.len(),
        slowest_micros.load(Ordering::Relaxed) / 1000,
        (cpu - cpu_before) / begun.elapsed().as_secs_f64() * 100.0,
        kilobytes / 1024,
        log_len(&server) / 1024,
    );
    let status = status(&server, &reader);
    assert_eq!(status["evidence"]["fresh"], all.len(), "{}", status["evidence"]);
    // What repeats is no event of the log each.
    assert!(grown < count as u64 / 20, "{grown} events of {} repetitions", count / 2);
    // And a turn is served at once: three of five say so.
    let pool: Vec<String> = all.iter().filter(|s| s.starts_with("fra/p7/")).cloned().collect();
    for sender in &mut senders[..3] {
        assert_eq!(sender.send(&pool, "down").0, 202);
    }
    let found = server.addresses("geo.example.test", EUROPE);
    let ashburn = ashburn();
    assert!(!found.is_empty() && found.iter().all(|a| ashburn.contains(a)), "{found:?}");
}

/// Those of Ashburn in the pool that `geo.example.test` has.
pub fn ashburn() -> Vec<String> {
    (6..9).map(|index| address(7, index)).collect()
}

/// Octets of the log.
fn log_len(server: &Server) -> u64 {
    let folder = server.path("state/log");
    let files = std::fs::read_dir(folder).unwrap().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

/// Tells all endpoints up in each of the rounds, in even letters over an interval.
fn tell_all(
    sender: &mut Sender,
    all: &[String],
    rounds: Range<u32>,
    begun: Instant,
    slowest: &AtomicU64,
) {
    let letters: Vec<&[String]> = all.chunks(LETTER).collect();
    for round in rounds {
        for (n, letter) in letters.iter().enumerate() {
            let due = INTERVAL * round + INTERVAL * n as u32 / letters.len() as u32;
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let sent = Instant::now();
            let (status, _, body) = sender.send(letter, "up");
            assert_eq!(status, 202, "{body}");
            assert!(!body.contains("\"code\""), "{body}");
            slowest.fetch_max(sent.elapsed().as_micros() as u64, Ordering::Relaxed);
        }
    }
}

/// The status that `reader` gets, once its token is known.
fn status(server: &Server, reader: &str) -> serde_json::Value {
    let line = format!("authorization: Bearer {reader}\r\n");
    eventually("the reader's token is known", || {
        let reply = super::support::http_with(server.api, "GET", "/v1/status", &line, None);
        let reply = reply.ok_or("nobody answers")?;
        if reply.status == 200 { Ok(reply.json()) } else { Err(reply.body) }
    })
}

fn revision(server: &Server, reader: &str) -> u64 {
    status(server, reader)["revision"].as_u64().unwrap()
}

fn token_of_person(server: &Server) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homing"));
    command.args(["token", "add", "ana", "--person"]).current_dir(server.path("."));
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn a_vantage_that_floods_is_slowed_and_nobody_else_notices() {
    let server = server();
    let mut all = senders(&server, &["flood".to_owned(), "calm".to_owned()]);
    let (mut calm, mut flood) = (all.pop().unwrap(), all.pop().unwrap());
    let letter: Vec<String> = subjects().into_iter().take(LETTER).collect();
    let is_over = AtomicBool::new(false);
    let (kilobytes_before, _) = cost(server.process());
    let (asked, longest, turned_away) = std::thread::scope(|scope| {
        let asker = scope.spawn(|| question(&server, &is_over));
        // More than it may send at once, as fast as it can.
        let flooding = scope.spawn(|| {
            let mut turned_away = Vec::new();
            for _ in 0..LETTERS {
                if turned_away.len() >= 3 {
                    break;
                }
                let (code, head, body) = flood.send(&letter, "up");
                match code {
                    202 => {}
                    429 => turned_away.push((head, body)),
                    _ => panic!("{code} {body}"),
                }
            }
            turned_away
        });
        let mut slowest = Duration::ZERO;
        while !flooding.is_finished() {
            let begun = Instant::now();
            let (status, _, body) = calm.send(&["iad/p7/10.0.7.6".to_owned()], "up");
            assert_eq!(status, 202, "{body}");
            slowest = slowest.max(begun.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        println!("the calm one waited {slowest:?} at most");
        let turned_away = flooding.join().unwrap();
        is_over.store(true, Ordering::Relaxed);
        let (asked, longest) = asker.join().unwrap();
        (asked, longest, turned_away)
    });
    let (kilobytes, _) = cost(server.process());
    println!(
        "{} letters turned away; {asked} queries, longest {longest:?}; {} MB before, {} MB after",
        turned_away.len(),
        kilobytes_before / 1024,
        kilobytes / 1024
    );
    for (head, body) in &turned_away {
        assert!(head.contains("\r\nretry-after: ") && body.contains("\"code\""), "{head} {body}");
    }
    // A debug build takes no more than it may be sent.
    assert!(!FULL || !turned_away.is_empty(), "nothing was turned away");
    assert!(kilobytes < kilobytes_before + 200 * 1024, "{kilobytes_before} kB to {kilobytes} kB");
}
