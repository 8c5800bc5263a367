//! Serve: packets in, packets out. The hot wing.
//!
//! Owns:    sockets, batches, UDP on plain threads, connections over TCP, TLS, HTTPS and QUIC, and their limits.
//! Imports: answer.
//! Never:   parses a message, allocates or blocks between receive and send.
//! Enter:   `cores`, then `udp`, then `batch` and `socket` (the only `unsafe`), then `tcp`,
//!          `arrival` and `connection`; `doh` and `doq` beside it.

mod arrival;
mod batch;
mod bind;
mod clock;
mod connection;
mod cores;
mod counters;
mod doh;
mod doq;
mod frame;
#[cfg(feature = "hickory")]
mod hickory;
mod inherit;
mod limit;
mod pace;
mod proxy;
mod rate;
mod responder;
mod socket;
mod tcp;
mod udp;

pub use bind::{BindError, Sockets};
pub use cores::{Bounds, Serving, start, start_with};
pub use counters::{TcpTotals, UdpTotals};
#[cfg(feature = "hickory")]
pub use hickory::HickoryHandler;
pub use inherit::Inherited;
pub use proxy::unwrap as unwrap_proxied;
pub use responder::Responder;
