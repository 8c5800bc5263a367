//! Files by path, in pieces that are shared: a copy of a million files costs what its pieces cost, a change one of them.
//!
//! Owns: where the list of paths is cut. By the paths alone, so that two sets that differ in one file share all other
//! pieces, whatever led to them; that is what makes digest and differences cheap.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use crate::number::Digest;

use super::file::File;

/// A piece ends with a path whose hash says so, one in so many.
const PIECE_LEN: u32 = 32;
/// Or when it holds so many.
const PIECE_LEN_MAX: usize = 256;

/// Files by path, in path order.
#[derive(Clone, Debug, Default)]
pub struct FileMap {
    /// None is empty. Invariant cut-by-paths: they are what [`FileMap::settle`] makes of the whole list of paths.
    pieces: Vec<Arc<Piece>>,
    len: usize,
    digest: OnceLock<Digest>,
}

/// Some files that follow each other.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    files: Vec<(String, File)>,
    digest: OnceLock<Digest>,
}

/// A path at which two sets have different contents, or one has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference<'f> {
    /// The path.
    pub path: &'f str,
    /// What the older set has there.
    pub old: Option<&'f File>,
    /// What the newer set has there.
    pub new: Option<&'f File>,
}

impl Piece {
    /// Its files, in path order.
    pub fn files(&self) -> &[(String, File)] {
        &self.files
    }

    /// The digest over its paths and contents.
    pub fn digest(&self) -> Digest {
        let parts = || self.files.iter().map(|(path, file)| (path.as_str(), file.digest));
        *self.digest.get_or_init(|| Digest::of_parts(parts()))
    }

    /// The last path; pieces are not empty.
    pub fn last(&self) -> &str {
        self.files.last().map_or("", |(path, _)| path)
    }

    fn find(&self, path: &str) -> Result<usize, usize> {
        self.files.binary_search_by(|(known, _)| known.as_str().cmp(path))
    }

    /// Whether it ends where its last path says so, and not for being full or the last.
    fn is_closed(&self) -> bool {
        ends(self.last())
    }
}

fn ends(path: &str) -> bool {
    crc32c::crc32c(path.as_bytes()).is_multiple_of(PIECE_LEN)
}

impl FileMap {
    /// How many files there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        let piece = self.pieces.get(self.place(path))?;
        piece.files.get(piece.find(path).ok()?).map(|(_, file)| file)
    }

    /// Whether there is a file at `path`.
    pub fn contains_key(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Puts a file at `path`; what was there before comes back.
    pub fn insert(&mut self, path: String, file: File) -> Option<File> {
        let last = self.pieces.len().saturating_sub(1);
        let at = match self.place(&path) {
            // Beyond all paths: the last piece goes on, if it may.
            at if at > last && self.pieces.last().is_some_and(|piece| !piece.is_closed()) => last,
            at => at,
        };
        if at == self.pieces.len() {
            self.pieces.push(Arc::default());
        }
        self.digest = OnceLock::new();
        let piece = Arc::make_mut(self.pieces.get_mut(at)?);
        piece.digest = OnceLock::new();
        match piece.find(&path) {
            Ok(found) => Some(std::mem::replace(&mut piece.files.get_mut(found)?.1, file)),
            Err(place) => {
                let splits = place < piece.files.len() && ends(&path);
                piece.files.insert(place, (path, file));
                let overflows = piece.files.len() > PIECE_LEN_MAX;
                self.len += 1;
                if splits || overflows {
                    self.settle(at);
                }
                None
            }
        }
    }

    /// Takes away the file at `path`, and gives it.
    pub fn remove(&mut self, path: &str) -> Option<File> {
        let at = self.place(path);
        let found = self.pieces.get(at)?.find(path).ok()?;
        let piece = Arc::make_mut(self.pieces.get_mut(at)?);
        (piece.digest, self.digest) = Default::default();
        let (_, file) = piece.files.remove(found);
        self.len -= 1;
        self.settle(at);
        Some(file)
    }

    /// Keeps those of which `keeps` is true.
    pub fn retain(&mut self, mut keeps: impl FnMut(&String, &File) -> bool) {
        let kept = self.iter().filter(|(path, file)| keeps(path, file));
        *self = kept.map(|(path, file)| (path.clone(), file.clone())).collect();
    }

    /// All files, in path order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&String, &File)> + Clone {
        self.pieces.iter().flat_map(|piece| piece.files.iter().map(|(path, file)| (path, file)))
    }

    /// All paths, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &String> + Clone {
        self.iter().map(|(path, _)| path)
    }

    /// All files, in path order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &File> + Clone {
        self.iter().map(|(_, file)| file)
    }

    /// The files whose paths begin with `folder`, such as `geo/`.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = (&String, &File)> + Clone {
        let from = self.pieces.get(self.place(folder)..).unwrap_or_default();
        let files =
            from.iter().flat_map(|piece| piece.files.iter().map(|(path, file)| (path, file)));
        files
            .skip_while(move |(path, _)| path.as_str() < folder)
            .take_while(move |(path, _)| path.starts_with(folder))
    }

    /// The pieces, in path order.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().map(|piece| &**piece)
    }

    /// The digest over all paths and contents.
    pub fn digest(&self) -> Digest {
        let parts = || self.pieces().map(|piece| (piece.last(), piece.digest()));
        *self.digest.get_or_init(|| Digest::of_parts(parts()))
    }

    /// Where the contents of `self`, the older, and `newer` differ, in path order. What the two share is passed over in
    /// pieces.
    pub fn differences<'f>(&'f self, newer: &'f FileMap) -> Differences<'f> {
        Differences { old: Cursor::new(self), new: Cursor::new(newer) }
    }

    /// The piece that holds `path` if any does: the first that does not end before it.
    fn place(&self, path: &str) -> usize {
        self.pieces.partition_point(|piece| piece.last() < path)
    }

    /// Has invariant cut-by-paths hold again from the piece `at` on, where a path came or went.
    fn settle(&mut self, at: usize) {
        let mut end = at + 1;
        // One that is not closed goes on in the next, and so does what that was full of.
        while self.pieces.get(end - 1).is_some_and(|piece| !piece.is_closed())
            && end < self.pieces.len()
        {
            end += 1;
        }
        let taken = self.pieces.splice(at..end.min(self.pieces.len()), []);
        let files: Vec<(String, File)> = taken.flat_map(|piece| piece.files.clone()).collect();
        let mut cut: Vec<Arc<Piece>> = Vec::new();
        let mut open = Piece::default();
        for (path, file) in files {
            let closes = ends(&path);
            open.files.push((path, file));
            if closes || open.files.len() == PIECE_LEN_MAX {
                cut.push(Arc::new(std::mem::take(&mut open)));
            }
        }
        if !open.files.is_empty() {
            cut.push(Arc::new(open));
        }
        self.pieces.splice(at..at, cut);
    }
}

impl PartialEq for FileMap {
    fn eq(&self, other: &FileMap) -> bool {
        self.len == other.len && self.differences(other).next().is_none()
    }
}

impl Eq for FileMap {}

impl Extend<(String, File)> for FileMap {
    fn extend<I: IntoIterator<Item = (String, File)>>(&mut self, files: I) {
        files.into_iter().for_each(|(path, file)| drop(self.insert(path, file)));
    }
}

impl FromIterator<(String, File)> for FileMap {
    fn from_iter<I: IntoIterator<Item = (String, File)>>(files: I) -> FileMap {
        let mut map = FileMap::default();
        map.extend(files);
        map
    }
}

impl<const N: usize> From<[(String, File); N]> for FileMap {
    fn from(files: [(String, File); N]) -> FileMap {
        files.into_iter().collect()
    }
}

/// Where two sets differ.
pub struct Differences<'f> {
    old: Cursor<'f>,
    new: Cursor<'f>,
}

/// A place in a set: a piece, and a file in it.
struct Cursor<'f> {
    pieces: &'f [Arc<Piece>],
    at: usize,
}

impl<'f> Cursor<'f> {
    fn new(map: &'f FileMap) -> Cursor<'f> {
        Cursor { pieces: &map.pieces, at: 0 }
    }

    fn file(&self) -> Option<&'f (String, File)> {
        self.pieces.first()?.files.get(self.at)
    }

    fn step(&mut self) {
        self.at += 1;
        if self.pieces.first().is_some_and(|piece| piece.files.len() == self.at) {
            self.skip();
        }
    }

    fn skip(&mut self) {
        self.pieces = self.pieces.get(1..).unwrap_or_default();
        self.at = 0;
    }

    fn shares_piece(&self, other: &Cursor<'_>) -> bool {
        let both = self.pieces.first().zip(other.pieces.first());
        self.at == 0 && other.at == 0 && both.is_some_and(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl<'f> Iterator for Differences<'f> {
    type Item = Difference<'f>;

    fn next(&mut self) -> Option<Difference<'f>> {
        loop {
            if self.old.shares_piece(&self.new) {
                self.old.skip();
                self.new.skip();
                continue;
            }
            let (old, new) = (self.old.file(), self.new.file());
            let order = match (old, new) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            if order.is_le() {
                self.old.step();
            }
            if order.is_ge() {
                self.new.step();
            }
            let (old, new) = (old.filter(|_| order.is_le()), new.filter(|_| order.is_ge()));
            let (path, _) = old.or(new)?;
            let (old, new) = (old.map(|(_, file)| file), new.map(|(_, file)| file));
            if old != new {
                return Some(Difference { path, old, new });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn map(files: &BTreeMap<String, u8>) -> FileMap {
        files.iter().map(|(path, byte)| (path.clone(), File::new([*byte]))).collect()
    }

    fn path() -> impl Strategy<Value = String> {
        (0..600u32).prop_map(|n| format!("zones/{n:03}.zone"))
    }

    proptest! {
        /// However a set came about, it is cut alike, has one digest, and holds what a plain map holds.
        #[test]
        fn a_set_is_what_it_holds_whatever_led_to_it(
            steps in prop::collection::vec((path(), any::<bool>(), 0..3u8), 0..1200),
        ) {
            let (mut walked, mut plain) = (FileMap::default(), BTreeMap::new());
            let mut shared = Vec::new();
            for (index, (path, comes, byte)) in steps.into_iter().enumerate() {
                if comes || index < 400 {
                    let before = plain.insert(path.clone(), byte);
                    let was = walked.insert(path, File::new([byte]));
                    prop_assert_eq!(was, before.map(|byte| File::new([byte])));
                } else {
                    let before = plain.remove(&path);
                    let was = walked.remove(&path);
                    prop_assert_eq!(was, before.map(|byte| File::new([byte])));
                }
                if index % 300 == 0 {
                    shared.push((walked.clone(), plain.clone()));
                }
            }
            let fresh = map(&plain);
            let cuts = |map: &FileMap| map.pieces().map(Piece::digest).collect::<Vec<_>>();
            prop_assert_eq!(walked.len(), plain.len());
            prop_assert!(walked.keys().eq(plain.keys()));
            prop_assert_eq!(cuts(&walked), cuts(&fresh));
            prop_assert_eq!(walked.digest(), fresh.digest());
            prop_assert!(plain.keys().all(|path| walked.get(path).is_some()));
            for (then, plain_then) in &shared {
                let told: Vec<&str> = then.differences(&walked).map(|d| d.path).collect();
                let paths = plain_then.keys().chain(plain.keys());
                let mut differing: Vec<&str> = paths
                    .filter(|path| plain_then.get(*path) != plain.get(*path))
                    .map(String::as_str)
                    .collect();
                differing.sort_unstable();
                differing.dedup();
                prop_assert_eq!(told, differing);
                prop_assert_eq!(*then == walked, plain_then == &plain);
                prop_assert_eq!(then.digest() == walked.digest(), plain_then == &plain);
            }
        }
    }

    #[test]
    fn a_piece_of_paths_that_never_end_one_is_bounded() {
        let endless = (0..100_000).map(|n| format!("zones/{n:06}")).filter(|path| !ends(path));
        let paths: Vec<String> = endless.take(1000).collect();
        let forward: FileMap = paths.iter().map(|p| (p.clone(), File::new(*b"a"))).collect();
        let mut backward: FileMap =
            paths.iter().rev().map(|p| (p.clone(), File::new(*b"a"))).collect();
        assert_eq!(
            forward.pieces().map(|p| p.files().len()).collect::<Vec<_>>(),
            [256, 256, 256, 232]
        );
        assert_eq!(forward.digest(), backward.digest());
        backward.remove(&paths[0]);
        assert_eq!(
            backward.pieces().map(|p| p.files().len()).collect::<Vec<_>>(),
            [256, 256, 256, 231]
        );
    }

    #[test]
    fn a_folder_is_found_by_its_name() {
        let paths = ["a", "geo/a", "geo/b", "geo0", "zones/a"];
        let map: FileMap = paths.map(|path| (path.to_owned(), File::new(*b""))).into();
        assert!(map.below("geo/").map(|(path, _)| path).eq(["geo/a", "geo/b"]));
        assert_eq!(map.below("none/").count(), 0);
    }
}
