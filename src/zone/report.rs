//! What is to be said of a file while it is read: bounded, each with its place and the line it
//! stands on.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, Severity};

use super::lexer::Token;
use super::rdata::Fault;

/// Diagnostics kept of one zone; the rest is counted. Enough to see a pattern, and bounded whatever
/// the file.
const DIAGNOSTICS_MAX: usize = 100;

/// A file's content: the caller's, or what an `$INCLUDE` brought.
pub(super) enum Text<'a> {
    Given(&'a [u8]),
    Included(Arc<[u8]>),
}

/// A place in one of the files of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which file, in order of reading.
    pub(super) source: u32,
    /// Which token of it.
    pub(super) token: Token,
}

/// The files read so far, and what is to be said of them.
#[derive(Default)]
pub(super) struct Report<'a> {
    sources: Vec<(String, Text<'a>)>,
    diagnostics: Vec<Diagnostic>,
    /// Errors met, kept or not: any refuses the zone.
    pub(super) error_count: usize,
    errors_left_out: usize,
    others_left_out: usize,
}

impl<'a> Report<'a> {
    /// Adds a file, and returns its number.
    pub(super) fn open(&mut self, path: &str, text: Text<'a>) -> u32 {
        self.sources.push((path.to_owned(), text));
        (self.sources.len() - 1) as u32
    }

    /// The path of a file.
    pub(super) fn path(&self, source: u32) -> &str {
        self.sources.get(source as usize).map_or("", |(path, _)| path)
    }

    /// An error at `mark`.
    pub(super) fn error(&mut self, mark: Mark, code: &'static str, message: impl Into<String>) {
        self.push(Diagnostic::error(code, Place::default(), message), mark);
    }

    /// An error at `mark`, and how to mend it.
    pub(super) fn error_with_help(
        &mut self,
        mark: Mark,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::error(code, Place::default(), message).help(help), mark);
    }

    /// A warning at `mark`, and what was done or is to be done about it.
    pub(super) fn warning(
        &mut self,
        mark: Mark,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::warning(code, Place::default(), message).help(help), mark);
    }

    /// A note at `mark`.
    pub(super) fn note(&mut self, mark: Mark, code: &'static str, message: impl Into<String>) {
        let warning = Diagnostic::warning(code, Place::default(), message);
        self.push(Diagnostic { severity: Severity::Note, ..warning }, mark);
    }

    /// An error that rdata or another part of a record brought.
    pub(super) fn fault(&mut self, mark: Mark, fault: Fault) {
        self.error_with_help(mark, fault.code, fault.message, fault.help);
    }

    /// Takes a diagnostic, gives it its place, and keeps it if there is room.
    pub(super) fn push(&mut self, mut diagnostic: Diagnostic, mark: Mark) {
        self.error_count += usize::from(diagnostic.is_error());
        if self.diagnostics.len() >= DIAGNOSTICS_MAX && !self.make_room(&diagnostic) {
            return;
        }
        (diagnostic.place, diagnostic.excerpt) = self.locate(mark);
        self.diagnostics.push(diagnostic);
    }

    /// Where `mark` stands, and the line there.
    pub(super) fn locate(&self, mark: Mark) -> (Place, String) {
        let Some((path, text)) = self.sources.get(mark.source as usize) else {
            return Default::default();
        };
        (mark.token.place(path, text.bytes()), mark.token.excerpt(text.bytes()))
    }

    /// Takes a diagnostic of a whole file.
    pub(super) fn push_whole(&mut self, diagnostic: Diagnostic) {
        self.error_count += usize::from(diagnostic.is_error());
        if self.diagnostics.len() < DIAGNOSTICS_MAX || self.make_room(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether nothing was left out.
    pub(super) fn is_whole(&self) -> bool {
        self.errors_left_out + self.others_left_out == 0
    }

    /// Whether something of this code was said.
    pub(super) fn has(&self, code: &str) -> bool {
        self.diagnostics.iter().any(|d| d.code == code)
    }

    /// Adds what was said, and not left out, of the text that follows in the same files. There are no errors in it.
    pub(super) fn append(&mut self, next: Report<'_>) {
        next.diagnostics.into_iter().for_each(|said| self.push_whole(said));
    }

    /// An error takes the place of a warning, so that no flood of warnings hides what refuses the
    /// file.
    fn make_room(&mut self, diagnostic: &Diagnostic) -> bool {
        if diagnostic.is_error()
            && let Some(last) = self.diagnostics.iter().rposition(|d| !d.is_error())
        {
            self.diagnostics.swap_remove(last);
            self.others_left_out += 1;
            return true;
        }
        if diagnostic.is_error() {
            self.errors_left_out += 1;
        } else {
            self.others_left_out += 1;
        }
        false
    }

    /// All diagnostics, in order of place, with one more that counts those left out.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        let order = |file: &str| self.sources.iter().position(|(path, _)| path == file);
        self.diagnostics
            .sort_by_cached_key(|d| (order(&d.place.file), d.place.line, d.place.column));
        let (errors, others) = (self.errors_left_out, self.others_left_out);
        if errors + others > 0 {
            let place = Place::file(self.path(0));
            let message = format!("and {errors} more errors, {others} more remarks");
            self.diagnostics.push(match errors {
                0 => Diagnostic::warning("more", place, message),
                _ => Diagnostic::error("more", place, message),
            });
        }
        self.diagnostics
    }
}

impl Text<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Text::Given(bytes) => bytes,
            Text::Included(bytes) => bytes,
        }
    }
}
