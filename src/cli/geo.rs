//! `homing geo build` and `homing geo lookup`: databases compiled, and what is known of an address.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::geo::{Built, Place, build_builtin, country_name};

use super::check::{build as build_parts, configuration};
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

/// Tells what the files of `dir` know of `address`.
pub fn lookup(address: IpAddr, dir: &Path) -> Result<u8, Failure> {
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let parts = build_parts(&config).parts;
    let (place, len) = parts.world.lookup(address);
    let region = place.region.and_then(|id| parts.inventory.regions.get(usize::from(id.0)));
    let sources: Vec<&str> = parts.sources.iter().map(|source| source.name.as_str()).collect();
    let rows = describe(place, region.map(AsRef::as_ref));
    let mut columns = Columns::default();
    columns.row([("address", Colour::Dim), (&address.to_string(), Colour::Bold)]);
    for (name, text) in &rows {
        columns.row([(name, Colour::Dim), (text, Colour::Plain)]);
    }
    columns.row([("prefix", Colour::Dim), (&format!("/{}", len.0), Colour::Plain)]);
    columns.row([("sources", Colour::Dim), (&sources.join(", "), Colour::Plain)]);
    print(&columns.render(Paint::for_stdout()));
    Ok(0)
}

fn describe(place: &Place, region: Option<&str>) -> Vec<(&'static str, String)> {
    let text = |code: &[u8]| String::from_utf8_lossy(code).trim_end_matches('\0').to_owned();
    let mut rows = Vec::new();
    if place.is_unknown() {
        rows.push(("place", "unknown".to_owned()));
    }
    if let Some(continent) = place.continent {
        rows.push(("continent", text(&continent)));
    }
    if let Some(country) = place.country {
        let name = country_name(country).map(|name| format!(" ({name})")).unwrap_or_default();
        rows.push(("country", format!("{}{name}", text(&country))));
    }
    if let Some(subdivision) = place.subdivision {
        rows.push(("subdivision", text(&subdivision)));
    }
    if let Some(position) = place.position {
        rows.push(("position", format!("{:.2}, {:.2}", position.latitude, position.longitude)));
    }
    if let Some(asn) = place.asn {
        rows.push(("asn", asn.to_string()));
    }
    if let Some(region) = region {
        rows.push(("region", format!("{region} goes first (geo/overrides.csv)")));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_described() {
        let place = Place {
            continent: Some(*b"EU"),
            country: Some(*b"DE"),
            subdivision: Some(*b"HE\0"),
            asn: Some(64500),
            ..Place::default()
        };
        let rows = describe(&place, Some("fra"));
        assert_eq!(rows[2], ("subdivision", "HE".to_owned()));
        assert_eq!(rows.len(), 5);
        assert_eq!(describe(&Place::default(), None), [("place", "unknown".to_owned())]);
    }
}
