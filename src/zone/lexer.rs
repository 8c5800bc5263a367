//! Master-file text into entries: the logical lines of RFC 1035 §5.1, as tokens with their places.
//!
//! Owns:  parentheses, comments, quotes, blank owners, the bounds of a token.
//! Never: knows what a token means; copies text; looks at a byte more than a few times.

use crate::diagnostic::Place;

/// The largest file that is read, in octets: places are 32 bits wide.
pub(super) const FILE_LEN_MAX: usize = 1 << 31;

/// A word or a quoted string, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First octet, after the quote of a quoted string.
    pub start: u32,
    /// One past the last octet, before the closing quote.
    pub end: u32,
    /// Line from 1.
    pub line: u32,
    /// First octet of that line.
    pub line_start: u32,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// Whether nothing stands between it and the token before it, as in `alpn="h2"`.
    pub joined: bool,
}

/// One logical line: a directive or a record.
#[derive(Debug, Default)]
pub struct Entry {
    /// Its tokens, at least one.
    pub tokens: Vec<Token>,
    /// Whether it begins with white space, so that its owner is the previous one (RFC 1035 §5.1).
    pub blank_owner: bool,
}

/// A mistake of the text itself. The entry that holds it is not to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// The line ends within quotes.
    UnterminatedString,
    /// A closing parenthesis without an opening one.
    UnopenedParenthesis,
    /// The file ends within parentheses; the place is that of the opening one.
    UnclosedParenthesis,
}

/// Reads entries one after the other.
pub struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    has_gone_back: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`, after a byte order mark if there is one.
    pub fn new(text: &'a [u8]) -> Lexer<'a> {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Lexer { text, at, line: 1, line_start: at, has_gone_back: false }
    }

    /// A lexer of the part of a text that begins with octet `at`, the first of line `line`, and ends with `text`.
    pub fn within(text: &'a [u8], at: u32, line: u32) -> Lexer<'a> {
        let start = at as usize;
        match start {
            0 => Lexer::new(text),
            _ => Lexer { text, at: start, line, line_start: start, has_gone_back: false },
        }
    }

    /// Where the next entry is looked for.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The line that is read.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Reads the next entry into `entry`. None at the end of the text; a slip spoils the entry, and
    /// the next call goes on after it.
    pub fn next(&mut self, entry: &mut Entry) -> Option<Result<(), (Slip, Token)>> {
        entry.tokens.clear();
        let mut slip = None;
        let mut depth = 0usize;
        let mut opened = None;
        let mut fresh_line = true;
        loop {
            let Some(&byte) = self.text.get(self.at) else {
                if let Some(first) = opened.filter(|_| depth > 0) {
                    slip.get_or_insert((Slip::UnclosedParenthesis, first));
                    self.go_back(first);
                }
                break;
            };
            if fresh_line && entry.tokens.is_empty() && depth == 0 {
                entry.blank_owner = matches!(byte, b' ' | b'\t');
            }
            fresh_line = false;
            match byte {
                b' ' | b'\t' => self.at += 1,
                b';' => self.skip_line(),
                b'\n' | b'\r' => {
                    self.end_line();
                    fresh_line = true;
                    if depth == 0 && (slip.is_some() || !entry.tokens.is_empty()) {
                        break;
                    }
                }
                b'(' => {
                    if depth == 0 {
                        opened = Some(self.token(self.at, self.at + 1));
                    }
                    depth += 1;
                    self.at += 1;
                }
                b')' => {
                    if depth == 0 {
                        let token = self.token(self.at, self.at + 1);
                        slip.get_or_insert((Slip::UnopenedParenthesis, token));
                    }
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b'"' => match self.quoted(entry) {
                    Ok(token) => entry.tokens.push(token),
                    Err(token) => {
                        slip.get_or_insert((Slip::UnterminatedString, token));
                    }
                },
                _ => {
                    let token = self.word(entry);
                    entry.tokens.push(token);
                }
            }
        }
        match slip {
            Some(slip) => Some(Err(slip)),
            None => (!entry.tokens.is_empty()).then_some(Ok(())),
        }
    }

    /// Goes back to the next line after `opened` that begins a record, so that the mistakes after a
    /// parenthesis that is never closed are told too. Once only: a file of nothing but opening
    /// parentheses would take the square of its length.
    fn go_back(&mut self, opened: Token) {
        if std::mem::replace(&mut self.has_gone_back, true) {
            return;
        }
        self.at = opened.start as usize;
        self.line = opened.line;
        loop {
            self.skip_line();
            if self.at >= self.text.len() {
                return;
            }
            self.end_line();
            if self.text.get(self.at).is_some_and(|b| !b" \t\r\n;()".contains(b)) {
                return;
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&b| ends_line(b)).unwrap_or(rest.len());
    }

    /// Goes beyond the end of a line: LF, CR LF, or CR alone, which others take for one too.
    fn end_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += if rest.starts_with(b"\r\n") { 2 } else { 1 };
        self.line += 1;
        self.line_start = self.at;
    }

    fn word(&mut self, entry: &Entry) -> Token {
        let start = self.at;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"' => break,
                b'\\' if self.text.get(self.at + 1).is_some_and(|&b| !ends_line(b)) => self.at += 2,
                _ => self.at += 1,
            }
        }
        Token { joined: is_joined(entry, start), ..self.token(start, self.at) }
    }

    /// A quoted string; on a missing quote the token of what there was, and the lexer stands at the
    /// end of the line.
    fn quoted(&mut self, entry: &Entry) -> Result<Token, Token> {
        let open = self.at;
        let joined = is_joined(entry, open);
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    let token = self.token(open + 1, self.at);
                    self.at += 1;
                    return Ok(Token { quoted: true, joined, ..token });
                }
                b'\n' => break,
                b'\\' if self.text.get(self.at + 1).is_some_and(|&b| !ends_line(b)) => self.at += 2,
                _ => self.at += 1,
            }
        }
        Err(self.token(open, self.at))
    }

    fn token(&self, start: usize, end: usize) -> Token {
        // By FILE_LEN_MAX, checked before the first entry, places fit 32 bits.
        Token {
            start: start as u32,
            end: end as u32,
            line: self.line,
            line_start: self.line_start as u32,
            quoted: false,
            joined: false,
        }
    }
}

impl Token {
    /// The octets of the token, escapes as written.
    pub fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Where it stands in `file`, whose whole content is `text`.
    pub fn place(&self, file: &str, text: &[u8]) -> Place {
        // A quoted token begins after its quote; the place shown is the quote's.
        let start = self.start - u32::from(self.quoted);
        let before = text.get(self.line_start as usize..start as usize).unwrap_or_default();
        // Columns count characters: continuation octets of UTF-8 begin none.
        let column = before.iter().filter(|&&b| b & 0xc0 != 0x80).count() + 1;
        Place::at(file, self.line, column as u32)
    }

    /// The line that it begins on, for a caret; at most 200 characters.
    pub fn excerpt(&self, text: &[u8]) -> String {
        let rest = text.get(self.line_start as usize..).unwrap_or_default();
        let rest = &rest[..rest.len().min(EXCERPT_LEN_MAX)];
        let line = rest.split(|&b| ends_line(b)).next().unwrap_or_default();
        String::from_utf8_lossy(line).trim_end().chars().take(200).collect()
    }
}

/// Octets looked at for an excerpt of 200 characters.
const EXCERPT_LEN_MAX: usize = 800;

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn is_joined(entry: &Entry, start: usize) -> bool {
    entry.tokens.last().is_some_and(|last| last.end as usize + usize::from(last.quoted) == start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<String> {
        let mut lexer = Lexer::new(text.as_bytes());
        let mut entry = Entry::default();
        let mut out = Vec::new();
        while let Some(result) = lexer.next(&mut entry) {
            let words: Vec<String> = entry
                .tokens
                .iter()
                .map(|t| {
                    let word = String::from_utf8_lossy(t.bytes(text.as_bytes())).into_owned();
                    if t.quoted { format!("<{word}>") } else { word }
                })
                .collect();
            out.push(match result {
                Ok(()) => {
                    format!("{}{}", if entry.blank_owner { "_ " } else { "" }, words.join(" "))
                }
                Err((slip, token)) => {
                    let place = token.place("f", text.as_bytes());
                    format!("{slip:?} {}:{}", place.line, place.column)
                }
            });
        }
        out
    }

    #[test]
    fn logical_lines() {
        for (text, expected) in [
            ("", vec![]),
            ("a A 1\nb", vec!["a A 1", "b"]),
            ("\u{feff}a A\r\n\tB ; note\n\n ; none\n", vec!["a A", "_ B"]),
            ("a ( b ; (c\n\n d) e\nf", vec!["a b d e", "f"]),
            ("a(b)c", vec!["a b c"]),
            ("a \"b;( c\\\" \" d", vec!["a <b;( c\\\" > d"]),
            ("a\\;b \\\" c\\ d", vec!["a\\;b \\\" c\\ d"]),
            ("a k=\"v w\"", vec!["a k= <v w>"]),
            ("a \"b\nc", vec!["UnterminatedString 1:3", "c"]),
            ("a (\n\"b\n) d\nc", vec!["UnterminatedString 2:1", "c"]),
            ("a )\nc", vec!["UnopenedParenthesis 1:3", "c"]),
            ("é (\nb\nc", vec!["UnclosedParenthesis 1:3", "b", "c"]),
            ("a (\n 1\n\n) (\n\tb\nc d", vec!["UnclosedParenthesis 4:3", "c d"]),
            ("a (\nb (\nc (\nd", vec!["UnclosedParenthesis 1:3", "UnclosedParenthesis 2:3"]),
            ("a (", vec!["UnclosedParenthesis 1:3"]),
            ("a\\\nb", vec!["a\\", "b"]),
            ("a b\rc\r\n\rd ; e\rf \"g\rh\"", vec!["a b", "c", "d", "f <g\rh>"]),
        ] {
            assert_eq!(entries(text), expected, "{text:?}");
        }
    }
}
