//! A zone laid out for answering: shards of nodes, the negative answer, the proofs of absence.

use std::sync::Arc;

use crate::number::{Serial, Ttl};
use crate::wire::{Name, Rtype};

use super::denial::{Denial, DenialWriter};
use super::node::{self, Followers, Node, NodeFlags, NodeHead};
use super::parts::{NodeParts, RrsetParts, lay, lay_additional};
use super::shard::{SHARD_NAME_COUNT, Shard};
use super::suffix::{Seed, Suffixes};
use super::template::{Piece, PieceWriter};

/// A zone, ready to answer. Immutable, shared between snapshots.
#[derive(Debug)]
pub struct ZoneImage {
    apex: Name,
    apex_folded: Box<[u8]>,
    depth: usize,
    serial: Serial,
    shard_bits: u32,
    shards: Box<[Arc<Shard>]>,
    negative: Box<[u8]>,
    denial: Option<Denial>,
    record_count: usize,
}

impl ZoneImage {
    /// The apex, case as written.
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// The apex in wire format, folded.
    pub fn apex_folded(&self) -> &[u8] {
        &self.apex_folded
    }

    /// Labels of the apex.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The serial of its SOA.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// Records that it holds.
    pub fn record_count(&self) -> usize {
        self.record_count
    }

    /// Octets that it takes.
    pub fn octets(&self) -> usize {
        self.shards.iter().map(|s| s.octets()).sum::<usize>() + self.negative.len()
    }

    /// The proofs of absence, of a signed zone.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// SOA at the negative TTL (RFC 2308 §3), then its signatures if there are any.
    pub fn negative(&self) -> Option<Piece<'_>> {
        Piece::read(&self.negative)
    }

    /// The node at the suffix of `depth` labels.
    #[inline]
    pub fn node(&self, name: &Suffixes, depth: usize) -> Option<Node<'_>> {
        self.find(name.hash(depth), name.relative(depth, self.depth))
    }

    /// The node with this hash, and this owner relative to the apex, folded.
    #[inline]
    pub fn find(&self, hash: u64, owner: &[u8]) -> Option<Node<'_>> {
        self.shards.get(shard_index(hash, self.shard_bits))?.find(hash, owner)
    }
}

fn shard_index(hash: u64, bits: u32) -> usize {
    // A shift by 64 is no shift at all: without bits there is one shard.
    hash.checked_shr(64 - bits).unwrap_or(0) as usize
}

/// Lays out a zone from its nodes, which come in canonical order (RFC 4034 §6.1), so that a parent comes before its
/// children and one stack of ancestors is all that needs to be remembered.
pub struct ImageWriter<'s> {
    seed: &'s Seed,
    apex: Name,
    shard_bits: u32,
    shards: Vec<OpenShard>,
    ancestors: Vec<Ancestor>,
    denial: DenialWriter,
    negative: Vec<u8>,
    serial: Serial,
    record_count: usize,
}

/// A shard that still grows.
#[derive(Default)]
struct OpenShard {
    arena: Vec<u8>,
    /// Hash and offset of each node.
    nodes: Vec<(u64, u32)>,
}

/// A node on the way from the apex to the last one written.
struct Ancestor {
    name: Name,
    shard: usize,
    at: usize,
    /// The topmost zone cut or DNAME at or above it.
    occluder: Option<u8>,
}

impl<'s> ImageWriter<'s> {
    /// An empty zone; `name_count` is about how many owners will come.
    pub fn new(seed: &'s Seed, apex: &Name, name_count: usize) -> ImageWriter<'s> {
        let shards = name_count.div_ceil(SHARD_NAME_COUNT).max(1).next_power_of_two();
        ImageWriter {
            seed,
            apex: apex.clone(),
            shard_bits: shards.trailing_zeros(),
            shards: (0..shards).map(|_| OpenShard::default()).collect(),
            ancestors: Vec::new(),
            denial: DenialWriter::new(apex),
            negative: Vec::new(),
            serial: Serial(0),
            record_count: 0,
        }
    }

    /// Adds one node. Empty non-terminals above it are added by themselves.
    pub fn node(&mut self, parts: &NodeParts<'_>) {
        while self.ancestors.last().is_some_and(|a| !parts.owner.is_below(&a.name)) {
            self.ancestors.pop();
        }
        if *parts.owner == self.apex {
            self.lay_negative(&parts.rrsets);
        }
        self.denial.node(parts.owner, &parts.rrsets);
        // RFC 5155 §7.2.8: an owner of nothing but NSEC3 answers no question by its name.
        let is_hash = |r: &RrsetParts<'_>| r.rtype == Rtype::NSEC3;
        if parts.rrsets.is_empty() || !parts.rrsets.iter().all(is_hash) {
            self.fill_gap(parts.owner);
            self.place(parts);
        }
    }

    /// Names between the closest ancestor and `owner` exist without owning anything (RFC 4592 §2.2.2).
    fn fill_gap(&mut self, owner: &Name) {
        let Some(closest) = self.ancestors.last().map(|a| a.name.clone()) else { return };
        let mut gap = Vec::new();
        let mut name = owner.parent();
        while let Some(between) = name.filter(|n| n.is_below(&closest)) {
            name = between.parent();
            gap.push(between);
        }
        for owner in gap.iter().rev() {
            self.place(&NodeParts { owner, rrsets: Vec::new(), policy: None });
        }
    }

    fn place(&mut self, parts: &NodeParts<'_>) {
        let parent = self.ancestors.last();
        if let Some(parent) = parent
            && parts.owner.is_wildcard()
            && parts.owner.label_count() == parent.name.label_count() + 1
        {
            node::mark_wildcard(&mut self.shards[parent.shard].arena, parent.at);
        }
        let above = parent.and_then(|a| a.occluder);
        let flags = self.flags(parts);
        let occludes = flags.0 & (NodeFlags::CUT | NodeFlags::DNAME) != 0;
        let hash = self.seed.hash(parts.owner);
        let shard = shard_index(hash, self.shard_bits);
        let at = self.write(parts, flags, above, shard);
        self.shards[shard].nodes.push((hash, at as u32));
        let depth = parts.owner.label_count() as u8;
        let occluder = above.or(occludes.then_some(depth));
        self.ancestors.push(Ancestor { name: parts.owner.clone(), shard, at, occluder });
    }

    fn flags(&self, parts: &NodeParts<'_>) -> NodeFlags {
        let owns = |rtype| parts.rrsets.iter().any(|r| r.rtype == rtype);
        let bit = |is: bool, flag| if is { flag } else { 0 };
        NodeFlags(
            bit(owns(Rtype::NS) && *parts.owner != self.apex, NodeFlags::CUT)
                | bit(owns(Rtype::DNAME), NodeFlags::DNAME)
                | bit(owns(Rtype::CNAME), NodeFlags::CNAME),
        )
    }

    fn write(
        &mut self,
        parts: &NodeParts<'_>,
        flags: NodeFlags,
        occluder: Option<u8>,
        shard: usize,
    ) -> usize {
        let arena = &mut self.shards[shard].arena;
        let at = arena.len();
        let relative = parts.owner.as_wire().len() - self.apex.as_wire().len();
        let owner = parts.owner.as_wire()[..relative].to_ascii_lowercase();
        let (rrset_count, policy) = (parts.rrsets.len(), parts.policy);
        node::write_node(arena, &NodeHead { owner: &owner, flags, occluder, policy, rrset_count });
        for (index, rrset) in parts.rrsets.iter().enumerate() {
            let followers = Followers {
                signatures: !rrset.signatures.is_empty(),
                additional: !rrset.additional.is_empty(),
                additional_signatures: !rrset.additional_signatures.is_empty(),
            };
            let piece = arena.len();
            node::set_entry(arena, at, index, (rrset.rtype, followers, piece));
            lay(arena, rrset, parts.owner, || PieceWriter::pointed(parts.owner));
            lay_additional(arena, &rrset.additional, &self.apex);
            lay_additional(arena, &rrset.additional_signatures, &self.apex);
            self.record_count += rrset.rdata.len() + rrset.signatures.len();
        }
        at
    }

    /// RFC 2308 §5: the SOA of a negative answer has the smaller of its own TTL and its MINIMUM.
    fn lay_negative(&mut self, rrsets: &[RrsetParts<'_>]) {
        let Some(soa) = rrsets.iter().find(|r| r.rtype == Rtype::SOA) else { return };
        let Some((rest, minimum)) = soa.rdata.first().and_then(|r| r.split_last_chunk::<4>())
        else {
            return;
        };
        let ttl = soa.ttl.min(Ttl::from_secs(u32::from_be_bytes(*minimum)));
        if let Some(serial) = rest.len().checked_sub(16).and_then(|at| rest[at..].first_chunk()) {
            self.serial = Serial(u32::from_be_bytes(*serial));
        }
        let apex = &self.apex;
        let (additional, additional_signatures) = (Vec::new(), Vec::new());
        let soa = RrsetParts { ttl, additional, additional_signatures, ..*soa };
        lay(&mut self.negative, &soa, apex, || PieceWriter::spelled(apex));
    }

    /// The zone, laid out.
    pub fn finish(self) -> ZoneImage {
        let shards =
            self.shards.into_iter().map(|open| Arc::new(Shard::new(open.arena, &open.nodes)));
        ZoneImage {
            apex_folded: self.apex.to_folded(),
            depth: self.apex.label_count(),
            apex: self.apex,
            serial: self.serial,
            shard_bits: self.shard_bits,
            shards: shards.collect(),
            negative: self.negative.into(),
            denial: self.denial.finish(),
            record_count: self.record_count,
        }
    }
}
