//! Nodes of trees of hashes, and their octets.
//!
//! A node is a level, then items. Of a tree of paths: at level 0 files, above it nodes with the last path below each.
//! Of a list of chunks: at level 0 chunks, above it lists, each with how many octets of content it stands for.

use crate::number::Digest;

/// Where a tree is cut, by its items alone: a node ends with an item whose hash says so, one in 32, or when it is full.
const ITEM_BITS: u32 = 5;
/// Items of a full node.
const ITEM_COUNT_MAX: usize = 256;
/// Levels of a tree: far more than it ever has.
pub(super) const LEVEL_MAX: u8 = 16;

/// A file in a tree of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub path: String,
    /// Of the content.
    pub digest: Digest,
    /// Octets of the content.
    pub len: u64,
    /// The list of its chunks, for a content that is not kept whole.
    pub list: Option<Digest>,
}

/// A node below another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// The last path below it.
    pub last: String,
    pub node: Digest,
}

/// A chunk, or a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub digest: Digest,
    /// Octets of content that it stands for.
    pub len: u64,
}

/// A node as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Leaves(Vec<Leaf>),
    Branches(u8, Vec<Branch>),
    Spans(u8, Vec<Span>),
}

const OF_PATHS: u8 = b'P';
const OF_CHUNKS: u8 = b'C';

/// Cuts `items` into nodes of one level. `hash` tells an item from the others; each level looks at bits of its own.
pub(super) fn cut<T>(items: &[T], level: u8, hash: impl Fn(&T) -> u32) -> Vec<&[T]> {
    let shift = u32::from(level) * ITEM_BITS;
    // Beyond the bits of the hash nodes are as large as may be, so a tree always has a top.
    let ends =
        |item| hash(item).checked_shr(shift).is_some_and(|h| h.is_multiple_of(1 << ITEM_BITS));
    let ends = |item| shift < u32::BITS && ends(item);
    let (mut nodes, mut rest) = (Vec::new(), items);
    while !rest.is_empty() {
        let end = rest.iter().take(ITEM_COUNT_MAX).position(ends).map(|at| at + 1);
        let (node, after) = rest.split_at(end.unwrap_or(rest.len().min(ITEM_COUNT_MAX)));
        nodes.push(node);
        rest = after;
    }
    nodes
}

pub(super) fn write_leaves(leaves: &[Leaf]) -> Vec<u8> {
    let mut out = vec![OF_PATHS, 0];
    let mut before = "";
    for Leaf { path, digest, len, list } in leaves {
        before = write_path(&mut out, before, path);
        out.extend(digest.0);
        write_number(&mut out, *len);
        out.push(u8::from(list.is_some()));
        out.extend(list.iter().flat_map(|list| list.0));
    }
    out
}

pub(super) fn write_branches(level: u8, branches: &[Branch]) -> Vec<u8> {
    let mut out = vec![OF_PATHS, level];
    let mut before = "";
    for Branch { last, node } in branches {
        before = write_path(&mut out, before, last);
        out.extend(node.0);
    }
    out
}

pub(super) fn write_spans(level: u8, spans: &[Span]) -> Vec<u8> {
    let mut out = vec![OF_CHUNKS, level];
    for Span { digest, len } in spans {
        out.extend(digest.0);
        write_number(&mut out, *len);
    }
    out
}

/// Reads a node; none if it is not one.
pub(super) fn read(bytes: &[u8]) -> Option<Node> {
    let (&[kind, level], rest) = bytes.split_first_chunk()?;
    if level > LEVEL_MAX {
        return None;
    }
    let mut cursor = Cursor { rest, before: String::new() };
    match (kind, level) {
        (OF_PATHS, 0) => cursor.all(Cursor::leaf).map(Node::Leaves),
        (OF_PATHS, _) => cursor.all(Cursor::branch).map(|all| Node::Branches(level, all)),
        (OF_CHUNKS, _) => cursor.all(Cursor::span).map(|all| Node::Spans(level, all)),
        _ => None,
    }
}

/// A path after another: how much of that stays, and what follows.
fn write_path<'a>(out: &mut Vec<u8>, before: &str, path: &'a str) -> &'a str {
    let same = before.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
    let rest = path.as_bytes().get(same..).unwrap_or_default();
    write_number(out, same as u64);
    write_number(out, rest.len() as u64);
    out.extend(rest);
    path
}

/// Seven bits an octet, the low ones first.
fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Cursor<'a> {
    rest: &'a [u8],
    before: String,
}

impl Cursor<'_> {
    fn all<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        while !self.rest.is_empty() {
            items.push(item(self)?);
        }
        Some(items)
    }

    fn leaf(&mut self) -> Option<Leaf> {
        let (path, digest, len) = (self.path()?, self.digest()?, self.number()?);
        let list = match self.octet()? {
            0 => None,
            1 => Some(self.digest()?),
            _ => return None,
        };
        Some(Leaf { path, digest, len, list })
    }

    fn branch(&mut self) -> Option<Branch> {
        Some(Branch { last: self.path()?, node: self.digest()? })
    }

    fn span(&mut self) -> Option<Span> {
        Some(Span { digest: self.digest()?, len: self.number()? })
    }

    fn path(&mut self) -> Option<String> {
        let (same, len) = (self.number()?, self.number()?);
        let mut path = self.before.as_bytes().get(..usize::try_from(same).ok()?)?.to_vec();
        path.extend(self.take(usize::try_from(len).ok()?)?);
        self.before = String::from_utf8(path).ok()?;
        Some(self.before.clone())
    }

    fn digest(&mut self) -> Option<Digest> {
        self.take(32)?.try_into().ok().map(Digest)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let octet = self.octet()?;
            number |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_reads_as_it_was_written() {
        let leaf = |path: &str, list| Leaf {
            path: path.to_owned(),
            digest: Digest::of(path.as_bytes()),
            len: 1 << 40,
            list,
        };
        let leaves = vec![leaf("zones/a.zone", None), leaf("zones/aé", Some(Digest::of(b"l")))];
        let bytes = write_leaves(&leaves);
        assert_eq!(read(&bytes), Some(Node::Leaves(leaves)));
        let branches = vec![Branch { last: "zones/é".to_owned(), node: Digest::of(b"n") }];
        let written = write_branches(3, &branches);
        assert_eq!(read(&written), Some(Node::Branches(3, branches)));
        let spans = vec![Span { digest: Digest::of(b"s"), len: 300 }];
        assert_eq!(read(&write_spans(0, &spans)), Some(Node::Spans(0, spans)));
        // Cut anywhere but between items, it is none.
        assert!((3..bytes.len()).filter(|len| read(&bytes[..*len]).is_some()).count() == 1);
    }

    #[test]
    fn a_new_item_moves_the_cuts_around_it_only() {
        let hash = |n: &u32| n.wrapping_mul(0x9e37_79b9) >> 7;
        let (old, new): (Vec<u32>, Vec<u32>) =
            ((0..10_000).filter(|n| *n != 777).collect(), (0..10_000).collect());
        let nodes = cut(&old, 0, hash);
        assert_eq!(cut(&new, 0, hash).iter().filter(|node| !nodes.contains(node)).count(), 1);
        assert!(nodes.len() > 100 && cut(&old, 9, hash).len() == 10_000_usize.div_ceil(256));
    }
}
