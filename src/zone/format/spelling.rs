//! How a word is spelt: the same octets, without escapes and quotes that nothing needs.

use std::net::Ipv6Addr;

use super::super::lexer::Token;
use super::super::rdata::Shape;

/// Characters of a name that have a meaning of their own somewhere in a master file, and stay escaped.
const SPECIAL_IN_NAMES: &[u8] = b".\\\"();@$";

/// The word of `token`, as its shape is spelt.
pub(super) fn spell(token: Token, text: &[u8], shape: Shape) -> Vec<u8> {
    let written = token.bytes(text);
    match shape {
        Shape::Name => name(token, written),
        Shape::Text => string(written),
        Shape::Parameter if token.quoted => string(written),
        _ if token.quoted && !is_plain(written) => string(written),
        Shape::Type => written.to_ascii_uppercase(),
        Shape::Period => written.to_ascii_lowercase(),
        Shape::Ipv6 => ipv6(written).unwrap_or_else(|| written.to_owned()),
        Shape::Plain | Shape::Blob | Shape::Parameter => written.to_owned(),
    }
}

/// A token as it was written, in quotes if it was.
pub(super) fn verbatim(token: Token, text: &[u8]) -> Vec<u8> {
    let written = token.bytes(text);
    if token.quoted { [b"\"", written, b"\""].concat() } else { written.to_owned() }
}

/// A domain name. Quotes become escapes, and escapes that nothing needs become the character.
pub(super) fn name(token: Token, text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return b"\"\"".to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Raw(b' ' | b'\t') if token.quoted => escape(piece.octet(), &mut out),
            Piece::Raw(byte @ (b';' | b'(' | b')')) => out.extend_from_slice(&[b'\\', byte]),
            Piece::Raw(b'$') if token.quoted && out.is_empty() => out.extend_from_slice(b"\\$"),
            Piece::Raw(byte) if byte < 0x20 || byte == 0x7f => escape(byte, &mut out),
            Piece::Raw(byte) => out.push(byte),
            Piece::Escaped(byte) if SPECIAL_IN_NAMES.contains(&byte) => {
                out.extend_from_slice(&[b'\\', byte]);
            }
            Piece::Escaped(byte @ 0x21..=0x7e) => out.push(byte),
            Piece::Escaped(byte) => escape(byte, &mut out),
            Piece::Torn(rest) => out.extend_from_slice(rest),
        }
    }
    out
}

/// A string in quotes. Octets above 127 stay as they were written: raw or escaped.
fn string(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for piece in pieces(text) {
        match piece {
            Piece::Raw(byte @ (b'"' | b'\\')) | Piece::Escaped(byte @ (b'"' | b'\\')) => {
                out.extend_from_slice(&[b'\\', byte]);
            }
            Piece::Escaped(byte @ 0x20..=0x7e) | Piece::Raw(byte @ (0x20..=0x7e | 0x80..)) => {
                out.push(byte);
            }
            Piece::Escaped(byte) | Piece::Raw(byte) => escape(byte, &mut out),
            Piece::Torn(rest) => out.extend_from_slice(rest),
        }
    }
    out.push(b'"');
    out
}

/// RFC 5952: the one recommended way to write it.
fn ipv6(text: &[u8]) -> Option<Vec<u8>> {
    let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_string().into_bytes())
}

/// Whether a word means the same without quotes, whatever it is.
fn is_plain(text: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"+/=:._-".contains(b);
    !text.is_empty() && text.iter().all(plain)
}

/// One octet of a word, by how it was written.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Raw(u8),
    Escaped(u8),
    /// An escape that is none, and the rest: only words that nobody unescapes have it.
    Torn(&'a [u8]),
}

impl Piece<'_> {
    fn octet(self) -> u8 {
        match self {
            Piece::Raw(byte) | Piece::Escaped(byte) => byte,
            Piece::Torn(_) => 0,
        }
    }
}

fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        let (piece, after) = match (first, after) {
            (b'\\', [a, b, c, after @ ..]) if a.is_ascii_digit() => match octet([*a, *b, *c]) {
                Some(byte) => (Piece::Escaped(byte), after),
                None => (Piece::Torn(rest), &[][..]),
            },
            (b'\\', [byte, after @ ..]) if !byte.is_ascii_digit() => match byte {
                // What has no other way to be written is as good as raw.
                0x80.. => (Piece::Raw(*byte), after),
                _ => (Piece::Escaped(*byte), after),
            },
            (b'\\', _) => (Piece::Torn(rest), &[][..]),
            _ => (Piece::Raw(first), after),
        };
        rest = after;
        Some(piece)
    })
}

/// The octet of three decimal digits.
fn octet(digits: [u8; 3]) -> Option<u8> {
    digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| std::str::from_utf8(&digits).ok()?.parse().ok())?
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\\{byte:03}").as_bytes());
}
