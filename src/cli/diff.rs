//! `homing diff`: what an edit changes, before it is made; or what a change was, after.

use std::path::Path;

use crate::api::{DiagnosticBody, DiffBody};
use crate::ask::{self, Side, Tally};
use crate::fileset::FileSet;

use super::args::{DiffArgs, Format};
use super::changes::Extent;
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
    let new_name = args.new.as_deref().unwrap_or(&here);
    let (old, new) = (Spec::parse(&args.old)?, Spec::parse(new_name)?);
    let diff = of_sides(args, dir, (&args.old, &old), (new_name, &new))?;
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
        Spec::File(_) | Spec::Git(_) | Spec::Generation(_) => dir,
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

/// What leads from one state to the other, with the mistakes of both. Who moves is weighed by `own` queries, too.
fn compare(mut old: State, mut new: State, (own, note): &(Tally, Option<String>)) -> DiffBody {
    old.borrow_databases(&new.files);
    new.borrow_databases(&old.files);
    let errors = |state: &State| state.errors.iter().map(DiagnosticBody::from).collect();
    let mut diff = ask::diff(seen(&old), seen(&new), own, usize::MAX);
    diff.old.diagnostics = errors(&old);
    diff.new.diagnostics = errors(&new);
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
