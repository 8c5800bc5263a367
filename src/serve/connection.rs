//! One TCP connection: queries in, answers out, in the order in which they came (RFC 7766).
//!
//! Owns:  the desk that all connections share, and the life of one connection.
//! Never: blocks the thread, reads ahead of a client that does not take its answers, mixes two
//!        answers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Instant, timeout, timeout_at};

use crate::answer::{ConnectionLimits, Core, Exchange, Snapshot, Transport};

use super::clock;
use super::counters::{TcpCounters, add};
use super::frame::{Frame, Inbox};
use super::limit::{SeatId, Seats};
use super::responder::{Responder, fenced};

/// The longest response (RFC 1035 §4.2.2).
const RESPONSE_LEN_MAX: usize = 65_535;

/// Answers are gathered up to here before they are written, so that a pipeline costs few system
/// calls and packets.
const WRITE_LEN: usize = 16 * 1024;

/// How long a query may be on its way when the server stops.
const LATE_WAIT: Duration = Duration::from_millis(100);

/// What the connections of the thread share. One thread, so nothing is locked; nothing is borrowed
/// across an await.
pub struct Desk<F> {
    /// Where the newest snapshot is.
    pub snapshots: Arc<ArcSwap<Snapshot>>,
    /// Who answers.
    pub respond: F,
    /// The thread's memory.
    pub core: RefCell<Core>,
    /// Room for one response.
    pub response: RefCell<Box<[u8]>>,
    /// Who sits.
    pub seats: RefCell<Seats>,
    /// How to end a connection from outside.
    pub handles: RefCell<HashMap<SeatId, AbortHandle>>,
    /// Told when a seat becomes free.
    pub left: Notify,
    /// What the thread counts.
    pub counters: Arc<TcpCounters>,
    /// The bounds.
    pub limits: ConnectionLimits,
    /// True when the server is to stop.
    pub stopping: watch::Receiver<bool>,
}

/// A taken seat; free again when dropped, however the connection ends.
pub struct Seat<F> {
    pub(super) desk: Rc<Desk<F>>,
    pub(super) id: SeatId,
}

/// What to do after the answers at hand are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Answer what else has arrived.
    Answer,
    /// Wait for the client.
    Read,
    /// End the connection.
    Close,
}

impl<F> Desk<F> {
    /// A desk with all seats free.
    pub fn new(
        snapshots: Arc<ArcSwap<Snapshot>>,
        respond: F,
        core: Core,
        counters: Arc<TcpCounters>,
        limits: ConnectionLimits,
        stopping: watch::Receiver<bool>,
    ) -> Desk<F> {
        Desk {
            snapshots,
            respond,
            core: RefCell::new(core),
            response: RefCell::new(vec![0; RESPONSE_LEN_MAX].into_boxed_slice()),
            seats: RefCell::new(Seats::new(limits)),
            handles: RefCell::new(HashMap::new()),
            left: Notify::new(),
            counters,
            limits,
            stopping,
        }
    }

    /// Ends a connection that is off the book.
    pub fn close(&self, leaver: SeatId) {
        add(&self.counters.evicted, 1);
        if let Some(handle) = self.handles.borrow_mut().remove(&leaver) {
            handle.abort();
        }
    }

    /// Takes the number of open connections anew.
    pub fn gauge(&self) {
        let open = self.seats.borrow().len() as u64;
        self.counters.open.store(open, std::sync::atomic::Ordering::Relaxed);
    }
}

impl<F> Seat<F> {
    /// Holds the seat `id` of `desk`.
    pub fn new(desk: Rc<Desk<F>>, id: SeatId) -> Seat<F> {
        Seat { desk, id }
    }

    /// Where is counted what becomes of it, and how long its client may take.
    pub fn patience(&self) -> (Arc<TcpCounters>, Duration) {
        (Arc::clone(&self.desk.counters), self.desk.seats.borrow().idle_time())
    }
}

impl<F: Responder> Seat<F> {
    /// Answers one query that came alone; none for what is no query, and where answering panicked.
    pub fn answer(&self, request: &[u8], client: IpAddr, transport: Transport) -> Option<Vec<u8>> {
        let desk = &self.desk;
        add(&desk.counters.received, 1);
        let (mut response, mut core) = (desk.response.borrow_mut(), desk.core.borrow_mut());
        let snapshot = desk.snapshots.load();
        let now_secs = clock::secs(clock::now());
        let exchange = Exchange {
            request,
            client,
            transport,
            idle_tenths: 0,
            now_secs,
            response: &mut response,
        };
        let Ok(outcome) = fenced(|| (desk.respond)(&snapshot, exchange, &mut core)) else {
            add(&desk.counters.panics, 1);
            return None;
        };
        let answer = response.get(..outcome.len()).filter(|answer| !answer.is_empty());
        add(if answer.is_some() { &desk.counters.sent } else { &desk.counters.malformed }, 1);
        answer.map(<[u8]>::to_vec)
    }
}

impl<F> Drop for Seat<F> {
    fn drop(&mut self) {
        self.desk.seats.borrow_mut().leave(self.id);
        self.desk.handles.borrow_mut().remove(&self.id);
        self.desk.gauge();
        self.desk.left.notify_one();
    }
}

/// One conversation with one client.
pub struct Connection<F, S> {
    stream: S,
    client: IpAddr,
    transport: Transport,
    seat: Seat<F>,
    inbox: Inbox,
    outgoing: Vec<u8>,
    /// Answers in `outgoing`.
    answers: u64,
    /// Queries that may still come.
    queries_left: u64,
    /// When its life is over.
    ends: Instant,
    stopping: watch::Receiver<bool>,
}

impl<F: Responder, S: AsyncRead + AsyncWrite + Unpin> Connection<F, S> {
    /// A connection that has just been seated.
    pub fn new(stream: S, client: IpAddr, transport: Transport, seat: Seat<F>) -> Connection<F, S> {
        let stopping = seat.desk.stopping.clone();
        let queries_left = seat.desk.limits.queries_per_connection;
        let ends = Instant::now() + seat.desk.limits.life;
        Connection {
            stream,
            client,
            transport,
            seat,
            inbox: Inbox::default(),
            outgoing: Vec::new(),
            answers: 0,
            queries_left,
            ends,
            stopping,
        }
    }

    /// Answers until the client leaves, breaks a rule, or the server stops.
    pub async fn converse(mut self) {
        let mut deadline = self.next_deadline();
        loop {
            let next = self.answer();
            if !self.outgoing.is_empty() {
                if !self.flush().await {
                    return;
                }
                deadline = self.next_deadline();
            }
            let heard = match next {
                // Others have their turn between two parts of a long pipeline (RFC 7766 §6.2.1.1).
                Next::Answer => {
                    yield_now().await;
                    true
                }
                Next::Read => self.hear(deadline).await,
                Next::Close => false,
            };
            if !heard {
                break;
            }
            if Instant::now() >= self.ends {
                add(&self.seat.desk.counters.outlived, 1);
                break;
            }
        }
        // What was written arrives before the end of the stream does. TLS has a word for the end, and a
        // client that does not take it is not waited for.
        let _ = timeout(self.seat.desk.limits.write, self.stream.shutdown()).await;
    }

    fn next_deadline(&self) -> Instant {
        Instant::now() + self.seat.desk.seats.borrow().idle_time()
    }

    /// Answers the messages at hand from one snapshot, up to [`WRITE_LEN`] octets of answers.
    fn answer(&mut self) -> Next {
        let desk = Rc::clone(&self.seat.desk);
        let mut response = desk.response.borrow_mut();
        let mut core = desk.core.borrow_mut();
        let snapshot = desk.snapshots.load();
        let now_secs = clock::secs(clock::now());
        // 6,553 seconds are as good as for ever.
        let idle_tenths = desk.seats.borrow().idle_time().as_millis() / 100;
        let idle_tenths = u16::try_from(idle_tenths).unwrap_or(u16::MAX);
        while self.outgoing.len() < WRITE_LEN {
            let request = match self.inbox.next_message() {
                Frame::Message(request) => request,
                Frame::Partial => return Next::Read,
                Frame::Empty => {
                    add(&desk.counters.malformed, 1);
                    return Next::Close;
                }
            };
            if self.answers == 0 {
                desk.seats.borrow_mut().work(self.seat.id);
            }
            add(&desk.counters.received, 1);
            let exchange = Exchange {
                request,
                client: self.client,
                transport: self.transport,
                idle_tenths,
                now_secs,
                response: &mut response,
            };
            let Ok(outcome) = fenced(|| (desk.respond)(&snapshot, exchange, &mut core)) else {
                add(&desk.counters.panics, 1);
                return Next::Close;
            };
            // Silence is for what is no query; over TCP its sender would only hold the seat.
            let Some(answer) = response.get(..outcome.len()).filter(|answer| !answer.is_empty())
            else {
                add(&desk.counters.malformed, 1);
                return Next::Close;
            };
            // One write for length and message (RFC 7766 §8).
            self.outgoing.extend_from_slice(&(answer.len() as u16).to_be_bytes());
            self.outgoing.extend_from_slice(answer);
            self.answers += 1;
            self.queries_left = self.queries_left.saturating_sub(1);
            if self.queries_left == 0 {
                add(&desk.counters.exhausted, 1);
                return Next::Close;
            }
        }
        Next::Answer
    }

    /// Writes the answers. False if the client does not take them.
    async fn flush(&mut self) -> bool {
        let counters = &self.seat.desk.counters;
        let written =
            timeout(self.seat.desk.limits.write, write(&mut self.stream, &self.outgoing)).await;
        match written {
            Ok(Ok(())) => {
                add(&counters.sent, self.answers);
                self.answers = 0;
                self.outgoing.clear();
                // One long answer does not keep its room for the rest of the conversation.
                self.outgoing.shrink_to(2 * WRITE_LEN);
                true
            }
            Ok(Err(_)) => {
                add(&counters.failed, 1);
                false
            }
            Err(_) => {
                add(&counters.timed_out_write, 1);
                false
            }
        }
    }

    /// Waits for more of the client. False if nothing more is to be expected. After a stop it waits
    /// for the rest of a message that has begun, and for one that is on its way only [`LATE_WAIT`].
    async fn hear(&mut self, deadline: Instant) -> bool {
        let desk = Rc::clone(&self.seat.desk);
        desk.seats.borrow_mut().wait(self.seat.id);
        let begun = !self.inbox.is_empty();
        let room = self.inbox.room();
        let stopping = *self.stopping.borrow_and_update();
        if stopping && !begun {
            let late = timeout(LATE_WAIT, self.stream.read_buf(room)).await;
            return matches!(late, Ok(Ok(count)) if count > 0);
        }
        tokio::select! {
            biased;
            read = timeout_at(deadline, self.stream.read_buf(room)) => match read {
                Ok(Ok(count)) => count > 0,
                Ok(Err(_)) => {
                    add(&desk.counters.failed, 1);
                    false
                }
                Err(_) => {
                    add(&desk.counters.timed_out_read, 1);
                    false
                }
            },
            // The next turn finds nothing to answer and comes back here, stopping.
            Ok(()) = self.stopping.changed(), if !stopping => true,
        }
    }
}

/// Writes all of it. A stream that gathers what is written has it sent as well.
async fn write(stream: &mut (impl AsyncWrite + Unpin), octets: &[u8]) -> io::Result<()> {
    stream.write_all(octets).await?;
    stream.flush().await
}
