//! Domain names: wire format, presentation format, canonical order (RFC 1035 §3.1 and §5.1, RFC 4034 §6.1).
//!
//! Owned names are for zones and configuration; the query path reads names where they stand in the request.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Octets of the longest name, the root label included (RFC 1035 §3.1).
pub const NAME_LEN_MAX: usize = 255;
/// Octets of the longest label (RFC 1035 §3.1).
pub const LABEL_LEN_MAX: usize = 63;

/// An absolute domain name in uncompressed wire format. Case is kept, and ignored by equality, order and hash.
/// Order is the canonical order of RFC 4034 §6.1.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

/// Why a text or some bytes are not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// A label of more than 63 octets.
    LabelTooLong,
    /// More than 255 octets in all.
    TooLong,
    /// Two dots in a row, or a leading one.
    EmptyLabel,
    /// A backslash that is not followed by a character or by three digits up to 255.
    BadEscape,
    /// The bytes end within the name, or hold a pointer or an unknown label kind.
    Malformed,
}

impl Name {
    /// The root.
    pub fn root() -> Name {
        Name(Box::new([0]))
    }

    /// Reads a name in presentation format; one without a trailing dot is relative to `origin`, `@` is `origin`.
    pub fn parse(text: &str, origin: &Name) -> Result<Name, NameError> {
        Name::parse_bytes(text.as_bytes(), origin)
    }

    /// As [`Name::parse`], for text of any encoding: octets above 127 stand for themselves.
    pub fn parse_bytes(text: &[u8], origin: &Name) -> Result<Name, NameError> {
        match text {
            b"@" => return Ok(origin.clone()),
            b"." => return Ok(Name::root()),
            b"" => return Err(NameError::EmptyLabel),
            _ => {}
        }
        let suffix = if text.ends_with(b".") { 0 } else { origin.0.len() };
        let mut wire = Vec::with_capacity(text.len() + 1 + suffix);
        wire.push(0);
        let mut label = 0;
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            let octet = match byte {
                b'.' => {
                    close_label(&mut wire, label)?;
                    label = wire.len();
                    wire.push(0);
                    continue;
                }
                b'\\' => unescape(&mut rest)?,
                other => other,
            };
            wire.push(octet);
            if wire.len() > 2 * NAME_LEN_MAX {
                return Err(NameError::TooLong);
            }
        }
        if label + 1 == wire.len() {
            // The text ended in a dot: the name is absolute and this empty label is the root.
            return Name::checked(wire);
        }
        close_label(&mut wire, label)?;
        wire.extend_from_slice(&origin.0);
        Name::checked(wire)
    }

    /// Reads an uncompressed name from the start of `bytes`, and tells how many octets it took.
    pub fn from_wire(bytes: &[u8]) -> Result<(Name, usize), NameError> {
        let mut at = 0;
        loop {
            let len = *bytes.get(at).ok_or(NameError::Malformed)? as usize;
            if len > LABEL_LEN_MAX {
                return Err(NameError::Malformed);
            }
            at += 1 + len;
            if at > NAME_LEN_MAX {
                return Err(NameError::TooLong);
            }
            if len == 0 {
                let wire = bytes.get(..at).ok_or(NameError::Malformed)?;
                return Ok((Name(wire.into()), at));
            }
        }
    }

    /// Reads a name at `at` of a whole message, pointers followed (RFC 1035 §4.1.4), and tells where the octets after it
    /// begin. A pointer has to lead back, so that reading ends.
    pub fn from_message(message: &[u8], at: usize) -> Result<(Name, usize), NameError> {
        let octet = |at: usize| message.get(at).copied().ok_or(NameError::Malformed);
        let (mut wire, mut here, mut end) = (Vec::new(), at, None);
        loop {
            let len = octet(here)?;
            if len >= 0xc0 {
                let target = usize::from(len & 0x3f) << 8 | usize::from(octet(here + 1)?);
                end = end.or(Some(here + 2));
                here = if target < here { target } else { return Err(NameError::Malformed) };
                continue;
            }
            if usize::from(len) > LABEL_LEN_MAX {
                return Err(NameError::Malformed);
            }
            let after = here + 1 + usize::from(len);
            wire.extend_from_slice(message.get(here..after).ok_or(NameError::Malformed)?);
            if wire.len() > NAME_LEN_MAX {
                return Err(NameError::TooLong);
            }
            if len == 0 {
                return Ok((Name(wire.into()), end.unwrap_or(after)));
            }
            here = after;
        }
    }

    fn checked(wire: Vec<u8>) -> Result<Name, NameError> {
        if wire.len() > NAME_LEN_MAX { Err(NameError::TooLong) } else { Ok(Name(wire.into())) }
    }

    /// The name in wire format, case as written.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The name in wire format, folded to lower case (RFC 4343).
    pub fn to_folded(&self) -> Box<[u8]> {
        // Length octets are below 64 and so no letters: folding the whole slice is safe.
        self.0.to_ascii_lowercase().into()
    }

    /// The labels from the left, without the root.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator + Clone {
        // Where each label begins, its length octet included.
        let mut starts = [0u8; 128];
        let mut count = 0;
        let mut at = 0;
        while let Some(&len) = self.0.get(at)
            && len > 0
        {
            starts[count] = at as u8;
            count += 1;
            at += 1 + len as usize;
        }
        (0..count).map(move |i| {
            let start = starts[i] as usize;
            &self.0[start + 1..][..self.0[start] as usize]
        })
    }

    /// How many labels it has; the root has none.
    pub fn label_count(&self) -> usize {
        let mut count = 0;
        let mut at = 0;
        while let Some(&len) = self.0.get(at)
            && len > 0
        {
            count += 1;
            at += 1 + usize::from(len);
        }
        count
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// Whether its first label is `*` (RFC 4592 §2.1.1).
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// The name without its first label; none for the root.
    pub fn parent(&self) -> Option<Name> {
        self.split().map(|(_, above)| Name(above.into()))
    }

    /// The first label and what is above it, in wire format; none for the root.
    fn split(&self) -> Option<(&[u8], &[u8])> {
        let len = self.0[0] as usize;
        (len > 0).then(|| self.0[1..].split_at(len))
    }

    /// Whether it is `ancestor` or lies below it.
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        let Some(start) = self.0.len().checked_sub(ancestor.0.len()) else { return false };
        self.0[start..].eq_ignore_ascii_case(&ancestor.0) && self.starts_label(start)
    }

    /// Whether it lies below `ancestor`, and is not it.
    pub fn is_below(&self, ancestor: &Name) -> bool {
        self.0.len() > ancestor.0.len() && self.is_at_or_below(ancestor)
    }

    fn starts_label(&self, offset: usize) -> bool {
        let mut at = 0;
        while at < offset {
            at += 1 + self.0[at] as usize;
        }
        at == offset
    }

    /// The name with `labels`, in wire format without the root, put before it.
    pub fn below(&self, labels: &[u8]) -> Result<Name, NameError> {
        let mut at = 0;
        while let Some(&len) = labels.get(at) {
            if len == 0 || usize::from(len) > LABEL_LEN_MAX {
                return Err(NameError::Malformed);
            }
            at += 1 + usize::from(len);
        }
        if at != labels.len() {
            return Err(NameError::Malformed);
        }
        let mut wire = Vec::with_capacity(labels.len() + self.0.len());
        wire.extend_from_slice(labels);
        wire.extend_from_slice(&self.0);
        Name::checked(wire)
    }

    /// The name with `label` put before it.
    pub fn prepend(&self, label: &[u8]) -> Result<Name, NameError> {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        if label.len() > LABEL_LEN_MAX {
            return Err(NameError::LabelTooLong);
        }
        let mut wire = Vec::with_capacity(1 + label.len() + self.0.len());
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
        wire.extend_from_slice(&self.0);
        Name::checked(wire)
    }
}

fn close_label(wire: &mut [u8], label: usize) -> Result<(), NameError> {
    match wire.len() - label - 1 {
        0 => Err(NameError::EmptyLabel),
        len if len > LABEL_LEN_MAX => Err(NameError::LabelTooLong),
        len => {
            wire[label] = len as u8;
            Ok(())
        }
    }
}

/// What follows a backslash: any character but a digit for itself, or `DDD`, an octet in decimal (RFC 1035 §5.1).
fn unescape(rest: &mut &[u8]) -> Result<u8, NameError> {
    let (&first, after) = rest.split_first().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        *rest = after;
        return Ok(first);
    }
    let digits =
        rest.get(..3).filter(|d| d.iter().all(u8::is_ascii_digit)).ok_or(NameError::BadEscape)?;
    let number = digits.iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
    *rest = &rest[3..];
    u8::try_from(number).map_err(|_| NameError::BadEscape)
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in &self.0 {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    // RFC 4034 §6.1: compare label by label from the right, folded, absent labels first.
    fn cmp(&self, other: &Name) -> Ordering {
        fn compare(a: &[u8], b: &[u8]) -> Ordering {
            // Octets that are equal fold to equal ones: most are passed over without.
            let pairs = a.iter().zip(b).filter(|(a, b)| a != b);
            let folded = |(a, b): (&u8, &u8)| a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
            let differing = pairs.map(folded).find(|order| order.is_ne());
            differing.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        // Siblings, the most compared of all, need no look at the labels that they share.
        if let (Some((a, above_a)), Some((b, above_b))) = (self.split(), other.split())
            && above_a == above_b
        {
            return compare(a, b);
        }
        let mut left = self.labels().rev();
        let mut right = other.labels().rev();
        loop {
            match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
                (Some(a), Some(b)) => return compare(a, b),
            }
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", byte as char)?
                    }
                    0x21..=0x7e => write!(f, "{}", byte as char)?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::LabelTooLong => "a label is longer than 63 octets",
            NameError::TooLong => "the name is longer than 255 octets",
            NameError::EmptyLabel => "an empty label (two dots in a row?)",
            NameError::BadEscape => {
                "a backslash needs a character or three digits up to 255 after it"
            }
            NameError::Malformed => "not a well-formed name",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text, &Name::root()).unwrap()
    }

    #[test]
    fn presentation_reads_what_it_writes() {
        for text in [
            ".",
            "a.",
            "www.example.com.",
            "a\\.b.c.",
            "\\000\\255.x.",
            "*.apps.example.",
            "\\@.a.",
            "a\\\"b.",
        ] {
            assert_eq!(name(text).to_string(), text);
        }
        assert_eq!(name("\\065b.").to_string(), "Ab.");
        let origin = name("example.com.");
        assert_eq!(Name::parse("www", &origin).unwrap().to_string(), "www.example.com.");
        assert_eq!(Name::parse("@", &origin).unwrap(), origin);
        assert_eq!(Name::parse("\\@", &origin).unwrap().to_string(), "\\@.example.com.");
    }

    #[test]
    fn bad_names_say_why() {
        let root = Name::root();
        for (text, why) in [
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            ("..", NameError::EmptyLabel),
            ("a\\", NameError::BadEscape),
            ("a\\25", NameError::BadEscape),
            ("a\\256", NameError::BadEscape),
        ] {
            assert_eq!(Name::parse(text, &root).unwrap_err(), why, "{text}");
        }
        assert_eq!(Name::parse(&"a".repeat(64), &root).unwrap_err(), NameError::LabelTooLong);
        assert!(Name::parse(&"a.".repeat(127), &root).is_ok());
        assert_eq!(Name::parse(&"a.".repeat(128), &root).unwrap_err(), NameError::TooLong);
    }

    // RFC 4034 §6.1, the example of the section.
    #[test]
    fn canonical_order() {
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        let mut names: Vec<Name> = sorted.iter().rev().map(|t| name(t)).collect();
        names.sort();
        assert_eq!(names, sorted.map(name));
    }

    #[test]
    fn ancestry_respects_labels() {
        assert!(name("www.example.com.").is_below(&name("EXAMPLE.com.")));
        assert!(!name("www.badexample.com.").is_at_or_below(&name("example.com.")));
        assert!(name("example.com.").is_at_or_below(&name("example.com.")));
        assert!(name("a.").is_below(&Name::root()));
        // The bytes of an ancestor may stand inside a label without being one.
        assert!(!name("x\\007example.com.").is_at_or_below(&name("example.com.")));
        assert_eq!(name("www.example.com.").parent(), Some(name("example.com.")));
        assert_eq!(Name::root().parent(), None);
    }

    #[test]
    fn wire_is_read_within_its_bounds() {
        assert_eq!(Name::from_wire(b"\x03www\x00rest"), Ok((name("www."), 5)));
        for bad in [&b""[..], b"\x03ww", b"\x03www", b"\xc0\x0c", b"\x40x\x00"] {
            assert_eq!(Name::from_wire(bad), Err(NameError::Malformed));
        }
    }
}
