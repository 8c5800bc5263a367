//! A load of DNS queries on one server, and what it costs: a line of JSON. `benches/rivals/compare.py` runs it.
//!
//! ```text
//! load --to ADDRESS --names FILE [--seconds S] [--outstanding N | --rate QPS] [--process PID,…] [--subnets] [--dnssec]
//! load --echo ADDRESS          answers each packet with itself, until it is killed: what sockets alone cost
//! ```
//!
//! With `--outstanding` the next query goes when an answer has come; with `--rate` each goes at its time whatever comes
//! back, and waits are counted from that time. FILE has a name and a type a line. What the server costs is the time that
//! its threads were on a CPU (`/proc/PID/task/*/schedstat`), over answered queries.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use homing::answer::{Catalog, Core, Exchange, Outcome, Seed, Snapshot};
use homing::number::{Digest, Generation, Revision};
use homing::serve::{Limits, Sockets, start_with};
use homing::wire::Rcode;

#[path = "load/packets.rs"]
mod packets;

use packets::Packets;

/// Queries that are sent before answers are looked for.
const BURST: usize = 50;

/// The first part of a run is not counted.
const WARM: Duration = Duration::from_millis(300);

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
    let packets = Packets::of(&text, has("--subnets"), has("--dnssec"));
    let processes = options.get("--process").map_or(Vec::new(), |list| {
        list.split(',').map(|id| id.parse().expect("a process")).collect()
    });
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.connect(to).expect("connected");
    socket.set_nonblocking(true).expect("set");
    let run = Run::new(socket, packets, processes, number("--seconds", 1.0));
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
        Outcome { len, rcode: Rcode::NOERROR, truncated: false }
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
    let sockets = Sockets::bind(&[address], 1).expect("bound");
    let snapshots = Arc::new(ArcSwap::from_pointee(snapshot));
    let (site, limits) = (Arc::default(), Limits::default());
    let _serving =
        start_with(sockets, site, limits, Duration::ZERO, snapshots, back).expect("started");
    loop {
        std::thread::park();
    }
}

/// One run. Queries are told apart by their ID, so fewer than 65,536 are under way.
struct Run {
    socket: UdpSocket,
    packets: Packets,
    processes: Vec<u32>,
    length: Duration,
    begun: Instant,
    /// Of each ID: when its query was due, and which it was.
    under_way: Vec<Option<(Instant, usize)>>,
    next_id: u16,
    /// No query before this one is under way.
    oldest_id: u16,
    count: Count,
}

#[derive(Default)]
struct Count {
    under_way: usize,
    answered: u64,
    wrong: u64,
    lost: u64,
    waits_micros: Vec<u32>,
}

impl Run {
    fn new(socket: UdpSocket, packets: Packets, processes: Vec<u32>, seconds: f64) -> Run {
        Run {
            socket,
            packets,
            processes,
            length: Duration::from_secs_f64(seconds),
            begun: Instant::now(),
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
            loop {
                let due = begun + Duration::from_secs_f64(sent as f64 / rate);
                if due > now || !run.send(due) {
                    return;
                }
                sent += 1;
            }
        })
    }

    /// Runs for its length, and tells of all but the first part of it.
    fn measured(&mut self, mut feed: impl FnMut(&mut Run, Instant, Instant)) -> String {
        let began = Instant::now();
        let mut cost = None;
        while began.elapsed() < WARM + self.length {
            let now = Instant::now();
            if cost.is_none() && now - began >= WARM {
                (self.begun, cost) = (now, Some(cost_of(&self.processes)));
                (self.count.answered, self.count.wrong, self.count.lost) = (0, 0, 0);
                self.count.waits_micros.clear();
            }
            feed(self, now, began);
            self.take();
            self.give_up(now);
        }
        let (before, after) = (cost.unwrap_or_default(), cost_of(&self.processes));
        let seconds = self.begun.elapsed().as_secs_f64();
        self.tell(seconds, [after[0] - before[0], after[1] - before[1], after[2] - before[2]])
    }

    /// False where the socket takes no more.
    fn send(&mut self, due: Instant) -> bool {
        let id = self.next_id;
        let slot = &mut self.under_way[usize::from(id)];
        if slot.is_some() {
            return false;
        }
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
            count.answered += 1;
            count.wrong += u64::from(!self.packets.is_answer(number, &answer[..len]));
            count.waits_micros.push(due.elapsed().as_micros() as u32);
        }
    }

    fn tell(&mut self, seconds: f64, cost: [f64; 3]) -> String {
        let Count { answered, wrong, lost, waits_micros, .. } = &mut self.count;
        waits_micros.sort_unstable();
        let wait = |share: f64| {
            let at = (waits_micros.len() as f64 * share) as usize;
            waits_micros.get(at).or(waits_micros.last()).copied().unwrap_or(0)
        };
        let each = |seconds: f64| (seconds * 1e9 / *answered as f64).round();
        format!(
            "{{\"answered\": {answered}, \"wrong\": {wrong}, \"lost\": {lost}, \"per_second\": {:.0}, \"p50_us\": {}, \
             \"p99_us\": {}, \"p999_us\": {}, \"server_ns\": {}, \"user_ns\": {}, \"system_ns\": {}, \"busy\": {:.2}}}",
            *answered as f64 / seconds,
            wait(0.5),
            wait(0.99),
            wait(0.999),
            each(cost[0]),
            each(cost[1]),
            each(cost[2]),
            cost[0] / seconds,
        )
    }
}

/// Seconds that threads of `processes` were on a CPU; of the processes in user mode; and in the kernel.
fn cost_of(processes: &[u32]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for process in processes {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
        for task in tasks.flatten() {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let nanos: f64 = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
            sum[0] += nanos / 1e9;
        }
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: Vec<f64> = fields.skip(11).take(2).map(|n| n.parse().unwrap_or(0.0)).collect();
        for (sum, ticks) in sum[1..].iter_mut().zip(ticks) {
            *sum += ticks / 100.0;
        }
    }
    sum
}
