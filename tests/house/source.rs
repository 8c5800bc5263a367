//! Reads Rust source well enough to judge it: tokens without comments and strings, paths, modules.

use std::collections::BTreeMap;

/// Files by path, such as `src/wire/name.rs`.
pub type Tree = BTreeMap<String, String>;

/// One word or sign of code, and the line that it is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub line: usize,
    pub text: String,
}

/// One file, taken apart.
pub struct Source {
    pub path: String,
    /// Where it stands below the crate: `wire::name` is `["wire", "name"]`; the face of a room is `["wire"]`.
    pub module: Vec<String>,
    /// The code without its tests.
    pub tokens: Vec<Token>,
    /// Each line with comments taken away and strings emptied, tests included.
    pub code: Vec<String>,
    /// Each line as it stands.
    pub lines: Vec<String>,
    /// How many lines come before the tests.
    pub len: usize,
    /// Whether all of it is tests: `tests.rs`, and what lies in a folder of that name.
    pub is_test: bool,
}

/// A path that code names, resolved to where it leads from the root of the crate.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub line: usize,
    /// Without `crate`; a path into another crate begins with that crate's name.
    pub segments: Vec<String>,
    /// Whether it begins in this crate.
    pub is_ours: bool,
}

impl Source {
    pub fn read(path: &str, text: &str) -> Source {
        let code: Vec<String> = strip(text).lines().map(str::to_string).collect();
        let all = tokens(&code);
        let is_test =
            path.ends_with("/tests.rs") || path.starts_with("src/") && path.contains("/tests/");
        let tests = if is_test { Some(0) } else { tests_begin(&all) };
        let begin = tests.and_then(|at| all.get(at));
        let len = begin.map_or(text.lines().count(), |token| token.line - 1);
        let tokens = all[..tests.unwrap_or(all.len())].to_vec();
        let lines = text.lines().map(str::to_string).collect();
        Source { path: path.into(), module: module(path), tokens, code, lines, len, is_test }
    }

    /// The room: the folder or file right below `src/`.
    pub fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Names of the modules that it declares in files of their own, tests included.
    pub fn children(&self) -> Vec<String> {
        let all = tokens(&self.code);
        let declared = all.windows(3).filter(|t| t[0].text == "mod" && t[2].text == ";");
        declared.map(|t| t[1].text.clone()).collect()
    }

    /// All paths that begin with `crate`, `super`, `self`, a child module, or one of `crates`.
    pub fn paths(&self, crates: &[&str]) -> Vec<Path> {
        let children = self.children();
        let (mut found, mut inline, mut depth) = (Vec::new(), Vec::<(usize, String)>::new(), 0);
        let mut next = 0;
        while next < self.tokens.len() {
            let at = next;
            next += 1;
            let text = self.word(at);
            match text {
                "{" => depth += 1,
                "}" => {
                    depth = usize::saturating_sub(depth, 1);
                    inline.retain(|(opened, _)| *opened <= depth);
                }
                "mod" if self.word(at + 2) == "{" => {
                    inline.push((depth + 1, self.word(at + 1).into()));
                }
                _ => {}
            }
            let continues = at > 0 && ["::", ".", "mod"].contains(&self.word(at - 1));
            if continues || self.word(at + 1) != "::" {
                continue;
            }
            let mut here = self.module.clone();
            here.extend(inline.iter().map(|(_, name)| name.clone()));
            let base = match text {
                "crate" => Some((Vec::new(), true)),
                "homing" if self.room() == "main" => Some((Vec::new(), true)),
                "self" => Some((here, true)),
                "super" => Some((here[..here.len().saturating_sub(1)].to_vec(), true)),
                _ if crates.contains(&text) => Some((vec![text.into()], false)),
                _ if children.iter().any(|c| c == text) => {
                    here.push(text.into());
                    Some((here, true))
                }
                _ => None,
            };
            if let Some((base, is_ours)) = base {
                next = self.expand(at + 1, base, is_ours, &mut found);
            }
        }
        found
    }

    /// Follows `::a::{b, c::d}` from the token at `at`; gives the index behind it.
    fn expand(
        &self,
        mut at: usize,
        base: Vec<String>,
        is_ours: bool,
        found: &mut Vec<Path>,
    ) -> usize {
        let mut segments = base;
        let line = self.tokens.get(at.saturating_sub(1)).map_or(0, |t| t.line);
        while self.word(at) == "::" {
            at += 1;
            match self.word(at) {
                "{" => return self.expand_each(at + 1, &segments, is_ours, found),
                "super" => drop(segments.pop()),
                "self" | "<" => {}
                word => segments.push(word.into()),
            }
            at += 1;
        }
        found.push(Path { line, segments, is_ours });
        at
    }

    /// Follows what stands between braces, `b, c::d}`, from the token at `at`; gives the index behind the brace.
    fn expand_each(
        &self,
        mut at: usize,
        base: &[String],
        is_ours: bool,
        found: &mut Vec<Path>,
    ) -> usize {
        while !["}", ""].contains(&self.word(at)) {
            let mut branch = base.to_vec();
            match self.word(at) {
                "," => {
                    at += 1;
                    continue;
                }
                "self" => {}
                "super" => drop(branch.pop()),
                word => branch.push(word.into()),
            }
            at = self.expand(at + 1, branch, is_ours, found);
            if self.word(at) == "as" {
                at += 2;
            }
        }
        at + 1
    }

    /// The token at `at`, or nothing.
    pub fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.text.as_str())
    }
}

/// Where `path` stands below the crate.
fn module(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    match inner {
        "lib" => Vec::new(),
        _ => inner.split('/').map(str::to_string).collect(),
    }
}

/// The index of the `#` of `#[cfg(test)] mod`: from there on a file is tests.
fn tests_begin(tokens: &[Token]) -> Option<usize> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    tokens.windows(attribute.len()).position(|w| w.iter().zip(attribute).all(|(t, a)| t.text == a))
}

fn tokens(code: &[String]) -> Vec<Token> {
    let mut found = Vec::new();
    for (index, line) in code.iter().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let len = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token { line: index + 1, text: rest[..len].into() });
            rest = rest[len..].trim_start();
        }
    }
    found
}

/// The same text with comments blanked and strings and characters emptied; lines stay where they are.
pub fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut out, mut i) = (String::with_capacity(text.len()), 0);
    while i < chars.len() {
        let end = match (at(i), at(i + 1)) {
            ('/', '/') => line_end(&chars, i),
            ('/', '*') => comment_end(&chars, i),
            ('"', _) => quoted_end(&chars, i),
            ('r', '"' | '#') if !is_name(&chars, i) => raw_end(&chars, i),
            ('\'', _) if at(i + 1) == '\\' => character_end(&chars, i),
            ('\'', _) if at(i + 2) == '\'' => i + 3,
            _ => i,
        };
        if end == i {
            out.push(chars[i]);
            i += 1;
            continue;
        }
        let quote = if at(i) == '/' { "" } else { "\"\"" };
        out.push_str(quote);
        out.extend(chars[i..end].iter().filter(|c| **c == '\n'));
        i = end;
    }
    out
}

/// Whether the character at `i` is inside a name, as the `r` of `for"`; `br"` is a string.
fn is_name(chars: &[char], i: usize) -> bool {
    let before = |n: usize| i.checked_sub(n).map_or(' ', |j| chars[j]);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if before(1) == 'b' { word(before(2)) } else { word(before(1)) }
}

fn line_end(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| from + n)
}

fn comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut i) = (0_usize, from);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    chars.len()
}

fn quoted_end(chars: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], from: usize) -> usize {
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(from + 1 + hashes) != Some(&'"') {
        return from; // r#name
    }
    let mut close = vec!['"'];
    close.resize(hashes + 1, '#');
    let body = from + hashes + 2;
    let found = chars[body..].windows(close.len()).position(|w| w == close);
    found.map_or(chars.len(), |n| body + n + close.len())
}

fn character_end(chars: &[char], from: usize) -> usize {
    let close = chars.iter().skip(from + 3).position(|c| *c == '\'');
    close.map_or(chars.len(), |n| from + 3 + n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let text =
            "a // b\n/* c /* d */ e */ f \"g \\\" h\" r#\"i \" j\"# 'k' '\\'' 'l: br\"m\" r#n";
        let words: Vec<String> =
            tokens(&strip(text).lines().map(str::to_string).collect::<Vec<_>>())
                .into_iter()
                .map(|t| t.text)
                .filter(|t| t.chars().all(char::is_alphanumeric))
                .collect();
        assert_eq!(words, ["a", "f", "l", "b", "r", "n"]);
    }

    #[test]
    fn lines_stay_where_they_are() {
        let text = "one\n/* two\nthree */ four \"five\nsix\" seven\n";
        assert_eq!(strip(text).lines().count(), 4);
        assert!(strip(text).lines().nth(3).is_some_and(|l| l.contains("seven")));
    }

    fn paths(path: &str, text: &str) -> Vec<String> {
        let found = Source::read(path, text).paths(&["std"]);
        found.iter().map(|p| p.segments.join("::")).collect()
    }

    #[test]
    fn groups_nest_and_self_is_the_group() {
        let text = "use crate::{wire::{self, Name, codes::{A, B}}, geo as g};";
        let want = ["wire", "wire::Name", "wire::codes::A", "wire::codes::B", "geo"];
        assert_eq!(paths("src/zone/tree.rs", text), want);
    }

    #[test]
    fn super_counts_inline_modules() {
        let text = "mod a { use super::b::C; mod d { use super::super::e::F; } } use super::g::H;";
        let want = ["zone::tree::b::C", "zone::tree::e::F", "zone::g::H"];
        assert_eq!(paths("src/zone/tree.rs", text), want);
    }

    #[test]
    fn paths_in_the_middle_of_code_count() {
        let text = "fn f() { let n = crate::wire::Name::root(); super::x::y(); std::fs::read(p) }";
        assert_eq!(
            paths("src/zone/tree.rs", text),
            ["wire::Name::root", "zone::x::y", "std::fs::read"]
        );
    }

    #[test]
    fn tests_at_the_end_are_left_out() {
        let source =
            Source::read("src/a.rs", "use crate::b;\n#[cfg(test)]\nmod tests { use crate::c; }\n");
        assert_eq!((source.len, source.paths(&[]).len()), (1, 1));
    }
}
