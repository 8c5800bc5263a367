//! What is gone from the disk, and whether we may believe it (DESIGN rule 5): never backwards, never empty.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::{Difference, FileSet};

use super::files::Scan;

/// Whether the disk has been quiet long enough to believe that a file is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removals {
    /// A file that is gone serves on: it may be on its way back (an editor, a checkout).
    Wait,
    /// A file that is gone is removed.
    Settled,
}

/// The state of files that the disk asks for.
pub(super) struct Asked {
    /// The files of the scan, and those kept though they are gone.
    pub(super) files: FileSet,
    /// Files in `files` that the scan did not find.
    pub(super) absent: BTreeSet<String>,
    /// Those of them that go when the disk has been quiet.
    pub(super) waiting: Vec<String>,
    /// What is to be said of it.
    pub(super) said: Vec<Diagnostic>,
}

/// The files of `scan`, and those of `serving` that it may not remove. Of those in `settled` it is known that they are
/// gone.
pub(super) fn asked(
    scan: &Scan,
    serving: &FileSet,
    removals: Removals,
    settled: &BTreeSet<String>,
) -> Asked {
    let mut asked = Asked {
        files: scan.files.clone(),
        absent: BTreeSet::new(),
        waiting: Vec::new(),
        said: scan.problems.clone(),
    };
    let emptied = is_emptied(&scan.files, serving);
    if emptied && scan.unread.is_empty() {
        let what = "zones/ holds no zone file any more: nothing is removed";
        asked.said.push(
            Diagnostic::error("zones-empty", Place::file("zones/"), what)
                .consequence("every zone stays in service as it was")
                .help("to serve nothing, stop the server; to remove zones, leave one"),
        );
    }
    for Difference { path, old, new } in serving.differences(&scan.files) {
        let (Some(file), None) = (old, new) else { continue };
        let unread = scan.unread.iter().any(|u| u == path || is_folder_of(u, path));
        let keep_all = emptied && path.starts_with("zones/");
        if !unread && !keep_all {
            if removals == Removals::Settled || settled.contains(path) {
                continue;
            }
            asked.waiting.push(path.to_owned());
        }
        asked.absent.insert(path.to_owned());
        asked.files.files.insert(path.to_owned(), file.clone());
    }
    asked
}

fn is_folder_of(folder: &str, path: &str) -> bool {
    folder.ends_with('/') && path.starts_with(folder)
}

fn is_emptied(now: &FileSet, serving: &FileSet) -> bool {
    let holds_zones =
        |files: &FileSet| files.files.below("zones/").any(|(path, _)| path.ends_with(".zone"));
    holds_zones(serving) && !holds_zones(now)
}
