//! DNS over dedicated QUIC connections (RFC 9250): a stream for each query, and none waits for another.
//!
//! Owns:  the endpoint of one address, who gets in, and the life of a connection.
//! Never: gives a seat to an address that nobody has proven, when seats are scarce.

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Connection, Endpoint, EndpointConfig, Incoming, ServerConfig, TransportConfig, VarInt,
};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout};

use crate::answer::{ConnectionLimits, Transport};

use super::arrival::Certificates;
use super::connection::{Desk, Seat};
use super::counters::add;
use super::limit::Admission;
use super::responder::Responder;

/// Octets of a query with its length.
const MESSAGE_LEN_MAX: usize = 2 + 65_535;
/// Queries under way on one connection. A guess: what a resolver asks at once.
const STREAM_COUNT_MAX: u32 = 64;
/// Octets of one query that may come before they are read: a query of usual length is 50.
const WINDOW_LEN: u32 = 16 * 1024;

/// How often it is looked for another certificate while nobody comes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the last connections may take to hear that they are over.
const END_WAIT: Duration = Duration::from_secs(1);

/// Error codes of RFC 9250 §4.3.
const NO_ERROR: VarInt = VarInt::from_u32(0);
const PROTOCOL_ERROR: VarInt = VarInt::from_u32(2);
const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(4);

/// What a connection does next.
enum Heard {
    /// A stream has begun.
    Stream(quinn::SendStream, quinn::RecvStream),
    /// Nothing more will come.
    End,
}

/// Accepts connections on `socket` until stopped, each with the certificate then in force. Call it within the runtime. Where
/// the system has no descriptor for it the others serve on.
pub async fn serve<F: Responder>(
    socket: UdpSocket,
    certificates: Certificates,
    desk: Rc<Desk<F>>,
    stopping: watch::Receiver<bool>,
) {
    let counters = Arc::clone(&desk.counters);
    if accept(socket, certificates, desk, stopping).await.is_err() {
        add(&counters.accept_errors, 1);
    }
}

async fn accept<F: Responder>(
    socket: UdpSocket,
    certificates: Certificates,
    desk: Rc<Desk<F>>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let runtime = Arc::new(quinn::TokioRuntime);
    let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, runtime)?;
    let mut served: Option<Arc<rustls::ServerConfig>> = None;
    // Nothing is accepted before there is a certificate; it is looked for as often as somebody may come.
    loop {
        let current = certificates.load_full();
        let is_new = |tls: &Arc<_>| served.as_ref().is_none_or(|served| !Arc::ptr_eq(served, tls));
        if let Some(tls) = current.filter(is_new)
            && let Ok(config) = configuration(&tls, &desk.limits)
        {
            endpoint.set_server_config(Some(config));
            served = Some(tls);
        }
        let incoming = tokio::select! {
            biased;
            _ = stopping.wait_for(|&stop| stop) => break,
            incoming = timeout(LOOK_EVERY, endpoint.accept()) => incoming,
        };
        match incoming {
            Ok(Some(incoming)) => seat(incoming, &desk),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    // Nobody new comes in; what is under way ends by itself, each in its task, and its client hears of it.
    endpoint.set_server_config(None);
    let _ = timeout(END_WAIT, endpoint.wait_idle()).await;
    Ok(())
}

/// TLS as QUIC speaks it: the same certificate, of version 1.3 alone (RFC 9001 §4.2).
fn configuration(
    tls: &Arc<rustls::ServerConfig>,
    limits: &ConnectionLimits,
) -> io::Result<ServerConfig> {
    let crypto = QuicServerConfig::try_from(Arc::clone(tls)).map_err(io::Error::other)?;
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(STREAM_COUNT_MAX.into());
    transport.max_concurrent_uni_streams(VarInt::from_u32(0));
    transport.stream_receive_window(WINDOW_LEN.into());
    transport.receive_window((WINDOW_LEN * STREAM_COUNT_MAX).into());
    transport.datagram_receive_buffer_size(None);
    transport.max_idle_timeout(limits.idle.try_into().ok());
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport)).max_incoming(limits.connections);
    Ok(config)
}

/// Gives a connection a seat and starts it. When half of the seats are taken, an address is proven first (RFC 9000 §8.1.2):
/// a crowd of forged ones takes nobody's seat.
fn seat<F: Responder>(incoming: Incoming, desk: &Rc<Desk<F>>) {
    let peer = incoming.remote_address().ip();
    let is_busy = desk.seats.borrow().len() * 2 >= desk.limits.connections;
    if is_busy && !incoming.remote_address_validated() && incoming.may_retry() {
        // It fails only where it may not be asked for.
        let _ = incoming.retry();
        return;
    }
    let admission = desk.seats.borrow_mut().admit(Some(peer));
    let id = match admission {
        Admission::Seated(id) => id,
        Admission::SeatedFor { seat, leaver } => {
            desk.close(leaver);
            seat
        }
        Admission::ClientFull => {
            add(&desk.counters.refused_client, 1);
            return incoming.refuse();
        }
        Admission::Full => {
            add(&desk.counters.refused_full, 1);
            return incoming.refuse();
        }
    };
    desk.seats.borrow_mut().wait(id);
    add(&desk.counters.accepted, 1);
    desk.gauge();
    let task = spawn_local(converse(incoming, peer, Seat::new(Rc::clone(desk), id)));
    desk.handles.borrow_mut().insert(id, task.abort_handle());
}

/// Agrees upon TLS, then answers until the client leaves, is silent for too long, or the server stops.
async fn converse<F: Responder>(incoming: Incoming, peer: IpAddr, seat: Seat<F>) {
    let (counters, patience) = seat.patience();
    let limits = seat.desk.limits;
    let shaken = match incoming.accept() {
        Ok(connecting) => timeout(patience, connecting).await,
        Err(error) => Ok(Err(error)),
    };
    let connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(_)) => return add(&counters.handshakes_failed, 1),
        Err(_) => return add(&counters.handshakes_timed_out, 1),
    };
    let ends = Instant::now() + limits.life;
    let seat = Rc::new(seat);
    let mut left = limits.queries_per_connection;
    while let Heard::Stream(send, receive) = hear(&connection, &seat, ends).await {
        let (asked, seat) = (connection.clone(), Rc::clone(&seat));
        spawn_local(async move {
            let limit = seat.desk.limits.write + seat.desk.limits.idle;
            let answered = timeout(limit, answer(send, receive, peer, &seat)).await;
            if let Ok(Err(code)) = answered {
                asked.close(code, b"");
            }
        });
        left -= 1;
        if left == 0 {
            add(&counters.exhausted, 1);
            return connection.close(EXCESSIVE_LOAD, b"");
        }
    }
    // What is under way has its time.
    let mut waited = Duration::ZERO;
    while Rc::strong_count(&seat) > 1 && waited < limits.grace {
        waited += Duration::from_millis(10);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    connection.close(NO_ERROR, b"");
}

/// Waits for the next stream.
async fn hear<F>(connection: &Connection, seat: &Seat<F>, ends: Instant) -> Heard {
    let counters = &seat.desk.counters;
    let silent_at = Instant::now() + seat.desk.seats.borrow().idle_time();
    let mut stopping = seat.desk.stopping.clone();
    tokio::select! {
        biased;
        stream = connection.accept_bi() => match stream {
            Ok((send, receive)) => return Heard::Stream(send, receive),
            Err(quinn::ConnectionError::ApplicationClosed(_)) => {}
            Err(quinn::ConnectionError::TimedOut) => add(&counters.timed_out_read, 1),
            Err(_) => add(&counters.failed, 1),
        },
        () = sleep_until(silent_at.min(ends)) => match Instant::now() >= ends {
            true => add(&counters.outlived, 1),
            false => add(&counters.timed_out_read, 1),
        },
        _ = stopping.wait_for(|&stop| stop) => {}
    }
    Heard::End
}

/// Answers the query of one stream; an error ends the connection with this code.
async fn answer<F: Responder>(
    mut send: quinn::SendStream,
    mut receive: quinn::RecvStream,
    client: IpAddr,
    seat: &Seat<F>,
) -> Result<(), VarInt> {
    // One that its client took back is answered by nothing.
    let message = match receive.read_to_end(MESSAGE_LEN_MAX).await {
        Ok(message) => message,
        Err(quinn::ReadToEndError::TooLong) => return Err(PROTOCOL_ERROR),
        Err(quinn::ReadToEndError::Read(_)) => return Ok(()),
    };
    let (len, query) = message.split_first_chunk().ok_or(PROTOCOL_ERROR)?;
    // A query is whole, alone on its stream, and its ID is 0 (RFC 9250 §4.2, §4.2.1).
    let is_whole = usize::from(u16::from_be_bytes(*len)) == query.len();
    if !is_whole || query.get(..2) != Some(&[0, 0]) {
        add(&seat.desk.counters.malformed, 1);
        return Err(PROTOCOL_ERROR);
    }
    seat.desk.seats.borrow_mut().work(seat.id);
    let answer = seat.answer(query, client, Transport::Quic);
    seat.desk.seats.borrow_mut().wait(seat.id);
    let answer = answer.ok_or(PROTOCOL_ERROR)?;
    let framed = [&(answer.len() as u16).to_be_bytes(), &answer[..]].concat();
    // A client that went away does not want it.
    if send.write_all(&framed).await.is_ok() {
        let _ = send.finish();
    }
    Ok(())
}
