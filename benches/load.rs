//! A load of DNS queries on one server, and what it costs: a line of JSON. `benches/rivals/compare.py` runs it.
//!
//! ```text
//! load --to ADDRESS --names FILE [--seconds S] [--outstanding N | --rate QPS] [--process PID,…] [--subnets | --dnssec | --torture]
//! load --to ADDRESS --names FILE --tcp CONNECTIONS [--each QUERIES] …     over TCP, a new connection after so many queries
//! load --to ADDRESS --names FILE --tls|--https|--quic CONNECTIONS --certificate FILE [--lanes N] …
//! load --issue FOLDER          writes such a certificate and its key: cert.pem, key.pem
//! load --echo ADDRESS          answers each packet with itself, until it is killed: what sockets alone cost
//! ```
//!
//! With `--outstanding` the next query goes when an answer has come; with `--rate` each goes at its time whatever comes
//! back, and waits are counted from that time. FILE has a name and a type a line; with `--torture` each query asks below
//! that name, for a name that nobody asked for before. What the server costs is the time that its threads were on a CPU
//! (`/proc/PID/task/*/schedstat`), over answered queries.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use homing::answer::{Catalog, Core, Exchange, Outcome, Seed, Snapshot};
use homing::number::{Digest, Generation, Revision};
use homing::serve::{Bounds, Inherited, Sockets, start_with};
use homing::wire::Rcode;
use socket2::SockRef;

#[path = "load/count.rs"]
mod count;
#[path = "load/encrypted.rs"]
mod encrypted;
#[path = "load/packets.rs"]
mod packets;
#[path = "load/tcp.rs"]
mod tcp;

use count::{Count, Meter};
use encrypted::{Crowd, Speech};
use packets::{Kind, Packets};

/// Queries that are sent before answers are looked for.
const BURST: usize = 50;

/// Octets of answers that may wait.
const BUFFER_LEN: usize = 4 << 20;

/// A query without an answer for so long is lost.
const LOST: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let mut options: HashMap<String, String> = HashMap::new();
    // `cargo bench` says so itself.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench").peekable();
    while let Some(word) = words.next() {
        let value = words.next_if(|next| !next.starts_with("--")).unwrap_or_default();
        options.insert(word, value);
    }
    if let Some(address) = options.get("--echo") {
        return echo(address.parse().expect("an address"));
    }
    if let Some(folder) = options.get("--issue") {
        encrypted::issue(Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let (Some(to), Some(names)) = (options.get("--to"), options.get("--names")) else {
        eprintln!("load: needs --to ADDRESS --names FILE; benches/rivals/compare.py gives both");
        // `cargo bench` without arguments runs every bench: this one has nothing to do then.
        return ExitCode::SUCCESS;
    };
    let number = |key: &str, default: f64| {
        options.get(key).map_or(default, |text| text.parse().expect("a number"))
    };
    let text = std::fs::read_to_string(names).expect("a file of names");
    let has = |key: &str| options.contains_key(key);
    let kinds =
        [("--subnets", Kind::Subnets), ("--dnssec", Kind::Dnssec), ("--torture", Kind::Torture)];
    let kind = kinds.into_iter().find(|(key, _)| has(key)).map_or(Kind::Plain, |(_, kind)| kind);
    let packets = Packets::of(&text, kind);
    let processes = options.get("--process").map_or(Vec::new(), |list| {
        list.split(',').map(|id| id.parse().expect("a process")).collect()
    });
    let length = Duration::from_secs_f64(number("--seconds", 1.0));
    if has("--tcp") {
        let to = to.parse().expect("an address");
        let (connections, each) = (number("--tcp", 20.0) as usize, number("--each", f64::INFINITY));
        println!(
            "{}",
            tcp::run(to, packets, connections, each as u64, Meter::new(processes, length))
        );
        return ExitCode::SUCCESS;
    }
    let speeches = [("--tls", Speech::Tls), ("--https", Speech::Https), ("--quic", Speech::Quic)];
    if let Some((key, speech)) = speeches.into_iter().find(|(key, _)| has(key)) {
        let (to, lanes) = (to.parse().expect("an address"), number("--lanes", 10.0) as usize);
        let crowd = Crowd { connections: number(key, 20.0) as usize, lanes };
        let certificate = Path::new(options.get("--certificate").expect("--certificate FILE"));
        let meter = Meter::new(processes, length);
        println!("{}", encrypted::run(speech, to, certificate, packets, crowd, meter));
        return ExitCode::SUCCESS;
    }
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.connect(to).expect("connected");
    socket.set_nonblocking(true).expect("set");
    // Where the machine takes its core away, answers wait here instead of being lost. Less is no error.
    let _ = SockRef::from(&socket).set_recv_buffer_size(BUFFER_LEN);
    let run = Run::new(socket, packets, Meter::new(processes, length));
    let told = match options.get("--rate") {
        Some(_) => run.at_rate(number("--rate", 0.0)),
        None => run.outstanding(number("--outstanding", 200.0) as usize),
    };
    println!("{told}");
    ExitCode::SUCCESS
}

/// What our own batches of packets cost when nothing is answered.
fn echo(address: SocketAddr) -> ExitCode {
    fn back(_: &Snapshot, exchange: Exchange<'_>, _: &mut Core) -> Outcome {
        let len = exchange.request.len().min(exchange.response.len());
        exchange.response[..len].copy_from_slice(&exchange.request[..len]);
        Outcome::bare(len, Rcode::NOERROR, 0)
    }
    let snapshot = Snapshot {
        generation: Generation(1),
        revision: Revision(1),
        digest: Digest::default(),
        catalog: Arc::new(Catalog::compose(Seed::new(1), Vec::new(), &[])),
        plans: Arc::from([]),
        table: Default::default(),
        steered: Arc::default(),
    };
    let sockets = Sockets::bind(&[address], &[], 1, &Inherited::default()).expect("bound");
    let snapshots = Arc::new(ArcSwap::from_pointee(snapshot));
    let (site, bounds) = (Arc::default(), Bounds::default());
    let _serving = start_with(sockets, site, bounds, snapshots, back).expect("started");
    loop {
        std::thread::park();
    }
}

/// One run. Queries are told apart by their ID, so fewer than 65,536 are under way.
struct Run {
    socket: UdpSocket,
    packets: Packets,
    meter: Meter,
    /// Of each ID: when its query was due, and which it was.
    under_way: Vec<Option<(Instant, usize)>>,
    next_id: u16,
    /// No query before this one is under way.
    oldest_id: u16,
    count: Count,
}

impl Run {
    fn new(socket: UdpSocket, packets: Packets, meter: Meter) -> Run {
        Run {
            socket,
            packets,
            meter,
            under_way: vec![None; 1 << 16],
            next_id: 0,
            oldest_id: 0,
            count: Count::default(),
        }
    }

    fn outstanding(mut self, most: usize) -> String {
        self.measured(|run, now, _| {
            for _ in 0..BURST.min(most.saturating_sub(run.count.under_way)) {
                if !run.send(now) {
                    break;
                }
            }
        })
    }

    fn at_rate(mut self, rate: f64) -> String {
        let mut sent = 0u64;
        self.measured(|run, now, begun| {
            // Answers are taken in between, however much is overdue.
            for _ in 0..BURST {
                let due = begun + Duration::from_secs_f64(sent as f64 / rate);
                if due > now || !run.send(due) {
                    return;
                }
                sent += 1;
            }
        })
    }

    fn measured(&mut self, mut feed: impl FnMut(&mut Run, Instant, Instant)) -> String {
        let began = Instant::now();
        while let Some(now) = self.meter.goes_on(&mut self.count) {
            feed(self, now, began);
            self.take();
            self.give_up(now);
        }
        self.meter.tell(&mut self.count)
    }

    /// False where the socket takes no more.
    fn send(&mut self, due: Instant) -> bool {
        // An ID whose answer is late is passed over: what it waits for must not hold back the others.
        let is_free = |id: &u16| self.under_way[usize::from(*id)].is_none();
        let mut ids = (0..u16::MAX).map(|n| self.next_id.wrapping_add(n));
        let Some(id) = ids.find(is_free) else { return false };
        let slot = &mut self.under_way[usize::from(id)];
        let (number, packet) = self.packets.next(id);
        if self.socket.send(packet).is_err() {
            return false;
        }
        *slot = Some((due, number));
        self.next_id = id.wrapping_add(1);
        self.count.under_way += 1;
        true
    }

    /// Gives up what has been under way for too long.
    fn give_up(&mut self, now: Instant) {
        while self.oldest_id != self.next_id {
            let slot = &mut self.under_way[usize::from(self.oldest_id)];
            if slot.is_some_and(|(due, _)| now.saturating_duration_since(due) < LOST) {
                return;
            }
            if slot.take().is_some() {
                (self.count.lost, self.count.under_way) =
                    (self.count.lost + 1, self.count.under_way - 1);
            }
            self.oldest_id = self.oldest_id.wrapping_add(1);
        }
    }

    /// Takes what has come.
    fn take(&mut self) {
        let mut answer = [0; 4096];
        loop {
            let len = match self.socket.recv(&mut answer) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A refused connection is told once for each packet.
                Err(_) => continue,
            };
            let Some(id) = answer[..len].first_chunk() else { continue };
            let slot = &mut self.under_way[usize::from(u16::from_be_bytes(*id))];
            let Some((due, number)) = slot.take() else { continue };
            let count = &mut self.count;
            count.under_way -= 1;
            count.take(due.elapsed(), self.packets.is_answer(number, &answer[..len]));
        }
    }
}
