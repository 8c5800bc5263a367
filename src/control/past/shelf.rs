//! The generations of one folder: to add to, or where that cannot be, at least to read.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::fileset::FileSet;
use crate::health::LogTime;
use crate::history::{Archive, Cause, Limits, Restored, Store, StoreError};
use crate::number::Generation;

use super::super::author::Authored;

/// What is kept, and what is owed to it.
#[derive(Debug)]
pub struct Shelf {
    state: PathBuf,
    limits: Limits,
    writer: Option<Store>,
    /// Where nothing can be added: another process has the folder, or it is read-only.
    reader: Option<Archive>,
    /// The highest number that was given out, kept or not.
    given: Generation,
    /// What brought about the files that serve, and when, if they could not be kept.
    owed: Option<(Cause, LogTime)>,
}

impl Shelf {
    /// Opens what `state` keeps, and reads the newest generation that is whole; with why nothing can be added, if nothing
    /// can. Numbers up to `given` are not given again.
    pub fn open(
        state: &Path,
        limits: Limits,
        given: Generation,
    ) -> (Shelf, Option<Restored>, Option<StoreError>) {
        let state = state.to_owned();
        let mut shelf = Shelf { state, limits, writer: None, reader: None, given, owed: None };
        match Store::open_with(&shelf.state, limits) {
            Ok((store, restored)) => {
                shelf.given = given.max(store.newest());
                tell(store.problems().iter());
                shelf.writer = Some(store);
                (shelf, restored, None)
            }
            Err(error) => {
                shelf.reader = Archive::open(&shelf.state).ok();
                let restored = shelf.reader.as_ref().and_then(Archive::newest);
                let newest = restored.as_ref().map(|restored| restored.entry.generation);
                shelf.given = given.max(newest.unwrap_or_default());
                (shelf, restored, Some(error))
            }
        }
    }

    /// What is kept, to be read; none where nothing can be.
    pub fn archive(&self) -> Option<&Archive> {
        self.writer.as_ref().map(Store::archive).or(self.reader.as_ref())
    }

    /// Lets go of what is beyond the limits, and logs what stands in the way.
    pub fn prune(&mut self) {
        let Some(store) = &mut self.writer else { return };
        let known = store.problems().to_vec();
        store.prune();
        tell(store.problems().iter().filter(|problem| !known.contains(problem)));
    }

    /// Keeps `files` under the next number. Without luck the number is given all the same, and the files are owed.
    pub fn keep(
        &mut self,
        files: &FileSet,
        cause: &Cause,
        now: LogTime,
    ) -> (Generation, Result<(), StoreError>) {
        let next = Generation(self.given.0 + 1);
        let kept = self.keep_as(next, files, cause, now);
        self.given = *kept.as_ref().unwrap_or(&next);
        self.owed = kept.is_err().then(|| (cause.clone(), now));
        (self.given, kept.map(drop))
    }

    /// Keeps what serves as `generation`, if it is owed. Its number is another one only if the folder turns out to have
    /// higher ones.
    pub fn settle(
        &mut self,
        files: &FileSet,
        generation: Generation,
    ) -> Option<Result<Generation, StoreError>> {
        let (cause, since) = self.owed.clone()?;
        let kept = self.keep_as(generation, files, &cause, since);
        if let Ok(kept) = kept {
            self.given = self.given.max(kept);
            self.owed = None;
        }
        Some(kept)
    }

    /// Adds to a generation what git told of it. Why it was is what a person said, or else the commit.
    pub fn amend(&mut self, generation: Generation, told: Authored) {
        let entry = self.archive().and_then(|archive| archive.entry(generation));
        let Some(mut cause) = entry.map(|entry| entry.cause.clone()) else { return };
        cause.author = told.author;
        if cause.why.is_empty() {
            cause.why = told.commit;
        }
        let amended = self.writer.as_mut().map(|store| store.amend(generation, cause));
        if let Some(Err(error)) = amended {
            tracing::debug!(event = "author-unkept", %error);
        }
    }

    fn keep_as(
        &mut self,
        number: Generation,
        files: &FileSet,
        cause: &Cause,
        now: LogTime,
    ) -> Result<Generation, StoreError> {
        let store = match &mut self.writer {
            Some(store) => store,
            none => {
                let (store, _) = Store::open_with(&self.state, self.limits)?;
                tell(store.problems().iter());
                self.reader = None;
                none.insert(store)
            }
        };
        store.keep(files, cause.clone(), now.0, Generation(number.0.saturating_sub(1)))
    }
}

fn tell<'a>(problems: impl Iterator<Item = &'a Diagnostic>) {
    problems.for_each(|problem| tracing::warn!(event = "generation-problem", "{problem}"));
}
