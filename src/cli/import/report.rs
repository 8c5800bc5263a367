//! What an import did, and what it did not: every zone, every setting, one line each.

use std::path::Path;

use crate::cli::folder::Written;
use crate::cli::paint::{Colour, Columns, Paint, counted};
use crate::diagnostic::Diagnostic;

use super::foreign::Foreign;
use super::master::Imported;
use super::texts::Texts;

/// Zones that are listed by name before the rest is counted: those that were imported need no eye.
const IMPORTED_SHOWN: usize = 20;

/// All that was found: what needs an eye, what was imported, what was not.
pub fn whole(texts: &Texts, foreign: &Foreign, imported: &[Imported], paint: Paint) -> String {
    said(&foreign.said, paint)
        + &zones(imported, paint)
        + &skipped(texts, foreign, paint)
        + &left(texts, foreign, paint)
}

/// Diagnostics, as `check` shows them.
pub fn said(said: &[Diagnostic], paint: Paint) -> String {
    let mut text = String::new();
    for diagnostic in said {
        let shown = diagnostic.to_string();
        let (head, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
        let colour = if diagnostic.is_error() { Colour::Red } else { Colour::Yellow };
        text.push_str(&format!("{}\n", paint.text(colour, head)));
        if !rest.is_empty() {
            text.push_str(&format!("{rest}\n"));
        }
        text.push('\n');
    }
    text
}

/// How many files were written where.
pub fn written(dir: &Path, written: Written) -> String {
    let unchanged = match written.unchanged {
        0 => String::new(),
        count => format!(", {} as they were", counted(count, "file")),
    };
    format!("{} written to {}{unchanged}\n\n", counted(written.written, "file"), dir.display())
}

fn zones(imported: &[Imported], paint: Paint) -> String {
    let mut columns = Columns::default();
    for one in imported.iter().take(IMPORTED_SHOWN) {
        let from = format!("from {}", one.source.display());
        let included = match (one.included, one.mended) {
            (0, _) => String::new(),
            (count, 0) => format!("with {}", counted(count, "included file")),
            (count, mended) => {
                let mended = counted(mended, "reference");
                format!("with {}, {mended} mended", counted(count, "included file"))
            }
        };
        columns.row([(&one.target, Colour::Plain), (&from, Colour::Dim), (&included, Colour::Dim)]);
    }
    let more = match imported.len().saturating_sub(IMPORTED_SHOWN) {
        0 => String::new(),
        count => format!("  and {count} more\n"),
    };
    list(imported.len(), "zone", "imported", &columns, paint) + &more
}

fn skipped(texts: &Texts, foreign: &Foreign, paint: Paint) -> String {
    let mut columns = Columns::default();
    for one in &foreign.skipped {
        let place = texts.place(one.spot).to_string();
        columns.row([(&one.zone, Colour::Plain), (&one.why, Colour::Plain), (&place, Colour::Dim)]);
    }
    match foreign.skipped.len() {
        0 => String::new(),
        count => list(count, "zone", "skipped", &columns, paint),
    }
}

fn left(texts: &Texts, foreign: &Foreign, paint: Paint) -> String {
    let mut columns = Columns::default();
    for one in &foreign.left {
        let place = match one.count {
            1 => texts.place(one.spot).to_string(),
            count => format!("{} and {} more", texts.place(one.spot), count - 1),
        };
        columns.row([(&one.what, Colour::Plain), (one.why, Colour::Plain), (&place, Colour::Dim)]);
    }
    match foreign.left.len() {
        0 => String::new(),
        count => list(count, "setting", "not carried over", &columns, paint),
    }
}

fn list(count: usize, noun: &str, verb: &str, columns: &Columns, paint: Paint) -> String {
    let heading = format!("{} {verb}", counted(count, noun));
    format!("{}\n{}", paint.text(Colour::Bold, &heading), columns.render(paint))
}
