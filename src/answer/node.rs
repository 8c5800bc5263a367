//! Nodes: one owner name and its RRsets, where they lie in an arena.
//!
//! ```text
//! u8 owner length | u8 flags | u8 occluder depth | u8 0 | u16 policy | u16 RRsets
//! owner, relative to the apex, folded | RRsets × { u16 type, u16 flags, u32 offset of its piece }
//! ```

use std::cmp::Ordering;

use crate::number::PolicyId;
use crate::wire::Rtype;

use super::template::Piece;

const HEADER_LEN: usize = 8;
const ENTRY_LEN: usize = 8;
const NO_POLICY: u16 = u16::MAX;
const NO_OCCLUDER: u8 = u8::MAX;

/// Pieces that follow the RRset's own, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Followers {
    /// Its signatures.
    pub signatures: bool,
    /// Addresses of its targets, for the additional section.
    pub additional: bool,
    /// Signatures over those addresses.
    pub additional_signatures: bool,
}

/// What is special about a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlags(pub u8);

impl NodeFlags {
    /// It owns NS and is not the apex.
    pub const CUT: u8 = 1;
    /// It owns a DNAME.
    pub const DNAME: u8 = 2;
    /// It has a child `*`.
    pub const HAS_WILDCARD: u8 = 4;
    /// It owns a CNAME.
    pub const CNAME: u8 = 8;
}

/// What a node is laid out from.
pub struct NodeHead<'a> {
    /// The owner, relative to the apex; empty for the apex.
    pub owner: &'a [u8],
    /// What is special about it.
    pub flags: NodeFlags,
    /// Labels of the topmost zone cut or DNAME above it.
    pub occluder: Option<u8>,
    /// The policy that routes it.
    pub policy: Option<PolicyId>,
    /// How many RRsets follow.
    pub rrset_count: usize,
}

/// Appends a node without its pieces. Its directory is filled by [`set_entry`].
pub fn write_node(arena: &mut Vec<u8>, head: &NodeHead<'_>) {
    let policy = head.policy.map_or(NO_POLICY, |p| p.0);
    let occluder = head.occluder.unwrap_or(NO_OCCLUDER);
    arena.extend_from_slice(&[head.owner.len() as u8, head.flags.0, occluder, 0]);
    arena.extend_from_slice(&policy.to_le_bytes());
    arena.extend_from_slice(&(head.rrset_count as u16).to_le_bytes());
    // Length octets are below 64 and so no letters: folding all of it is safe.
    arena.extend(head.owner.iter().map(u8::to_ascii_lowercase));
    arena.resize(arena.len() + head.rrset_count * ENTRY_LEN, 0);
}

/// Fills one directory entry of the node at `node`: the RRset's type, and where its piece stands.
pub fn set_entry(arena: &mut [u8], node: usize, index: usize, entry: (Rtype, Followers, usize)) {
    let (rtype, followers, piece) = entry;
    let flags = u16::from(followers.signatures)
        | u16::from(followers.additional) << 1
        | u16::from(followers.additional_signatures) << 2;
    let at = node + HEADER_LEN + usize::from(arena[node]) + index * ENTRY_LEN;
    arena[at..at + 2].copy_from_slice(&rtype.0.to_le_bytes());
    arena[at + 2..at + 4].copy_from_slice(&flags.to_le_bytes());
    arena[at + 4..at + 8].copy_from_slice(&(piece as u32).to_le_bytes());
}

/// Marks the node at `node` as having a child `*`.
pub fn mark_wildcard(arena: &mut [u8], node: usize) {
    arena[node + 1] |= NodeFlags::HAS_WILDCARD;
}

/// Appends a node with its pieces, which stood at `at` of another arena.
pub fn append(arena: &mut Vec<u8>, node: &[u8], at: usize) {
    let here = arena.len();
    arena.extend_from_slice(node);
    let (Some(&len), Some(count)) = (node.first(), node.get(6..8)) else { return };
    let count = usize::from(u16::from_le_bytes([count[0], count[1]]));
    let entries = here + HEADER_LEN + usize::from(len);
    for entry in (0..count).map(|index| entries + index * ENTRY_LEN) {
        let Some(piece) = arena.get_mut(entry + 4..entry + 8) else { return };
        let before = u32::from_le_bytes([piece[0], piece[1], piece[2], piece[3]]);
        let moved = before.wrapping_sub(at as u32).wrapping_add(here as u32);
        piece.copy_from_slice(&moved.to_le_bytes());
    }
}

/// The order of two owners, relative to one apex and folded, in which their nodes stand (RFC 4034 §6.1).
pub fn canonical_order(a: &[u8], b: &[u8]) -> Ordering {
    labels(a).rev().cmp(labels(b).rev())
}

/// The labels of a relative owner, without their length octets.
fn labels(owner: &[u8]) -> std::vec::IntoIter<&[u8]> {
    let mut labels = Vec::with_capacity(4);
    let mut rest = owner;
    while let Some((&len, after)) = rest.split_first()
        && let Some((label, above)) = after.split_at_checked(usize::from(len))
    {
        labels.push(label);
        rest = above;
    }
    labels.into_iter()
}

/// A node where it stands in an arena.
#[derive(Clone, Copy)]
pub struct Node<'z> {
    arena: &'z [u8],
    head: &'z [u8; HEADER_LEN],
    owner: &'z [u8],
    entries: &'z [u8],
}

/// An RRset of a node.
#[derive(Clone, Copy)]
pub struct RrsetRef<'z> {
    /// Its type.
    pub rtype: Rtype,
    /// Its records.
    pub records: Piece<'z>,
    /// Its signatures.
    pub signatures: Option<Piece<'z>>,
    /// Addresses of its targets within the zone: the glue of a cut, a courtesy elsewhere.
    pub additional: Option<Piece<'z>>,
    /// Signatures over those addresses.
    pub additional_signatures: Option<Piece<'z>>,
}

impl<'z> Node<'z> {
    /// The node at offset `at` of `arena`.
    #[inline]
    pub fn read(arena: &'z [u8], at: usize) -> Option<Node<'z>> {
        let (head, rest) = arena.get(at..)?.split_first_chunk::<HEADER_LEN>()?;
        let (owner, rest) = rest.split_at_checked(usize::from(head[0]))?;
        let count = usize::from(u16::from_le_bytes([head[6], head[7]]));
        let entries = rest.get(..count * ENTRY_LEN)?;
        Some(Node { arena, head, owner, entries })
    }

    /// The owner, relative to the apex, folded.
    #[inline]
    pub fn owner(&self) -> &'z [u8] {
        self.owner
    }

    /// Whether all of `mask` is set.
    pub fn has(&self, mask: u8) -> bool {
        self.head[1] & mask == mask
    }

    /// Labels of the topmost zone cut or DNAME above it.
    pub fn occluder(&self) -> Option<usize> {
        (self.head[2] != NO_OCCLUDER).then_some(usize::from(self.head[2]))
    }

    /// The policy that routes it.
    pub fn policy(&self) -> Option<PolicyId> {
        let policy = u16::from_le_bytes([self.head[4], self.head[5]]);
        (policy != NO_POLICY).then_some(PolicyId(policy))
    }

    /// The RRset of `rtype`. At most as many steps as the node has RRsets.
    #[inline]
    pub fn rrset(&self, rtype: Rtype) -> Option<RrsetRef<'z>> {
        let wanted = rtype.0.to_le_bytes();
        let entry = self.entries.chunks_exact(ENTRY_LEN).find(|e| e[..2] == wanted)?;
        self.entry(entry)
    }

    /// All its RRsets, in order of type.
    pub fn rrsets(&self) -> impl Iterator<Item = RrsetRef<'z>> + use<'z> {
        let node = *self;
        let entries = self.entries.chunks_exact(ENTRY_LEN);
        entries.filter_map(move |e| node.entry(e))
    }

    fn entry(&self, entry: &[u8]) -> Option<RrsetRef<'z>> {
        let (fixed, _) = entry.split_first_chunk::<ENTRY_LEN>()?;
        let at = u32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let records = Piece::read(self.arena.get(at as usize..)?)?;
        let flags = u16::from_le_bytes([fixed[2], fixed[3]]);
        let rtype = Rtype(u16::from_le_bytes([fixed[0], fixed[1]]));
        let mut rrset = RrsetRef {
            rtype,
            records,
            signatures: None,
            additional: None,
            additional_signatures: None,
        };
        if flags != 0 {
            rrset.read_followers(flags);
        }
        Some(rrset)
    }
}

impl RrsetRef<'_> {
    /// The pieces that `flags` tell of, which follow the records one after the other.
    fn read_followers(&mut self, flags: u16) {
        let mut last = self.records;
        let mut follower = |bit: u16| {
            let piece = if flags & bit != 0 { last.next() } else { None };
            last = piece.unwrap_or(last);
            piece
        };
        (self.signatures, self.additional) = (follower(1), follower(2));
        self.additional_signatures = follower(4);
    }
}
