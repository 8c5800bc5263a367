//! What the readers of foreign configurations stand on: a cursor over text, words with their places, one kind of slip.

/// A point in one of the files that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Which file, in order of reading.
    pub file: usize,
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in characters.
    pub column: u32,
}

/// A word or a quoted string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes.
    pub text: String,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// Where it begins.
    pub spot: Spot,
}

/// A mistake of the text itself: nothing of the file is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Where.
    pub spot: Spot,
    /// What.
    pub what: String,
    /// How to mend it.
    pub help: &'static str,
}

impl Slip {
    /// A slip at `spot`.
    pub fn new(spot: Spot, what: impl Into<String>, help: &'static str) -> Slip {
        Slip { spot, what: what.into(), help }
    }
}

/// Walks over a text and knows where it is.
pub struct Cursor<'a> {
    rest: &'a str,
    spot: Spot,
}

impl<'a> Cursor<'a> {
    /// At the start of `text`, the content of file number `file`.
    pub fn new(text: &'a str, file: usize) -> Cursor<'a> {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Cursor { rest, spot: Spot { file, line: 1, column: 1 } }
    }

    /// Where it is.
    pub fn spot(&self) -> Spot {
        self.spot
    }

    /// What is left.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Steps over the next character.
    pub fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        match next {
            '\n' => {
                self.spot.line = self.spot.line.saturating_add(1);
                self.spot.column = 1;
            }
            _ => self.spot.column = self.spot.column.saturating_add(1),
        }
        Some(next)
    }

    /// Steps over characters as long as `is` holds, and gives them.
    pub fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let whole = self.rest;
        while self.peek().is_some_and(&is) {
            self.next();
        }
        let taken = whole.len() - self.rest.len();
        whole.get(..taken).unwrap_or_default()
    }

    /// Steps over what is left of the line, short of its end.
    pub fn skip_line(&mut self) {
        self.take_while(|c| c != '\n');
    }

    /// Steps over `text` if it is next.
    pub fn skip(&mut self, text: &str) -> bool {
        let is_next = self.rest.starts_with(text);
        if is_next {
            for _ in text.chars() {
                self.next();
            }
        }
        is_next
    }

    /// A quoted string, if one is next; a backslash keeps the quote after it from ending the string.
    pub fn quoted(&mut self) -> Option<Result<Word, Slip>> {
        let spot = self.spot;
        let quote = self.peek().filter(|c| *c == '"' || *c == '\'')?;
        self.next();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' if self.peek() == Some(quote) => text.extend(self.next()),
                c if c == quote => return Some(Ok(Word { text, quoted: true, spot })),
                c => text.push(c),
            }
        }
        Some(Err(Slip::new(spot, "the file ends within quotes", "close the quotes")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{braces, colons};

    proptest! {
        /// Pieces of all three grammars in any order, and whatever stands between.
        #[test]
        fn no_text_makes_a_reader_panic(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("zone"), Just(":"), Just("{"), Just("}"), Just(";"), Just("\""), Just("'"), Just("\\"),
                    Just("/*"), Just("*/"), Just("//"), Just("#"), Just("\n"), Just(" "), Just("- "), Just("["),
                    Just("]"), Just(","), Just("name:"), Just("\u{feff}"), Just("é"), Just("\0"), Just("include"),
                ],
                0..60,
            ),
            noise in any::<String>(),
        ) {
            for text in [pieces.concat(), noise.clone(), pieces.concat() + &noise] {
                let _ = (braces::parse(&text, 0), colons::parse_nsd(&text, 0), colons::parse_knot(&text, 0));
            }
        }
    }
}
