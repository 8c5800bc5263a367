//! Shards: some hundreds of nodes in one arena, found by hash.
//!
//! A slot is 64 bits: the low half of the name's hash, and the node's offset plus one (0 is an empty slot).

use super::node::{self, Node};

/// Names a shard aims at. A changed record copies one shard, so it stays small enough to copy within a millisecond.
pub const SHARD_NAME_COUNT: usize = 1_000;

/// Nodes and the slots that find them. Immutable.
#[derive(Debug, Default)]
pub struct Shard {
    slots: Box<[u64]>,
    arena: Box<[u8]>,
}

impl Shard {
    /// Finishes a shard: `nodes` are the hash and the offset of each node in `arena`.
    pub fn new(arena: Vec<u8>, nodes: &[(u64, u32)]) -> Shard {
        // Twice the nodes: a probe ends after one or two slots.
        let mut slots = vec![0u64; (nodes.len() * 2).next_power_of_two()];
        let mask = slots.len() - 1;
        for &(hash, offset) in nodes {
            let mut slot = home(hash) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = tag(hash) << 32 | u64::from(offset + 1);
        }
        Shard { slots: slots.into(), arena: arena.into() }
    }

    /// The node with this hash and relative owner.
    #[inline]
    pub fn find(&self, hash: u64, owner: &[u8]) -> Option<Node<'_>> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = home(hash) & mask;
        // Bounded: half of the slots are empty.
        loop {
            let entry = *self.slots.get(slot)?;
            if entry == 0 {
                return None;
            }
            if entry >> 32 == tag(hash)
                && let Some(node) = Node::read(&self.arena, (entry as u32 - 1) as usize)
                && node.owner() == owner
            {
                return Some(node);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The memory that a node of this hash is in, unless another one is in its way, and where.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> Option<(&[u8], usize)> {
        let entry = *self.slots.get(home(hash) & self.slots.len().checked_sub(1)?)?;
        (entry != 0).then_some((&self.arena, (entry as u32).wrapping_sub(1) as usize))
    }

    /// This shard with `nodes` put in the place of those of the same owners. None where its slots do not tell where its
    /// nodes belong, for there are too many.
    pub(super) fn patched(&self, nodes: &[Patched]) -> Option<Shard> {
        if self.slots.len() > SLOT_COUNT_MAX {
            return None;
        }
        let mut known: Vec<(u64, usize)> =
            self.slots.iter().filter(|slot| **slot != 0).map(found).collect();
        known.sort_by_key(|(_, offset)| *offset);
        let mut nodes: Vec<&Patched> = nodes.iter().collect();
        nodes.sort_by(|a, b| node::canonical_order(&a.owner, &b.owner));
        let mut next = nodes.into_iter().peekable();
        let mut arena = Vec::with_capacity(self.arena.len() + 1024);
        let mut placed = Vec::with_capacity(known.len() + 1);
        let ends = known.iter().skip(1).map(|(_, at)| *at).chain([self.arena.len()]);
        for ((hash, at), end) in known.iter().copied().zip(ends) {
            let owner = Node::read(&self.arena, at)?.owner();
            let before = |node: &&Patched| node::canonical_order(&node.owner, owner).is_lt();
            while let Some(node) = next.next_if(before) {
                node.place(&mut arena, &mut placed);
            }
            match next.next_if(|node| node.owner[..] == *owner) {
                Some(node) => node.place(&mut arena, &mut placed),
                None => {
                    placed.push((hash, arena.len() as u32));
                    node::append(&mut arena, self.arena.get(at..end)?, at);
                }
            }
        }
        next.for_each(|node| node.place(&mut arena, &mut placed));
        (placed.len() * 2 <= SLOT_COUNT_MAX).then(|| Shard::new(arena, &placed))
    }

    /// Octets it takes.
    pub fn octets(&self) -> usize {
        self.slots.len() * 8 + self.arena.len()
    }
}

/// A node in the place of another, or the absence of one.
#[derive(Debug)]
pub(super) struct Patched {
    /// The hash of its name.
    pub(super) hash: u64,
    /// Its owner relative to the apex, folded.
    pub(super) owner: Box<[u8]>,
    /// The node at the start of an arena of its own; none where there is none any more.
    pub(super) octets: Option<Vec<u8>>,
}

impl Patched {
    fn place(&self, arena: &mut Vec<u8>, placed: &mut Vec<(u64, u32)>) {
        if let Some(octets) = &self.octets {
            placed.push((self.hash, arena.len() as u32));
            node::append(arena, octets, 0);
        }
    }
}

/// Most slots whose places the tag of a hash still tells: those need its bits 16 to 31.
const SLOT_COUNT_MAX: usize = 1 << 16;

/// What a slot tells: as much of the hash as places it, and the offset of the node.
fn found(slot: &u64) -> (u64, usize) {
    (slot >> 32, (*slot as u32 - 1) as usize)
}

// The top bits choose the shard, so slots and tags are taken from below them.
fn home(hash: u64) -> usize {
    (hash >> 16) as usize & 0xffff_ffff
}

fn tag(hash: u64) -> u64 {
    hash & 0xffff_ffff
}
