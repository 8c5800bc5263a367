//! One query into one response: the whole hot path.

use std::net::IpAddr;
use std::sync::Arc;

use crate::trace::{Silent, Trace};
use crate::wire::Rcode;

use super::counters::Counters;
use super::snapshot::Snapshot;

/// The largest response over UDP, whatever the client says it can take (DNS flag day 2020).
pub const UDP_PAYLOAD_MAX: usize = 1232;

/// What this server says of itself, the same for every query.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// NSID, `id.server` and `hostname.bind`; at most 63 octets.
    pub name: Box<str>,
}

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Over UDP: the response fits what the client takes, or is truncated.
    Udp,
    /// Over TCP: up to 65,535 octets.
    Tcp,
}

/// One request and the room for its response.
pub struct Exchange<'a> {
    /// The request as it came.
    pub request: &'a [u8],
    /// The address that it came from.
    pub client: IpAddr,
    /// How it came.
    pub transport: Transport,
    /// Where the response goes: at least [`UDP_PAYLOAD_MAX`] octets, for TCP 65,535.
    pub response: &'a mut [u8],
}

/// What one core keeps: counters, and scratch memory that `respond` overwrites.
pub struct Core {
    /// What this server says of itself.
    pub site: Arc<Site>,
    /// This core's counters, shared with whoever sums them.
    pub counters: Arc<Counters>,
}

/// What came of a query: enough for limits, so that `serve` never parses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Octets of the response; 0 means silence.
    pub len: usize,
    /// The response code.
    pub rcode: Rcode,
}

impl Core {
    /// Memory for one core.
    pub fn new(site: Arc<Site>, counters: Arc<Counters>) -> Core {
        Core { site, counters }
    }
}

/// Answers one request from one snapshot. No clock, no randomness, no I/O, no lock, no allocation; any bytes at all are
/// answered, refused or met with silence.
pub fn respond(
    snapshot: &Snapshot,
    exchange: Exchange<'_>,
    core: &mut Core,
    trace: &mut impl Trace,
) -> Outcome {
    let _ = (snapshot, exchange, core, trace);
    todo!("the answer room")
}

/// [`respond`] with nobody listening: what the transports call.
#[inline]
pub fn respond_quietly(snapshot: &Snapshot, exchange: Exchange<'_>, core: &mut Core) -> Outcome {
    respond(snapshot, exchange, core, &mut Silent)
}
