//! Zones as parsed: RRsets by owner, in canonical order.

use std::ops::{Bound, RangeBounds};

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

/// Nodes by owner, in canonical order (RFC 4034 §6.1) and in one piece: most zones are read in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes(Vec<(Name, Node)>);

impl Nodes {
    /// The node of `owner`.
    pub fn get(&self, owner: &Name) -> Option<&Node> {
        self.get_key_value(owner).map(|(_, node)| node)
    }

    /// The node of `owner`, with the owner as it is written in the zone.
    pub fn get_key_value(&self, owner: &Name) -> Option<(&Name, &Node)> {
        let (owner, node) = self.0.get(self.place(owner).ok()?)?;
        Some((owner, node))
    }

    /// Whether `owner` owns anything.
    pub fn contains_key(&self, owner: &Name) -> bool {
        self.place(owner).is_ok()
    }

    /// Gives each of some owners more RRsets, of types that it does not own; all in one pass, so that many new owners are
    /// not inserted one by one.
    pub fn add(&mut self, more: impl IntoIterator<Item = (Name, Vec<Rrset>)>) {
        let mut new = Vec::new();
        for (owner, rrsets) in more {
            match self.place(&owner).ok().and_then(|place| self.0.get_mut(place)) {
                Some((_, node)) => {
                    node.rrsets.extend(rrsets);
                    node.rrsets.sort_by_key(|rrset| rrset.rtype);
                }
                None => new.push((owner, Node { rrsets })),
            }
        }
        self.0.extend(new);
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// All nodes with their owners.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Name, &Node)> + Clone {
        self.0.iter().map(|(owner, node)| (owner, node))
    }

    /// All nodes.
    pub fn values(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().map(|(_, node)| node)
    }

    /// The nodes whose owners are within `owners`, with them.
    pub fn range(
        &self,
        owners: impl RangeBounds<Name>,
    ) -> impl DoubleEndedIterator<Item = (&Name, &Node)> + Clone {
        let before = |name: &Name| self.0.partition_point(|(owner, _)| owner < name);
        let through = |name: &Name| self.0.partition_point(|(owner, _)| owner <= name);
        let first = match owners.start_bound() {
            Bound::Included(name) => before(name),
            Bound::Excluded(name) => through(name),
            Bound::Unbounded => 0,
        };
        let end = match owners.end_bound() {
            Bound::Included(name) => through(name),
            Bound::Excluded(name) => before(name),
            Bound::Unbounded => self.0.len(),
        };
        let within = self.0.get(first..end).unwrap_or_default();
        within.iter().map(|(owner, node)| (owner, node))
    }

    /// Leaves out those that are not to be kept.
    pub fn retain(&mut self, mut keeps: impl FnMut(&Name, &Node) -> bool) {
        self.0.retain(|(owner, node)| keeps(owner, node));
    }

    fn place(&self, owner: &Name) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(owner))
    }
}

impl From<Vec<(Name, Node)>> for Nodes {
    /// `nodes` have to stand in canonical order, each owner once.
    fn from(nodes: Vec<(Name, Node)>) -> Nodes {
        debug_assert!(nodes.is_sorted_by(|(a, _), (b, _)| a < b), "nodes out of order");
        Nodes(nodes)
    }
}

impl<'n> IntoIterator for &'n Nodes {
    type Item = (&'n Name, &'n Node);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'n, (Name, Node)>,
        fn(&'n (Name, Node)) -> (&'n Name, &'n Node),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(owner, node)| (owner, node))
    }
}

impl IntoIterator for Nodes {
    type Item = (Name, Node);
    type IntoIter = std::vec::IntoIter<(Name, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
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
    pub nodes: Nodes,
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
