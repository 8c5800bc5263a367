//! Addresses: IPv4 and IPv6, prefixes, ports, EUIs, locators.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::line::{Line, Wire};
use super::number::decimal;
use super::words::{Fault, Word, Words};

/// Address families of RFC 3123 §4.
const FAMILY_IPV4: u16 = 1;
const FAMILY_IPV6: u16 = 2;

/// Reads an IPv4 address.
pub(super) fn read_ipv4(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("an IPv4 address")?;
    let address: Option<Ipv4Addr> = word.ascii().and_then(|t| t.parse().ok());
    wire.extend_from_slice(&address.ok_or_else(|| bad_address(word, "an IPv4"))?.octets());
    Ok(())
}

/// Reads an IPv6 address.
pub(super) fn read_ipv6(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("an IPv6 address")?;
    let address: Option<Ipv6Addr> = word.ascii().and_then(|t| t.parse().ok());
    wire.extend_from_slice(&address.ok_or_else(|| bad_address(word, "an IPv6"))?.octets());
    Ok(())
}

fn bad_address(word: Word<'_>, kind: &str) -> Fault {
    word.fault("bad-address", format!("`{}` is not {kind} address", word.shown()))
}

/// Writes an IPv4 address.
pub(super) fn write_ipv4(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let octets: [u8; 4] = wire.take(4)?.try_into().ok()?;
    line.word(Ipv4Addr::from(octets));
    Some(())
}

/// Writes an IPv6 address.
pub(super) fn write_ipv6(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let octets: [u8; 16] = wire.take(16)?.try_into().ok()?;
    line.word(Ipv6Addr::from(octets));
    Some(())
}

/// Reads items `[!]family:address/prefix` (RFC 3123 §5); there may be none.
pub(super) fn read_prefixes(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    while let Some(word) = words.take() {
        let bad = || word.fault("bad-address", format!("`{}` is no APL item", word.shown()));
        let item = word.ascii().and_then(prefix_item).ok_or_else(bad)?;
        wire.extend_from_slice(&item);
    }
    Ok(())
}

fn prefix_item(text: &str) -> Option<Vec<u8>> {
    let (negation, text) = match text.strip_prefix('!') {
        Some(rest) => (0x80, rest),
        None => (0, text),
    };
    let (family, rest) = text.split_once(':')?;
    let (address, prefix) = rest.split_once('/')?;
    let family: u16 = family.parse().ok()?;
    let prefix: u8 = prefix.parse().ok()?;
    let (octets, bits_max) = match family {
        FAMILY_IPV4 => (address.parse::<Ipv4Addr>().ok()?.octets().to_vec(), 32),
        FAMILY_IPV6 => (address.parse::<Ipv6Addr>().ok()?.octets().to_vec(), 128),
        _ => return None,
    };
    if prefix > bits_max {
        return None;
    }
    // RFC 3123 §4: trailing zero octets are not sent.
    let len = octets.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    let mut item = family.to_be_bytes().to_vec();
    item.extend_from_slice(&[prefix, negation | len as u8]);
    item.extend_from_slice(octets.get(..len)?);
    Some(item)
}

/// Writes APL items.
pub(super) fn write_prefixes(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    while !wire.is_empty() {
        let family = wire.number(2)? as u16;
        let prefix = wire.number(1)?;
        let length = wire.number(1)? as usize;
        let negation = if length & 0x80 != 0 { "!" } else { "" };
        let part = wire.take(length & 0x7f)?;
        let mut octets = [0u8; 16];
        octets.get_mut(..part.len())?.copy_from_slice(part);
        match family {
            FAMILY_IPV4 if prefix <= 32 && part.len() <= 4 => {
                let [a, b, c, d, ..] = octets;
                line.word(format_args!("{negation}1:{}/{prefix}", Ipv4Addr::new(a, b, c, d)));
            }
            FAMILY_IPV6 if prefix <= 128 => {
                line.word(format_args!("{negation}2:{}/{prefix}", Ipv6Addr::from(octets)));
            }
            _ => return None,
        }
        if part.last() == Some(&0) {
            return None;
        }
    }
    Some(())
}

/// Protocols and services that WKS records name (RFC 1010); others by number.
const PROTOCOLS: [(&str, u8); 2] = [("tcp", 6), ("udp", 17)];
const SERVICES: [(&str, u16); 18] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("tftp", 69),
    ("finger", 79),
    ("http", 80),
    ("pop3", 110),
    ("nntp", 119),
    ("ntp", 123),
    ("imap", 143),
    ("https", 443),
];

/// Reads a protocol and ports, into a bitmap.
pub(super) fn read_services(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a protocol")?;
    let named = |w: Word<'_>| PROTOCOLS.iter().find(|(n, _)| is_word(w, n)).map(|&(_, p)| p);
    let number = decimal(word.bytes).and_then(|n| u8::try_from(n).ok());
    let Some(protocol) = number.or_else(|| named(word)) else {
        return Err(word.fault("bad-number", format!("`{}` is no protocol", word.shown())));
    };
    wire.push(protocol);
    let mut bitmap = Vec::new();
    while let Some(word) = words.take() {
        let named = || SERVICES.iter().find(|(n, _)| is_word(word, n)).map(|&(_, p)| p);
        let number = decimal(word.bytes).and_then(|n| u16::try_from(n).ok());
        let Some(port) = number.or_else(named) else {
            return Err(word.fault("bad-number", format!("`{}` is no port", word.shown())));
        };
        let (octet, bit) = (usize::from(port / 8), port % 8);
        if bitmap.len() <= octet {
            bitmap.resize(octet + 1, 0);
        }
        bitmap[octet] |= 0x80 >> bit;
    }
    wire.extend_from_slice(&bitmap);
    Ok(())
}

fn is_word(word: Word<'_>, text: &str) -> bool {
    word.bytes.eq_ignore_ascii_case(text.as_bytes())
}

/// Writes a protocol and ports, as numbers.
pub(super) fn write_services(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    line.word(wire.number(1)?);
    let bitmap = wire.rest();
    if bitmap.len() > 8_192 || bitmap.last() == Some(&0) {
        return None;
    }
    for (octet, &bits) in bitmap.iter().enumerate() {
        (0..8).filter(|bit| bits & (0x80 >> bit) != 0).for_each(|bit| line.word(octet * 8 + bit));
    }
    Some(())
}

/// Reads so many octets as pairs of hexadecimal digits with hyphens.
pub(super) fn read_eui(
    octets: usize,
    words: &mut Words<'_>,
    wire: &mut Vec<u8>,
) -> Result<(), Fault> {
    let word = words.expect("an EUI address")?;
    let parts: Option<Vec<u8>> = word.bytes.split(|&b| b == b'-').map(hex_pair).collect();
    let parts = parts.filter(|p| p.len() == octets);
    wire.extend_from_slice(&parts.ok_or_else(|| bad_address(word, "an EUI"))?);
    Ok(())
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    Some((char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?) as u8)
}

/// Writes an EUI address.
pub(super) fn write_eui(octets: usize, wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let pairs: Vec<String> = wire.take(octets)?.iter().map(|b| format!("{b:02x}")).collect();
    line.word(pairs.join("-"));
    Some(())
}

/// Reads 64 bits as four groups of up to four hexadecimal digits.
pub(super) fn read_locator(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a locator")?;
    let group = |digits: &str| {
        let plain = (1..=4).contains(&digits.len()) && !digits.starts_with('+');
        plain.then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let groups: Option<Vec<u16>> = word.ascii().and_then(|t| t.split(':').map(group).collect());
    let Some(groups) = groups.filter(|g| g.len() == 4) else {
        return Err(bad_address(word, "a four-group"));
    };
    wire.extend(groups.into_iter().flat_map(u16::to_be_bytes));
    Ok(())
}

/// Writes a locator.
pub(super) fn write_locator(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let number = wire.number(8)?;
    let group = |shift: u32| number >> shift & 0xffff;
    line.word(format_args!(
        "{:04x}:{:04x}:{:04x}:{:04x}",
        group(48),
        group(32),
        group(16),
        group(0)
    ));
    Some(())
}
