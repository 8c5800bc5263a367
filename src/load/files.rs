//! Files off the disk: the only reader of `zones/` and `geo/`.
//!
//! Owns:  which files count, how far links may lead, and that a file is read whole and from one moment.
//! Never: knows what a file means. What cannot be read is said, and named in `unread`, so that nobody takes it for gone.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File as Handle, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::fileset::{File, FileSet, is_database};

use super::config::Config;
use super::include;
use super::motion::Motion;

mod glance;

/// Octets of the largest file: above any geo database or zone known. A guess.
const FILE_LEN_MAX: u64 = 2 << 30;
/// Files and folders looked at in one scan. A guess: a million zones, and steering for some.
const ENTRY_COUNT_MAX: usize = 2_000_000;
/// Folders within folders.
const DEPTH_MAX: usize = 32;
/// How often a file that changes under our eyes is begun again.
const READ_TRY_COUNT: usize = 5;
/// Younger than this when it was read, a file may change again within one tick of its clock, unseen by its times.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What a look at the folders found.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// The files as they stand.
    pub files: FileSet,
    /// What could not be read, and why.
    pub problems: Vec<Diagnostic>,
    /// Paths, and folders with a trailing `/`, of which nothing is known: what serves of them serves on.
    pub unread: Vec<String>,
    /// When it was, in seconds since 1970, if a clock was looked at. No answer depends on it: warnings do.
    pub at_secs: Option<u64>,
}

impl From<FileSet> for Scan {
    /// A state of files that was not read from a disk, and so has no problems: that of a rollback.
    fn from(files: FileSet) -> Scan {
        Scan { files, ..Scan::default() }
    }
}

/// Looks at the folders once.
pub fn scan(config: &Config) -> Scan {
    Reader::default().scan(config)
}

/// Looks at the folder of zones alone.
pub fn scan_zones(zones: &Path) -> Scan {
    Reader::default().look(|walk| {
        walk.root(zones, "zones");
        walk.includes(zones);
    })
}

/// Looks at the one file `below` the folder of zones, and at what it includes.
pub fn scan_zone(zones: &Path, below: &str) -> Scan {
    Reader::default().look(|walk| {
        walk.file(&zones.join(below), &format!("zones/{below}"), None);
        walk.includes(zones);
    })
}

/// One zone file by itself, with what it includes from its own folder and below; known as `name`, such as
/// `zones/example.com.zone`, whatever it is called on the disk.
pub fn scan_zone_file(path: &Path, name: &str) -> Scan {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Reader::default().look(|walk| {
        walk.file(path, name, None);
        walk.includes(folder);
    })
}

/// The files of a state that lies in no folder: `names` are all there are, as `zones/…` and `geo/…`, and `read` gives the
/// content of one. Those that a scan of folders would pass over are passed over here.
pub fn gather(names: &[String], mut read: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Scan {
    let mut scan = Scan::default();
    let passed_over = |name: &str| name.split('/').skip(1).any(is_ignored);
    let own = names.iter().filter(|name| is_ours(name) && !passed_over(name));
    let mut wanted: Vec<String> = own.rev().cloned().collect();
    let mut seen = HashSet::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let bytes = match read(&name) {
            Ok(bytes) => bytes,
            Err(why) => {
                let said = Diagnostic::error("file-unreadable", Place::file(&name), why);
                scan.problems.push(said);
                scan.unread.push(name);
                continue;
            }
        };
        for written in includes_of(Path::new(&name), &bytes) {
            let named = include::candidates(&written, &name).unwrap_or_default();
            wanted.extend(named.into_iter().filter(|name| names.binary_search(name).is_ok()));
        }
        scan.files.files.insert(name, File::new(bytes));
    }
    scan
}

/// Looks again and again, and does not read again what has not changed.
#[derive(Debug, Default)]
pub struct Reader {
    known: HashMap<PathBuf, Known>,
    motion: Motion,
    /// What stands after the last look, if a glance may follow it.
    last: Option<Scan>,
}

/// A file as it was when it was read.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    file: File,
    includes: Vec<String>,
}

/// What tells a changed file from an unchanged one, short of reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Reader {
    /// A reader that leaves alone what is in motion.
    pub fn new(motion: Motion) -> Reader {
        Reader { known: HashMap::new(), motion, last: None }
    }

    /// Looks at the folders of `config`.
    pub fn scan(&mut self, config: &Config) -> Scan {
        let mut is_plain = false;
        let scan = self.look(|walk| {
            walk.root(&config.zones, "zones");
            is_plain = walk.is_plain();
            walk.includes(&config.zones);
            walk.root(&config.geo, "geo");
        });
        self.last = (is_plain && scan.problems.is_empty()).then(|| scan.clone());
        scan
    }

    /// Has every file that was read with this content let go of it, too.
    pub fn let_go(&mut self, away: &File) {
        let same = self.known.values_mut().filter(|known| known.file == *away);
        same.for_each(|known| known.file.clone_from(away));
    }

    fn look(&mut self, at: impl FnOnce(&mut Walk<'_>)) -> Scan {
        let mut walk = Walk::new(&self.known, &self.motion);
        at(&mut walk);
        let Walk { seen, mut scan, .. } = walk;
        self.known = seen;
        scan.at_secs = now_secs();
        scan
    }
}

/// One look in progress.
struct Walk<'r> {
    before: &'r HashMap<PathBuf, Known>,
    motion: &'r Motion,
    seen: HashMap<PathBuf, Known>,
    scan: Scan,
    entries: usize,
    /// Included names still to be looked for: as written, and by whom.
    wanted: Vec<(String, String)>,
    /// Whether a link led somewhere.
    has_links: bool,
}

impl<'r> Walk<'r> {
    fn new(before: &'r HashMap<PathBuf, Known>, motion: &'r Motion) -> Walk<'r> {
        let (seen, scan, wanted) = (HashMap::new(), Scan::default(), Vec::new());
        Walk { before, motion, seen, scan, entries: 0, wanted, has_links: false }
    }

    /// Whether each file so far stands where it is found, and by itself: none is behind a link, or includes another.
    fn is_plain(&self) -> bool {
        !self.has_links && self.wanted.is_empty()
    }

    fn root(&mut self, folder: &Path, name: &str) {
        let missing = fs::symlink_metadata(folder).err();
        if name == "geo" && missing.is_some_and(|e| e.kind() == ErrorKind::NotFound) {
            // The built-in table serves without a folder: worth no word, unless files of it serve already.
            return self.scan.unread.push("geo/".to_owned());
        }
        let mut above = Vec::new();
        self.folder(folder, name, &mut above);
    }

    /// Walks `folder`, known as `name`; `above` are the folders that led here, by device and inode, so that a link back
    /// to one of them ends.
    fn folder(&mut self, folder: &Path, name: &str, above: &mut Vec<(u64, u64)>) {
        let listed = fs::metadata(folder).and_then(|meta| {
            let mut entries = Vec::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                self.has_links |= entry.file_type().is_ok_and(|kind| kind.is_symlink());
                entries.push(entry.file_name());
            }
            entries.sort();
            Ok((meta, entries))
        });
        let (meta, entries) = match listed {
            Ok(listed) => listed,
            Err(error) => return self.unread(format!("{name}/"), "folder-unreadable", &error),
        };
        let here = (meta.dev(), meta.ino());
        if above.contains(&here) {
            return;
        }
        if above.len() >= DEPTH_MAX {
            let why = format!("folders lie deeper than {DEPTH_MAX}");
            return self.problem(format!("{name}/"), "folder-too-deep", why);
        }
        above.push(here);
        for entry in entries {
            let Some(text) = entry.to_str() else {
                let why = format!("the name of {} is not UTF-8", entry.to_string_lossy());
                self.problem(format!("{name}/"), "name-not-utf8", why);
                continue;
            };
            if !is_ignored(text) {
                self.entry(&folder.join(text), &format!("{name}/{text}"), above);
            }
        }
        above.pop();
    }

    fn entry(&mut self, path: &Path, name: &str, above: &mut Vec<(u64, u64)>) {
        self.entries += 1;
        if self.entries > ENTRY_COUNT_MAX {
            if self.entries == ENTRY_COUNT_MAX + 1 {
                let why = format!("there are more than {ENTRY_COUNT_MAX} files");
                self.problem("zones/".to_owned(), "too-many-files", why);
            }
            return;
        }
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.folder(path, name, above),
            Ok(meta) if is_ours(name) => self.file(path, name, Some(meta)),
            Ok(_) => {}
            Err(_) if !is_ours(name) && !name.ends_with('/') => {}
            Err(error) => self.failed(path, name, &error),
        }
    }

    /// A file that is gone by the time we look is gone; anything else is said.
    fn failed(&mut self, path: &Path, name: &str, error: &std::io::Error) {
        let gone = error.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err();
        if !gone {
            self.unread(name.to_owned(), "file-unreadable", error);
        }
    }

    /// Takes in the file at `path`; `meta` tells of it if somebody has just looked.
    fn file(&mut self, path: &Path, name: &str, meta: Option<Metadata>) {
        if self.motion.holds(path, Instant::now()) {
            return self.in_motion(name);
        }
        match self.read(path, meta) {
            Ok(known) => {
                for written in &known.includes {
                    self.wanted.push((written.clone(), name.to_owned()));
                }
                self.scan.files.files.insert(name.to_owned(), known.file.clone());
                self.seen.insert(path.to_owned(), known);
            }
            Err(Unread::Failed(error)) => self.failed(path, name, &error),
            Err(Unread::Refused(code, why)) => self.problem(name.to_owned(), code, why),
        }
    }

    /// The file at `path`, as it was at one moment.
    fn read(&self, path: &Path, mut meta: Option<Metadata>) -> Result<Known, Unread> {
        for _ in 0..READ_TRY_COUNT {
            let before = meta.take().map_or_else(|| fs::metadata(path), Ok)?;
            if !before.is_file() {
                return Err(Unread::Refused("not-a-file", "it is not a regular file".to_owned()));
            }
            if before.len() > FILE_LEN_MAX {
                let why = format!("it is larger than {} GiB", FILE_LEN_MAX >> 30);
                return Err(Unread::Refused("file-too-large", why));
            }
            let stamp = Stamp::of(&before);
            if let Some(known) = self.before.get(path).filter(|known| known.stamp == stamp) {
                return Ok(known.again());
            }
            let young = is_young(&before);
            let bytes = read_as(path, stamp)?;
            // The path again too: while we read, another file may have come to stand there.
            let still = Stamp::of(&fs::metadata(path)?) == stamp;
            if let Some(bytes) = bytes.filter(|_| still) {
                let includes = includes_of(path, &bytes);
                // What was written a moment ago is read again next time: its times may not tell.
                let stamp = if young { Stamp { inode: 0, ..stamp } } else { stamp };
                return Ok(Known { stamp, file: File::new(bytes), includes });
            }
        }
        let why = format!("it changed {READ_TRY_COUNT} times while it was read");
        Err(Unread::Refused("file-in-motion", why))
    }

    /// Reads what zone files include, and what that includes.
    fn includes(&mut self, zones: &Path) {
        let Ok(real_root) = fs::canonicalize(zones) else { return };
        let mut looked_for = HashSet::new();
        while let Some((written, includer)) = self.wanted.pop() {
            // A path that leaves zones/ is the parser's to refuse, at the line that names it.
            let Ok(names) = include::candidates(&written, &includer) else { continue };
            for name in names {
                if !looked_for.insert(name.clone()) || self.scan.files.get(&name).is_some() {
                    continue;
                }
                self.included(&name, zones, &real_root);
            }
        }
    }

    fn included(&mut self, name: &str, zones: &Path, real_root: &Path) {
        self.entries += 1;
        let Some(below) = name.strip_prefix("zones/") else { return };
        let path = zones.join(below);
        let Ok(real) = fs::canonicalize(&path) else {
            if fs::symlink_metadata(&path).is_ok() {
                let why = "it is a link that leads nowhere, or may not be followed".to_owned();
                self.problem(name.to_owned(), "file-unreadable", why);
            }
            return;
        };
        if !real.starts_with(real_root) {
            let why = "it is included, and a link leads it out of zones/".to_owned();
            return self.problem(name.to_owned(), "include-leaves-zones", why);
        }
        if self.entries <= ENTRY_COUNT_MAX {
            self.file(&path, name, None);
        }
    }

    /// A file that somebody writes: nothing to mend, and looked at again as soon as it is closed.
    fn in_motion(&mut self, name: &str) {
        let what = "the file is being written and was not read yet";
        let said = Diagnostic::warning("file-being-written", Place::file(name), what)
            .consequence("what was read of it before stays in service")
            .help(
                "it is read when its writer closes it; writing beside and renaming needs no wait",
            );
        self.scan.problems.push(Diagnostic { severity: Severity::Note, ..said });
        self.scan.unread.push(name.to_owned());
    }

    fn unread(&mut self, name: String, code: &'static str, error: &std::io::Error) {
        let help = match error.kind() {
            std::io::ErrorKind::PermissionDenied => DENIED_HELP,
            _ => PROBLEM_HELP,
        };
        self.problem_with(name, code, format!("it cannot be read: {error}"), help);
    }

    fn problem(&mut self, name: String, code: &'static str, why: String) {
        self.problem_with(name, code, why, PROBLEM_HELP);
    }

    fn problem_with(&mut self, name: String, code: &'static str, why: String, help: &str) {
        let said = Diagnostic::error(code, Place::file(&name), why)
            .consequence("what was read of it before stays in service")
            .help(help);
        self.scan.problems.push(said);
        self.scan.unread.push(name);
    }
}

const PROBLEM_HELP: &str = "mend it on the disk; the next scan takes it";
const DENIED_HELP: &str = "let the user that the server runs as read it; if it is a link to another folder, list that \
                           folder in `read` of [sandbox]";

/// Why a file could not be read.
enum Unread {
    Failed(std::io::Error),
    Refused(&'static str, String),
}

impl From<std::io::Error> for Unread {
    fn from(error: std::io::Error) -> Unread {
        Unread::Failed(error)
    }
}

fn now_secs() -> Option<u64> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.ok().map(|since| since.as_secs())
}

impl Known {
    fn again(&self) -> Known {
        Known { stamp: self.stamp, file: self.file.clone(), includes: self.includes.clone() }
    }
}

impl Stamp {
    fn of(meta: &Metadata) -> Stamp {
        Stamp {
            device: meta.dev(),
            inode: meta.ino(),
            len: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

fn is_young(meta: &Metadata) -> bool {
    let age = meta.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_none_or(|age| age < SETTLED_AFTER)
}

/// The file at `path`, if what is opened there is the file of `stamp`, before and after it is read: a path alone would not
/// tell of one that was moved away and back meanwhile.
fn read_as(path: &Path, stamp: Stamp) -> std::io::Result<Option<Arc<[u8]>>> {
    // A pipe put in the file's place since we looked must not make us wait for a writer.
    let mut options = OpenOptions::new();
    let handle: Handle = options.read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if Stamp::of(&handle.metadata()?) != stamp {
        return Ok(None);
    }
    // Read where it is to stay: a large file is not copied once more. By FILE_LEN_MAX, its length is one of memory.
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, stamp.len as usize).collect();
    let read = Arc::get_mut(&mut bytes).map_or(Ok(()), |room| (&handle).read_exact(room));
    match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    Ok((Stamp::of(&handle.metadata()?) == stamp).then_some(bytes))
}

fn includes_of(path: &Path, bytes: &[u8]) -> Vec<String> {
    let other = ["toml", "mmdb", "csv"];
    let is_text = path.extension().is_none_or(|e| !other.iter().any(|o| e == *o));
    if is_text { include::named_in(bytes) } else { Vec::new() }
}

/// Whether a file is nobody's business: hidden, an editor's, a note to the reader.
fn is_ignored(name: &str) -> bool {
    let backups = ["~", ".swp", ".bak", ".tmp", ".orig", ".rej"];
    name.starts_with('.')
        || (name.starts_with('#') && name.ends_with('#'))
        || backups.iter().any(|end| name.ends_with(end))
        || name.split('.').next().is_some_and(|stem| stem.eq_ignore_ascii_case("readme"))
}

/// Whether a file's name says that it means something to us.
fn is_ours(path: &str) -> bool {
    match path.strip_prefix("zones/") {
        Some(_) => path.ends_with(".zone") || path.ends_with(".toml"),
        None => {
            let own = ["geo/regions.toml", "geo/overrides.csv", "geo/weights.csv"];
            own.contains(&path) || is_database(path)
        }
    }
}

#[cfg(test)]
mod tests;
