//! One record as it is to be written: its columns, and its rdata on one line or on several.
//!
//! Owns: which words stay beside the type, which lines follow, which comment goes with which line.

use super::super::lexer::Token;
use super::super::rdata::{Fold, Shape, fold_of, period, shapes};
use super::source::{Logical, Note};
use super::spelling::{name, spell, verbatim};
use crate::wire::{Class, Rtype};

/// Columns of a line of hexadecimal or base64, as dig splits them: what stands right of most types still fits.
const BLOB_COLUMNS: usize = 56;

/// A word, ready to be written.
pub(super) type Word = Vec<u8>;

/// The columns of a record.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Empty if it is that of the record before.
    pub(super) owner: Word,
    /// Empty if none is written.
    pub(super) ttl: Word,
    /// Whether a class is written.
    pub(super) has_class: bool,
    /// The type, or nothing if there is none.
    pub(super) rtype: Word,
    /// What follows.
    pub(super) body: Body,
}

/// Rdata, and all comments of the record.
#[derive(Debug)]
pub(super) struct Body {
    /// The words beside the type.
    pub(super) lead: Vec<Word>,
    /// The comment after the opening parenthesis.
    pub(super) open: Option<Note>,
    /// The lines within parentheses.
    pub(super) lines: Vec<Line>,
    /// The comment after the closing parenthesis, or after the only line.
    pub(super) close: Option<Note>,
    /// How it is broken when it is too long for one line.
    pub(super) fold: Fold,
}

/// A line within parentheses: words, a comment, or both.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The words.
    pub(super) words: Vec<Word>,
    /// The comment.
    pub(super) note: Remark,
}

impl Line {
    /// A line of words without a comment.
    fn of(words: impl Into<Vec<Word>>) -> Line {
        Line { words: words.into(), note: Remark::None }
    }
}

/// What stands at the end of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Remark {
    /// Nothing.
    #[default]
    None,
    /// What the author wrote.
    Written(Note),
    /// What we add.
    Added(&'static str),
}

/// What the numbers of a SOA are called where nobody says it: RFC 1035 §3.3.13, and RFC 2308 §4 for the last.
const SOA_NUMBERS: [&str; 5] = ["; serial", "; refresh", "; retry", "; expire", "; negative TTL"];

impl Default for Body {
    fn default() -> Body {
        let (lead, lines) = (Vec::new(), Vec::new());
        Body { lead, open: None, lines, close: None, fold: Fold::Fill }
    }
}

impl Body {
    /// Whether it stands on several lines, however short it is.
    pub(super) fn is_broken(&self) -> bool {
        !self.lines.is_empty() || self.open.is_some() && self.close.is_some()
    }

    /// Whether its last comment stands within the parentheses.
    pub(super) fn ends_in_comment(&self) -> bool {
        self.close.is_none() && self.lines.last().is_some_and(|line| line.note != Remark::None)
    }

    /// Adds a comment that goes on with the last.
    pub(super) fn go_on(&mut self, note: Note) {
        self.lines.push(Line { words: Vec::new(), note: Remark::Written(note) });
    }
}

/// A word of rdata, and the line that it stands on.
struct Placed {
    word: Word,
    line: usize,
    shape: Shape,
}

/// The record of `entry`.
pub(super) fn compose(entry: &Logical, text: &[u8]) -> Row {
    let mut row = Row::default();
    let mut tokens = entry.tokens.as_slice();
    if !entry.blank_owner
        && let Some((first, rest)) = tokens.split_first()
    {
        row.owner = name(*first, first.bytes(text));
        tokens = rest;
    }
    let rtype = compose_head(&mut row, &mut tokens, text);
    let taken = entry.tokens.len() - tokens.len();
    let token_lines = lines_of(entry);
    let line_of = |token: usize| token_lines.get(token).copied().unwrap_or_default();
    let (placed, fold) = place(rtype, tokens, text, |index| line_of(taken + index));
    let notes: Vec<Option<Note>> = entry.lines.iter().map(|(_, note)| *note).collect();
    let head_line = line_of(taken.saturating_sub(1));
    row.body = compose_body(placed, &notes, head_line, fold);
    row
}

/// TTL, class and type, in any order that they are read in; leaves the rdata.
fn compose_head(row: &mut Row, tokens: &mut &[Token], text: &[u8]) -> Option<Rtype> {
    while let Some((token, rest)) = tokens.split_first() {
        let bytes = token.bytes(text);
        let word = std::str::from_utf8(bytes).unwrap_or_default();
        let rtype = Rtype::parse(word);
        *tokens = rest;
        if rtype.is_some() {
            row.rtype = bytes.to_ascii_uppercase();
            return rtype;
        } else if Class::parse(word).is_some() && !row.has_class {
            row.has_class = true;
        } else if period(bytes).is_some() && row.ttl.is_empty() {
            row.ttl = bytes.to_ascii_lowercase();
        }
    }
    None
}

/// On which line of its entry each token stands.
fn lines_of(entry: &Logical) -> Vec<usize> {
    let counts = entry.lines.iter().map(|(count, _)| *count);
    counts.enumerate().flat_map(|(line, count)| std::iter::repeat_n(line, count)).collect()
}

/// The words of the rdata. Pieces of one blob on one line, and of one parameter, are one word.
fn place(
    rtype: Option<Rtype>,
    tokens: &[Token],
    text: &[u8],
    line_of: impl Fn(usize) -> usize,
) -> (Vec<Placed>, Fold) {
    let is_generic = tokens.first().is_some_and(|t| !t.quoted && t.bytes(text) == b"\\#");
    let rtype = rtype.unwrap_or(Rtype(0));
    let mut placed: Vec<Placed> = Vec::with_capacity(tokens.len());
    for (index, shape) in shapes(rtype, is_generic, tokens.len()).into_iter().enumerate() {
        let Some(&token) = tokens.get(index) else { break };
        let (word, line) = (spell(token, text, shape), line_of(index));
        match placed.last_mut() {
            Some(last) if last.line == line && last.shape == shape && shape == Shape::Blob => {
                last.word.extend_from_slice(&word);
            }
            Some(last) if token.joined && shape == Shape::Parameter => {
                last.word.extend_from_slice(&word);
            }
            _ => placed.push(Placed { word, line, shape }),
        }
    }
    (placed, fold_of(rtype, is_generic))
}

fn compose_body(placed: Vec<Placed>, notes: &[Option<Note>], head_line: usize, fold: Fold) -> Body {
    let is_on_one_line = placed.windows(2).all(|w| matches!(w, [a, b] if a.line == b.line));
    let mut written = notes.iter().flatten();
    let (first, more) = (written.next(), written.next());
    if is_on_one_line && more.is_none() {
        let lead = placed.into_iter().map(|p| p.word).collect();
        return Body { lead, close: first.copied(), fold, ..Body::default() };
    }
    if let Fold::Blob(count) = fold
        && let Some((open, close)) = notes_around(&placed, notes, head_line, count)
    {
        return Body { lead: gathered(placed), open, close, fold, ..Body::default() };
    }
    let lead_count = match fold {
        Fold::Soa => 2,
        Fold::Each(count) | Fold::Blob(count) => count,
        Fold::Fill => placed.iter().filter(|p| p.line <= head_line).count(),
    };
    let body = as_written(placed, notes, (head_line, lead_count), fold);
    if fold == Fold::Soa { with_names(body) } else { body }
}

/// The comments of a blob, if none stands between its lines: then its lines may be drawn anew.
fn notes_around(
    placed: &[Placed],
    notes: &[Option<Note>],
    head_line: usize,
    lead_count: usize,
) -> Option<(Option<Note>, Option<Note>)> {
    let lead_line = lead_count.checked_sub(1).map(|last| placed.get(last).map(|p| p.line));
    let lead_line = lead_line.unwrap_or(Some(head_line));
    // Without words beside the type, all lines up to it are one.
    let is_lead_end = |line: usize| lead_line == Some(line) || lead_count == 0 && line < head_line;
    let blob_line = placed.get(lead_count).map(|p| p.line);
    // What stands after the last of the blob is of the whole, on whichever side of the parenthesis.
    let last =
        placed.last().map(|p| p.line).filter(|&l| notes.iter().skip(l + 1).all(Option::is_none));
    let last = last.unwrap_or(notes.len().saturating_sub(1));
    let mut around = (None, None);
    for (line, note) in notes.iter().enumerate().filter_map(|(l, note)| Some((l, (*note)?))) {
        if line == last {
            around.1 = Some(note);
        } else if around.0.is_none() && is_lead_end(line) && blob_line != Some(line) {
            around.0 = Some(note);
        } else {
            return None;
        }
    }
    // One comment alone stands at the end, whether that is the end of one line or of several.
    Some(if around.1.is_none() { (None, around.0) } else { around })
}

/// All words, those of the blob as one.
fn gathered(placed: Vec<Placed>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut in_blob = false;
    for Placed { word, shape, .. } in placed {
        match words.last_mut().filter(|_| in_blob && shape == Shape::Blob) {
            Some(last) => last.extend_from_slice(&word),
            None => words.push(word),
        }
        in_blob = shape == Shape::Blob;
    }
    words
}

/// The lines as the author broke them. So many words as told stand beside the type, which is on the line told, or fewer
/// if a comment stands among them.
fn as_written(
    placed: Vec<Placed>,
    notes: &[Option<Note>],
    (head_line, lead_count): (usize, usize),
    fold: Fold,
) -> Body {
    let mut body = Body { fold, ..Body::default() };
    let mut is_leading = true;
    let mut words = placed.into_iter().peekable();
    for (line, note) in notes.iter().enumerate() {
        let mut here = Vec::new();
        let mut had_words = false;
        while let Some(placed) = words.next_if(|p| p.line == line) {
            had_words = true;
            if is_leading && body.lead.len() < lead_count {
                body.lead.push(placed.word);
            } else {
                here.push(placed.word);
            }
        }
        if here.is_empty() && (is_leading || had_words) && note.is_none() {
            continue;
        }
        let is_last = line + 1 == notes.len();
        let remark = note.map_or(Remark::None, Remark::Written);
        if is_leading && here.is_empty() && (had_words || line <= head_line) {
            body.open = *note;
        } else if is_last && note.is_some_and(|n| !n.is_under) && is_of_whole(&body, &here) {
            body.close = *note;
            if !here.is_empty() {
                body.lines.push(Line::of(here));
            }
        } else if !here.is_empty() || note.is_some() {
            body.lines.push(Line { words: here, note: remark });
        }
        is_leading = false;
    }
    on_one_line_if_it_can_be(body)
}

/// Words that all stand beside the type, and one comment, need no parentheses.
fn on_one_line_if_it_can_be(mut body: Body) -> Body {
    let within = body.lines.iter().map(|line| line.note);
    let around = [body.open, body.close].map(|note| note.map_or(Remark::None, Remark::Written));
    let mut notes = within.chain(around).filter(|note| *note != Remark::None);
    if let (Some(Remark::Written(note)), None) = (notes.next(), notes.next())
        && body.lines.iter().all(|line| line.words.is_empty())
    {
        (body.open, body.close) = (None, Some(note));
        body.lines.clear();
    }
    body
}

/// The comment of the last line, words on it or not, stands after the closing parenthesis: it is of the whole record,
/// unless other lines have comments of their own.
fn is_of_whole(body: &Body, words: &[Word]) -> bool {
    words.is_empty() || body.lines.iter().all(|line| line.note == Remark::None)
}

/// A SOA with a number a line, each with its name unless the author commented on any of them.
fn with_names(mut body: Body) -> Body {
    let mut lines = Vec::new();
    for line in std::mem::take(&mut body.lines) {
        if line.note != Remark::None {
            lines.push(line);
            continue;
        }
        lines.extend(line.words.into_iter().map(|word| Line::of([word])));
    }
    let is_plain = lines.len() == 5 && lines.iter().all(|line| line.note == Remark::None);
    if is_plain && body.lead.len() == 2 {
        for (line, added) in lines.iter_mut().zip(SOA_NUMBERS) {
            line.note = Remark::Added(added);
        }
    }
    Body { lines, ..body }
}

/// A record that is too long for one line, on several: as its type is broken best. `room` columns are right of the type.
pub(super) fn broken(mut body: Body, room: usize) -> Body {
    let words = std::mem::take(&mut body.lead);
    let (lead_count, lines) = match body.fold {
        Fold::Soa if words.len() > 2 => (2, each(&words, 2)),
        Fold::Each(count) if words.len() > count + 1 => (count, each(&words, count)),
        Fold::Blob(count) if words.get(count).is_some_and(|blob| blob.len() > BLOB_COLUMNS) => {
            let blob = words.get(count..).unwrap_or_default().concat();
            (count, blob.chunks(BLOB_COLUMNS).map(|c| Line::of([c.to_vec()])).collect())
        }
        Fold::Blob(count) if body.is_broken() => (count, each(&words, count)),
        Fold::Fill => {
            let mut lines = filled(&words, room).into_iter();
            (lines.next().map_or(0, |first| first.words.len()), lines.collect())
        }
        _ => (words.len(), Vec::new()),
    };
    let mut words = words;
    words.truncate(lead_count);
    let body = Body { lead: words, lines, ..body };
    if body.fold == Fold::Soa { with_names(body) } else { body }
}

/// A line for each word but the first.
fn each(words: &[Word], lead_count: usize) -> Vec<Line> {
    words.iter().skip(lead_count).map(|word| Line::of([word.clone()])).collect()
}

/// As many words a line as there is room for, one at least.
fn filled(words: &[Word], room: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut columns = 0;
    for word in words {
        let wanted = width(word) + 1;
        match lines.last_mut().filter(|_| columns + wanted <= room) {
            Some(line) => line.words.push(word.clone()),
            None => {
                columns = 0;
                lines.push(Line::of([word.clone()]));
            }
        }
        columns += wanted;
    }
    lines
}

/// Columns that a word takes.
pub(super) fn width(word: &[u8]) -> usize {
    word.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

/// A directive: its words with one space between, the first in capitals, a TTL in small letters, the others as they are.
pub(super) fn compose_directive(entry: &Logical, text: &[u8]) -> Word {
    let mut words = Vec::new();
    for (index, &token) in entry.tokens.iter().enumerate() {
        if index > 0 && !token.joined {
            words.push(b' ');
        }
        let word = verbatim(token, text);
        match index {
            0 => words.extend_from_slice(&word.to_ascii_uppercase()),
            1 if words == b"$TTL " => words.extend_from_slice(&word.to_ascii_lowercase()),
            _ => words.extend_from_slice(&word),
        }
    }
    words
}
