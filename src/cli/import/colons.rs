//! The grammars of nsd.conf and knot.conf: text into attributes, `key: value`. Both are lists of such; they differ in what
//! a value may be and in how a section's parts are told apart. What an attribute means is told in `nsd` and `knot`.

use super::scan::{Cursor, Slip, Spot, Word};

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its key, without the colon, in lower case.
    pub key: String,
    /// Where it begins.
    pub spot: Spot,
    /// Its values: none for a section.
    pub values: Vec<Word>,
    /// Whether a hyphen stands before it: it begins a block of a Knot section.
    pub begins: bool,
}

impl Attribute {
    /// Its first value.
    pub fn value(&self) -> Option<&Word> {
        self.values.first()
    }
}

/// A section with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The key that opens it, such as `zone`.
    pub name: String,
    /// Where it begins.
    pub spot: Spot,
    /// Its attributes, in order.
    pub attributes: Vec<Attribute>,
}

impl Section {
    /// The last value of `key`: later ones replace earlier ones.
    pub fn last(&self, key: &str) -> Option<&Word> {
        self.attributes.iter().rev().find(|a| a.key == key)?.value()
    }
}

/// Reads the content of an nsd.conf, file number `file`. Line ends mean nothing; a comment begins with `#`.
pub fn parse_nsd(text: &str, file: usize) -> Result<Vec<Attribute>, Slip> {
    let mut cursor = Cursor::new(text, file);
    let mut list: Vec<Attribute> = Vec::new();
    let mut line = 0;
    loop {
        cursor.take_while(char::is_whitespace);
        let spot = cursor.spot();
        match cursor.peek() {
            None => return Ok(list),
            Some('#') => {
                cursor.skip_line();
                continue;
            }
            Some(_) => {}
        }
        // What begins a line is a key; further on, a value may hold colons of its own.
        let is_first = std::mem::replace(&mut line, spot.line) != spot.line;
        if let Some(key) = nsd_key(&mut cursor, is_first) {
            list.push(Attribute { key, spot, values: Vec::new(), begins: false });
            continue;
        }
        let word = match cursor.quoted() {
            Some(quoted) => quoted?,
            None => {
                let text = cursor.take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '#'));
                Word { text: text.to_owned(), quoted: false, spot }
            }
        };
        match list.last_mut() {
            Some(attribute) => attribute.values.push(word),
            None => {
                let help = "nsd.conf is made of `attribute: value`";
                return Err(Slip::new(spot, "a value without an attribute", help));
            }
        }
    }
}

/// A key with its colon, if one is next. Where it does not begin its line, white space has to follow it.
fn nsd_key(cursor: &mut Cursor<'_>, is_first: bool) -> Option<String> {
    let rest = cursor.rest();
    let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))?;
    let (key, after) = rest.split_at_checked(len)?;
    let after = after.strip_prefix(':')?;
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic());
    let ends = after.is_empty() || after.starts_with(|c: char| c.is_whitespace());
    // `fe80::1` begins a line only by accident, and is no key.
    (is_word && (ends || is_first && !after.starts_with(':'))).then(|| {
        let key = key.to_ascii_lowercase();
        cursor.take_while(|c| c != ':');
        cursor.next();
        key
    })
}

/// Reads the content of a knot.conf, file number `file`: `key: value`, `- key: value`, values in brackets or not.
pub fn parse_knot(text: &str, file: usize) -> Result<Vec<Attribute>, Slip> {
    let mut cursor = Cursor::new(text, file);
    let mut list = Vec::new();
    loop {
        cursor.take_while(char::is_whitespace);
        match cursor.peek() {
            None => return Ok(list),
            Some('#') => cursor.skip_line(),
            Some(_) => list.push(knot_attribute(&mut cursor)?),
        }
    }
}

fn knot_attribute(cursor: &mut Cursor<'_>) -> Result<Attribute, Slip> {
    let spot = cursor.spot();
    let begins = cursor.skip("-");
    cursor.take_while(|c| c == ' ' || c == '\t');
    let key_spot = cursor.spot();
    let key = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let key = key.to_ascii_lowercase();
    if key.is_empty() || !cursor.skip(":") {
        let help = "knot.conf is made of `key: value`, with `- ` before the first of each block";
        return Err(Slip::new(key_spot, "this is no key with a colon", help));
    }
    let mut values = Vec::new();
    let mut is_list = false;
    loop {
        // A value stands on the line of its key; a list in brackets may go on.
        cursor.take_while(|c| c == ' ' || c == '\t' || c == '\r' || is_list && c.is_whitespace());
        match cursor.peek() {
            Some('#') => cursor.skip_line(),
            Some('[') if !is_list && values.is_empty() => {
                is_list = true;
                cursor.next();
            }
            Some(',') if is_list => drop(cursor.next()),
            Some(']') if is_list => {
                cursor.next();
                is_list = false;
            }
            None if is_list => {
                return Err(Slip::new(spot, "this list is never closed", "close it with `]`"));
            }
            None | Some('\n') => return Ok(Attribute { key, spot, values, begins }),
            Some(_) => values.push(knot_value(cursor, is_list)?),
        }
    }
}

fn knot_value(cursor: &mut Cursor<'_>, is_list: bool) -> Result<Word, Slip> {
    if cursor.peek() == Some('"')
        && let Some(quoted) = cursor.quoted()
    {
        return quoted;
    }
    let spot = cursor.spot();
    let ends = |c: char| c.is_whitespace() || c == '#' || is_list && matches!(c, ',' | ']');
    let mut text = cursor.take_while(|c| !ends(c)).to_owned();
    if text.is_empty() {
        // A stray bracket: taken as it stands, so that reading goes on.
        text.extend(cursor.next());
    }
    Ok(Word { text, quoted: false, spot })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &[Attribute]) -> String {
        let one = |a: &Attribute| {
            let values: Vec<&str> = a.values.iter().map(|w| w.text.as_str()).collect();
            format!("{}{}={}", if a.begins { "-" } else { "" }, a.key, values.join(","))
        };
        list.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nsd_attributes() {
        for (text, expected) in [
            ("", ""),
            ("server:\n  port: 53 # c\n", "server= port=53"),
            ("zone: name: \"a b\" zonefile: x.zone", "zone= name=a b zonefile=x.zone"),
            (
                "ip-address: 2001:db8::1@53\nip-address: ::\n",
                "ip-address=2001:db8::1@53 ip-address=::",
            ),
            ("ip-address: fe80::1\nname:x", "ip-address=fe80::1 name=x"),
            ("request-xfr: AXFR 192.0.2.1@53 NOKEY", "request-xfr=AXFR,192.0.2.1@53,NOKEY"),
            ("name:\n  'x'", "name=x"),
        ] {
            assert_eq!(shown(&parse_nsd(text, 0).unwrap()), expected, "{text}");
        }
        assert_eq!(parse_nsd("\n 53", 0).unwrap_err().spot.line, 2);
    }

    #[test]
    fn knot_attributes() {
        for (text, expected) in [
            ("", ""),
            ("zone:\n  - domain: a.test # c\n    file: \"x y\"\n", "zone= -domain=a.test file=x y"),
            ("server:\n    listen: [ 0.0.0.0@53, ::@53 ]\n", "server= listen=0.0.0.0@53,::@53"),
            ("acl: []\na: [b,\n  c]\n", "acl= a=b,c"),
            ("file: %c[0-1]/%s.zone", "file=%c[0-1]/%s.zone"),
            ("- id: x\n", "-id=x"),
        ] {
            assert_eq!(shown(&parse_knot(text, 0).unwrap()), expected, "{text}");
        }
        for (text, line) in [("a: b\n???", 2), ("a b", 1), ("a: [b", 1), ("a: \"b", 1)] {
            assert_eq!(parse_knot(text, 0).unwrap_err().spot.line, line, "{text}");
        }
    }
}
