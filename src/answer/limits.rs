//! What clients are held to: connections, and responses over UDP (response rate limiting). Counted where packets are; here
//! is what an operator asks for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::exchange::ResponseClass;
use super::trust::Networks;

/// The bounds of connections. Memory at worst: connections × 240 KiB, a long query and a long answer each; over HTTPS and
/// QUIC × 5 MiB, for of each 64 requests may be under way, each with the longest answer that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at one time.
    pub connections: usize,
    /// Connections of one client at one time: of one IPv4 address, or of one IPv6 /64.
    pub connections_per_client: usize,
    /// Queries on one connection; then it is closed, and the client may open another.
    pub queries_per_connection: u64,
    /// From one whole query to the next (RFC 7766 §6.2.3). Shorter when more than half of the seats
    /// are taken.
    pub idle: Duration,
    /// From its beginning to its end, however busy it is: a connection has no right to stay.
    pub life: Duration,
    /// For the client to take what was written to it.
    pub write: Duration,
    /// For connections to end after a stop.
    pub grace: Duration,
}

/// The longest that an overdrawn account stays so after a flood.
pub const RATE_WINDOW_SECS_MAX: u32 = 60;

/// Bits of an IPv6 address that networks are told apart by, at most: whoever has an address has its /64.
pub const RATE_IPV6_PREFIX_MAX: u8 = 64;

/// What a server gives over UDP to clients that show no cookie of ours (RFC 7873 §5.2.5 has the others' addresses proven).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Responses of one kind and content a second to one network, by kind; 0 is as many as are asked for.
    pub per_second: PerClass,
    /// Responses of any kind a second to one network; 0 is as many as are asked for.
    pub all_per_second: u32,
    /// Of so many responses over the limit one is sent truncated, so that an honest client asks over TCP; 0 is none.
    pub slip: u32,
    /// Of so many one is sent whole; 0 is none.
    pub leak: u32,
    /// How long an account stays overdrawn after a flood, at most; up to [`RATE_WINDOW_SECS_MAX`] seconds.
    pub window: Duration,
    /// Bits of an IPv4 address that make a network, at most 32.
    pub ipv4_prefix: u8,
    /// Bits of an IPv6 address that make a network, at most [`RATE_IPV6_PREFIX_MAX`].
    pub ipv6_prefix: u8,
    /// Whom nothing is counted for.
    pub exempt: Networks,
    /// Counts, and sends all the same.
    pub log_only: bool,
    /// Accounts of one core, at eight octets each; rounded up to a power of two.
    pub accounts: usize,
}

/// A number for each kind of response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerClass {
    /// Records, by name and type.
    pub responses: u32,
    /// Delegations, by cut.
    pub referrals: u32,
    /// Names without the type, by name.
    pub nodata: u32,
    /// Names that do not exist, by closest encloser.
    pub nxdomains: u32,
    /// Failures and refusals.
    pub errors: u32,
}

impl Default for ConnectionLimits {
    /// Guesses between those of NSD, Knot and gdnsd, to be measured.
    fn default() -> ConnectionLimits {
        ConnectionLimits {
            connections: 1024,
            connections_per_client: 64,
            queries_per_connection: 1_000_000,
            idle: Duration::from_secs(10),
            life: Duration::from_secs(3600),
            write: Duration::from_secs(5),
            grace: Duration::from_secs(3),
        }
    }
}

impl Default for RateLimits {
    /// 200 of one content, as NSD has it; 5,000 of all, a guess. What is over the limit is truncated, all of it: so
    /// nobody is denied, and nobody gets more octets than he sends but for a cookie. What comes from this machine is
    /// nobody's forgery.
    fn default() -> RateLimits {
        RateLimits {
            per_second: PerClass::all(200),
            all_per_second: 5_000,
            slip: 1,
            leak: 0,
            window: Duration::from_secs(15),
            ipv4_prefix: 24,
            ipv6_prefix: 56,
            exempt: Networks::loopback(),
            log_only: false,
            accounts: 1 << 16,
        }
    }
}

impl PerClass {
    /// The same number for all.
    pub const fn all(count: u32) -> PerClass {
        PerClass {
            responses: count,
            referrals: count,
            nodata: count,
            nxdomains: count,
            errors: count,
        }
    }

    /// That of one kind.
    pub const fn of(&self, class: ResponseClass) -> u32 {
        match class {
            ResponseClass::Answer => self.responses,
            ResponseClass::Referral => self.referrals,
            ResponseClass::Nodata => self.nodata,
            ResponseClass::Nxdomain => self.nxdomains,
            ResponseClass::Error => self.errors,
        }
    }
}

impl RateLimits {
    /// Whether anything is limited.
    pub fn is_on(&self) -> bool {
        self.all_per_second > 0
            || ResponseClass::ALL.iter().any(|class| self.per_second.of(*class) > 0)
    }

    /// A number that names the network of an address, among both families.
    #[inline]
    pub fn network(&self, address: IpAddr) -> u64 {
        match address.to_canonical() {
            // No address of the internet begins with ff; those that do are multicast.
            IpAddr::V4(v4) => {
                let kept = u32::MAX.checked_shl(32 - u32::from(self.ipv4_prefix)).unwrap_or(0);
                0xff00_0000_0000_0000 | u64::from(v4.to_bits() & kept)
            }
            IpAddr::V6(v6) => {
                let kept = u64::MAX.checked_shl(64 - u32::from(self.ipv6_prefix)).unwrap_or(0);
                (v6.to_bits() >> 64) as u64 & kept
            }
        }
    }

    /// The address and the length of the network that a number names.
    pub fn named(&self, network: u64) -> (IpAddr, u8) {
        if network >> 56 == 0xff {
            (IpAddr::V4(Ipv4Addr::from_bits(network as u32)), self.ipv4_prefix)
        } else {
            (IpAddr::V6(Ipv6Addr::from_bits(u128::from(network) << 64)), self.ipv6_prefix)
        }
    }
}
