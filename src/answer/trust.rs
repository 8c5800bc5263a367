//! Whose client subnets are believed (RFC 7871): everybody's, those of listed resolvers, nobody's.
//!
//! A property of this process, as cookies are: sites that are to give the same answers are told the same.

use std::net::IpAddr;

use crate::geo::Prefix;

/// Whose client subnets decide answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SubnetTrust {
    /// Everybody's.
    #[default]
    All,
    /// Those that come from resolvers in these networks.
    Trusted(Networks),
    /// Nobody's.
    Off,
}

/// A set of addresses, made of prefixes.
///
/// Invariant runs-apart: the runs of a family are sorted, and no two of them overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// First and last addresses.
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl SubnetTrust {
    /// Whether a client subnet that comes from `resolver` decides. One short search, and only where there is a list.
    #[inline]
    pub fn believes(&self, resolver: IpAddr) -> bool {
        match self {
            SubnetTrust::All => true,
            SubnetTrust::Trusted(networks) => networks.contains(resolver),
            SubnetTrust::Off => false,
        }
    }
}

impl Networks {
    /// The addresses of this machine that no other has (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    pub fn loopback() -> Networks {
        Networks { v4: Box::new([(0x7f00_0000, 0x7fff_ffff)]), v6: Box::new([(1, 1)]) }
    }

    /// All addresses of `prefixes`, which may overlap and come in any order.
    pub fn of(prefixes: &[Prefix]) -> Networks {
        let (v4, v6): (Vec<&Prefix>, Vec<&Prefix>) =
            prefixes.iter().partition(|prefix| prefix.address.is_ipv4());
        let v4 = apart(v4).into_iter().map(|(first, last)| (first as u32, last as u32));
        Networks { v4: v4.collect(), v6: apart(v6).into() }
    }

    /// Whether `address` is in it. An IPv4 address in the IPv6 form that a socket of both families tells (RFC 4291
    /// §2.5.5.2) is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => is_within(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => is_within(&self.v6, v6.to_bits()),
        }
    }
}

/// Prefixes are nested or apart: what lies within another is left out.
fn apart(prefixes: Vec<&Prefix>) -> Vec<(u128, u128)> {
    let mut bounds: Vec<(u128, u128)> = prefixes.into_iter().map(Prefix::bounds).collect();
    bounds.sort_unstable_by_key(|&(first, last)| (first, std::cmp::Reverse(last)));
    let mut runs: Vec<(u128, u128)> = Vec::new();
    for (first, last) in bounds {
        if runs.last().is_none_or(|run| run.1 < first) {
            runs.push((first, last));
        }
    }
    runs
}

fn is_within<T: Copy + PartialOrd>(runs: &[(T, T)], address: T) -> bool {
    // By runs-apart only the last run that begins at or before the address can hold it.
    let next = runs.partition_point(|run| run.0 <= address);
    runs.get(next.wrapping_sub(1)).is_some_and(|run| address <= run.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_believed_if_its_address_is_in_the_list() {
        let list = [
            "192.0.2.128/25",
            "192.0.2.0/24",
            "203.0.113.7/32",
            "0.0.0.0/32",
            "255.255.255.255/32",
            "2001:db8::/32",
            "2001:db8:1::/48",
            "::1/128",
        ];
        let list: Vec<Prefix> = list.iter().map(|text| Prefix::parse(text).unwrap()).collect();
        let trust = SubnetTrust::Trusted(Networks::of(&list));
        for (address, believed) in [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("192.0.1.255", false),
            ("192.0.3.0", false),
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("0.0.0.0", true),
            ("0.0.0.1", false),
            ("255.255.255.255", true),
            ("::ffff:192.0.2.1", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", true),
            ("::2", false),
            ("::", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(trust.believes(address), believed, "{address}");
            assert!(SubnetTrust::All.believes(address) && !SubnetTrust::Off.believes(address));
        }
        assert!(!Networks::of(&[]).contains("192.0.2.1".parse().unwrap()));
    }
}
