//! A master file as its author sees it: entries with the comments in and after them, lines of comment, blank lines.
//!
//! Owns:  which comment belongs to which line. The entries are the lexer's; what stands between their tokens can only be
//!        white space, quotes, parentheses and comments.
//! Never: reads a text that the lexer finds a slip in.

use std::collections::VecDeque;

use super::super::lexer::{Entry, Lexer, Token};

/// One thing in a file, from top to bottom.
#[derive(Debug)]
pub(super) enum Item {
    /// One or more lines with nothing on them.
    Blank,
    /// A line with a comment alone.
    Comment(Note),
    /// A directive or a record.
    Entry(Logical),
}

/// An entry, with the lines that it stands on.
#[derive(Debug, Default)]
pub(super) struct Logical {
    /// Its tokens, at least one.
    pub(super) tokens: Vec<Token>,
    /// Whether its owner is that of the record before.
    pub(super) blank_owner: bool,
    /// Its lines: how many of the tokens stand on each, and the comment at its end.
    pub(super) lines: Vec<(usize, Option<Note>)>,
}

/// A comment, from its semicolon to the end of the line, less white space there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// First octet.
    pub(super) start: usize,
    /// One past the last.
    pub(super) end: usize,
    /// Whether it stands alone on its line, under the comment of the line above, and so goes on with it.
    pub(super) is_under: bool,
}

impl Note {
    /// Its octets, the semicolon first.
    pub(super) fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// Columns by which a comment may miss the one above that it goes on with.
const UNDER_SLACK: usize = 7;
/// The same within parentheses, where a comment of its own stands under the words, two columns off at least.
const UNDER_SLACK_WITHIN: usize = 1;
/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// Reads the items one after the other.
pub(super) struct Source<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    /// How far the text between tokens is read.
    at: usize,
    line_start: usize,
    /// What is known of the line that `at` is on.
    tokens_here: usize,
    has_parenthesis: bool,
    note_here: Option<Note>,
    /// The column of a comment that stands behind something on the line above, or goes on with such a one.
    column_above: Option<usize>,
    depth: usize,
    /// Lines read that belong to no entry, or not yet.
    lines: Vec<(usize, Option<Note>)>,
    ready: VecDeque<Item>,
}

impl<'a> Source<'a> {
    /// A source at the start of `text`.
    pub(super) fn new(text: &'a [u8]) -> Source<'a> {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Source {
            text,
            lexer: Lexer::new(text),
            at,
            line_start: at,
            tokens_here: 0,
            has_parenthesis: false,
            note_here: None,
            column_above: None,
            depth: 0,
            lines: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    fn refill(&mut self) -> Option<()> {
        let mut entry = Entry::default();
        let Some(Ok(())) = self.lexer.next(&mut entry) else {
            let is_left = self.at < self.text.len();
            self.walk_to(self.text.len());
            if is_left && (self.note_here.is_some() || self.at > self.line_start) {
                self.end_line();
                self.let_go();
            }
            return (!self.ready.is_empty()).then_some(());
        };
        for token in &entry.tokens {
            let quote = usize::from(token.quoted);
            self.walk_to((token.start as usize).saturating_sub(quote));
            self.tokens_here += 1;
            self.at = token.end as usize + quote;
        }
        self.walk_to_end_of_entry();
        let lines = std::mem::take(&mut self.lines);
        let Entry { tokens, blank_owner } = entry;
        self.ready.push_back(Item::Entry(Logical { tokens, blank_owner, lines }));
        Some(())
    }

    /// Reads what stands between tokens, up to `end`.
    fn walk_to(&mut self, end: usize) {
        while self.at < end {
            self.step(end);
        }
    }

    fn walk_to_end_of_entry(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            let is_end = byte == b'\n' && self.depth == 0;
            if is_end {
                self.end_line();
                self.at += 1;
                self.line_start = self.at;
                return;
            }
            self.step(self.text.len());
        }
        self.end_line();
    }

    fn step(&mut self, end: usize) {
        match self.text.get(self.at) {
            Some(b';') => return self.comment(end),
            Some(b'(') => {
                self.has_parenthesis = true;
                self.depth += 1;
            }
            Some(b')') => {
                self.has_parenthesis = true;
                self.depth = self.depth.saturating_sub(1);
            }
            Some(b'\n') => {
                self.end_line();
                if self.depth == 0 {
                    self.let_go();
                }
                self.line_start = self.at + 1;
            }
            _ => {}
        }
        self.at += 1;
    }

    fn comment(&mut self, end: usize) {
        let rest = self.text.get(self.at..end).unwrap_or_default();
        let len = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let trimmed = rest.get(..len).unwrap_or_default().trim_ascii_end().len();
        let column = self.column();
        let is_alone = self.tokens_here == 0 && !self.has_parenthesis;
        let slack = if self.depth == 0 { UNDER_SLACK } else { UNDER_SLACK_WITHIN };
        let near = self.column_above.is_some_and(|above| above.abs_diff(column) <= slack);
        let is_under = is_alone && column > 0 && near;
        self.note_here = Some(Note { start: self.at, end: self.at + trimmed, is_under });
        self.column_above = (!is_alone || is_under).then_some(column);
        self.at += len;
    }

    /// The column of `at`, from 0, as an editor shows it.
    fn column(&self) -> usize {
        let before = self.text.get(self.line_start..self.at).unwrap_or_default();
        before.iter().fold(0, |column, byte| match byte {
            b'\t' => (column / TAB + 1) * TAB,
            // Continuation octets of UTF-8, and what ends lines elsewhere, take no room.
            0x80..=0xbf | b'\r' => column,
            _ => column + 1,
        })
    }

    fn end_line(&mut self) {
        let note = self.note_here.take();
        self.has_parenthesis = false;
        if note.is_none() {
            self.column_above = None;
        }
        self.lines.push((std::mem::take(&mut self.tokens_here), note));
    }

    /// The lines so far belong to no entry.
    fn let_go(&mut self) {
        for (_, note) in self.lines.drain(..) {
            self.ready.push_back(note.map_or(Item::Blank, Item::Comment));
        }
    }
}

impl Iterator for Source<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while self.ready.is_empty() {
            self.refill()?;
        }
        self.ready.pop_front()
    }
}
