//! The files of a foreign configuration: read, remembered, and pointed into.
//!
//! Owns:  where a path of that server leads on this machine, and that no secret is shown.
//! Never: knows what a configuration means.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place, Severity};

use super::scan::{Slip, Spot};

/// Files of one configuration. A guess, far above one file for each zone of a large server.
const FILE_COUNT_MAX: usize = 200_000;
/// Octets of one of them. A guess: some hundred thousand zones in one file.
const FILE_LEN_MAX: u64 = 256 << 20;
/// Files that one pattern may name.
const GLOB_COUNT_MAX: usize = 100_000;

/// The files that were read.
#[derive(Debug, Default)]
pub struct Texts {
    /// Where absolute paths begin; none: at `/`.
    root: Option<PathBuf>,
    files: Vec<(String, String)>,
}

impl Texts {
    /// None yet; absolute paths begin at `root`.
    pub fn new(root: Option<PathBuf>) -> Texts {
        Texts { root, files: Vec::new() }
    }

    /// Reads a file, and gives its number. Octets that are no UTF-8 become replacement characters.
    pub fn open(&mut self, path: &Path) -> Result<usize, Error> {
        let meta = fs::metadata(path)?;
        if !meta.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        if meta.len() > FILE_LEN_MAX || self.files.len() >= FILE_COUNT_MAX {
            return Err(Error::new(
                ErrorKind::FileTooLarge,
                "it is too large, or one file too many",
            ));
        }
        let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        self.files.push((path.display().to_string(), text));
        Ok(self.files.len() - 1)
    }

    /// The content of file number `file`.
    pub fn text(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |(_, text)| text)
    }

    /// Where `spot` is.
    pub fn place(&self, spot: Spot) -> Place {
        let file = self.files.get(spot.file).map_or("", |(path, _)| path);
        Place::at(file, spot.line, spot.column)
    }

    /// An error at `spot`.
    pub fn error(&self, spot: Spot, code: &'static str, what: impl Into<String>) -> Diagnostic {
        let error = Diagnostic::error(code, self.place(spot), what);
        let said = error.excerpt_from(self.text(spot.file).as_bytes());
        let line = said.excerpt.to_ascii_lowercase();
        // A line about a key is not for a log or a ticket.
        match line.contains("secret") || line.contains("keydata") {
            true => Diagnostic { excerpt: String::new(), ..said },
            false => said,
        }
    }

    /// A warning at `spot`.
    pub fn warning(&self, spot: Spot, code: &'static str, what: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..self.error(spot, code, what) }
    }

    /// What is said of a slip.
    pub fn slip(&self, slip: &Slip) -> Diagnostic {
        self.error(slip.spot, "foreign-syntax", slip.what.as_str())
            .consequence("nothing was written")
            .help(slip.help)
    }

    /// Where `written` leads: absolute paths begin at the root given, others at `base`.
    pub fn located(&self, base: &Path, written: &str) -> PathBuf {
        let written = Path::new(written);
        let path = match &self.root {
            Some(root) if written.is_absolute() => {
                let below = written
                    .components()
                    .filter(|c| matches!(c, Component::Normal(_) | Component::ParentDir));
                root.join(below.collect::<PathBuf>())
            }
            _ => base.join(written),
        };
        path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)
    }

    /// The files that `pattern` names, sorted. A pattern without wildcards names one file, there or not.
    pub fn glob(&self, base: &Path, pattern: &str) -> Vec<PathBuf> {
        let path = self.located(base, pattern);
        if !pattern.contains(['*', '?', '[']) {
            return vec![path];
        }
        // Wildcards are those of the pattern, not of the folder that it begins in.
        let base = path.to_str().and_then(|path| path.strip_suffix(pattern));
        let text = match base {
            Some(base) => format!("{}{pattern}", glob::Pattern::escape(base)),
            None => path.display().to_string(),
        };
        let found = glob::glob(&text).into_iter().flatten().filter_map(Result::ok);
        found.take(GLOB_COUNT_MAX).collect()
    }
}

/// The folder of a file; `.` where its path has none.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_begin_at_the_root_given() {
        let here = Texts::default();
        assert_eq!(here.located(Path::new("/etc"), "a/b"), Path::new("/etc/a/b"));
        assert_eq!(here.located(Path::new("/etc"), "/var/x"), Path::new("/var/x"));
        let below = Texts::new(Some("copy".into()));
        assert_eq!(below.located(Path::new("copy/etc"), "/var/x"), Path::new("copy/var/x"));
        assert_eq!(below.located(Path::new("copy/etc"), "b"), Path::new("copy/etc/b"));
    }

    #[test]
    fn a_line_with_a_secret_is_not_shown() {
        let mut texts = Texts::default();
        texts.files.push(("named.conf".into(), "key x {\n secret \"c2VjcmV0\"\n}".into()));
        let spot = |line| Spot { file: 0, line, column: 2 };
        assert_eq!(texts.error(spot(2), "x", "y").excerpt, "");
        assert_eq!(texts.error(spot(1), "x", "y").excerpt, "key x {");
    }

    #[test]
    fn patterns_name_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", "c.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let texts = Texts::default();
        let found = texts.glob(folder.path(), "*.conf");
        assert_eq!(found, [folder.path().join("a.conf"), folder.path().join("b.conf")]);
        assert_eq!(texts.glob(folder.path(), "d.conf"), [folder.path().join("d.conf")]);
    }
}
