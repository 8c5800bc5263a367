//! Service parameters of SVCB and HTTPS (RFC 9460 §2.1, §7, appendix A).

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::BASE64;

use super::bytes::base64;
use super::line::{Line, Wire};
use super::number::decimal;
use super::string::{Quoted, octets};
use super::words::{Fault, Word, Words};

/// SvcParamKeys by number (IANA). Others are written `keyNNNNN`.
const KEYS: [&str; 10] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
    "ohttp",
    "tls-supported-groups",
];
const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;
const GROUPS: u16 = 9;
/// "Invalid key": reserved (RFC 9460 §14.3.2).
const INVALID: u16 = 65_535;

/// Reads `key[=value]` words; they may stand in any order and are written in that of their numbers
/// (RFC 9460 §2.2).
pub(super) fn read(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let mut parameters: Vec<(u16, Vec<u8>)> = Vec::new();
    while let Some(word) = words.take() {
        let (key, value) = match word.bytes.iter().position(|&b| b == b'=') {
            Some(at) => (&word.bytes[..at], Some(&word.bytes[at + 1..])),
            None => (word.bytes, None),
        };
        let Some(key) = parse_key(key).filter(|_| !word.token.quoted) else {
            return Err(Fault {
                help: "keys are such as alpn, port, ipv4hint, or key65333 (RFC 9460 §2.1)",
                ..word.fault("bad-parameter", format!("`{}` has no known key", word.shown()))
            });
        };
        let value = match (value, words.peek()) {
            (Some(b""), Some(next)) if next.token.quoted && next.token.joined => {
                words.expect("a value")?;
                Some(next)
            }
            (value, _) => value.map(|bytes| Word { bytes, ..word }),
        };
        let value = read_value(key, word, value)?;
        parameters.push((key, value));
    }
    parameters.sort_by_key(|(key, _)| *key);
    if let Some([(key, _), _]) = parameters.array_windows().find(|[a, b]| a.0 == b.0) {
        let message = format!("the key {} stands twice", key_text(*key));
        return Err(words.fault("bad-parameter", message));
    }
    if let Some(why) = broken_rule(&parameters) {
        return Err(words.fault("bad-parameter", why));
    }
    for (key, value) in parameters {
        let Ok(len) = u16::try_from(value.len()) else {
            return Err(words.fault("rdata-too-long", "a value is longer than 65535 octets"));
        };
        wire.extend_from_slice(&key.to_be_bytes());
        wire.extend_from_slice(&len.to_be_bytes());
        wire.extend_from_slice(&value);
    }
    Ok(())
}

fn parse_key(text: &[u8]) -> Option<u16> {
    let known = KEYS.iter().position(|k| text.eq_ignore_ascii_case(k.as_bytes()));
    if let Some(key) = known {
        return Some(key as u16);
    }
    let (prefix, digits) = text.split_at_checked(3)?;
    // RFC 9460 §2.1: digits without leading zeros.
    let plain = digits == b"0" || !digits.starts_with(b"0");
    let key = decimal(digits).and_then(|n| u16::try_from(n).ok())?;
    (prefix.eq_ignore_ascii_case(b"key") && plain && key != INVALID).then_some(key)
}

fn key_text(key: u16) -> String {
    KEYS.get(usize::from(key)).map_or_else(|| format!("key{key}"), |k| (*k).to_owned())
}

/// The value in wire format.
fn read_value(key: u16, word: Word<'_>, value: Option<Word<'_>>) -> Result<Vec<u8>, Fault> {
    let generic = word.bytes.get(..3).is_some_and(|p| p.eq_ignore_ascii_case(b"key"));
    let bad = || word.fault("bad-parameter", format!("this is no value of {}", key_text(key)));
    let Some(value) = value else {
        let empty = generic || matches!(key, NO_DEFAULT_ALPN | OHTTP) || key >= KEYS.len() as u16;
        return if empty && is_value(key, b"") { Ok(Vec::new()) } else { Err(bad()) };
    };
    let text = octets(value)?;
    if generic {
        return if is_value(key, &text) { Ok(text) } else { Err(bad()) };
    }
    let out = match key {
        MANDATORY => each(&text, |item| Some(parse_key(item)?.to_be_bytes().to_vec())).map(sorted),
        ALPN => alpn_list(&text),
        PORT => {
            decimal(&text).and_then(|n| u16::try_from(n).ok()).map(|n| n.to_be_bytes().to_vec())
        }
        IPV4HINT => each(&text, |i| Some(ascii(i)?.parse::<Ipv4Addr>().ok()?.octets().to_vec())),
        IPV6HINT => each(&text, |i| Some(ascii(i)?.parse::<Ipv6Addr>().ok()?.octets().to_vec())),
        ECH => base64(&text),
        GROUPS => each(&text, |i| Some(u16::try_from(decimal(i)?).ok()?.to_be_bytes().to_vec())),
        _ => Some(text),
    };
    out.filter(|v| is_value(key, v)).ok_or_else(bad)
}

fn ascii(item: &[u8]) -> Option<&str> {
    std::str::from_utf8(item).ok()
}

/// Items by commas, each into octets.
fn each(text: &[u8], item: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let items: Option<Vec<Vec<u8>>> = text.split(|&b| b == b',').map(item).collect();
    items.map(|items| items.concat())
}

/// Pairs of octets in ascending order (RFC 9460 §8).
fn sorted(keys: Vec<u8>) -> Vec<u8> {
    let mut pairs: Vec<&[u8]> = keys.chunks(2).collect();
    pairs.sort_unstable();
    pairs.concat()
}

/// Protocol names by commas, where `\,` and `\\` are escapes of their own (RFC 9460 §A.1).
fn alpn_list(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0];
    let mut length_at = 0;
    let mut bytes = text.iter();
    loop {
        let byte = bytes.next();
        match byte {
            Some(b'\\') => out.push(*bytes.next()?),
            Some(b',') | None => {
                let len = out.len() - length_at - 1;
                *out.get_mut(length_at)? = u8::try_from(len).ok().filter(|&n| n > 0)?;
                if byte.is_none() {
                    return Some(out);
                }
                length_at = out.len();
                out.push(0);
            }
            Some(&other) => out.push(other),
        }
    }
}

/// Whether the octets are a value of `key`.
fn is_value(key: u16, value: &[u8]) -> bool {
    let groups = |octets: usize| !value.is_empty() && value.len().is_multiple_of(octets);
    match key {
        MANDATORY => {
            // RFC 9460 §8: ascending, none twice, never itself.
            let keys: Vec<&[u8]> = value.chunks(2).collect();
            groups(2) && keys.is_sorted_by(|a, b| a < b) && keys.first() != Some(&&[0u8, 0][..])
        }
        ALPN => alpn_items(value).is_some_and(|items| !items.is_empty()),
        NO_DEFAULT_ALPN | OHTTP => value.is_empty(),
        PORT => value.len() == 2,
        IPV4HINT => groups(4),
        IPV6HINT => groups(16),
        ECH => !value.is_empty(),
        // RFC 9461 §5: a relative URI template with the variable `dns`.
        DOHPATH => ascii(value).is_some_and(|t| t.starts_with('/') && t.contains("dns")),
        GROUPS => groups(2),
        _ => true,
    }
}

fn alpn_items(value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut wire = Wire::new(value);
    let mut items = Vec::new();
    while !wire.is_empty() {
        let len = wire.number(1).filter(|&n| n > 0)? as usize;
        items.push(wire.take(len)?);
    }
    Some(items)
}

/// The rule that the parameters, in order of their keys, together break, if any.
fn broken_rule(parameters: &[(u16, Vec<u8>)]) -> Option<&'static str> {
    let has = |key: u16| parameters.binary_search_by_key(&key, |(k, _)| *k).is_ok();
    if has(NO_DEFAULT_ALPN) && !has(ALPN) {
        return Some("no-default-alpn needs alpn (RFC 9460 §7.1.1)");
    }
    let mandatory = parameters.iter().find(|(k, _)| *k == MANDATORY)?;
    let listed = |pair: &[u8]| pair.try_into().is_ok_and(|p| has(u16::from_be_bytes(p)));
    let all = mandatory.1.chunks(2).all(listed);
    (!all).then_some("a key listed as mandatory is missing (RFC 9460 §8)")
}

/// Writes the parameters that are left.
pub(super) fn write(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    let mut parameters: Vec<(u16, Vec<u8>)> = Vec::new();
    while !wire.is_empty() {
        let key = wire.number(2)? as u16;
        let len = wire.number(2)? as usize;
        let value = wire.take(len)?;
        let ascends = parameters.last().is_none_or(|(last, _)| *last < key);
        if !ascends || key == INVALID || !is_value(key, value) {
            return None;
        }
        write_parameter(key, value, line)?;
        parameters.push((key, value.to_vec()));
    }
    broken_rule(&parameters).is_none().then_some(())
}

fn write_parameter(key: u16, value: &[u8], line: &mut Line) -> Option<()> {
    let name = key_text(key);
    let pairs = || value.chunks(2).filter_map(|c| Some(u16::from_be_bytes(c.try_into().ok()?)));
    let items: Vec<String> = match key {
        MANDATORY => pairs().map(key_text).collect(),
        GROUPS | PORT => pairs().map(|n| n.to_string()).collect(),
        IPV4HINT => addresses::<4, Ipv4Addr>(value),
        IPV6HINT => addresses::<16, Ipv6Addr>(value),
        ECH => vec![BASE64.encode(value)],
        ALPN => {
            let mut list = Vec::new();
            for (index, item) in alpn_items(value)?.into_iter().enumerate() {
                if index > 0 {
                    list.push(b',');
                }
                for &byte in item {
                    if matches!(byte, b',' | b'\\') {
                        list.push(b'\\');
                    }
                    list.push(byte);
                }
            }
            line.word(format_args!("{name}={}", Quoted(&list)));
            return Some(());
        }
        _ if value.is_empty() => {
            line.word(name);
            return Some(());
        }
        _ => {
            line.word(format_args!("{name}={}", Quoted(value)));
            return Some(());
        }
    };
    line.word(format_args!("{name}={}", items.join(",")));
    Some(())
}

fn addresses<const N: usize, A: From<[u8; N]> + ToString>(value: &[u8]) -> Vec<String> {
    let (chunks, _) = value.as_chunks::<N>();
    chunks.iter().map(|octets| A::from(*octets).to_string()).collect()
}
