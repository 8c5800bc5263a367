//! The rules of the house, each a function from files to faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::source::{Path, Source, Tree};

/// A room, its floor, and the rooms it may import besides floor 0.
pub type Row = (&'static str, u8, &'static [&'static str]);

/// What stands against the house, where, and how to mend it.
#[derive(Debug)]
pub struct Fault {
    pub rule: &'static str,
    pub path: String,
    pub line: usize,
    pub what: String,
    pub mend: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { rule, path, line, what, mend } = self;
        write!(f, "{path}:{line}: [{rule}] {what}\n  mend: {mend}")
    }
}

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;
/// rustfmt folds code at 100; this holds what it does not touch: comments, strings, tables in macros.
const COLUMNS_MAX: usize = 125;
const HEADER_LINES_MAX: usize = 12;

/// Rooms that do no I/O, start no thread, and read no clock.
const PURE: [&str; 6] = ["wire", "zone", "geo", "health", "route", "answer"];
const IMPURE: [&[&str]; 9] = [
    &["std", "fs"],
    &["std", "env"],
    &["std", "thread"],
    &["std", "process"],
    &["std", "net", "UdpSocket"],
    &["std", "net", "TcpListener"],
    &["std", "net", "TcpStream"],
    &["tokio"],
    &["tracing"],
];
const IMPURE_CALLS: [[&str; 3]; 7] = [
    ["SystemTime", "::", "now"],
    ["Instant", "::", "now"],
    ["println", "!", ""],
    ["eprintln", "!", ""],
    ["print", "!", ""],
    ["eprint", "!", ""],
    ["dbg", "!", ""],
];
const UNSAFE_FILES: [&str; 2] = ["src/serve/socket.rs", "src/serve/batch.rs"];
const HOMELESS: [&str; 6] = ["util", "utils", "helpers", "common", "misc", "types"];

/// Every fault of `tree` against the table and the style.
pub fn check(tree: &Tree, table: &[Row]) -> Vec<Fault> {
    let sources: Vec<Source> = tree.iter().map(|(path, text)| Source::read(path, text)).collect();
    let mut faults = Vec::new();
    for source in sources.iter().filter(|s| s.path.starts_with("src/")) {
        arrows(source, table, &mut faults);
        pure(source, &mut faults);
        unsafety(source, &mut faults);
        face(source, table, &mut faults);
        header(source, &mut faults);
        sizes(source, &mut faults);
        names(source, &sources, &mut faults);
    }
    circles(&sources, &mut faults);
    sources.iter().for_each(|source| words(source, &mut faults));
    let mut told = BTreeSet::new();
    faults.retain(|f| told.insert((f.path.clone(), f.line, f.rule, f.what.clone())));
    faults
}

fn fault(
    source: &Source,
    line: usize,
    rule: &'static str,
    what: impl Into<String>,
    mend: impl Into<String>,
) -> Fault {
    Fault { rule, path: source.path.clone(), line, what: what.into(), mend: mend.into() }
}

fn arrows(source: &Source, table: &[Row], faults: &mut Vec<Fault>) {
    if source.module.is_empty() || source.is_test {
        return;
    }
    let Some(&(room, floor, allowed)) = table.iter().find(|row| row.0 == source.room()) else {
        let mend = "give it a row in ARCHITECTURE's table and in tests/house.rs, or another home";
        faults.push(fault(source, 1, "room", format!("{} is no room", source.room()), mend));
        return;
    };
    for path in source.paths(&[]) {
        let to = path.segments.first().map_or("", String::as_str);
        if to == room {
            continue;
        }
        let Some(&(_, to_floor, _)) = table.iter().find(|row| row.0 == to) else {
            let mend = "name the room that has it: `crate::room::Item`";
            faults.push(fault(
                source,
                path.line,
                "room",
                format!("`crate::{to}` is no room"),
                mend,
            ));
            continue;
        };
        if to_floor == 0 && floor > 0 || allowed.contains(&to) {
            continue;
        }
        let way = if to_floor > floor { "up" } else { "where none is in the table" };
        let what = format!("an arrow {way}: {room} (floor {floor}) to {to} (floor {to_floor})");
        let may = if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
        let mend = format!(
            "{room} may import {may} and floor 0; pass what is needed as an argument, or move it down"
        );
        faults.push(fault(source, path.line, "arrow", what, mend));
    }
}

/// A file of a room, by its module path below the crate.
type File = Vec<String>;

fn circles(sources: &[Source], faults: &mut Vec<Fault>) {
    let files: BTreeMap<File, &Source> =
        sources.iter().filter(|s| !s.is_test).map(|s| (s.module.clone(), s)).collect();
    let mut edges: BTreeMap<File, Vec<(File, usize)>> = BTreeMap::new();
    for (file, source) in &files {
        let is_face = source.path.ends_with("/mod.rs");
        if is_face {
            continue; // a face names all its files, and that is what it is for
        }
        for path in source.paths(&[]) {
            if let Some(to) = lands(&path, &files).filter(|to| to != file && to[0] == file[0]) {
                edges.entry(file.clone()).or_default().push((to, path.line));
            }
        }
    }
    let mut done = BTreeSet::new();
    for file in files.keys() {
        let mut trail = vec![file.clone()];
        walk(&edges, &mut trail, &mut done, &mut |circle, line| {
            let names: Vec<String> = circle.iter().map(|f| f.join("::")).collect();
            let what = format!("a circle of files: {}", names.join(" -> "));
            let mend = "move what both need into a third file below them";
            faults.push(fault(files[&circle[0]], line, "circle", what, mend));
        });
    }
}

/// Walks down from the end of `trail`; tells each circle once, with the line of its first arrow.
fn walk(
    edges: &BTreeMap<File, Vec<(File, usize)>>,
    trail: &mut Vec<File>,
    done: &mut BTreeSet<File>,
    tell: &mut impl FnMut(&[File], usize),
) {
    let Some(here) = trail.last().cloned() else { return };
    for (to, line) in edges.get(&here).into_iter().flatten() {
        if let Some(start) = trail.iter().position(|f| f == to) {
            let mut circle = trail[start..].to_vec();
            circle.push(to.clone());
            // The arrow that closes the circle leaves `here`; turn the circle so that it comes first.
            circle.pop();
            circle.rotate_right(1);
            circle.push(circle[0].clone());
            tell(&circle, *line);
        } else if !done.contains(to) {
            trail.push(to.clone());
            walk(edges, trail, done, tell);
            trail.pop();
        }
    }
    done.insert(here);
}

/// The file that `path` leads to: the longest module that exists, or, through a face, the file that the face re-exports it from.
fn lands(path: &Path, files: &BTreeMap<File, &Source>) -> Option<File> {
    let longest = (1..=path.segments.len()).rev().map(|n| &path.segments[..n]);
    let file = longest.map(<[String]>::to_vec).find(|module| files.contains_key(module))?;
    let source = files[&file];
    if !source.path.ends_with("/mod.rs") {
        return Some(file);
    }
    let item = path.segments.get(file.len())?;
    let exported = source.paths(&[]).into_iter().find(|p| p.segments.last() == Some(item))?;
    (exported.segments.len() > file.len() + 1).then(|| {
        let longest = (1..exported.segments.len()).rev().map(|n| exported.segments[..n].to_vec());
        longest.into_iter().find(|module| files.contains_key(module)).unwrap_or(file)
    })
}

fn pure(source: &Source, faults: &mut Vec<Fault>) {
    if !PURE.contains(&source.room()) || source.is_test {
        return;
    }
    let mend = "the pure rooms take time, randomness and bytes as arguments; ask in control, load or serve";
    for path in source.paths(&["std", "tokio", "tracing"]) {
        let starts = |way: &&&[&str]| {
            path.segments.iter().zip(**way).filter(|(a, b)| a == *b).count() == way.len()
        };
        if let Some(way) = IMPURE.iter().find(starts).filter(|_| !path.is_ours) {
            faults.push(fault(
                source,
                path.line,
                "pure",
                format!("{} in {}", way.join("::"), source.room()),
                mend,
            ));
        }
    }
    for (at, token) in source.tokens.iter().enumerate() {
        let calls = |call: &&[&str; 3]| {
            call.iter().enumerate().all(|(n, word)| word.is_empty() || source.word(at + n) == *word)
        };
        if let Some(call) = IMPURE_CALLS.iter().find(calls) {
            faults.push(fault(
                source,
                token.line,
                "pure",
                format!("{} in {}", call.concat(), source.room()),
                mend,
            ));
        }
    }
}

fn unsafety(source: &Source, faults: &mut Vec<Fault>) {
    if UNSAFE_FILES.contains(&source.path.as_str()) {
        return;
    }
    for token in source.tokens.iter().filter(|t| t.text == "unsafe") {
        let mend = "system calls live in serve/socket.rs and serve/batch.rs, behind safe functions";
        faults.push(fault(source, token.line, "unsafe", "`unsafe` outside its two files", mend));
    }
}

/// A face holds a charter, `mod` lines and `pub use` lines, and its charter imports no more than the table says.
fn face(source: &Source, table: &[Row], faults: &mut Vec<Fault>) {
    if !source.path.ends_with("/mod.rs") {
        return;
    }
    let mut at = 0;
    while at < source.tokens.len() {
        let end = (at..source.tokens.len()).find(|i| [";", "]"].contains(&source.word(*i)));
        let item = &source.tokens[at..end.unwrap_or(source.tokens.len())];
        let words: Vec<&str> = item.iter().map(|t| t.text.as_str()).take(6).collect();
        let is_face = matches!(
            words[..],
            ["#", ..]
                | ["mod", _]
                | ["pub", "mod", _]
                | ["pub", "use", ..]
                | ["pub", "(", "crate" | "super", ")", "mod" | "use", ..]
        );
        if !is_face {
            let mend = "move it into a file of the room; a face is a charter, `mod` and `pub use`";
            faults.push(fault(
                source,
                item[0].line,
                "face",
                format!("code in a face: `{}`", words.join(" ")),
                mend,
            ));
            return;
        }
        at = end.map_or(source.tokens.len(), |end| end + 1);
    }
    if source.module.len() > 1 {
        return;
    }
    let charter: Vec<&str> = source.lines.iter().filter_map(|l| l.strip_prefix("//! ")).collect();
    for part in ["Owns:", "Imports:", "Never:", "Enter:"] {
        if !charter.iter().any(|line| line.starts_with(part)) {
            let mend =
                "a room introduces itself: what it owns, imports, never does, and where to enter";
            faults.push(fault(source, 1, "charter", format!("no `{part}` in the charter"), mend));
        }
    }
    let allowed = table.iter().find(|row| row.0 == source.room()).map_or(&[][..], |row| row.2);
    let imports = charter.iter().find_map(|line| line.strip_prefix("Imports:")).unwrap_or_default();
    for word in imports.split(|c: char| !c.is_alphanumeric()) {
        let is_room = table.iter().any(|row| row.0 == word && row.1 > 0);
        if is_room && !allowed.contains(&word) {
            let mend = "the table in tests/house.rs is the authority";
            faults.push(fault(
                source,
                1,
                "charter",
                format!("the charter imports {word}, the table does not"),
                mend,
            ));
        }
    }
}

fn header(source: &Source, faults: &mut Vec<Fault>) {
    let len = source.lines.iter().take_while(|l| l.starts_with("//!")).count();
    if len == 0 {
        let mend = "begin with `//!` and one sentence that says what the file is for";
        faults.push(fault(source, 1, "header", "no header", mend));
    }
    if len > HEADER_LINES_MAX && !source.module.is_empty() {
        let mend = "a longer story belongs to the doc comment of the type that it is about";
        faults.push(fault(
            source,
            1,
            "header",
            format!("a header of {len} lines, at most {HEADER_LINES_MAX}"),
            mend,
        ));
    }
}

fn sizes(source: &Source, faults: &mut Vec<Fault>) {
    if source.len > FILE_LINES_MAX {
        let what = format!("{} lines without tests, at most {FILE_LINES_MAX}", source.len);
        faults.push(fault(source, source.len, "size", what, "split it by subject"));
    }
    for (index, line) in source.lines.iter().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            let what = format!("{columns} columns, at most {COLUMNS_MAX}");
            faults.push(fault(source, index + 1, "size", what, "fold it"));
        }
    }
    functions(source, faults);
}

fn functions(source: &Source, faults: &mut Vec<Fault>) {
    for (at, token) in source.tokens.iter().enumerate().filter(|(_, t)| t.text == "fn") {
        let mut brackets = 0_usize;
        let begin = (at..source.tokens.len()).find(|i| {
            match source.word(*i) {
                "(" | "[" => brackets += 1,
                ")" | "]" => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            brackets == 0 && ["{", ";"].contains(&source.word(*i))
        });
        let Some(begin) = begin.filter(|i| source.word(*i) == "{") else { continue };
        let mut depth = 0;
        let end = source.tokens[begin..].iter().find(|t| {
            match t.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let len = end.map_or(0, |end| end.line + 1 - token.line);
        if len > FUNCTION_LINES_MAX {
            let what =
                format!("`{}` has {len} lines, at most {FUNCTION_LINES_MAX}", source.word(at + 1));
            let mend = "let one function decide and its callees compute";
            faults.push(fault(source, token.line, "size", what, mend));
        }
    }
}

fn names(source: &Source, sources: &[Source], faults: &mut Vec<Fault>) {
    let Some(name) = source.module.last() else { return };
    if HOMELESS.contains(&name.as_str()) {
        let mend = "a thing without a home names a missing room: name what it is about";
        faults.push(fault(source, 1, "name", format!("a file named {name}"), mend));
    }
    let parent = &source.module[..source.module.len() - 1];
    let declares = |s: &Source| {
        s.path.starts_with("src/") && s.module == parent && s.children().contains(name)
    };
    if name != "main" && !sources.iter().any(declares) {
        faults.push(fault(
            source,
            1,
            "unused",
            "no file declares it",
            "declare it with `mod`, or remove it",
        ));
    }
}

fn words(source: &Source, faults: &mut Vec<Fault>) {
    if source.path.starts_with("tests/house") {
        return; // it has to name them
    }
    for (index, (line, code)) in source.lines.iter().zip(&source.code).enumerate() {
        let whole = |word: &&&str| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == **word);
        let calls = |word: &&&str| code.contains(**word);
        let found = ["TODO", "FIXME", "XXX"].iter().find(whole);
        if let Some(word) = found.or(["todo!", "unimplemented!", "#[ignore"].iter().find(calls)) {
            let mend = "do it now, or open an issue";
            faults.push(fault(source, index + 1, "word", format!("`{word}` is no plan"), mend));
        }
    }
}
