//! Flat files (CSV) of ranges into worlds, as the `@ip-location-db` packages have them.
//!
//! A line is `first,last,country`, `first,last,asn,organization`, or
//! `first,last,country,state1,state2,city,postcode,latitude,longitude,timezone`; addresses as text or as numbers.
//! Owns:  the columns, that ranges are in order, and which counts where they overlap.
//! Never: takes a part of a file. One mistake refuses the whole.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use foldhash::fast::FixedState;
use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer};

use crate::diagnostic::{Diagnostic, Place as Where};

use super::known::{Known, Source};
use super::licence::licence;
use super::place::{Place, PlaceId};
use super::record::Value;
use super::starts::{Address, List, Starts};
use super::sweep::{LAST_V4, LAST_V6, Span, sweep};
use super::world::{Places, World, special_spans};

impl World {
    /// Reads a flat file. `path` is how the operator knows it; its name tells the family (`-ipv4`, `-ipv6`). What it says
    /// of special-purpose addresses is left out, as of [`World::from_mmdb`].
    ///
    /// # Errors
    /// `geo-table-malformed`, `geo-table-address`, `geo-table-order`, `geo-table-too-many`: each mistake with its line,
    /// up to a bound. `geo-database-useless`: no line tells anything that we understand.
    pub fn from_flat(path: &str, text: &[u8]) -> Result<World, Vec<Diagnostic>> {
        let is_v4 = !path.rsplit('/').next().unwrap_or(path).contains("ipv6");
        let mut reader = Reader::new(path, is_v4);
        for (number, line) in (1u32..).zip(text.split(|&byte| byte == b'\n')) {
            reader.line(number, line.strip_suffix(b"\r").unwrap_or(line));
        }
        if reader.error_count > 0 {
            return Err(reader.mistakes());
        }
        let (spans_v4, spans_v6) = special_spans();
        let mut known = Known::nothing();
        if is_v4 {
            known.v4 = laid::<u32>(&reader.ranges, &spans_v4, LAST_V4).into();
        } else {
            known.v6 = laid::<u128>(&reader.ranges, &spans_v6, LAST_V6).into();
        }
        known.places = reader.places.into_list();
        if known.places.len() < 2 {
            return Err(vec![useless(path, reader.ranges.len())]);
        }
        let source = Source {
            name: path.to_owned(),
            licence: licence(path, "").to_owned(),
            built_epoch_secs: 0,
            networks: reader.ranges.len(),
        };
        Ok(World::of(known, vec![source]))
    }
}

/// Ranges with their gaps, less what `spans` hold.
fn laid<A: Address>(ranges: &[Range], spans: &[Span], last: u128) -> List<A::Key> {
    let mut starts = Starts::<A>::new();
    let runs = runs(ranges).into_iter().filter(|run| run.0 <= last);
    sweep(runs, spans, last, |start, place, spans| {
        starts.push_bits(start, if spans.is_empty() { place } else { PlaceId(0) });
    });
    starts.into_list()
}

/// Where places begin. Published tables are in order and not all apart: of the ranges that hold an address the one that
/// begins last counts, and of two that begin together the narrower.
fn runs(ranges: &[Range]) -> Vec<(u128, PlaceId)> {
    let mut ranges: Vec<&Range> = ranges.iter().collect();
    ranges.sort_by_key(|range| (range.first, std::cmp::Reverse(range.last)));
    let mut runs = Vec::with_capacity(2 * ranges.len());
    // The ranges that were begun, the one that counts last.
    let mut open: Vec<&Range> = Vec::new();
    let close = |open: &mut Vec<&Range>, before: Option<u128>, runs: &mut Vec<_>| {
        while let Some(ended) = open.pop_if(|it| before.is_none_or(|before| it.last < before)) {
            while open.pop_if(|it| it.last <= ended.last).is_some() {}
            let place = open.last().map_or(PlaceId(0), |it| it.place);
            runs.extend(ended.last.checked_add(1).map(|beyond| (beyond, place)));
        }
    };
    for range in ranges {
        close(&mut open, Some(range.first), &mut runs);
        runs.push((range.first, range.place));
        open.push(range);
    }
    close(&mut open, None, &mut runs);
    runs
}

/// Mistakes that are told one by one; the rest are counted. A guess: what someone would read.
const DIAGNOSTIC_COUNT_MAX: usize = 1000;
/// Columns of the widest kind of file.
const COLUMN_COUNT_MAX: usize = 10;

/// One line.
struct Range {
    first: u128,
    last: u128,
    place: PlaceId,
}

struct Reader<'t> {
    path: &'t str,
    is_v4: bool,
    ranges: Vec<Range>,
    places: Places,
    /// Places by what stands behind the addresses: many lines say the same.
    known: HashMap<&'t str, PlaceId, FixedState>,
    diagnostics: Vec<Diagnostic>,
    error_count: usize,
}

impl<'t> Reader<'t> {
    fn new(path: &'t str, is_v4: bool) -> Reader<'t> {
        Reader {
            path,
            is_v4,
            ranges: Vec::new(),
            places: Places::new(),
            known: HashMap::default(),
            diagnostics: Vec::new(),
            error_count: 0,
        }
    }

    fn line(&mut self, number: u32, line: &'t [u8]) {
        if line.is_empty() {
            return;
        }
        let Ok(line) = std::str::from_utf8(line) else {
            let shown = String::from_utf8_lossy(line);
            return self.error("geo-table-malformed", number, &shown, "the line is not UTF-8 text");
        };
        let line = if number == 1 { line.trim_start_matches('\u{feff}') } else { line };
        let ends = line.split_once(',').and_then(|(first, rest)| {
            let (last, told) = rest.split_once(',')?;
            Some((first, last, told))
        });
        let Some((first, last, told)) = ends else {
            let what = "a line is first,last,country or first,last,asn,organization";
            return self.error("geo-table-malformed", number, line, what);
        };
        let bounds = [first, last].map(|text| self.address(text.trim().trim_matches('"')));
        let [Some(first), Some(last)] = bounds else {
            let version = if self.is_v4 { 4 } else { 6 };
            let what = format!("the first two columns are not both addresses of IPv{version}");
            return self.error("geo-table-address", number, line, &what);
        };
        let before = self.ranges.last().map(|range| range.first);
        if last < first || before.is_some_and(|before| first < before) {
            let what = match last < first {
                true => "the range ends before it begins",
                false => "the range begins before the one above it",
            };
            return self.error("geo-table-order", number, line, what);
        }
        match self.place(told) {
            Some(place) => self.ranges.push(Range { first, last, place }),
            None => self.error("geo-table-malformed", number, line, "a quotation mark is missing"),
        }
    }

    fn address(&self, text: &str) -> Option<u128> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let widest = if self.is_v4 { LAST_V4 } else { LAST_V6 };
            return text.parse().ok().filter(|number| *number <= widest);
        }
        match self.is_v4 {
            true => text.parse::<Ipv4Addr>().ok().map(|it| u128::from(it.to_bits())),
            false => text.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits),
        }
    }

    /// The place that the columns behind the addresses tell of; none where a quotation does not end.
    fn place(&mut self, told: &'t str) -> Option<PlaceId> {
        if let Some(known) = self.known.get(told) {
            return Some(*known);
        }
        let columns = columns(told)?;
        let column = |at: usize| columns.get(at).map_or("", String::as_str);
        let pairs: Vec<(&str, &str)> = match column(0).parse::<u32>() {
            Ok(_) => vec![("asn", column(0))],
            Err(_) => {
                let names = ["country_code", "state1", "latitude", "longitude"];
                let named = names.into_iter().zip([0, 1, 5, 6].map(column));
                named.filter(|(_, text)| !text.is_empty()).collect()
            }
        };
        let value = Value::deserialize(MapDeserializer::<_, Error>::new(pairs.into_iter()));
        let place = value.map_or_else(|_| Place::default(), |value| value.place());
        let id = self.places.id(place);
        self.known.insert(told, id);
        Some(id)
    }

    fn error(&mut self, code: &'static str, number: u32, line: &str, what: &str) {
        self.error_count += 1;
        if self.diagnostics.len() < DIAGNOSTIC_COUNT_MAX {
            let mut said = Diagnostic::error(code, Where::at(self.path, number, 1), what)
                .help("fetch the file again, or take it away");
            said.excerpt = line.chars().take(200).collect();
            self.diagnostics.push(said);
        }
    }

    fn mistakes(mut self) -> Vec<Diagnostic> {
        let more = self.error_count - self.diagnostics.len();
        if more > 0 {
            let what = format!("{more} more mistakes like these");
            let said = Diagnostic::error("geo-table-too-many", Where::file(self.path), what);
            self.diagnostics.push(said.help("is it a table of ranges at all?"));
        }
        self.diagnostics
    }
}

/// The columns of a line; quotation marks may stand around one, and doubled within it (RFC 4180 §2).
fn columns(line: &str) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    let mut rest = line;
    while columns.len() < COLUMN_COUNT_MAX {
        let (column, after) = match rest.strip_prefix('"') {
            None => match rest.split_once(',') {
                Some((column, after)) => (column.trim().to_owned(), Some(after)),
                None => (rest.trim().to_owned(), None),
            },
            Some(quoted) => {
                let end = closing_mark(quoted)?;
                let after = quoted.get(end + 1..)?.strip_prefix(',');
                (quoted.get(..end)?.replace("\"\"", "\""), after)
            }
        };
        columns.push(column);
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    Some(columns)
}

/// Where a quotation ends: at the first mark that is not doubled.
fn closing_mark(quoted: &str) -> Option<usize> {
    let mut marks = quoted.match_indices('"').map(|(at, _)| at).peekable();
    while let Some(at) = marks.next() {
        if marks.next_if_eq(&(at + 1)).is_none() {
            return Some(at);
        }
    }
    None
}

fn useless(path: &str, ranges: usize) -> Diagnostic {
    let message = format!(
        "the table ({ranges} ranges) tells no country, position or autonomous system of any address"
    );
    Diagnostic::error("geo-database-useless", Where::file(path), message)
        .help("use a country, city or ASN table, such as those of the ip-location-db packages")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(world: &World, address: &str) -> (String, Option<u32>, u8) {
        let (place, len) = world.lookup(address.parse().unwrap());
        let country = place.country.map(|code| String::from_utf8_lossy(&code).into_owned());
        (country.unwrap_or_default(), place.asn, len.0)
    }

    #[test]
    fn every_kind_of_table_is_read() {
        let v4 = "193.0.2.0,193.0.2.255,DE\n193.0.3.0,193.0.3.127,US\r\n\n8.8.8.8,8.8.8.8,US\n";
        let v4 = v4.replace("8.8.8.8,8.8.8.8", "194.0.0.0,194.0.0.0");
        let world = World::from_flat("geo/x-ipv4.csv", v4.as_bytes()).unwrap();
        for (address, country, len) in [
            ("193.0.2.255", "DE", 24),
            ("193.0.3.1", "US", 25),
            ("193.0.3.128", "", 25),
            ("194.0.0.0", "US", 32),
            ("194.0.0.1", "", 32),
            ("255.1.1.1", "", 3),
        ] {
            assert_eq!(known(&world, address), (country.into(), None, len), "{address}");
        }
        assert_eq!((world.sources[0].networks, world.sources[0].built_epoch_secs), (3, 0));

        let numbers = "3238003200,3238003455,64500,\"Some, \"\"Inc.\"\"\"\n";
        let world = World::from_flat("geo/asn-ipv4-num.csv", numbers.as_bytes()).unwrap();
        assert_eq!(known(&world, "193.0.2.1"), (String::new(), Some(64500), 24));

        let city = "2a00:db8::,2a00:db8:ffff:ffff:ffff:ffff:ffff:ffff,US,California,,\"San Jose\",\
                    95101,37.3,-121.9,America/Los_Angeles\n";
        let world = World::from_flat("geo/city-ipv6.csv", city.as_bytes()).unwrap();
        let place = world.lookup("2a00:db8::1".parse().unwrap()).0;
        assert_eq!(place.subdivision, Some(*b"CA\0"));
        assert_eq!(place.position.map(|it| it.latitude), Some(37.3));
    }

    #[test]
    fn of_ranges_that_overlap_the_one_that_begins_last_counts() {
        let text =
            b"193.0.0.0,193.0.0.255,DE\n193.0.0.16,193.0.0.31,FR\n193.0.0.16,193.0.0.63,CH\n\
                     193.0.0.128,193.0.1.15,JP\n193.0.2.0,193.0.2.15,US\n";
        let world = World::from_flat("x-ipv4.csv", text).unwrap();
        for (address, country) in [
            ("193.0.0.15", "DE"),
            ("193.0.0.16", "FR"),
            ("193.0.0.32", "CH"),
            ("193.0.0.64", "DE"),
            ("193.0.0.128", "JP"),
            ("193.0.1.15", "JP"),
            ("193.0.1.16", ""),
            ("193.0.2.0", "US"),
            ("193.0.2.16", ""),
        ] {
            assert_eq!(known(&world, address).0, country, "{address}");
        }
    }

    #[test]
    fn special_purpose_addresses_are_left_out() {
        let text = b"192.0.0.0,192.255.255.255,AU\n";
        let world = World::from_flat("geo/x-ipv4.csv", text).unwrap();
        assert_eq!(known(&world, "192.0.2.1").0, "");
        assert_eq!(known(&world, "192.0.3.1").0, "AU");
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "193.0.2.0,193.0.2.255,DE\n193.0.1.255,193.0.3.0,DE\n193.0.9.0,193.0.8.0,DE\n\
                    2a00::,2a00::1,DE\n193.0.4.0\n4294967296,4294967297,DE\n\
                    193.0.5.0,193.0.5.1,1,\"x\n";
        let said = World::from_flat("geo/x-ipv4.csv", text.as_bytes()).unwrap_err();
        let said: Vec<_> = said.iter().map(|said| (said.place.line, said.code)).collect();
        assert_eq!(
            said,
            [
                (2, "geo-table-order"),
                (3, "geo-table-order"),
                (4, "geo-table-address"),
                (5, "geo-table-malformed"),
                (6, "geo-table-address"),
                (7, "geo-table-malformed"),
            ]
        );
    }

    #[test]
    fn a_flood_of_mistakes_is_counted_and_nothing_useful_is_refused() {
        let said = World::from_flat("x-ipv4.csv", "<html>\n".repeat(3000).as_bytes()).unwrap_err();
        assert_eq!(said.len(), DIAGNOSTIC_COUNT_MAX + 1);
        assert!(said.last().unwrap().message.starts_with("2000 more"));
        for text in ["", "193.0.2.0,193.0.2.255,ZZ\n"] {
            let said = World::from_flat("x-ipv4.csv", text.as_bytes()).unwrap_err();
            assert_eq!(said[0].code, "geo-database-useless");
        }
    }
}
