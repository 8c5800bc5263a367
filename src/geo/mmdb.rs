//! Databases in the MaxMind DB format into worlds: read whole, at load, never looked into again.
//!
//! The search tree is walked here, in order of address; records are decoded by `maxminddb`, each once, however many
//! networks share it.
//! Never: trusts a file. A broken one is refused as a whole, whatever is broken in it.

mod search_tree;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::FixedState;
use maxminddb::{MaxMindDbError, Reader};

use crate::diagnostic::{Diagnostic, Place as Where};

use super::known::{Known, Source};
use super::licence::licence;
use super::place::PlaceId;
use super::record::Value;
use super::starts::Starts;
use super::sweep::{LAST_V4, LAST_V6, sweep};
use super::world::{Places, World, special_spans};
use search_tree::{Misshapen, Record, Tree, Walk};

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
        let mut gatherer = Gatherer::new(&reader);
        let mut world = gatherer.gather(bytes).map_err(|trouble| match trouble {
            Trouble::Reader(error) => broken(path, &error),
            Trouble::Tree(misshapen) => refused(path, misshapen.to_string()),
        })?;
        if !gatherer.useful {
            return Err(useless(path, &metadata.database_type, gatherer.networks));
        }
        world.sources.push(Source {
            name: path.to_string(),
            licence: licence(path, &metadata.database_type).to_string(),
            built_epoch_secs: metadata.build_epoch,
            networks: gatherer.networks,
        });
        Ok(world)
    }
}

/// The last second of the year 9999: a later date is no date.
const BUILD_EPOCH_MAX: u64 = 253_402_300_799;

enum Trouble {
    Reader(MaxMindDbError),
    Tree(Misshapen),
}

/// What is read of a database so far.
struct Gatherer<'r> {
    reader: &'r Reader<&'r [u8]>,
    places: Places,
    /// Places by where their records stand: many networks share one record.
    decoded: HashMap<u32, PlaceId, FixedState>,
    /// The record of the last network, and its place: neighbours share one even more often.
    last: (usize, PlaceId),
    networks: usize,
    useful: bool,
}

impl<'r> Gatherer<'r> {
    fn new(reader: &'r Reader<&'r [u8]>) -> Gatherer<'r> {
        Gatherer {
            reader,
            places: Places::new(),
            decoded: HashMap::default(),
            last: (usize::MAX, PlaceId(0)),
            networks: 0,
            useful: false,
        }
    }

    fn gather(&mut self, bytes: &[u8]) -> Result<World, Trouble> {
        let metadata = self.reader.metadata();
        let (count, bits) = (metadata.node_count as usize, usize::from(metadata.record_size));
        let tree = Tree::of(bytes, count, bits).map_err(Trouble::Tree)?;
        let (spans_v4, spans_v6) = special_spans();
        let holds_v6 = metadata.ip_version == 6;
        // A record above ::/96, where IPv6 databases keep IPv4, speaks for all of IPv4.
        let v4_root =
            if holds_v6 { tree.leftmost(96).map_err(Trouble::Tree)? } else { tree.root() };
        let (mut v4, mut v6) = (Starts::<u32>::new(), Starts::<u128>::new());
        let mut trouble = None;
        // Counted where they stand: a network above ::/96 is one of IPv6.
        let counts = !holds_v6 || matches!(v4_root, Record::Node(_));
        let walk = Walk::new(&tree, v4_root, 32, None);
        let runs = self
            .places_of(walk, counts, &mut trouble, |at| IpAddr::V4(Ipv4Addr::from_bits(at as u32)));
        sweep(runs, &spans_v4, LAST_V4, |start, place, spans| {
            v4.push(start.min(LAST_V4) as u32, if spans.is_empty() { place } else { PlaceId(0) });
        });
        if holds_v6 && trouble.is_none() {
            // What shows the tree of IPv4 once more is looked up as IPv4.
            let walk = Walk::new(&tree, tree.root(), 128, Some(v4_root));
            let runs =
                self.places_of(walk, true, &mut trouble, |at| IpAddr::V6(Ipv6Addr::from_bits(at)));
            sweep(runs, &spans_v6, LAST_V6, |start, place, spans| {
                v6.push(start, if spans.is_empty() { place } else { PlaceId(0) });
            });
        }
        let places = std::mem::take(&mut self.places).into_list();
        let (v4, v6) = (v4.into_list().into(), v6.into_list().into());
        trouble.map_or(Ok(World::of(Known { v4, v6, places }, Vec::new())), Err)
    }

    /// Where places begin along a walk, up to the first trouble.
    fn places_of<'w>(
        &'w mut self,
        walk: Walk<'w>,
        counts: bool,
        trouble: &'w mut Option<Trouble>,
        address: impl Fn(u128) -> IpAddr + 'w,
    ) -> impl Iterator<Item = (u128, PlaceId)> + 'w {
        let mut before = None;
        let runs = walk.map_while(move |found| {
            let found = found.map_err(Trouble::Tree).and_then(|(start, offset)| {
                let Some(offset) = offset else { return Ok((start, PlaceId(0))) };
                self.networks += usize::from(counts);
                if self.last.0 != offset {
                    self.last = (offset, self.place(offset, address(start))?);
                }
                Ok((start, self.last.1))
            });
            found.map_err(|why| *trouble = Some(why)).ok()
        });
        // Nearly half of the networks of a city database say what the one before them says.
        runs.filter(move |(_, place)| before.replace(*place) != Some(*place))
    }

    /// The place of the record at `offset`, which the network that begins at `first` has.
    fn place(&mut self, offset: usize, first: IpAddr) -> Result<PlaceId, Trouble> {
        // An offset is a number of a record, which has at most 32 bits.
        let key = offset as u32;
        if let Some(place) = self.decoded.get(&key) {
            return Ok(*place);
        }
        let found = self.reader.lookup(first).map_err(Trouble::Reader)?;
        if found.offset() != Some(offset) {
            return Err(Trouble::Tree(Misshapen::Contradicts));
        }
        let value: Option<Value> = found.decode().map_err(Trouble::Reader)?;
        let place = self.places.id(value.as_ref().map(Value::place).unwrap_or_default());
        self.useful |= place != PlaceId(0);
        self.decoded.insert(key, place);
        Ok(place)
    }
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
