//! `homing import`: a folder of ours from another server's configuration and zone files.
//!
//! Read the configuration (`bind`, `nsd`, `knot`: text into what it says), copy the zones (`master`), write all or nothing,
//! tell what was done and what was not, then check as `homing check` does.

mod bind;
mod braces;
mod colons;
mod foreign;
mod include;
mod knot;
mod master;
mod nsd;
mod report;
mod scan;
mod starter;
mod texts;

use std::path::Path;

use crate::diagnostic::has_error;

use super::args::{CheckArgs, CheckFormat, ImportArgs, ServerKind};
use super::check;
use super::failure::{EXIT_REFUSED, Failure};
use super::folder::{self, Existing};
use super::paint::{Paint, print};
use foreign::Wishes;
use texts::Texts;

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
        print(&report::said(&foreign.said, paint));
        return Err(Failure::refused(format!("{} was not imported", path.display())));
    }
    starter::fits(&args.into)?;
    let (mut files, imported) = master::copy(&texts, &mut foreign, &args.into);
    if imported.is_empty() {
        print(&report::whole(&texts, &foreign, &imported, paint));
        return Err(Failure::refused("there is no zone to import; nothing was written"));
    }
    files.extend(starter::files(&args.into, path, &foreign));
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let written = folder::write(&args.into, &files, existing)?;
    print(&report::whole(&texts, &foreign, &imported, paint));
    print(&report::written(&args.into, written));
    let checked = check::run(&CheckArgs {
        dir: args.into.clone(),
        format: CheckFormat::Human,
        deny_warnings: false,
        explain: None,
    })?;
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
}
