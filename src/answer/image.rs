//! A zone laid out for answering: shards of nodes, the negative answer, the proofs of absence.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::number::{Serial, Ttl};
use crate::wire::{Name, Rtype};

use super::denial::{Denial, DenialWriter};
use super::node::{self, Followers, Node, NodeFlags, NodeHead};
use super::parts::{NodeParts, RrsetParts, lay, lay_additional};
use super::shard::{Patched, SHARD_NAME_COUNT, Shard};
use super::suffix::{Seed, Suffixes};
use super::template::{Piece, PieceWriter};

/// Shards of a zone that is large: some 600 KB. Below, what fetching costs is more than what it saves.
const LARGE_SHARD_COUNT: usize = 8;

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
    /// Hashes of the names that its records point at, sorted: their addresses go along with other answers.
    targets: Box<[u64]>,
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

    /// Whether it fits no cache of a core.
    pub(super) fn is_large(&self) -> bool {
        self.shards.len() >= LARGE_SHARD_COUNT
    }

    /// The proofs of absence, of a signed zone.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// SOA at the negative TTL (RFC 2308 §3), then its signatures if there are any.
    pub fn negative(&self) -> Option<Piece<'_>> {
        Piece::read(&self.negative)
    }

    /// Whether a record points at the name of this hash.
    pub(super) fn is_target(&self, hash: u64) -> bool {
        self.targets.binary_search(&hash).is_ok()
    }

    /// How many top bits of a hash choose the shard.
    pub(super) fn shard_bits(&self) -> u32 {
        self.shard_bits
    }

    /// This image with nodes put in the place of others, and what goes with them.
    pub(super) fn patched(&self, patch: Patch) -> Option<ZoneImage> {
        let mut shards = self.shards.to_vec();
        let mut by_shard: BTreeMap<usize, Vec<Patched>> = BTreeMap::new();
        for node in patch.nodes {
            by_shard.entry(shard_index(node.hash, self.shard_bits)).or_default().push(node);
        }
        for (index, nodes) in by_shard {
            let shard = shards.get_mut(index)?;
            *shard = Arc::new(shard.patched(&nodes)?);
        }
        let mut targets = self.targets.to_vec();
        targets.extend(patch.targets);
        targets.sort_unstable();
        targets.dedup();
        let (negative, serial) = match patch.negative {
            Some(negative) => (negative.octets.into(), negative.serial),
            None => (self.negative.clone(), self.serial),
        };
        let more = isize::try_from(patch.more_records).ok()?;
        Some(ZoneImage {
            apex: self.apex.clone(),
            apex_folded: self.apex_folded.clone(),
            depth: self.depth,
            serial,
            shard_bits: self.shard_bits,
            shards: shards.into(),
            negative,
            denial: None,
            record_count: self.record_count.checked_add_signed(more)?,
            targets: targets.into(),
        })
    }

    /// The node at the suffix of `depth` labels.
    #[inline]
    pub fn node(&self, name: &Suffixes, depth: usize) -> Option<Node<'_>> {
        self.find(name.hash(depth), name.relative(depth, self.depth))
    }

    /// The memory that a node of this hash may be in, and where.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> Option<(&[u8], usize)> {
        self.shards.get(shard_index(hash, self.shard_bits))?.peek(hash)
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

/// What a patch puts into an image.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub(super) nodes: Vec<Patched>,
    /// The SOA for negative answers, where it changed.
    pub(super) negative: Option<Negative>,
    /// Hashes of names that records point at now.
    pub(super) targets: Vec<u64>,
    pub(super) more_records: i64,
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
    negative: Negative,
    record_count: usize,
    targets: Vec<u64>,
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
    hash: u64,
    shard: usize,
    at: usize,
    /// The topmost zone cut or DNAME at or above it.
    occluder: Option<u8>,
}

impl<'s> ImageWriter<'s> {
    /// An empty zone; `name_count` is about how many owners will come.
    pub fn new(seed: &'s Seed, apex: &Name, name_count: usize) -> ImageWriter<'s> {
        let shard_bits = shard_bits(name_count);
        ImageWriter {
            seed,
            apex: apex.clone(),
            shard_bits,
            shards: (0..1 << shard_bits).map(|_| OpenShard::default()).collect(),
            ancestors: Vec::new(),
            denial: DenialWriter::new(apex),
            negative: Negative::default(),
            record_count: 0,
            targets: Vec::new(),
        }
    }

    /// Tells of a name that a record points at, and whose addresses may go along, now or when it has some.
    pub fn points_at(&mut self, target: &Name) {
        let hash = self.seed.hash(target);
        if self.targets.last() != Some(&hash) {
            self.targets.push(hash);
        }
    }

    /// Adds one node. Empty non-terminals above it are added by themselves.
    pub fn node(&mut self, parts: &NodeParts<'_>) {
        while self.ancestors.last().is_some_and(|a| !parts.owner.is_below(&a.name)) {
            self.ancestors.pop();
        }
        if *parts.owner == self.apex {
            self.negative = Negative::of(&self.apex, &parts.rrsets);
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
        let flags = flags(&self.apex, parts);
        let occludes = flags.0 & (NodeFlags::CUT | NodeFlags::DNAME) != 0;
        // By fill_gap, the ancestor is the parent.
        let hash = match parent {
            Some(parent) => self.seed.below(parent.hash, parts.owner),
            None => self.seed.hash(parts.owner),
        };
        let shard = shard_index(hash, self.shard_bits);
        let (at, record_count) =
            write(&mut self.shards[shard].arena, &self.apex, parts, flags, above);
        self.record_count += record_count;
        self.shards[shard].nodes.push((hash, at as u32));
        let depth = parts.owner.label_count() as u8;
        let occluder = above.or(occludes.then_some(depth));
        self.ancestors.push(Ancestor { name: parts.owner.clone(), hash, shard, at, occluder });
    }

    /// The zone, laid out.
    pub fn finish(self) -> ZoneImage {
        let mut targets = self.targets;
        targets.sort_unstable();
        targets.dedup();
        let shards =
            self.shards.into_iter().map(|open| Arc::new(Shard::new(open.arena, &open.nodes)));
        ZoneImage {
            apex_folded: self.apex.to_folded(),
            depth: self.apex.label_count(),
            apex: self.apex,
            serial: self.negative.serial,
            shard_bits: self.shard_bits,
            shards: shards.collect(),
            negative: self.negative.octets.into(),
            denial: self.denial.finish(),
            record_count: self.record_count,
            targets: targets.into(),
        }
    }
}

/// How many top bits of a hash choose the shard, in a zone of about `name_count` owners.
pub(super) fn shard_bits(name_count: usize) -> u32 {
    name_count.div_ceil(SHARD_NAME_COUNT).max(1).next_power_of_two().trailing_zeros()
}

/// What is special about a node by itself.
pub(super) fn flags(apex: &Name, parts: &NodeParts<'_>) -> NodeFlags {
    let owns = |rtype| parts.rrsets.iter().any(|r| r.rtype == rtype);
    let bit = |is: bool, flag| if is { flag } else { 0 };
    NodeFlags(
        bit(owns(Rtype::NS) && parts.owner != apex, NodeFlags::CUT)
            | bit(owns(Rtype::DNAME), NodeFlags::DNAME)
            | bit(owns(Rtype::CNAME), NodeFlags::CNAME),
    )
}

/// Appends a node of the zone at `apex`. Gives where it stands, and how many records it has.
pub(super) fn write(
    arena: &mut Vec<u8>,
    apex: &Name,
    parts: &NodeParts<'_>,
    flags: NodeFlags,
    occluder: Option<u8>,
) -> (usize, usize) {
    let at = arena.len();
    let relative = parts.owner.as_wire().len() - apex.as_wire().len();
    let owner = &parts.owner.as_wire()[..relative];
    let (rrset_count, policy) = (parts.rrsets.len(), parts.policy);
    node::write_node(arena, &NodeHead { owner, flags, occluder, policy, rrset_count });
    let mut record_count = 0;
    for (index, rrset) in parts.rrsets.iter().enumerate() {
        let followers = Followers {
            signatures: !rrset.signatures.is_empty(),
            additional: !rrset.additional.is_empty(),
            additional_signatures: !rrset.additional_signatures.is_empty(),
        };
        let piece = arena.len();
        node::set_entry(arena, at, index, (rrset.rtype, followers, piece));
        lay(arena, rrset, parts.owner, || PieceWriter::pointed(parts.owner));
        lay_additional(arena, &rrset.additional, apex);
        lay_additional(arena, &rrset.additional_signatures, apex);
        record_count += rrset.rdata.len() + rrset.signatures.len();
    }
    (at, record_count)
}

/// The SOA for negative answers, and the serial in it.
#[derive(Debug)]
pub(super) struct Negative {
    pub(super) octets: Vec<u8>,
    pub(super) serial: Serial,
}

impl Default for Negative {
    fn default() -> Negative {
        Negative { octets: Vec::new(), serial: Serial(0) }
    }
}

impl Negative {
    /// RFC 2308 §5: the SOA of a negative answer has the smaller of its own TTL and its MINIMUM.
    pub(super) fn of(apex: &Name, rrsets: &[RrsetParts<'_>]) -> Negative {
        let mut negative = Negative::default();
        let Some(soa) = rrsets.iter().find(|r| r.rtype == Rtype::SOA) else { return negative };
        let Some((rest, minimum)) = soa.rdata.first().and_then(|r| r.split_last_chunk::<4>())
        else {
            return negative;
        };
        let ttl = soa.ttl.min(Ttl::from_secs(u32::from_be_bytes(*minimum)));
        if let Some(serial) = rest.len().checked_sub(16).and_then(|at| rest[at..].first_chunk()) {
            negative.serial = Serial(u32::from_be_bytes(*serial));
        }
        let (additional, additional_signatures) = (Vec::new(), Vec::new());
        let (rdata, signatures) = (soa.rdata.clone(), soa.signatures.clone());
        let rtype = soa.rtype;
        let soa = RrsetParts { rtype, ttl, rdata, signatures, additional, additional_signatures };
        lay(&mut negative.octets, &soa, apex, || PieceWriter::spelled(apex));
        negative
    }
}
