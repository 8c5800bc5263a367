//! `homing diff`: what an edit changes, before it is made; or what a change was, after.

use std::path::Path;

use crate::api::{DiagnosticBody, DiffBody};
use crate::ask::{self, Side, Tally};
use crate::diagnostic::Diagnostic;
use crate::fileset::{FileSet, is_database};
use crate::load::{Config, scan};

use super::args::{DiffArgs, Format};
use super::changes::Extent;
use super::databases;
use super::difference;
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::{Colour, Paint, is_terminal, print};
use super::past::Past;
use super::side::{self, Bench, Spec, State};
use super::weights;

/// The folder here, where none is named.
const HERE: &str = ".";

/// Exits 0, or 1 if a side has errors; or, if asked to, where something differs. 2 when it cannot compare.
pub fn run(args: &DiffArgs) -> Result<u8, Failure> {
    let dir = args.files.as_deref().unwrap_or(Path::new(HERE));
    let here = dir.display().to_string();
    let (mut old_name, mut new_name) = (&*args.old, args.new.as_deref().unwrap_or(&here));
    if args.new.is_none() && databases::parse(old_name).is_some() {
        // A database alone is one to come: what it would change here.
        (old_name, new_name) = (new_name, old_name);
    }
    let (old, new) = (Spec::parse(old_name)?, Spec::parse(new_name)?);
    let is_databases = |spec: &Spec| matches!(spec, Spec::Databases(_));
    let diff = match is_databases(&old) || is_databases(&new) {
        true => {
            let own = own_weights(args.server.as_deref(), dir);
            of_databases(dir, (old_name, &old), (new_name, &new), &own)?
        }
        false => of_sides(args, dir, (old_name, &old), (new_name, &new))?,
    };
    match args.format {
        Format::Json => print(&format!("{}\n", serde_json::json!(diff))),
        Format::Human => print(&human(&diff, args)),
    }
    let has_error = !diff.old.diagnostics.is_empty() || !diff.new.diagnostics.is_empty();
    let tells_change = args.exit_code && diff.differs;
    Ok(if has_error || tells_change { EXIT_REFUSED } else { 0 })
}

/// What differs between two generations. Where the server does not tell, it is found out here, with the configuration of
/// the folder `dir`.
pub fn between(past: &Past, dir: &Path, old: &str, new: &str) -> Result<DiffBody, Failure> {
    if let Some(told) = past.diff(old, new)? {
        return Ok(told);
    }
    let own = own_weights(None, dir);
    let read = |name: &str, beside: &FileSet| -> Result<State, Failure> {
        let Spec::Generation(number) = Spec::parse(name)? else {
            return Err(Failure::cannot_run(format!("{name} is no generation")));
        };
        let (files, missing) = past.files(number, beside)?;
        Ok(side::of_generation(name, files, missing, dir))
    };
    let old = read(old, &FileSet::default())?;
    let new = read(new, &old.files)?;
    Ok(compare(old, new, &own))
}

fn of_sides(
    args: &DiffArgs,
    dir: &Path,
    (old_name, old): (&str, &Spec),
    (new_name, new): (&str, &Spec),
) -> Result<DiffBody, Failure> {
    let past = || Past::open(args.server.as_deref(), args.files.as_deref());
    if let (Spec::Generation(_), Spec::Generation(_)) = (old, new) {
        return between(&past()?, dir, old_name, new_name);
    }
    let looked_at = match new {
        Spec::Folder(folder) => folder,
        Spec::File(_) | Spec::Git(_) | Spec::Generation(_) | Spec::Databases(_) => dir,
    };
    let own = own_weights(args.server.as_deref(), looked_at);
    let file_name = side::zone_file_name(old, new);
    let mut bench = Bench::default();
    let mut read = |name: &str, spec: &Spec, other: &FileSet| -> Result<State, Failure> {
        let bench = &mut bench;
        let state = match spec {
            Spec::Folder(folder) => side::of_folder(bench, name, folder, other)?,
            Spec::Git(revision) => side::of_commit(bench, name, dir, revision, other)?,
            Spec::Generation(number) => {
                let (files, missing) = past()?.files(*number, other)?;
                side::of_generation(name, files, missing, dir)
            }
            Spec::Databases(_) => return Err(Failure::cannot_run(format!("{name}: databases"))),
            Spec::File(path) => {
                side::of_file(bench, path, file_name.as_deref().unwrap_or_default(), other)
            }
        };
        Ok(match &file_name {
            Some(file_name) => state.restricted_to(file_name),
            None => state,
        })
    };
    let none = FileSet::default();
    // A mistake in the new files does not take away what serves: they are read as a server would that serves the old ones.
    if let Spec::Generation(_) = old {
        // What the folder has too need not be sent: it is looked at first, to know.
        let here = read(new_name, new, &none)?;
        let old = read(old_name, old, &here.files)?;
        let new = read(new_name, new, &old.files)?;
        return Ok(compare(old, new, &own));
    }
    let old = read(old_name, old, &none)?;
    let new = read(new_name, new, &old.files)?;
    Ok(compare(old, new, &own))
}

/// What a server counted; nothing, and a note, where that cannot be read: addresses are told all the same.
fn own_weights(server: Option<&str>, dir: &Path) -> (Tally, Option<String>) {
    match weights::own(server, dir) {
        Ok(own) => (own, None),
        Err(why) => {
            (Tally::default(), Some(format!("{}; no shares of queries are told", why.line)))
        }
    }
}

/// Compares databases under the steering of the folder `dir`. A side is databases, or a folder whose own are meant.
fn of_databases(
    dir: &Path,
    (old_name, old): (&str, &Spec),
    (new_name, new): (&str, &Spec),
    (own, note): &(Tally, Option<String>),
) -> Result<DiffBody, Failure> {
    let config = Config::find(dir).map_err(|said| refused(&said))?;
    let mut steering = scan(&config).files;
    // Zones answer the same, whatever is known of clients.
    steering.files.retain(|path, _| {
        path.ends_with(".toml") || path.starts_with("geo/") && !is_database(path)
    });
    let side = |spec: &Spec| -> Result<FileSet, Failure> {
        let paths = match spec {
            Spec::Databases(paths) => paths.clone(),
            Spec::Folder(folder) => {
                let config = Config::find(folder).map_err(|said| refused(&said))?;
                databases::within(&config.geo)
            }
            _ => {
                let line = "databases are compared with databases: FILE.mmdb, several with commas \
                            between, or a folder of them";
                return Err(Failure::cannot_run(line));
            }
        };
        let mut files = steering.clone();
        files.files.extend(databases::read(&paths)?);
        Ok(files)
    };
    let (old, new) = (side(old)?, side(new)?);
    let old = Side { name: old_name, files: &old, config: &config };
    let new = Side { name: new_name, files: &new, config: &config };
    let mut diff = ask::diff(old, new, own, 0);
    diff.notes.extend(note.clone());
    let broken = diff.old.diagnostics.iter().chain(&diff.new.diagnostics);
    let broken: Vec<&str> = broken.map(|said| said.text.as_str()).collect();
    // Without it another database would be compared, or none: that is nobody's question.
    if broken.is_empty() { Ok(diff) } else { Err(Failure::refused(broken.join("\n"))) }
}

fn refused(said: &[Diagnostic]) -> Failure {
    let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
    Failure::refused(lines.join("\n"))
}

/// What leads from one state to the other, with the mistakes of both. Who moves is weighed by `own` queries, too.
fn compare(mut old: State, mut new: State, (own, note): &(Tally, Option<String>)) -> DiffBody {
    old.borrow_databases(&new.files);
    new.borrow_databases(&old.files);
    let errors = |state: &State| -> Vec<DiagnosticBody> {
        state.errors.iter().map(DiagnosticBody::from).collect()
    };
    let mut diff = ask::diff(seen(&old), seen(&new), own, usize::MAX);
    diff.old.diagnostics.extend(errors(&old));
    diff.new.diagnostics.extend(errors(&new));
    diff.notes = [old.notes, new.notes].concat();
    diff.notes.extend(note.clone());
    diff
}

fn seen(state: &State) -> Side<'_> {
    Side { name: &state.name, files: &state.files, config: &state.config }
}

fn human(diff: &DiffBody, args: &DiffArgs) -> String {
    let paint = Paint::for_stdout();
    let extent = match (args.stat, args.all || !is_terminal()) {
        (true, _) => Extent::Summary,
        (false, true) => Extent::All,
        (false, false) => Extent::Terminal,
    };
    let mut text = String::new();
    for side in [&diff.old, &diff.new] {
        for said in &side.diagnostics {
            let (head, rest) = said.text.split_once('\n').unwrap_or((&said.text, ""));
            text.push_str(&paint.text(Colour::Red, &format!("{}: {head}", side.name)));
            text.push_str(&format!("\n{rest}\n\n"));
        }
    }
    text.push_str(&difference::text(diff, extent, paint));
    text
}
