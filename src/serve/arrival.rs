//! What comes before the first query of a connection: a balancer's word of who asks, and TLS (RFC 7858).
//!
//! Owns:  both, in the connection's own task: a client that stalls in them keeps nobody waiting.
//! Never: reads a certificate; whoever follows the files hands over what is in force.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::answer::Transport;

use super::connection::{Connection, Seat};
use super::counters::add;
use super::proxy;
use super::responder::Responder;

/// A connection that has just been seated. Its seat waits, and goes to another if need be.
pub struct Arrival<F> {
    /// Its octets.
    pub stream: TcpStream,
    /// Where they come from.
    pub peer: IpAddr,
    /// Whether that is a balancer, which tells in whose name it asks.
    pub is_balancer: bool,
    /// None: it speaks in the clear. As long as there is no good certificate the inner is none.
    pub tls: Option<Option<Arc<ServerConfig>>>,
    /// Its seat.
    pub seat: Seat<F>,
}

impl<F: Responder> Arrival<F> {
    /// Hears who asks, agrees upon TLS, then answers until the end.
    pub async fn converse(self) {
        let Arrival { mut stream, peer, is_balancer, tls, seat } = self;
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
        let Some(tls) = tls else {
            return Connection::new(stream, client, Transport::Tcp, seat).converse().await;
        };
        // Without a good certificate nothing can be agreed upon; the alarm of it stands.
        let Some(tls) = tls else { return add(&counters.handshakes_failed, 1) };
        match timeout_at(deadline, TlsAcceptor::from(tls).accept(stream)).await {
            Ok(Ok(stream)) => {
                Connection::new(stream, client, Transport::Tls, seat).converse().await;
            }
            Ok(Err(_)) => add(&counters.handshakes_failed, 1),
            Err(_) => add(&counters.handshakes_timed_out, 1),
        }
    }
}
