//! Zone files copied, with what they include: byte for byte, but for a path of an `$INCLUDE` that would lead elsewhere.
//!
//! Owns: the names under zones/, and which reference has to be mended.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::folder::Files;
use crate::diagnostic::{Diagnostic, Place};
use crate::load::{include_candidates, zone_file_name};
use crate::zone::{Inclusion, inclusions};

use super::foreign::{Foreign, ForeignZone};
use super::texts::{Texts, folder_of};

/// Where an included file goes whose own path leads out of zones/.
const ELSEWHERE: &str = "zones/included";
/// The formats of named that are not text begin with these (RFC 1035 knows only text).
const RAW: [&[u8]; 2] = [b"\0\0\0\x02", b"\0\0\0\x03"];
/// Octets looked at to tell text from anything else.
const SAMPLE_LEN: usize = 4096;

/// A zone that was copied.
#[derive(Debug)]
pub struct Imported {
    /// Its path below the folder.
    pub target: String,
    /// Where it came from.
    pub source: PathBuf,
    /// Files that it includes.
    pub included: usize,
    /// References in it, and in those, that were mended.
    pub mended: usize,
}

/// Copies the zones of `foreign`, and gives the files. What cannot be copied is skipped and said. `dir` is where the files
/// go: what lies there already counts when a reference is looked up.
pub fn copy(texts: &Texts, foreign: &mut Foreign, dir: &Path) -> (Files, Vec<Imported>) {
    let mut copier = Copier { texts, dir, copies: BTreeMap::new(), targets: HashMap::new() };
    let mut imported = Vec::new();
    for zone in std::mem::take(&mut foreign.zones) {
        match copier.zone(&zone, &mut foreign.said) {
            Ok(one) => imported.push(one),
            Err((said, why)) => {
                let shown = zone.name.to_string();
                let shown = shown.strip_suffix('.').filter(|s| !s.is_empty()).unwrap_or(".");
                foreign.said.push(*said);
                foreign.skip(shown, why, zone.spot);
            }
        }
    }
    for one in &mut imported {
        one.mended = copier.mended_of(&one.target);
    }
    (copier.files(), imported)
}

/// A file to be written.
struct Copied {
    bytes: Vec<u8>,
    references: Vec<(Inclusion, String)>,
}

struct Copier<'t> {
    texts: &'t Texts,
    dir: &'t Path,
    /// By target.
    copies: BTreeMap<String, Copied>,
    /// Targets of included files, by where they came from.
    targets: HashMap<PathBuf, String>,
}

impl Copier<'_> {
    fn zone(
        &mut self,
        zone: &ForeignZone,
        said: &mut Vec<Diagnostic>,
    ) -> Result<Imported, (Box<Diagnostic>, &'static str)> {
        let refuse = |code, what: String, help: String| {
            Box::new(
                self.texts
                    .error(zone.spot, code, what)
                    .consequence("the zone was skipped")
                    .help(help),
            )
        };
        let shown = zone.file.display();
        let bytes = read(&zone.file).map_err(|error| {
            let help = "run as a user who may read it; --root DIR tells where absolute paths begin";
            let what = format!("{shown} cannot be read: {error}");
            (refuse("foreign-file", what, help.to_owned()), "its file cannot be read")
        })?;
        if let Some(what) = not_text(&bytes) {
            let help = format!(
                "make text of it: named-compilezone -f raw -F text -o FILE {} {shown}",
                zone.name
            );
            return Err((
                refuse("foreign-raw", format!("{shown} is {what}"), help),
                "its file is no text",
            ));
        }
        let target =
            zone_file_name(&zone.name).map(|name| format!("zones/{name}")).ok_or_else(|| {
                let what = format!("{} is too long for the name of a file", zone.name);
                (
                    refuse("foreign-zone-name", what, "serve it from elsewhere".to_owned()),
                    "its name is too long",
                )
            })?;
        let included = self.collect(zone, &target, bytes, said);
        Ok(Imported { target, source: zone.file.clone(), included, mended: 0 })
    }

    /// Takes a zone's text and all that it includes, and gives how many files those are.
    fn collect(
        &mut self,
        zone: &ForeignZone,
        target: &str,
        bytes: Vec<u8>,
        said: &mut Vec<Diagnostic>,
    ) -> usize {
        let mut waiting = vec![(zone.file.clone(), target.to_owned(), bytes)];
        let mut seen = Vec::new();
        while let Some((source, target, bytes)) = waiting.pop() {
            let mut references = Vec::new();
            for inclusion in inclusions(&bytes) {
                let Some(found) = self.find(zone, &source, &inclusion, &bytes, said) else {
                    continue;
                };
                let key = fs::canonicalize(&found).unwrap_or_else(|_| found.clone());
                let to = self.target(&key, &inclusion, &target, zone.include_base.is_some());
                let is_new = !seen.contains(&to) && !self.copies.contains_key(&to);
                if !seen.contains(&to) {
                    seen.push(to.clone());
                }
                if let Some(bytes) = is_new.then(|| read(&found).ok()).flatten() {
                    waiting.push((found, to.clone(), bytes));
                }
                references.push((inclusion, to));
            }
            self.copies.insert(target, Copied { bytes, references });
        }
        seen.len()
    }

    /// The file that an `$INCLUDE` of `source` means: where that server begins its paths, else beside the file.
    fn find(
        &self,
        zone: &ForeignZone,
        source: &Path,
        inclusion: &Inclusion,
        bytes: &[u8],
        said: &mut Vec<Diagnostic>,
    ) -> Option<PathBuf> {
        let written = inclusion.path.as_ref()?;
        let beside = folder_of(source);
        let bases = [zone.include_base.as_ref(), Some(&beside)];
        let found = bases.into_iter().flatten().map(|base| self.texts.located(base, written));
        let found: Vec<PathBuf> = found.collect();
        let there = found.iter().find(|path| path.is_file());
        if there.is_none() {
            let (line, column) = inclusion.at;
            let place = Place::at(source.display().to_string(), line, column);
            let what = format!("`{written}` is included and is not there");
            let looked = found.first().map_or(String::new(), |path| path.display().to_string());
            let error = Diagnostic::error("foreign-include", place, what).excerpt_from(bytes);
            said.push(error.help(format!(
                "looked for at {looked}; --root DIR tells where absolute paths begin"
            )));
        }
        there.cloned()
    }

    /// Where the included file `source` goes: where its path leads here, if that is below zones/ and free.
    fn target(
        &mut self,
        source: &Path,
        inclusion: &Inclusion,
        includer: &str,
        fixed_base: bool,
    ) -> String {
        if let Some(known) = self.targets.get(source) {
            return known.clone();
        }
        let written = inclusion.path.as_deref().unwrap_or_default();
        let natural = include_candidates(written, includer).ok().and_then(|mut paths| {
            // A server whose paths all begin at one place has ours begin at zones/.
            if fixed_base { paths.pop() } else { paths.into_iter().next() }
        });
        let base = source.file_name().map_or("file".into(), |name| name.to_string_lossy());
        let mut wanted = natural.unwrap_or_else(|| format!("{ELSEWHERE}/{base}"));
        // Such a name would be a zone, or steering, of its own.
        if wanted.ends_with(".zone") || wanted.ends_with(".toml") {
            wanted.push_str(".inc");
        }
        let is_taken = |path: &String| self.targets.values().any(|taken| taken == path);
        let mut free = wanted.clone();
        let mut count = 1;
        while is_taken(&free) {
            count += 1;
            free = format!("{wanted}-{count}");
        }
        self.targets.insert(source.to_path_buf(), free.clone());
        free
    }

    /// The references of the file `target` that lead elsewhere here than they did there.
    fn wrong<'c>(&'c self, target: &'c str) -> impl Iterator<Item = &'c (Inclusion, String)> {
        let references = self.copies.get(target).map_or(&[][..], |copied| &copied.references);
        references.iter().filter(move |(inclusion, to)| {
            let written = inclusion.path.as_deref().unwrap_or_default();
            let paths = include_candidates(written, target).unwrap_or_default();
            let is_there =
                |path: &&String| self.copies.contains_key(*path) || self.dir.join(path).is_file();
            paths.iter().find(is_there) != Some(to)
        })
    }

    fn mended_of(&self, target: &str) -> usize {
        let mut seen = vec![target.to_owned()];
        let mut count = 0;
        let mut next = 0;
        while let Some(target) = seen.get(next).cloned() {
            next += 1;
            count += self.wrong(&target).count();
            let below = self.copies.get(&target).into_iter().flat_map(|copied| &copied.references);
            for (_, to) in below {
                if !seen.contains(to) {
                    seen.push(to.clone());
                }
            }
        }
        count
    }

    fn files(&self) -> Files {
        let mend = |(target, copied): (&String, &Copied)| {
            let wrong: Vec<_> = self.wrong(target).collect();
            (target.clone(), mended(&copied.bytes, target, &wrong))
        };
        self.copies.iter().map(mend).collect()
    }
}

/// `bytes` with the paths of `wrong` written anew, relative to the folder of the file `target`.
fn mended(bytes: &[u8], target: &str, wrong: &[&(Inclusion, String)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for (inclusion, to) in wrong {
        let path = relative(target, to);
        let is_plain = |b: u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b'+' | b'=')
        };
        let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
        let path = match inclusion.quoted || path.bytes().all(is_plain) {
            true => escaped,
            false => format!("\"{escaped}\""),
        };
        out.extend_from_slice(bytes.get(at..inclusion.range.start).unwrap_or_default());
        out.extend_from_slice(path.as_bytes());
        at = inclusion.range.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

/// The path of the file `to`, as one writes it in the file `from`.
fn relative(from: &str, to: &str) -> String {
    let folders: Vec<&str> = from.split('/').collect();
    let folders = folders.split_last().map_or(&[][..], |(_, folders)| folders);
    let parts: Vec<&str> = to.split('/').collect();
    let shared = folders.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    let up = folders.get(shared..).unwrap_or_default().iter().map(|_| "..");
    let down = parts.get(shared..).unwrap_or_default().iter().copied();
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The content of a regular file: a pipe would have us wait for a writer.
fn read(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    fs::read(path)
}

/// What a file is, if it is no master file.
fn not_text(bytes: &[u8]) -> Option<&'static str> {
    if RAW.iter().any(|magic| bytes.starts_with(magic)) {
        return Some("in named's raw format (masterfile-format)");
    }
    bytes.iter().take(SAMPLE_LEN).any(|&b| b == 0).then_some("no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_one_file_to_the_other() {
        for (from, to, expected) in [
            ("zones/a.zone", "zones/b.inc", "b.inc"),
            ("zones/a.zone", "zones/x/b.inc", "x/b.inc"),
            ("zones/x/a.inc", "zones/b.inc", "../b.inc"),
            ("zones/x/a.inc", "zones/y/b.inc", "../y/b.inc"),
        ] {
            assert_eq!(relative(from, to), expected, "{from} to {to}");
            assert_eq!(include_candidates(expected, from).unwrap()[0], to);
        }
    }

    #[test]
    fn only_the_path_is_written_anew() {
        let text = b"a\r\n$INCLUDE /x/y ; why\r\n$INCLUDE \"/x/z\" o\nb";
        let found = inclusions(text);
        let wrong =
            [(found[0].clone(), "zones/a b".to_owned()), (found[1].clone(), "zones/c".to_owned())];
        let wrong: Vec<_> = wrong.iter().collect();
        let expected = "a\r\n$INCLUDE \"a b\" ; why\r\n$INCLUDE \"c\" o\nb";
        assert_eq!(String::from_utf8(mended(text, "zones/x.zone", &wrong)).unwrap(), expected);
    }

    #[test]
    fn raw_files_are_no_text() {
        assert!(not_text(b"\0\0\0\x02\0\0\0\x01").is_some());
        assert!(not_text(b"$TTL 1\0").is_some());
        assert!(not_text("\u{feff}; é\n".as_bytes()).is_none());
    }
}
