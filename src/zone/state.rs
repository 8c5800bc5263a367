//! What is carried while a zone is read: over all its files, and from one entry to the next.

use crate::number::Ttl;
use crate::wire::Name;

use super::assemble::Records;
use super::lexer::Token;
use super::report::{Mark, Report, Text};

/// What the files of a zone have brought so far.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) report: Report<'a>,
    pub(super) records: Records,
}

/// What is carried from one entry to the next, within one file.
#[derive(Clone)]
pub(super) struct State {
    pub(super) source: u32,
    pub(super) depth: usize,
    pub(super) origin: Name,
    /// Index of the last owner name among the records.
    pub(super) owner: Option<Owner>,
    /// The TTL of `$TTL` (RFC 2308 §4).
    pub(super) default_ttl: Option<Ttl>,
    /// The TTL of the record before (RFC 1035 §5.1).
    pub(super) last_ttl: Option<Ttl>,
    /// The directive that generates the text being read: what goes wrong there is said of it.
    pub(super) generated: Option<Mark>,
}

/// The owner of the record before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// An index among the owners of the records.
    Known(u32),
    /// It was no name; its records are read for their mistakes and not kept.
    Bad,
}

impl<'a> Found<'a> {
    /// Nothing found yet in the one file of this content.
    pub(super) fn opened(path: &str, text: Text<'a>) -> Found<'a> {
        let mut found = Found::default();
        found.report.open(path, text);
        found
    }

    /// The owner of the record before.
    pub(super) fn owner(&self, state: &State) -> Option<&Name> {
        match state.owner {
            Some(Owner::Known(index)) => self.records.owner_at(index),
            Some(Owner::Bad) | None => None,
        }
    }

    /// A TTL of `secs`, with a warning where RFC 2181 §8 makes it zero.
    pub(super) fn bounded_ttl(&mut self, secs: u32, mark: Mark) -> Ttl {
        if secs > Ttl::MAX.as_secs() {
            let message = format!("a TTL of {secs} is over 2147483647 and means 0 (RFC 2181 §8)");
            self.report.warning(mark, "ttl-too-large", message, "write what is meant");
        }
        Ttl::from_secs(secs)
    }
}

impl State {
    /// The state at the start of a file.
    pub(super) fn first(source: u32, origin: &Name) -> State {
        State {
            source,
            depth: 0,
            origin: origin.clone(),
            owner: None,
            default_ttl: None,
            last_ttl: None,
            generated: None,
        }
    }

    /// Where `token` stands, or the directive that generated it.
    pub(super) fn mark(&self, token: Token) -> Mark {
        self.generated.unwrap_or(Mark { source: self.source, token })
    }
}
