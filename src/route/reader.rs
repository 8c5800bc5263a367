//! A TOML file, read to its end: every mistake in it is told at once, each with its line and
//! column.
//!
//! Owns:  the text with its line starts, and typed access to its tables that collects diagnostics.
//! Never: knows what a table means; that is its caller's.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Place, nearest_word};

/// A key with where it stands.
pub type Key<'i> = Spanned<DeString<'i>>;
/// A value with where it stands.
pub type Value<'i> = Spanned<DeValue<'i>>;
/// Octets from and to, in the text of a file.
pub type Span = Range<usize>;

/// The text of a file, able to say where something stands in it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    path: String,
    text: String,
    line_starts: Vec<usize>,
}

/// Reads values out of one file and remembers what was wrong with them.
pub struct Reader<'s> {
    source: &'s Source,
    diagnostics: Vec<Diagnostic>,
}

impl Source {
    /// The file at `path`. An error when `bytes` is not UTF-8 (TOML 1.0, Spec).
    #[expect(clippy::result_large_err, reason = "once a file, and a box helps nobody")]
    pub fn new(path: &str, bytes: &[u8]) -> Result<Source, Diagnostic> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes.iter().take(error.valid_up_to()).filter(|&&b| b == b'\n').count() + 1;
            let place = Place::at(path, u32::try_from(line).unwrap_or(u32::MAX), 0);
            let diagnostic = Diagnostic::error("toml-syntax", place, "the file is not UTF-8");
            diagnostic.help("save it as UTF-8 text")
        })?;
        let newlines = text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        Ok(Source { path: path.to_owned(), text: text.to_owned(), line_starts })
    }

    /// Its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where `span` begins. Columns count characters.
    pub fn place(&self, span: &Span) -> Place {
        let line = self.line_starts.partition_point(|&start| start <= span.start);
        let start = line.checked_sub(1).and_then(|i| self.line_starts.get(i)).copied();
        let before = self.text.get(start.unwrap_or(0)..span.start).unwrap_or("");
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place::at(self.path.clone(), narrow(line), narrow(before.chars().count() + 1))
    }

    /// The text of `span` on one line, cut at 200 characters.
    pub fn quote(&self, span: &Span) -> String {
        let text = self.text.get(span.clone()).unwrap_or("");
        let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = words.char_indices().nth(200) {
            words.truncate(end);
            words.push('…');
        }
        words
    }

    /// An error at `span`.
    pub fn error(&self, code: &'static str, span: &Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.place(span), message).excerpt_from(self.text.as_bytes())
    }

    /// A warning at `span`.
    pub fn warning(
        &self,
        code: &'static str,
        span: &Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::warning(code, self.place(span), message).excerpt_from(self.text.as_bytes())
    }
}

impl<'s> Reader<'s> {
    /// A reader of `source` that has found nothing wrong yet.
    pub fn new(source: &'s Source) -> Reader<'s> {
        Reader { source, diagnostics: Vec::new() }
    }

    /// The file's top table. After syntax errors it holds what could be made out.
    pub fn top(&mut self) -> DeTable<'s> {
        let (table, errors) = DeTable::parse_recoverable(&self.source.text);
        let end = self.source.text.len();
        for error in errors {
            let span = error.span().unwrap_or(end..end);
            self.error("toml-syntax", &span, error.message().to_owned(), "see https://toml.io");
        }
        table.into_inner()
    }

    /// Everything found wrong, in the order of the file.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by(|a, b| a.place.cmp(&b.place));
        self.diagnostics
    }

    /// Whether an error was found.
    pub fn has_error(&self) -> bool {
        crate::diagnostic::has_error(&self.diagnostics)
    }

    /// How many mistakes were found: what follows from one is told only if none was found since.
    pub fn count(&self) -> usize {
        self.diagnostics.len()
    }

    /// Notes an error.
    pub fn error(
        &mut self,
        code: &'static str,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(self.source.error(code, span, message).help(help));
    }

    /// Notes a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(self.source.warning(code, span, message).help(help));
    }

    /// Each key of `table` that is not in `known` is an error, with the nearest known one as help.
    pub fn only_keys(&mut self, table: &DeTable<'_>, known: &[&str], within: &str) {
        for (key, _) in in_file_order(table) {
            if !known.contains(&key.get_ref().as_ref()) {
                let help = match nearest_word(key.get_ref(), known) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                let message = format!("unknown key `{}` in {within}", key.get_ref());
                self.error("unknown-key", &key.span(), message, help);
            }
        }
    }

    /// `value` as a table.
    pub fn table<'a, 'i>(&mut self, value: &'a Value<'i>, what: &str) -> Option<&'a DeTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong_type(value, what, "a table");
        }
        found
    }

    /// `value` as a list.
    pub fn list<'a, 'i>(&mut self, value: &'a Value<'i>, what: &str) -> Option<&'a [Value<'i>]> {
        let found = value.get_ref().as_array();
        if found.is_none() {
            self.wrong_type(value, what, "a list");
        }
        found.map(|list| &list[..])
    }

    /// `value` as a list that holds something.
    pub fn full_list<'a, 'i>(
        &mut self,
        value: &'a Value<'i>,
        what: &str,
    ) -> Option<&'a [Value<'i>]> {
        let list = self.list(value, what)?;
        if list.is_empty() {
            let help = "fill the list, or leave the key out";
            self.error("empty-list", &value.span(), format!("{what} is an empty list"), help);
            return None;
        }
        Some(list)
    }

    /// `value` as text.
    pub fn text<'a>(&mut self, value: &'a Value<'_>, what: &str) -> Option<&'a str> {
        let found = value.get_ref().as_str();
        if found.is_none() {
            self.wrong_type(value, what, "a string");
        }
        found
    }

    /// `value` as true or false.
    pub fn boolean(&mut self, value: &Value<'_>, what: &str) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(value, what, "true or false");
        }
        found
    }

    /// `value` as a whole number from `min` to `max`.
    pub fn integer(&mut self, value: &Value<'_>, what: &str, min: u32, max: u32) -> Option<u32> {
        let number = self.whole(value, what, i64::from(min)..=i64::from(max))?;
        u32::try_from(number).ok()
    }

    /// `value` as a whole number within `range`, which may go below 0.
    pub fn whole(
        &mut self,
        value: &Value<'_>,
        what: &str,
        range: RangeInclusive<i64>,
    ) -> Option<i64> {
        let Some(found) = value.get_ref().as_integer() else {
            self.wrong_type(value, what, "a whole number");
            return None;
        };
        let number = i64::from_str_radix(found.as_str(), found.radix()).ok();
        let number = number.filter(|n| range.contains(n));
        if number.is_none() {
            let (min, max) = range.into_inner();
            self.out_of_range(value, what, &found.to_string(), &format!("{min} to {max}"));
        }
        number
    }

    /// `value` as a number, whole or not, from `min` to `max`.
    pub fn number(&mut self, value: &Value<'_>, what: &str, min: f64, max: f64) -> Option<f64> {
        let (text, number) = match value.get_ref() {
            DeValue::Integer(found) => {
                let whole = i64::from_str_radix(found.as_str(), found.radix()).ok();
                (found.to_string(), whole.map(|n| n as f64))
            }
            DeValue::Float(found) => (found.to_string(), found.as_str().parse().ok()),
            _ => {
                self.wrong_type(value, what, "a number");
                return None;
            }
        };
        let number = number.filter(|n| (min..=max).contains(n));
        if number.is_none() {
            self.out_of_range(value, what, &text, &format!("{min} to {max}"));
        }
        number
    }

    /// `value` as one of a few words.
    pub fn word<T: Copy>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(value, what)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|&(_, meaning)| meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
            let help = format!("one of {}", known.join(", "));
            self.error("unknown-word", &value.span(), format!("{what} cannot be `{text}`"), help);
        }
        found
    }

    /// Notes that `value` is not `wanted`.
    pub fn wrong_type(&mut self, value: &Value<'_>, what: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        let message = format!("{what} must be {wanted}, not {found}");
        self.error("wrong-type", &value.span(), message, "");
    }

    fn out_of_range(&mut self, value: &Value<'_>, what: &str, found: &str, range: &str) {
        let message = format!("{what} is {found}");
        self.error("out-of-range", &value.span(), message, format!("from {range}"));
    }
}

/// The entries of `table` in the order in which the file has them.
pub fn in_file_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Key<'i>, &'a Value<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_come_at_once_with_line_and_column() {
        let text = "a = 1\n\"é\" = 2\nqourum = \"x\"\nb = = 3\n";
        let source = Source::new("zones/x.toml", text.as_bytes()).unwrap();
        let mut reader = Reader::new(&source);
        let top = reader.top();
        reader.only_keys(&top, &["a", "quorum"], "the file");
        let found = reader.finish();
        let found: Vec<_> =
            found.iter().map(|d| (d.place.line, d.place.column, d.code, &*d.help)).collect();
        let (syntax, known) = ("see https://toml.io", "known here: a, quorum");
        assert_eq!(
            found,
            [
                (2, 1, "unknown-key", known),
                (3, 1, "unknown-key", "did you mean `quorum`?"),
                (4, 1, "unknown-key", known),
                (4, 5, "toml-syntax", syntax),
                (4, 7, "toml-syntax", syntax),
            ]
        );
        // A column counts characters, not octets.
        let source = Source::new("zones/x.toml", "é = {\"é\"=1, b = 2}".as_bytes()).unwrap();
        assert_eq!(source.place(&(14..15)).column, 13);
    }
}
