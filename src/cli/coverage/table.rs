//! Coverage as a table for a terminal.

use crate::api::{CoverageBody, CoverageMark, CoverageRow, CoverageShare, Share};

use super::super::paint::{Colour, Columns, Paint, counted, distance, percent};

/// The share of addresses that the countries which are shown make together.
const SHOWN_SHARE: f64 = 0.99;
/// Regions of one row that are named for a rank.
const NAMED_COUNT: usize = 3;
/// A region with less of a row is not named.
const NAMED_SHARE_MIN: f64 = 0.005;
/// Letters of a name.
const NAME_WIDTH: usize = 22;
/// Countries without an address that are named.
const ABSENT_COUNT: usize = 12;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Every country.
    pub all: bool,
    /// Their subdivisions, where these have different regions.
    pub subdivisions: bool,
}

/// All of it.
pub fn text(body: &CoverageBody, shown: Shown, paint: Paint) -> String {
    let table = Table { body, everywhere: everywhere(body), paint };
    let mut out = table.head();
    out.push_str(&table.countries(shown));
    out.push_str(&table.regions());
    out.push_str(&table.legend());
    out
}

/// Marks that every country bears: they tell of the policy, not of a country.
fn everywhere(body: &CoverageBody) -> Vec<CoverageMark> {
    let Some((first, rest)) = body.countries.split_first() else { return Vec::new() };
    let bears = |row: &CoverageRow, mark: &CoverageMark| row.marks.iter().any(|it| alike(it, mark));
    let common = first.marks.iter().filter(|mark| rest.iter().all(|row| bears(row, mark)));
    common.cloned().collect()
}

fn is_hole(row: &CoverageRow) -> bool {
    row.marks.iter().any(|mark| mark.mark == "hole")
}

fn alike(a: &CoverageMark, b: &CoverageMark) -> bool {
    (&a.mark, &a.why) == (&b.mark, &b.why)
}

struct Table<'b> {
    body: &'b CoverageBody,
    everywhere: Vec<CoverageMark>,
    paint: Paint,
}

impl Table<'_> {
    fn head(&self) -> String {
        let body = self.body;
        let rtype = if body.rtype == "any" { "any type" } else { &format!("type {}", body.rtype) };
        let title = format!("policy {} (pool {}, {rtype})", body.policy, body.pool);
        let mut out = format!("{}: {}\n", self.paint.text(Colour::Bold, &title), body.of);
        let sources: Vec<String> = body.databases.iter().map(source).collect();
        out.push_str(&format!(
            "shares are of {} whose country is known, by {}\n\n",
            body.weights,
            sources.join(", ")
        ));
        out
    }

    fn countries(&self, shown: Shown) -> String {
        let mut columns = Columns::default();
        let heads = ["country", "", "  IPv4", "  IPv6", "first region", "second region", ""];
        columns.row(heads.map(|head| (head, Colour::Dim)));
        let mut sum = 0.0;
        let mut left: Vec<&CoverageRow> = Vec::new();
        for row in &self.body.countries {
            let is_shown = shown.all || sum < SHOWN_SHARE || is_hole(row);
            // Of a policy over IPv6 alone, or a database of it, nobody knows what 99 % are.
            sum += row.share.ipv4.unwrap_or(0.0);
            if !is_shown {
                left.push(row);
                continue;
            }
            self.row(&mut columns, &row.country, row);
            for part in row.subdivisions.iter().filter(|_| shown.subdivisions) {
                self.row(&mut columns, &format!("  {}", part.subdivision), part);
            }
        }
        if self.body.unknown.share.ipv4.is_some_and(|share| share > 0.0) {
            let name = "place unknown".to_owned();
            self.row(&mut columns, "??", &CoverageRow { name, ..self.body.unknown.clone() });
        }
        let mut out = columns.render(self.paint);
        for line in self.rest(&left, shown) {
            out.push_str(&self.paint.text(Colour::Dim, &format!("  {line}")));
            out.push('\n');
        }
        out.push('\n');
        out
    }

    /// What is not in the table, and how to see it.
    fn rest(&self, left: &[&CoverageRow], shown: Shown) -> Vec<String> {
        let mut lines = Vec::new();
        if !left.is_empty() {
            let share = left.iter().filter_map(|row| row.share.ipv4).sum();
            let countries = counted_countries(left.len());
            let marked = left.iter().filter(|row| self.marks(row).next().is_some()).count();
            let marked =
                if marked > 0 { format!(", {marked} of them marked") } else { String::new() };
            lines.push(format!(
                "… and {countries} with {}{marked}; --all shows them",
                percent(share)
            ));
        }
        let split = self.body.countries.iter().filter(|row| !row.subdivisions.is_empty()).count();
        if split > 0 && !shown.subdivisions {
            let countries = counted_countries(split);
            lines.push(format!("{countries} divided between regions; --subdivisions shows where"));
        }
        let absent = &self.body.absent;
        if !absent.is_empty() {
            let named: Vec<&str> = absent.iter().take(ABSENT_COUNT).map(String::as_str).collect();
            let more = if absent.len() > ABSENT_COUNT { ", …" } else { "" };
            let countries = counted_countries(absent.len());
            lines.push(format!("no address is known of {countries}: {}{more}", named.join(", ")));
        }
        lines
    }

    fn row(&self, columns: &mut Columns, code: &str, row: &CoverageRow) {
        let marks: Vec<String> =
            self.marks(row).map(|mark| format!("! {}: {}", mark.mark, mark.why)).collect();
        let colour = if is_hole(row) { Colour::Red } else { Colour::Yellow };
        columns.row([
            (code, Colour::Plain),
            (&shortened(&row.name), Colour::Plain),
            (&column(row.share.ipv4), Colour::Plain),
            (&column(row.share.ipv6), Colour::Dim),
            (&ranked(&row.first), Colour::Plain),
            (&ranked(&row.second), Colour::Dim),
            (&marks.join(" "), colour),
        ]);
    }

    /// The marks that tell this row from others.
    fn marks<'r>(&'r self, row: &'r CoverageRow) -> impl Iterator<Item = &'r CoverageMark> {
        row.marks.iter().filter(|mark| !self.everywhere.iter().any(|it| alike(it, mark)))
    }

    fn regions(&self) -> String {
        let mut columns = Columns::default();
        let heads = ["region", "", " first", "mean distance", "second"];
        columns.row(heads.map(|head| (head, Colour::Dim)));
        for region in &self.body.regions {
            let is_idle = size(&region.first) == 0.0;
            columns.row([
                (&region.region, Colour::Plain),
                (&shortened(&region.name), Colour::Plain),
                (&column(one(&region.first)), if is_idle { Colour::Yellow } else { Colour::Plain }),
                (&format!("{:>9}", region.km.map_or("–".to_owned(), distance)), Colour::Plain),
                (&column(one(&region.second)), Colour::Dim),
            ]);
        }
        let km = format!("{:>9}", self.body.km.map_or("–".to_owned(), distance));
        columns.row([
            ("all", Colour::Dim),
            ("", Colour::Dim),
            ("", Colour::Dim),
            (&km, Colour::Plain),
        ]);
        columns.render(self.paint)
    }

    fn legend(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        let rows = self.body.countries.iter().chain([&self.body.unknown]);
        let parts = rows.clone().flat_map(|row| &row.subdivisions);
        for mark in rows.chain(parts).flat_map(|row| &row.marks) {
            if let Some(told) = meaning(&mark.mark).filter(|told| !words.contains(told)) {
                words.push(told);
            }
        }
        let mut out = String::new();
        for mark in &self.everywhere {
            out.push_str(&format!("\neverywhere ! {}: {}", mark.mark, mark.why));
        }
        if !words.is_empty() {
            out.push_str(&format!("\n{}\n", self.paint.text(Colour::Dim, &words.join("\n"))));
        }
        out
    }
}

fn source(database: &crate::api::DatabaseBody) -> String {
    match database.built.split_once('T') {
        Some((date, _)) => format!("{} of {date}", database.name),
        None => database.name.clone(),
    }
}

/// What a mark means.
fn meaning(mark: &str) -> Option<&'static str> {
    Some(match mark {
        "hole" => {
            "! hole: some get no address, by a fence, for want of a family, or as the policy says"
        }
        "alone" => {
            "! alone: no second region, by a fence, the pool, for want of a family, or by verdicts"
        }
        "far" => {
            "! far: the first region is over 1,000 km farther than the nearest one, and twice as far"
        }
        "differs" => "! differs: the other type goes elsewhere; --type shows it",
        _ => return None,
    })
}

fn counted_countries(count: usize) -> String {
    counted(count, "country").replace("countrys", "countries")
}

/// `iad 62 % 890 km, sjc 38 % 610 km`; without its share where there is but one.
fn ranked(shares: &[CoverageShare]) -> String {
    let named = shares.iter().filter(|of| size(&of.share) >= NAMED_SHARE_MIN);
    let named: Vec<&CoverageShare> = named.collect();
    let word = |of: &&CoverageShare| {
        let share =
            if named.len() > 1 { format!(" {}", percent(size(&of.share))) } else { String::new() };
        let km = of.km.map_or(String::new(), |km| format!(" {}", distance(km)));
        format!("{}{share}{km}", of.region)
    };
    let words: Vec<String> = named.iter().take(NAMED_COUNT).map(word).collect();
    match (words.is_empty(), named.len().saturating_sub(NAMED_COUNT)) {
        (true, _) => "–".to_owned(),
        (false, 0) => words.join(", "),
        (false, more) => format!("{}, {more} more", words.join(", ")),
    }
}

/// Of IPv4, or of IPv6 where there is no IPv4.
fn one(share: &Share) -> Option<f64> {
    share.ipv4.or(share.ipv6)
}

fn size(share: &Share) -> f64 {
    one(share).unwrap_or(0.0)
}

/// A percentage that lines up with others.
fn column(share: Option<f64>) -> String {
    format!("{:>6}", share.map_or("–".to_owned(), percent))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_WIDTH {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME_WIDTH - 1).collect();
    format!("{}…", kept.trim_end())
}
