//! What comes before the first query of a connection: a balancer's word of who asks, and TLS (RFC 7858, RFC 8484).
//!
//! Owns:  both, in the connection's own task: a client that stalls in them keeps nobody waiting.
//! Never: reads a certificate; whoever follows the files hands over what is in force.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::answer::Transport;

use super::connection::{Connection, Seat};
use super::counters::add;
use super::doh;
use super::proxy;
use super::responder::Responder;

/// Where the certificate in force is; none as long as there is no good one.
pub type Certificates = Arc<ArcSwapOption<ServerConfig>>;

/// What is spoken at a door, and with which certificate.
#[derive(Clone, Debug)]
pub enum Speech<T> {
    /// DNS in the clear.
    Plain,
    /// DNS within TLS.
    Tls(T),
    /// DNS within HTTPS.
    Https(T),
}

impl<T> Speech<T> {
    /// The same with another form of the certificate.
    pub fn map<U>(&self, form: impl FnOnce(&T) -> U) -> Speech<U> {
        match self {
            Speech::Plain => Speech::Plain,
            Speech::Tls(tls) => Speech::Tls(form(tls)),
            Speech::Https(tls) => Speech::Https(form(tls)),
        }
    }
}

/// A connection that has just been seated. Its seat waits, and goes to another if need be.
pub struct Arrival<F> {
    /// Its octets.
    pub stream: TcpStream,
    /// Where they come from.
    pub peer: IpAddr,
    /// Whether that is a balancer, which tells in whose name it asks.
    pub is_balancer: bool,
    /// What is spoken. As long as there is no good certificate it has none.
    pub speech: Speech<Option<Arc<ServerConfig>>>,
    /// Its seat.
    pub seat: Seat<F>,
}

impl<F: Responder> Arrival<F> {
    /// Hears who asks, agrees upon TLS, then answers until the end.
    pub async fn converse(self) {
        let Arrival { mut stream, peer, is_balancer, speech, seat } = self;
        let (counters, patience) = seat.patience();
        let deadline = Instant::now() + patience;
        let mut client = peer;
        if is_balancer {
            match timeout_at(deadline, proxy::greet(&mut stream, peer)).await {
                Ok(Ok(told)) => client = told,
                Ok(Err(error)) if error.kind() != io::ErrorKind::InvalidData => {
                    return add(&counters.failed, 1);
                }
                Ok(Err(_)) => return add(&counters.proxy_refused, 1),
                Err(_) => return add(&counters.timed_out_read, 1),
            }
        }
        let (tls, is_https) = match speech {
            Speech::Plain => {
                return Connection::new(stream, client, Transport::Tcp, seat).converse().await;
            }
            Speech::Tls(tls) => (tls, false),
            Speech::Https(tls) => (tls, true),
        };
        // Without a good certificate nothing can be agreed upon; the alarm of it stands.
        let Some(tls) = tls else { return add(&counters.handshakes_failed, 1) };
        match timeout_at(deadline, TlsAcceptor::from(tls).accept(stream)).await {
            Ok(Ok(stream)) if is_https => doh::converse(stream, client, seat).await,
            Ok(Ok(stream)) => {
                Connection::new(stream, client, Transport::Tls, seat).converse().await;
            }
            Ok(Err(_)) => add(&counters.handshakes_failed, 1),
            Err(_) => add(&counters.handshakes_timed_out, 1),
        }
    }
}
