//! What differs between two geo databases, as text: who is said to be elsewhere.

use crate::api::{CountryShift, GeographyChange, Share};

use super::changes::Extent;
use super::paint::{Colour, Columns, Paint, distance, percent};

/// Countries that a terminal shows.
const COUNTRIES_SHOWN: usize = 20;
/// Countries that addresses of one are said to be in now, and that are named.
const NAMED_COUNT: usize = 3;

/// All of it, under a heading.
pub fn text(change: &GeographyChange, extent: Extent, paint: Paint, out: &mut String) {
    if extent != Extent::Summary {
        out.push('\n');
    }
    out.push_str(&format!("{}\n", paint.text(Colour::Bold, "geography")));
    let line = format!(
        "  {} of addresses change their country, {} move by more than 100 km{}\n",
        both(change.changed),
        both(change.far),
        how_far(change.mean_km, change.median_km, ": "),
    );
    out.push_str(&line);
    if extent == Extent::Summary || change.countries.is_empty() {
        return;
    }
    let shown = extent.limit(COUNTRIES_SHOWN);
    let mut columns = Columns::default();
    let heads = ["from", "of all", "to", "over 100 km", ""];
    columns.row(heads.map(|head| (head, Colour::Dim)));
    for row in change.countries.iter().take(shown) {
        let country = if row.country.is_empty() { "unknown" } else { &row.country };
        columns.row([
            (country, Colour::Plain),
            (&both(row.of_all), Colour::Plain),
            (&named(row), Colour::Yellow),
            (&both(row.far), Colour::Plain),
            (&how_far(row.mean_km, row.median_km, ""), Colour::Dim),
        ]);
    }
    out.push_str(&columns.render(paint));
    let left = change.countries.len().saturating_sub(shown);
    if left > 0 {
        let line = format!("  … and {left} more countries; --all shows them\n");
        out.push_str(&paint.text(Colour::Dim, &line));
    }
}

/// Where they are said to be now.
fn named(row: &CountryShift) -> String {
    let word = |country: &str, share: Share| {
        let country = if country.is_empty() { "unknown" } else { country };
        format!("{country} {}", both(share))
    };
    let words = row.to.iter().take(NAMED_COUNT).map(|to| word(&to.country, to.share));
    let words: Vec<String> = words.collect();
    match (words.is_empty(), row.to.len().saturating_sub(NAMED_COUNT)) {
        (true, _) => "–".to_owned(),
        (false, 0) => words.join(", "),
        (false, more) => format!("{}, {more} more", words.join(", ")),
    }
}

/// Of IPv4, with that of IPv6 where there is no IPv4.
fn both(share: Share) -> String {
    match (share.ipv4, share.ipv6) {
        (Some(v4), Some(v6)) if v4 == 0.0 && v6 > 0.0 => format!("{} of IPv6", percent(v6)),
        (Some(v4), _) => percent(v4),
        (None, Some(v6)) => format!("{} of IPv6", percent(v6)),
        (None, None) => "–".to_owned(),
    }
}

fn how_far(mean: Option<u32>, median: Option<u32>, lead: &str) -> String {
    let words = mean.zip(median).map(|(mean, median)| {
        format!("{lead}{} on average, median {}", distance(mean), distance(median))
    });
    words.unwrap_or_default()
}
