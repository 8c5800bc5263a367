//! Counters of the transports: what happened to packets and connections before and after they were
//! answered.
//!
//! Owns: one set for each thread, written by that thread only, and their sums.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds to a counter that only the calling thread writes: a load and a store, never a locked
/// instruction.
#[inline]
pub fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

/// Declares counters once: the atomics of one thread, and the plain numbers of their sum.
macro_rules! counters {
    (
        $(#[$about:meta])* $live:ident,
        $(#[$sum:meta])* $totals:ident,
        $($(#[$doc:meta])* $field:ident),+ $(,)?
    ) => {
        $(#[$about])*
        #[derive(Debug, Default)]
        pub struct $live {
            $($(#[$doc])* pub $field: AtomicU64,)+
        }

        $(#[$sum])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $totals {
            $($(#[$doc])* pub $field: u64,)+
        }

        impl $totals {
            /// Adds what one thread counted.
            pub fn include(&mut self, live: &$live) {
                $(self.$field += live.$field.load(Ordering::Relaxed);)+
            }
        }
    };
}

counters! {
    /// What one UDP thread counts.
    UdpCounters,
    /// What all UDP threads counted since the start.
    UdpTotals,
    /// Packets received.
    received,
    /// Batches received; `received / batches` is the mean length of a batch.
    batches,
    /// Responses that the kernel took.
    sent,
    /// Responses that the kernel refused, or had no room for within the bound.
    send_dropped,
    /// Packets met with silence by the answer room.
    silent,
    /// Packets longer than any query we read, dropped unread.
    oversized,
    /// Packets that nobody can be answered to, such as those from port 0, dropped unread.
    unanswerable,
    /// Packets from a balancer that no sound PROXY header begins, dropped.
    proxy_refused,
    /// Packets dropped because answering them panicked.
    panics,
    /// Responses over their client's limit that were not sent.
    limited_dropped,
    /// Responses over their client's limit that were sent truncated.
    limited_truncated,
    /// Responses over their client's limit that were sent whole, as some are.
    limited_leaked,
    /// Responses over their client's limit that were sent, since limits are only watched.
    limited_watched,
    /// Failed receives.
    receive_errors,
}

counters! {
    /// What the TCP thread counts.
    TcpCounters,
    /// What the TCP thread counted since the start; `open` is a gauge.
    TcpTotals,
    /// Connections open now.
    open,
    /// Connections accepted and seated.
    accepted,
    /// Connections refused because every seat was taken and nobody was waiting.
    refused_full,
    /// Connections refused because their client had its share of seats.
    refused_client,
    /// Connections closed while waiting, to make room for another.
    evicted,
    /// Connections closed because no whole query came in time.
    timed_out_read,
    /// Connections closed because the client did not read its answers in time.
    timed_out_write,
    /// Connections closed because they broke the framing or were met with silence.
    malformed,
    /// Connections from a balancer that no sound PROXY header began.
    proxy_refused,
    /// Connections closed because the client spoke no TLS that we speak, or there is no certificate.
    handshakes_failed,
    /// Connections closed because TLS was not agreed upon in time.
    handshakes_timed_out,
    /// Connections closed at the bound of queries for one connection.
    exhausted,
    /// Connections closed at the end of the longest life that one may have.
    outlived,
    /// Connections that failed while being read or written.
    failed,
    /// Failed accepts.
    accept_errors,
    /// Queries received.
    received,
    /// Responses written.
    sent,
    /// Connections closed because answering panicked, and panics that the whole thread began again
    /// after.
    panics,
}
