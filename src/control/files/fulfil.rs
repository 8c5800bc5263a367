//! Wishes of operators fulfilled: back to an earlier generation, back to the files, on with what the guard holds.
//!
//! Each is served before it is answered, and waits neither for quiet files nor for old snapshots to go. A rollback is not
//! guarded: a person asked for exactly that. A resume is: nobody has looked at what the disk holds by now.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::api::{DiagnosticBody, PublishedBody};
use crate::fileset::FileSet;
use crate::history::{Cause, Restored};
use crate::load::{Builder, Built, Removals, Scan};
use crate::number::Generation;

use super::super::picture;
use super::super::publication::{Findings, Pin, Publication};
use super::super::wish::{Unmet, Wish, Wished};
use super::{Files, Outlet, SETTLE_MAX};

/// A publication that a wish led to.
struct Fulfilled {
    publication: Arc<Publication>,
    /// The generation to tell beside it.
    of: Generation,
    /// What served before.
    before: FileSet,
    notes: Vec<String>,
}

impl Files {
    /// Does what is wished, at once; back when it serves. A fault in our own code costs the wish, and no more.
    pub(super) fn fulfil(
        &mut self,
        wished: &Wished,
        outlet: &Outlet,
    ) -> Result<PublishedBody, Unmet> {
        let pinned = self.pinned.clone();
        let fulfilled = catch_unwind(AssertUnwindSafe(|| match wished.wish {
            Wish::Rollback(to) => self.roll_back(to, wished),
            Wish::Resume => self.resume(wished),
            Wish::Accept(number) => self.accept(number, wished),
        }));
        let fulfilled = fulfilled.unwrap_or_else(|_| {
            self.builder = Builder::new(&self.config);
            self.pinned = pinned;
            Err(Unmet::Fault)
        })?;
        let Fulfilled { publication, of, before, mut notes } = fulfilled;
        if !outlet.publish(publication) {
            tracing::debug!(event = "wish-untold", "the server ends");
        }
        let (who, why) = (&wished.who, &wished.why);
        let (generation, wish) = (self.generation.0, word(wished.wish));
        tracing::warn!(event = "wish-fulfilled", wish, generation, of = of.0, who, why);
        notes.extend(self.past.complaint());
        let serving = self.pinned.as_ref().map_or(&self.good, |(_, files)| files);
        Ok(PublishedBody {
            generation,
            of: of.0,
            pinned: self.pinned.is_some(),
            // It serves by now: what this costs keeps nobody waiting but the operator.
            names_removed: self.builder.names_removed(&before, serving),
            notes,
            held: picture::held(&self.findings),
            diagnostics: self.findings.diagnostics.iter().map(DiagnosticBody::from).collect(),
        })
    }

    fn roll_back(&mut self, to: Option<Generation>, wished: &Wished) -> Result<Fulfilled, Unmet> {
        let to = match (to, &self.pinned) {
            (Some(to), _) => to,
            // Once more is one step further back.
            (None, Some((pin, _))) => self.past.before(pin.of.unwrap_or(pin.generation))?,
            (None, None) => self.past.before(self.generation)?,
        };
        let Restored { mut files, missing, .. } = self.past.read(to)?;
        let before = self.serving().clone();
        let mut notes = Vec::new();
        for path in missing {
            let now = before.get(&path);
            notes.push(format!("{path} of then is no longer kept; {}", instead(now.is_some())));
            files.files.extend(now.map(|file| (path, file.clone())));
        }
        // These files are their own last good forms: what a newer binary refuses of them costs no more than itself.
        let built = self.builder.build(&Scan::from(files.clone()), &files, Removals::Settled);
        self.note(Findings::of(&built));
        let cause = cause(wished, Some(to));
        self.keep(&built.serving, &cause);
        let pin = Pin {
            generation: self.generation,
            of: Some(to),
            who: cause.who,
            why: cause.why,
            since: self.clock.now(),
        };
        self.pinned = Some((pin, built.serving));
        Ok(Fulfilled { publication: self.publication(built.parts), of: to, before, notes })
    }

    fn resume(&mut self, wished: &Wished) -> Result<Fulfilled, Unmet> {
        let Some((pin, before)) = self.pinned.take() else {
            return Err(Unmet::NotPinned(self.generation));
        };
        let scan = self.scan_settled();
        let built = self.build(&scan, Removals::Wait);
        Ok(self.follow(built, &cause(wished, None), pin.generation, before))
    }

    fn accept(&mut self, number: Generation, wished: &Wished) -> Result<Fulfilled, Unmet> {
        if self.pinned.is_some() {
            return Err(Unmet::Pinned(self.generation));
        }
        let scan = self.scan_settled();
        // What is accepted is what the disk holds now, if that is what was looked at.
        self.build(&scan, Removals::Wait);
        self.owes = true;
        match self.findings.held.as_ref().map(|(held, _)| *held) {
            None => return Err(Unmet::NothingHeld),
            Some(held) if held != number => return Err(Unmet::OtherHeld(number, held)),
            Some(_) => {}
        }
        let built = self.builder.build(&scan, &self.good, Removals::Wait);
        self.owes = false;
        self.note(Findings::of(&built));
        let before = self.good.clone();
        Ok(self.follow(built, &cause(wished, Some(number)), self.generation, before))
    }

    /// The files of the disk serve, as a new generation whatever they are.
    fn follow(
        &mut self,
        built: Built,
        cause: &Cause,
        of: Generation,
        before: FileSet,
    ) -> Fulfilled {
        self.keep(&built.serving, cause);
        self.good = built.serving;
        Fulfilled { publication: self.publication(built.parts), of, before, notes: Vec::new() }
    }

    /// The files as they are once who writes to them now has ended: a person asks for what they have just written.
    fn scan_settled(&mut self) -> Scan {
        self.motion.settle(SETTLE_MAX);
        self.reader.scan(&self.config)
    }

    /// The files that serve.
    pub(super) fn serving(&self) -> &FileSet {
        self.pinned.as_ref().map_or(&self.good, |(_, files)| files)
    }
}

fn word(wish: Wish) -> &'static str {
    match wish {
        Wish::Rollback(_) => "rollback",
        Wish::Resume => "resume",
        Wish::Accept(_) => "accept",
    }
}

fn cause(wished: &Wished, of: Option<Generation>) -> Cause {
    let (who, why) = (wished.who.clone(), wished.why.clone());
    Cause { kind: word(wished.wish).to_owned(), of, who, why, author: String::new() }
}

fn instead(is_there: bool) -> &'static str {
    if is_there { "the one that serves now stays in use" } else { "it is done without" }
}
