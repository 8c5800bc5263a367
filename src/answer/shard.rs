//! Shards: some hundreds of nodes in one arena, found by hash.
//!
//! A slot is 64 bits: the low half of the name's hash, and the node's offset plus one (0 is an empty slot).

use super::node::Node;

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

    /// Octets it takes.
    pub fn octets(&self) -> usize {
        self.slots.len() * 8 + self.arena.len()
    }
}

// The top bits choose the shard, so slots and tags are taken from below them.
fn home(hash: u64) -> usize {
    (hash >> 16) as usize & 0xffff_ffff
}

fn tag(hash: u64) -> u64 {
    hash & 0xffff_ffff
}
