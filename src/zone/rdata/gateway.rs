//! Fields whose form an earlier one decides: IPSECKEY (RFC 4025), AMTRELAY (RFC 8777), HIP (RFC
//! 8005), A6 (RFC 2874).

use data_encoding::{BASE64, HEXUPPER};

use super::address::{read_ipv4, read_ipv6, write_ipv4, write_ipv6};
use super::bytes::{base64, hex};
use super::line::{Line, Wire};
use super::number::read as read_number;
use super::words::{Fault, Words};

/// Reads precedence, gateway type, algorithm, gateway.
pub(super) fn read_ipsec(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    read_number(1, &[], words, wire)?;
    read_number(1, &[], words, wire)?;
    let kind = wire.last().copied().unwrap_or_default();
    read_number(1, &[], words, wire)?;
    read_gateway(kind, words, wire)
}

/// Writes precedence, gateway type, algorithm, gateway.
pub(super) fn write_ipsec(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    line.word(wire.number(1)?);
    let kind = wire.number(1)? as u8;
    line.word(kind);
    line.word(wire.number(1)?);
    write_gateway(kind, wire, line)
}

/// Reads precedence, discovery bit, relay type, relay.
pub(super) fn read_amt(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    read_number(1, &[], words, wire)?;
    let discovery = words.expect("the discovery bit")?;
    let bit = match discovery.bytes {
        b"0" => 0,
        b"1" => 0x80,
        _ => return Err(discovery.fault("bad-number", "the discovery bit is neither 0 nor 1")),
    };
    read_number(1, &[], words, wire)?;
    let kind = wire.pop().unwrap_or_default();
    if kind > 127 {
        return Err(words.fault("bad-number", "a relay type is below 128"));
    }
    wire.push(bit | kind);
    read_gateway(kind, words, wire)
}

/// Writes precedence, discovery bit, relay type, relay.
pub(super) fn write_amt(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    line.word(wire.number(1)?);
    let octet = wire.number(1)? as u8;
    line.word(octet >> 7);
    line.word(octet & 0x7f);
    write_gateway(octet & 0x7f, wire, line)
}

fn read_gateway(kind: u8, words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    match kind {
        0 => {
            let word = words.expect("`.`, for no gateway")?;
            let none = word.bytes == b".";
            none.then_some(())
                .ok_or_else(|| word.fault("bad-rdata", "a gateway of type 0 is written `.`"))
        }
        1 => read_ipv4(words, wire),
        2 => read_ipv6(words, wire),
        3 => {
            wire.extend_from_slice(words.name()?.as_wire());
            Ok(())
        }
        _ => Err(words.fault("bad-number", "a gateway is of type 0, 1, 2 or 3")),
    }
}

fn write_gateway(kind: u8, wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    match kind {
        0 => line.word("."),
        1 => write_ipv4(wire, line)?,
        2 => write_ipv6(wire, line)?,
        3 => line.word(wire.name()?),
        _ => return None,
    }
    Some(())
}

/// Reads algorithm, tag in hexadecimal, key in base64, and the names of rendezvous servers.
pub(super) fn read_host_identity(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let mut algorithm = Vec::new();
    read_number(1, &[], words, &mut algorithm)?;
    let word = words.expect("a host identity tag")?;
    let Some(tag) = hex(word.bytes).filter(|t| t.len() <= 255) else {
        return Err(word.fault("bad-encoding", format!("`{}` is no tag", word.shown())));
    };
    let word = words.expect("a key")?;
    let Some(key) = base64(word.bytes).filter(|k| k.len() <= 65_535) else {
        return Err(word.fault("bad-encoding", format!("`{}` is no base64 key", word.shown())));
    };
    wire.push(tag.len() as u8);
    wire.extend_from_slice(&algorithm);
    wire.extend_from_slice(&(key.len() as u16).to_be_bytes());
    wire.extend_from_slice(&tag);
    wire.extend_from_slice(&key);
    while !words.is_empty() {
        wire.extend_from_slice(words.name()?.as_wire());
    }
    Ok(())
}

/// Writes a host identity.
pub(super) fn write_host_identity(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let tag_len = wire.number(1)? as usize;
    line.word(wire.number(1)?);
    let key_len = wire.number(2)? as usize;
    let tag = wire.take(tag_len)?;
    let key = wire.take(key_len)?;
    if tag.is_empty() || key.is_empty() {
        return None;
    }
    line.word(HEXUPPER.encode(tag));
    line.word(BASE64.encode(key));
    while !wire.is_empty() {
        line.word(wire.name()?);
    }
    Some(())
}

/// Octets of an address after a prefix of so many bits, and the bits of the first that are not the prefix's.
fn suffix(prefix_len: u8) -> Option<(usize, u8)> {
    let bits = 128u8.checked_sub(prefix_len)?;
    Some((usize::from(bits.div_ceil(8)), 0xff >> (prefix_len % 8)))
}

/// Reads prefix length, address suffix unless all is prefix, prefix name unless nothing is.
pub(super) fn read_prefixed(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let mut number = Vec::new();
    read_number(1, &[], words, &mut number)?;
    let prefix_len = number.first().copied().unwrap_or_default();
    let Some((len, mask)) = suffix(prefix_len) else {
        return Err(words.fault("bad-number", "a prefix has at most 128 bits"));
    };
    wire.push(prefix_len);
    if len > 0 {
        let mut address = Vec::new();
        read_ipv6(words, &mut address)?;
        // Bits of the prefix are zero (RFC 2874 §3.1).
        let mut octets = address.split_off(16 - len);
        octets.iter_mut().take(1).for_each(|first| *first &= mask);
        wire.extend_from_slice(&octets);
    }
    if prefix_len > 0 {
        wire.extend_from_slice(words.name()?.as_wire());
    }
    Ok(())
}

/// Writes prefix length, address suffix, prefix name.
pub(super) fn write_prefixed(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let prefix_len = wire.number(1)? as u8;
    line.word(prefix_len);
    let (len, mask) = suffix(prefix_len)?;
    if len > 0 {
        let octets = wire.take(len)?;
        let is_padded = octets.first().is_some_and(|first| first & !mask == 0);
        let address = [&[0; 16][len..], octets].concat();
        is_padded.then(|| write_ipv6(&mut Wire::new(&address), line))??;
    }
    if prefix_len > 0 {
        line.word(wire.name()?);
    }
    Some(())
}
