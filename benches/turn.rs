//! From a report to the first changed answer, while 50,000 questions come every second; beside gdnsd, where it is installed,
//! whose operators write `admin_state`.
//!
//! Both are asked for one name at a steady rate, and each answer is looked at: what is told is the time from before the change
//! is sent to the first answer that shows it, in steps of 20 µs. `HOMING_TURNS=100 cargo bench --bench turn` is shorter.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[path = "../tests/support/mod.rs"]
mod support;

use support::{Query, Server, ask, eventually, free_port};

const QUERIES_PER_SEC: u64 = 50_000;
/// gdnsd takes two seconds each.
const TURNS_OF_GDNSD: usize = 20;
const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    let turns = std::env::var("HOMING_TURNS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let (server, mut reporter) = homing();
    let before = cpu_millis(server.process());
    measure("homing, report", server.dns, turns, |is_down| reporter.report(is_down));
    println!("  {} ms of processor, all told", cpu_millis(server.process()) - before);
    drop(server);
    let Some(gdnsd) = Gdnsd::start() else {
        println!("gdnsd is not installed: nothing to compare with");
        return;
    };
    let count = turns.min(TURNS_OF_GDNSD);
    measure("gdnsd, admin_state", gdnsd.dns, count, |is_down| gdnsd.decide(is_down));
}

/// What sender and receiver of one load share.
struct Load {
    begun: Instant,
    is_over: AtomicBool,
    wanted: AtomicU32,
    /// When the wanted address was seen first, in microseconds since the begin; 0 while it was not.
    seen: AtomicU64,
    sent: AtomicU64,
    answered: AtomicU64,
}

impl Load {
    fn micros(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }

    /// Sends at the rate, from the scheduled time: what was late is sent at once.
    fn send(&self, socket: &UdpSocket, query: &[u8]) {
        let mut query = query.to_vec();
        while !self.is_over.load(Ordering::Relaxed) {
            let due = self.micros() * QUERIES_PER_SEC / 1_000_000;
            let mut sent = self.sent.load(Ordering::Relaxed);
            while sent < due {
                query[..2].copy_from_slice(&(sent as u16).to_be_bytes());
                if socket.send(&query).is_ok() {
                    sent += 1;
                    self.sent.store(sent, Ordering::Relaxed);
                }
            }
            thread::sleep(Duration::from_micros(100));
        }
    }

    fn receive(&self, socket: &UdpSocket, answer_at: usize) {
        let mut buffer = [0; 1024];
        loop {
            let Ok(len) = socket.recv(&mut buffer) else {
                if self.is_over.load(Ordering::Relaxed) {
                    return;
                }
                continue;
            };
            self.answered.fetch_add(1, Ordering::Relaxed);
            // Owner, type, class, TTL and length are twelve octets with a compressed owner.
            let address = buffer[..len].get(answer_at + 12..answer_at + 16);
            let address = address.map(|a| u32::from_be_bytes([a[0], a[1], a[2], a[3]]));
            if address == Some(self.wanted.load(Ordering::Acquire)) {
                let now = self.micros().max(1);
                let _ = self.seen.compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed);
            }
        }
    }
}

/// Makes `turns` changes, down and up in turn, under the load, and prints how long each took.
fn measure(what: &str, dns: SocketAddr, turns: usize, mut change: impl FnMut(bool)) {
    let query = Query::new("www.example.test A").to_wire();
    let question_len = query.windows(5).position(|w| w == [0, 0, 1, 0, 1]).expect("A, IN") + 5;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let load = Load {
        begun: Instant::now(),
        is_over: AtomicBool::new(false),
        wanted: AtomicU32::new(0),
        seen: AtomicU64::new(0),
        sent: AtomicU64::new(0),
        answered: AtomicU64::new(0),
    };
    let mut took = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| load.receive(&socket, question_len));
        scope.spawn(|| load.send(&socket, &query));
        for turn in 0..turns {
            // Uneven pauses: nothing that happens at a steady pace is met each time.
            thread::sleep(Duration::from_micros(5_000 + turn as u64 * 7_919 % 15_000));
            let is_down = turn % 2 == 0;
            let begun = load.micros();
            load.wanted.store((if is_down { FAR } else { NEAR }).to_bits(), Ordering::Release);
            load.seen.store(0, Ordering::Release);
            change(is_down);
            took.push(wait_seen(&load) - begun);
        }
        load.is_over.store(true, Ordering::Relaxed);
    });
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share).round() as usize] as f64 / 1000.0;
    let (sent, answered) = (load.sent.into_inner(), load.answered.into_inner());
    println!(
        "{what}: {turns} turns, ms to the first changed answer: median {:.2}, 90 % {:.2}, 99 % {:.2}, worst {:.2}; \
         {} queries a second, {} of {sent} without an answer",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        sent * 1000 / load.begun.elapsed().as_millis() as u64,
        sent - answered,
    );
}

fn wait_seen(load: &Load) -> u64 {
    let begun = Instant::now();
    loop {
        match load.seen.load(Ordering::Acquire) {
            0 => assert!(begun.elapsed() < PATIENCE, "the change never showed"),
            at => return at,
        }
        thread::sleep(Duration::from_micros(20));
    }
}

fn cpu_millis(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    after[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
}

/// One connection that reports.
struct Reporter {
    stream: BufReader<TcpStream>,
    seq: u64,
}

impl Reporter {
    fn report(&mut self, is_down: bool) {
        self.seq += 1;
        let status = if is_down { "down" } else { "up" };
        let body = format!(
            r#"{{"vantage":"v","boot":1,"seq":{},"subject":"fra/web/{NEAR}","status":"{status}"}}"#,
            self.seq
        );
        let head =
            "POST /v1/reports HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut line, mut len) = (String::new(), 0);
        self.stream.read_line(&mut line).unwrap();
        assert!(line.contains(" 202 "), "{line}");
        while !line.trim().is_empty() {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(rest) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                len = rest.trim().parse().unwrap();
            }
        }
        self.stream.read_exact(&mut vec![0; len]).unwrap();
    }
}

fn homing() -> (Server, Reporter) {
    let steering = format!(
        "[pools.web]\nfra = [\"{NEAR}\"]\niad = [\"{FAR}\"]\n[pools.web.health]\nrise = 1\nmax_down_share = 1\n\
         [policies.web]\npool = \"web\"\nttl = {{ min = 10, max = 60 }}\nrules = [{{ regions = [\"fra\", \"iad\"] }}]\n\
         unknown = [\"fra\", \"iad\"]\n[routes.\"example.test\"]\n\"www\" = \"web\"\n"
    );
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &steering),
        (
            "geo/regions.toml",
            "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n",
        ),
    ]);
    let stream = TcpStream::connect(server.api).unwrap();
    stream.set_nodelay(true).unwrap();
    (server, Reporter { stream: BufReader::new(stream), seq: 0 })
}

const ZONE: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n";

/// gdnsd, running. Dropped, it is killed.
struct Gdnsd {
    child: Child,
    dns: SocketAddr,
    root: tempfile::TempDir,
}

impl Gdnsd {
    /// One with a name that fails over from one address to another; none where gdnsd is not installed.
    fn start() -> Option<Gdnsd> {
        let (root, dns) = (tempfile::tempdir().unwrap(), free_port());
        for folder in ["zones", "state"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let zone = format!("{ZONE}www 60 DYNA simplefo!web\n");
        fs::write(root.path().join("zones/example.test"), zone).unwrap();
        fs::write(root.path().join("state/admin_state"), "").unwrap();
        fs::write(root.path().join("config"), config(root.path(), dns)).unwrap();
        let mut command = Command::new("gdnsd");
        command.arg("-c").arg(root.path()).arg("start").stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let query = Query::new("www.example.test A").to_wire();
        eventually("gdnsd answers", || {
            ask(dns, &query, Duration::from_millis(200)).map(drop).ok_or_else(String::new)
        });
        Some(Gdnsd { child, dns, root })
    }

    /// As its manual has it: a new file takes the place of the old.
    fn decide(&self, is_down: bool) {
        let text = if is_down { format!("{NEAR}/up => DOWN\n") } else { String::new() };
        let beside = self.root.path().join("state/new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.root.path().join("state/admin_state")).unwrap();
    }
}

impl Drop for Gdnsd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(root: &Path, dns: SocketAddr) -> String {
    let root = root.display();
    format!(
        "options => {{ listen => [ {dns} ], udp_threads => 1, tcp_threads => 1, run_dir => {root}, state_dir => {root}/state }}
         plugins => {{ simplefo => {{ web => {{ primary => {NEAR}, secondary => {FAR}, service_types => up }} }} }}\n"
    )
}
