//! The transports over loopback, with an answerer that echoes: what is tested is how packets and
//! connections travel. Counters are read after a stop, when every thread has ended.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::answer::{
    Catalog, ConnectionLimits, Core, Counters, Exchange, Outcome, Seed, Snapshot, Transport,
    respond_quietly,
};
use crate::number::{Digest, Generation, Revision};

use super::super::bind::Sockets;
use super::super::counters::TcpCounters;
use super::super::inherit::Inherited;
use super::super::responder::Responder;
use super::super::tcp::TcpCore;
use super::{Bounds, Listeners, Networks, Serving, Speech, open_again, persist, start, start_with};

/// The longest that any test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// First octets by which a request tells [`echo`] what to do.
const PANIC: u8 = 0xff;
const SILENCE: u8 = 0xfe;
const LONG: u8 = 0xfd;

fn echo(snapshot: &Snapshot, exchange: Exchange<'_>, core: &mut Core) -> Outcome {
    let Exchange { request, client, response, transport, now_secs, idle_tenths } = exchange;
    let len = match request.first() {
        Some(&PANIC) => panic!("asked to"),
        None | Some(&SILENCE) => 0,
        Some(&LONG) if transport != Transport::Udp => response.len(),
        Some(_) => request.len().min(response.len()),
    };
    let copied = request.len().min(len);
    response[..copied].copy_from_slice(&request[..copied]);
    if let Some(flags) = response[..len].get_mut(2) {
        *flags |= 0x80;
    }
    // Whatever else an outcome holds is as for a request that is met with silence.
    let nothing =
        Exchange { request: &[], client, response: &mut [], transport, now_secs, idle_tenths };
    Outcome::bare(len, respond_quietly(snapshot, nothing, core).rcode, 0)
}

fn snapshot(generation: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        generation: Generation(generation),
        revision: Revision(0),
        digest: Digest::default(),
        catalog: Arc::new(Catalog::compose(Seed::new(7), Vec::new(), &[])),
        plans: Arc::from([]),
        table: Default::default(),
        steered: Arc::default(),
    })
}

fn bounds(tcp: ConnectionLimits) -> Bounds {
    Bounds { tcp, rest: Duration::from_micros(100), ..Bounds::default() }
}

fn serve(
    addresses: &[&str],
    cores: usize,
    limits: ConnectionLimits,
    respond: impl Responder,
) -> Serving {
    let addresses: Vec<SocketAddr> =
        addresses.iter().map(|text| text.parse().expect("an address")).collect();
    let sockets = Sockets::bind(&addresses, &[], cores, &Inherited::default()).expect("bound");
    let snapshots = Arc::new(ArcSwap::new(snapshot(1)));
    start_with(sockets, Arc::default(), bounds(limits), snapshots, respond).expect("started")
}

fn serve_echo(limits: ConnectionLimits) -> Serving {
    serve(&["127.0.0.1:0"], 1, limits, echo)
}

fn udp_client(server: SocketAddr) -> UdpSocket {
    let local: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let socket = UdpSocket::bind((local, 0)).expect("bound");
    // Connected, so the kernel shows only what comes from the very address that was asked.
    socket.connect(server).expect("connected");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    socket
}

fn tcp_client(serving: &Serving) -> TcpStream {
    let stream = TcpStream::connect(serving.addresses()[0]).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.set_nodelay(true).expect("set");
    stream
}

/// A request with `id` in its first two octets, below those that mean something.
fn request(id: u16, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len.max(12)];
    octets[..2].copy_from_slice(&id.to_be_bytes());
    octets
}

fn answer_to(request: &[u8]) -> Vec<u8> {
    let mut octets = request.to_vec();
    octets[2] |= 0x80;
    octets
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn ask(stream: &mut TcpStream, id: u16) {
    let request = request(id, 40);
    stream.write_all(&framed(&request)).expect("written");
    assert_eq!(read_message(stream).expect("an answer"), answer_to(&request));
}

/// Whether the server has closed: an end of stream, or a reset where it left something unread.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => {
            matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
        }
    }
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

fn exchange_all(client: &UdpSocket, count: u16) {
    for id in 0..count {
        client.send(&request(id, 12 + usize::from(id))).expect("sent");
    }
    let mut missing: Vec<bool> = vec![true; usize::from(count)];
    let mut buffer = [0; 2048];
    for _ in 0..count {
        let len = client.recv(&mut buffer).expect("an answer");
        let id = u16::from_be_bytes([buffer[0], buffer[1]]);
        assert_eq!(buffer[..len], answer_to(&request(id, 12 + usize::from(id))));
        assert!(std::mem::take(&mut missing[usize::from(id)]), "twice: {id}");
    }
}

#[test]
fn udp_answers_every_packet_from_the_address_that_was_asked() {
    let cases = [
        ("127.0.0.1:0", "127.0.0.1"),
        ("[::1]:0", "::1"),
        ("0.0.0.0:0", "127.0.0.2"),
        ("0.0.0.0:0", "127.0.0.1"),
        ("[::]:0", "::1"),
    ];
    for (listen, asked) in cases {
        let asked: IpAddr = asked.parse().expect("an address");
        if asked.is_ipv6() && UdpSocket::bind((asked, 0)).is_err() {
            continue; // This machine has no IPv6.
        }
        let serving = serve(&[listen], 2, ConnectionLimits::default(), echo);
        let server = SocketAddr::new(asked, serving.addresses()[0].port());
        let mut total = 0;
        for count in [1, 2, 63, 64, 65, 128, 200] {
            exchange_all(&udp_client(server), count);
            total += u64::from(count);
        }
        assert!(serving.stop(PATIENCE));
        let totals = serving.udp_totals();
        assert_eq!((totals.received, totals.sent), (total, total), "{listen} {asked}");
        assert_eq!((totals.send_dropped, totals.panics, totals.silent), (0, 0, 0));
        assert!(totals.batches <= total);
        assert_eq!(serving.counters().len(), 3);
    }
}

#[test]
fn a_panic_costs_its_packet_and_no_other() {
    let serving = serve_echo(ConnectionLimits::default());
    let client = udp_client(serving.addresses()[0]);
    for round in 0..3 {
        for id in 0..20 {
            if id % 7 == 0 {
                client.send(&[PANIC; 12]).expect("sent");
            }
            client.send(&request(round * 20 + id, 30)).expect("sent");
        }
    }
    let mut buffer = [0; 64];
    for _ in 0..60 {
        assert_eq!(client.recv(&mut buffer).expect("an answer"), 30);
    }
    let mut stream = tcp_client(&serving);
    stream.write_all(&framed(&[PANIC; 12])).expect("written");
    assert!(is_closed(&mut stream));
    ask(&mut tcp_client(&serving), 1);
    assert!(serving.stop(PATIENCE));
    let totals = serving.udp_totals();
    assert_eq!((totals.received, totals.sent, totals.panics), (69, 60, 9));
    assert_eq!(serving.tcp_totals().panics, 1);
}

#[test]
fn packets_that_are_no_query_are_met_with_silence_and_counted() {
    let serving = serve_echo(ConnectionLimits::default());
    let client = udp_client(serving.addresses()[0]);
    client.send(&[]).expect("sent");
    client.send(&[SILENCE; 12]).expect("sent");
    client.send(&vec![0; 4097]).expect("sent");
    client.send(&vec![0; 65_000]).expect("sent");
    exchange_all(&client, 1);
    // A request longer than a response may be is read whole.
    client.send(&request(7, 4096)).expect("sent");
    assert_eq!(client.recv(&mut [0; 4096]).expect("an answer"), 1232);
    assert!(serving.stop(PATIENCE));
    let totals = serving.udp_totals();
    assert_eq!((totals.received, totals.sent), (6, 2));
    assert_eq!((totals.silent, totals.oversized), (2, 2));
}

#[test]
fn a_stop_answers_what_has_arrived() {
    // Method: answering waits at a gate while packets arrive and the stop is asked for; then the
    // gate opens.
    static GATE: Mutex<()> = Mutex::new(());
    let closed = GATE.lock().expect("a gate");
    let serving =
        serve(&["127.0.0.1:0"], 2, ConnectionLimits::default(), |snapshot, exchange, core| {
            drop(GATE.lock());
            echo(snapshot, exchange, core)
        });
    let client = udp_client(serving.addresses()[0]);
    for id in 0..200 {
        client.send(&request(id, 20)).expect("sent");
    }
    assert!(!serving.stop(Duration::ZERO));
    drop(closed);
    let mut buffer = [0; 64];
    for _ in 0..200 {
        assert_eq!(client.recv(&mut buffer).expect("an answer"), 20);
    }
    assert!(serving.stop(PATIENCE));
    assert_eq!(serving.udp_totals().sent, 200);
}

#[test]
fn an_idle_core_lets_go_of_an_old_snapshot() {
    let sockets =
        Sockets::bind(&["127.0.0.1:0".parse().expect("an address")], &[], 2, &Inherited::default())
            .expect("bound");
    let old = snapshot(1);
    let snapshots = Arc::new(ArcSwap::new(Arc::clone(&old)));
    let held = Arc::clone(&snapshots);
    let serving =
        start_with(sockets, Arc::default(), bounds(ConnectionLimits::default()), held, echo)
            .expect("started");
    exchange_all(&udp_client(serving.addresses()[0]), 5);
    ask(&mut tcp_client(&serving), 1);
    assert!(Arc::strong_count(&old) > 2);
    snapshots.store(snapshot(2));
    eventually("only the test holds it", || Arc::strong_count(&old) == 1);
}

#[test]
fn rfc_7766_section_6_2_1_1_a_pipeline_is_answered_in_order() {
    let serving = serve_echo(ConnectionLimits::default());
    let mut stream = tcp_client(&serving);
    let requests: Vec<Vec<u8>> = (0..2000).map(|id| request(id, usize::from(id) / 4)).collect();
    let mut writer = stream.try_clone().expect("a clone");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let octets: Vec<u8> = requests.iter().flat_map(|request| framed(request)).collect();
            writer.write_all(&octets).expect("written");
            writer.shutdown(Shutdown::Write).expect("shut");
        });
        for request in &requests {
            assert_eq!(read_message(&mut stream).expect("an answer"), answer_to(request));
        }
    });
    assert!(is_closed(&mut stream));
    assert!(serving.stop(PATIENCE));
    let totals = serving.tcp_totals();
    assert_eq!((totals.received, totals.sent, totals.accepted), (2000, 2000, 1));
    assert_eq!((totals.open, totals.failed), (0, 0));
}

#[test]
fn rfc_7766_section_8_octets_may_come_one_by_one() {
    let serving = serve_echo(ConnectionLimits::default());
    let mut stream = tcp_client(&serving);
    for id in 0..3 {
        for octet in framed(&request(id, 30)) {
            stream.write_all(&[octet]).expect("written");
        }
        assert_eq!(read_message(&mut stream).expect("an answer"), answer_to(&request(id, 30)));
    }
    let longest = request(9, 65_535);
    stream.write_all(&framed(&longest)).expect("written");
    assert_eq!(read_message(&mut stream).expect("an answer"), answer_to(&longest));
}

#[test]
fn what_is_no_query_ends_its_connection() {
    let serving = serve_echo(ConnectionLimits::default());
    for bad in [vec![0, 0], framed(&[SILENCE; 12])] {
        let mut stream = tcp_client(&serving);
        ask(&mut stream, 1);
        stream.write_all(&framed(&request(2, 20))).expect("written");
        stream.write_all(&bad).expect("written");
        // What came before is answered all the same.
        assert_eq!(read_message(&mut stream).expect("an answer"), answer_to(&request(2, 20)));
        assert!(is_closed(&mut stream));
    }
    assert!(serving.stop(PATIENCE));
    assert_eq!(serving.tcp_totals().malformed, 2);
}

#[test]
fn a_silent_client_and_one_that_stops_midway_are_closed() {
    let serving = serve_echo(ConnectionLimits {
        idle: Duration::from_millis(50),
        ..ConnectionLimits::default()
    });
    let mut silent = tcp_client(&serving);
    let mut midway = tcp_client(&serving);
    midway.write_all(&[0, 40, 1]).expect("written");
    assert!(is_closed(&mut silent));
    assert!(is_closed(&mut midway));
    assert!(serving.stop(PATIENCE));
    assert_eq!(serving.tcp_totals().timed_out_read, 2);
}

#[test]
fn a_client_that_does_not_read_is_closed() {
    let serving = serve_echo(ConnectionLimits {
        write: Duration::from_millis(50),
        ..ConnectionLimits::default()
    });
    let mut stream = tcp_client(&serving);
    let mut long = request(1, 12);
    long[0] = LONG;
    let octets = framed(&long).repeat(500);
    // 32 MiB of answers, more than the buffers of both ends.
    let _ = stream.write_all(&octets);
    eventually("the write times out", || serving.tcp_totals().timed_out_write == 1);
    ask(&mut tcp_client(&serving), 2);
    eventually("its seat is free", || serving.tcp_totals().open <= 1);
}

#[test]
fn a_full_room_closes_the_longest_waiting() {
    let serving = serve_echo(ConnectionLimits { connections: 2, ..ConnectionLimits::default() });
    let mut clients: Vec<TcpStream> = Vec::new();
    for id in 0..2 {
        let mut client = tcp_client(&serving);
        ask(&mut client, id);
        clients.push(client);
    }
    // The first speaks again, so the second has waited longest. Its wait begins after its answer is
    // written.
    ask(&mut clients[0], 3);
    let mut third = tcp_client(&serving);
    ask(&mut third, 4);
    assert!(is_closed(&mut clients[1]));
    ask(&mut clients[0], 5);
    assert!(serving.stop(PATIENCE));
    let totals = serving.tcp_totals();
    assert_eq!((totals.accepted, totals.evicted), (3, 1));
}

#[test]
fn one_client_has_its_share_of_seats() {
    let serving =
        serve_echo(ConnectionLimits { connections_per_client: 1, ..ConnectionLimits::default() });
    let mut first = tcp_client(&serving);
    ask(&mut first, 1);
    assert!(is_closed(&mut tcp_client(&serving)));
    ask(&mut first, 2);
    assert!(serving.stop(PATIENCE));
    assert_eq!(serving.tcp_totals().refused_client, 1);
}

#[test]
fn a_connection_ends_at_its_bound_of_queries() {
    let serving =
        serve_echo(ConnectionLimits { queries_per_connection: 3, ..ConnectionLimits::default() });
    let mut stream = tcp_client(&serving);
    for id in 0..3 {
        ask(&mut stream, id);
    }
    assert!(is_closed(&mut stream));
    assert!(serving.stop(PATIENCE));
    assert_eq!(serving.tcp_totals().exhausted, 1);
}

#[test]
fn a_stop_lets_a_message_under_way_finish() {
    let serving = serve_echo(ConnectionLimits::default());
    let mut midway = tcp_client(&serving);
    ask(&mut midway, 1);
    let mut waiting = tcp_client(&serving);
    ask(&mut waiting, 2);
    let octets = framed(&request(3, 50));
    midway.write_all(&octets[..20]).expect("written");
    assert!(!serving.stop(Duration::ZERO));
    assert!(is_closed(&mut waiting));
    midway.write_all(&octets[20..]).expect("written");
    assert_eq!(read_message(&mut midway).expect("an answer"), answer_to(&request(3, 50)));
    assert!(is_closed(&mut midway));
    assert!(serving.stop(PATIENCE));
    assert!(TcpStream::connect(serving.addresses()[0]).is_err());
}

#[test]
fn a_stop_is_not_held_up_by_a_client() {
    let grace = Duration::from_millis(100);
    let serving = serve_echo(ConnectionLimits { grace, ..ConnectionLimits::default() });
    let mut midway = tcp_client(&serving);
    ask(&mut midway, 1);
    midway.write_all(&[0, 50, 1, 2, 3]).expect("written");
    assert!(serving.stop(PATIENCE));
    assert!(is_closed(&mut midway));
}

#[test]
fn a_thread_that_serves_survives_a_flood_of_panics() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    let serving =
        serve(&["127.0.0.1:0"], 1, ConnectionLimits::default(), |snapshot, exchange, core| {
            assert!(!ARMED.load(Ordering::Relaxed), "armed");
            echo(snapshot, exchange, core)
        });
    let client = udp_client(serving.addresses()[0]);
    for id in 0..100 {
        client.send(&request(id, 20)).expect("sent");
    }
    eventually("all are dropped", || serving.udp_totals().panics == 100);
    ARMED.store(false, Ordering::Relaxed);
    exchange_all(&client, 10);
}

#[test]
fn both_transports_answer_alike_and_count() {
    let sockets =
        Sockets::bind(&["127.0.0.1:0".parse().expect("an address")], &[], 1, &Inherited::default())
            .expect("bound");
    let snapshots = Arc::new(ArcSwap::new(snapshot(1)));
    let serving = start(sockets, Arc::default(), Bounds::default(), snapshots).expect("started");
    // No zone is served, so a question for the root's NS is REFUSED.
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01";
    let expected = b"\x12\x34\x81\x05\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01";
    let client = udp_client(serving.addresses()[0]);
    client.send(query).expect("sent");
    let mut buffer = [0; 512];
    let len = client.recv(&mut buffer).expect("an answer");
    assert_eq!(buffer[..len], expected[..]);
    let mut stream = tcp_client(&serving);
    stream.write_all(&framed(query)).expect("written");
    assert_eq!(read_message(&mut stream).expect("an answer"), expected);
    assert!(serving.stop(PATIENCE));
    let sum = |counted: fn(&Counters) -> &AtomicU64| -> u64 {
        serving.counters().iter().map(|c| counted(c).load(Ordering::Relaxed)).sum()
    };
    assert_eq!((sum(|c| &c.udp), sum(|c| &c.tcp), sum(|c| &c.silent)), (1, 1, 0));
}

#[test]
fn tcp_goes_on_after_a_panic_outside_of_answering() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    listener.set_nonblocking(true).expect("set");
    let address = listener.local_addr().expect("bound");
    let streams = vec![(listener, Speech::Plain)];
    let mut listeners = Listeners { streams, ..Listeners::default() };
    let counters = Arc::<TcpCounters>::default();
    let stop = watch::Sender::new(false);
    let serving = {
        let (counters, stopping) = (Arc::clone(&counters), stop.subscribe());
        let mut runs = 0;
        std::thread::spawn(move || {
            persist(&counters, &stopping, || {
                let doors = open_again(&listeners)?;
                runs += 1;
                match runs {
                    1 => panic!("asked to"),
                    2 => return Err(io::ErrorKind::Other.into()),
                    _ => {}
                }
                let core = TcpCore {
                    doors,
                    snapshots: Arc::new(ArcSwap::new(snapshot(1))),
                    respond: echo,
                    core: Core::new(Arc::default(), Arc::default()),
                    counters: Arc::clone(&counters),
                    balancers: Networks::default(),
                    limits: ConnectionLimits::default(),
                    stopping: stopping.clone(),
                };
                core.run(&mut listeners);
                Ok(())
            });
        })
    };
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    ask(&mut stream, 7);
    drop(stream);
    stop.send_replace(true);
    serving.join().expect("ended");
    assert_eq!(counters.panics.load(Ordering::Relaxed), 1);
    assert_eq!(counters.accept_errors.load(Ordering::Relaxed), 1);
}

#[test]
fn a_stop_ends_what_panics_for_ever() {
    let counters = TcpCounters::default();
    let stop = watch::Sender::new(true);
    persist(&counters, &stop.subscribe(), || panic!("asked to"));
    assert_eq!(counters.panics.load(Ordering::Relaxed), 1);
}
