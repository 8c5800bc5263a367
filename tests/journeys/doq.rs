//! DNS over QUIC (RFC 9250), asked by kdig and by a client that breaks its rules.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};

use super::dot;
use super::support::{Query, Response, Server, eventually, free_port};
use super::tls::Issued;

/// A server that is asked over QUIC, and where.
pub fn start(more: &str, issued: &Issued) -> (Server, SocketAddr) {
    let doq = free_port();
    let (server, _) = dot::start(&format!("doq = [\"{doq}\"]\n{more}"), &issued.pair());
    (server, doq)
}

/// An endpoint that believes the authority. Call it within a runtime.
pub fn endpoint(issued: &Issued) -> Endpoint {
    let crypto = QuicClientConfig::try_from(dot::client_config(b"doq", issued)).unwrap();
    let mut endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
    endpoint
}

async fn connect(doq: SocketAddr, issued: &Issued) -> Connection {
    endpoint(issued).connect(doq, "127.0.0.1").unwrap().await.unwrap()
}

/// Sends octets on a stream of their own and reads what comes back.
async fn exchange(connection: &Connection, octets: &[u8]) -> Option<Vec<u8>> {
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    send.write_all(octets).await.ok()?;
    send.finish().ok()?;
    receive.read_to_end(70_000).await.ok().filter(|answer| !answer.is_empty())
}

fn framed(query: &Query) -> Vec<u8> {
    let wire = query.to_wire();
    [&(wire.len() as u16).to_be_bytes(), &wire[..]].concat()
}

/// Has it done on a runtime of its own.
pub fn within<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), work).await.unwrap() })
}

#[test]
fn each_query_has_a_stream_and_the_answers_are_those_of_tcp() {
    let issued = Issued::new();
    let (server, doq) = start("", &issued);
    within(async {
        let connection = connect(doq, &issued).await;
        for question in ["www.example.test A", "missing.example.test A", "example.test NS"] {
            let query = Query { id: 0, ..Query::new(question) };
            let answer = exchange(&connection, &framed(&query)).await.expect("an answer");
            assert_eq!(usize::from(u16::from_be_bytes([answer[0], answer[1]])), answer.len() - 2);
            assert_eq!(Response::read(&answer[2..]).lines(), server.tcp(&query).lines());
        }
    });
    assert_eq!(server.metric("homing_queries_total{transport=\"quic\"}"), 3);
    let status = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
    let line = status.lines().find(|line| line.contains("over QUIC")).expect(&status);
    assert!(line.ends_with(&doq.to_string()), "{line}");
}

#[test]
fn who_breaks_the_rules_is_told_so_and_others_are_answered() {
    let issued = Issued::new();
    let (_server, doq) = start("", &issued);
    let sound = Query { id: 0, ..Query::new("www.example.test A") };
    let wire = framed(&sound);
    // An ID, a message cut short, two messages, a response, nothing at all, the keepalive option (§5.5.2).
    let numbered = framed(&Query { id: 7, ..sound.clone() });
    let response = [&wire[..4], &[wire[4] | 0x80], &wire[5..]].concat();
    let keepalive = framed(&sound.clone().option(11, &[]));
    let cut_short = wire[..20].to_vec();
    let twice = [&wire[..], &wire].concat();
    let broken = [numbered, cut_short, twice, response, Vec::new(), keepalive];
    within(async {
        for octets in broken {
            let connection = connect(doq, &issued).await;
            assert_eq!(exchange(&connection, &octets).await, None, "{octets:?}");
            match connection.closed().await {
                ConnectionError::ApplicationClosed(told) => {
                    assert_eq!(told.error_code.into_inner(), 2)
                }
                other => panic!("{other}"),
            }
        }
        assert!(exchange(&connect(doq, &issued).await, &wire).await.is_some());
    });
}

#[test]
fn kdig_asks_over_quic() {
    let issued = Issued::new();
    let (server, doq) = start("", &issued);
    std::fs::write(server.path("ca.pem"), &issued.ca_pem).unwrap();
    let mut kdig = Command::new("kdig");
    kdig.arg(format!("@{}", doq.ip())).args(["-p", &doq.port().to_string()]);
    kdig.arg(format!("+tls-ca={}", server.path("ca.pem").display()));
    kdig.args(["+quic", "+short", "www.example.test", "A"]);
    let Ok(done) = kdig.output() else {
        assert!(std::env::var_os("HOMING_REQUIRE_SERVERS").is_none(), "kdig is missing");
        eprintln!("no kdig on this machine: it is not asked");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "192.0.2.80", "{done:?}");
}

#[test]
fn who_says_nothing_is_let_go() {
    let issued = Issued::new();
    let (server, doq) = start("[tcp]\nidle = \"1s\"\n", &issued);
    within(async {
        let silent = connect(doq, &issued).await;
        let begun = connect(doq, &issued).await;
        let (mut send, _receive) = begun.open_bi().await.unwrap();
        send.write_all(&[0]).await.unwrap();
        silent.closed().await;
        begun.closed().await;
    });
    eventually("the seats are free", || {
        let open = server.metric("homing_tcp_connections_open");
        if open == 0 { Ok(()) } else { Err(open.to_string()) }
    });
}

#[test]
fn a_client_hears_that_the_server_ends() {
    let issued = Issued::new();
    let (mut server, doq) = start("", &issued);
    within(async {
        let connection = connect(doq, &issued).await;
        let query = framed(&Query { id: 0, ..Query::new("www.example.test A") });
        assert!(exchange(&connection, &query).await.is_some());
        server.signal("TERM");
        match connection.closed().await {
            ConnectionError::ApplicationClosed(told) => assert_eq!(told.error_code.into_inner(), 0),
            other => panic!("{other}"),
        }
    });
    assert!(server.wait_end().success());
}
