//! Databases in the MaxMind DB format into worlds: read whole, at load, never looked into again.
//!
//! Never: trusts a file. A broken one is refused as a whole, whatever is broken in it.

use std::collections::HashMap;
use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};

use crate::diagnostic::{Diagnostic, Place as Where};

use super::place::{Place, PlaceId};
use super::record::Value;
use super::sweep::LAST_V4;
use super::world::{Places, Source, Starts, World, without_special};

impl World {
    /// Reads a database. `path` is how the operator knows it. What it says of special-purpose
    /// addresses is left out: such a client may be anywhere.
    ///
    /// # Errors
    /// `geo-database-broken`: it is truncated, not in the format, or contradicts itself anywhere.
    /// `geo-database-useless`: it is sound, and tells nothing that we understand of any address.
    #[allow(clippy::result_large_err, reason = "rare, and the diagnostic is the point")]
    pub fn from_mmdb(path: &str, bytes: &[u8]) -> Result<World, Diagnostic> {
        let reader = Reader::from_source(bytes).map_err(|error| broken(path, &error))?;
        let metadata = reader.metadata();
        if !matches!(metadata.ip_version, 4 | 6) {
            return Err(refused(path, format!("IP version {} is unknown", metadata.ip_version)));
        }
        if metadata.build_epoch > BUILD_EPOCH_MAX {
            return Err(refused(path, "its build date lies beyond the year 9999".to_string()));
        }
        let shape = Shape::of(metadata);
        let v4_root = shape.v4_root(bytes);
        if !is_tree(bytes, &shape, v4_root) {
            return Err(refused(path, "its search tree has a circle".to_string()));
        }
        let mut options = WithinOptions::default().include_networks_without_data();
        if shape.holds_v6 && v4_root.is_none() {
            // Without a tree of IPv4 there is nothing to be an alias of; the reader would take for
            // one whatever has the record that stands in its place.
            options = options.include_aliased_networks();
        }
        let mut gatherer = Gatherer::new();
        gatherer.gather(&reader, options).map_err(|trouble| match trouble {
            Trouble::Reader(error) => broken(path, &error),
            Trouble::Endless => refused(path, "its search tree has a circle".to_string()),
        })?;
        if !gatherer.useful {
            return Err(useless(path, &metadata.database_type, gatherer.networks));
        }
        let source = Source {
            name: path.to_string(),
            licence: licence(path, &metadata.database_type).to_string(),
            built_epoch_secs: metadata.build_epoch,
            networks: gatherer.networks,
        };
        let (v4, v6) = (gatherer.v4.0, gatherer.v6.0);
        let places = gatherer.places.into_list();
        Ok(without_special(World { v4, v6, places, sources: vec![source] }))
    }
}

/// The licence of a database that we know by its path or the type it declares; empty for others.
pub(super) fn licence(path: &str, database_type: &str) -> &'static str {
    const LICENCES: [(&str, &str); 6] = [
        ("geo-whois-asn-country", "CC BY 4.0, by the Number Resource Organization (nro.net)"),
        ("iptoasn", "PDDL 1.0, by iptoasn.com"),
        ("dbip", "CC BY 4.0, IP Geolocation by DB-IP (db-ip.com)"),
        ("geolite2", "GeoLite2 End User License Agreement, by MaxMind (maxmind.com)"),
        ("geoip2", "commercial, by MaxMind (maxmind.com)"),
        ("ipinfo", "by IPinfo (ipinfo.io), see its terms"),
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let names = [name, database_type].map(|it| it.to_ascii_lowercase().replace("db-ip", "dbip"));
    let known = LICENCES.iter().find(|(part, _)| names.iter().any(|name| name.contains(part)));
    known.map_or("", |(_, licence)| licence)
}

/// The last second of the year 9999: a later date is no date.
const BUILD_EPOCH_MAX: u64 = 253_402_300_799;

enum Trouble {
    Reader(MaxMindDbError),
    Endless,
}

/// What is read of a database so far.
struct Gatherer {
    v4: Starts<u32>,
    v6: Starts<u128>,
    places: Places,
    /// Places by where their records stand: many networks share one record.
    decoded: HashMap<usize, PlaceId>,
    networks: usize,
    useful: bool,
}

impl Gatherer {
    fn new() -> Gatherer {
        Gatherer {
            v4: Starts::new(),
            v6: Starts::new(),
            places: Places::new(),
            decoded: HashMap::new(),
            networks: 0,
            useful: false,
        }
    }

    fn gather(&mut self, reader: &Reader<&[u8]>, options: WithinOptions) -> Result<(), Trouble> {
        // A tree of n nodes has n + 1 leaves; a network without data counts too, so that every step
        // is counted.
        let mut leaves_left = (reader.metadata().node_count as usize).saturating_mul(2) + 2;
        for found in reader.networks(options).map_err(Trouble::Reader)? {
            leaves_left = leaves_left.checked_sub(1).ok_or(Trouble::Endless)?;
            let found = found.map_err(Trouble::Reader)?;
            let network = found.network().map_err(Trouble::Reader)?;
            let place = match found.offset() {
                None => PlaceId(0),
                Some(offset) => {
                    self.networks += 1;
                    match self.decoded.get(&offset) {
                        Some(place) => *place,
                        None => {
                            let value: Option<Value> = found.decode().map_err(Trouble::Reader)?;
                            self.keep(offset, value.as_ref().map(Value::place))
                        }
                    }
                }
            };
            self.lay(network.ip(), network.prefix(), place);
        }
        Ok(())
    }

    fn keep(&mut self, offset: usize, place: Option<Place>) -> PlaceId {
        let id = self.places.id(place.unwrap_or_default());
        self.useful |= id != PlaceId(0);
        self.decoded.insert(offset, id);
        id
    }

    /// Networks come in order of address and do not overlap, so each start ends the range before
    /// it.
    fn lay(&mut self, first: IpAddr, len: u8, place: PlaceId) {
        match first {
            IpAddr::V4(v4) => self.v4.push(v4.to_bits(), place),
            IpAddr::V6(v6) => {
                let first = v6.to_bits();
                // A record above ::/96, where IPv6 databases keep IPv4, speaks for all of IPv4.
                if first <= LAST_V4 && (len >= 96 || first == 0) {
                    self.v4.push(first as u32, place);
                }
                self.v6.push(first, place);
            }
        }
    }
}

/// What is to be known of a search tree to walk it.
struct Shape {
    node_count: usize,
    record_bits: usize,
    holds_v6: bool,
}

impl Shape {
    fn of(metadata: &maxminddb::Metadata) -> Shape {
        Shape {
            node_count: metadata.node_count as usize,
            record_bits: usize::from(metadata.record_size),
            holds_v6: metadata.ip_version == 6,
        }
    }

    /// The node at ::/96 of an IPv6 database, where it has one.
    fn v4_root(&self, bytes: &[u8]) -> Option<usize> {
        let mut node = 0;
        for _ in 0..96 {
            let [left, _] = self.records(bytes, node).filter(|_| self.holds_v6)?;
            node = Some(left).filter(|left| *left < self.node_count)?;
        }
        Some(node)
    }

    /// The two records of a node, and none beyond the end of the file.
    fn records(&self, bytes: &[u8], node: usize) -> Option<[usize; 2]> {
        let size = self.record_bits / 4;
        let start = node.checked_mul(size)?;
        let node = bytes.get(start..start.checked_add(size)?)?;
        let number = |part: &[u8]| part.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        match (self.record_bits, node) {
            // The middle byte holds the top four bits of both.
            (28, &[a, b, c, tops, d, e, f]) => {
                let tops = usize::from(tops);
                Some([number(&[a, b, c]) | tops >> 4 << 24, number(&[d, e, f]) | (tops & 15) << 24])
            }
            (24 | 32, node) => {
                let (left, right) = node.split_at(size / 2);
                Some([number(left), number(right)])
            }
            _ => None,
        }
    }
}

/// Whether no node but the root of IPv4, which IPv6 forms of it point to, has two parents. What is
/// walked then ends.
fn is_tree(bytes: &[u8], shape: &Shape, v4_root: Option<usize>) -> bool {
    let mut has_parent = vec![false; shape.node_count];
    for node in 0..shape.node_count {
        let Some(records) = shape.records(bytes, node) else { return false };
        for child in records {
            let Some(has_parent) = has_parent.get_mut(child) else { continue };
            if child == 0 || (*has_parent && Some(child) != v4_root) {
                return false;
            }
            *has_parent = true;
        }
    }
    true
}

fn broken(path: &str, error: &MaxMindDbError) -> Diagnostic {
    refused(path, error.to_string())
}

fn refused(path: &str, what: String) -> Diagnostic {
    let message = format!("the database is broken: {what}");
    Diagnostic::error("geo-database-broken", Where::file(path), message)
        .help("fetch it again and compare its size or checksum with what its publisher says")
}

fn useless(path: &str, database_type: &str, networks: usize) -> Diagnostic {
    let message = format!(
        "the database ({database_type}, {networks} networks) tells no country, position or \
         autonomous system of any address"
    );
    Diagnostic::error("geo-database-useless", Where::file(path), message)
        .help("use a country, city or ASN database, such as GeoLite2-City or dbip-city-lite")
}

#[cfg(test)]
mod tests;
