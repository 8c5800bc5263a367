//! A whole file formatted, and the proof that it says what it said.

use crate::diagnostic::{Diagnostic, Place, has_error};
use crate::wire::{Class, Name, Rtype};

use super::super::assemble::Record;
use super::super::lexer::{Entry, Lexer};
use super::super::parser::read;
use super::super::rdata::period;
use super::super::state::Found;
use super::layout::{Block, ClassStyle, Piece, draw};
use super::record::{compose, compose_directive};
use super::source::{Item, Logical, Note, Source};

/// The text of a master file in canonical form: the same records in the same order, the same comments, the same lines
/// apart, in columns. `path` is how the operator knows the file, `origin` what its names are relative to.
///
/// Files that are included are not looked into: where they stand, and with which origin, is part of what stays the same.
///
/// # Errors
///
/// The errors of the file, as [`super::super::parse`] words them, as far as they are those of single records; or
/// `fmt-would-change`, if what was written did not read as what was there.
pub fn format(path: &str, text: &[u8], origin: &Name) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let (before, said) = Reading::of(path, text, origin);
    if has_error(&said) {
        return Err(said.into_iter().filter(Diagnostic::is_error).collect());
    }
    let formatted = lay_out(text);
    let (after, _) = Reading::of(path, &formatted, origin);
    match before.differs(&after) {
        None => Ok(formatted),
        Some((line, what)) => {
            let error = Diagnostic::error("fmt-would-change", Place::at(path, line, 0), what)
                .help("this is a fault of fmt, and the file is not to blame: please report it with the lines around")
                .excerpt_from(text);
            Err(vec![error])
        }
    }
}

fn lay_out(text: &[u8]) -> Vec<u8> {
    let class = class_style(text);
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    let mut block = None;
    let mut wants_blank = false;
    for item in Source::new(text) {
        match item {
            Item::Blank => {
                flush(&mut block, class, text, &mut out);
                wants_blank = !out.is_empty();
            }
            Item::Comment(note) if note.is_under && join_under(&mut block, note) => {}
            Item::Comment(note) => {
                flush(&mut block, class, text, &mut out);
                blank(&mut wants_blank, &mut out);
                out.extend_from_slice(note.bytes(text));
                out.push(b'\n');
            }
            Item::Entry(entry) => {
                if !is_of(&block, &entry, text) {
                    flush(&mut block, class, text, &mut out);
                    blank(&mut wants_blank, &mut out);
                }
                join(&mut block, &entry, text);
            }
        }
    }
    flush(&mut block, class, text, &mut out);
    out
}

/// The first record of a file decides whether classes are written.
fn class_style(text: &[u8]) -> ClassStyle {
    let mut lexer = Lexer::new(text);
    let mut entry = Entry::default();
    while let Some(Ok(())) = lexer.next(&mut entry) {
        let Some(first) = entry.tokens.first() else { continue };
        if first.bytes(text).starts_with(b"$") && !first.quoted {
            continue;
        }
        let words = entry.tokens.iter().skip(usize::from(!entry.blank_owner));
        for word in words.map(|token| token.bytes(text)) {
            let word_text = std::str::from_utf8(word).unwrap_or_default();
            if Rtype::parse(word_text).is_some() {
                return ClassStyle::LeftOut;
            } else if Class::parse(word_text).is_some() {
                return ClassStyle::Written;
            } else if period(word).is_none() {
                break;
            }
        }
    }
    ClassStyle::LeftOut
}

fn is_directive(entry: &Logical, text: &[u8]) -> bool {
    entry.tokens.first().is_some_and(|first| !first.quoted && first.bytes(text).starts_with(b"$"))
}

/// Whether `entry` belongs to `block`.
fn is_of(block: &Option<Block>, entry: &Logical, text: &[u8]) -> bool {
    match block {
        None => false,
        Some(Block::Rows(_)) => !is_directive(entry, text),
        Some(Block::Directives(_)) => is_directive(entry, text),
    }
}

fn join(block: &mut Option<Block>, entry: &Logical, text: &[u8]) {
    if is_directive(entry, text) {
        let notes: Vec<Note> = entry.lines.iter().filter_map(|(_, note)| *note).collect();
        let piece = Piece::Member((compose_directive(entry, text), notes));
        match block {
            Some(Block::Directives(pieces)) => pieces.push(piece),
            _ => *block = Some(Block::Directives(vec![piece])),
        }
    } else {
        let piece = Piece::Member(compose(entry, text));
        match block {
            Some(Block::Rows(pieces)) => pieces.push(piece),
            _ => *block = Some(Block::Rows(vec![piece])),
        }
    }
}

/// Adds a comment that goes on with the one above; false if there is no block to add it to.
fn join_under(block: &mut Option<Block>, note: Note) -> bool {
    match block {
        Some(Block::Rows(pieces)) => match pieces.last_mut() {
            Some(Piece::Member(row)) if row.body.ends_in_comment() => row.body.go_on(note),
            _ => pieces.push(Piece::Under(note)),
        },
        Some(Block::Directives(pieces)) => pieces.push(Piece::Under(note)),
        None => return false,
    }
    true
}

fn flush(block: &mut Option<Block>, class: ClassStyle, text: &[u8], out: &mut Vec<u8>) {
    if let Some(block) = block.take() {
        draw(block, class, text, out);
    }
}

fn blank(wants_blank: &mut bool, out: &mut Vec<u8>) {
    if std::mem::take(wants_blank) {
        out.push(b'\n');
    }
}

/// What a text says: its records in order, what is said of them, and its comments.
struct Reading<'a> {
    text: &'a [u8],
    found: Found<'a>,
    codes: Vec<&'static str>,
}

impl<'a> Reading<'a> {
    fn of(path: &str, text: &'a [u8], origin: &Name) -> (Reading<'a>, Vec<Diagnostic>) {
        let mut found = read(path, text, origin, &probe);
        let said = std::mem::take(&mut found.report).finish();
        let codes = said.iter().map(|d| d.code).collect();
        (Reading { text, found, codes }, said)
    }

    /// The line, and what is different there.
    fn differs(&self, after: &Reading<'_>) -> Option<(u32, &'static str)> {
        let (one, two) = (&self.found.records, &after.found.records);
        let mut others = two.iter();
        for (name, record) in one.iter() {
            let same = |(other_name, other): (&Name, &Record)| {
                name.as_wire() == other_name.as_wire()
                    && (record.rtype, record.ttl) == (other.rtype, other.ttl)
                    && record.rdata == other.rdata
            };
            if !others.next().is_some_and(same) {
                return Some((record.mark.token.line, "formatting would change this record"));
            }
        }
        if others.next().is_some() || self.codes != after.codes {
            return Some((0, "formatting would change what the file says"));
        }
        let mut kept = comments(after.text);
        let lost = comments(self.text).any(|note| !kept.any(|other| other == note));
        lost.then_some((0, "formatting would lose a comment"))
    }
}

/// The comments of a text, in order.
fn comments(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    Source::new(text).flat_map(move |item| {
        let notes: Vec<Note> = match item {
            Item::Blank => Vec::new(),
            Item::Comment(note) => vec![note],
            Item::Entry(entry) => entry.lines.iter().filter_map(|(_, note)| *note).collect(),
        };
        notes.into_iter().map(|note| note.bytes(text).to_vec()).collect::<Vec<_>>()
    })
}

/// What stands in the place of an included file: one record that tells its path, and with which origin, owner and TTL it
/// would be read.
fn probe(path: &str, _: &str) -> Result<(String, std::sync::Arc<[u8]>), String> {
    let hex = data_encoding::HEXLOWER.encode(path.as_bytes());
    let record = format!("@ TYPE65280 \\# {} {hex}\n", path.len());
    Ok((path.to_owned(), record.into_bytes().into()))
}
