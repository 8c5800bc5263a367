//! The two sides of a comparison: what `OLD` and `NEW` mean, and the state of files that each of them names.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::fileset::{FileSet, is_database};
use crate::load::{Builder, Config, Removals, Scan, scan, scan_zone_file};

use super::check::configuration;
use super::databases;
use super::failure::Failure;
use super::git;

/// What a side names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// A folder with zones/ and geo/, or its configuration file.
    Folder(PathBuf),
    /// One zone file.
    File(PathBuf),
    /// The folder here as it is committed at a revision.
    Git(String),
    /// Geo databases, in place of those of the folder here.
    Databases(Vec<PathBuf>),
    /// What a server published: a number, or what it serves now.
    Generation(Option<u64>),
}

/// A state of files, ready to be compared.
#[derive(Debug)]
pub struct State {
    /// As it was asked for.
    pub name: String,
    /// The configuration that holds for it.
    pub config: Config,
    /// The files that would serve: the last good form of what has mistakes.
    pub files: FileSet,
    /// The mistakes in them.
    pub errors: Vec<Diagnostic>,
    /// Geo databases of it that are no longer kept.
    pub missing: Vec<String>,
    /// What is to be known of how it was read.
    pub notes: Vec<String>,
}

/// Builds states one after the other, and does not make again what two of them share.
#[derive(Default)]
pub struct Bench {
    builder: Option<(Config, Builder)>,
}

impl Bench {
    /// A builder for what `config` says; the same as before, if nothing that it makes depends on the difference.
    fn builder(&mut self, config: &Config) -> &mut Builder {
        let shared = self.builder.take().filter(|(before, _)| {
            before.site_position == config.site_position && before.health == config.health
        });
        let made = shared.unwrap_or_else(|| (config.clone(), Builder::new(config)));
        &mut self.builder.insert(made).1
    }

    /// What would serve of a state where `before` serves: the last good form of what is refused. And the errors; and what
    /// the guard would hold.
    fn would_serve(&mut self, name: &str, config: Config, found: &Scan, before: &FileSet) -> State {
        let builder = self.builder(&config);
        let guard = Some(&config.guard);
        let mut built = builder.build_guarded(found, before, Removals::Settled, guard);
        let mut notes = Vec::new();
        for held in &built.held {
            let counts = format!("{} of {} names vanish", held.removed, held.names);
            notes.push(format!("the guard would hold {}: {counts}; homing accept", held.zone));
        }
        if !notes.is_empty() {
            built = builder.build(found, before, Removals::Settled);
        }
        let errors = built.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
        State {
            name: name.to_owned(),
            config,
            files: built.serving,
            errors,
            missing: Vec::new(),
            notes,
        }
    }
}

impl Spec {
    /// Reads `OLD` or `NEW`.
    pub fn parse(text: &str) -> Result<Spec, Failure> {
        if let Some(revision) = text.strip_prefix("git:") {
            return Ok(Spec::Git(revision.to_owned()));
        }
        if let Some(generation) = text.strip_prefix("gen:") {
            return match generation.parse() {
                Ok(number) => Ok(Spec::Generation(Some(number))),
                Err(_) if generation == "now" => Ok(Spec::Generation(None)),
                Err(_) => Err(Failure::cannot_run(format!(
                    "{text}: a generation is gen:NUMBER, or gen:now; homing log lists them"
                ))),
            };
        }
        if let Some(paths) = databases::parse(text) {
            return Ok(Spec::Databases(paths));
        }
        let path = PathBuf::from(text);
        match (path.is_dir(), path.is_file()) {
            (true, _) => Ok(Spec::Folder(path)),
            (_, true) if path.extension().is_some_and(|e| e == "toml") => Ok(Spec::Folder(path)),
            (_, true) => Ok(Spec::File(path)),
            _ => Err(Failure::cannot_run(format!(
                "{text} is no folder and no file; a commit is git:{text}, a generation gen:NUMBER"
            ))),
        }
    }

    /// The name that the zone of a single file goes by.
    fn zone_file_name(&self) -> Option<String> {
        let Spec::File(path) = self else { return None };
        path.file_name()?.to_str().map(str::to_owned)
    }
}

/// The name that both sides know a single zone file by, if one of them is one: two single files are two states of one zone,
/// named by the new one unless only the old one is called `….zone`.
pub fn zone_file_name(old: &Spec, new: &Spec) -> Option<String> {
    let names = [new.zone_file_name(), old.zone_file_name()];
    let own = |name: &&String| name.ends_with(".zone");
    let named = names.iter().flatten().find(own).or(names.iter().flatten().next())?;
    // `db.example.com` is how others name it.
    let bare = named.strip_prefix("db.").unwrap_or(named);
    Some(if own(&named) { named.clone() } else { format!("{bare}.zone") })
}

/// Reads a folder, as it would serve where `before` serves.
pub fn of_folder(
    bench: &mut Bench,
    name: &str,
    dir: &Path,
    before: &FileSet,
) -> Result<State, Failure> {
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let found = scan(&config);
    Ok(bench.would_serve(name, config, &found, before))
}

/// Reads the folder `dir` as it is committed at `revision`. Geo databases are seldom committed: without one there, it has
/// those of the folder. As it would serve where `before` serves.
pub fn of_commit(
    bench: &mut Bench,
    name: &str,
    dir: &Path,
    revision: &str,
    before: &FileSet,
) -> Result<State, Failure> {
    let folder = if dir.is_file() { dir.parent().unwrap_or(dir) } else { dir };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut committed = git::read(folder, revision)?;
    let Some(config) = committed.config else {
        let lines: Vec<String> = committed.said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let mut notes = Vec::new();
    let files = &mut committed.scan.files;
    if !files.files.keys().any(|path| path.ends_with(".zone")) {
        notes.push(format!("{name} holds no zone file"));
    }
    if !files.files.keys().any(|path| is_database(path)) {
        let here = databases(folder);
        for path in here.files.keys() {
            notes.push(format!("{name} has no geo database: {path} of the folder is used"));
        }
        files.files.extend(here.files.iter().map(|(path, file)| (path.clone(), file.clone())));
    }
    let mut state = bench.would_serve(name, config, &committed.scan, before);
    state.notes.extend(notes);
    Ok(state)
}

/// Reads one zone file, known as `file_name`, as it would serve where `before` serves.
pub fn of_file(bench: &mut Bench, path: &Path, file_name: &str, before: &FileSet) -> State {
    let shown = path.display().to_string();
    let known = format!("zones/{file_name}");
    let found = scan_zone_file(path, &known);
    let mut state = bench.would_serve(&shown, Config::defaults(Path::new("")), &found, before);
    for said in state.errors.iter_mut().filter(|said| said.place.file == known) {
        said.place.file.clone_from(&shown);
    }
    state
}

/// What a server published, with the configuration of the folder here, if there is one.
pub fn of_generation(name: &str, files: FileSet, missing: Vec<String>, dir: &Path) -> State {
    let config = Config::find(dir).unwrap_or_else(|_| Config::defaults(dir));
    // It served: a build has found it sound.
    State { name: name.to_owned(), config, files, errors: Vec::new(), missing, notes: Vec::new() }
}

impl State {
    /// Takes from the other side the geo databases of its own that are no longer kept: else all clients would seem to move.
    pub fn borrow_databases(&mut self, other: &FileSet) {
        for path in std::mem::take(&mut self.missing) {
            let words = match other.get(&path) {
                Some(file) => {
                    self.files.files.insert(path.clone(), file.clone());
                    "that of the other side is used"
                }
                None => "it is compared without",
            };
            self.notes.push(format!("{}: {path} is no longer kept; {words}", self.name));
        }
    }

    /// The same with nothing but the zone file called `file_name`, wherever under zones/, and what it may include.
    pub fn restricted_to(mut self, file_name: &str) -> State {
        self.files.files.retain(|path, _| {
            let is_it = path.rsplit('/').next() == Some(file_name);
            let may_be_included = !path.ends_with(".zone") && !path.ends_with(".toml");
            path.starts_with("zones/") && (is_it || may_be_included)
        });
        self.config = Config::defaults(Path::new(""));
        self.errors.retain(|said| said.place.file.rsplit('/').next() == Some(file_name));
        self
    }
}

/// The geo databases of the folder here, if it has any.
fn databases(dir: &Path) -> FileSet {
    let mut files = FileSet::default();
    let holds_any = |config: &Config| {
        let listed = std::fs::read_dir(&config.geo).into_iter().flatten().flatten();
        let mut names = listed.map(|entry| entry.file_name());
        names.any(|name| is_database(&name.to_string_lossy()))
    };
    // A configuration with mistakes is told where it is a side itself.
    if let Some(config) = Config::find(dir).ok().filter(holds_any) {
        files = scan(&config).files;
        files.files.retain(|path, _| is_database(path));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_what_it_looks_like() {
        assert_eq!(Spec::parse("git:main~3").unwrap(), Spec::Git("main~3".into()));
        assert_eq!(Spec::parse("gen:41").unwrap(), Spec::Generation(Some(41)));
        assert_eq!(Spec::parse("gen:now").unwrap(), Spec::Generation(None));
        assert!(Spec::parse("gen:x").unwrap_err().line.contains("homing log"));
        assert_eq!(Spec::parse("src").unwrap(), Spec::Folder("src".into()));
        assert_eq!(Spec::parse("Cargo.toml").unwrap(), Spec::Folder("Cargo.toml".into()));
        assert!(Spec::parse("nothing").unwrap_err().line.contains("git:nothing"));
    }

    #[test]
    fn two_files_are_states_of_one_zone() {
        let name = |old: &str, new: &str| {
            zone_file_name(&Spec::File(old.into()), &Spec::File(new.into())).unwrap()
        };
        assert_eq!(name("/tmp/old.txt", "zones/example.com.zone"), "example.com.zone");
        assert_eq!(name("example.com.zone", "/tmp/new"), "example.com.zone");
        assert_eq!(name("a.zone", "b.zone"), "b.zone");
        assert_eq!(name("x", "db.example.com"), "example.com.zone");
        assert_eq!(zone_file_name(&Spec::Git("HEAD".into()), &Spec::Folder(".".into())), None);
    }
}
