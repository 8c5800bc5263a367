//! A file: its content, here or away, and its digest.

use std::fmt;
use std::sync::Arc;

use crate::number::Digest;

/// One file's content and its digest. Two files are equal when their digests are.
#[derive(Clone)]
pub struct File {
    /// The BLAKE3 hash of `bytes`.
    pub digest: Digest,
    /// The content, shared and immutable; empty while it is kept elsewhere: see [`File::content`].
    pub bytes: Arc<[u8]>,
    away: Option<Away>,
}

/// A content that memory has let go of.
#[derive(Clone)]
struct Away {
    len: usize,
    fetch: Fetch,
}

/// Brings a content back from where it is kept, if it is there still. It may wait for a disk.
pub type Fetch = Arc<dyn Fn() -> Option<Arc<[u8]>> + Send + Sync>;

impl File {
    /// A file with this content.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> File {
        let bytes = bytes.into();
        File { digest: Digest::of(&bytes), bytes, away: None }
    }

    /// A file of a content whose digest was found before.
    pub fn known(digest: Digest, bytes: impl Into<Arc<[u8]>>) -> File {
        File { digest, bytes: bytes.into(), away: None }
    }

    /// The same file, whose content is brought back by `fetch` when it is needed again. For large ones that are kept
    /// elsewhere, and of which what was made of them is enough for most.
    pub fn let_go(&self, fetch: Fetch) -> File {
        let away = self.away.clone().unwrap_or(Away { len: self.bytes.len(), fetch });
        File { digest: self.digest, bytes: Arc::default(), away: Some(away) }
    }

    /// Whether memory has let go of the content.
    pub fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// The content, brought back if it is away. None where it cannot be had any more.
    pub fn content(&self) -> Option<Arc<[u8]>> {
        match &self.away {
            None => Some(Arc::clone(&self.bytes)),
            Some(away) => (away.fetch)().filter(|bytes| Digest::of(bytes) == self.digest),
        }
    }

    /// Octets of the content, wherever it is.
    pub fn byte_count(&self) -> usize {
        self.away.as_ref().map_or(self.bytes.len(), |away| away.len)
    }
}

impl PartialEq for File {
    fn eq(&self, other: &File) -> bool {
        self.digest == other.digest
    }
}

impl Eq for File {}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("File");
        shown.field("digest", &self.digest).field("byte_count", &self.byte_count());
        shown.field("is_away", &self.is_away()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_that_is_away_comes_back_or_is_none() {
        let here = File::new(b"one".as_slice());
        let fetched = |content: Option<&'static [u8]>| {
            let file = here.let_go(Arc::new(move || content.map(Arc::from)));
            assert!(file.is_away() && file.bytes.is_empty());
            assert_eq!((file.byte_count(), &file), (3, &here));
            file.content().map(|content| content.to_vec())
        };
        assert_eq!(fetched(Some(b"one")), Some(b"one".to_vec()));
        assert_eq!(fetched(Some(b"two")), None, "another content is not this one");
        assert_eq!(fetched(None), None);
    }
}
