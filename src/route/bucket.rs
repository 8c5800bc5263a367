//! Buckets: the hash space that weights and shares divide, and the bucket of a client.

use std::net::IpAddr;

use crate::number::PrefixLen;

/// Buckets of the hash space that weights and shares divide.
pub const BUCKET_COUNT: usize = 256;

/// The bucket of a prefix: `address` cut to `len` bits. Published and fixed; a change raises the
/// rules version.
///
/// With all arithmetic on 64 bits, wrapping: the cut address is a 128-bit number, an IPv4 address
/// in its low 32 bits; `high` and `low` are its halves. `tag` is `len`, plus 256 for IPv6. `mix` is
/// the finaliser of SplitMix64:
///
/// ```text
/// mix(z):  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9
///          z = (z ^ z >> 27) * 0x94d049bb133111eb
///          z ^ z >> 31
/// bucket = mix(mix(high ^ SALT) ^ low ^ tag * 0x9e3779b97f4a7c15) >> 56
/// ```
///
/// `SALT` tells the purpose: `homing-c`, for choice, read as a big-endian number.
pub fn bucket(address: IpAddr, len: PrefixLen) -> u8 {
    const SALT: u64 = u64::from_be_bytes(*b"homing-c");
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let (bits, tag) = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(len.0.into())).unwrap_or(0);
            (u128::from(v4.to_bits() & mask), u64::from(len.0))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(len.0.into())).unwrap_or(0);
            (v6.to_bits() & mask, u64::from(len.0) + 256)
        }
    };
    let (high, low) = ((bits >> 64) as u64, bits as u64);
    (mix(mix(high ^ SALT) ^ low ^ tag.wrapping_mul(GOLDEN)) >> 56) as u8
}

const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
