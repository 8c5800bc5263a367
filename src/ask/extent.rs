//! How many addresses: extents, and the runs of addresses that they are counted over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::api::Share;
use crate::geo::Prefix;
use crate::number::PrefixLen;

/// How many addresses: IPv4 addresses, and IPv6 networks of /64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Extent {
    /// IPv4 addresses.
    pub(super) v4: f64,
    /// IPv6 networks.
    pub(super) v6: f64,
    /// IPv4 addresses, each as much as it weighs; 0 where weights are not known.
    pub(super) weight: f64,
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

/// A run of addresses, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) version: Version,
    pub(super) first: u128,
    pub(super) last: u128,
}

impl Extent {
    /// Adds `share` of `other`.
    pub(super) fn add(&mut self, other: Extent, share: f64) {
        self.v4 += other.v4 * share;
        self.v6 += other.v6 * share;
        self.weight += other.weight * share;
    }

    /// The same, each counting `factor`.
    pub(super) fn scaled(self, factor: f64) -> Extent {
        Extent { v4: self.v4 * factor, v6: self.v6 * factor, weight: self.weight * factor }
    }

    /// How much of `whole` it is; none for a family of which `whole` has nothing.
    pub(super) fn share_of(self, whole: Extent) -> Share {
        Share { ipv4: ratio(self.v4, whole.v4), ipv6: ratio(self.v6, whole.v6) }
    }

    /// How much of the weight of `whole` it is; none where weights are not known.
    pub(super) fn weight_of(self, whole: Extent) -> Option<f64> {
        ratio(self.weight, whole.weight)
    }
}

/// To a millionth: nobody acts on more, and sums of floats end there.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole * 1e6).round() / 1e6)
}

impl Range {
    /// How many addresses are in it.
    pub(super) fn extent(self) -> Extent {
        match self.version {
            Version::V4 => Extent { v4: (self.last - self.first + 1) as f64, ..Extent::default() },
            Version::V6 => {
                let v6 = ((self.last >> 64) - (self.first >> 64) + 1) as f64;
                Extent { v6, ..Extent::default() }
            }
        }
    }

    /// Whether `next` begins where it ends.
    pub(super) fn is_followed_by(self, next: Range) -> bool {
        self.version == next.version && self.last.checked_add(1) == Some(next.first)
    }

    /// The prefixes that it is made of; none when there are more than `max`.
    pub(super) fn prefixes(self, max: usize) -> Option<Vec<Prefix>> {
        let bits = if self.version == Version::V4 { 32 } else { 128 };
        let mut prefixes = Vec::new();
        let mut at = self.first;
        loop {
            if prefixes.len() == max {
                return None;
            }
            // The largest block that begins here, by alignment and by what is left.
            let left = (self.last - at).checked_add(1);
            let fits = left.map_or(128, |left| 127 - left.leading_zeros());
            let host_bits = at.trailing_zeros().min(fits).min(bits);
            let address = match self.version {
                Version::V4 => IpAddr::V4(Ipv4Addr::from_bits(at as u32)),
                Version::V6 => IpAddr::V6(Ipv6Addr::from_bits(at)),
            };
            prefixes.push(Prefix::around(address, PrefixLen((bits - host_bits) as u8)));
            let size = 1u128.checked_shl(host_bits);
            match size.and_then(|size| at.checked_add(size)) {
                Some(next) if next <= self.last => at = next,
                _ => return Some(prefixes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_cut_into_its_largest_prefixes() {
        let range = |first: &str, last: &str| {
            let bits = |text: &str| match text.parse().unwrap() {
                IpAddr::V4(v4) => (Version::V4, u128::from(v4.to_bits())),
                IpAddr::V6(v6) => (Version::V6, v6.to_bits()),
            };
            let (version, first) = bits(first);
            Range { version, first, last: bits(last).1 }
        };
        for (first, last, expected) in [
            ("0.0.0.0", "255.255.255.255", "0.0.0.0/0"),
            ("192.0.2.1", "192.0.2.4", "192.0.2.1/32 192.0.2.2/31 192.0.2.4/32"),
            ("255.255.255.254", "255.255.255.255", "255.255.255.254/31"),
            ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
            ("2001:db8::", "2001:db8:2:ffff:ffff:ffff:ffff:ffff", "2001:db8::/47 2001:db8:2::/48"),
        ] {
            let prefixes = range(first, last).prefixes(4).unwrap();
            let told: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
            assert_eq!(told.join(" "), expected);
        }
        assert_eq!(range("0.0.0.1", "0.0.0.254").prefixes(4), None);
    }
}
