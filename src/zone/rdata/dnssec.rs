//! Fields of DNSSEC records: times, salts, hashes, type bitmaps (RFC 4034, RFC 5155).

use data_encoding::{BASE32HEX_NOPAD, HEXUPPER};

use crate::wire::Rtype;

use super::bytes::hex;
use super::line::{Line, Wire};
use super::number::Time;
use super::words::{Fault, Words};

/// Reads a point in time.
pub(super) fn read_time(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a time")?;
    let Some(time) = Time::parse(word.bytes) else {
        let message = format!("`{}` is no time as YYYYMMDDHHmmSS", word.shown());
        return Err(word.fault("bad-time", message));
    };
    wire.extend_from_slice(&time.0.to_be_bytes());
    Ok(())
}

/// Reads a salt.
pub(super) fn read_salt(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a salt")?;
    let salt = if word.bytes == b"-" { Some(Vec::new()) } else { hex(word.bytes) };
    let Some(salt) = salt.filter(|s| s.len() <= 255) else {
        return Err(word.fault("bad-encoding", format!("`{}` is no salt", word.shown())));
    };
    wire.push(salt.len() as u8);
    wire.extend_from_slice(&salt);
    Ok(())
}

/// Writes a salt.
pub(super) fn write_salt(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let len = wire.number(1)? as usize;
    let salt = wire.take(len)?;
    if salt.is_empty() {
        line.word("-")
    } else {
        line.word(HEXUPPER.encode(salt))
    }
    Some(())
}

/// Reads the next hashed owner name.
pub(super) fn read_hash(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a hash")?;
    let hash = BASE32HEX_NOPAD.decode(&word.bytes.to_ascii_uppercase()).ok();
    let Some(hash) = hash.filter(|h| (1..=255).contains(&h.len())) else {
        return Err(word.fault("bad-encoding", format!("`{}` is no base32hex hash", word.shown())));
    };
    wire.push(hash.len() as u8);
    wire.extend_from_slice(&hash);
    Ok(())
}

/// Writes a hash.
pub(super) fn write_hash(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let len = wire.number(1)? as usize;
    let hash = wire.take(len)?;
    (!hash.is_empty()).then(|| line.word(BASE32HEX_NOPAD.encode(hash)))
}

/// Reads the types that are left into a bitmap of windows (RFC 4034 §4.1.2).
pub(super) fn read_bitmap(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let mut types = read_types(words)?;
    types.sort_unstable();
    for window in types.chunk_by(|a, b| a >> 8 == b >> 8) {
        let mut bits = [0u8; 32];
        let mut len = 0;
        for &rtype in window {
            let octet = usize::from(rtype & 0xff) / 8;
            bits[octet] |= 0x80 >> (rtype % 8);
            len = len.max(octet + 1);
        }
        wire.extend_from_slice(&[(window[0] >> 8) as u8, len as u8]);
        wire.extend_from_slice(&bits[..len]);
    }
    Ok(())
}

fn read_types(words: &mut Words<'_>) -> Result<Vec<u16>, Fault> {
    let mut types = Vec::new();
    while let Some(word) = words.take() {
        let Some(rtype) = word.ascii().and_then(Rtype::parse) else {
            return Err(word.fault("unknown-type", format!("`{}` is not a type", word.shown())));
        };
        types.push(rtype.0);
    }
    Ok(types)
}

/// Writes the types of a bitmap of windows.
pub(super) fn write_bitmap(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let mut lowest = 0;
    while !wire.is_empty() {
        let window = wire.number(1)? as u16;
        let len = wire.number(1)? as usize;
        let bits = wire.take(len)?;
        // RFC 4034 §4.1.2: windows ascend, hold 1 to 32 octets, and end in one that is not zero.
        if window < lowest || !(1..=32).contains(&len) || bits.last() == Some(&0) {
            return None;
        }
        lowest = window + 1;
        write_types(window << 8, bits, line);
    }
    Some(())
}

fn write_types(base: u16, bits: &[u8], line: &mut Line) {
    for (octet, &byte) in bits.iter().enumerate().take(32) {
        for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
            line.word(Rtype(base | (octet as u16 * 8 + bit)));
        }
    }
}

/// Reads the types that are left into one plain bitmap, of types below 128 (RFC 2535 §5.2).
pub(super) fn read_old_bitmap(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let mut bits = Vec::new();
    for rtype in read_types(words)? {
        if rtype > 127 {
            return Err(words.fault("bad-rdata", "NXT holds types below 128 only"));
        }
        let octet = usize::from(rtype / 8);
        if bits.len() <= octet {
            bits.resize(octet + 1, 0u8);
        }
        bits[octet] |= 0x80 >> (rtype % 8);
    }
    wire.extend_from_slice(&bits);
    Ok(())
}

/// Writes the types of a plain bitmap.
pub(super) fn write_old_bitmap(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let bits = wire.rest();
    if bits.len() > 16 || bits.last() == Some(&0) {
        return None;
    }
    write_types(0, bits, line);
    Some(())
}
