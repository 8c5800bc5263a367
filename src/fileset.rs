//! A set of files by path: what `load` reads, what `history` keeps, what `check` is given.

use crate::number::Digest;

mod file;
mod map;

pub use file::{Fetch, File};
pub use map::{Difference, Differences, FileMap, Piece};

/// Files by path. Paths are relative, with `/`, and begin with `zones/` or `geo/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSet {
    /// The files, in path order.
    pub files: FileMap,
}

impl FileSet {
    /// The digest over all paths and contents.
    pub fn digest(&self) -> Digest {
        self.files.digest()
    }

    /// Where the contents of `self`, the older, and `newer` differ, in path order.
    pub fn differences<'f>(&'f self, newer: &'f FileSet) -> Differences<'f> {
        self.files.differences(&newer.files)
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }
}

/// Whether a file of this path or name is a geo database: in the MaxMind DB format, or flat, with its family in its name.
/// Of databases, the last few are kept, and other tables of the operator's are none.
pub fn is_database(path: &str) -> bool {
    const ENDS: [&str; 5] = [".mmdb", "-ipv4.csv", "-ipv6.csv", "-ipv4-num.csv", "-ipv6-num.csv"];
    ENDS.iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_their_names() {
        for path in ["geo/a.mmdb", "geo/asn-ipv4.csv", "geo/b/asn-ipv6-num.csv"] {
            assert!(is_database(path), "{path}");
        }
        for path in ["geo/overrides.csv", "geo/places.csv", "geo/ipv4.csv", "geo/regions.toml"] {
            assert!(!is_database(path), "{path}");
        }
    }
}
