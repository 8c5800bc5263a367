//! One address in one file, without reading the rest of it: what a database says, and which lines of overrides.csv hold it.
//!
//! The slow path beside [`World`](super::World): the same records read by the same code, found by the database's own tree.

use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Reader};

use crate::diagnostic::{Diagnostic, Place as Where};
use crate::number::PrefixLen;

use super::place::Place;
use super::prefix::{Prefix, embedded_v4, special_blocks};
use super::record::Value;

/// What the database says of `address`, and how long the prefix around it is that it says this of. `path` is how the
/// operator knows it. As in a world: IPv6 forms of IPv4 are looked up as IPv4, and of special-purpose addresses nothing
/// is known.
///
/// # Errors
/// `geo-database-broken`: it cannot be read as far as this takes. Whether the rest is sound only a whole reading tells.
#[allow(clippy::result_large_err, reason = "rare, and the diagnostic is the point")]
pub fn look_up(
    path: &str,
    bytes: &[u8],
    address: IpAddr,
) -> Result<(Place, PrefixLen), Diagnostic> {
    let (address, shift) = seen_through(address);
    if let Some(block) = special_blocks().find(|block| block.contains(address)) {
        return Ok((Place::default(), PrefixLen(block.len.0 + shift)));
    }
    let reader = Reader::from_source(bytes).map_err(|error| broken(path, &error))?;
    if address.is_ipv6() && reader.metadata().ip_version == 4 {
        return Ok((Place::default(), PrefixLen(0)));
    }
    let (place, len) = find(&reader, address).map_err(|error| broken(path, &error))?;
    Ok((place, PrefixLen(len + shift)))
}

fn find(reader: &Reader<&[u8]>, address: IpAddr) -> Result<(Place, u8), MaxMindDbError> {
    let found = reader.lookup(address)?;
    let value: Option<Value> = found.decode()?;
    let network = found.network()?;
    // A record above ::/96, where IPv6 databases keep IPv4, speaks for all of IPv4.
    let above = if address.is_ipv4() && network.ip().is_ipv6() { 96 } else { 0 };
    let len = network.prefix().saturating_sub(above);
    Ok((value.as_ref().map(Value::place).unwrap_or_default(), len))
}

fn broken(path: &str, error: &MaxMindDbError) -> Diagnostic {
    let message = format!("the database is broken: {error}");
    Diagnostic::error("geo-database-broken", Where::file(path), message)
        .help("fetch it again and compare its size or checksum with what its publisher says")
}

/// The IPv4 address that `address` embeds, with the bits before it; else itself.
fn seen_through(address: IpAddr) -> (IpAddr, u8) {
    embedded_v4(address).map_or((address, 0), |(v4, shift)| (IpAddr::V4(v4), shift))
}

/// A line of overrides.csv.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideLine {
    /// Its number, from 1.
    pub number: u32,
    /// Its prefix.
    pub prefix: Prefix,
    /// What follows the prefix, as written.
    pub text: String,
}

/// The lines of overrides.csv that hold `address`, the one that decides first: the longest prefix.
pub fn override_lines(text: &[u8], address: IpAddr) -> Vec<OverrideLine> {
    let (address, _) = seen_through(address);
    let line = |(number, line): (u32, &[u8])| {
        let line = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}');
        let (prefix, text) = line.split_once(',')?;
        let prefix = Prefix::parse(prefix.trim()).ok().filter(|it| it.contains(address))?;
        Some(OverrideLine { number, prefix, text: text.trim().to_owned() })
    };
    let lines = (1u32..).zip(text.split(|&byte| byte == b'\n'));
    let mut lines: Vec<OverrideLine> = lines.filter_map(line).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.prefix.len));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_hold_an_address_come_longest_first() {
        let text = "\u{feff}# prefix,place\n192.0.2.0/24,EU-DE,office\r\n0.0.0.0/0,NA\nx\n\
                    2001:db8::/32,EU\n192.0.2.128/25 , fra , rack\n";
        let found = |address: &str| -> Vec<(u32, String)> {
            let lines = override_lines(text.as_bytes(), address.parse().unwrap());
            lines.into_iter().map(|line| (line.number, line.text)).collect()
        };
        let line = |number, text: &str| (number, text.to_owned());
        let all = [line(6, "fra , rack"), line(2, "EU-DE,office"), line(3, "NA")];
        assert_eq!(found("192.0.2.200"), all);
        assert_eq!(found("::ffff:192.0.2.200"), all);
        assert_eq!(found("2001:db8::1"), [line(5, "EU")]);
        assert_eq!(found("2001:db9::1"), []);
    }

    #[test]
    fn what_is_no_database_is_refused_and_special_addresses_are_nowhere() {
        let address = "193.0.0.1".parse().unwrap();
        assert_eq!(look_up("geo/x.mmdb", b"x", address).unwrap_err().code, "geo-database-broken");
        let nowhere = look_up("geo/x.mmdb", b"x", "2002:a00:1::".parse().unwrap()).unwrap();
        assert_eq!(nowhere, (Place::default(), PrefixLen(24)));
    }
}
