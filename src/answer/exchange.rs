//! One request and its response, as whoever carries them sees it.

use std::net::IpAddr;

use crate::wire::Rcode;

use super::cookie::CookieSecrets;
use super::trust::SubnetTrust;

/// The largest response over UDP, whatever the client says it can take (DNS flag day 2020).
pub const UDP_PAYLOAD_MAX: usize = 1232;

/// What this server says of itself, the same for every query.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// NSID, `id.server` and `hostname.bind`; at most 63 octets.
    pub name: Box<str>,
    /// What server cookies are made with; without it, cookies are not spoken.
    pub cookie_secrets: Option<CookieSecrets>,
    /// Whose client subnets decide answers.
    pub subnet_trust: SubnetTrust,
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
    /// The time of day in seconds since 1970, as the caller read it once for the batch; it may wrap. Only the cookie of
    /// the response depends on it.
    pub now_secs: u32,
    /// Where the response goes: at least [`UDP_PAYLOAD_MAX`] octets, for TCP 65,535.
    pub response: &'a mut [u8],
}

/// What came of a request: enough for limits, so that `serve` never parses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Octets of the response; 0 means silence.
    pub len: usize,
    /// The response code.
    pub rcode: Rcode,
    /// Whether the response was truncated.
    pub truncated: bool,
}
