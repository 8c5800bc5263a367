//! Weights on the command line: those that a server counted, asked of it or read from its `state/`; and in words.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::api::{CountryQueries, PlacesBody, WeightsBody};
use crate::ask::{Tally, WEIGHTS_FILE, places_body, tally_of};
use crate::geo::{PlaceCode, country_name, subdivision_name};
use crate::load::Config;

use super::check::{build as build_parts, configuration};
use super::client::Client;
use super::failure::Failure;
use super::paint::print;

/// Countries named in one line.
const COUNTRIES_SHOWN: usize = 5;

/// Prints a server's own weights as `geo/weights.csv` has them.
pub fn run(server: Option<&str>, dir: &Path) -> Result<u8, Failure> {
    let body = match server {
        Some(server) => Client::new(server).get("/v1/weights")?,
        None => of_folder(dir)?,
    };
    print(&published(&body)?);
    Ok(0)
}

/// What the server at `server` counted, or else one that has, or had, the folder `dir`.
pub fn own(server: Option<&str>, dir: &Path) -> Result<Tally, Failure> {
    match server {
        Some(server) => Ok(tally_of(&Client::new(server).get::<PlacesBody>("/v1/weights")?)),
        None => kept(dir),
    }
}

fn of_folder(dir: &Path) -> Result<PlacesBody, Failure> {
    let own = kept(dir)?;
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let parts = build_parts(&config).parts;
    Ok(places_body(&parts.world, parts.weights.as_deref(), &own))
}

/// What `state/` keeps; nothing where no server ever counted.
fn kept(dir: &Path) -> Result<Tally, Failure> {
    // A configuration with mistakes is told where it is what was asked for.
    let config = Config::find(dir).unwrap_or_else(|_| Config::defaults(dir));
    let path = config.state.join(WEIGHTS_FILE);
    let strange = |error: String| Failure::cannot_run(format!("{}: {error}", path.display()));
    match fs::read_to_string(&path) {
        Ok(text) => {
            let tally = Tally::parse(&text).map_err(|error| strange(error.to_string()))?;
            Ok(aged(tally))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Tally::default()),
        Err(error) => Err(strange(error.to_string())),
    }
}

/// As old as it is now.
fn aged(mut tally: Tally) -> Tally {
    tally.resume(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0));
    tally
}

/// The lines of a weights.csv.
fn published(body: &PlacesBody) -> Result<String, Failure> {
    let WeightsBody { queries, queries_min, .. } = &body.weights;
    if queries < queries_min {
        return Err(Failure::refused(format!(
            "{} queries say nothing of the world; from {} on they do",
            count_words(*queries),
            count_words(*queries_min)
        )));
    }
    let since = body.weights.since.split('T').next().unwrap_or_default();
    let mut text = format!(
        "# place,weight,comment\n# {} queries since {since}, the older the less\n",
        count_words(*queries)
    );
    for of in &body.places {
        // A comment is all that follows: names with a comma stay as they are.
        text.push_str(&format!("{},{:.1},{}\n", of.place, of.queries, name(&of.place)));
    }
    Ok(text)
}

/// A place code in words, from the smallest on; as far as there are any.
fn name(place: &str) -> String {
    let Ok(PlaceCode { country: Some(country), subdivision, .. }) = PlaceCode::parse(place) else {
        return String::new();
    };
    let subdivision = subdivision.and_then(|code| subdivision_name(country, code));
    let names: Vec<&str> = subdivision.into_iter().chain(country_name(country)).collect();
    names.join(", ")
}

/// In one line which weights count, and what a server's own queries say.
pub fn words(weights: &WeightsBody) -> String {
    let own = own_words(weights);
    match weights.basis.as_str() {
        "published" => {
            let lines = if weights.published == 1 { "line" } else { "lines" };
            format!("geo/weights.csv, {} {lines}; own queries: {own}", weights.published)
        }
        "queries" => format!("own queries: {own}"),
        _ => format!(
            "announced addresses, until there are {} queries of its own; {own}",
            count_words(weights.queries_min)
        ),
    }
}

fn own_words(weights: &WeightsBody) -> String {
    if weights.since.is_empty() {
        return "none counted yet".to_owned();
    }
    let share = |of: &CountryQueries| {
        let country = if of.country.is_empty() { "unknown" } else { &of.country };
        format!("{country} {:.0} %", of.share * 100.0)
    };
    let more = if weights.countries.len() > COUNTRIES_SHOWN { ", …" } else { "" };
    let countries: Vec<String> =
        weights.countries.iter().take(COUNTRIES_SHOWN).map(share).collect();
    let since = weights.since.split('T').next().unwrap_or_default();
    format!("{} since {since}: {}{more}", count_words(weights.queries), countries.join(", "))
}

/// A count as people say it: `12.3 M`.
pub fn count_words(count: f64) -> String {
    match count {
        count if count < 9_999.5 => format!("{count:.0}"),
        count if count < 999_950.0 => format!("{:.1} k", count / 1e3),
        count if count < 999.95e6 => format!("{:.1} M", count / 1e6),
        count => format!("{:.1} G", count / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PlaceQueries;

    fn weights(basis: &str, queries: f64) -> WeightsBody {
        let share =
            |(country, share): (&str, f64)| CountryQueries { country: country.into(), share };
        WeightsBody {
            basis: basis.into(),
            published: if basis == "published" { 31 } else { 0 },
            queries,
            queries_min: 10_000.0,
            since: if queries > 0.0 { "2026-11-21T10:00:00Z".into() } else { String::new() },
            countries: [("US", 0.312), ("DE", 0.09), ("", 0.02)].map(share).into(),
            ..WeightsBody::default()
        }
    }

    #[test]
    fn one_line_says_which_weights_count() {
        for (basis, queries, expected) in [
            (
                "queries",
                12_345_678.0,
                "own queries: 12.3 M since 2026-11-21: US 31 %, DE 9 %, unknown 2 %",
            ),
            (
                "published",
                912.0,
                "geo/weights.csv, 31 lines; own queries: 912 since 2026-11-21: US 31 %, DE 9 %, unknown 2 %",
            ),
            (
                "announced",
                0.0,
                "announced addresses, until there are 10.0 k queries of its own; none counted yet",
            ),
        ] {
            assert_eq!(words(&weights(basis, queries)), expected);
        }
    }

    #[test]
    fn counts_read_well() {
        for (count, shown) in [
            (0.0, "0"),
            (9_999.0, "9999"),
            (10_000.0, "10.0 k"),
            (999_949.0, "999.9 k"),
            (999_951.0, "1.0 M"),
            (3.2e9, "3.2 G"),
        ] {
            assert_eq!(count_words(count), shown);
        }
    }

    #[test]
    fn what_is_printed_is_a_file_that_weighs_the_same() {
        let place = |(place, queries): (&str, f64)| PlaceQueries { place: place.into(), queries };
        let places = [("NA-US-CA", 20_000.04), ("EU-DE", 9_000.0), ("NA-US", 1_000.0)];
        let body = PlacesBody {
            weights: weights("queries", 30_000.0),
            places: places.map(place).into(),
            unknown: 7.0,
        };
        let text = published(&body).unwrap();
        assert_eq!(
            text,
            "# place,weight,comment\n# 30.0 k queries since 2026-11-21, the older the less\n\
             NA-US-CA,20000.0,California, United States\nEU-DE,9000.0,Germany\nNA-US,1000.0,United States\n"
        );
        let (read, said) = crate::geo::PublishedWeights::parse("geo/weights.csv", text.as_bytes());
        assert_eq!(read.map(|read| read.len()), Some(3), "{said:?}");
        let few = PlacesBody { weights: weights("announced", 99.0), ..body };
        assert!(published(&few).unwrap_err().line.starts_with("99 queries say nothing"));
    }
}
