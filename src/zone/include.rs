//! The `$INCLUDE`s of a master file (RFC 1035 §5.1), for whoever moves files: where each path stands, and what it says.
//!
//! Never: opens a file. Reads by the same lexer as the parser, so that both see the same directives.

use std::ops::Range;

use crate::diagnostic::Place;

use super::lexer::{Entry, Lexer};
use super::rdata::unescape;

/// One `$INCLUDE` of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The octets of the path in the text, its quotes left out.
    pub range: Range<usize>,
    /// Whether it stands in quotes.
    pub quoted: bool,
    /// The path, escapes read; none if it is not UTF-8.
    pub path: Option<String>,
    /// Line and column of the path, each from 1.
    pub at: (u32, u32),
}

/// The `$INCLUDE`s of `text`, in order.
pub fn inclusions(text: &[u8]) -> Vec<Inclusion> {
    let mut found = Vec::new();
    let has_one = text.windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD));
    if !has_one {
        return found;
    }
    let mut lexer = Lexer::new(text);
    let mut entry = Entry::default();
    while let Some(result) = lexer.next(&mut entry) {
        let (Ok(()), [first, path, ..]) = (result, entry.tokens.as_slice()) else { continue };
        if first.quoted || !first.bytes(text).eq_ignore_ascii_case(WORD) {
            continue;
        }
        let mut octets = Vec::new();
        let read = unescape(path.bytes(text), &mut octets).is_some();
        let Place { line, column, .. } = path.place("", text);
        found.push(Inclusion {
            range: path.start as usize..path.end as usize,
            quoted: path.quoted,
            path: String::from_utf8(octets).ok().filter(|_| read),
            at: (line, column),
        });
    }
    found
}

const WORD: &[u8] = b"$INCLUDE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_found_and_nothing_else() {
        let text = "$TTL 1\n$include \"a b\" sub ; $INCLUDE c\nx TXT \"\n$INCLUDE \"d\n\
                    ( \n$INCLUDE e )\n $INCLUDE f\\032g\n";
        let found = inclusions(text.as_bytes());
        let shown: Vec<_> =
            found.iter().map(|i| (&text[i.range.clone()], i.path.as_deref(), i.at)).collect();
        assert_eq!(shown[0], ("a b", Some("a b"), (2, 10)));
        assert!(found[0].quoted);
        assert_eq!(shown.last(), Some(&("f\\032g", Some("f g"), (7, 11))));
        assert_eq!(inclusions(b"www A 192.0.2.1 ; $INCLUDE\n"), []);
    }
}
