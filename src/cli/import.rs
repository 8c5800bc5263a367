//! `homing import`: a folder of ours from another server's configuration and zone files.
//!
//! Read the configuration (`bind`, `nsd`, `knot`: text into what it says), copy the zones (`master`), write all or nothing,
//! tell what was done and what was not, then check as `homing check` does.

mod bind;
mod braces;
mod colons;
mod foreign;
mod knot;
mod master;
mod nsd;
mod scan;
mod starter;
mod texts;

use std::path::Path;

use crate::diagnostic::{Diagnostic, has_error};

use super::args::{CheckArgs, CheckFormat, ImportArgs, ServerKind};
use super::check;
use super::failure::{EXIT_REFUSED, Failure};
use super::folder::{self, Existing, Written};
use super::paint::{Colour, Columns, Paint, print};
use foreign::{Foreign, Wishes};
use master::Imported;
use texts::Texts;

/// Zones that are listed by name before the rest is counted.
const IMPORTED_SHOWN: usize = 20;

/// Imports; exits as `check` does.
pub fn run(args: &ImportArgs) -> Result<u8, Failure> {
    let (kind, path) = source(args)?;
    let mut texts = Texts::new(args.root.clone());
    let file = texts.open(path).map_err(|error| {
        Failure::cannot_run(format!("{} cannot be read: {error}", path.display()))
    })?;
    let kind = kind.or_else(|| guess(path, texts.text(file)));
    let kind = kind.ok_or_else(|| {
        let shown = path.display();
        Failure::cannot_run(format!(
            "{shown}: whose configuration is it? homing import bind|nsd|knot {shown}"
        ))
    })?;
    if args.view.is_some() && kind != ServerKind::Bind {
        return Err(Failure::cannot_run("--view is about named.conf; this is none"));
    }
    let wishes = Wishes { view: args.view.clone(), secondaries: args.secondaries };
    let mut foreign = match kind {
        ServerKind::Bind => bind::read(&mut texts, path, file, &wishes),
        ServerKind::Nsd => nsd::read(&mut texts, path, file, &wishes),
        ServerKind::Knot => knot::read(&mut texts, path, file, &wishes),
    };
    let paint = Paint::for_stdout();
    if foreign.is_refused() {
        print(&diagnostics(&foreign.said, paint));
        return Err(Failure::refused(format!("{} was not imported", path.display())));
    }
    starter::fits(&args.into)?;
    let (mut files, imported) = master::copy(&texts, &mut foreign, &args.into);
    if imported.is_empty() {
        print(&report(&texts, &foreign, &imported, paint));
        return Err(Failure::refused("there is no zone to import; nothing was written"));
    }
    files.extend(starter::files(&args.into, path, &foreign));
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let written = folder::write(&args.into, &files, existing)?;
    print(&report(&texts, &foreign, &imported, paint));
    print(&ending(&args.into, written));
    let checked = check::run(&CheckArgs { dir: args.into.clone(), format: CheckFormat::Human })?;
    Ok(if has_error(&foreign.said) { EXIT_REFUSED } else { checked })
}

/// The arguments are a file, or a kind and a file.
fn source(args: &ImportArgs) -> Result<(Option<ServerKind>, &Path), Failure> {
    match args.from.as_slice() {
        [file] => Ok((None, file)),
        [kind, file] => {
            let word = kind.to_string_lossy().to_ascii_lowercase();
            let kind = match word.as_str() {
                "bind" | "named" => ServerKind::Bind,
                "nsd" => ServerKind::Nsd,
                "knot" | "knotd" => ServerKind::Knot,
                _ => {
                    return Err(Failure::cannot_run(format!(
                        "`{word}` is no server that is known: bind, nsd, knot"
                    )));
                }
            };
            Ok((Some(kind), file))
        }
        _ => Err(Failure::cannot_run("homing import [bind|nsd|knot] FILE")),
    }
}

/// Whose configuration it is: braces are BIND's; of the two with colons, NSD names zones by `name:`, Knot by `domain:`. A
/// file of includes alone is known by its own name.
fn guess(path: &Path, text: &str) -> Option<ServerKind> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let code =
        || lines().filter(|line| !["#", "//", "/*", "*"].iter().any(|mark| line.starts_with(mark)));
    if code().any(|line| line.ends_with('{') || line.ends_with("};") || line.ends_with(';')) {
        return Some(ServerKind::Bind);
    }
    let begins =
        |words: &[&str]| code().any(|line| words.iter().any(|word| line.starts_with(word)));
    if begins(&["- ", "domain:", "listen:", "storage:", "template:"]) {
        return Some(ServerKind::Knot);
    }
    if begins(&["name:", "zonefile:", "zonesdir:", "ip-address:", "pattern:"]) {
        return Some(ServerKind::Nsd);
    }
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let kinds = [("named", ServerKind::Bind), ("nsd", ServerKind::Nsd), ("knot", ServerKind::Knot)];
    kinds.into_iter().find(|(word, _)| name.starts_with(word)).map(|(_, kind)| kind)
}

fn diagnostics(said: &[Diagnostic], paint: Paint) -> String {
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

/// All that was found: what needs an eye, what was imported, what was not.
fn report(texts: &Texts, foreign: &Foreign, imported: &[Imported], paint: Paint) -> String {
    let mut text = diagnostics(&foreign.said, paint);
    let heading =
        |count: usize, word: &str| paint.text(Colour::Bold, &format!("{}\n", counted(count, word)));
    text.push_str(&heading(imported.len(), "zone imported"));
    let mut columns = Columns::default();
    for one in imported.iter().take(IMPORTED_SHOWN) {
        let from = format!("from {}", one.source.display());
        let included = match (one.included, one.mended) {
            (0, _) => String::new(),
            (count, 0) => format!("with {}", counted(count, "included file")),
            (count, mended) => {
                format!(
                    "with {}, {} mended",
                    counted(count, "included file"),
                    counted(mended, "reference")
                )
            }
        };
        let row =
            [(one.target.as_str(), Colour::Plain), (&from, Colour::Dim), (&included, Colour::Dim)];
        columns.row(row);
    }
    text.push_str(&columns.render(paint));
    if let Some(more) = imported.len().checked_sub(IMPORTED_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more\n"));
    }
    if !foreign.skipped.is_empty() {
        text.push_str(&heading(foreign.skipped.len(), "zone skipped"));
        let mut columns = Columns::default();
        for one in &foreign.skipped {
            let place = texts.place(one.spot).to_string();
            columns.row([
                (&one.zone, Colour::Plain),
                (&one.why, Colour::Plain),
                (&place, Colour::Dim),
            ]);
        }
        text.push_str(&columns.render(paint));
    }
    if !foreign.left.is_empty() {
        text.push_str(&heading(foreign.left.len(), "setting not carried over"));
        let mut columns = Columns::default();
        for one in &foreign.left {
            let place = match one.count {
                1 => texts.place(one.spot).to_string(),
                count => format!("{} and {} more", texts.place(one.spot), count - 1),
            };
            columns.row([
                (&one.what, Colour::Plain),
                (one.why, Colour::Plain),
                (&place, Colour::Dim),
            ]);
        }
        text.push_str(&columns.render(paint));
    }
    text
}

fn ending(dir: &Path, written: Written) -> String {
    let unchanged = match written.unchanged {
        0 => String::new(),
        count => format!(", {} as they were", counted(count, "file")),
    };
    format!("{} written to {}{unchanged}\n\n", counted(written.written, "file"), dir.display())
}

/// `2 zones imported`: the first word takes the plural.
fn counted(count: usize, words: &str) -> String {
    let (noun, rest) = words.split_once(' ').unwrap_or((words, ""));
    let (noun, rest) = match noun {
        "included" => (rest, ""),
        _ => (noun, rest),
    };
    let before = if words.starts_with("included ") { "included " } else { "" };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {before}{noun}{plural} {rest}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_tells_whose_it_is() {
        for (name, text, expected) in [
            ("x", "options { directory \"/\"; };", Some(ServerKind::Bind)),
            ("x", "include \"a\";", Some(ServerKind::Bind)),
            ("x", "server:\n  zonesdir: /z\nzone:\n  name: a\n", Some(ServerKind::Nsd)),
            ("x", "zone:\n  - domain: a\n", Some(ServerKind::Knot)),
            ("x", "server:\n    listen: 0.0.0.0@53\n", Some(ServerKind::Knot)),
            ("nsd.conf", "include: /etc/nsd/nsd.conf.d/*.conf\n", Some(ServerKind::Nsd)),
            ("knot.conf", "include: x\n", Some(ServerKind::Knot)),
            ("named.conf", "", Some(ServerKind::Bind)),
            ("x", "include: y\n", None),
        ] {
            assert_eq!(guess(Path::new(name), text), expected, "{name}: {text}");
        }
    }

    #[test]
    fn counts_are_words() {
        assert_eq!(counted(1, "zone imported"), "1 zone imported");
        assert_eq!(counted(2, "setting not carried over"), "2 settings not carried over");
        assert_eq!(counted(3, "included file"), "3 included files");
    }
}
