//! Subjects: what a report or an override speaks of, and the endpoints they cover.

use std::fmt;
use std::net::IpAddr;

/// The longest part of a subject, in octets: that of a host name (RFC 1035 §2.3.4).
const PART_OCTETS_MAX: usize = 255;

/// The longest label of a host name, in octets (RFC 1035 §2.3.4).
const LABEL_OCTETS_MAX: usize = 63;

/// An endpoint in a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The region's name.
    pub region: Box<str>,
    /// The pool's name.
    pub pool: Box<str>,
    /// An IP address in its canonical text, or a host name in lower case with a trailing dot.
    pub address: Box<str>,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.region, self.pool, self.address)
    }
}

/// `region/pool/address`; a part that is none matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The region's name.
    pub region: Option<Box<str>>,
    /// The pool's name.
    pub pool: Option<Box<str>>,
    /// The endpoint's address, or its host name.
    pub address: Option<Box<str>>,
}

/// Why a text is not a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectError(pub &'static str);

impl Subject {
    /// Reads `region/pool/address`: any part may be `*`, trailing parts may be omitted; a bare address or host name
    /// (with a dot or a colon in it) means it in every pool; `*` alone means everything. IP addresses are made
    /// canonical, host names lower case. A `*` within a part stands for any octets: `eu-*`, `*/web/192.0.2.*`.
    pub fn parse(text: &str) -> Result<Subject, SubjectError> {
        let mut parts = text.split('/');
        let first = parts.next().unwrap_or_default();
        let (second, third) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return Err(SubjectError("a subject has at most three parts: region/pool/address"));
        }
        if second.is_none() && first.contains(['.', ':']) {
            return Ok(Subject { address: Some(parse_address(first)?), ..Subject::default() });
        }
        Ok(Subject {
            region: parse_part(first, parse_name)?,
            pool: parse_part(second.unwrap_or("*"), parse_name)?,
            address: parse_part(third.unwrap_or("*"), parse_address)?,
        })
    }

    /// The subject that covers `member` and nothing else.
    pub fn of(member: &Member) -> Subject {
        Subject {
            region: Some(member.region.clone()),
            pool: Some(member.pool.clone()),
            address: Some(member.address.clone()),
        }
    }

    /// Whether it speaks of `member`.
    pub fn covers(&self, member: &Member) -> bool {
        let part = |pattern: &Option<Box<str>>, text: &str| {
            pattern.as_deref().is_none_or(|p| fits(p, text))
        };
        part(&self.region, &member.region)
            && part(&self.pool, &member.pool)
            && part(&self.address, &member.address)
    }

    /// Whether all that `other` could ever cover, this covers too. A `*` of `other` is met by a `*` of ours alone, for no
    /// name holds one.
    pub fn includes(&self, other: &Subject) -> bool {
        let part = |ours: &Option<Box<str>>, theirs: &Option<Box<str>>| {
            ours.as_deref().is_none_or(|p| fits(p, theirs.as_deref().unwrap_or("*")))
        };
        part(&self.region, &other.region)
            && part(&self.pool, &other.pool)
            && part(&self.address, &other.address)
    }

    /// Whether a part of it is a pattern such as `eu-*`.
    pub fn is_pattern(&self) -> bool {
        let parts = [&self.region, &self.pool, &self.address];
        parts.into_iter().flatten().any(|part| part.contains('*'))
    }

    /// The one member that it can cover, where it names all three parts.
    pub fn exact(&self) -> Option<Member> {
        if self.is_pattern() {
            return None;
        }
        Some(Member {
            region: self.region.clone()?,
            pool: self.pool.clone()?,
            address: self.address.clone()?,
        })
    }

    /// Whether it is as `parse` would have made it.
    pub fn is_canonical(&self) -> bool {
        Subject::parse(&self.to_string()).as_ref() == Ok(self)
    }

    /// How closely it names what it speaks of: an endpoint 3, a pool 2, a region 1, everything 0.
    pub(super) fn closeness(&self) -> u8 {
        match (&self.address, &self.pool, &self.region) {
            (Some(_), _, _) => 3,
            (None, Some(_), _) => 2,
            (None, None, Some(_)) => 1,
            (None, None, None) => 0,
        }
    }
}

/// Whether `text` fits `pattern`, in which a `*` stands for any octets, none too. Takes time in proportion to the product
/// of the two lengths at most, which parts bound.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let Some((middle, tail)) = rest.rsplit_once('*') else { return text.ends_with(rest) };
    // The first place for each piece leaves the most for the others.
    for piece in middle.split('*') {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    text.ends_with(tail)
}

fn parse_part(
    text: &str,
    parse: fn(&str) -> Result<Box<str>, SubjectError>,
) -> Result<Option<Box<str>>, SubjectError> {
    if text == "*" { Ok(None) } else { parse(text).map(Some) }
}

/// Reads the name of a region or a pool.
fn parse_name(text: &str) -> Result<Box<str>, SubjectError> {
    if text.is_empty() {
        return Err(SubjectError("a part is empty; write * for any"));
    }
    if text.len() > PART_OCTETS_MAX {
        return Err(SubjectError("a part is longer than 255 octets"));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
    if !text.bytes().all(allowed) {
        return Err(SubjectError(
            "a region or pool is named with letters, digits, - _ and .; * stands for any of them",
        ));
    }
    Ok(text.into())
}

/// Reads a pattern of addresses or host names: lower case, and with a trailing dot where it ends like a host name.
fn parse_pattern(text: &str) -> Result<Box<str>, SubjectError> {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'*');
    if text.len() > PART_OCTETS_MAX {
        return Err(SubjectError("a part is longer than 255 octets"));
    }
    if !text.bytes().all(allowed) {
        return Err(SubjectError("neither an address nor a host name, nor a pattern of them"));
    }
    let last = text.rsplit('.').next().unwrap_or_default();
    let ends_like_a_name = !last.is_empty()
        && !last.contains('*')
        && !last.bytes().all(|b| b.is_ascii_digit())
        && !text.contains(':');
    let dot = if ends_like_a_name { "." } else { "" };
    Ok(format!("{}{dot}", text.to_ascii_lowercase()).into())
}

/// Reads an IP address or a host name into the form that `Member` has.
fn parse_address(text: &str) -> Result<Box<str>, SubjectError> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(ip.to_string().into());
    }
    if text.contains('*') {
        return parse_pattern(text);
    }
    if text.contains(':') {
        return Err(SubjectError("not an IPv6 address"));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() {
        return Err(SubjectError("the address is empty; write * for any"));
    }
    if name.len() + 1 > PART_OCTETS_MAX {
        return Err(SubjectError("a part is longer than 255 octets"));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let label = |l: &str| (1..=LABEL_OCTETS_MAX).contains(&l.len()) && l.bytes().all(allowed);
    if !name.split('.').all(label) {
        return Err(SubjectError("neither an IP address nor a host name"));
    }
    // A last label of digits only is a mistyped IPv4 address: no top-level domain is one (RFC 3696 §2).
    if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err(SubjectError("not an IPv4 address"));
    }
    Ok(format!("{}.", name.to_ascii_lowercase()).into())
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |p: &Option<Box<str>>| p.as_deref().unwrap_or("*").to_owned();
        write!(f, "{}/{}/{}", part(&self.region), part(&self.pool), part(&self.address))
    }
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Subject;

    #[test]
    fn subjects_read_as_written() {
        let cases = [
            ("*", "*/*/*"),
            ("fra", "fra/*/*"),
            ("fra/web", "fra/web/*"),
            ("*/web", "*/web/*"),
            ("fra/web/192.0.2.10", "fra/web/192.0.2.10"),
            ("fra/*/192.0.2.10", "fra/*/192.0.2.10"),
            ("192.0.2.10", "*/*/192.0.2.10"),
            ("2001:DB8:0::10", "*/*/2001:db8::10"),
            ("fra/web/2001:db8::0010", "fra/web/2001:db8::10"),
            ("LB.Example.NET", "*/*/lb.example.net."),
            ("lb.example.net.", "*/*/lb.example.net."),
            ("fra/web/lb", "fra/web/lb."),
            ("eu-*", "eu-*/*/*"),
            ("*/web-*/192.0.2.*", "*/web-*/192.0.2.*"),
            ("*.Example.NET", "*/*/*.example.net."),
            ("2001:DB8:*", "*/*/2001:db8:*"),
        ];
        for (text, expected) in cases {
            assert_eq!(Subject::parse(text).map(|s| s.to_string()), Ok(expected.into()), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_subject_is_refused() {
        let long = "a".repeat(256);
        let cases = [
            "",
            "/",
            "fra/",
            "fra//192.0.2.1",
            "fra/web/192.0.2.1/x",
            "fr a",
            "fra/web/::g",
            "192.0.2.256",
            "fra/web/-.",
            "..",
            "fra/web/a..b",
            "[::1]",
            "fe80::1%eth0",
            "fr\u{e4}",
            "fra\n",
            &long,
        ];
        for text in cases {
            let parsed = Subject::parse(text);
            // A hyphen alone is a label to DNS, so `-.` is a name; nothing else here is a subject.
            assert!(parsed.is_err() || text == "fra/web/-.", "{text}: {parsed:?}");
        }
    }

    #[test]
    fn a_pattern_covers_what_fits_it() {
        let member = |region: &str, pool: &str, address: &str| super::Member {
            region: region.into(),
            pool: pool.into(),
            address: address.into(),
        };
        let router = member("eu-fra", "web", "192.0.2.10");
        let balancer = member("us", "api", "lb1.fra.example.net.");
        for (pattern, covers) in [
            ("eu-*", [true, false]),
            ("*-fra", [true, false]),
            ("e*f*a", [true, false]),
            ("e*a*f", [false, false]),
            ("eu-fra*", [true, false]),
            ("eu-fra*a", [false, false]),
            ("u*", [false, true]),
            ("*/*p*", [false, true]),
            ("192.0.2.*", [true, false]),
            ("192.0.2.1*0", [true, false]),
            ("192.0.2.10*0", [false, false]),
            ("*.example.net", [false, true]),
            ("lb*.fra.example.net.", [false, true]),
        ] {
            let subject = Subject::parse(pattern).unwrap();
            assert_eq!([&router, &balancer].map(|m| subject.covers(m)), covers, "{pattern}");
            assert!(subject.is_pattern() && subject.exact().is_none());
        }
    }

    #[test]
    fn a_pattern_includes_what_it_covers_wholly() {
        for (wide, narrow, expected) in [
            ("*", "eu-fra/web/192.0.2.1", true),
            ("eu-*", "eu-fra", true),
            ("eu-*", "eu-f*/web", true),
            ("eu-*", "eu-*", true),
            ("eu-*", "e*", false),
            ("eu-*", "*", false),
            ("eu-fra", "*/web", false),
            ("eu-fra/web", "eu-fra", false),
            ("*/web", "eu-fra/web/*", true),
            ("eu-*-a", "eu-x*-a", true),
            ("eu-*-a", "eu-x*", false),
            ("192.0.2.*", "*/*/192.0.2.9", true),
            ("192.0.2.*", "fra/web", false),
        ] {
            let read = |text| Subject::parse(text).unwrap();
            assert_eq!(read(wide).includes(&read(narrow)), expected, "{wide} over {narrow}");
        }
    }

    proptest! {
        #[test]
        fn what_is_included_is_covered(
            wide in "[ab*]{1,4}", narrow in "[ab*]{1,4}", name in "[ab]{1,4}",
        ) {
            let (wide, narrow) = (Subject::parse(&wide).unwrap(), Subject::parse(&narrow).unwrap());
            let member = super::Member { region: name.into(), pool: "p".into(), address: "x.".into() };
            prop_assert!(!wide.includes(&narrow) || !narrow.covers(&member) || wide.covers(&member));
        }

        #[test]
        fn what_is_read_of_any_text_is_canonical(text in "[a-zA-Z0-9.:/*_-]{0,40}") {
            if let Ok(subject) = Subject::parse(&text) {
                prop_assert!(subject.is_canonical());
            }
        }
    }
}
