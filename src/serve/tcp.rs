//! TCP: one thread with a runtime of its own accepts connections and gives them seats (RFC 7766).
//!
//! Owns:  the accept loops, and the orderly end.
//! Never: shares a runtime with the control plane: a scrape or a reload cannot delay an answer.

use std::io;
use std::net::IpAddr;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::answer::{ConnectionLimits, Core, Networks, Snapshot};

use super::arrival::{Arrival, Certificates, Speech};
use super::connection::{Desk, Seat};
use super::counters::{TcpCounters, add};
use super::doq;
use super::limit::Admission;
use super::responder::Responder;

/// The pause after a failed accept, such as one for want of descriptors, so that it does not spin.
const FAULT_PAUSE: Duration = Duration::from_millis(50);

/// Connections that are still seated after a stop: those that the kernel had completed before.
const LATE_COUNT_MAX: usize = 1024;

/// What is spoken at a listener, and where the certificate in force is.
pub type Security = Speech<Certificates>;

/// What one thread listens on.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For connections over TCP.
    pub streams: Vec<(std::net::TcpListener, Security)>,
    /// For connections over QUIC.
    pub quic: Vec<(std::net::UdpSocket, Certificates)>,
}

impl Listeners {
    /// The same once more.
    pub fn again(&self) -> io::Result<Listeners> {
        let streams = self.streams.iter().map(|(it, by)| Ok((it.try_clone()?, by.clone())));
        let quic = self.quic.iter().map(|(it, by)| Ok((it.try_clone()?, Arc::clone(by))));
        Ok(Listeners {
            streams: streams.collect::<io::Result<_>>()?,
            quic: quic.collect::<io::Result<_>>()?,
        })
    }
}

/// Listeners, and the runtime of one thread that waits at them.
pub struct Doors {
    runtime: Runtime,
    streams: Vec<(TcpListener, Security)>,
    quic: Vec<(std::net::UdpSocket, Certificates)>,
}

impl Doors {
    /// Takes listeners that do not block.
    ///
    /// # Errors
    ///
    /// When the system gives no descriptor to wait with.
    pub fn open(listeners: Listeners) -> io::Result<Doors> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let entered = runtime.enter();
        let open = |(listener, security)| Ok((TcpListener::from_std(listener)?, security));
        let streams: io::Result<_> = listeners.streams.into_iter().map(open).collect();
        drop(entered);
        Ok(Doors { runtime, streams: streams?, quic: listeners.quic })
    }
}

/// The TCP thread's part, ready to run.
pub struct TcpCore<F> {
    /// Where connections come in.
    pub doors: Doors,
    /// Where the newest snapshot is.
    pub snapshots: Arc<ArcSwap<Snapshot>>,
    /// Who answers.
    pub respond: F,
    /// Its memory.
    pub core: Core,
    /// What it counts.
    pub counters: Arc<TcpCounters>,
    /// The bounds.
    pub limits: ConnectionLimits,
    /// Who tells of others, in whose name they ask.
    pub balancers: Networks,
    /// True when it is to stop.
    pub stopping: watch::Receiver<bool>,
}

impl<F: Responder> TcpCore<F> {
    /// Serves until stopped, then lets connections end within the grace. `kept` are the same
    /// listeners once more, for whoever begins again after a panic; they are closed when nobody
    /// accepts any more.
    ///
    /// # Panics
    ///
    /// When accepting does; connections end with it. The caller begins again.
    pub fn run(self, kept: &mut Listeners) {
        let TcpCore { doors, snapshots, respond, core, counters, limits, balancers, stopping } =
            self;
        let Doors { runtime, streams, quic } = doors;
        let local = LocalSet::new();
        local.block_on(&runtime, async move {
            let desk =
                Rc::new(Desk::new(snapshots, respond, core, counters, limits, stopping.clone()));
            let mut accepting = JoinSet::new();
            for (listener, security) in streams {
                let door = Door { security, balancers: balancers.clone(), desk: Rc::clone(&desk) };
                accepting.spawn_local(accept(listener, door, stopping.clone()));
            }
            for (socket, certificates) in quic {
                let desk = Rc::clone(&desk);
                accepting.spawn_local(doq::serve(socket, certificates, desk, stopping.clone()));
            }
            while let Some(ended) = accepting.join_next().await {
                // A door that a panic has shut is not left shut: the thread begins again.
                if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
                    resume_unwind(panic);
                }
            }
            *kept = Listeners::default();
            let everybody_left = async {
                while desk.seats.borrow().len() > 0 {
                    desk.left.notified().await;
                }
            };
            let _ = timeout(limits.grace, everybody_left).await;
        });
    }
}

/// What everybody is let in by who comes to one listener.
struct Door<F> {
    security: Security,
    balancers: Networks,
    desk: Rc<Desk<F>>,
}

/// Accepts until stopped; then seats those who came before the stop, to be answered what they have
/// sent.
async fn accept<F: Responder>(
    listener: TcpListener,
    door: Door<F>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.wait_for(|&stop| stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => seat(stream, peer.ip(), &door),
            Err(error) => {
                add(&door.desk.counters.accept_errors, 1);
                if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) {
                    // A waiting connection gives its descriptor.
                    let leaver = door.desk.seats.borrow_mut().evict();
                    if let Some(leaver) = leaver {
                        door.desk.close(leaver);
                    }
                }
                sleep(FAULT_PAUSE).await;
            }
        }
    }
    let Ok(listener) = listener.into_std() else { return };
    for _ in 0..LATE_COUNT_MAX {
        let Ok((stream, peer)) = listener.accept() else { break };
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            seat(stream, peer.ip(), &door);
        }
    }
}

/// A seat, which waits for its client from the beginning: a crowd that says nothing makes room for
/// who comes after it, though none of its tasks has run yet. A balancer stands for many clients, and
/// has as many seats as there are.
fn admit<F>(peer: IpAddr, door: &Door<F>) -> Admission {
    let mut seats = door.desk.seats.borrow_mut();
    let counted = (!door.balancers.contains(peer)).then_some(peer);
    let admission = seats.admit(counted);
    if let Admission::Seated(seat) | Admission::SeatedFor { seat, .. } = admission {
        seats.wait(seat);
    }
    admission
}

/// Gives a connection a seat and starts it, or drops it.
fn seat<F: Responder>(stream: TcpStream, peer: IpAddr, door: &Door<F>) {
    let desk = &door.desk;
    let admission = admit(peer, door);
    let seat = match admission {
        Admission::Seated(seat) => seat,
        Admission::SeatedFor { seat, leaver } => {
            desk.close(leaver);
            seat
        }
        Admission::ClientFull => return add(&desk.counters.refused_client, 1),
        Admission::Full => return add(&desk.counters.refused_full, 1),
    };
    add(&desk.counters.accepted, 1);
    desk.gauge();
    // Answers leave at once; they are gathered before they are written. Failing, they are only
    // slower.
    let _ = stream.set_nodelay(true);
    let arrival = Arrival {
        stream,
        peer,
        is_balancer: door.balancers.contains(peer),
        speech: door.security.map(|tls| tls.load_full()),
        seat: Seat::new(Rc::clone(desk), seat),
    };
    let task = spawn_local(arrival.converse());
    desk.handles.borrow_mut().insert(seat, task.abort_handle());
}
