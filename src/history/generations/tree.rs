//! The tree of a set of files: written bottom up, read top down, two compared by what they do not share.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::fileset::{File, FileSet, Piece, is_database};
use crate::history::durable::StoreError;
use crate::number::Digest;

use super::chunk;
use super::node::{self, Branch, LEVEL_MAX, Leaf, Node, Span};
use super::pack::{Object, PackReader};

/// The list of chunks of each large content that is kept already: it need not be cut again.
pub(super) type Lists = HashMap<Digest, Digest>;

/// The node that a piece of a set of files became, by the digest of the piece, with the lists of what is in it.
pub(super) type Nodes = HashMap<Digest, Rooted>;

/// A piece of a set of files that is kept.
#[derive(Clone, Debug)]
pub(super) struct Rooted {
    pub node: Digest,
    /// Large contents, each with the list of its chunks.
    pub lists: Vec<(Digest, Digest)>,
}

/// A file that two generations have differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path.
    pub path: String,
    /// The digest of what the older one has there, if anything.
    pub old: Option<Digest>,
    /// … and the newer.
    pub new: Option<Digest>,
}

/// A tree that is to be written: its root, and all its objects but those behind pieces and lists that are known.
pub(super) struct Planted<'a> {
    pub root: Digest,
    pub objects: Vec<Object<'a>>,
    /// All pieces, those that were known too.
    pub nodes: Nodes,
}

/// Makes the tree of `files`, whose nodes of the lowest level are its pieces. `node` tells which are kept already, and
/// `list` which contents.
pub(super) fn plant<'a>(
    files: &'a FileSet,
    node: impl Fn(Digest) -> Option<Rooted>,
    list: impl Fn(Digest) -> Option<Digest>,
) -> Planted<'a> {
    let mut planted =
        Planted { root: Digest::default(), objects: Vec::new(), nodes: Nodes::default() };
    let mut branches = Vec::new();
    for piece in files.files.pieces() {
        let digest = piece.digest();
        let rooted = node(digest).unwrap_or_else(|| planted.piece(piece, &list));
        branches.push(Branch { last: piece.last().to_owned(), node: rooted.node });
        planted.nodes.insert(digest, rooted);
    }
    planted.root = planted.branches(branches);
    planted
}

impl<'a> Planted<'a> {
    /// Adds the node of a piece, and the contents of its files.
    fn piece(&mut self, piece: &'a Piece, known: &dyn Fn(Digest) -> Option<Digest>) -> Rooted {
        let mut leaves: Vec<Leaf> = Vec::with_capacity(piece.files().len());
        let mut lists = Vec::new();
        for (path, file) in piece.files() {
            let list = self.content(path, file, known);
            lists.extend(list.map(|list| (file.digest, list)));
            let len = file.byte_count() as u64;
            leaves.push(Leaf { path: path.clone(), digest: file.digest, len, list });
        }
        Rooted { node: self.node(node::write_leaves(&leaves)), lists }
    }

    /// Adds a content, whole or in chunks; one that is away is here already. Gives the list of its chunks.
    fn content(
        &mut self,
        path: &str,
        file: &'a File,
        known: &dyn Fn(Digest) -> Option<Digest>,
    ) -> Option<Digest> {
        // A database is found by its digest, so it is kept whole; one of this kind does not pack.
        let is_dense = path.ends_with(".mmdb");
        if file.is_away() {
            return None;
        }
        if is_database(path) || file.bytes.len() <= chunk::WHOLE_LEN_MAX {
            let bytes = Cow::Borrowed(&*file.bytes);
            self.objects.push(Object { digest: file.digest, bytes, is_dense });
            return None;
        }
        if let Some(list) = known(file.digest) {
            return Some(list);
        }
        let add = |bytes: &'a [u8]| {
            let digest = Digest::of(bytes);
            self.objects.push(Object { digest, bytes: Cow::Borrowed(bytes), is_dense });
            Span { digest, len: bytes.len() as u64 }
        };
        let spans: Vec<Span> = chunk::cut(&file.bytes).map(add).collect();
        Some(self.chunks(spans))
    }

    fn chunks(&mut self, mut spans: Vec<Span>) -> Digest {
        let mut level = 0;
        loop {
            let hash = |span: &Span| crc32c::crc32c(&span.digest.0);
            let nodes = node::cut(&spans, level, hash);
            let add = |node: &[Span]| Span {
                digest: self.node(node::write_spans(level, node)),
                len: node.iter().map(|span| span.len).sum(),
            };
            spans = nodes.into_iter().map(add).collect();
            if let [root] = spans[..] {
                return root.digest;
            }
            level += 1;
        }
    }

    /// Adds the nodes above `branches`, and gives the topmost.
    fn branches(&mut self, mut branches: Vec<Branch>) -> Digest {
        if branches.is_empty() {
            return self.node(node::write_leaves(&[]));
        }
        let mut level = 1;
        loop {
            if let [root] = &branches[..] {
                return root.node;
            }
            let nodes = node::cut(&branches, level, |b| crc32c::crc32c(b.last.as_bytes()));
            let add = |node: &[Branch]| Branch {
                last: node.last().map(|branch| branch.last.clone()).unwrap_or_default(),
                node: self.node(node::write_branches(level, node)),
            };
            branches = nodes.into_iter().map(add).collect();
            level += 1;
        }
    }

    fn node(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.objects.push(Object { digest, bytes: Cow::Owned(bytes), is_dense: false });
        digest
    }
}

/// Reads trees.
pub(super) struct TreeReader<'a> {
    packs: PackReader<'a>,
}

impl<'a> TreeReader<'a> {
    pub(super) fn new(packs: PackReader<'a>) -> TreeReader<'a> {
        TreeReader { packs }
    }

    /// All files below `root`, in path order.
    pub(super) fn leaves(&mut self, root: Digest) -> Result<Vec<Leaf>, StoreError> {
        let mut leaves = Vec::new();
        let mut waiting = vec![root];
        while let Some(digest) = waiting.pop() {
            match self.node(digest)? {
                Node::Leaves(more) => leaves.extend(more),
                Node::Branches(_, branches) => {
                    waiting.extend(branches.iter().rev().map(|branch| branch.node));
                }
                Node::Spans(..) => return Err(StoreError::Missing(digest)),
            }
        }
        Ok(leaves)
    }

    /// The content of a file.
    pub(super) fn content(&mut self, leaf: &Leaf) -> Result<File, StoreError> {
        let Some(list) = leaf.list else {
            let bytes = self.packs.read(leaf.digest)?;
            return Ok(File::known(leaf.digest, bytes));
        };
        let mut bytes = Vec::new();
        let mut waiting = vec![list];
        while let Some(digest) = waiting.pop() {
            let Node::Spans(level, spans) = self.node(digest)? else {
                return Err(StoreError::Missing(digest));
            };
            if level > 0 {
                waiting.extend(spans.iter().rev().map(|span| span.digest));
                continue;
            }
            for span in spans {
                bytes.extend(self.packs.read(span.digest)?);
            }
        }
        let file = File::new(bytes);
        if file.digest == leaf.digest { Ok(file) } else { Err(StoreError::Missing(leaf.digest)) }
    }

    /// How the files below `new` differ from those below `old`, in path order. Reads only what the two do not share.
    pub(super) fn changes(&mut self, old: Digest, new: Digest) -> Result<Vec<Change>, StoreError> {
        let mut changes: BTreeMap<String, Change> = BTreeMap::new();
        let (old, new) = self.unshared(old, new)?;
        for Leaf { path, digest, .. } in old {
            let change = Change { path: path.clone(), old: Some(digest), new: None };
            changes.insert(path, change);
        }
        for Leaf { path, digest, .. } in new {
            let none = Change { path: path.clone(), old: None, new: None };
            changes.entry(path).or_insert(none).new = Some(digest);
        }
        Ok(changes.into_values().filter(|change| change.old != change.new).collect())
    }

    /// The files of both, less those in nodes that both have.
    fn unshared(&mut self, old: Digest, new: Digest) -> Result<(Vec<Leaf>, Vec<Leaf>), StoreError> {
        let (mut old, mut new) = (Side::new(old), Side::new(new));
        for level in (0..=LEVEL_MAX).rev() {
            let both: HashSet<Digest> = old.nodes.intersection(&new.nodes).copied().collect();
            for side in [&mut old, &mut new] {
                side.nodes.retain(|node| !both.contains(node));
                side.descend(self, level)?;
            }
        }
        Ok((old.leaves, new.leaves))
    }

    /// Tells `see` of all objects below `root`; what is below one of which it says that it is known is passed over.
    pub(super) fn walk(
        &mut self,
        root: Digest,
        mut see: impl FnMut(Reach<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let mut waiting = vec![root];
        while let Some(digest) = waiting.pop() {
            if !see(Reach::Object(digest)) {
                continue;
            }
            match self.node(digest)? {
                Node::Leaves(leaves) => {
                    for leaf in leaves {
                        match leaf.list {
                            Some(list) => waiting.push(list),
                            None => _ = see(Reach::Content(&leaf.path, leaf.digest)),
                        }
                    }
                }
                Node::Branches(_, branches) => waiting.extend(branches.iter().map(|b| b.node)),
                Node::Spans(0, spans) => {
                    spans.iter().for_each(|span| _ = see(Reach::Object(span.digest)));
                }
                Node::Spans(_, spans) => waiting.extend(spans.iter().map(|span| span.digest)),
            }
        }
        Ok(())
    }

    fn node(&mut self, digest: Digest) -> Result<Node, StoreError> {
        let bytes = self.packs.read(digest)?;
        // By its hash it is what was written: by this binary, which writes nodes here.
        node::read(&bytes).ok_or(StoreError::Missing(digest))
    }
}

/// Something that a tree leads to.
pub(super) enum Reach<'a> {
    /// A node or a chunk.
    Object(Digest),
    /// A content that is kept whole, and where.
    Content(&'a str, Digest),
}

/// One of two trees that are compared, from the top to the level that was reached.
struct Side {
    nodes: HashSet<Digest>,
    leaves: Vec<Leaf>,
}

impl Side {
    fn new(root: Digest) -> Side {
        Side { nodes: HashSet::from([root]), leaves: Vec::new() }
    }

    /// Replaces the nodes of `level` by what is below them.
    fn descend(&mut self, trees: &mut TreeReader<'_>, level: u8) -> Result<(), StoreError> {
        for digest in std::mem::take(&mut self.nodes) {
            match trees.node(digest)? {
                Node::Leaves(leaves) if level == 0 => self.leaves.extend(leaves),
                Node::Branches(at, branches) if at == level => {
                    self.nodes.extend(branches.iter().map(|branch| branch.node));
                }
                // Of a lower level: its turn comes.
                _ => drop(self.nodes.insert(digest)),
            }
        }
        Ok(())
    }
}
