//! weights.csv: how much each place weighs, as the operator publishes it; the same at all sites.
//!
//! Lines are `place,weight,comment`. Empty lines and lines that begin with `#` say nothing.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Place as Where};

use super::super::codes::{PlaceCode, PlaceCodeError};
use super::area::Area;

/// Lines that are read at most: twice what ISO 3166-2 lists.
const LINE_COUNT_MAX: usize = 10_000;

/// The largest weight: sums of this many stay exact to a unit in a float.
const WEIGHT_MAX: f64 = 1e11;

/// How all places are written for which no other line stands.
const THE_REST: &str = "*";

/// What weights.csv says, checked. A line stands for what of its place has no line of its own; what no line stands for
/// weighs nothing. Weights are in any unit: only their ratios count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublishedWeights {
    /// None is the rest of the world. Invariant some-weight: their sum is above 0.
    lines: HashMap<Option<PlaceCode>, f64>,
}

impl PublishedWeights {
    /// Reads weights.csv; `path` is how the operator knows it. All mistakes come at once, up to a bound; one error refuses
    /// the whole file.
    ///
    /// Codes: `weight-malformed`, `weight-number`, `weight-duplicate`, `weights-none`, `weights-too-many`, `unknown-place`.
    pub fn parse(path: &str, text: &[u8]) -> (Option<PublishedWeights>, Vec<Diagnostic>) {
        let mut reader = Reader { path, seen: HashMap::new(), lines: HashMap::new(), said: vec![] };
        for (number, line) in (1u32..).zip(text.split(|&byte| byte == b'\n')) {
            if reader.is_full() {
                let place = Where::at(path, number, 1);
                let message = format!("there are more than {LINE_COUNT_MAX} lines, or mistakes");
                let said = Diagnostic::error("weights-too-many", place, message);
                reader.said.push(said.help("mend the first ones first; countries may do"));
                break;
            }
            reader.line(number, line.strip_suffix(b"\r").unwrap_or(line));
        }
        let Reader { lines, mut said, .. } = reader;
        if said.is_empty() && lines.values().sum::<f64>() <= 0.0 {
            let message = "no place weighs anything";
            let nothing = Diagnostic::error("weights-none", Where::file(path), message);
            said.push(nothing.help("write a line such as EU-DE,10 or remove the file"));
        }
        (said.is_empty().then_some(PublishedWeights { lines }), said)
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line that stands for an area: that of its subdivision, its country, its continent, or the rest of the world.
    pub(super) fn line_of(&self, area: Area) -> Option<(Option<PlaceCode>, f64)> {
        let code = area.code();
        let country = code.map(|code| PlaceCode { subdivision: None, ..code });
        let continent = country.map(|code| PlaceCode { country: None, ..code });
        let ways = [code, country, continent, None];
        ways.into_iter().find_map(|way| self.lines.get_key_value(&way)).map(|(k, v)| (*k, *v))
    }
}

struct Reader<'a> {
    path: &'a str,
    seen: HashMap<Option<PlaceCode>, u32>,
    lines: HashMap<Option<PlaceCode>, f64>,
    said: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn is_full(&self) -> bool {
        self.seen.len() + self.said.len() >= LINE_COUNT_MAX
    }

    fn line(&mut self, number: u32, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else {
            let shown = String::from_utf8_lossy(line);
            let column = shown.chars().position(|c| c == '\u{fffd}').unwrap_or(0);
            let message = "the line is not UTF-8 text";
            return self.error("weight-malformed", (number, column), &shown, (message, ""));
        };
        // A byte order mark is what some table programs begin a file with.
        let line = if number == 1 { line.trim_start_matches('\u{feff}') } else { line };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            return;
        }
        let mut columns = line.splitn(3, ',');
        let place = columns.next().unwrap_or_default();
        let Some(weight) = columns.next() else {
            let at = (number, line.chars().count());
            let words = ("there is no weight after the place", "write place,weight,comment");
            return self.error("weight-malformed", at, line, words);
        };
        let weight_column = place.chars().count() + 1 + indent(weight);
        // Both are read, so that both mistakes of a line come at once.
        let place = self.place((number, indent(place)), line, place.trim());
        let weight = self.weight((number, weight_column), line, weight.trim());
        if let (Some(place), Some(weight)) = (place, weight) {
            self.lines.insert(place, weight);
        }
    }

    /// The place of a line; the inner none is the rest of the world.
    fn place(&mut self, at: (u32, usize), line: &str, text: &str) -> Option<Option<PlaceCode>> {
        let place = match PlaceCode::parse(text) {
            _ if text == THE_REST => None,
            Ok(code) => Some(code),
            Err(error) => {
                let message = match error {
                    PlaceCodeError::Malformed => format!("{text:?} is no place: {error}"),
                    _ => format!("{text} is no place: {error}"),
                };
                let help = "see ISO 3166 and geo/places.csv; * is all places without a line";
                self.error("unknown-place", at, line, (&message, help));
                return None;
            }
        };
        match self.seen.insert(place, at.0) {
            None => Some(place),
            Some(first) => {
                let message = format!("{text} stands here twice; first at line {first}");
                self.error("weight-duplicate", at, line, (&message, "remove one of the two"));
                None
            }
        }
    }

    fn weight(&mut self, at: (u32, usize), line: &str, text: &str) -> Option<f64> {
        let weight = text.parse().ok().filter(|weight| (0.0..=WEIGHT_MAX).contains(weight));
        if weight.is_none() {
            let message = format!("{text:?} is no weight");
            let help = "a number from 0 to 100000000000, such as 12 or 0.5, in any unit";
            self.error("weight-number", at, line, (&message, help));
        }
        weight
    }

    /// `column` counts from 0 here; the last two are what is wrong and how to mend it.
    fn error(
        &mut self,
        code: &'static str,
        (number, column): (u32, usize),
        line: &str,
        (message, help): (&str, &str),
    ) {
        let column = u32::try_from(column + 1).unwrap_or(0);
        let place = Where::at(self.path, number, column);
        let mut said = Diagnostic::error(code, place, message).help(help);
        said.excerpt = line.trim_end().chars().take(200).collect();
        self.said.push(said);
    }
}

fn indent(text: &str) -> usize {
    if text.trim().is_empty() { 0 } else { text.chars().take_while(|c| c.is_whitespace()).count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PublishedWeights, Vec<String>> {
        let (weights, said) = PublishedWeights::parse("geo/weights.csv", text.as_bytes());
        weights.ok_or_else(|| said.iter().map(|it| format!("{} {}", it.place, it.code)).collect())
    }

    #[test]
    fn a_line_stands_for_what_has_none_of_its_own() {
        let text = "\u{feff}# place,weight,comment\r\n\r\nNA-US-CA,3,west\r\n NA-US , 2.5 \r\n\
                    EU,40,all of it, but\r\nEU-DE,0\r\n*,1e3\r\n";
        let weights = parse(text).unwrap();
        assert_eq!(weights.len(), 5);
        for (area, line, weight) in [
            ("US-CA", "NA-US-CA", 3.0),
            ("US-NV", "NA-US", 2.5),
            ("US", "NA-US", 2.5),
            ("FR", "EU", 40.0),
            ("DE-BE", "EU-DE", 0.0),
            ("JP", "*", 1000.0),
            ("-", "*", 1000.0),
        ] {
            let (place, found) = weights.line_of(Area::parse(area).unwrap()).unwrap();
            let place = place.map_or("*".to_owned(), |code| code.to_string());
            assert_eq!((place.as_str(), found), (line, weight), "{area}");
        }
        let without_rest = parse("EU,1").unwrap();
        assert_eq!(without_rest.line_of(Area::parse("JP").unwrap()), None);
    }

    #[test]
    fn all_mistakes_come_at_once_and_in_place() {
        let text = "EU-DE,10\nEU-DE\nEU-US,1\nxx, -1\nEU-FR,ten,x\nEU-DE,2\nEU-IT,nan\n\
                    EU-ES,1e12\nEU-AT,\n";
        let expected = [
            "geo/weights.csv:2:6 weight-malformed",
            "geo/weights.csv:3:1 unknown-place",
            "geo/weights.csv:4:1 unknown-place",
            "geo/weights.csv:4:5 weight-number",
            "geo/weights.csv:5:7 weight-number",
            "geo/weights.csv:6:1 weight-duplicate",
            "geo/weights.csv:7:7 weight-number",
            "geo/weights.csv:8:7 weight-number",
            "geo/weights.csv:9:7 weight-number",
        ];
        assert_eq!(parse(text).unwrap_err(), expected);
        assert_eq!(parse("# none\n").unwrap_err(), ["geo/weights.csv weights-none"]);
        assert_eq!(parse("EU,0\n*,0\n").unwrap_err(), ["geo/weights.csv weights-none"]);
    }

    #[test]
    fn a_flood_ends_at_its_bound() {
        let said = parse(&"x,y\n".repeat(50_000)).unwrap_err();
        assert!(said.len() <= LINE_COUNT_MAX + 2, "{}", said.len());
        assert!(said.last().unwrap().ends_with("weights-too-many"));
    }

    #[test]
    fn a_mistake_tells_how_to_mend_it() {
        let (_, said) = PublishedWeights::parse("w.csv", b"EU-DE, 1 000,x\n");
        assert_eq!(
            said[0].to_string(),
            "w.csv:1:8: error[weight-number]: \"1 000\" is no weight\n  | EU-DE, 1 000,x\n  |        ^\n  \
             help: a number from 0 to 100000000000, such as 12 or 0.5, in any unit"
        );
    }
}
