//! The threads of serving: started together, counted together, stopped together.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::answer::{
    ConnectionLimits, Core, Counters, Networks, RateLimits, Site, Snapshot, Transport,
    respond_quietly,
};

use super::arrival::{Certificates, Speech};
use super::bind::{BindError, Bound, Sockets};
use super::counters::{TcpCounters, TcpTotals, UdpCounters, UdpTotals, add};
use super::pace::Pace;
use super::rate::RateLimiter;
use super::responder::{Panicked, Responder, fenced};
use super::socket::allow_descriptors;
use super::tcp::{Doors, Listeners, TcpCore};
use super::udp::UdpCore;

/// Descriptors for all else than connections: sockets, files, the API.
const DESCRIPTORS_SPARE: usize = 1024;

/// The pause before a thread that panicked outside of answering goes on.
const RESTART_PAUSE: Duration = Duration::from_millis(20);

/// The longest such pause: for TCP it doubles, until a run outlasts it.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(1);

/// What the transports are held to.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Connections.
    pub tcp: ConnectionLimits,
    /// Responses over UDP.
    pub rates: RateLimits,
    /// How long a busy core rests after a short batch, so that it meets more at once; 0 is never.
    pub rest: Duration,
    /// Balancers that tell in whose name they ask (PROXY protocol, version 2), and ask for nobody else.
    pub balancers: Networks,
    /// What DNS within TLS is spoken with; none as long as there is no good certificate.
    pub dot: Certificates,
    /// What DNS within HTTPS is, likewise.
    pub doh: Certificates,
    /// What DNS within QUIC is, likewise.
    pub doq: Certificates,
}

/// The running transports. Dropped, they stop too, but nobody waits for them.
pub struct Serving {
    addresses: Vec<SocketAddr>,
    encrypted: Vec<(Transport, SocketAddr)>,
    answered: Vec<Arc<Counters>>,
    udp: Vec<Arc<UdpCounters>>,
    /// By thread.
    tcp: Vec<Arc<TcpCounters>>,
    rates: RateLimits,
    /// By thread, the network that was last over its limit; 0 is none.
    over: Vec<Arc<AtomicU64>>,
    stop_udp: Arc<AtomicBool>,
    stop_tcp: watch::Sender<bool>,
    /// Ends when the last thread does.
    ended: Mutex<Receiver<()>>,
}

/// What every thread is started with.
struct Start<F> {
    site: Arc<Site>,
    snapshots: Arc<ArcSwap<Snapshot>>,
    respond: F,
    balancers: Networks,
    pace: Pace,
    /// Dropped by each thread as it ends.
    running: Sender<()>,
}

/// Answers on `sockets` until [`Serving::stop`]: a thread for each core and address for UDP, one
/// for TCP, one for TLS, HTTPS and QUIC.
///
/// Whoever publishes into `snapshots` keeps the old snapshot until it holds the only count
/// (hub-drops-last); each thread lets go of it within 250 ms.
///
/// # Errors
///
/// [`BindError::NoThread`]; threads started until then end again.
pub fn start(
    sockets: Sockets,
    site: Arc<Site>,
    bounds: Bounds,
    snapshots: Arc<ArcSwap<Snapshot>>,
) -> Result<Serving, BindError> {
    start_with(sockets, site, bounds, snapshots, respond_quietly)
}

/// [`start`] with an answerer of the caller's.
pub fn start_with<F: Responder>(
    sockets: Sockets,
    site: Arc<Site>,
    bounds: Bounds,
    snapshots: Arc<ArcSwap<Snapshot>>,
    respond: F,
) -> Result<Serving, BindError> {
    let Bounds { tcp: limits, rates, rest, balancers, dot, doh, doq } = bounds;
    allow_descriptors(limits.connections.saturating_mul(2).saturating_add(DESCRIPTORS_SPARE));
    let (running, ended) = channel();
    let mut serving = Serving {
        addresses: sockets.addresses(),
        encrypted: sockets.encrypted_addresses(),
        answered: Vec::new(),
        udp: Vec::new(),
        tcp: Vec::new(),
        rates,
        over: Vec::new(),
        stop_udp: Arc::default(),
        stop_tcp: watch::Sender::new(false),
        ended: Mutex::new(ended),
    };
    let start = Start { site, snapshots, respond, balancers, pace: Pace::new(rest), running };
    let secured = |(transport, _, listener)| match transport {
        Transport::Https => (listener, Speech::Https(Arc::clone(&doh))),
        _ => (listener, Speech::Tls(Arc::clone(&dot))),
    };
    let secured = Listeners {
        streams: sockets.encrypted.into_iter().map(secured).collect(),
        quic: sockets.quic.into_iter().map(|(_, socket)| (socket, Arc::clone(&doq))).collect(),
    };
    let mut plain = Listeners::default();
    for (number, bound) in sockets.endpoints.into_iter().enumerate() {
        let Bound { address: _, tcp, udp } = bound;
        plain.streams.push((tcp, Speech::Plain));
        let core_count = udp.len();
        for (core, socket) in udp.into_iter().enumerate() {
            let limiter = RateLimiter::new(&serving.rates, core_count, random());
            serving
                .start_udp(&start, socket, limiter, &format!("udp-{core}-{number}"))
                .map_err(BindError::NoThread)?;
        }
    }
    serving.start_tcp(&start, "tcp", plain, limits).map_err(BindError::NoThread)?;
    // Handshakes keep nobody waiting who speaks in the clear, and take nobody's seat.
    if !secured.streams.is_empty() || !secured.quic.is_empty() {
        serving.start_tcp(&start, "tls", secured, limits).map_err(BindError::NoThread)?;
    }
    Ok(serving)
}

impl Serving {
    /// The addresses served, with the ports that stood for port 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses served within TLS, HTTPS or QUIC, likewise.
    pub fn encrypted_addresses(&self, transport: Transport) -> Vec<SocketAddr> {
        let of_it = self.encrypted.iter().filter(|(by, _)| *by == transport);
        of_it.map(|(_, address)| *address).collect()
    }

    /// The query counters of every thread, to be summed.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.answered
    }

    /// What UDP counted, all threads together.
    pub fn udp_totals(&self) -> UdpTotals {
        let mut totals = UdpTotals::default();
        self.udp.iter().for_each(|counters| totals.include(counters));
        totals
    }

    /// What TCP counted.
    pub fn tcp_totals(&self) -> TcpTotals {
        let mut totals = TcpTotals::default();
        self.tcp.iter().for_each(|counters| totals.include(counters));
        totals
    }

    /// The networks that were last over their limit of responses, one for each thread at most: address and length.
    pub fn networks_over_limit(&self) -> Vec<(IpAddr, u8)> {
        let over = self.over.iter().map(|network| network.load(Ordering::Relaxed));
        let mut over: Vec<u64> = over.filter(|network| *network != 0).collect();
        over.sort_unstable();
        over.dedup();
        over.into_iter().map(|network| self.rates.named(network)).collect()
    }

    /// Stops: nothing new is accepted, what has arrived is answered, connections end within their
    /// grace. True if all threads have ended `within` the time given; false leaves them ending
    /// behind. May be called again.
    pub fn stop(&self, within: Duration) -> bool {
        self.ask_to_stop();
        let deadline = Instant::now() + within;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        // Nobody ever sends: the channel ends when the last thread drops its end.
        ended.recv_timeout(left) == Err(RecvTimeoutError::Disconnected)
    }

    fn ask_to_stop(&self) {
        self.stop_udp.store(true, Ordering::Relaxed);
        self.stop_tcp.send_replace(true);
    }

    fn start_udp<F: Responder>(
        &mut self,
        start: &Start<F>,
        socket: std::net::UdpSocket,
        limiter: Option<RateLimiter>,
        name: &str,
    ) -> io::Result<()> {
        let counters = Arc::<UdpCounters>::default();
        let mut core = UdpCore {
            socket,
            snapshots: Arc::clone(&start.snapshots),
            respond: start.respond,
            core: self.core(start),
            balancers: start.balancers.clone(),
            limiter,
            over: Arc::default(),
            pace: start.pace.clone(),
            counters: Arc::clone(&counters),
            stop: Arc::clone(&self.stop_udp),
        };
        self.udp.push(Arc::clone(&counters));
        self.over.push(Arc::clone(&core.over));
        let running = start.running.clone();
        Builder::new().name(name.to_owned()).spawn(move || {
            // A panic outside of answering would be ours; the core goes on all the same (DESIGN.md
            // rule 4.7).
            while fenced(|| core.run()) == Err(Panicked) {
                add(&counters.panics, 1);
                std::thread::sleep(RESTART_PAUSE);
            }
            drop(running);
        })?;
        Ok(())
    }

    fn start_tcp<F: Responder>(
        &mut self,
        start: &Start<F>,
        name: &str,
        mut listeners: Listeners,
        limits: ConnectionLimits,
    ) -> io::Result<()> {
        let mut doors = Some(open_again(&listeners)?);
        let answered = self.count_another();
        let site = Arc::clone(&start.site);
        let (snapshots, respond) = (Arc::clone(&start.snapshots), start.respond);
        let balancers = start.balancers.clone();
        let (counters, stopping) = (Arc::<TcpCounters>::default(), self.stop_tcp.subscribe());
        self.tcp.push(Arc::clone(&counters));
        let running = start.running.clone();
        Builder::new().name(name.to_owned()).spawn(move || {
            // A connection is a task, and answering is fenced besides: nothing that a client sends
            // gets here. A panic would be ours; TCP goes on all the same (DESIGN.md rule 4.7).
            persist(&counters, &stopping, || {
                let doors = doors.take().map_or_else(|| open_again(&listeners), Ok)?;
                let core = TcpCore {
                    doors,
                    snapshots: Arc::clone(&snapshots),
                    respond,
                    core: Core::new(Arc::clone(&site), Arc::clone(&answered)),
                    counters: Arc::clone(&counters),
                    limits,
                    balancers: balancers.clone(),
                    stopping: stopping.clone(),
                };
                core.run(&mut listeners);
                Ok(())
            });
            drop(running);
        })?;
        Ok(())
    }

    /// Memory for one more thread.
    fn core<F>(&mut self, start: &Start<F>) -> Core {
        Core::new(Arc::clone(&start.site), self.count_another())
    }

    /// Counters of one more thread.
    fn count_another(&mut self) -> Arc<Counters> {
        let counters = Arc::<Counters>::default();
        self.answered.push(Arc::clone(&counters));
        counters
    }
}

/// The one source of randomness that std has; no answer depends on it.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The doors of `listeners`, which stay open whatever becomes of the doors: nobody is refused
/// between two runs.
fn open_again(listeners: &Listeners) -> io::Result<Doors> {
    Doors::open(listeners.again()?)
}

/// Runs until a run ends by itself or a stop is asked for, and counts the panics between.
fn persist(
    counters: &TcpCounters,
    stopping: &watch::Receiver<bool>,
    mut run: impl FnMut() -> io::Result<()>,
) {
    let mut pause = RESTART_PAUSE;
    loop {
        let begun = Instant::now();
        match fenced(&mut run) {
            Ok(Ok(())) => return,
            // No descriptor to wait with: there will be again.
            Ok(Err(_)) => add(&counters.accept_errors, 1),
            Err(Panicked) => add(&counters.panics, 1),
        }
        // Its connections ended with it.
        counters.open.store(0, Ordering::Relaxed);
        if begun.elapsed() > RESTART_PAUSE_MAX {
            pause = RESTART_PAUSE;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(RESTART_PAUSE_MAX);
        if *stopping.borrow() {
            return;
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
