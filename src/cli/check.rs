//! `homing check`: all mistakes of zones, steering and geography at once, by the very pipeline that serves.

use std::path::Path;

use crate::api::DiagnosticBody;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fileset::FileSet;
use crate::load::{Builder, Built, Config, Removals, scan};

use super::args::{CheckArgs, Format};
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
        Format::Json => print(&json(&said, built.as_ref())),
        Format::Human => print(&human(&said, built.as_ref(), Paint::for_stdout())),
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
            "{} zones, {} records, {} routed names, {} policies, {} endpoints\n",
            summary.zones, summary.records, summary.routes, summary.policies, summary.endpoints
        ));
    }
    let colour = if errors > 0 { Colour::Red } else { Colour::Green };
    let outcome = match (errors, warnings) {
        (0, 0) => "no mistakes found".to_owned(),
        _ => format!("{errors} errors, {warnings} warnings"),
    };
    text.push_str(&paint.text(colour, &outcome));
    text.push('\n');
    text
}
