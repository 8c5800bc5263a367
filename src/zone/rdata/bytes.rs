//! Octets: hexadecimal, base64, the generic form (RFC 3597 §5), NSAP and ATM addresses.

use std::fmt::Write as _;

use data_encoding::{BASE64, HEXUPPER};

use super::line::{Line, Wire};
use super::number::decimal;
use super::words::{Fault, Word, Words};

/// Reads `length octets` after the marker `\#`.
pub(super) fn read_generic(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("the number of octets")?;
    let Some(len) = decimal(word.bytes).filter(|&n| n <= u64::from(u16::MAX)) else {
        return Err(word.fault("bad-number", format!("`{}` is not a length", word.shown())));
    };
    if !words.is_empty() {
        let (first, digits) = gather(words, "hexadecimal digits")?;
        wire.extend_from_slice(&hex(&digits).ok_or_else(|| bad_hex(first))?);
    }
    if wire.len() as u64 != len {
        let message = format!("{len} octets are announced, {} follow", wire.len());
        return Err(word.fault("bad-rdata", message));
    }
    Ok(())
}

/// The generic form.
pub(super) fn to_generic(rdata: &[u8]) -> String {
    let mut text = format!("\\# {}", rdata.len());
    if !rdata.is_empty() {
        let written = write!(text, " {}", HEXUPPER.encode(rdata));
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    text
}

/// Reads the rest as hexadecimal, spaces between digits allowed.
pub(super) fn read_hex(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let (first, digits) = gather(words, "hexadecimal digits")?;
    // RFC 8078 §4 writes the digest of a deletion as a single zero.
    let octets = if digits == b"0" { Some(vec![0]) } else { hex(&digits) };
    wire.extend_from_slice(&octets.ok_or_else(|| bad_hex(first))?);
    Ok(())
}

/// Reads the rest as base64, spaces allowed.
pub(super) fn read_base64(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let (first, text) = gather(words, "base64")?;
    // RFC 8078 §4 writes the key of a deletion as a single zero.
    let octets = if text == b"0" { Some(vec![0]) } else { base64(&text) };
    wire.extend_from_slice(&octets.ok_or_else(|| bad_base64(first))?);
    Ok(())
}

/// Reads the rest as base64, or `-` for nothing.
pub(super) fn read_base64_or_dash(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    if words.peek().is_some_and(|w| w.bytes == b"-") {
        words.expect("base64")?;
        return Ok(());
    }
    read_base64(words, wire)
}

/// An NSAP address: `0x` and hexadecimal digits, dots anywhere.
pub(super) fn read_nsap(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("an NSAP address")?;
    let octets = match word.bytes {
        [b'0', b'x' | b'X', digits @ ..] => undotted_hex(digits),
        _ => None,
    };
    let bad = || word.fault("bad-address", format!("`{}` is no NSAP address", word.shown()));
    wire.extend_from_slice(&octets.ok_or_else(bad)?);
    Ok(())
}

/// An ATM address: `+` and the digits of an E.164 number, or hexadecimal digits, dots anywhere.
pub(super) fn read_atm(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("an ATM address")?;
    let octets = match word.bytes {
        [b'+', digits @ ..] => {
            let digits: Vec<u8> = digits.iter().copied().filter(|&b| b != b'.').collect();
            let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            all.then(|| [&[1], &digits[..]].concat())
        }
        digits => undotted_hex(digits).map(|octets| [&[0], &octets[..]].concat()),
    };
    let bad = || word.fault("bad-address", format!("`{}` is no ATM address", word.shown()));
    wire.extend_from_slice(&octets.ok_or_else(bad)?);
    Ok(())
}

/// Hexadecimal digits in pairs, at least one pair.
pub(super) fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.is_empty() {
        return None;
    }
    data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()
}

/// Base64 with its padding; at least one octet. Bits beyond the last octet are ignored, as other
/// servers do.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    if let Ok(octets) = BASE64.decode(text) {
        return Some(octets);
    }
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    let body = &text[..text.len() - padding];
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let (whole, last) = body.split_at_checked(body.len() - body.len() % 4)?;
    let mut octets = BASE64.decode(whole).ok()?;
    let bits = last.iter().try_fold(0u32, |n, &b| Some(n << 6 | sextet(b)?))?;
    match padding {
        2 => octets.push((bits >> 4) as u8),
        1 => octets.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    Some(octets)
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

fn undotted_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits.iter().copied().filter(|&b| b != b'.').collect();
    hex(&digits)
}

/// All words that are left, put together, and the first of them.
fn gather<'a>(words: &mut Words<'a>, what: &str) -> Result<(Word<'a>, Vec<u8>), Fault> {
    let first = words.expect(what)?;
    let mut all = first.bytes.to_vec();
    while let Some(word) = words.take() {
        all.extend_from_slice(word.bytes);
    }
    Ok((first, all))
}

fn bad_hex(word: Word<'_>) -> Fault {
    let message = format!("`{}` does not begin pairs of hexadecimal digits", word.shown());
    word.fault("bad-encoding", message)
}

fn bad_base64(word: Word<'_>) -> Fault {
    word.fault("bad-encoding", format!("`{}` does not begin padded base64", word.shown()))
}

/// Writes the rest in hexadecimal.
pub(super) fn write_hex(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let octets = wire.rest();
    (!octets.is_empty()).then(|| line.word(HEXUPPER.encode(octets)))
}

/// Writes the rest in base64.
pub(super) fn write_base64(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let octets = wire.rest();
    (!octets.is_empty()).then(|| line.word(BASE64.encode(octets)))
}

/// Writes an NSAP address.
pub(super) fn write_nsap(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let octets = wire.rest();
    (!octets.is_empty()).then(|| line.word(format_args!("0x{}", HEXUPPER.encode(octets))))
}

/// Writes an ATM address.
pub(super) fn write_atm(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let format = wire.number(1)?;
    let octets = wire.rest();
    if octets.is_empty() {
        return None;
    }
    match format {
        0 => line.word(HEXUPPER.encode(octets)),
        1 if octets.iter().all(u8::is_ascii_digit) => {
            line.word(format_args!("+{}", std::str::from_utf8(octets).ok()?))
        }
        _ => return None,
    }
    Some(())
}
