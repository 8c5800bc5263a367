//! overrides.csv: the operator's own knowledge of prefixes, stronger than any database.
//!
//! Lines are `prefix,place-or-region,comment`. Empty lines and lines that begin with `#` say
//! nothing.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::diagnostic::{Diagnostic, Place as Where};
use crate::number::RegionId;

use super::codes::{PlaceCode, PlaceCodeError};
use super::place::{Place, PlaceId};
use super::prefix::{Prefix, PrefixError, embedding_blocks};
use super::starts::{Address, List, Starts};
use super::sweep::{self, LAST_V4, LAST_V6, Span, sweep};
use super::world::{Places, World};

/// What overrides.csv says, checked. The longest prefix that holds an address decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In order of prefix, so that a prefix stands behind those that hold it.
    lines: Vec<Line>,
}

/// A line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    prefix: Prefix,
    word: Word,
    /// Where it stands in the file, from 1.
    number: u32,
    /// The line with the longest prefix that holds this one: an index.
    wider: Option<u32>,
}

/// What the operator says of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Errors: `override-malformed`, `override-prefix`, `override-host-bits`, `unknown-place`, `unknown-region`,
    /// `override-duplicate`, `override-too-many`, `override-too-long`. Warnings: `override-redundant`,
    /// `override-ambiguous`.
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
            words: HashMap::default(),
            lines: Vec::new(),
            diagnostics: Vec::new(),
            error_count: 0,
        };
        for (number, line) in (1u32..).zip(text.split(|&byte| byte == b'\n')) {
            if reader.lines.len() >= LINE_COUNT_MAX && !line.is_empty() {
                reader.too_long(number);
                break;
            }
            reader.line(number, line.strip_suffix(b"\r").unwrap_or(line));
        }
        let (overrides, mut said) = reader.finish();
        quote(&mut said, text);
        (overrides, said)
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
        let narrowest = Prefix::around(address, crate::number::PrefixLen(u8::MAX));
        let next = self.lines.partition_point(|line| line.prefix <= narrowest);
        let mut line = self.lines.get(next.checked_sub(1)?)?;
        // Whatever holds the address stands above this line, or is it.
        while !line.prefix.contains(address) {
            line = self.lines.get(line.wider? as usize)?;
        }
        Some(line.prefix)
    }

    /// The blocks of one family, as [`sweep`] wants them; an item is the index of a line.
    fn spans(&self, is_v4: bool) -> impl Iterator<Item = Span> + '_ {
        let lines = self.lines.iter().enumerate();
        lines.filter(move |(_, line)| line.prefix.address.is_ipv4() == is_v4).map(|(item, line)| {
            let (first, last) = line.prefix.bounds();
            Span { first, last, item }
        })
    }
}

impl World {
    /// The same world where the operator's word stands above it. A place replaces all that was
    /// known; a region is added to it.
    pub fn with_overrides(&self, overrides: &Overrides) -> World {
        if overrides.is_empty() {
            return self.clone();
        }
        let places = Places::of(self.places.clone());
        let mut overlay = Overlay { overrides, places, known: HashMap::default() };
        let spans: Vec<Span> = overrides.spans(true).collect();
        let v4 = overlay.lay::<u32>(&self.v4, &spans, LAST_V4, |start| start as u32);
        let embedding = embedding_blocks().into_iter();
        let embedding = embedding.map(|(first, last)| Span { first, last, item: EMBEDDING });
        let mut spans: Vec<Span> = overrides.spans(false).chain(embedding).collect();
        sweep::sort(&mut spans);
        let v6 = overlay.lay::<u128>(&self.v6, &spans, LAST_V6, |start| start);
        World { v4, v6, places: overlay.places.into_list(), sources: self.sources.clone() }
    }
}

/// The mark of spans that embed IPv4, among the indices of lines: they are looked up as IPv4.
const EMBEDDING: usize = usize::MAX;

struct Overlay<'o> {
    overrides: &'o Overrides,
    /// Those of the world below keep their ids.
    places: Places,
    known: HashMap<(PlaceId, Word), PlaceId, FixedState>,
}

impl Overlay<'_> {
    /// The same ranges with the spans' words above them: what no word speaks of is copied.
    fn lay<A: Address>(
        &mut self,
        base: &List<A::Key>,
        spans: &[Span],
        last: u128,
        address: impl Fn(u128) -> A,
    ) -> List<A::Key> {
        let mut starts = Starts::<A>::with_room(base.len() + 2 * spans.len());
        let overrides = self.overrides;
        let lines = &overrides.lines;
        let mut below = base.cursor();
        let mut piece = (0, None);
        let mut end = |(first, word), last, starts: &mut Starts<A>| match word {
            None => starts.copy(&mut below, first, last),
            Some(word @ Word::Place(_)) => {
                starts.push(address(first), self.place(PlaceId(0), word));
            }
            Some(word @ Word::Region(_)) => below.runs(first, last, |at, place| {
                starts.push(address(at), self.place(place, word));
            }),
        };
        let nothing = std::iter::once((0, PlaceId(0)));
        sweep(nothing, spans, last, |start, _, items| {
            if start > 0 {
                end(piece, start - 1, &mut starts);
            }
            let line = items.last().filter(|_| !items.contains(&EMBEDDING));
            piece = (start, line.and_then(|line| lines.get(*line)).map(|it| it.word));
        });
        end(piece, last, &mut starts);
        starts.into_list()
    }

    /// What is known where `word` is said of a range that has `place` without it.
    fn place(&mut self, place: PlaceId, word: Word) -> PlaceId {
        *self.known.entry((place, word)).or_insert_with(|| {
            self.places.id(match word {
                Word::Place(code) => code.to_place(),
                Word::Region(region) => {
                    let known = self.places.get(place).cloned().unwrap_or_default();
                    Place { region: Some(region), ..known }
                }
            })
        })
    }
}

/// Lines that say something, in one file.
const LINE_COUNT_MAX: usize = 1_000_000;
/// Mistakes that are told one by one; the rest are counted. A guess: what someone would read.
const DIAGNOSTIC_COUNT_MAX: usize = 1000;

/// Lines without effect that are told one by one. A guess: what someone would read.
const REDUNDANT_COUNT_MAX: usize = 100;

struct Reader<'t> {
    path: &'t str,
    regions: HashMap<&'t str, RegionId>,
    /// Words that were read already: most lines say what another one says.
    words: HashMap<&'t str, Word, FixedState>,
    lines: Vec<Line>,
    diagnostics: Vec<Diagnostic>,
    error_count: usize,
}

impl<'t> Reader<'t> {
    /// Looks at the lines beside each other, and gives what came of it all.
    fn finish(mut self) -> (Option<Overrides>, Vec<Diagnostic>) {
        // Of two equal prefixes the earlier line comes first.
        self.lines.sort_unstable_by_key(|line| (line.prefix, line.number));
        self.refuse_doubles();
        self.nest();
        if self.error_count == 0 {
            self.tell_redundant();
        }
        let kept = self.diagnostics.iter().filter(|said| said.is_error()).count();
        if self.error_count > kept {
            let message = format!("{} more mistakes like these", self.error_count - kept);
            let more = Diagnostic::error("override-too-many", Where::file(self.path), message);
            self.diagnostics.push(more.help("mend these first"));
        }
        let overrides = Overrides { lines: self.lines };
        ((self.error_count == 0).then_some(overrides), self.diagnostics)
    }

    fn refuse_doubles(&mut self) {
        let mut doubles = Vec::new();
        self.lines.dedup_by(|line, first| {
            let is_double = line.prefix == first.prefix;
            if is_double {
                doubles.push((line.number, line.prefix, first.number));
            }
            is_double
        });
        for (number, prefix, first) in doubles {
            let message = format!("{prefix} stands here twice; first at line {first}");
            let help = "remove one of the two";
            self.error("override-duplicate", (number, 0), (&message, help));
        }
    }

    /// Finds the line around each line.
    fn nest(&mut self) {
        let mut around: Vec<u32> = Vec::new();
        for at in 0..self.lines.len() {
            let address = self.lines[at].prefix.address;
            while around.last().is_some_and(|it| !self.lines[*it as usize].prefix.contains(address))
            {
                around.pop();
            }
            self.lines[at].wider = around.last().copied();
            around.push(at as u32);
        }
    }

    fn tell_redundant(&mut self) {
        let wider = |line: &Line| self.lines.get(line.wider? as usize);
        let same = |line: &&Line| wider(line).is_some_and(|wider| wider.word == line.word);
        let count = self.lines.iter().filter(same).count();
        let mut told: Vec<Diagnostic> = Vec::new();
        for line in self.lines.iter().filter(same).take(REDUNDANT_COUNT_MAX) {
            let Some(wider) = wider(line) else { continue };
            let message = format!(
                "{} changes nothing: {} at line {} says the same",
                line.prefix, wider.prefix, wider.number
            );
            let place = Where::at(self.path, line.number, 1);
            told.push(
                Diagnostic::warning("override-redundant", place, message)
                    .help("remove the line, or mend what it says"),
            );
        }
        if count > told.len() {
            let message = format!("{} more lines say what a wider one says", count - told.len());
            told.push(Diagnostic::warning("override-redundant", Where::file(self.path), message));
        }
        self.diagnostics.extend(told);
    }

    fn too_long(&mut self, number: u32) {
        let message = format!("there are more than {LINE_COUNT_MAX} prefixes");
        let help = "join neighbours, or put a database of your own into geo/";
        self.error("override-too-long", (number, 0), (&message, help));
    }

    fn line(&mut self, number: u32, line: &'t [u8]) {
        let Ok(line) = std::str::from_utf8(line) else {
            let valid = String::from_utf8_lossy(line);
            let column = valid.chars().position(|c| c == '\u{fffd}').unwrap_or(0);
            let message = "the line is not UTF-8 text";
            return self.error("override-malformed", (number, column), (message, ""));
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
            return self.error("override-malformed", (number, column), (message, help));
        };
        let word_column = prefix.chars().count() + 1 + indent(word);
        // Both are read, so that both mistakes of a line come at once.
        let prefix = self.prefix((number, indent(prefix)), prefix.trim());
        let word = self.word((number, word_column), word.trim());
        if let (Some(prefix), Some(word)) = (prefix, word) {
            self.lines.push(Line { prefix, word, number, wider: None });
        }
    }

    fn prefix(&mut self, at: (u32, usize), text: &str) -> Option<Prefix> {
        match Prefix::parse(text) {
            Ok(prefix) => return Some(prefix),
            Err(PrefixError::HostBits(prefix)) => {
                let message = format!("{text} has bits beyond its length");
                self.error("override-host-bits", at, (&message, &format!("write {prefix}")));
            }
            Err(PrefixError::Malformed) => {
                let message = format!("{text:?} is not an address prefix");
                let help = "write it as 192.0.2.0/24 or 2001:db8::/32";
                self.error("override-prefix", at, (&message, help));
            }
        }
        None
    }

    fn word(&mut self, at: (u32, usize), text: &'t str) -> Option<Word> {
        if let Some(word) = self.words.get(text) {
            return Some(*word);
        }
        let code = PlaceCode::parse(text);
        // A region may be called as a continent is: the operator's own name is the nearer one.
        if let Some(region) = self.regions.get(text).copied() {
            self.words.insert(text, Word::Region(region));
            if code.is_ok() {
                self.tell_ambiguous(at, text);
            }
            return Some(Word::Region(region));
        }
        let error = match code {
            Ok(code) => {
                self.words.insert(text, Word::Place(code));
                return Some(Word::Place(code));
            }
            Err(error) => error,
        };
        if error == PlaceCodeError::Malformed {
            let message = format!("{text:?} is neither a place nor a region of regions.toml");
            let mut names: Vec<_> = self.regions.iter().map(|(name, id)| (*id, *name)).collect();
            names.sort_unstable();
            let names: Vec<_> = names.iter().take(20).map(|(_, name)| *name).collect();
            let help = format!("{error}; regions are: {}", names.join(" "));
            self.error("unknown-region", at, (&message, &help));
        } else {
            let message = format!("{text} is no place: {error}");
            self.error("unknown-place", at, (&message, "see ISO 3166 and geo/places.csv"));
        }
        None
    }

    /// Once a name: at the first line that says it.
    fn tell_ambiguous(&mut self, (number, column): (u32, usize), text: &str) {
        let column = u32::try_from(column + 1).unwrap_or(0);
        let message = format!("{text} is a region and a place: the region is taken");
        let place = Where::at(self.path, number, column);
        self.diagnostics.push(
            Diagnostic::warning("override-ambiguous", place, message)
                .help("give the region another name if the place was meant"),
        );
    }

    /// `column` counts from 0 here; the last two are what is wrong and how to mend it.
    fn error(
        &mut self,
        code: &'static str,
        (number, column): (u32, usize),
        (message, help): (&str, &str),
    ) {
        self.error_count += 1;
        if self.diagnostics.len() < DIAGNOSTIC_COUNT_MAX {
            let column = u32::try_from(column + 1).unwrap_or(0);
            let place = Where::at(self.path, number, column);
            self.diagnostics.push(Diagnostic::error(code, place, message).help(help));
        }
    }
}

/// Puts what is said in order of lines, and beside each the line that it is about: the text is gone through once.
fn quote(said: &mut [Diagnostic], text: &[u8]) {
    said.sort_by_key(|said| match said.place.line {
        0 => (u32::MAX, 0),
        line => (line, said.place.column),
    });
    let mut lines = (1u32..).zip(text.split(|&byte| byte == b'\n')).peekable();
    for said in said.iter_mut().filter(|said| said.place.line > 0) {
        while lines.next_if(|(number, _)| *number < said.place.line).is_some() {}
        let line = lines.peek().map_or(&[][..], |(_, line)| *line);
        let line = String::from_utf8_lossy(line);
        said.excerpt = line.trim_start_matches('\u{feff}').trim_end().chars().take(200).collect();
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
