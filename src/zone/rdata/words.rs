//! The words of one record's rdata, read from left to right.

use crate::wire::Name;

use super::super::lexer::Token;

/// A mistake in a record: which token, a stable short name, and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub token: Token,
    /// The stable short name.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: &'static str,
}

/// A cursor over the tokens that are left of an entry.
pub struct Words<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    /// The token last taken, which a fault of something missing points at.
    last: Token,
    origin: &'a Name,
}

/// One word as taken: its token, and its octets with escapes as written.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) token: Token,
    pub(super) bytes: &'a [u8],
}

impl<'a> Words<'a> {
    /// The `tokens` of `text`; names without a final dot are relative to `origin`. `last` stands
    /// before the first.
    pub fn new(text: &'a [u8], tokens: &'a [Token], last: Token, origin: &'a Name) -> Words<'a> {
        Words { text, tokens, last, origin }
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The next word, left in its place.
    pub(super) fn peek(&self) -> Option<Word<'a>> {
        let &token = self.tokens.first()?;
        Some(Word { token, bytes: token.bytes(self.text) })
    }

    /// Takes the next word if there is one.
    pub(super) fn take(&mut self) -> Option<Word<'a>> {
        let word = self.peek()?;
        self.tokens = &self.tokens[1..];
        self.last = word.token;
        Some(word)
    }

    /// Takes the next word, which must be there: `what` tells what should stand there.
    pub(super) fn expect(&mut self, what: &str) -> Result<Word<'a>, Fault> {
        self.take().ok_or_else(|| Fault {
            token: self.last,
            code: "field-missing",
            message: format!("the record ends where {what} should stand"),
            help: "",
        })
    }

    /// Takes a domain name.
    pub(super) fn name(&mut self) -> Result<Name, Fault> {
        let word = self.expect("a domain name")?;
        Name::parse_bytes(word.bytes, self.origin).map_err(|why| {
            word.fault("bad-name", format!("`{}` is not a domain name: {why}", word.shown()))
        })
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(Fault {
                help: "text with spaces needs quotes, a comment needs `;` before it",
                ..word
                    .fault("field-extra", format!("`{}` is more than the type takes", word.shown()))
            }),
        }
    }

    /// A fault at the word last taken.
    pub(super) fn fault(&self, code: &'static str, message: impl Into<String>) -> Fault {
        Fault { token: self.last, code, message: message.into(), help: "" }
    }
}

impl Word<'_> {
    /// A fault at this word.
    pub(super) fn fault(&self, code: &'static str, message: impl Into<String>) -> Fault {
        Fault { token: self.token, code, message: message.into(), help: "" }
    }

    /// The fault of standing in quotes, where only a string may.
    pub(super) fn needless_quotes(&self) -> Fault {
        quoted_word(self.token, self.bytes)
    }

    /// Its first characters, for a message.
    pub(super) fn shown(&self) -> String {
        shown(self.bytes)
    }

    /// As text, if it is all ASCII.
    pub(super) fn ascii(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes).ok().filter(|t| t.is_ascii())
    }
}

/// The fault of a quoted word where no string stands.
pub(in super::super) fn quoted_word(token: Token, bytes: &[u8]) -> Fault {
    Fault {
        token,
        code: "quoted-word",
        message: format!("`{}` stands in quotes, and only strings may", shown(bytes)),
        help: "remove the quotes; most servers refuse them here",
    }
}

/// The first characters of `bytes`, fit for a message.
pub(in super::super) fn shown(bytes: &[u8]) -> String {
    let head = bytes.get(..200).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head);
    let mut out: String =
        text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if out.len() < bytes.len() && text.chars().count() > 40 {
        out.push('…');
    }
    out
}
