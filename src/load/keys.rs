//! TOML tables read key by key, so that every mistake of a file is reported at once and where it stands.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::diagnostic::{Diagnostic, Place};
use crate::route::Settings;

/// Mistakes of syntax reported of one file.
const SYNTAX_ERROR_COUNT_MAX: usize = 20;

/// One table of a file, from which keys are taken until only unknown ones are left.
pub(super) struct Table<'t> {
    source: Source<'t>,
    keys: DeTable<'t>,
}

#[derive(Clone, Copy)]
struct Source<'t> {
    shown: &'t str,
    text: &'t str,
}

/// Reads the whole of `text` as the table at its top. What is no TOML is said, and the rest is read all the same.
pub(super) fn read_table<'t>(
    shown: &'t str,
    text: &'t str,
    said: &mut Vec<Diagnostic>,
) -> Table<'t> {
    let source = Source { shown, text };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(SYNTAX_ERROR_COUNT_MAX) {
        let offset = error.span().map_or(0, |span| span.start);
        said.push(source.error("toml-syntax", offset, error.message()));
    }
    Table { source, keys: table.into_inner() }
}

impl<'t> Table<'t> {
    /// Takes the table under `key` out of this one.
    pub(super) fn section(
        &mut self,
        key: &'static str,
        said: &mut Vec<Diagnostic>,
    ) -> Option<Table<'t>> {
        let value = self.keys.remove(key)?;
        let offset = value.span().start;
        match value.into_inner() {
            DeValue::Table(keys) => Some(Table { source: self.source, keys }),
            _ => {
                let what = format!("`{key}` is a section: write [{key}]");
                said.push(self.source.error("value-refused", offset, &what));
                None
            }
        }
    }

    /// Takes the value of `key`, if it is there, and gives it to `keep`, which may refuse it.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        said: &mut Vec<Diagnostic>,
        keep: impl FnOnce(T) -> Result<(), String>,
    ) {
        let Some(value) = self.keys.remove(key) else { return };
        let offset = value.span().start;
        let read = T::deserialize(ValueDeserializer::from(value));
        let kept = read.map_err(|error| error.message().to_owned()).and_then(keep);
        if let Err(why) = kept {
            said.push(self.source.error("value-refused", offset, &format!("`{key}`: {why}")));
        }
    }

    /// Says of every key that is left that it is unknown.
    pub(super) fn finish(&mut self, known: &[&str], said: &mut Vec<Diagnostic>) {
        let mut left: Vec<(usize, String)> =
            self.keys.keys().map(|k| (k.span().start, k.get_ref().to_string())).collect();
        left.sort();
        for (offset, key) in left {
            let help = match nearest(&key, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            let what = format!("`{key}` is no key that is known here");
            said.push(self.source.error("unknown-key", offset, &what).help(help));
        }
    }
}

impl Source<'_> {
    fn error(&self, code: &'static str, offset: usize, what: &str) -> Diagnostic {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
        let place = Place::at(self.shown, line, column);
        Diagnostic::error(code, place, what).excerpt_from(self.text.as_bytes())
    }
}

/// The known key that a misspelt one is closest to: at most a third of its letters apart.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance = |k: &&str| edit_distance(key, k);
    let best = known.iter().copied().min_by_key(|k| distance(&k))?;
    (distance(&best) <= best.len().max(3).div_ceil(3)).then_some(best)
}

/// Letters inserted, removed or changed to make `left` of `right` (Levenshtein).
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (i, a) in left.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.chars().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The `[health]` section.
pub(super) fn read_health(mut health: Table<'_>, said: &mut Vec<Diagnostic>) -> Settings {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Whole(i64),
        Real(f64),
    }
    let mut settings = Settings::default();
    let counts = [
        ("quorum", &mut settings.quorum),
        ("rise", &mut settings.rise),
        ("fall", &mut settings.fall),
        ("at_least", &mut settings.at_least),
    ];
    for (key, count) in counts {
        health.take(key, said, |number: u32| {
            *count = number;
            Ok(())
        });
    }
    health.take("max_down_share", said, |share: Number| {
        settings.max_down_share = match share {
            Number::Whole(number) => number as f64,
            Number::Real(number) => number,
        };
        Ok(())
    });
    health.finish(&["quorum", "rise", "fall", "at_least", "max_down_share"], said);
    settings
}
