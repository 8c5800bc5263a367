//! Address prefixes, and the IPv4 addresses that IPv6 ones embed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::number::PrefixLen;

/// An address prefix. Bits beyond `len` are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The first address.
    pub address: IpAddr,
    /// Its length.
    pub len: PrefixLen,
}

/// Why a text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixError {
    /// It is not `address/length` with a length that the family allows.
    Malformed,
    /// Bits beyond the length are set; the prefix that was probably meant is inside.
    HostBits(Prefix),
}

impl Prefix {
    /// The prefix of `len` bits around `address`; longer than the family allows means one address.
    pub fn around(address: IpAddr, len: PrefixLen) -> Prefix {
        match address {
            IpAddr::V4(v4) => {
                let len = len.0.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                let address = IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask));
                Prefix { address, len: PrefixLen(len) }
            }
            IpAddr::V6(v6) => {
                let len = len.0.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
                let address = IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask));
                Prefix { address, len: PrefixLen(len) }
            }
        }
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a bare address, which stands for itself alone. A
    /// prefix of mapped addresses (RFC 4291 §2.5.5.2) is the IPv4 prefix that it maps.
    ///
    /// # Errors
    /// See [`PrefixError`].
    pub fn parse(text: &str) -> Result<Prefix, PrefixError> {
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| PrefixError::Malformed)?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let len = match len {
            None => widest,
            // `parse` alone would take "+8" and "008".
            Some(len) if len.len() > 3 || !len.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(PrefixError::Malformed);
            }
            Some(len) => len.parse().map_err(|_| PrefixError::Malformed)?,
        };
        if len > widest {
            return Err(PrefixError::Malformed);
        }
        let prefix = Prefix::around(address, PrefixLen(len));
        if prefix.address != address {
            return Err(PrefixError::HostBits(prefix.unmapped()));
        }
        Ok(prefix.unmapped())
    }

    /// Whether `address` lies in it. Families never contain each other.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Prefix::around(address, self.len).address == self.address
    }

    /// The first and the last address as numbers of the family.
    pub fn bounds(&self) -> (u128, u128) {
        let (first, host_bits) = match self.address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32u8.saturating_sub(self.len.0)),
            IpAddr::V6(v6) => (v6.to_bits(), 128u8.saturating_sub(self.len.0)),
        };
        let hosts = 1u128.checked_shl(u32::from(host_bits)).unwrap_or(0).wrapping_sub(1);
        (first & !hosts, first | hosts)
    }

    fn unmapped(self) -> Prefix {
        match self.address {
            IpAddr::V6(v6) if self.len.0 >= 96 => match v6.to_ipv4_mapped() {
                Some(v4) => Prefix { address: IpAddr::V4(v4), len: PrefixLen(self.len.0 - 96) },
                None => self,
            },
            _ => self,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len.0)
    }
}

/// The IPv4 address within an IPv6 one, and the bits before it: mapped and compatible (RFC 4291
/// §2.5.5), 64:ff9b::/96 (RFC 6052), 6to4 (RFC 3056; 16 bits), Teredo (RFC 4380; 96 bits, the
/// client's address, inverted). The unspecified address and the loopback one are not compatible
/// addresses (RFC 4291 §2.5.5.1).
pub fn embedded_v4(address: IpAddr) -> Option<(Ipv4Addr, u8)> {
    let IpAddr::V6(v6) = address else { return None };
    let bits = v6.to_bits();
    let low = bits as u32;
    let (v4, shift) = if bits >> 112 == 0x2002 {
        ((bits >> 80) as u32, 16)
    } else if bits >> 96 == 0x2001_0000 {
        (!low, 96)
    } else if [MAPPED, TRANSLATED].contains(&(bits & !LOW)) || (bits & !LOW == 0 && low > 1) {
        (low, 96)
    } else {
        return None;
    };
    Some((Ipv4Addr::from_bits(v4), shift))
}

/// The IPv6 blocks that [`embedded_v4`] takes, first and last address, in order and apart. The
/// compatible addresses are ::/96 less ::/127, as prefixes: ::2/127, ::4/126, and so on to
/// ::8000:0/97.
pub(super) fn embedding_blocks() -> Vec<(u128, u128)> {
    let mut blocks: Vec<_> = (1..32).map(|bit| (1u128 << bit, (2u128 << bit) - 1)).collect();
    let rest = [(MAPPED, 32), (TRANSLATED, 32), (0x2001 << 112, 96), (0x2002 << 112, 112)];
    blocks.extend(rest.map(|(first, bits)| (first, first | ((1u128 << bits) - 1))));
    blocks
}

/// Blocks of special-purpose addresses that are not globally reachable, as the registries of RFC
/// 6890 (and RFC 8190) list them: wherever such a client is, no database can know.
pub(super) fn special_blocks() -> impl Iterator<Item = Prefix> {
    SPECIAL.iter().filter_map(|text| Prefix::parse(text).ok())
}

/// The whole IPv4 space: where addresses that no client has begin, special-purpose (RFC 6890) or multicast (RFC 5771), and
/// where they end. The first starts at 0.
pub fn special_runs_v4() -> Vec<(u32, bool)> {
    const MULTICAST: (u128, u128) = (224 << 24, (240 << 24) - 1);
    let special = special_blocks().filter(|it| it.address.is_ipv4()).map(|it| it.bounds());
    let mut blocks: Vec<(u128, u128)> = special.chain([MULTICAST]).collect();
    blocks.sort_unstable();
    let mut runs = vec![(0, false)];
    for (first, last) in blocks {
        runs.push((first as u32, true));
        runs.extend(u32::try_from(last + 1).map(|next| (next, false)));
    }
    runs
}

const SPECIAL: [&str; 22] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
];

const LOW: u128 = u32::MAX as u128;
const MAPPED: u128 = 0xffff_0000_0000;
const TRANSLATED: u128 = 0x0064_ff9b << 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_as_written_or_refused() {
        for (text, expected) in [
            ("192.0.2.0/24", Ok("192.0.2.0/24")),
            ("0.0.0.0/0", Ok("0.0.0.0/0")),
            ("192.0.2.7", Ok("192.0.2.7/32")),
            ("2001:db8::/32", Ok("2001:db8::/32")),
            ("::/0", Ok("::/0")),
            ("2001:DB8::1", Ok("2001:db8::1/128")),
            ("::ffff:192.0.2.0/120", Ok("192.0.2.0/24")),
            ("192.0.2.1/24", Err(Some("192.0.2.0/24"))),
            ("2001:db8::1/64", Err(Some("2001:db8::/64"))),
            ("192.0.2.0/33", Err(None)),
            ("192.0.2.0/+8", Err(None)),
            ("192.0.2.0/", Err(None)),
            ("192.0.2/24", Err(None)),
            ("2001:db8::/129", Err(None)),
            ("", Err(None)),
            ("fra", Err(None)),
        ] {
            let got = match Prefix::parse(text) {
                Ok(prefix) => Ok(prefix.to_string()),
                Err(PrefixError::HostBits(prefix)) => Err(Some(prefix.to_string())),
                Err(PrefixError::Malformed) => Err(None),
            };
            let expected = expected.map(str::to_string).map_err(|e| e.map(str::to_string));
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn a_prefix_contains_its_addresses_and_no_others() {
        for (prefix, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("::/0", "ffff::", true),
            ("::/0", "192.0.2.1", false),
        ] {
            let parsed = Prefix::parse(prefix).unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), inside, "{prefix} {address}");
        }
    }

    #[test]
    fn ipv6_forms_of_ipv4_are_seen_through() {
        for (address, expected) in [
            ("::ffff:192.0.2.1", Some(("192.0.2.1", 96))),
            ("::192.0.2.1", Some(("192.0.2.1", 96))),
            ("64:ff9b::192.0.2.1", Some(("192.0.2.1", 96))),
            ("2002:c000:201::1", Some(("192.0.2.1", 16))),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some(("192.0.2.45", 96))),
            ("::", None),
            ("::1", None),
            ("::2", Some(("0.0.0.2", 96))),
            ("64:ff9b:1::1", None),
            ("2001:db8::1", None),
            ("192.0.2.1", None),
        ] {
            let got = embedded_v4(address.parse().unwrap());
            assert_eq!(got, expected.map(|(v4, bits)| (v4.parse().unwrap(), bits)), "{address}");
        }
    }

    #[test]
    fn special_blocks_are_all_read() {
        assert_eq!(special_blocks().count(), SPECIAL.len());
    }

    #[test]
    fn embedding_blocks_are_exactly_what_embedded_v4_takes() {
        let blocks = embedding_blocks();
        assert!(blocks.windows(2).all(|pair| pair[0].1 < pair[1].0));
        let inside = |bits: u128| blocks.iter().any(|&(first, last)| first <= bits && bits <= last);
        for &(first, last) in &blocks {
            for bits in [first.wrapping_sub(1), first, last, last.wrapping_add(1)] {
                let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
                assert_eq!(embedded_v4(address).is_some(), inside(bits), "{address}");
            }
        }
    }
}
