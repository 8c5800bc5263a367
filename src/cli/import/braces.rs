//! The grammar of named.conf: text into statements. A statement is words and blocks up to a semicolon; a block is
//! statements in braces. What a statement means is told in `bind`.

use super::scan::{Cursor, Slip, Spot, Word};

/// How deep blocks nest: named.conf itself needs five.
const DEPTH_MAX: usize = 32;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it begins.
    pub spot: Spot,
    /// At least one.
    pub parts: Vec<Part>,
}

/// A part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A word or a quoted string.
    Word(Word),
    /// Statements in braces.
    Block(Vec<Statement>),
}

impl Statement {
    /// Its first word in lower case; empty for a block.
    pub fn keyword(&self) -> String {
        self.word(0).map(|word| word.text.to_ascii_lowercase()).unwrap_or_default()
    }

    /// The part at `index`, if it is a word.
    pub fn word(&self, index: usize) -> Option<&Word> {
        match self.parts.get(index) {
            Some(Part::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The statements of its first block.
    pub fn block(&self) -> Option<&[Statement]> {
        self.parts.iter().find_map(|part| match part {
            Part::Block(inner) => Some(inner.as_slice()),
            Part::Word(_) => None,
        })
    }

    /// All its blocks.
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = &mut Vec<Statement>> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Block(inner) => Some(inner),
            Part::Word(_) => None,
        })
    }

    /// The word after `keyword`, as in `port 53`.
    pub fn after(&self, keyword: &str) -> Option<&Word> {
        let is = |part: &Part| matches!(part, Part::Word(word) if word.text.eq_ignore_ascii_case(keyword));
        self.word(self.parts.iter().position(is)? + 1)
    }
}

/// Reads the content of file number `file`.
pub fn parse(text: &str, file: usize) -> Result<Vec<Statement>, Slip> {
    let mut cursor = Cursor::new(text, file);
    let statements = statements(&mut cursor, 0)?;
    match cursor.peek() {
        None => Ok(statements),
        Some(_) => {
            let help = "remove it, or open the block that it closes";
            Err(Slip::new(cursor.spot(), "a closing brace without an opening one", help))
        }
    }
}

/// Statements up to a closing brace, which is left, or the end of the text.
fn statements(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<Statement>, Slip> {
    let mut list = Vec::new();
    loop {
        skip_blank(cursor)?;
        match cursor.peek() {
            None | Some('}') => return Ok(list),
            Some(';') => drop(cursor.next()),
            Some(_) => list.push(statement(cursor, depth)?),
        }
    }
}

fn statement(cursor: &mut Cursor<'_>, depth: usize) -> Result<Statement, Slip> {
    let spot = cursor.spot();
    let mut parts = Vec::new();
    loop {
        skip_blank(cursor)?;
        match cursor.peek() {
            Some(';') => {
                cursor.next();
                return Ok(Statement { spot, parts });
            }
            Some('{') => parts.push(Part::Block(block(cursor, depth)?)),
            None | Some('}') => {
                let help = "every statement of named.conf ends with `;`, blocks too";
                return Err(Slip::new(cursor.spot(), "a `;` is missing before this", help));
            }
            Some(_) => parts.push(Part::Word(word(cursor)?)),
        }
    }
}

fn block(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<Statement>, Slip> {
    let opened = cursor.spot();
    if depth >= DEPTH_MAX {
        let what = format!("blocks nest deeper than {DEPTH_MAX}");
        return Err(Slip::new(opened, what, "close the blocks before"));
    }
    cursor.next();
    let inner = statements(cursor, depth + 1)?;
    match cursor.next() {
        Some(_) => Ok(inner),
        None => Err(Slip::new(opened, "this block is never closed", "close it with `};`")),
    }
}

fn word(cursor: &mut Cursor<'_>) -> Result<Word, Slip> {
    // Only double quotes quote in named.conf.
    if cursor.peek() == Some('"')
        && let Some(quoted) = cursor.quoted()
    {
        return quoted;
    }
    let spot = cursor.spot();
    let mut text = String::new();
    while let Some(c) = cursor.peek() {
        let is_comment = ["#", "//", "/*"].iter().any(|mark| cursor.rest().starts_with(mark));
        if is_comment || c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"') {
            break;
        }
        text.push(c);
        cursor.next();
    }
    Ok(Word { text, quoted: false, spot })
}

/// Steps over white space and comments in the three styles.
fn skip_blank(cursor: &mut Cursor<'_>) -> Result<(), Slip> {
    loop {
        cursor.take_while(char::is_whitespace);
        let opened = cursor.spot();
        if cursor.rest().starts_with('#') || cursor.rest().starts_with("//") {
            cursor.skip_line();
        } else if cursor.skip("/*") {
            while !cursor.skip("*/") {
                if cursor.next().is_none() {
                    let help = "close it with `*/`";
                    return Err(Slip::new(opened, "this comment is never closed", help));
                }
            }
        } else {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(statements: &[Statement]) -> String {
        let part = |part: &Part| match part {
            Part::Word(word) if word.quoted => format!("<{}>", word.text),
            Part::Word(word) => word.text.clone(),
            Part::Block(inner) => format!("{{{}}}", shown(inner)),
        };
        let statement = |s: &Statement| s.parts.iter().map(part).collect::<Vec<_>>().join(" ");
        statements.iter().map(statement).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn statements_of_any_shape() {
        for (text, expected) in [
            ("", ""),
            ("a;;b c;", "a; b c"),
            (
                "zone \"x.y\" IN { type master; file \"a b\"; };",
                "zone <x.y> IN {type master; file <a b>}",
            ),
            ("// one\n# two\n/* three\n */ a /* in */ b; # end", "a b"),
            ("a#c\n;b//c\n;d/*e*/f;", "a; b; d f"),
            ("file \"//no # comment\";", "file <//no # comment>"),
            ("acl x { !10.0.0.1; key \"k\"; { any; }; };", "acl x {!10.0.0.1; key <k>; {any}}"),
            ("inet * port 80 allow { a; } keys { b; };", "inet * port 80 allow {a} keys {b}"),
            ("a \"q\\\"q\";", "a <q\"q>"),
            ("path /etc/bind/x;", "path /etc/bind/x"),
        ] {
            assert_eq!(shown(&parse(text, 0).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn slips_have_their_place() {
        for (text, line, column, what) in [
            ("a {\n b }", 2, 4, "a `;` is missing before this"),
            ("a { b;", 1, 3, "this block is never closed"),
            ("a;\n};", 2, 1, "a closing brace without an opening one"),
            ("a \"b", 1, 3, "the file ends within quotes"),
            ("a; /* b", 1, 4, "this comment is never closed"),
            ("a", 1, 2, "a `;` is missing before this"),
        ] {
            let slip = parse(text, 0).unwrap_err();
            assert_eq!(
                (slip.spot.line, slip.spot.column, &*slip.what),
                (line, column, what),
                "{text}"
            );
        }
        assert!(parse(&"{".repeat(1000), 0).is_err());
    }
}
