//! The search tree of a database in the MaxMind DB format: its nodes, and a walk over its networks in order of address.
//!
//! Never: believes that a tree is one. A walk ends whatever the nodes say, and says what is wrong with them.

use std::fmt;

/// The nodes, as they stand at the beginning of a file.
pub(super) struct Tree<'f> {
    nodes: &'f [u8],
    count: usize,
    width: Width,
}

/// Bits of a record; a node is two of them.
#[derive(Clone, Copy)]
enum Width {
    Bits24,
    Bits28,
    Bits32,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Look on in this node.
    Node(usize),
    /// Nothing is known of the network.
    Nothing,
    /// What is known stands here, in octets from the beginning of the data section.
    Data(usize),
}

/// Why a search tree is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misshapen {
    /// It ends beyond the file, or its records have a size that there is not.
    Cut,
    /// Nodes lead back to nodes above them, or one node is reached in many ways.
    Circle,
    /// A record points between the tree and the data.
    Pointer,
    /// Two ways to one address lead to different records.
    Contradicts,
}

impl<'f> Tree<'f> {
    /// The tree of `count` nodes, whose records have `bits` bits, at the beginning of `file`.
    pub(super) fn of(file: &'f [u8], count: usize, bits: usize) -> Result<Tree<'f>, Misshapen> {
        let width = match bits {
            24 => Width::Bits24,
            28 => Width::Bits28,
            32 => Width::Bits32,
            _ => return Err(Misshapen::Cut),
        };
        let len = count.checked_mul(bits / 4).ok_or(Misshapen::Cut)?;
        let nodes = file.get(..len).ok_or(Misshapen::Cut)?;
        Ok(Tree { nodes, count, width })
    }

    /// What stands for the whole address space.
    pub(super) fn root(&self) -> Record {
        if self.count == 0 { Record::Nothing } else { Record::Node(0) }
    }

    /// What stands `depth` zero bits below the root, or above that if it ends before.
    pub(super) fn leftmost(&self, depth: usize) -> Result<Record, Misshapen> {
        (0..depth).try_fold(self.root(), |record, _| match record {
            Record::Node(node) => Ok(self.records(node)?[0]),
            end => Ok(end),
        })
    }

    fn records(&self, node: usize) -> Result<[Record; 2], Misshapen> {
        let number = |a: u8, b, c, d| u32::from_be_bytes([a, b, c, d]) as usize;
        let [left, right] = match self.width {
            Width::Bits24 => {
                let [a, b, c, d, e, f] = self.node(node)?;
                [number(0, a, b, c), number(0, d, e, f)]
            }
            // The middle octet holds the top four bits of both.
            Width::Bits28 => {
                let [a, b, c, tops, d, e, f] = self.node(node)?;
                [number(tops >> 4, a, b, c), number(tops & 15, d, e, f)]
            }
            Width::Bits32 => {
                let [a, b, c, d, e, f, g, h] = self.node(node)?;
                [number(a, b, c, d), number(e, f, g, h)]
            }
        };
        Ok([self.record(left)?, self.record(right)?])
    }

    fn node<const LEN: usize>(&self, node: usize) -> Result<[u8; LEN], Misshapen> {
        let rest = self.nodes.get(node.wrapping_mul(LEN)..).ok_or(Misshapen::Cut)?;
        rest.first_chunk().copied().ok_or(Misshapen::Cut)
    }

    /// Sixteen zeros part the nodes from the data.
    fn record(&self, number: usize) -> Result<Record, Misshapen> {
        match number.checked_sub(self.count) {
            None => Ok(Record::Node(number)),
            Some(0) => Ok(Record::Nothing),
            Some(beyond) => beyond.checked_sub(16).map(Record::Data).ok_or(Misshapen::Pointer),
        }
    }
}

/// The networks below a record in order of address, each by its first address and where its data stand. They leave no
/// gap: what nothing is known of is a network too. After an error there is no more.
pub(super) struct Walk<'t> {
    tree: &'t Tree<'t>,
    /// Bits of an address.
    width: u8,
    /// A node that is passed over as if nothing were known there.
    left_out: Option<Record>,
    /// What is still to be walked, the nearest last: first address, depth, record.
    ahead: Vec<(u128, u8, Record)>,
    nodes_left: usize,
}

impl<'t> Walk<'t> {
    /// A walk below `root`, where addresses still have `width` bits.
    pub(super) fn new(
        tree: &'t Tree<'t>,
        root: Record,
        width: u8,
        left_out: Option<Record>,
    ) -> Walk<'t> {
        let left_out = left_out.filter(|it| matches!(it, Record::Node(_)));
        Walk { tree, width, left_out, ahead: vec![(0, 0, root)], nodes_left: tree.count }
    }

    /// Down from a record to the first network below it.
    fn descend(
        &mut self,
        (first, mut depth, mut record): (u128, u8, Record),
    ) -> Result<(u128, Option<usize>), Misshapen> {
        loop {
            let node = match record {
                Record::Data(offset) => return Ok((first, Some(offset))),
                Record::Nothing => return Ok((first, None)),
                Record::Node(_) if Some(record) == self.left_out => return Ok((first, None)),
                Record::Node(node) => node,
            };
            // Each node of a tree is come to once.
            self.nodes_left = self.nodes_left.checked_sub(1).ok_or(Misshapen::Circle)?;
            let rest = self.width.checked_sub(depth + 1).ok_or(Misshapen::Circle)?;
            let [left, right] = self.tree.records(node)?;
            self.ahead.push((first | 1 << rest, depth + 1, right));
            (depth, record) = (depth + 1, left);
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<(u128, Option<usize>), Misshapen>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.ahead.pop()?;
        let found = self.descend(next);
        if found.is_err() {
            self.ahead.clear();
        }
        Some(found)
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Misshapen::Cut => "its search tree is cut short",
            Misshapen::Circle => "its search tree has a circle",
            Misshapen::Pointer => "its search tree points beside the data",
            Misshapen::Contradicts => "its search tree contradicts itself",
        })
    }
}
