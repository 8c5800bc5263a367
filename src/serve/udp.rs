//! UDP: one plain thread for each core and address. Receive a batch, answer it from one snapshot,
//! send.
//!
//! Never: allocates or locks between receive and send, or asks the clock more than once a batch.

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Cache};

use crate::answer::{
    Core, Exchange, Networks, Outcome, Snapshot, Transport, WARM_COUNT_MAX, truncate, warm,
};

use super::batch::{BATCH_COUNT, Batch, Packet, Sent, Unusable, Wait};
use super::clock;
use super::counters::{UdpCounters, add};
use super::pace::Pace;
use super::proxy;
use super::rate::{RateLimiter, Verdict};
use super::responder::{Panicked, Responder, fenced};

/// Batches that are still answered after a stop: what the socket's buffer held by then, and a flood
/// no longer.
const DRAIN_BATCHES_MAX: usize = 256;

/// The pause after a failed receive, so that a lasting fault does not spin.
const FAULT_PAUSE: Duration = Duration::from_millis(20);

const _: () = assert!(BATCH_COUNT <= WARM_COUNT_MAX, "a batch is prepared for as a whole");

/// One thread's part of UDP.
pub struct UdpCore<F> {
    /// Its socket.
    pub socket: UdpSocket,
    /// Where the newest snapshot is.
    pub snapshots: Arc<ArcSwap<Snapshot>>,
    /// Who answers.
    pub respond: F,
    /// Its memory.
    pub core: Core,
    /// Who tells of others, in whose name they ask.
    pub balancers: Networks,
    /// Whom it gives how much; none: everybody what he asks for.
    pub limiter: Option<RateLimiter>,
    /// Where it tells which network was last over its limit; 0 is none.
    pub over: Arc<AtomicU64>,
    /// When it rests.
    pub pace: Pace,
    /// What it counts.
    pub counters: Arc<UdpCounters>,
    /// Set when it is to stop.
    pub stop: Arc<AtomicBool>,
}

/// One batch.
struct Turn {
    /// How many packets it had.
    count: usize,
    /// When it was there.
    now: Duration,
}

/// What became of the packets of one batch.
#[derive(Clone, Copy, Default)]
struct Tally {
    silent: u64,
    oversized: u64,
    unanswerable: u64,
    proxy_refused: u64,
    panics: u64,
    limited: Limited,
}

/// What became of the responses over their client's limit.
#[derive(Clone, Copy, Default)]
struct Limited {
    dropped: u64,
    truncated: u64,
    leaked: u64,
    watched: u64,
}

impl Limited {
    /// Counts a response that is over the limit, and gives the octets of it that are sent.
    #[inline]
    fn apply(&mut self, verdict: Verdict, response: &mut [u8], outcome: &Outcome) -> usize {
        match verdict {
            Verdict::Within => return outcome.len(),
            Verdict::Watched => self.watched += 1,
            Verdict::Leaked => self.leaked += 1,
            Verdict::Truncated => {
                self.truncated += 1;
                return truncate(response, outcome);
            }
            Verdict::Dropped => {
                self.dropped += 1;
                return 0;
            }
        }
        outcome.len()
    }
}

impl Tally {
    /// Adds what became of one more packet.
    fn include(&mut self, one: Tally) {
        self.silent += one.silent;
        self.oversized += one.oversized;
        self.unanswerable += one.unanswerable;
        self.proxy_refused += one.proxy_refused;
        self.limited.dropped += one.limited.dropped;
        self.limited.truncated += one.limited.truncated;
        self.limited.leaked += one.limited.leaked;
        self.limited.watched += one.limited.watched;
    }
}

impl<F: Responder> UdpCore<F> {
    /// Serves until stopped, then answers what has already arrived.
    pub fn run(&mut self) {
        let mut snapshots = Cache::new(Arc::clone(&self.snapshots));
        let mut batch = Batch::new();
        while !self.stop.load(Ordering::Relaxed) {
            let Turn { count, now } = self.turn(&mut snapshots, &mut batch, Wait::ForOne);
            let rest = self.pace.after(count, now);
            if !rest.is_zero() {
                std::thread::sleep(rest);
            }
        }
        for _ in 0..DRAIN_BATCHES_MAX {
            if self.turn(&mut snapshots, &mut batch, Wait::Never).count == 0 {
                break;
            }
        }
    }

    /// One batch, at most.
    fn turn(
        &mut self,
        snapshots: &mut Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>,
        batch: &mut Batch,
        wait: Wait,
    ) -> Turn {
        let received = batch.receive(self.socket.as_fd(), wait);
        // After the wait, not before: a batch sees the newest state. And after a vain wait too, so
        // that an idle core does not keep an old snapshot (hub-drops-last; by cores-wake).
        let snapshot = snapshots.load();
        let now = clock::now();
        let count = match received {
            Ok(count) => count,
            Err(error) => {
                use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
                if !matches!(error.kind(), Interrupted | TimedOut | WouldBlock) {
                    add(&self.counters.receive_errors, 1);
                    std::thread::sleep(FAULT_PAUSE);
                }
                return Turn { count: 0, now };
            }
        };
        let tally = match fenced(|| self.answer(snapshot, batch, 0..count, now)) {
            Ok(tally) => tally,
            Err(Panicked) => self.replay(snapshot, batch, count, now),
        };
        let sent = batch.send(self.socket.as_fd());
        self.count(count, tally, sent);
        Turn { count, now }
    }

    fn answer(
        &mut self,
        snapshot: &Snapshot,
        batch: &mut Batch,
        range: std::ops::Range<usize>,
        now: Duration,
    ) -> Tally {
        let (mut tally, now_secs) = (Tally::default(), clock::secs(now));
        if range.len() > 1 {
            warm(snapshot, batch.requests(), &mut self.core);
        }
        for index in range {
            match batch.packet(index) {
                Ok(Packet { request, client, response }) => {
                    let asked = if self.balancers.contains(client) {
                        proxy::unwrap(request, client)
                    } else {
                        Some((client, request))
                    };
                    let Some((client, request)) = asked else {
                        tally.proxy_refused += 1;
                        continue;
                    };
                    let transport = Transport::Udp;
                    let exchange = Exchange {
                        request,
                        client,
                        transport,
                        now_secs,
                        idle_tenths: 0,
                        response: &mut *response,
                    };
                    let outcome = (self.respond)(snapshot, exchange, &mut self.core);
                    let len = match &mut self.limiter {
                        Some(limiter) if !outcome.is_empty() => {
                            let verdict = limiter.judge(client, &outcome, clock::micros(now));
                            tally.limited.apply(verdict, response, &outcome)
                        }
                        _ => outcome.len(),
                    };
                    tally.silent += u64::from(outcome.is_empty());
                    batch.reply(index, len);
                }
                Err(Unusable::Oversized) => tally.oversized += 1,
                Err(Unusable::Unanswerable) => tally.unanswerable += 1,
            }
        }
        tally
    }

    /// Answers a batch that panicked one packet at a time, and drops those that panic again. Their
    /// neighbours may be counted twice by the answer room.
    #[cold]
    fn replay(
        &mut self,
        snapshot: &Snapshot,
        batch: &mut Batch,
        count: usize,
        now: Duration,
    ) -> Tally {
        let mut tally = Tally::default();
        for index in 0..count {
            match fenced(|| self.answer(snapshot, batch, index..index + 1, now)) {
                Ok(one) => tally.include(one),
                Err(Panicked) => {
                    batch.reply(index, 0);
                    tally.panics += 1;
                }
            }
        }
        tally
    }

    fn count(&self, received: usize, tally: Tally, sent: Sent) {
        let counters = &*self.counters;
        add(&counters.batches, 1);
        add(&counters.received, received as u64);
        add(&counters.sent, sent.sent as u64);
        // Rare things cost a branch, not a store.
        for (counter, count) in [
            (&counters.send_dropped, sent.dropped as u64),
            (&counters.silent, tally.silent),
            (&counters.oversized, tally.oversized),
            (&counters.unanswerable, tally.unanswerable),
            (&counters.proxy_refused, tally.proxy_refused),
            (&counters.panics, tally.panics),
            (&counters.limited_dropped, tally.limited.dropped),
            (&counters.limited_truncated, tally.limited.truncated),
            (&counters.limited_leaked, tally.limited.leaked),
            (&counters.limited_watched, tally.limited.watched),
        ] {
            if count > 0 {
                add(counter, count);
            }
        }
        if let Some(limiter) = &self.limiter {
            self.over.store(limiter.last_over(), Ordering::Relaxed);
        }
    }
}
