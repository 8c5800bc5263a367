//! Zones as parsed: RRsets by owner, in canonical order.

use std::collections::BTreeMap;

use crate::number::{Serial, Ttl};
use crate::wire::{Name, Rtype};

/// One RRset: all records of one owner, type and class (RFC 2181 §5). RRSIGs of a node form one RRset here,
/// whatever types they cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset {
    /// The type.
    pub rtype: Rtype,
    /// The TTL that all its records share (RFC 2181 §5.2); the smallest written.
    pub ttl: Ttl,
    /// Rdata in wire format, names uncompressed with their case as written; duplicates removed, order as written.
    pub rdata: Vec<Box<[u8]>>,
    /// Line of its first record, from 1; `path` tells the file, which may be an included one.
    pub line: u32,
}

/// All RRsets of one owner name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The RRsets, in order of type number.
    pub rrsets: Vec<Rrset>,
}

impl Node {
    /// The RRset of `rtype`.
    pub fn rrset(&self, rtype: Rtype) -> Option<&Rrset> {
        self.rrsets.iter().find(|r| r.rtype == rtype)
    }
}

/// A whole zone of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The owner of the SOA.
    pub apex: Name,
    /// Path of the file it came from.
    pub path: String,
    /// Nodes that own records, in canonical order (RFC 4034 §6.1). Empty non-terminals are not stored.
    pub nodes: BTreeMap<Name, Node>,
}

impl Zone {
    /// The RRset of `rtype` at `owner`.
    pub fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<&Rrset> {
        self.nodes.get(owner)?.rrset(rtype)
    }

    /// The serial of its SOA. By parsing, there is one.
    pub fn serial(&self) -> Option<Serial> {
        serial_of(self.rrset(&self.apex, Rtype::SOA)?.rdata.first()?)
    }

    /// How many records it holds.
    pub fn record_count(&self) -> usize {
        self.nodes.values().flat_map(|n| &n.rrsets).map(|r| r.rdata.len()).sum()
    }
}

/// The serial in the rdata of a SOA (RFC 1035 §3.3.13).
pub(super) fn serial_of(soa: &[u8]) -> Option<Serial> {
    let (_, mname) = Name::from_wire(soa).ok()?;
    let (_, rname) = Name::from_wire(soa.get(mname..)?).ok()?;
    let serial = soa.get(mname + rname..mname + rname + 4)?;
    Some(Serial(u32::from_be_bytes(serial.try_into().ok()?)))
}
