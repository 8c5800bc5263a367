//! One record, on its own: for whoever reads answers or makes them slowly. Not the query path.

use crate::number::Ttl;

use super::codes::Rtype;
use super::name::Name;

/// One record of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    /// Its TTL.
    pub ttl: Ttl,
    /// Its rdata in wire format, names uncompressed.
    pub rdata: Box<[u8]>,
}
