//! One pass over a request: bytes into a query, a response code, or silence.
//!
//! Reads through checked slices only, allocates nothing, and stops at the first thing that is wrong.

use super::codes::{Class, Opcode, Rcode, Rtype};
use super::edns::{Cookie, Edns, EdnsError};
use super::name::NAME_LEN_MAX;

/// Octets of a message header (RFC 1035 §4.1.1).
pub const HEADER_LEN: usize = 12;

/// The second word of a header (RFC 1035 §4.1.1, RFC 4035 §3.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// This message is a response.
    pub const QR: u16 = 0x8000;
    /// The answer is authoritative.
    pub const AA: u16 = 0x0400;
    /// The message was truncated.
    pub const TC: u16 = 0x0200;
    /// Recursion is desired.
    pub const RD: u16 = 0x0100;
    /// Checking is disabled.
    pub const CD: u16 = 0x0010;

    /// The opcode.
    pub const fn opcode(self) -> Opcode {
        Opcode((self.0 >> 11) as u8 & 0x0f)
    }

    /// Whether all bits of `mask` are set.
    pub const fn has(self, mask: u16) -> bool {
        self.0 & mask == mask
    }

    /// What a response keeps of a request's flags: QR set, opcode and RD copied, and for a standard query CD
    /// (RFC 4035 §3.1.6).
    pub const fn of_response(self) -> Flags {
        let copied = if self.opcode().0 == 0 { Flags::RD | Flags::CD } else { Flags::RD };
        Flags(Flags::QR | self.0 & (0x7800 | copied))
    }
}

/// A well-formed query with one question.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The transaction id.
    pub id: [u8; 2],
    /// The flags as they came.
    pub flags: Flags,
    /// The question section as it came.
    pub question: &'a [u8],
    /// The name asked for: uncompressed, case as it came.
    pub qname: &'a [u8],
    /// The type asked for.
    pub qtype: Rtype,
    /// The class asked for.
    pub qclass: Class,
    /// EDNS, if the query has an OPT record.
    pub edns: Option<Edns<'a>>,
}

/// A query without a question: its sender is after a server cookie (RFC 7873 §5.4).
#[derive(Clone, Copy, Debug)]
pub struct CookieQuery<'a> {
    /// The transaction id.
    pub id: [u8; 2],
    /// The flags as they came.
    pub flags: Flags,
    /// EDNS.
    pub edns: Edns<'a>,
    /// The cookie that `edns` holds.
    pub cookie: Cookie<'a>,
}

/// A request that gets a response code and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Rejected<'a> {
    /// The transaction id.
    pub id: [u8; 2],
    /// The flags as they came.
    pub flags: Flags,
    /// The question section as it came, if it is sound: echoed.
    pub question: &'a [u8],
    /// Why.
    pub rcode: Rcode,
    /// Whether the request had EDNS, and so the response has.
    pub has_edns: bool,
}

/// What a request is.
#[derive(Clone, Copy, Debug)]
pub enum Parsed<'a> {
    /// A query to be answered.
    Query(Query<'a>),
    /// A query for a cookie and nothing else.
    Cookie(CookieQuery<'a>),
    /// A request to be refused with a response code.
    Rejected(Rejected<'a>),
    /// Not to be answered: too short to have an id, or itself a response.
    Silence,
}

/// Reads one request. The whole message must be consumed: trailing octets are a format error.
pub fn parse_query(request: &[u8]) -> Parsed<'_> {
    let Some((header, body)) = request.split_at_checked(HEADER_LEN) else { return Parsed::Silence };
    let word = |i: usize| u16::from_be_bytes([header[i], header[i + 1]]);
    let id = [header[0], header[1]];
    let flags = Flags(word(2));
    if flags.has(Flags::QR) {
        return Parsed::Silence;
    }
    let reject = |question, rcode, has_edns| {
        Parsed::Rejected(Rejected { id, flags, question, rcode, has_edns })
    };
    if flags.opcode() != Opcode::QUERY {
        return reject(&[], Rcode::NOTIMP, false);
    }
    let mut cursor = Cursor { rest: body };
    // RFC 9619 §4: a query has one question at most; without one it needs a cookie to make sense.
    let asked = match word(4) {
        0 => Some(None),
        1 => cursor.question().map(Some),
        _ => None,
    };
    let Some(asked) = asked else { return reject(&[], Rcode::FORMERR, false) };
    let question = &body[..body.len() - cursor.rest.len()];
    match cursor.records([word(6), word(8), word(10)]) {
        Err(EdnsError::Malformed) => reject(question, Rcode::FORMERR, false),
        Err(EdnsError::BadOption) => reject(question, Rcode::FORMERR, true),
        // RFC 6891 §6.1.3: an unknown version is told apart from everything else that may be wrong.
        Err(EdnsError::BadVersion) => reject(question, Rcode::BADVERS, true),
        Ok(edns) => match (asked, edns, edns.and_then(|e| e.cookie)) {
            (Some((qname, qtype, qclass)), edns, _) => {
                Parsed::Query(Query { id, flags, question, qname, qtype, qclass, edns })
            }
            (None, Some(edns), Some(cookie)) => {
                Parsed::Cookie(CookieQuery { id, flags, edns, cookie })
            }
            (None, edns, _) => reject(&[], Rcode::FORMERR, edns.is_some()),
        },
    }
}

/// Reads forward through untrusted octets; nothing it does can panic.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    fn question(&mut self) -> Option<(&'a [u8], Rtype, Class)> {
        let name = self.uncompressed_name()?;
        Some((name, Rtype(self.word()?), Class(self.word()?)))
    }

    /// A name in a question has nothing before it that it could point to.
    fn uncompressed_name(&mut self) -> Option<&'a [u8]> {
        let mut len = 0;
        loop {
            let label = *self.rest.get(len)? as usize;
            len += 1 + label;
            if label > 63 || len > NAME_LEN_MAX {
                return None;
            }
            if label == 0 {
                return self.take(len);
            }
        }
    }

    /// Skips the owner of a record: labels, then the root or a pointer. Where a pointer leads does not matter here.
    fn skip_owner(&mut self) -> Option<()> {
        let mut octets = 0;
        loop {
            match *self.take(1)?.first()? {
                0 => return Some(()),
                label @ 1..=63 => {
                    octets += 1 + label as usize;
                    self.take(label as usize)?;
                    if octets >= NAME_LEN_MAX {
                        return None;
                    }
                }
                192.. => return self.take(1).map(|_| ()),
                _ => return None,
            }
        }
    }

    /// Walks answer, authority and additional for the one OPT record that may be there (RFC 6891 §6.1.1).
    /// Bounded by the octets left: a record takes eleven at least.
    fn records(&mut self, counts: [u16; 3]) -> Result<Option<Edns<'a>>, EdnsError> {
        let mut edns = None;
        for (section, count) in counts.into_iter().enumerate() {
            for _ in 0..count {
                let has_root_owner = self.rest.first() == Some(&0);
                let (rtype, fixed, rdata) = self.record().ok_or(EdnsError::Malformed)?;
                if rtype != Rtype::OPT {
                    continue;
                }
                if section != 2 || !has_root_owner || edns.is_some() {
                    return Err(EdnsError::BadOption);
                }
                edns = Some((fixed, rdata));
            }
        }
        if !self.rest.is_empty() {
            return Err(EdnsError::Malformed);
        }
        edns.map(|(fixed, rdata)| Edns::parse(fixed, rdata)).transpose()
    }

    /// Type, the six octets of class and TTL, rdata.
    fn record(&mut self) -> Option<(Rtype, [u8; 6], &'a [u8])> {
        self.skip_owner()?;
        let rtype = Rtype(self.word()?);
        let fixed = self.take(6)?.try_into().ok()?;
        let len = self.word()?;
        Some((rtype, fixed, self.take(len as usize)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 12] = [0xab, 0xcd, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    fn with(head: impl FnOnce(&mut [u8; 12]), body: &[u8]) -> Vec<u8> {
        let mut header = HEAD;
        head(&mut header);
        [&header[..], body].concat()
    }

    fn rcode(request: &[u8]) -> Option<Rcode> {
        match parse_query(request) {
            Parsed::Query(_) | Parsed::Cookie(_) => Some(Rcode::NOERROR),
            Parsed::Rejected(rejected) => Some(rejected.rcode),
            Parsed::Silence => None,
        }
    }

    const QUESTION: &[u8] = b"\x03wWw\x01a\x00\x00\x01\x00\x01";
    const OPT: &[u8] = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";

    #[test]
    fn a_query_is_read_as_it_came() {
        let request = with(|h| h[11] = 1, &[QUESTION, OPT].concat());
        let Parsed::Query(query) = parse_query(&request) else { panic!() };
        assert_eq!(query.id, [0xab, 0xcd]);
        assert_eq!(query.qname, b"\x03wWw\x01a\x00");
        assert_eq!((query.qtype, query.qclass), (Rtype::A, Class::IN));
        assert_eq!(query.edns.map(|e| e.payload), Some(1232));
        assert_eq!(query.flags.of_response().0, Flags::QR | Flags::RD);
    }

    #[test]
    fn requests_that_get_no_answer_or_only_a_code() {
        assert_eq!(rcode(&HEAD[..11]), None);
        assert_eq!(rcode(&with(|h| h[2] = 0x80, QUESTION)), None);
        assert_eq!(rcode(&with(|h| h[2] = 0x28, QUESTION)), Some(Rcode::NOTIMP));
        assert_eq!(rcode(&with(|h| h[5] = 0, b"")), Some(Rcode::FORMERR));
        assert_eq!(
            rcode(&with(|h| h[5] = 2, &[QUESTION, QUESTION].concat())),
            Some(Rcode::FORMERR)
        );
        assert_eq!(rcode(&with(|_| (), b"\xc0\x0c\x00\x01\x00\x01")), Some(Rcode::FORMERR));
        assert_eq!(rcode(&with(|_| (), &QUESTION[..7])), Some(Rcode::FORMERR));
        assert_eq!(rcode(&with(|_| (), &[QUESTION, b"x"].concat())), Some(Rcode::FORMERR));
        assert_eq!(rcode(&with(|h| h[11] = 1, QUESTION)), Some(Rcode::FORMERR));
    }

    // RFC 7873 §5.4.
    #[test]
    fn a_query_without_a_question_needs_a_cookie() {
        let without = |options: &[u8]| {
            let opt = [&OPT[..10], &[options.len() as u8], options].concat();
            let head = |h: &mut [u8; 12]| (h[5], h[11]) = (0, 1);
            with(head, &opt)
        };
        let request = without(b"\0\x0a\0\x0812345678");
        let Parsed::Cookie(query) = parse_query(&request) else { panic!() };
        assert_eq!((query.id, query.cookie.client), ([0xab, 0xcd], *b"12345678"));
        for fault in [&b""[..], b"\0\x03\0\0", b"\0\x0a\0\x071234567"] {
            let request = without(fault);
            let Parsed::Rejected(rejected) = parse_query(&request) else { panic!("{fault:?}") };
            assert_eq!((rejected.rcode, rejected.has_edns), (Rcode::FORMERR, true));
        }
        assert_eq!(rcode(&[&request[..], b"x"].concat()), Some(Rcode::FORMERR));
    }

    // RFC 6891 §6.1.1: more than one OPT record, or one with an owner other than the root, is a format error.
    #[test]
    fn a_second_or_misplaced_opt_is_malformed() {
        assert_eq!(
            rcode(&with(|h| h[11] = 2, &[QUESTION, OPT, OPT].concat())),
            Some(Rcode::FORMERR)
        );
        assert_eq!(rcode(&with(|h| h[7] = 1, &[QUESTION, OPT].concat())), Some(Rcode::FORMERR));
        let named = [QUESTION, b"\x01x", OPT].concat();
        assert_eq!(rcode(&with(|h| h[11] = 1, &named)), Some(Rcode::FORMERR));
    }

    #[test]
    fn names_end_within_255_octets() {
        let label = [&[63u8][..], &[b'a'; 63]].concat();
        let fits = [&label[..], &label, &label, &[61], &[b'a'; 61], &[0, 0, 1, 0, 1]].concat();
        let over = [&label[..], &label, &label, &[62], &[b'a'; 62], &[0, 0, 1, 0, 1]].concat();
        assert_eq!(rcode(&with(|_| (), &fits)), Some(Rcode::NOERROR));
        assert_eq!(rcode(&with(|_| (), &over)), Some(Rcode::FORMERR));
    }
}
