//! A set of files by path: what `load` reads, what `history` keeps, what `check` is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::number::Digest;

/// One file's content and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The BLAKE3 hash of `bytes`.
    pub digest: Digest,
    /// The content, shared and immutable.
    pub bytes: Arc<[u8]>,
}

impl File {
    /// A file with this content.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> File {
        let bytes = bytes.into();
        File { digest: Digest::of(&bytes), bytes }
    }
}

/// Files by path. Paths are relative, with `/`, and begin with `zones/` or `geo/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSet {
    /// The files, in path order.
    pub files: BTreeMap<String, File>,
}

impl FileSet {
    /// The digest over all paths and contents.
    pub fn digest(&self) -> Digest {
        Digest::of_parts(self.files.iter().map(|(path, file)| (path.as_str(), file.digest)))
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }
}
