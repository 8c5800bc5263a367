//! A zone at rest: what a parsed zone holds, in few octets a record, for as long as it serves.
//!
//! Nodes stand in canonical order in blocks. A node that is asked for is found by halves among the blocks, and by a walk
//! within one; a change copies one block.
//!
//! ```text
//! node:  u8 octets of the owner less the apex, or 255 and u8 octets of all of it | those octets
//!        | octets of what follows | RRsets × { u16 type | TTL | line | records | records × { octets | rdata } }
//! ```
//!
//! Numbers without a width are LEB128: seven bits an octet, the low ones first, the top bit where more follow.

use crate::number::{Serial, Ttl};
use crate::wire::{Name, Rtype};

use super::rrset::{Node, Rrset, Zone, serial_of};

/// Nodes of a block. A guess: fewer cost memory for the blocks, more a longer walk. Tests have many blocks in short files.
const BLOCK_NODE_COUNT: usize = if cfg!(test) { 4 } else { 64 };

/// An owner that ends otherwise than the apex is written, in case, stands in full.
const IN_FULL: u8 = u8::MAX;

/// A whole zone of class IN, packed.
#[derive(Clone, Debug)]
pub struct PackedZone {
    /// The owner of the SOA.
    pub apex: Name,
    /// Path of the file it came from.
    pub path: Box<str>,
    blocks: Vec<Box<[u8]>>,
    node_count: usize,
}

/// A node of a packed zone.
#[derive(Clone, Copy, Debug)]
pub struct PackedNode<'z> {
    rrsets: &'z [u8],
}

/// An RRset of a packed zone: what [`Rrset`] is.
#[derive(Clone, Copy, Debug)]
pub struct PackedRrset<'z> {
    /// The type.
    pub rtype: Rtype,
    /// The TTL that all its records share.
    pub ttl: Ttl,
    /// Line of its first record, from 1.
    pub line: u32,
    count: usize,
    rdata: &'z [u8],
}

impl PackedZone {
    /// Packs a zone, and frees it on the way.
    pub fn of(zone: Zone) -> PackedZone {
        let Zone { apex, path, nodes } = zone;
        let nodes = nodes.into_iter();
        let node_count = nodes.len();
        let mut blocks = Vec::with_capacity(node_count.div_ceil(BLOCK_NODE_COUNT));
        let mut nodes = nodes.peekable();
        let mut octets = Vec::new();
        while nodes.peek().is_some() {
            octets.clear();
            for (owner, node) in nodes.by_ref().take(BLOCK_NODE_COUNT) {
                write(&mut octets, &apex, &owner, &node);
            }
            blocks.push(octets.as_slice().into());
        }
        PackedZone { apex, path: path.into(), blocks, node_count }
    }

    /// The zone as it was parsed.
    pub fn unpacked(&self) -> Zone {
        let nodes = self.nodes().map(|(owner, node)| (owner, node.unpacked()));
        let nodes = nodes.collect::<Vec<_>>().into();
        Zone { apex: self.apex.clone(), path: self.path.to_string(), nodes }
    }

    /// How many nodes own records.
    pub fn node_count(&self) -> usize {
        self.node_count
    }

    /// All nodes with their owners, in canonical order (RFC 4034 §6.1).
    pub fn nodes(&self) -> impl Iterator<Item = (Name, PackedNode<'_>)> {
        self.blocks.iter().flat_map(|block| in_block(block, &self.apex))
    }

    /// The nodes at and after `name`, in canonical order.
    pub fn nodes_from(&self, name: &Name) -> impl Iterator<Item = (Name, PackedNode<'_>)> {
        let blocks = self.blocks.get(self.block_at(name)..).unwrap_or_default();
        let nodes = blocks.iter().flat_map(|block| in_block(block, &self.apex));
        let name = name.clone();
        nodes.skip_while(move |(owner, _)| *owner < name)
    }

    /// The node of `owner`, with the owner as it is written in the zone.
    pub fn find(&self, owner: &Name) -> Option<(Name, PackedNode<'_>)> {
        let relative = owner.as_wire().len().checked_sub(self.apex.as_wire().len())?;
        let mut rest = &**self.blocks.get(self.block_at(owner))?;
        // Bounded: each step takes a node.
        while let Some(entry) = Entry::read(&mut rest) {
            if entry.relative_len(&self.apex) == Some(relative)
                && entry.owner.get(..relative)?.eq_ignore_ascii_case(&owner.as_wire()[..relative])
            {
                return owner.is_at_or_below(&self.apex).then(|| entry.named(&self.apex))?;
            }
        }
        None
    }

    /// The node of `owner`.
    pub fn node(&self, owner: &Name) -> Option<PackedNode<'_>> {
        self.find(owner).map(|(_, node)| node)
    }

    /// The RRset of `rtype` at `owner`.
    pub fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<PackedRrset<'_>> {
        self.node(owner)?.rrset(rtype)
    }

    /// Whether a name exists: it owns records, or something below it does (RFC 4592 §2.2.2).
    pub fn exists(&self, name: &Name) -> bool {
        // In canonical order all that is below a name follows it at once.
        self.nodes_from(name).next().is_some_and(|(owner, _)| owner.is_at_or_below(name))
    }

    /// The serial of its SOA. By parsing, there is one.
    pub fn serial(&self) -> Option<Serial> {
        serial_of(self.rrset(&self.apex, Rtype::SOA)?.rdata().next()?)
    }

    /// Whether it holds DNSKEY or RRSIG records.
    pub fn is_signed(&self) -> bool {
        let signs = |r: PackedRrset<'_>| [Rtype::DNSKEY, Rtype::RRSIG].contains(&r.rtype);
        self.nodes().any(|(_, node)| node.rrsets().any(signs))
    }

    /// Puts a node in the place of what its owner had, or takes that away.
    pub(super) fn put(&mut self, owner: Name, node: Option<&Node>) {
        let at = self.block_at(&owner);
        let before = self.blocks.get(at).cloned().unwrap_or_default();
        let mut entries: Vec<(Name, Vec<u8>)> = Vec::with_capacity(BLOCK_NODE_COUNT + 1);
        let mut rest = &*before;
        while let Some(entry) = Entry::read(&mut rest) {
            let Some((name, _)) = entry.named(&self.apex) else { continue };
            entries.push((name, entry.octets.to_vec()));
        }
        let count = entries.len();
        let found = entries.binary_search_by(|(known, _)| known.cmp(&owner));
        if let Ok(place) = found {
            entries.remove(place);
        }
        if let Some(node) = node {
            let mut octets = Vec::new();
            write(&mut octets, &self.apex, &owner, node);
            entries.insert(found.unwrap_or_else(|place| place), (owner, octets));
        }
        self.node_count = self.node_count + entries.len() - count;
        let room =
            if entries.len() > 2 * BLOCK_NODE_COUNT { BLOCK_NODE_COUNT } else { entries.len() };
        let blocks = entries.chunks(room.max(1)).map(|nodes| {
            let octets: Vec<u8> = nodes.iter().flat_map(|(_, octets)| octets).copied().collect();
            octets.into()
        });
        let range = at..(at + 1).min(self.blocks.len());
        self.blocks.splice(range, blocks.collect::<Vec<Box<[u8]>>>());
    }

    /// The block that has `owner`, or would have it.
    fn block_at(&self, owner: &Name) -> usize {
        let begins_before = |block: &[u8]| {
            in_block(block, &self.apex).next().is_some_and(|(first, _)| first <= *owner)
        };
        self.blocks.partition_point(|block| begins_before(block)).saturating_sub(1)
    }
}

/// The nodes of a block of the zone of `apex`.
fn in_block<'z>(block: &'z [u8], apex: &'z Name) -> impl Iterator<Item = (Name, PackedNode<'z>)> {
    let mut rest = block;
    std::iter::from_fn(move || Entry::read(&mut rest)?.named(apex))
}

impl<'z> PackedNode<'z> {
    /// Its RRsets, in order of type number.
    pub fn rrsets(&self) -> impl Iterator<Item = PackedRrset<'z>> + use<'z> {
        let mut rest = self.rrsets;
        std::iter::from_fn(move || PackedRrset::read(&mut rest))
    }

    /// The RRset of `rtype`.
    pub fn rrset(&self, rtype: Rtype) -> Option<PackedRrset<'z>> {
        self.rrsets().find(|rrset| rrset.rtype == rtype)
    }

    /// The node as it was parsed.
    pub fn unpacked(&self) -> Node {
        Node { rrsets: self.rrsets().map(|rrset| rrset.unpacked()).collect() }
    }

    /// A node that owns nothing.
    pub fn empty() -> PackedNode<'static> {
        PackedNode { rrsets: &[] }
    }
}

impl<'z> PackedRrset<'z> {
    /// How many records it has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Rdata in wire format, names uncompressed with their case as written; order as written.
    pub fn rdata(&self) -> impl Iterator<Item = &'z [u8]> + Clone + use<'z> {
        let mut rest = self.rdata;
        let count = self.count;
        (0..count).map_while(move |_| {
            let len = number(&mut rest)?;
            take(&mut rest, len)
        })
    }

    fn unpacked(&self) -> Rrset {
        let rdata = self.rdata().map(Into::into).collect();
        Rrset { rtype: self.rtype, ttl: self.ttl, rdata, line: self.line }
    }

    #[inline]
    fn read(rest: &mut &'z [u8]) -> Option<PackedRrset<'z>> {
        let rtype = Rtype(u16::from_be_bytes(*take(rest, 2)?.first_chunk()?));
        let ttl = Ttl::from_secs(u32::try_from(number(rest)?).ok()?);
        let line = u32::try_from(number(rest)?).ok()?;
        let count = number(rest)?;
        let all = *rest;
        for _ in 0..count {
            let len = number(rest)?;
            take(rest, len)?;
        }
        let rdata = all.get(..all.len() - rest.len())?;
        Some(PackedRrset { rtype, ttl, line, count, rdata })
    }
}

/// A node where it stands in a block.
struct Entry<'z> {
    is_in_full: bool,
    owner: &'z [u8],
    rrsets: &'z [u8],
    octets: &'z [u8],
}

impl<'z> Entry<'z> {
    #[inline]
    fn read(rest: &mut &'z [u8]) -> Option<Entry<'z>> {
        let all = *rest;
        let mut len = *take(rest, 1)?.first()?;
        let is_in_full = len == IN_FULL;
        if is_in_full {
            len = *take(rest, 1)?.first()?;
        }
        let owner = take(rest, usize::from(len))?;
        let len = number(rest)?;
        let rrsets = take(rest, len)?;
        let octets = all.get(..all.len() - rest.len())?;
        Some(Entry { is_in_full, owner, rrsets, octets })
    }

    /// Octets of the owner less the apex.
    fn relative_len(&self, apex: &Name) -> Option<usize> {
        let above = if self.is_in_full { apex.as_wire().len() } else { 0 };
        self.owner.len().checked_sub(above)
    }

    #[inline]
    fn named(&self, apex: &Name) -> Option<(Name, PackedNode<'z>)> {
        let owner = match self.is_in_full {
            true => Name::from_wire(self.owner).ok()?.0,
            false => apex.below(self.owner).ok()?,
        };
        Some((owner, PackedNode { rrsets: self.rrsets }))
    }
}

fn write(octets: &mut Vec<u8>, apex: &Name, owner: &Name, node: &Node) {
    let (owner, apex) = (owner.as_wire(), apex.as_wire());
    match owner.strip_suffix(apex) {
        Some(relative) => octets.push(relative.len() as u8),
        None => octets.extend_from_slice(&[IN_FULL, owner.len() as u8]),
    }
    octets.extend_from_slice(owner.strip_suffix(apex).unwrap_or(owner));
    // Most take one octet for the length of what follows; else that moves.
    let at = octets.len();
    octets.push(0);
    for rrset in &node.rrsets {
        octets.extend_from_slice(&rrset.rtype.0.to_be_bytes());
        write_number(octets, rrset.ttl.as_secs() as usize);
        write_number(octets, rrset.line as usize);
        write_number(octets, rrset.rdata.len());
        for rdata in &rrset.rdata {
            write_number(octets, rdata.len());
            octets.extend_from_slice(rdata);
        }
    }
    let len = octets.len() - at - 1;
    if len <= 0x7f {
        octets[at] = len as u8;
    } else {
        let mut number = Vec::new();
        write_number(&mut number, len);
        octets.splice(at..=at, number);
    }
}

fn write_number(octets: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        octets.push(number as u8 | 0x80);
        number >>= 7;
    }
    octets.push(number as u8);
}

#[inline]
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (&octet, after) = rest.split_first()?;
        *rest = after;
        number |= usize::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[inline]
fn take<'z>(rest: &mut &'z [u8], len: usize) -> Option<&'z [u8]> {
    let (taken, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests;
