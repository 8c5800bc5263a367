//! overrides.csv: the operator's own knowledge of prefixes, stronger than any database.
//!
//! Lines are `prefix,place-or-region,comment`. Empty lines and lines that begin with `#` say
//! nothing.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::diagnostic::{Diagnostic, Place as Where};
use crate::number::RegionId;

use super::codes::{PlaceCode, PlaceCodeError};
use super::known::Known;
use super::layers::{Layers, SAME};
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
        parse(path, text, regions, LINE_COUNT_MAX)
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
        let below = self.known();
        let places = Places::of(below.places.clone());
        let mut overlay = Overlay { overrides, places, known: HashMap::default() };
        let spans: Vec<Span> = overrides.spans(true).collect();
        let v4 = overlay.lay::<u32>(below.v4.clone().flat(), &spans, LAST_V4);
        let embedding = embedding_blocks().into_iter();
        let embedding = embedding.map(|(first, last)| Span { first, last, item: EMBEDDING });
        let mut spans: Vec<Span> = overrides.spans(false).chain(embedding).collect();
        sweep::sort(&mut spans);
        let v6 = overlay.lay::<u128>(below.v6.clone().flat(), &spans, LAST_V6);
        World::of(Known { v4, v6, places: overlay.places.into_list() }, self.sources.clone())
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
    /// The same ranges with the spans' words above them.
    fn lay<A: Address>(
        &mut self,
        base: Arc<List<A::Key>>,
        spans: &[Span],
        last: u128,
    ) -> Layers<A::Key> {
        let overrides = self.overrides;
        let mut above = Starts::<A>::new();
        let mut below = base.cursor();
        let mut piece = (0, None);
        let mut end = |(first, word): (u128, Option<Word>), last| match word {
            None => above.push_bits(first, SAME),
            Some(word @ Word::Place(_)) => above.push_bits(first, self.place(PlaceId(0), word)),
            Some(word @ Word::Region(_)) => below.runs(first, last, |at, place| {
                above.push_bits(at, self.place(place, word));
            }),
        };
        let nothing = std::iter::once((0, PlaceId(0)));
        sweep(nothing, spans, last, |start, _, items| {
            if start > 0 {
                end(piece, start - 1);
            }
            let line = items.last().filter(|_| !items.contains(&EMBEDDING));
            let line = line.and_then(|line| overrides.lines.get(*line));
            piece = (start, line.map(|line| line.word));
        });
        end(piece, last);
        Layers::under(base, above.into_list())
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
fn parse(
    path: &str,
    text: &[u8],
    regions: &[&str],
    line_count_max: usize,
) -> (Option<Overrides>, Vec<Diagnostic>) {
    let mut reader = Reader {
        path,
        regions: regions.iter().zip(0..=u16::MAX).map(|(name, id)| (*name, RegionId(id))).collect(),
        words: HashMap::default(),
        lines: Vec::new(),
        diagnostics: Vec::new(),
        error_count: 0,
    };
    for (number, line) in (1u32..).zip(text.split(|&byte| byte == b'\n')) {
        if reader.lines.len() >= line_count_max && !line.is_empty() {
            reader.too_long(number, line_count_max);
            break;
        }
        reader.line(number, line.strip_suffix(b"\r").unwrap_or(line));
    }
    let (overrides, mut said) = reader.finish();
    quote(&mut said, text);
    (overrides, said)
}

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

    fn too_long(&mut self, number: u32, line_count_max: usize) {
        let message = format!("there are more than {line_count_max} prefixes");
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
mod tests;
