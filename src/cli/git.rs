//! A folder as it was committed: read through the `git` program, without a checkout and without a shell.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Component, Path};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use crate::diagnostic::Diagnostic;
use crate::load::{CONFIG_FILE, Config, Scan, gather};

use super::failure::Failure;

/// Octets of the largest content that is read: as of a file.
const CONTENT_LEN_MAX: u64 = 2 << 30;

/// What a revision holds of a folder.
pub struct Committed {
    /// The configuration there; none where it has mistakes.
    pub config: Option<Config>,
    /// The mistakes of the configuration.
    pub said: Vec<Diagnostic>,
    /// The files.
    pub scan: Scan,
}

/// Reads the folder `dir`, which lies in a repository, as it is committed at `revision`.
pub fn read(dir: &Path, revision: &str) -> Result<Committed, Failure> {
    let repository = Repository { dir };
    let prefix = repository.line(&["rev-parse", "--show-prefix"])?;
    let commit = repository.commit(revision)?;
    let tree = repository.tree(&commit)?;
    let mut contents = Contents::start(dir)?;
    let config_path = format!("{prefix}{CONFIG_FILE}");
    let (config, said) = match tree.get(&config_path) {
        None => (Some(Config::defaults(Path::new(""))), Vec::new()),
        Some(entry) => {
            let text = contents.of(entry).map_err(Failure::cannot_run)?;
            let shown = format!("git:{revision}:{config_path}");
            match Config::parse(&shown, &text, Path::new("")) {
                Ok(config) => (Some(config), Vec::new()),
                Err(said) => (None, said),
            }
        }
    };
    let defaults = Config::defaults(Path::new(""));
    let folders = config.as_ref().unwrap_or(&defaults);
    let mut found: BTreeMap<String, &Entry> = BTreeMap::new();
    for (name, folder) in [("zones", &folders.zones), ("geo", &folders.geo)] {
        let folder = within(&prefix, folder).ok_or_else(|| {
            let shown = folder.display();
            Failure::cannot_run(format!("git:{revision}: {shown} lies outside of the repository"))
        })?;
        for (path, entry) in tree.range(folder.clone()..) {
            let Some(below) = path.strip_prefix(&folder) else { break };
            found.insert(format!("{name}/{below}"), entry);
        }
    }
    let names: Vec<String> = found.keys().cloned().collect();
    let scan = gather(&names, |name| match found.get(name) {
        Some(entry) => contents.of(entry),
        None => Err("it is not there".to_owned()),
    });
    Ok(Committed { config, said, scan })
}

/// `folder`, written relative to `prefix`, as a path from the repository's top with a last slash. None where it leads out.
fn within(prefix: &str, folder: &Path) -> Option<String> {
    let mut parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    for component in folder.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.iter().map(|part| format!("{part}/")).collect())
}

/// One file of a commit.
struct Entry {
    /// Six octal digits: what kind of file it is.
    mode: String,
    /// The name of its content.
    object: String,
}

struct Repository<'d> {
    dir: &'d Path,
}

impl Repository<'_> {
    /// The commit that `revision` names.
    fn commit(&self, revision: &str) -> Result<String, Failure> {
        let unknown = |why: &str| Failure::cannot_run(format!("git:{revision}: {why}"));
        // A revision never begins so; an option does.
        if revision.is_empty() || revision.starts_with('-') {
            return Err(unknown("that is no revision"));
        }
        let wanted = format!("{revision}^{{commit}}");
        let output = run(self.dir, &["rev-parse", "--verify", "--quiet", &wanted])?;
        if !output.status.success() {
            return Err(unknown("there is no such revision; git log lists them"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// All files of a commit, by their path from the top. Names that are not UTF-8 are nobody's.
    fn tree(&self, commit: &str) -> Result<BTreeMap<String, Entry>, Failure> {
        let listed = self.output(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let mut tree = BTreeMap::new();
        for line in listed.split(|&b| b == 0) {
            // `100644 blob 3f9a…<TAB>zones/example.com.zone`
            let Ok(line) = str::from_utf8(line) else { continue };
            let Some((head, path)) = line.split_once('\t') else { continue };
            let mut words = head.split(' ');
            let (mode, kind, object) = (words.next(), words.next(), words.next());
            if let (Some(mode), Some("blob"), Some(object)) = (mode, kind, object) {
                let entry = Entry { mode: mode.to_owned(), object: object.to_owned() };
                tree.insert(path.to_owned(), entry);
            }
        }
        Ok(tree)
    }

    fn line(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.output(arguments)?;
        Ok(String::from_utf8_lossy(&output).trim_end_matches('\n').to_owned())
    }

    fn output(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = run(self.dir, arguments)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it failed without a word");
        Err(Failure::cannot_run(format!("git, in {}: {said}", self.dir.display())))
    }
}

fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).stdin(Stdio::null());
    // Its words in one language, and nothing written beside what is read.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Result<Output, Failure> {
    git(dir).args(arguments.iter().map(OsStr::new)).output().map_err(|e| not_started(&e))
}

fn not_started(error: &std::io::Error) -> Failure {
    Failure::cannot_run(match error.kind() {
        ErrorKind::NotFound => "git is not installed here, and git:REV is read with it".to_owned(),
        _ => format!("git does not start: {error}"),
    })
}

/// `git cat-file --batch`: contents by name, one after the other.
struct Contents {
    child: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Contents {
    fn start(dir: &Path) -> Result<Contents, Failure> {
        let mut command = git(dir);
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| not_started(&e))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (ask, answer) = pipes.ok_or_else(|| Failure::cannot_run("git has no pipes"))?;
        Ok(Contents { child, ask, answer: BufReader::new(answer) })
    }

    /// The content of a file; why not, in words.
    fn of(&mut self, entry: &Entry) -> Result<Vec<u8>, String> {
        if entry.mode == "120000" {
            return Err("it is a link: links in a commit are not followed".to_owned());
        }
        self.object(&entry.object).map_err(|e| format!("git does not give its content: {e}"))
    }

    /// Asked, then read whole, so that neither pipe ever fills.
    fn object(&mut self, object: &str) -> std::io::Result<Vec<u8>> {
        writeln!(self.ask, "{object}")?;
        self.ask.flush()?;
        let mut head = String::new();
        self.answer.read_line(&mut head)?;
        // `3f9a… blob 1234`, or `3f9a… missing`
        let len = head.trim_end().rsplit(' ').next().and_then(|len| len.parse::<u64>().ok());
        let Some(len) = len.filter(|&len| len <= CONTENT_LEN_MAX) else {
            return Err(std::io::Error::other(head.trim_end().to_owned()));
        };
        let mut bytes = Vec::new();
        (&mut self.answer).take(len).read_to_end(&mut bytes)?;
        let mut end = [0];
        self.answer.read_exact(&mut end)?;
        Ok(bytes)
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        // Nothing is asked any more; what it says of that is of no interest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stay_in_the_repository() {
        let found = |prefix: &str, folder: &str| within(prefix, Path::new(folder));
        assert_eq!(found("", "zones").as_deref(), Some("zones/"));
        assert_eq!(found("dns/prod/", "zones").as_deref(), Some("dns/prod/zones/"));
        assert_eq!(found("dns/prod/", "../common/./zones").as_deref(), Some("dns/common/zones/"));
        assert_eq!(found("dns/", "../..").as_deref(), None);
        assert_eq!(found("", "/etc/zones").as_deref(), None);
        assert_eq!(found("", ".").as_deref(), Some(""));
    }
}
