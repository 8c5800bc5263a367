//! Addresses into classes: the table that a query looks into.

use std::net::IpAddr;

use crate::number::{ClassId, PrefixLen};

use super::place::Place;
use super::world::World;

/// An address prefix. Bits beyond `len` are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The first address.
    pub address: IpAddr,
    /// Its length.
    pub len: PrefixLen,
}

/// Address ranges compiled to classes: one index step and one short search a lookup.
#[derive(Clone, Debug)]
pub struct Ranges {}

impl Ranges {
    /// Compiles `world`, cut further by `cuts`: `classify` is told a place and which of `cuts` hold the range (by
    /// index, in order), and gives the class. Neighbours of one class are merged.
    pub fn compile(
        world: &World,
        cuts: &[Prefix],
        classify: impl FnMut(&Place, &[usize]) -> ClassId,
    ) -> Ranges {
        let _ = (world, cuts, classify);
        todo!("the geo room")
    }

    /// The class of `address`, and the length of the shortest prefix around it in which every address has this class.
    /// IPv6 forms of IPv4 are looked up as IPv4, the length shifted by where the IPv4 address stands.
    pub fn lookup(&self, address: IpAddr) -> (ClassId, PrefixLen) {
        let _ = address;
        todo!("the geo room")
    }
}

/// The IPv4 address within an IPv6 one, and the bits before it: mapped and compatible (RFC 4291 §2.5.5), 64:ff9b::/96
/// (RFC 6052), 6to4 (RFC 3056; 16 bits), Teredo (RFC 4380; 96 bits, the client's address, inverted).
pub fn embedded_v4(address: IpAddr) -> Option<(std::net::Ipv4Addr, u8)> {
    let _ = address;
    todo!("the geo room")
}
