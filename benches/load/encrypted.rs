//! The load over TLS, HTTPS and QUIC: connections that each have so many queries under way.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper_util::rt::{TokioExecutor, TokioIo};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::TcpStream;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::count::{Count, Meter};
use super::packets::Packets;

/// How long connections may take to say that they are over.
const END_WAIT: Duration = Duration::from_secs(1);

/// How often it is looked whether the run is over.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What is spoken.
#[derive(Clone, Copy, Debug)]
pub enum Speech {
    Tls,
    Https,
    Quic,
}

/// How much is asked at once.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub connections: usize,
    /// Queries that each has under way.
    pub lanes: usize,
}

/// What all connections share.
struct Board {
    packets: Packets,
    count: Count,
    next_id: u16,
    /// Ends of connections over QUIC, which nobody closes for a process that is gone.
    endpoints: Vec<quinn::Endpoint>,
}

/// Where a connection goes, and whom it believes.
#[derive(Clone)]
struct Way {
    to: SocketAddr,
    tls: Arc<ClientConfig>,
    lanes: usize,
    board: Rc<RefCell<Board>>,
}

/// Asks a server that shows the certificate in this file. One line of JSON.
pub fn run(
    speech: Speech,
    to: SocketAddr,
    certificate: &Path,
    packets: Packets,
    crowd: Crowd,
    mut meter: Meter,
) -> String {
    let board = Board { packets, count: Count::default(), next_id: 0, endpoints: Vec::new() };
    let (tls, board) = (client(speech, certificate), Rc::new(RefCell::new(board)));
    let way = Way { to, tls, lanes: crowd.lanes, board };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("built");
    let mut told = String::new();
    LocalSet::new().block_on(&runtime, async {
        for _ in 0..crowd.connections {
            let way = way.clone();
            spawn_local(async move {
                match speech {
                    Speech::Tls => way.over_tls().await,
                    Speech::Https => way.over_https().await,
                    Speech::Quic => way.over_quic().await,
                }
            });
        }
        while meter.goes_on(&mut way.board.borrow_mut().count).is_some() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        told = meter.tell(&mut way.board.borrow_mut().count);
        let endpoints = std::mem::take(&mut way.board.borrow_mut().endpoints);
        for endpoint in endpoints {
            endpoint.close(0u32.into(), b"");
            let _ = timeout(END_WAIT, endpoint.wait_idle()).await;
        }
    });
    assert!(way.board.borrow().count.answered > 0, "nothing was answered");
    told
}

fn client(speech: Speech, certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    roots.add(certificate).expect("a sound certificate");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let protocol: &[u8] = match speech {
        Speech::Tls => b"dot",
        Speech::Https => b"h2",
        Speech::Quic => b"doq",
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

impl Way {
    /// The next query, with its ID or with 0, behind its length; and its number.
    fn ask(&self, is_numbered: bool) -> (usize, Vec<u8>) {
        let mut board = self.board.borrow_mut();
        let id = if is_numbered { board.next_id } else { 0 };
        board.next_id = board.next_id.wrapping_add(1);
        let (number, packet) = board.packets.next(id);
        (number, [&(packet.len() as u16).to_be_bytes(), packet].concat())
    }

    /// Counts what came back, if anything.
    fn hear(&self, number: usize, sent: Instant, answer: Option<&[u8]>) {
        let Board { packets, count, .. } = &mut *self.board.borrow_mut();
        match answer {
            Some(answer) => count.take(sent.elapsed(), packets.is_answer(number, answer)),
            None => count.lost += 1,
        }
    }

    async fn secured(&self) -> TlsStream<BufWriter<TcpStream>> {
        let stream = TcpStream::connect(self.to).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        let name = ServerName::from(self.to.ip());
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, BufWriter::new(stream))
            .await
            .expect("agreed")
    }

    /// Batches of queries, each sent when the last one is answered; a record for each query, as nsd needs it: it waits
    /// for more from the socket while the rest of a record lies before it.
    async fn over_tls(&self) {
        let mut stream = self.secured().await;
        let (mut numbers, mut answer) = (vec![0; self.lanes], vec![0; 65_535]);
        loop {
            let sent = Instant::now();
            for number in &mut numbers {
                let (asked, framed) = self.ask(true);
                stream.write_all(&framed).await.expect("sent");
                *number = asked;
            }
            stream.flush().await.expect("sent");
            for &number in &numbers {
                let len = usize::from(stream.read_u16().await.expect("an answer"));
                stream.read_exact(&mut answer[..len]).await.expect("an answer");
                self.hear(number, sent, Some(&answer[..len]));
            }
        }
    }

    async fn over_https(&self) {
        let stream = TokioIo::new(self.secured().await);
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
                .await
                .expect("agreed");
        spawn_local(connection);
        let uri = format!("https://{}/dns-query", self.to);
        for _ in 0..self.lanes {
            let (way, uri, mut sender) = (self.clone(), uri.clone(), sender.clone());
            spawn_local(async move {
                loop {
                    let (number, framed) = way.ask(false);
                    let body = Full::new(Bytes::from(framed).slice(2..));
                    let request =
                        hyper::Request::post(&uri).header(CONTENT_TYPE, "application/dns-message");
                    let sent = Instant::now();
                    let answer = sender.send_request(request.body(body).expect("a request")).await;
                    let answer = match answer {
                        Ok(response) => response.into_body().collect().await.ok(),
                        Err(_) => None,
                    };
                    let answer = answer.map(http_body_util::Collected::to_bytes);
                    way.hear(number, sent, answer.as_deref());
                }
            });
        }
    }

    async fn over_quic(&self) {
        let mut endpoint =
            quinn::Endpoint::client("127.0.0.1:0".parse().expect("read")).expect("bound");
        let crypto = QuicClientConfig::try_from(Arc::clone(&self.tls)).expect("of TLS 1.3");
        endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(crypto)));
        let name = self.to.ip().to_string();
        let connection = endpoint.connect(self.to, &name).expect("begun").await.expect("agreed");
        self.board.borrow_mut().endpoints.push(endpoint);
        for _ in 0..self.lanes {
            let (way, connection) = (self.clone(), connection.clone());
            spawn_local(async move {
                while connection.close_reason().is_none() {
                    let (number, framed) = way.ask(false);
                    let sent = Instant::now();
                    let answer = exchange(&connection, &framed).await;
                    way.hear(number, sent, answer.as_deref().and_then(|answer| answer.get(2..)));
                }
            });
        }
    }
}

async fn exchange(connection: &quinn::Connection, framed: &[u8]) -> Option<Vec<u8>> {
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    send.write_all(framed).await.ok()?;
    send.finish().ok()?;
    receive.read_to_end(65_537).await.ok()
}

/// A certificate that signs itself, of 127.0.0.1, with its key: `cert.pem` and `key.pem` in the folder.
pub fn issue(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("written");
}
