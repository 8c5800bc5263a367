//! Numbers that mean something: a type each, so that no two can be confused.
//!
//! Owns: TTLs, serials, prefix lengths, the counters of state, digests, and the ids that index parts of a snapshot.

use std::fmt;

/// Time to live in whole seconds, at most 2³¹ − 1 (RFC 2181 §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

impl Ttl {
    /// The largest TTL there is (RFC 2181 §8).
    pub const MAX: Ttl = Ttl(0x7fff_ffff);

    /// A TTL of `secs` seconds; a value with the top bit set means zero (RFC 2181 §8).
    pub const fn from_secs(secs: u32) -> Ttl {
        if secs > Ttl::MAX.0 { Ttl(0) } else { Ttl(secs) }
    }

    /// The TTL in seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

/// A zone's serial number. It has no `Ord`: serials compare by RFC 1982 only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// Whether `self` is newer than `other` in serial number arithmetic (RFC 1982 §3.2).
    pub const fn is_newer_than(self, other: Serial) -> bool {
        let ahead = self.0.wrapping_sub(other.0);
        ahead != 0 && ahead < 0x8000_0000
    }
}

/// The length of an address prefix in bits: 0 to 32 for IPv4, 0 to 128 for IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrefixLen(pub u8);

/// The number of a published state of files. Only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// A position in the event log. Only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// A BLAKE3 hash of some content or state. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a list of digests, each under its own name, in the order given.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for (name, digest) in parts {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(&digest.0);
        }
        Digest(*hasher.finalize().as_bytes())
    }

    /// Reads the 64 hexadecimal digits that `Display` writes.
    pub fn parse(text: &str) -> Option<Digest> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
        Some(Digest(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Indexes the regions of a snapshot, in the order of regions.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId(pub u16);

/// Indexes the policies of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(pub u16);

/// Indexes the classes of one range table: addresses that every policy of the table treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_compare_around_the_wrap() {
        assert!(Serial(0).is_newer_than(Serial(u32::MAX)));
        assert!(!Serial(u32::MAX).is_newer_than(Serial(0)));
        assert!(!Serial(7).is_newer_than(Serial(7)));
        // RFC 1982 §3.2: at a distance of exactly 2³¹ neither is newer.
        assert!(!Serial(0).is_newer_than(Serial(0x8000_0000)));
        assert!(!Serial(0x8000_0000).is_newer_than(Serial(0)));
    }

    #[test]
    fn a_digest_reads_what_it_writes() {
        let digest = Digest::of(b"zone");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("00"), None);
    }
}
