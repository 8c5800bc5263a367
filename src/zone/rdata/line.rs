//! What writing works on: the octets of rdata that are left, and the line of words they become.

use crate::wire::Name;

/// The octets of rdata that are left.
pub(super) struct Wire<'a> {
    bytes: &'a [u8],
}

impl<'a> Wire<'a> {
    /// Octets on their own, such as the value of a parameter.
    pub(super) fn new(bytes: &'a [u8]) -> Wire<'a> {
        Wire { bytes }
    }

    /// The next `count` octets.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(count)?;
        self.bytes = tail;
        Some(head)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// How many are left.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A big-endian number of so many octets, at most eight.
    pub(super) fn number(&mut self, octets: usize) -> Option<u64> {
        Some(self.take(octets)?.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// A name, not compressed.
    pub(super) fn name(&mut self) -> Option<Name> {
        let (name, len) = Name::from_wire(self.bytes).ok()?;
        self.take(len)?;
        Some(name)
    }
}

/// Words with one space between them.
#[derive(Default)]
pub(super) struct Line {
    text: String,
}

impl Line {
    /// Appends one word.
    pub(super) fn word(&mut self, word: impl std::fmt::Display) {
        use std::fmt::Write;
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let written = write!(self.text, "{word}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }

    /// The words.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}
