//! Files that a configuration includes, put in place: the same for all three servers, but for where a path begins.

use std::path::{Path, PathBuf};

use super::colons::{Attribute, parse_knot, parse_nsd};
use super::foreign::Foreign;
use super::scan::Word;
use super::texts::{Texts, folder_of};

/// How deep includes nest.
const INCLUDE_DEPTH_MAX: usize = 16;

/// A configuration of attributes.
#[derive(Clone, Copy)]
pub enum Server {
    /// nsd.conf: all paths begin in the folder of the first file.
    Nsd,
    /// knot.conf: a path begins in the folder of the file that has it.
    Knot,
}

/// The attributes of file number `file`, whose paths begin in `folder`, includes in place.
pub fn attributes(
    texts: &mut Texts,
    foreign: &mut Foreign,
    server: Server,
    folder: &Path,
    file: usize,
    depth: usize,
) -> Vec<Attribute> {
    let parsed = match server {
        Server::Nsd => parse_nsd(texts.text(file), file),
        Server::Knot => parse_knot(texts.text(file), file),
    };
    let list = match parsed {
        Ok(list) => list,
        Err(slip) => {
            foreign.said.push(texts.slip(&slip));
            return Vec::new();
        }
    };
    let mut out = Vec::with_capacity(list.len());
    for attribute in list {
        let Some(pattern) = attribute.value().filter(|_| attribute.key == "include") else {
            out.push(attribute);
            continue;
        };
        for (path, file) in included(texts, foreign, folder, pattern, depth) {
            let own = folder_of(&path);
            let folder = match server {
                Server::Nsd => folder,
                Server::Knot => &own,
            };
            out.extend(attributes(texts, foreign, server, folder, file, depth + 1));
        }
    }
    out
}

/// The files that `pattern` names, which stands `depth` includes deep, with their numbers; what cannot be read is told.
pub fn included(
    texts: &mut Texts,
    foreign: &mut Foreign,
    folder: &Path,
    pattern: &Word,
    depth: usize,
) -> Vec<(PathBuf, usize)> {
    if depth >= INCLUDE_DEPTH_MAX {
        let what = format!("includes nest deeper than {INCLUDE_DEPTH_MAX}: in a circle?");
        let said = texts.error(pattern.spot, "foreign-include-depth", what);
        foreign.said.push(said.consequence("nothing was written"));
        return Vec::new();
    }
    let mut files = Vec::new();
    for path in texts.glob(folder, &pattern.text) {
        match texts.open(&path) {
            Ok(file) => files.push((path, file)),
            Err(error) => {
                let what = format!("{} cannot be read: {error}", path.display());
                let said = texts
                    .error(pattern.spot, "foreign-include", what)
                    .consequence("what it holds was not imported")
                    .help("run as a user who may read it; --root DIR tells where absolute paths begin");
                foreign.said.push(said);
            }
        }
    }
    files
}
