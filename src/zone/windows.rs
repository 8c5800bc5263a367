//! A large file read in windows, each by itself, so that many cores can share the work.
//!
//! Where a record begins is guessed, and so is what the parser carries there; both guesses are checked. By induction from
//! the first window: one that was read without a mistake and began outside of parentheses ends outside of them, for an
//! open one is a mistake; and what it carries at its end has to be what was guessed for the next. Where anything is amiss,
//! the file is read in one go.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::wire::Name;

use super::chunks::{Carried, Chunks, Cutter, Start};
use super::parser::{Includes, Parsed, finish, read_part, read_whole, unreadable};
use super::report::Text;
use super::state::{Found, State};

/// Octets of a window. Large against what a thread costs, small against a large file. Tests have many in short files.
const WINDOW_LEN: usize = if cfg!(test) { 150 } else { 1 << 20 };

/// Does a piece of work once for each number below a count, on as many cores as it likes, and returns when all is done.
pub type Crew<'c> = dyn Fn(usize, &(dyn Fn(usize) + Sync)) + 'c;

/// What a crew read.
struct Window<'a> {
    found: Found<'a>,
    starts: Vec<Start>,
    end: Start,
}

/// Parses and checks one zone file, as [`parse`](super::parse) does, with the chunks of the file, from which a change of it
/// can be read alone; none where that is not so. A `crew` shares the work of a large one.
pub fn parse_in_chunks(
    path: &str,
    text: &[u8],
    origin: &Name,
    includes: &Includes<'_>,
    crew: Option<&Crew<'_>>,
) -> (Parsed, Option<Chunks>) {
    if let Some(error) = unreadable(path, text) {
        return (Parsed { zone: None, diagnostics: vec![error], validity: None }, None);
    }
    let (found, cutter) = match crew.and_then(|crew| read(path, text, origin, crew)) {
        Some((found, starts)) => (found, Cutter::of(starts)),
        None => read_whole(path, text, origin, includes),
    };
    let (parsed, is_whole) = finish(path, origin, found);
    let chunks = cutter.finish(text.len()).filter(|_| is_whole && parsed.zone.is_some());
    (parsed, chunks)
}

/// Reads `text`. Gives what was found, and where its chunks begin; none where it has to be read in one go.
fn read<'a>(
    path: &str,
    text: &'a [u8],
    origin: &Name,
    crew: &Crew<'_>,
) -> Option<(Found<'a>, Vec<Start>)> {
    let ranges = cut(text);
    if ranges.len() < 2 {
        return None;
    }
    let sights = each(crew, &ranges, |range| Some(Sight::of(text, range)))?;
    let starts = guess(text, origin, &ranges, &sights)?;
    let jobs: Vec<(&Start, usize)> = starts.iter().zip(ranges.iter().map(|r| r.end)).collect();
    let windows = each(crew, &jobs, |(start, end)| {
        let mut found = Found::opened(path, Text::Given(text));
        let (starts, end) = read_part(&mut found, text, Start::clone(start), *end)?;
        let is_plain = found.report.error_count == 0 && found.report.is_whole();
        // Without `$TTL`, a window that needs the TTL of the record before has to know it.
        let lacks_ttl = start.at > 0 && found.report.has("ttl-missing");
        (is_plain && !lacks_ttl).then_some(Window { found, starts, end })
    })?;
    join(windows)
}

/// `work` on all items by the crew; none if any of it gives none.
fn each<T: Sync, R: Send>(
    crew: &Crew<'_>,
    items: &[T],
    work: impl Fn(&T) -> Option<R> + Sync,
) -> Option<Vec<R>> {
    let done: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    crew(items.len(), &|index| {
        let (Some(item), Some(place)) = (items.get(index), done.get(index)) else { return };
        let result = work(item);
        *place.lock().unwrap_or_else(PoisonError::into_inner) = result;
    });
    done.into_iter().map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Windows that begin where a record seems to.
fn cut(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = next_record(text, start + WINDOW_LEN);
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// The first line at or after `at` that begins as an owner name does, or the end.
fn next_record(text: &[u8], mut at: usize) -> usize {
    while let Some(end) = text.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        at += end + 1;
        let is_owner = |b: &u8| b.is_ascii_alphanumeric() || b"_*@-\\".contains(b);
        if text.get(at).is_some_and(is_owner) {
            return at;
        }
    }
    text.len()
}

/// What can be seen of a window without reading it.
struct Sight {
    line_count: usize,
    /// Lines that begin as a directive does.
    directives: Vec<Range<usize>>,
}

impl Sight {
    fn of(text: &[u8], range: &Range<usize>) -> Sight {
        let window = text.get(range.clone()).unwrap_or_default();
        let line_count = memchr::memchr_iter(b'\n', window).count();
        let begins_line = |at: &usize| *at == 0 || text.get(at - 1) == Some(&b'\n');
        let found = memchr::memchr_iter(b'$', window).map(|at| range.start + at);
        let line = |at: usize| {
            let rest = text.get(at..).unwrap_or_default();
            at..at + memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)
        };
        Sight { line_count, directives: found.filter(begins_line).map(line).collect() }
    }
}

/// What each window begins with, if its directives are what they look like. None where one brings other text.
fn guess(
    text: &[u8],
    origin: &Name,
    ranges: &[Range<usize>],
    sights: &[Sight],
) -> Option<Vec<Start>> {
    let mut carried = Arc::new(Carried::of(&State::first(0, origin)));
    let mut line = 1;
    let mut starts = Vec::with_capacity(ranges.len());
    for (range, sight) in ranges.iter().zip(sights) {
        let at = u32::try_from(range.start).ok()?;
        starts.push(Start { at, line, carried: Arc::clone(&carried) });
        for directive in &sight.directives {
            let at = u32::try_from(directive.start).ok()?;
            let mut found = Found::opened("", Text::Given(text));
            let start = Start { at, line, carried };
            carried = read_part(&mut found, text, start, directive.end)?.1.carried;
        }
        line += u32::try_from(sight.line_count).ok()?;
    }
    Some(starts)
}

/// The windows together, if each began with what the one before it ended with.
fn join<'a>(windows: Vec<Window<'a>>) -> Option<(Found<'a>, Vec<Start>)> {
    let mut windows = windows.into_iter();
    let Window { mut found, mut starts, mut end } = windows.next()?;
    for mut next in windows {
        let first = next.starts.first_mut()?;
        if (first.at, first.line) != (end.at, end.line) || !first.carried.follows(&end.carried) {
            return None;
        }
        first.carried = end.carried;
        found.records.append(next.found.records)?;
        found.report.append(next.found.report);
        starts.extend(next.starts);
        end = next.end;
    }
    Some((found, starts))
}

#[cfg(test)]
mod tests;
