//! What a geo database has to meet before it takes the place of another: enough networks, and not too old.
//!
//! Owns:  the terms of `[geo]`, and the words about databases that do not meet them.
//! Never: takes away what serves. A database that serves already only grows old, visibly.

use std::ops::RangeInclusive;

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Place};
use crate::geo::Source;
use crate::route::{Reader, read_duration};

const DAY_SECS: u64 = 86_400;
/// The most age of a geo database that may be asked for: a day, for they are built daily at most, to ten years.
const MAX_AGE_MILLIS: RangeInclusive<u64> = 86_400_000..=3653 * 86_400_000;

/// The terms that a new or changed database has to meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// The share of the networks of the database that it replaces; 0 takes any.
    pub min_share: f64,
    /// Networks at the least.
    pub min_networks: usize,
    /// The most time since it was built; none takes any.
    pub max_age_secs: Option<u64>,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { min_share: 0.5, min_networks: 1, max_age_secs: None }
    }
}

/// Reads `[geo]`.
pub(super) fn read_geo(terms: &mut Terms, reader: &mut Reader<'_>, table: &DeTable<'_>) {
    reader.only_keys(table, &["min_share", "min_networks", "max_age"], "[geo]");
    if let Some(value) = table.get("min_share") {
        let share = reader.number(value, "`min_share`", 0.0, 1.0);
        terms.min_share = share.unwrap_or(terms.min_share);
    }
    if let Some(value) = table.get("min_networks") {
        let count = reader.integer(value, "`min_networks`", 0, u32::MAX);
        terms.min_networks = count.map_or(terms.min_networks, |count| count as usize);
    }
    if let Some(value) = table.get("max_age") {
        let (min, max) = (MAX_AGE_MILLIS.start(), MAX_AGE_MILLIS.end());
        let age = read_duration(reader, value, "`max_age`", *min, *max);
        terms.max_age_secs = age.map(|millis| millis / 1000).or(terms.max_age_secs);
    }
}

impl Terms {
    /// Why the database at `path`, new there or changed, is refused; `before` are the networks of the one that serves in
    /// its place.
    pub(super) fn judge(
        &self,
        path: &str,
        new: &Source,
        before: Option<usize>,
        now_secs: Option<u64>,
    ) -> Vec<Diagnostic> {
        let refused = |code, what: String, help: &str| {
            Diagnostic::error(code, Place::file(path), what).help(help)
        };
        let mut said = Vec::new();
        if new.networks < self.min_networks {
            let what = format!(
                "the database lists {} networks; [geo] min_networks asks for {}",
                new.networks, self.min_networks
            );
            let help = "is it the whole file? To take it all the same, lower min_networks";
            said.push(refused("geo-database-small", what, help));
        }
        if let Some(before) =
            before.filter(|it| (new.networks as f64) < self.min_share * *it as f64)
        {
            let what = format!(
                "the database lists {} networks; the one that serves lists {before}",
                new.networks
            );
            let help = "is it the whole file, and of the same kind? To take it all the same, remove the file, wait until \
                        it serves no more, and put the new one there; [geo] min_share sets the limit";
            said.push(refused("geo-database-shrunk", what, help));
        }
        if let Some((age, max)) = self.too_old(new, now_secs) {
            let what =
                format!("the database was built {age} days ago; [geo] max_age is {max} days");
            let help = "fetch a newer one, or raise max_age";
            said.push(refused("geo-database-old", what, help));
        }
        said
    }

    /// What is to be said of a database that serves.
    pub(super) fn remarks(&self, source: &Source, now_secs: Option<u64>) -> Vec<Diagnostic> {
        let place = || Place::file(&source.name);
        let mut said = Vec::new();
        if let Some((age, max)) = self.too_old(source, now_secs) {
            let what =
                format!("the database was built {age} days ago; [geo] max_age is {max} days");
            said.push(
                Diagnostic::warning("geo-database-old", place(), what)
                    .consequence("it serves on; it would not be taken anew")
                    .help("fetch a newer one"),
            );
        }
        let latest = now_secs.and_then(|now| now.checked_add(DAY_SECS));
        if latest.is_some_and(|latest| source.built_epoch_secs > latest) {
            let what = "the database says that it was built in the future";
            said.push(
                Diagnostic::warning("geo-database-future", place(), what)
                    .help("compare this machine's clock with the date of the file"),
            );
        }
        said
    }

    /// The age in days, and the most that it may be, of a database that is older. One that does not tell is none.
    fn too_old(&self, source: &Source, now_secs: Option<u64>) -> Option<(u64, u64)> {
        let built = Some(source.built_epoch_secs).filter(|secs| *secs > 0)?;
        let (age, max) = (now_secs?.saturating_sub(built), self.max_age_secs?);
        (age > max).then_some((age / DAY_SECS, max / DAY_SECS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn codes(said: &[Diagnostic]) -> Vec<&'static str> {
        said.iter().map(|said| said.code).collect()
    }

    fn database(networks: usize, age_days: u64) -> Source {
        let built_epoch_secs = NOW - age_days * DAY_SECS;
        Source { name: "geo/x.mmdb".into(), built_epoch_secs, networks, ..Source::default() }
    }

    #[test]
    fn a_new_database_is_judged_by_size_and_age() {
        let terms = Terms { max_age_secs: Some(10 * DAY_SECS), min_networks: 5, min_share: 0.5 };
        for (networks, age_days, before, expected) in [
            (100, 1, None, &[][..]),
            (100, 10, Some(200), &[]),
            (99, 1, Some(200), &["geo-database-shrunk"]),
            (4, 1, None, &["geo-database-small"]),
            (100, 11, None, &["geo-database-old"]),
            (4, 12, Some(9), &["geo-database-small", "geo-database-shrunk", "geo-database-old"]),
        ] {
            let said = terms.judge("geo/x.mmdb", &database(networks, age_days), before, Some(NOW));
            assert_eq!(codes(&said), expected, "{networks} {age_days} {before:?}");
        }
        let any = Terms { min_share: 0.0, ..Terms::default() };
        assert!(any.judge("x", &database(1, 9999), Some(1_000_000), Some(NOW)).is_empty());
        assert!(terms.judge("x", &database(9, 9999), None, None).is_empty(), "without a clock");
        let ageless = Source { built_epoch_secs: 0, ..database(9, 0) };
        assert!(terms.judge("x", &ageless, None, Some(NOW)).is_empty());
    }

    #[test]
    fn what_serves_grows_old_visibly_and_the_future_is_told() {
        let terms = Terms { max_age_secs: Some(10 * DAY_SECS), ..Terms::default() };
        assert_eq!(codes(&terms.remarks(&database(1, 11), Some(NOW))), ["geo-database-old"]);
        assert!(terms.remarks(&database(1, 10), Some(NOW)).is_empty());
        let late = Source { built_epoch_secs: NOW + DAY_SECS + 1, ..database(1, 0) };
        assert_eq!(codes(&terms.remarks(&late, Some(NOW))), ["geo-database-future"]);
        assert!(!terms.remarks(&late, Some(NOW))[0].is_error());
    }
}
