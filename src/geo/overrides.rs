//! overrides.csv: the operator's own knowledge of prefixes, stronger than any database.
//!
//! Lines are `prefix,place-or-region,comment`. Empty lines and lines that begin with `#` say
//! nothing.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Place as Where};
use crate::number::RegionId;

use super::codes::{PlaceCode, PlaceCodeError};
use super::place::{Place, PlaceId};
use super::prefix::{Prefix, PrefixError};
use super::sweep::{self, LAST_V4, LAST_V6, Span, sweep};
use super::world::{Places, Starts, World, wide, without_embedded};

/// What overrides.csv says, checked. The longest prefix that holds an address decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    lines: Vec<(Prefix, Word)>,
}

/// What the operator says of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// It is there, and no more is known of it.
    Place(PlaceCode),
    /// This region goes first in `nearest`; what else is known of it stays.
    Region(RegionId),
}

impl Overrides {
    /// Reads overrides.csv. `path` is how the operator knows it; `regions` are the names of
    /// regions.toml in order, as a `RegionId` indexes them. All mistakes come at once, up to a
    /// bound; one error refuses the whole file.
    ///
    /// Codes: `override-malformed`, `override-prefix`, `override-host-bits`, `unknown-place`,
    /// `unknown-region`,
    /// `override-duplicate`, `override-too-many`.
    pub fn parse(
        path: &str,
        text: &[u8],
        regions: &[&str],
    ) -> (Option<Overrides>, Vec<Diagnostic>) {
        let mut reader = Reader {
            path,
            regions: regions
                .iter()
                .zip(0..=u16::MAX)
                .map(|(name, id)| (*name, RegionId(id)))
                .collect(),
            seen: HashMap::new(),
            overrides: Overrides::default(),
            diagnostics: Vec::new(),
            error_count: 0,
        };
        for (number, line) in (1u32..).zip(text.split(|&byte| byte == b'\n')) {
            reader.line(number, line.strip_suffix(b"\r").unwrap_or(line));
        }
        let (count, kept) = (reader.error_count, reader.diagnostics.len());
        if count > kept {
            let message = format!("{} more mistakes like these", count - kept);
            let more = Diagnostic::error("override-too-many", Where::file(path), message);
            reader.diagnostics.push(more.help("mend these first"));
        }
        ((count == 0).then_some(reader.overrides), reader.diagnostics)
    }

    /// How many prefixes it holds.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line that decides for an address: its prefix, the longest that holds it.
    pub fn deciding(&self, address: std::net::IpAddr) -> Option<Prefix> {
        let holding = self.lines.iter().filter(|(prefix, _)| prefix.contains(address));
        holding.map(|(prefix, _)| *prefix).max_by_key(|prefix| prefix.len)
    }

    fn spans(&self, v4: bool) -> Vec<Span> {
        let family =
            self.lines.iter().enumerate().filter(|(_, line)| line.0.address.is_ipv4() == v4);
        let mut spans: Vec<_> = family
            .map(|(item, (prefix, _))| {
                let (first, last) = prefix.bounds();
                Span { first, last, item }
            })
            .collect();
        sweep::sort(&mut spans);
        spans
    }
}

impl World {
    /// The same world where the operator's word stands above it. A place replaces all that was
    /// known; a region is added to it.
    pub fn with_overrides(self, overrides: &Overrides) -> World {
        if overrides.is_empty() {
            return self;
        }
        let mut overlay =
            Overlay { world: &self, overrides, places: Places::new(), known: HashMap::new() };
        let mut v4 = Starts::new();
        sweep(wide(&self.v4), &overrides.spans(true), LAST_V4, |start, place, items| {
            v4.push(start.min(LAST_V4) as u32, overlay.place(place, items.last().copied()));
        });
        let mut v6 = Starts::new();
        sweep(self.v6.iter().copied(), &overrides.spans(false), LAST_V6, |start, place, items| {
            v6.push(start, overlay.place(place, items.last().copied()));
        });
        let places = overlay.places.into_list();
        World { v4: v4.0, v6: without_embedded(v6.0), places, sources: self.sources }
    }
}

struct Overlay<'a> {
    world: &'a World,
    overrides: &'a Overrides,
    places: Places,
    known: HashMap<(PlaceId, Option<usize>), PlaceId>,
}

impl Overlay<'_> {
    fn place(&mut self, place: PlaceId, line: Option<usize>) -> PlaceId {
        *self.known.entry((place, line)).or_insert_with(|| {
            let known = self.world.place(place);
            let word = line.and_then(|line| self.overrides.lines.get(line)).map(|line| line.1);
            self.places.id(match word {
                None => known.clone(),
                Some(Word::Place(code)) => code.to_place(),
                Some(Word::Region(region)) => Place { region: Some(region), ..known.clone() },
            })
        })
    }
}

/// Mistakes that are told one by one; the rest are counted. A guess: what someone would read.
const DIAGNOSTIC_COUNT_MAX: usize = 1000;

struct Reader<'a> {
    path: &'a str,
    regions: HashMap<&'a str, RegionId>,
    seen: HashMap<Prefix, u32>,
    overrides: Overrides,
    diagnostics: Vec<Diagnostic>,
    error_count: usize,
}

impl Reader<'_> {
    fn line(&mut self, number: u32, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else {
            let valid = String::from_utf8_lossy(line);
            let column = valid.chars().position(|c| c == '\u{fffd}').unwrap_or(0);
            let message = "the line is not UTF-8 text";
            return self.error("override-malformed", (number, column), &valid, (message, ""));
        };
        // A byte order mark is what some table programs begin a file with.
        let line = if number == 1 { line.trim_start_matches('\u{feff}') } else { line };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            return;
        }
        let mut columns = line.splitn(3, ',');
        let prefix = columns.next().unwrap_or_default();
        let Some(word) = columns.next() else {
            let help = "write prefix,place-or-region,comment";
            let message = "there is no place or region after the prefix";
            let column = line.chars().count();
            return self.error("override-malformed", (number, column), line, (message, help));
        };
        let word_column = prefix.chars().count() + 1 + indent(word);
        // Both are read, so that both mistakes of a line come at once.
        let prefix = self.prefix((number, indent(prefix)), line, prefix.trim());
        let word = self.word((number, word_column), line, word.trim());
        if let (Some(prefix), Some(word)) = (prefix, word) {
            self.overrides.lines.push((prefix, word));
        }
    }

    fn prefix(&mut self, at: (u32, usize), line: &str, text: &str) -> Option<Prefix> {
        let prefix = match Prefix::parse(text) {
            Ok(prefix) => prefix,
            Err(PrefixError::HostBits(prefix)) => {
                let message = format!("{text} has bits beyond its length");
                self.error("override-host-bits", at, line, (&message, &format!("write {prefix}")));
                return None;
            }
            Err(PrefixError::Malformed) => {
                let message = format!("{text:?} is not an address prefix");
                let help = "write it as 192.0.2.0/24 or 2001:db8::/32";
                self.error("override-prefix", at, line, (&message, help));
                return None;
            }
        };
        match self.seen.insert(prefix, at.0) {
            None => Some(prefix),
            Some(first) => {
                let message = format!("{prefix} stands here twice; first at line {first}");
                self.error("override-duplicate", at, line, (&message, "remove one of the two"));
                None
            }
        }
    }

    fn word(&mut self, at: (u32, usize), line: &str, text: &str) -> Option<Word> {
        // A region may be called as a continent is: the operator's own name is the nearer one.
        if let Some(region) = self.regions.get(text) {
            return Some(Word::Region(*region));
        }
        let error = match PlaceCode::parse(text) {
            Ok(code) => return Some(Word::Place(code)),
            Err(error) => error,
        };
        if error == PlaceCodeError::Malformed {
            let message = format!("{text:?} is neither a place nor a region of regions.toml");
            let mut names: Vec<_> = self.regions.iter().map(|(name, id)| (*id, *name)).collect();
            names.sort_unstable();
            let names: Vec<_> = names.iter().take(20).map(|(_, name)| *name).collect();
            let help = format!("{error}; regions are: {}", names.join(" "));
            self.error("unknown-region", at, line, (&message, &help));
        } else {
            let message = format!("{text} is no place: {error}");
            self.error("unknown-place", at, line, (&message, "see ISO 3166 and geo/places.csv"));
        }
        None
    }

    /// `column` counts from 0 here; the last two are what is wrong and how to mend it.
    fn error(
        &mut self,
        code: &'static str,
        (number, column): (u32, usize),
        line: &str,
        (message, help): (&str, &str),
    ) {
        self.error_count += 1;
        if self.diagnostics.len() < DIAGNOSTIC_COUNT_MAX {
            let column = u32::try_from(column + 1).unwrap_or(0);
            let place = Where::at(self.path, number, column);
            let mut diagnostic = Diagnostic::error(code, place, message).help(help);
            diagnostic.excerpt = line.trim_end().chars().take(200).collect();
            self.diagnostics.push(diagnostic);
        }
    }
}

fn indent(text: &str) -> usize {
    if text.trim().is_empty() { 0 } else { text.chars().take_while(|c| c.is_whitespace()).count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGIONS: [&str; 3] = ["fra", "iad", "EU"];

    fn parse(text: &str) -> Result<Overrides, Vec<String>> {
        let (overrides, diagnostics) =
            Overrides::parse("geo/overrides.csv", text.as_bytes(), &REGIONS);
        let say = |it: &Diagnostic| format!("{} {}", it.place, it.code);
        overrides.ok_or_else(|| diagnostics.iter().map(say).collect())
    }

    #[test]
    fn all_mistakes_come_at_once_and_in_place() {
        let text = "# prefix,place,comment\n\n192.0.2.0/24,fra\n192.0.2.1/24,EU-DE,x\n\
                    192.0.2.0/33,xx\n10.0.0.0/8, EU-US\n192.0.2.0/24,iad,again\n2001:db8::/32\n";
        let expected = [
            "geo/overrides.csv:4:1 override-host-bits",
            "geo/overrides.csv:5:1 override-prefix",
            "geo/overrides.csv:5:14 unknown-region",
            "geo/overrides.csv:6:13 unknown-place",
            "geo/overrides.csv:7:1 override-duplicate",
            "geo/overrides.csv:8:14 override-malformed",
        ];
        assert_eq!(parse(text).unwrap_err(), expected);
    }

    #[test]
    fn a_mistake_tells_how_to_mend_it() {
        let (_, diagnostics) = Overrides::parse("o.csv", b"192.0.2.1/24,EU-DE,x\n", &REGIONS);
        assert_eq!(
            diagnostics[0].to_string(),
            "o.csv:1:1: error[override-host-bits]: 192.0.2.1/24 has bits beyond its length\n  \
             | 192.0.2.1/24,EU-DE,x\n  | ^\n  help: write 192.0.2.0/24"
        );
    }

    #[test]
    fn a_flood_of_mistakes_is_counted() {
        let (overrides, diagnostics) =
            Overrides::parse("o.csv", "x,y\n".repeat(5000).as_bytes(), &REGIONS);
        assert!(overrides.is_none());
        assert_eq!(diagnostics.len(), DIAGNOSTIC_COUNT_MAX + 1);
        assert!(diagnostics.last().unwrap().message.starts_with("9000 more"));
    }

    #[test]
    fn the_longest_prefix_decides_and_a_region_keeps_the_place() {
        let text = "\u{feff}10.0.0.0/8,EU-DE\r\n10.1.0.0/16,iad,ours\r\n10.1.1.0/24,NA-US-CA\r\n\
                    2001:db8::/32,AS-JP\n2002::/16,AS-JP\n";
        let overrides = parse(text).unwrap();
        assert_eq!(overrides.len(), 5);
        let world = World::unknown().with_overrides(&overrides);
        for (address, country, region, len) in [
            ("9.255.255.255", None, None, 7),
            ("10.0.0.1", Some(b"DE"), None, 16),
            ("10.1.0.1", None, Some(1), 24),
            ("10.1.1.1", Some(b"US"), None, 24),
            ("10.2.0.0", Some(b"DE"), None, 15),
            ("11.0.0.0", None, None, 8),
            ("2001:db8::1", Some(b"JP"), None, 32),
            ("2002:a00::1", Some(b"DE"), None, 32),
        ] {
            let (place, prefix_len) = world.lookup(address.parse().unwrap());
            let got = (place.country, place.region.map(|id| id.0), prefix_len.0);
            assert_eq!(got, (country.copied(), region, len), "{address}");
        }
        let address = "10.1.1.1".parse().unwrap();
        assert_eq!(overrides.deciding(address).unwrap().to_string(), "10.1.1.0/24");
    }

    #[test]
    fn a_region_is_added_to_what_the_database_knows() {
        let known = World::unknown().with_overrides(&parse("10.0.0.0/8,EU-DE").unwrap());
        let world = known.with_overrides(&parse("10.0.0.0/9,fra").unwrap());
        let place = world.lookup("10.0.0.1".parse().unwrap()).0;
        assert_eq!((place.country, place.region), (Some(*b"DE"), Some(RegionId(0))));
    }
}
