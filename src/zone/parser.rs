//! Master files (RFC 1035 §5, RFC 2308 §4, RFC 3597 §5) into zones.
//!
//! Owns:  directives, includes, what is carried from one record to the next.
//! Never: judges a zone as a whole; that is `assemble` and `check`.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::wire::Name;

use super::assemble::assemble;
use super::check::Validity;
use super::chunks::{Carried, Cutter, Start};
use super::generate::Pattern;
use super::lexer::{Entry, FILE_LEN_MAX, Lexer, Slip, Token};
use super::rdata::{period, unescape};
use super::record;
use super::report::{Mark, Text};
use super::rrset::Zone;
use super::state::{Found, State};

/// How deep includes nest.
const INCLUDE_DEPTH_MAX: usize = 10;
/// How many files one zone includes in all: depth alone allows exponentially many.
const INCLUDE_COUNT_MAX: usize = 1_000;
/// Octets of all included files.
const INCLUDED_LEN_MAX: usize = 1 << 31;

/// Hands out the content of an `$INCLUDE`d file: the path as written in the directive, and the path
/// of the file that includes. The result is the path as the operator knows it, and the bytes.
pub type Includes<'a> = dyn Fn(&str, &str) -> Result<(String, Arc<[u8]>), String> + 'a;

/// What came of a file: the zone, if nothing refuses it, and all that is to be said, in order of
/// place.
#[derive(Debug)]
pub struct Parsed {
    /// The zone; none when any diagnostic is an error.
    pub zone: Option<Zone>,
    /// Every mistake and remark of the file, checks of the whole zone included.
    pub diagnostics: Vec<Diagnostic>,
    /// How long its signatures hold, if it has any.
    pub validity: Option<Validity>,
}

/// Parses and checks one zone file. `path` is how the operator knows it, `origin` the first origin.
pub fn parse(path: &str, text: &[u8], origin: &Name, includes: &Includes<'_>) -> Parsed {
    if let Some(error) = unreadable(path, text) {
        return Parsed { zone: None, diagnostics: vec![error], validity: None };
    }
    let (found, _) = read_whole(path, text, origin, includes);
    finish(path, origin, found).0
}

/// Why the file cannot be looked at line by line.
pub(super) fn unreadable(path: &str, text: &[u8]) -> Option<Diagnostic> {
    let error = |code, message| Some(Diagnostic::error(code, Place::file(path), message));
    if text.len() > FILE_LEN_MAX {
        return error("file-too-large", "the file is larger than 2 GiB");
    }
    // The byte order marks of UTF-16, as some editors of Windows write them.
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        let help = "save it as UTF-8, or as plain ASCII";
        return error("file-is-utf16", "the file is UTF-16 text").map(|e| e.help(help));
    }
    None
}

/// Reads all records of a file and of what it includes, in the order written, and judges nothing beyond the single
/// record: a file that others include is read as well as a zone.
pub(super) fn read<'a>(
    path: &str,
    text: &'a [u8],
    origin: &Name,
    includes: &Includes<'_>,
) -> Found<'a> {
    let Some(error) = unreadable(path, text) else {
        return read_whole(path, text, origin, includes).0;
    };
    let mut found = Found::default();
    found.report.push_whole(error);
    found.records.is_complete = false;
    found
}

/// Makes a zone of what was found. Tells whether it holds every record that was written.
pub(super) fn finish(path: &str, origin: &Name, found: Found<'_>) -> (Parsed, bool) {
    let Found { mut report, records } = found;
    let is_complete = records.is_complete;
    let (zone, validity, all_kept) = assemble(path, origin, records, &mut report);
    let zone = (report.error_count == 0).then_some(zone);
    (Parsed { zone, diagnostics: report.finish(), validity }, is_complete && all_kept)
}

/// Reads a file with all that it includes.
pub(super) fn read_whole<'a>(
    path: &str,
    text: &'a [u8],
    origin: &Name,
    includes: &Includes<'_>,
) -> (Found<'a>, Cutter) {
    let mut reader = Reader::new(includes, Found::opened(path, Text::Given(text)));
    reader.found.records.make_room(text);
    let mut state = State::first(0, origin);
    reader.cutter.begin(Start { at: 0, line: 1, carried: Arc::new(Carried::of(&state)) });
    reader.read(text, &mut state);
    (reader.found, reader.cutter)
}

/// Reads the part of `text` that begins with `start` and ends before octet `end`, where the file of `found` is open.
/// Gives the chunks that begin in it, and what is carried at its end; none where it brings text from elsewhere.
pub(super) fn read_part<'a>(
    found: &mut Found<'a>,
    text: &'a [u8],
    start: Start,
    end: usize,
) -> Option<(Vec<Start>, Start)> {
    let text = text.get(..end)?;
    let mut reader = Reader::new(&|_, _| Err(String::new()), std::mem::take(found));
    reader.found.records.make_room(text.get(start.at as usize..)?);
    let mut lexer = Lexer::within(text, start.at, start.line);
    let mut state = start.carried.state(0);
    reader.cutter.begin(start);
    reader.read_entries(&mut lexer, text, &mut state);
    *found = reader.found;
    let carried = Arc::new(Carried::of(&state));
    let end = Start { at: u32::try_from(end).ok()?, line: lexer.line(), carried };
    Some((reader.cutter.into_starts()?, end))
}

/// What lasts for the whole zone.
struct Reader<'a, 'i> {
    includes: &'i Includes<'i>,
    found: Found<'a>,
    cutter: Cutter,
    included_count: usize,
    included_len: usize,
    /// Records that `$GENERATE` made.
    generated_count: u64,
    /// Octets of their lines.
    generated_len: usize,
}

impl<'a, 'i> Reader<'a, 'i> {
    fn new(includes: &'i Includes<'i>, found: Found<'a>) -> Reader<'a, 'i> {
        Reader {
            includes,
            found,
            cutter: Cutter::default(),
            included_count: 0,
            included_len: 0,
            generated_count: 0,
            generated_len: 0,
        }
    }

    /// Reads all entries of one text.
    fn read(&mut self, text: &[u8], state: &mut State) {
        self.read_entries(&mut Lexer::new(text), text, state);
    }

    fn read_entries(&mut self, lexer: &mut Lexer<'_>, text: &[u8], state: &mut State) {
        let mut entry = Entry::default();
        let is_own = state.depth == 0 && state.generated.is_none();
        loop {
            let before = lexer.at();
            let Some(result) = lexer.next(&mut entry) else { return };
            match (result, entry.tokens.first()) {
                (Err((slip, token)), _) => self.slip(slip, state.mark(token)),
                (Ok(()), Some(&first)) if first.bytes(text).starts_with(b"$") && !first.quoted => {
                    let error_count = self.found.report.error_count;
                    self.directive(text, &entry, first, state);
                    // What the directive should have brought, or made of the names after it, is lost.
                    let is_sound = self.found.report.error_count == error_count;
                    self.found.records.is_complete &= is_sound;
                }
                (Ok(()), first) => {
                    if let Some(&first) = first.filter(|_| is_own && !entry.blank_owner) {
                        self.cutter.offer(text, before, first, state, &self.found);
                    }
                    record::read(&mut self.found, text, &entry, state);
                }
            }
        }
    }

    fn slip(&mut self, slip: Slip, mark: Mark) {
        self.found.records.is_complete = false;
        let (code, message, help) = match slip {
            Slip::UnterminatedString => (
                "unterminated-string",
                "the line ends within quotes",
                "close the quotes on the same line; \\\" is a quote within them",
            ),
            Slip::UnopenedParenthesis => (
                "unbalanced-parenthesis",
                "a closing parenthesis without an opening one",
                "remove it, or write \\) if it belongs to a name or a string",
            ),
            Slip::UnclosedParenthesis => (
                "unbalanced-parenthesis",
                "the parenthesis is never closed",
                "close it; reading goes on at the next line that begins with no white space",
            ),
        };
        self.found.report.error_with_help(mark, code, message, help);
    }

    fn directive(&mut self, text: &[u8], entry: &Entry, first: Token, state: &mut State) {
        let word = first.bytes(text);
        let is = |directive: &str| word.eq_ignore_ascii_case(directive.as_bytes());
        let arguments = entry.tokens.get(1..).unwrap_or_default();
        if entry.blank_owner {
            let message = "white space stands before the directive";
            let help = "begin it in the first column; other servers read a record here";
            let mark = state.mark(first);
            self.found.report.error_with_help(mark, "directive-indented", message, help);
        }
        if is("$ORIGIN") {
            self.origin(text, first, arguments, state);
        } else if is("$TTL") {
            self.ttl(text, first, arguments, state);
        } else if is("$INCLUDE") {
            self.include(text, first, arguments, state);
        } else if is("$GENERATE") {
            self.generate(text, first, arguments, state);
        } else {
            let message = format!("`{}` is no directive", String::from_utf8_lossy(word));
            let help = "known are $ORIGIN, $TTL, $INCLUDE and $GENERATE; a name may begin with \\$";
            let mark = state.mark(first);
            self.found.report.error_with_help(mark, "unknown-directive", message, help);
        }
    }

    fn origin(&mut self, text: &[u8], first: Token, arguments: &[Token], state: &mut State) {
        let Some((&argument, extra)) = arguments.split_first() else {
            let mark = state.mark(first);
            return self.found.report.error(mark, "field-missing", "$ORIGIN needs a domain name");
        };
        self.no_more(extra, state);
        match Name::parse_bytes(argument.bytes(text), &state.origin) {
            Ok(origin) => state.origin = origin,
            Err(why) => {
                let message = format!("the origin is not a domain name: {why}");
                self.found.report.error(state.mark(argument), "bad-name", message);
            }
        }
    }

    fn ttl(&mut self, text: &[u8], first: Token, arguments: &[Token], state: &mut State) {
        let Some((&argument, extra)) = arguments.split_first() else {
            let mark = state.mark(first);
            return self.found.report.error(mark, "field-missing", "$TTL needs a time");
        };
        self.no_more(extra, state);
        match period(argument.bytes(text)) {
            Some(secs) => {
                state.default_ttl = Some(self.found.bounded_ttl(secs, state.mark(argument)))
            }
            None => {
                let message = "$TTL needs a time in seconds, or such as 1h30m";
                self.found.report.error(state.mark(argument), "bad-ttl", message);
            }
        }
    }

    /// One mistake of the pattern is told once, not for each of its records.
    fn generate(&mut self, text: &[u8], first: Token, arguments: &[Token], state: &mut State) {
        if state.generated.is_some() {
            return;
        }
        self.cutter.spoil();
        let mut inner = State { generated: Some(state.mark(first)), ..state.clone() };
        let error_count = self.found.report.error_count;
        let mut line = Vec::new();
        let mut pattern = Pattern::parse(text, first, arguments).and_then(|pattern| {
            self.generated_count = self.generated_count.saturating_add(pattern.count());
            pattern.within(self.generated_count)
        });
        while let Ok(lines) = &mut pattern {
            match lines.write_next(&mut line) {
                Some(Ok(())) => self.read(&line, &mut inner),
                Some(Err(fault)) => pattern = Err(fault),
                None => break,
            }
            self.generated_len = self.generated_len.saturating_add(line.len());
            let fault = pattern.as_ref().ok().and_then(|p| p.too_long(self.generated_len));
            pattern = fault.map_or(pattern, Err);
            if self.found.report.error_count > error_count {
                break;
            }
        }
        // Its TTL is that of the record before for what follows, as in BIND; its owner is not.
        state.last_ttl = inner.last_ttl;
        if let Err(fault) = pattern {
            self.found.report.fault(state.mark(fault.token), fault);
        }
    }

    fn include(&mut self, text: &[u8], first: Token, arguments: &[Token], state: &State) {
        let Some((&file, rest)) = arguments.split_first() else {
            let mark = state.mark(first);
            return self.found.report.error(mark, "field-missing", "$INCLUDE needs a file");
        };
        self.cutter.spoil();
        let mut inner = State { depth: state.depth + 1, ..state.clone() };
        if let Some((&origin, extra)) = rest.split_first() {
            self.no_more(extra, state);
            match Name::parse_bytes(origin.bytes(text), &state.origin) {
                Ok(origin) => inner.origin = origin,
                Err(why) => {
                    let message = format!("the origin is not a domain name: {why}");
                    return self.found.report.error(state.mark(origin), "bad-name", message);
                }
            }
        }
        let mark = state.mark(file);
        match self.open(file.bytes(text), &mut inner) {
            // The included file begins with our owner and leaves ours as it was (RFC 1035 §5.1).
            Ok(bytes) => self.read(&bytes, &mut inner),
            Err(why) => self.found.report.error(mark, "include-failed", why),
        }
    }

    fn open(&mut self, path: &[u8], inner: &mut State) -> Result<Arc<[u8]>, String> {
        if inner.depth > INCLUDE_DEPTH_MAX || inner.generated.is_some() {
            return Err(format!("includes nest deeper than {INCLUDE_DEPTH_MAX}: in a circle?"));
        }
        if self.included_count >= INCLUDE_COUNT_MAX {
            return Err(format!("the zone includes more than {INCLUDE_COUNT_MAX} files"));
        }
        self.included_count += 1;
        let mut octets = Vec::with_capacity(path.len());
        let path = unescape(path, &mut octets).and_then(|()| String::from_utf8(octets).ok());
        let path = path.ok_or("the path is not UTF-8 text")?;
        let (path, bytes) = (self.includes)(&path, self.found.report.path(inner.source))?;
        self.included_len = self.included_len.saturating_add(bytes.len());
        if bytes.len() > FILE_LEN_MAX || self.included_len > INCLUDED_LEN_MAX {
            return Err("the included files are larger than 2 GiB".to_owned());
        }
        inner.source = self.found.report.open(&path, Text::Included(Arc::clone(&bytes)));
        Ok(bytes)
    }

    fn no_more(&mut self, extra: &[Token], state: &State) {
        if let Some(&token) = extra.first() {
            let message = "the directive takes no more than stands before this";
            self.found.report.error(state.mark(token), "field-extra", message);
        }
    }
}

#[cfg(test)]
mod tests;
