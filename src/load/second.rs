//! Files of which only a change was read, read as a whole, for what else is to be said of them: beside the looks, so that
//! no later change waits for it.

use crate::fileset::{File, FileSet};
use crate::number::Digest;

use super::forms::{Form, Share, form, in_parallel};

/// What is to be read as a whole.
#[derive(Clone, Debug, Default)]
pub struct SecondReading {
    pub(super) files: Vec<(String, File)>,
}

/// What came of it.
#[derive(Default)]
pub struct ReadAgain {
    /// The forms of the files, each with the hash of the content that was read.
    pub(super) forms: Vec<(Form, Digest)>,
}

impl SecondReading {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Reads the files on all cores.
    pub fn read(self) -> ReadAgain {
        // One that brings in others is read as a whole from the first.
        let (others, share) = (FileSet::default(), Share::of(self.files.len()));
        let read = |(path, file): &(String, File)| (form(path, file, &others, share), file.digest);
        ReadAgain { forms: in_parallel(self.files, read) }
    }
}
