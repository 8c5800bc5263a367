//! Files put into a folder: all of them, or none.
//!
//! Owns: the staging beside, the moves into place, and the way back when one of them fails.

use std::collections::BTreeMap;
use std::fs;
use std::io::Error;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// Files that are told by name before the rest is counted.
const SHOWN_COUNT: usize = 5;

/// Files by their path below the folder, with `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What became of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that were written.
    pub written: usize,
    /// Files that stood there already, the same.
    pub unchanged: usize,
}

/// Whether files that differ may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is written.
    Keep,
    /// They are replaced.
    Replace,
}

/// Writes `files` below `dir`. A file that is there and differs refuses all of them, unless `existing` lets it be replaced.
/// On an error the folder is left as it was found.
pub fn write(dir: &Path, files: &Files, existing: Existing) -> Result<Written, Failure> {
    let differs = |path: &&String| {
        let there = fs::symlink_metadata(dir.join(path)).is_ok();
        there && fs::read(dir.join(path)).ok().as_ref() != files.get(*path)
    };
    let conflicts: Vec<&String> = files.keys().filter(differs).collect();
    if existing == Existing::Keep && !conflicts.is_empty() {
        return Err(refused(dir, &conflicts));
    }
    let new: Vec<(&String, &Vec<u8>)> = files
        .iter()
        .filter(|(path, _)| conflicts.contains(path) || !dir.join(path).exists())
        .collect();
    let unchanged = files.len() - new.len();
    let mut change = Change::begin(dir).map_err(|error| failed(dir, &error))?;
    match change.make(&new) {
        Ok(()) => {
            change.finish();
            Ok(Written { written: new.len(), unchanged })
        }
        Err((path, error)) => {
            change.take_back();
            Err(failed(&dir.join(path), &error))
        }
    }
}

fn refused(dir: &Path, conflicts: &[&String]) -> Failure {
    let shown: Vec<String> = conflicts
        .iter()
        .take(SHOWN_COUNT)
        .map(|path| dir.join(path).display().to_string())
        .collect();
    let more = match conflicts.len().saturating_sub(SHOWN_COUNT) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let verb = if conflicts.len() == 1 { "exists and differs" } else { "exist and differ" };
    let shown = shown.join(", ");
    Failure::refused(format!(
        "{shown}{more} {verb}; nothing was written (--force writes over them)"
    ))
}

fn failed(path: &Path, error: &Error) -> Failure {
    Failure::cannot_run(format!(
        "{} cannot be written: {error}; nothing was written",
        path.display()
    ))
}

/// A change in progress, and what it takes to undo it.
struct Change<'d> {
    dir: &'d Path,
    stage: PathBuf,
    /// Folders made, outermost first.
    made: Vec<PathBuf>,
    /// Files moved into place, with where their predecessors wait.
    placed: Vec<(PathBuf, Option<PathBuf>)>,
}

impl<'d> Change<'d> {
    /// Makes the folder, and in it one for staging that nobody looks into.
    fn begin(dir: &'d Path) -> Result<Change<'d>, Error> {
        let stage = dir.join(format!(".homing-{}", std::process::id()));
        let mut change = Change { dir, stage, made: Vec::new(), placed: Vec::new() };
        let begun = change.folder(dir).and_then(|()| fs::create_dir(&change.stage));
        if begun.is_err() {
            change.take_back();
        }
        begun.map(|()| change)
    }

    fn make<'f>(&mut self, files: &[(&'f String, &Vec<u8>)]) -> Result<(), (&'f str, Error)> {
        for (index, (path, bytes)) in files.iter().enumerate() {
            let staged = self.stage.join(index.to_string());
            fs::write(staged, bytes).map_err(|error| (path.as_str(), error))?;
        }
        let mut order: Vec<usize> = (0..files.len()).collect();
        // Zones come last: by then what they include is there, should a server watch.
        order.sort_by_key(|&index| {
            files.get(index).is_some_and(|(path, _)| path.ends_with(".zone"))
        });
        for index in order {
            let Some((path, _)) = files.get(index) else { continue };
            self.place(index, path).map_err(|error| (path.as_str(), error))?;
        }
        Ok(())
    }

    fn place(&mut self, index: usize, path: &str) -> Result<(), Error> {
        let target = self.dir.join(path);
        if let Some(folder) = target.parent() {
            self.folder(folder)?;
        }
        let before = self.stage.join(format!("{index}-before"));
        let before = match fs::symlink_metadata(&target) {
            Ok(_) => fs::rename(&target, &before).map(|()| Some(before))?,
            Err(_) => None,
        };
        self.placed.push((target.clone(), before));
        fs::rename(self.stage.join(index.to_string()), target)
    }

    /// Makes `folder` with all above it, and remembers which were made.
    fn folder(&mut self, folder: &Path) -> Result<(), Error> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.folder(above)?;
        }
        fs::create_dir(folder)?;
        self.made.push(folder.to_path_buf());
        Ok(())
    }

    fn finish(self) {
        // What is left of staging is ours alone, and harms nobody.
        let _ = fs::remove_dir_all(&self.stage);
    }

    /// As it was found. Each step is tried, whatever became of the others.
    fn take_back(&mut self) {
        for (target, before) in self.placed.drain(..).rev() {
            let _ = match before {
                Some(before) => fs::rename(before, target),
                None => fs::remove_file(target),
            };
        }
        let _ = fs::remove_dir_all(&self.stage);
        for folder in self.made.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| (path.to_string(), text.as_bytes().to_vec())).collect()
    }

    /// All that lies below `dir`.
    fn below(dir: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![dir.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                found.push(path.strip_prefix(dir).unwrap().display().to_string());
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn all_files_are_written_or_none() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        let tree = files(&[("x", "1"), ("zones/y.zone", "2")]);
        let written = write(&dir, &tree, Existing::Keep).unwrap();
        assert_eq!(written, Written { written: 2, unchanged: 0 });
        assert_eq!(below(&dir), ["x", "zones", "zones/y.zone"]);

        // Again: nothing to do. One that differs refuses both.
        assert_eq!(write(&dir, &tree, Existing::Keep).unwrap().unchanged, 2);
        let other = files(&[("w", "0"), ("x", "9")]);
        assert_eq!(write(&dir, &other, Existing::Keep).unwrap_err().code, 1);
        assert_eq!(below(&dir), ["x", "zones", "zones/y.zone"]);
        assert_eq!(write(&dir, &other, Existing::Replace).unwrap().written, 2);
        assert_eq!(fs::read_to_string(dir.join("x")).unwrap(), "9");
    }

    #[test]
    fn a_failure_leaves_the_folder_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "before").unwrap();
        fs::write(root.path().join("plain"), "a file, no folder").unwrap();
        let tree = files(&[("a", "after"), ("b/c", "1"), ("plain/d", "2")]);
        assert_eq!(write(root.path(), &tree, Existing::Replace).unwrap_err().code, 2);
        assert_eq!(below(root.path()), ["a", "plain"]);
        assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "before");
        let nowhere = root.path().join("plain/e/f");
        assert!(write(&nowhere, &tree, Existing::Replace).is_err());
        assert_eq!(below(root.path()), ["a", "plain"]);
    }
}
