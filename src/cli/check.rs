//! `homing check`: all mistakes of zones, steering and geography at once, by the very pipeline that serves.

mod sarif;
mod story;

use std::path::Path;

use crate::api::DiagnosticBody;
use crate::diagnostic::{Diagnostic, Severity, has_error};
use crate::fileset::FileSet;
use crate::load::{Builder, Built, Config, Removals, scan};
use crate::probe::parse_within;

use super::args::{CheckArgs, CheckFormat};
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::{Colour, Paint, print};

/// Refused files named in the summary.
const REFUSED_COUNT_SHOWN: usize = 3;

/// Exits 0 without errors, 1 with (or with warnings, where these are denied), 2 when there is nothing to check.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    if let Some(name) = &args.explain {
        print(&story::explain(name, Paint::for_stdout())?);
        return Ok(0);
    }
    let (config, mut said) = configuration(&args.dir)?;
    let built = config.as_ref().map(build);
    if let Some(built) = &built {
        said.extend(built.diagnostics.iter().cloned());
    }
    match args.format {
        CheckFormat::Json => print(&json(&said, built.as_ref())),
        CheckFormat::Sarif => print(&sarif::sarif(&said, config.as_ref())),
        CheckFormat::Human => print(&human(&said, built.as_ref(), Paint::for_stdout())),
    }
    let counts = Counts::of(&said);
    let fails = counts.errors > 0 || args.deny_warnings && counts.warnings > 0;
    Ok(if fails { EXIT_REFUSED } else { 0 })
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
        Ok(config) => {
            let said = vantages(&config);
            let is_bad = has_error(&said);
            Ok((Some(config).filter(|_| !is_bad), said))
        }
        Err(said) => Ok((None, said)),
    }
}

/// Mistakes in what the configuration says of vantages within the server. Its own syntax has been read.
fn vantages(config: &Config) -> Vec<Diagnostic> {
    let Some(path) = &config.file else { return Vec::new() };
    let root = path.parent().unwrap_or(Path::new("."));
    let text = std::fs::read(path).unwrap_or_default();
    parse_within(&path.display().to_string(), &text, root).err().unwrap_or_default()
}

/// How many there are of each.
struct Counts {
    errors: usize,
    warnings: usize,
}

impl Counts {
    fn of(said: &[Diagnostic]) -> Counts {
        let count = |severity| said.iter().filter(|d| d.severity == severity).count();
        Counts { errors: count(Severity::Error), warnings: count(Severity::Warning) }
    }
}

fn json(said: &[Diagnostic], built: Option<&Built>) -> String {
    let diagnostics: Vec<DiagnosticBody> = said.iter().map(DiagnosticBody::from).collect();
    let summary = built.map(|built| &built.parts.summary);
    let refused = built.iter().flat_map(|built| &built.refused).map(|refused| &refused.path);
    let Counts { errors, warnings } = Counts::of(said);
    let body = serde_json::json!({
        "diagnostics": diagnostics,
        "zones": summary.map_or(0, |s| s.zones),
        "records": summary.map_or(0, |s| s.records),
        "routes": summary.map_or(0, |s| s.routes),
        "errors": errors,
        "warnings": warnings,
        "refused": refused.collect::<Vec<_>>(),
    });
    format!("{body}\n")
}

fn human(said: &[Diagnostic], built: Option<&Built>, paint: Paint) -> String {
    let mut text = String::new();
    for diagnostic in said {
        let shown = diagnostic.to_string();
        let (head, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
        text.push_str(&paint.text(Colour::of(diagnostic.severity), head));
        text.push('\n');
        if !rest.is_empty() {
            text.push_str(rest);
            text.push('\n');
        }
        text.push('\n');
    }
    if let Some(diagnostic) = said.iter().find(|d| d.severity != Severity::Note) {
        let hint = format!("homing check --explain {} tells more", diagnostic.code);
        text.push_str(&paint.text(Colour::Dim, &hint));
        text.push('\n');
    }
    let counts = Counts::of(said);
    let colour = match (counts.errors, counts.warnings) {
        (0, 0) => Colour::Green,
        (0, _) => Colour::Yellow,
        _ => Colour::Red,
    };
    text.push_str(&paint.text(colour, &summary(&counts, built)));
    text.push('\n');
    text
}

/// What there is, what is wrong, and what a server would do: in one line.
fn summary(counts: &Counts, built: Option<&Built>) -> String {
    let Counts { errors, warnings } = *counts;
    let found = match (errors, warnings) {
        (0, 0) => "no mistakes".to_owned(),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    let Some(built) = built else { return format!("{found}: a server would not start") };
    let parts = &built.parts.summary;
    let held = format!(
        "{}, {}, {}",
        counted(parts.zones, "zone"),
        counted(parts.records, "record"),
        counted(parts.routes, "routed name"),
    );
    let outcome = match built.refused.len() {
        0 if errors > 0 => "a server would serve it, less what is named above".to_owned(),
        0 => "a server would serve all of it".to_owned(),
        count => {
            let names = built.refused.iter().take(REFUSED_COUNT_SHOWN);
            let names: Vec<&str> = names.map(|refused| refused.path.as_str()).collect();
            let more = if count > names.len() { ", …" } else { "" };
            let count = counted(count, "file");
            format!("a server would leave out {count} ({}{more})", names.join(", "))
        }
    };
    format!("{held}: {found}; {outcome}")
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn what_was_found_is_told_with_its_line() {
        let place = Place::at("./zones/ex ample.zone", 3, 8);
        let mut error = Diagnostic::error("bad-address", place, "not an address");
        error.excerpt = "www A   1.2.3".to_owned();
        let said =
            [error, Diagnostic::warning("restart-needed", Place::file("homing.toml"), "odd")];
        let shown = human(&said, None, Paint::plain());
        assert!(shown.contains("  | www A   1.2.3\n  |        ^\n"), "{shown}");
        assert!(shown.ends_with("1 error, 1 warning: a server would not start\n"), "{shown}");
    }
}
