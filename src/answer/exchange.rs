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
    /// Octets of the largest response over UDP to a client that shows no cookie of ours; none: as for all others.
    pub unproven_payload: Option<u16>,
}

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Over UDP: the response fits what the client takes, or is truncated.
    Udp,
    /// Over TCP: up to 65,535 octets.
    Tcp,
    /// Over TLS, as over TCP, and nobody between reads it (RFC 7858).
    Tls,
    /// Over HTTPS, likewise (RFC 8484).
    Https,
    /// Over QUIC, likewise (RFC 9250).
    Quic,
}

impl Transport {
    /// Whether nobody between can read it.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Transport::Tls | Transport::Https | Transport::Quic)
    }
}

/// One request and the room for its response.
pub struct Exchange<'a> {
    /// The request as it came.
    pub request: &'a [u8],
    /// The address that it came from.
    pub client: IpAddr,
    /// How it came.
    pub transport: Transport,
    /// How long its connection may be idle now, in tenths of a second, for who asks (RFC 7828 §3.2.2); 0 over UDP.
    pub idle_tenths: u16,
    /// The time of day in seconds since 1970, as the caller read it once for the batch; it may wrap. Only the cookie of
    /// the response depends on it.
    pub now_secs: u32,
    /// Where the response goes: at least [`UDP_PAYLOAD_MAX`] octets, for TCP 65,535.
    pub response: &'a mut [u8],
}

/// The kinds of response that are limited apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseClass {
    /// Records.
    Answer,
    /// A delegation.
    Referral,
    /// The name exists, and owns nothing of the type.
    Nodata,
    /// The name does not exist.
    Nxdomain,
    /// A failure or a refusal.
    Error,
}

impl ResponseClass {
    /// All of them, in order.
    pub const ALL: [ResponseClass; 5] = [
        ResponseClass::Answer,
        ResponseClass::Referral,
        ResponseClass::Nodata,
        ResponseClass::Nxdomain,
        ResponseClass::Error,
    ];
}

/// What a response is counted with where responses are limited: its class, and what says the same to a client however it
/// asks.
///
/// Invariant class-is-low: the lowest bits are the class, the others a keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account(u64);

/// What came of a request: enough for limits, so that `serve` never parses. Of a size that fits two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Octets of the response; 0 means silence.
    pub octets: u16,
    /// Octets of the OPT record that ends the response; 0 is none.
    pub opt_len: u16,
    /// The response code.
    pub rcode: Rcode,
    /// Whether the response was truncated.
    pub truncated: bool,
    /// Whether the client showed a cookie of ours, so that its address is its own (RFC 7873 §5.2.5).
    pub proven: bool,
    /// What a limit counts it with.
    pub account: Account,
}

impl Account {
    /// That of errors.
    pub const ERROR: Account = Account(ResponseClass::Error as u64);

    /// Bits of a class.
    const CLASS_MASK: u64 = 7;

    /// That of a class, and of a keyed hash of what is answered: of the name and type of records, or of the wildcard that
    /// they are made from; of a cut; of a name that owns nothing; of the closest encloser of a name that is not.
    #[inline]
    pub const fn of(class: ResponseClass, hash: u64) -> Account {
        Account(hash & !Account::CLASS_MASK | class as u64)
    }

    /// Its class, as it stands in [`ResponseClass::ALL`].
    #[inline]
    pub const fn class(self) -> usize {
        (self.0 & Account::CLASS_MASK) as usize
    }

    /// All of it: never 0 but for an answer of that hash.
    #[inline]
    pub const fn key(self) -> u64 {
        self.0
    }
}

impl Outcome {
    /// A response of `len` octets, of them an OPT record of `opt_len`, that is counted as an error.
    #[inline]
    pub fn bare(len: usize, rcode: Rcode, opt_len: usize) -> Outcome {
        // A message has no more than 65,535 octets, for no room for it is larger.
        let (octets, opt_len) = (len as u16, opt_len as u16);
        let (truncated, proven) = (false, false);
        Outcome { octets, opt_len, rcode, truncated, proven, account: Account::ERROR }
    }

    /// Octets of the response; 0 means silence.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.octets)
    }

    /// Whether it is silence.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.octets == 0
    }
}
