//! The built-in table: countries by address, for machines without a database.
//!
//! `build` makes it of any country database, the same bytes for the same database; the binary holds
//! one. The file is a magic, then deflated: a header for people, the countries, and for each family
//! all starts (LEB128, how far beyond the last one) and all countries, by index. IPv4 counts
//! addresses, IPv6 counts /64s.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::diagnostic::{Diagnostic, Place as Where};

use super::gazetteer::{self, WHOLE};
use super::place::{Place, PlaceId};
use super::world::{Places, Source, Starts, World};

impl World {
    /// The table within this binary: country grain.
    pub fn built_in() -> World {
        // The file is ours and a test reads it; were it damaged, every place would be unknown, and
        // nothing worse.
        World::from_table(TABLE).unwrap_or_else(World::unknown)
    }

    /// Reads what [`build`] made. None when it is anything else.
    pub fn from_table(bytes: &[u8]) -> Option<World> {
        decode(bytes)
    }
}

/// Compiles a database into the form of the built-in table: countries only, neighbours merged, the
/// same bytes each time.
///
/// # Errors
/// Those of [`World::from_mmdb`]; `geo-not-redistributable` for databases whose licence forbids to
/// pass them on.
#[allow(clippy::result_large_err, reason = "rare, and the diagnostic is the point")]
pub fn build(path: &str, bytes: &[u8]) -> Result<Vec<u8>, Diagnostic> {
    let world = World::from_mmdb(path, bytes)?;
    let source = world.sources.first().cloned().unwrap_or_default();
    if source.licence.contains("MaxMind") {
        let message = "the licence of this database forbids to pass it on inside a program";
        return Err(Diagnostic::error("geo-not-redistributable", Where::file(path), message)
            .help("put the file itself into geo/ instead; it is then read as it is"));
    }
    Ok(encode(&world, &source))
}

const MAGIC: &[u8; 8] = b"homing\x00\x01";
/// The strongest that deflate has: the table is packed once and carried by every binary.
const DEFLATE_LEVEL: u8 = 10;
/// Ten times what the table takes now.
const TABLE_BYTE_COUNT_MAX: usize = 32 << 20;

static TABLE: &[u8] = include_bytes!("../../geo/builtin.bin");

fn encode(world: &World, source: &Source) -> Vec<u8> {
    let name = source.name.rsplit('/').next().unwrap_or_default();
    let mut countries: Vec<[u8; 2]> = world.places.iter().filter_map(|it| it.country).collect();
    countries.sort_unstable();
    countries.dedup();
    let index = |id: PlaceId| match world.place(id).country {
        Some(country) => countries.binary_search(&country).map_or(0, |at| at as u64 + 1),
        None => 0,
    };
    let v4 = world.runs_v4().map(|(start, id)| (start as u64, index(id)));
    // A country that begins within a /64 begins with the next one; none does in a database of
    // registries.
    let v6 = world.runs_v6().map(|(start, id)| {
        let within = u64::from(start as u64 != 0);
        (((start >> 64) as u64).saturating_add(within), index(id))
    });
    let mut out = Vec::new();
    for text in [name, &source.licence] {
        put_number(&mut out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
    put_number(&mut out, source.built_epoch_secs);
    put_number(&mut out, source.networks as u64);
    put_number(&mut out, countries.len() as u64);
    out.extend(countries.iter().flatten());
    put_ranges(&mut out, v4);
    put_ranges(&mut out, v6);
    [&MAGIC[..], &compress_to_vec(&out, DEFLATE_LEVEL)].concat()
}

fn put_ranges(out: &mut Vec<u8>, ranges: impl Iterator<Item = (u64, u64)>) {
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, country) in ranges {
        if merged.last().is_some_and(|last| last.0 == start) {
            merged.pop();
        }
        if merged.last().is_none_or(|last| last.1 != country) {
            merged.push((start, country));
        }
    }
    put_number(out, merged.len() as u64);
    let mut last = 0;
    for (start, _) in &merged {
        put_number(out, start - last);
        last = *start;
    }
    // Apart from the starts, the two lists are each more alike, and deflate better.
    merged.iter().for_each(|(_, country)| put_number(out, *country));
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn decode(bytes: &[u8]) -> Option<World> {
    let packed = bytes.strip_prefix(MAGIC)?;
    let table = decompress_to_vec_with_limit(packed, TABLE_BYTE_COUNT_MAX).ok()?;
    let mut cursor = Cursor(&table);
    let name = cursor.text()?;
    let source = Source {
        name: format!("built-in ({name})"),
        licence: cursor.text()?,
        built_epoch_secs: cursor.number()?,
        networks: usize::try_from(cursor.number()?).ok()?,
    };
    let mut places = Places::new();
    let mut ids = vec![PlaceId(0)];
    for _ in 0..cursor.number()? {
        let country = cursor.bytes(2)?.try_into().ok()?;
        ids.push(places.id(Place {
            continent: gazetteer::entry(country, WHOLE).map(|entry| entry.continent),
            country: Some(country),
            position: gazetteer::place_centroid(country, None),
            ..Place::default()
        }));
    }
    let (mut v4, mut v6) = (Starts::<u32>::new(), Starts::<u128>::new());
    cursor.ranges(&ids, |start, id| u32::try_from(start).map(|start| v4.push(start, id)).ok())?;
    cursor.ranges(&ids, |start, id| {
        v6.push(u128::from(start) << 64, id);
        Some(())
    })?;
    let (v4, v6) = (v4.into_list().into(), v6.into_list().into());
    cursor.0.is_empty().then(|| World { v4, v6, places: places.into_list(), sources: vec![source] })
}

/// What is left to read; nothing beyond its end, ever.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<String> {
        let count = usize::try_from(self.number()?).ok()?;
        String::from_utf8(self.bytes(count)?.to_vec()).ok()
    }

    fn ranges(
        &mut self,
        ids: &[PlaceId],
        mut each: impl FnMut(u64, PlaceId) -> Option<()>,
    ) -> Option<()> {
        let count = usize::try_from(self.number()?).ok()?;
        let mut starts = Vec::with_capacity(count.min(self.0.len()));
        let mut start = 0u64;
        for _ in 0..count {
            start = start.checked_add(self.number()?)?;
            starts.push(start);
        }
        for start in starts {
            let country = usize::try_from(self.number()?).ok()?;
            each(start, *ids.get(country)?)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_binary_knows_the_world() {
        let world = World::built_in();
        let source = &world.sources[0];
        assert!(source.name.starts_with("built-in (") && source.licence.starts_with("CC BY 4.0"));
        assert!(source.built_epoch_secs > 1_700_000_000);
        let country = |address: &str| world.lookup(address.parse().unwrap()).0.country;
        // Addresses of national registries and universities, which stay where they are.
        assert_eq!(country("193.0.6.139"), Some(*b"NL"));
        assert_eq!(country("18.9.22.69"), Some(*b"US"));
        assert_eq!(country("133.11.0.1"), Some(*b"JP"));
        assert_eq!(country("2001:67c:2e8::1"), Some(*b"NL"));
        for special in ["10.1.2.3", "192.168.1.1", "127.0.0.1", "fe80::1", "::1", "192.0.2.1"] {
            assert_eq!(country(special), None, "{special}");
        }
        assert!(world.places.iter().skip(1).all(|place| place.position.is_some()));
    }
}
