//! `homing geo build`: databases compiled.

use std::fs;
use std::path::{Path, PathBuf};

use crate::geo::{Built, build_builtin};

use super::failure::Failure;
use super::paint::{Colour, Columns, Paint, print};

/// Compiles the databases at `from` into the compact built-in form at `to`, and tells what that
/// loses.
pub fn build(from: &[PathBuf], to: &Path) -> Result<u8, Failure> {
    let mut databases = Vec::new();
    for path in from {
        let shown = path.display().to_string();
        let bytes = fs::read(path)
            .map_err(|e| Failure::cannot_run(format!("{shown} cannot be read: {e}")))?;
        databases.push((shown, bytes));
    }
    let built = build_builtin(&databases).map_err(|d| Failure::refused(d.to_string()))?;
    fs::write(to, &built.bytes)
        .map_err(|e| Failure::cannot_run(format!("{} cannot be written: {e}", to.display())))?;
    print(&report(&built, &to.display().to_string()).render(Paint::for_stdout()));
    Ok(0)
}

fn report(built: &Built, to: &str) -> Columns {
    let mut columns = Columns::default();
    let size = format!("{} octets", built.bytes.len());
    columns.row([(to, Colour::Dim), (&size, Colour::Bold)]);
    let places = format!("{}, snapped to {} metros", built.places, built.metros);
    columns.row([("places", Colour::Dim), (&places, Colour::Plain)]);
    for (name, family) in [("IPv4", &built.v4), ("IPv6", &built.v6)] {
        let ranges = format!("{} ranges", family.ranges);
        columns.row([(name, Colour::Dim), (&ranges, Colour::Plain)]);
        let error = format!(
            "{:.1} km by addresses, {:.1} km by ranges of the database",
            family.error_km, family.error_km_by_range
        );
        columns.row([("  mean error", Colour::Dim), (&error, Colour::Plain)]);
        let exact = format!(
            "{:.3} % of addresses, {:.2} % of ranges keep country and subdivision",
            family.exact * 100.0,
            family.exact_by_range * 100.0
        );
        columns.row([("  exact", Colour::Dim), (&exact, Colour::Plain)]);
    }
    columns
}
