//! `homing check`: all mistakes of zones, steering and geography at once, by the very pipeline that serves.

use std::path::Path;

use crate::api::DiagnosticBody;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fileset::FileSet;
use crate::load::{Builder, Built, Config, Removals, scan};

use super::args::{CheckArgs, CheckFormat};
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::{Colour, Paint, print};

/// Exits 0 without errors, 1 with, 2 when there is nothing to check.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let (config, mut said) = configuration(&args.dir)?;
    let built = config.as_ref().map(build);
    if let Some(built) = &built {
        said.extend(built.diagnostics.iter().cloned());
    }
    match args.format {
        CheckFormat::Json => print(&json(&said, built.as_ref())),
        CheckFormat::Sarif => print(&sarif(&said)),
        CheckFormat::Human => print(&human(&said, built.as_ref(), Paint::for_stdout())),
    }
    let has_error = said.iter().any(Diagnostic::is_error);
    Ok(if has_error { EXIT_REFUSED } else { 0 })
}

/// The parts that the files of `config` make, from nothing.
pub fn build(config: &Config) -> Built {
    Builder::new(config).build(&scan(config), &FileSet::default(), Removals::Settled)
}

/// The configuration of a folder or a file; its mistakes are diagnostics like any other.
pub fn configuration(dir: &Path) -> Result<(Option<Config>, Vec<Diagnostic>), Failure> {
    let is_file = dir.is_file();
    if !is_file && !dir.is_dir() {
        return Err(Failure::cannot_run(format!("{} is no folder and no file", dir.display())));
    }
    match if is_file { Config::load(dir) } else { Config::find(dir) } {
        Ok(config) if !config.zones.is_dir() => Err(Failure::cannot_run(format!(
            "{} is no folder: nothing to check; homing init writes an example",
            config.zones.display()
        ))),
        Ok(config) => Ok((Some(config), Vec::new())),
        Err(said) => Ok((None, said)),
    }
}

fn json(said: &[Diagnostic], built: Option<&Built>) -> String {
    let diagnostics: Vec<DiagnosticBody> = said.iter().map(DiagnosticBody::from).collect();
    let summary = built.map(|built| &built.parts.summary);
    let body = serde_json::json!({
        "diagnostics": diagnostics,
        "zones": summary.map_or(0, |s| s.zones),
        "records": summary.map_or(0, |s| s.records),
        "routes": summary.map_or(0, |s| s.routes),
    });
    format!("{body}\n")
}

/// SARIF 2.1.0, as code hosts show it beside the lines. Levels are named as ours are.
fn sarif(said: &[Diagnostic]) -> String {
    let result = |diagnostic: &Diagnostic| {
        let place = &diagnostic.place;
        let mut location = serde_json::json!({ "artifactLocation": { "uri": uri(&place.file) } });
        // §3.30: lines and columns count from 1; a region is left out where the whole file is meant.
        if place.line > 0 {
            let column = place.column.max(1);
            location["region"] =
                serde_json::json!({ "startLine": place.line, "startColumn": column });
        }
        let parts = [&diagnostic.message, &diagnostic.consequence, &diagnostic.help];
        let told: Vec<&str> =
            parts.into_iter().filter(|p| !p.is_empty()).map(String::as_str).collect();
        serde_json::json!({
            "ruleId": diagnostic.code,
            "level": diagnostic.severity.word(),
            "message": { "text": told.join("; ") },
            "locations": [{ "physicalLocation": location }],
        })
    };
    let results: Vec<serde_json::Value> = said.iter().map(result).collect();
    let driver = serde_json::json!({ "name": "homing", "version": env!("CARGO_PKG_VERSION") });
    let body = serde_json::json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{body}\n")
}

/// A path as a relative reference (RFC 3986): what is not unreserved or a slash is percent-encoded.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn human(said: &[Diagnostic], built: Option<&Built>, paint: Paint) -> String {
    let mut text = String::new();
    for diagnostic in said {
        let colour = match diagnostic.severity {
            Severity::Error => Colour::Red,
            Severity::Warning => Colour::Yellow,
            Severity::Note => Colour::Plain,
        };
        let shown = diagnostic.to_string();
        let (head, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
        text.push_str(&paint.text(colour, head));
        text.push('\n');
        if !rest.is_empty() {
            text.push_str(rest);
            text.push('\n');
        }
        text.push('\n');
    }
    let count = |severity| said.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if let Some(built) = built {
        let summary = &built.parts.summary;
        text.push_str(&format!(
            "{}, {}, {}, {} policies, {}\n",
            counted(summary.zones, "zone"),
            counted(summary.records, "record"),
            counted(summary.routes, "routed name"),
            summary.policies,
            counted(summary.endpoints, "endpoint")
        ));
    }
    let colour = if errors > 0 { Colour::Red } else { Colour::Green };
    let outcome = match (errors, warnings) {
        (0, 0) => "no mistakes found".to_owned(),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    text.push_str(&paint.text(colour, &outcome));
    text.push('\n');
    text
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn what_was_found_is_told_in_three_ways() {
        let place = Place::at("./zones/ex ample.zone", 3, 8);
        let mut error = Diagnostic::error("bad-address", place, "not an address");
        error.excerpt = "www A   1.2.3".to_owned();
        let said = [error, Diagnostic::warning("odd", Place::file("homing.toml"), "odd")];
        let shown = human(&said, None, Paint::plain());
        assert!(shown.contains("  | www A   1.2.3\n  |        ^\n"), "{shown}");
        assert!(shown.ends_with("1 error, 1 warning\n"), "{shown}");
        let sarif: serde_json::Value = serde_json::from_str(&sarif(&said)).unwrap();
        let results = &sarif["runs"][0]["results"];
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "zones/ex%20ample.zone");
        assert_eq!(place["region"]["startColumn"], 8);
        assert_eq!(
            (&results[0]["level"], &results[1]["level"]),
            (&"error".into(), &"warning".into())
        );
        assert!(results[1]["locations"][0]["physicalLocation"].get("region").is_none());
    }
}
