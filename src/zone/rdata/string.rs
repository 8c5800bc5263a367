//! Strings: character strings, tags, and values that fill the rest of the rdata.

use std::fmt;

use super::line::{Line, Wire};
use super::words::{Fault, Word, Words};

/// Octets of the longest <character-string> (RFC 1035 §3.3).
const STRING_LEN_MAX: usize = 255;

/// Appends the octets that `text` stands for: `\DDD` is an octet, `\X` is X (RFC 1035 §5.1). None
/// for a bad escape.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&first, after) = rest.split_first()?;
        if !first.is_ascii_digit() {
            out.push(first);
            rest = after;
            continue;
        }
        let (digits, after) = rest.split_at_checked(3)?;
        out.push(u8::try_from(super::number::decimal(digits)?).ok()?);
        rest = after;
    }
    Some(())
}

/// The octets of a word.
pub(super) fn octets(word: Word<'_>) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::with_capacity(word.bytes.len());
    unescape(word.bytes, &mut out).ok_or_else(|| Fault {
        help: "a backslash needs a character, or three digits up to 255, after it",
        ..word.fault("bad-escape", format!("`{}` has a bad escape", word.shown()))
    })?;
    Ok(out)
}

/// Reads one <character-string>.
pub(super) fn read(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a string")?;
    append(word, wire)
}

/// Reads one or more <character-string>s.
pub(super) fn read_all(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    read(words, wire)?;
    while let Some(word) = words.take() {
        append(word, wire)?;
    }
    Ok(())
}

/// Reads a value that fills the rest.
pub(super) fn read_long(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a string")?;
    wire.extend_from_slice(&octets(word)?);
    Ok(())
}

/// Reads a property tag.
pub(super) fn read_tag(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a property tag")?;
    if word.bytes.is_empty() || !word.bytes.iter().all(u8::is_ascii_alphanumeric) {
        let message = format!("the tag `{}` is not letters and digits", word.shown());
        return Err(word.fault("bad-string", message));
    }
    append(word, wire)
}

fn append(word: Word<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let length_at = wire.len();
    wire.push(0);
    // Most strings have no escapes and are copied as they stand.
    if word.bytes.contains(&b'\\') {
        wire.extend_from_slice(&octets(word)?);
    } else {
        wire.extend_from_slice(word.bytes);
    }
    let len = wire.len() - length_at - 1;
    if len > STRING_LEN_MAX {
        return Err(Fault {
            help: "split it: \"first part\" \"second part\"",
            ..word.fault("string-too-long", format!("a string of {len} octets; 255 are allowed"))
        });
    }
    wire[length_at] = len as u8;
    Ok(())
}

/// Octets in quotes, escaped.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for &byte in self.0 {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", byte as char)?,
                0x20..=0x7e => write!(f, "{}", byte as char)?,
                _ => write!(f, "\\{byte:03}")?,
            }
        }
        f.write_str("\"")
    }
}

/// Writes one <character-string>.
pub(super) fn write(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let len = wire.number(1)? as usize;
    line.word(Quoted(wire.take(len)?));
    Some(())
}

/// Writes one or more <character-string>s.
pub(super) fn write_all(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    write(wire, line)?;
    while !wire.is_empty() {
        write(wire, line)?;
    }
    Some(())
}

/// Writes the rest as one string.
pub(super) fn write_long(wire: &mut Wire<'_>, line: &mut Line) {
    line.word(Quoted(wire.rest()));
}

/// Writes a property tag.
pub(super) fn write_tag(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let len = wire.number(1)? as usize;
    let tag = std::str::from_utf8(wire.take(len)?).ok()?;
    (!tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| line.word(tag))
}
