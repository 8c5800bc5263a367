//! `homing fmt`: zone files in canonical form. What a file says stays, or the file stays as it is.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::fileset::FileSet;
use crate::load::{Builder, Config, Removals, Scan, scan_zone, scan_zones, zone_origin};
use crate::zone::{self, Name};

use super::args::FmtArgs;
use super::check::configuration;
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::{Colour, Paint, print};
use super::replace::replace;

/// How a diagnostic ends.
const CONSEQUENCE: &str = "the file was left as it is";
/// What stands for standard input.
const STDIN: &str = "-";
/// The origin of a text whose zone nobody named (RFC 2606 §2).
const ORIGIN_UNKNOWN: &str = "zone.invalid.";
/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 2;

/// Exits 0 if all is well, 1 if a file has errors, or with `--check` would change, 2 if there is nothing to format.
pub fn run(args: &FmtArgs) -> Result<u8, Failure> {
    if args.files.iter().any(|file| file == Path::new(STDIN)) {
        return match args.files.len() {
            1 => standard_input(args),
            _ => Err(Failure::cannot_run("- stands alone: standard input is one file")),
        };
    }
    let here = [PathBuf::from(".")];
    let asked = if args.files.is_empty() { &here[..] } else { &args.files };
    let mut tally = Tally::default();
    for path in asked {
        let meta = fs::metadata(path)
            .map_err(|error| Failure::cannot_run(format!("{}: {error}", path.display())))?;
        let work = if meta.is_dir() { of_folder(path, &mut tally)? } else { of_file(path)? };
        work.run(args, &mut tally);
    }
    tally.tell(args);
    let is_refused = tally.errors > 0 || (is_trial(args) && tally.changed > 0);
    Ok(if is_refused { EXIT_REFUSED } else { 0 })
}

fn is_trial(args: &FmtArgs) -> bool {
    args.check || args.diff
}

/// What was done.
#[derive(Default)]
struct Tally {
    files: usize,
    changed: usize,
    errors: usize,
}

/// Files read, and those of them to format.
struct Work {
    scan: Scan,
    /// The folder that their names begin in.
    zones: PathBuf,
    /// How the operator knows one of them, if not by its name.
    shown: Option<String>,
}

/// All zone files of a folder that is served, or of a folder of zones, with what they include.
fn of_folder(path: &Path, tally: &mut Tally) -> Result<Work, Failure> {
    let is_root = path.join("zones").is_dir() || path.join(crate::load::CONFIG_FILE).is_file();
    let zones = if is_root || path == Path::new(".") {
        let (config, said) = configuration(path)?;
        tally.say(said);
        config.map_or_else(|| path.join("zones"), |config| config.zones)
    } else {
        path.to_owned()
    };
    Ok(Work { scan: scan_zones(&zones), zones, shown: None })
}

/// One file, with what it includes.
fn of_file(path: &Path) -> Result<Work, Failure> {
    let fail = |why: String| Failure::cannot_run(format!("{}: {why}", path.display()));
    let absolute = std::path::absolute(path).map_err(|error| fail(error.to_string()))?;
    let zones = zones_of(&absolute).ok_or_else(|| fail("no folder holds it".to_owned()))?;
    let below = absolute.strip_prefix(&zones).ok().and_then(Path::to_str);
    let below = below.ok_or_else(|| fail("the path is not UTF-8".to_owned()))?;
    let shown = Some(path.display().to_string());
    Ok(Work { scan: scan_zone(&zones, below), zones, shown })
}

/// The folder that the includes of a file may not leave: that of the configuration here, or the nearest called zones, or
/// the file's own.
fn zones_of(absolute: &Path) -> Option<PathBuf> {
    let here = Config::find(Path::new(".")).ok();
    let here = here.and_then(|config| std::path::absolute(config.zones).ok());
    let named = || absolute.ancestors().skip(1).find(|p| p.ends_with("zones")).map(Path::to_owned);
    let here = here.filter(|zones| absolute.starts_with(zones));
    here.or_else(named).or_else(|| absolute.parent().map(Path::to_owned))
}

impl Work {
    fn run(mut self, args: &FmtArgs, tally: &mut Tally) {
        tally.say(std::mem::take(&mut self.scan.problems));
        let mut files = std::mem::take(&mut self.scan.files);
        files.files.retain(|name, _| is_zone_text(name));
        let mut said = check(&files);
        for (name, file) in files.files.iter() {
            if self.shown.is_some() && !self.is_asked(name) {
                continue;
            }
            let shown = self.shown.clone().unwrap_or_else(|| name.clone());
            tally.files += 1;
            let is_of_file = |d: &Diagnostic| d.place.file == *name;
            let own: Vec<Diagnostic> = said.extract_if(.., |d| is_of_file(d)).collect();
            let formatted = if own.is_empty() {
                zone::format(name, &file.bytes, &origin(name))
            } else {
                Err(own)
            };
            match formatted {
                Err(errors) => tally.say(renamed(errors, &shown)),
                Ok(new) if *new == *file.bytes => {}
                Ok(new) => {
                    tally.changed += 1;
                    let written = self.put(name, &shown, (&file.bytes, &new), args);
                    let unwritten = |error| {
                        let what = format!("it cannot be written: {error}");
                        Diagnostic::error("file-unwritable", Place::file(&shown), what)
                    };
                    tally.say(written.err().map(unwritten).into_iter().collect());
                }
            }
        }
    }

    /// Whether `name` is the file that was asked for, and not one that it includes.
    fn is_asked(&self, name: &str) -> bool {
        let path = |text: &str| std::path::absolute(text).ok();
        let real = self.path(name);
        self.shown.as_deref().and_then(path) == std::path::absolute(real).ok()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.zones.join(name.strip_prefix("zones/").unwrap_or(name))
    }

    /// Writes the file, or shows what would be written.
    fn put(
        &self,
        name: &str,
        shown: &str,
        (old, new): (&[u8], &[u8]),
        args: &FmtArgs,
    ) -> std::io::Result<()> {
        if args.diff {
            print(&difference(shown, old, new, Paint::for_stdout()));
        } else if args.check {
            print(&format!("{shown}\n"));
        } else {
            replace(&self.path(name), old, new)?;
            print(&format!("{shown}\n"));
        }
        Ok(())
    }
}

fn is_zone_text(name: &str) -> bool {
    name.starts_with("zones/") && !name.ends_with(".toml")
}

/// The errors of `files`, as `check` finds them.
fn check(files: &FileSet) -> Vec<Diagnostic> {
    let mut builder = Builder::new(&Config::defaults(Path::new(".")));
    let built = builder.build(&Scan::from(files.clone()), &FileSet::default(), Removals::Settled);
    built.diagnostics.into_iter().filter(Diagnostic::is_error).collect()
}

fn origin(name: &str) -> Name {
    let known = zone_origin(name).ok().filter(|_| name.ends_with(".zone"));
    known.or_else(|| Name::parse(ORIGIN_UNKNOWN, &Name::root()).ok()).unwrap_or_else(Name::root)
}

fn renamed(mut said: Vec<Diagnostic>, shown: &str) -> Vec<Diagnostic> {
    for diagnostic in &mut said {
        shown.clone_into(&mut diagnostic.place.file);
    }
    said
}

fn standard_input(args: &FmtArgs) -> Result<u8, Failure> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map_err(|error| Failure::cannot_run(format!("standard input: {error}")))?;
    let shown = "standard input";
    match zone::format(shown, &text, &origin(shown)) {
        Err(errors) => {
            Tally::default().say(errors);
            Ok(EXIT_REFUSED)
        }
        Ok(new) if is_trial(args) => {
            if new == text {
                return Ok(0);
            }
            match args.diff {
                true => print(&difference(shown, &text, &new, Paint::for_stdout())),
                false => print(&format!("{shown}\n")),
            }
            Ok(EXIT_REFUSED)
        }
        Ok(new) => {
            super::paint::print_bytes(&new);
            Ok(0)
        }
    }
}

/// The change as a unified diff, in colour on a terminal.
fn difference(shown: &str, old: &[u8], new: &[u8], paint: Paint) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let diff = TextDiff::from_lines(&*old, &*new);
    let text = diff
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(shown, &format!("{shown} (canonical)"))
        .to_string();
    let painted = text.lines().map(|line| {
        let colour = match line.as_bytes() {
            [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => Colour::Bold,
            [b'-', ..] => Colour::Red,
            [b'+', ..] => Colour::Green,
            [b'@', ..] => Colour::Dim,
            _ => Colour::Plain,
        };
        paint.text(colour, line.trim_end_matches('\r')) + "\n"
    });
    painted.collect()
}

impl Tally {
    /// Tells mistakes on standard error: standard output is for files.
    fn say(&mut self, said: Vec<Diagnostic>) {
        let paint = Paint::for_stderr();
        for diagnostic in said.into_iter().map(|d| d.consequence(CONSEQUENCE)) {
            self.errors += usize::from(diagnostic.is_error());
            let shown = diagnostic.to_string();
            let (head, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
            let colour = match diagnostic.severity {
                Severity::Error => Colour::Red,
                Severity::Warning | Severity::Note => Colour::Yellow,
            };
            eprintln!("{}\n{rest}\n", paint.text(colour, head));
        }
    }

    fn tell(&self, args: &FmtArgs) {
        let verb = if is_trial(args) { "would change" } else { "changed" };
        let files = if self.files == 1 { "file" } else { "files" };
        eprintln!("{} zone {files}, {} {verb}", self.files, self.changed);
    }
}
