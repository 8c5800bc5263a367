//! A hickory server with our handler says over the wire what our own listeners say: every kind of answer, over UDP and TCP.
//! Needs the feature `hickory`.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hickory_proto::op::{Message, ResponseCode};
use hickory_server::Server;
use homing::answer::{Core, Counters, Exchange, Site, Snapshot, Transport, respond_quietly};
use homing::serve::HickoryHandler;
use homing::wire::Name;

#[path = "properties/world.rs"]
#[allow(dead_code, reason = "the properties ask for more of it")]
mod world;

const IDLE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);

/// A client subnet option: family, source, scope 0, address (RFC 7871 §6).
const SUBNET: [u8; 11] = [0, 8, 0, 7, 0, 1, 24, 0, 203, 0, 113];
const NSID: [u8; 4] = [0, 3, 0, 0];
const KEEPALIVE: [u8; 4] = [0, 11, 0, 0];

/// A hickory server on loopback, and what it is asked through.
struct Embedded {
    snapshots: Arc<ArcSwap<Snapshot>>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

fn site() -> Arc<Site> {
    Arc::new(Site { name: "embedded".into(), ..Site::default() })
}

impl Embedded {
    fn start(snapshot: Snapshot) -> Embedded {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let snapshots = Arc::new(ArcSwap::from_pointee(snapshot));
        let mut server = Server::new(HickoryHandler::new(Arc::clone(&snapshots), site(), IDLE));
        let address = runtime.block_on(async {
            let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let stream = tokio::net::TcpListener::bind(loopback).await.unwrap();
            let address = stream.local_addr().unwrap();
            server.register_listener(stream, IDLE, 4096);
            server.register_socket(tokio::net::UdpSocket::bind(address).await.unwrap());
            address
        });
        runtime.spawn(async move { server.block_until_done().await });
        Embedded { snapshots, address, _runtime: runtime }
    }

    fn ask_udp(&self, request: &[u8]) -> Message {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(request, self.address).unwrap();
        let mut response = vec![0; 65_535];
        let len = socket.recv(&mut response).expect("an answer over UDP");
        Message::from_vec(&response[..len]).unwrap()
    }

    fn ask_tcp(&self, request: &[u8]) -> Message {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let len = (request.len() as u16).to_be_bytes();
        stream.write_all(&[&len, request].concat()).unwrap();
        let mut len = [0; 2];
        stream.read_exact(&mut len).expect("an answer over TCP");
        let mut response = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut response).unwrap();
        Message::from_vec(&response).unwrap()
    }

    /// What our own listeners say.
    fn own(&self, request: &[u8], transport: Transport) -> Message {
        let mut core = Core::new(site(), Arc::new(Counters::default()));
        let mut response = vec![0; 65_535];
        let exchange = Exchange {
            request,
            client: IpAddr::from(Ipv4Addr::LOCALHOST),
            transport,
            idle_tenths: 300,
            now_secs: 0,
            response: &mut response,
        };
        let outcome = respond_quietly(&self.snapshots.load(), exchange, &mut core);
        Message::from_vec(&response[..outcome.len()]).unwrap()
    }
}

fn ask(name: &str, rtype: u16, options: Option<&[u8]>) -> Vec<u8> {
    let name = Name::parse(name, &Name::root()).unwrap();
    let opt = options.map(|options| world::opt(0x8000, options));
    let count = u16::from(opt.is_some());
    world::query(0, name.as_wire(), rtype, count, &opt.unwrap_or_default())
}

/// Every kind of answer that the zone of the conformance tests holds.
fn questions() -> Vec<Vec<u8>> {
    let names = [
        ("www", 1),
        ("www", 255),
        ("@", 15),
        ("@", 6),
        ("alias", 1),
        ("chain1", 28),
        ("loop1", 1),
        ("out", 1),
        ("dangling", 1),
        ("intodeleg", 1),
        ("ent", 1),
        ("absent", 1),
        ("x.wild", 15),
        ("x.cwild", 28),
        ("a.deleg", 1),
        ("x.dn", 1),
        ("x.up", 1),
        ("secure", 43),
        ("secure", 1),
        ("odd", 65_280),
        ("svc", 65),
        ("CaSe", 1),
        ("geo", 1),
        ("geo", 28),
        ("a.geo", 1),
        ("togeo", 1),
        ("six", 1),
        ("six", 28),
        ("big", 1),
        ("www", 252),
    ];
    let mut all = Vec::new();
    for (label, rtype) in names {
        let name = format!("{label}.example.test.").replace("@.", "");
        let options = [&SUBNET[..], &NSID, &KEEPALIVE].concat();
        for options in [None, Some(&[][..]), Some(&options)] {
            all.push(ask(&name, rtype, options));
        }
    }
    all.push(ask("elsewhere.", 1, Some(&[])));
    all
}

#[test]
fn every_kind_of_answer_is_that_of_our_own_listeners() {
    let server = Embedded::start(world::everything().clone());
    for request in questions() {
        let (found, wanted) = (server.ask_udp(&request), server.own(&request, Transport::Udp));
        assert_eq!(found, wanted, "over UDP: {request:?}");
        let (found, wanted) = (server.ask_tcp(&request), server.own(&request, Transport::Tcp));
        assert_eq!(found, wanted, "over TCP: {request:?}");
    }
}

#[test]
fn a_snapshot_that_is_stored_answers_the_next_query() {
    let zone = |address: &str| {
        let text = format!("$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A {address}\n");
        world::snapshot(&[("zones/z.test.zone", &text)])
    };
    let server = Embedded::start(zone("192.0.2.1"));
    let request = ask("ns.z.test.", 1, None);
    assert_eq!(server.ask_udp(&request).answers[0].data.to_string(), "192.0.2.1");
    server.snapshots.store(Arc::new(zone("192.0.2.2")));
    assert_eq!(server.ask_udp(&request).answers[0].data.to_string(), "192.0.2.2");
    let refused = server.ask_udp(&ask("elsewhere.", 1, None));
    assert_eq!(refused.metadata.response_code, ResponseCode::Refused);
}
