//! DNS over TLS (RFC 7858): a handshake, and then a connection as over TCP.
//!
//! Owns:  the handshake of one connection, in the connection's own task: a client that stalls in it keeps nobody waiting.
//! Never: reads a certificate; whoever follows the files hands over what is in force.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::answer::Transport;

use super::connection::{Connection, Seat};
use super::counters::add;
use super::responder::Responder;

/// Agrees upon TLS, then answers. The seat waits meanwhile, and goes to another if need be.
pub async fn converse_safely<F: Responder>(
    stream: TcpStream,
    client: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    seat: Seat<F>,
) {
    let (counters, patience) = seat.patience();
    // As long as there is no good certificate nothing can be agreed upon; the alarm of it stands.
    let Some(tls) = tls else { return add(&counters.handshakes_failed, 1) };
    match timeout(patience, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => Connection::new(stream, client, Transport::Tls, seat).converse().await,
        Ok(Err(_)) => add(&counters.handshakes_failed, 1),
        Err(_) => add(&counters.handshakes_timed_out, 1),
    }
}
