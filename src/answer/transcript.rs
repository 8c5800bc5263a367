//! A response read back into records: for `explain`, for the server's questions to itself, for tests. Not the query path.

use crate::number::{PrefixLen, Ttl};
use crate::wire::{ExtendedError, Flags, HEADER_LEN, Name, OptionCode, Rcode, Record, Rtype};

/// A response in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The response code, extended bits included.
    pub rcode: Rcode,
    /// AA.
    pub authoritative: bool,
    /// TC.
    pub truncated: bool,
    /// The scope of the client subnet option.
    pub scope: Option<PrefixLen>,
    /// The extended error.
    pub error: Option<ExtendedError>,
    /// The answer section.
    pub answer: Vec<Record>,
    /// The authority section.
    pub authority: Vec<Record>,
    /// The additional section without OPT.
    pub additional: Vec<Record>,
}

impl Transcript {
    /// Reads a response; none if it is not well-formed.
    pub fn read(message: &[u8]) -> Option<Transcript> {
        let header = message.first_chunk::<HEADER_LEN>()?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let flags = Flags(word(2));
        let mut at = HEADER_LEN;
        for _ in 0..word(4) {
            at = Name::from_message(message, at).ok()?.1 + 4;
        }
        let mut transcript = Transcript {
            rcode: Rcode(flags.0 & 0x0f),
            authoritative: flags.has(Flags::AA),
            truncated: flags.has(Flags::TC),
            scope: None,
            error: None,
            answer: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
        };
        for section in 0..3 {
            for _ in 0..word(6 + 2 * section) {
                let (record, next) = record(message, at)?;
                at = next;
                match section {
                    _ if record.rtype == Rtype::OPT => transcript.take_opt(&record),
                    0 => transcript.answer.push(record),
                    1 => transcript.authority.push(record),
                    _ => transcript.additional.push(record),
                }
            }
        }
        (at == message.len()).then_some(transcript)
    }

    fn take_opt(&mut self, opt: &Record) {
        self.rcode.0 |= (opt.ttl.as_secs() >> 24) as u16 * 16;
        let mut rest = &*opt.rdata;
        while let Some((head, after)) = rest.split_first_chunk::<4>() {
            let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let Some((data, next)) = after.split_at_checked(len) else { return };
            match OptionCode(u16::from_be_bytes([head[0], head[1]])) {
                OptionCode::CLIENT_SUBNET => self.scope = data.get(3).map(|s| PrefixLen(*s)),
                OptionCode::EXTENDED_ERROR => {
                    let code = data.first_chunk().map(|c| u16::from_be_bytes(*c));
                    self.error = code.map(ExtendedError);
                }
                _ => {}
            }
            rest = next;
        }
    }
}

/// The record at `at`, and where the next begins.
fn record(message: &[u8], at: usize) -> Option<(Record, usize)> {
    let (owner, at) = Name::from_message(message, at).ok()?;
    let fixed = message.get(at..)?.first_chunk::<10>()?;
    let rtype = Rtype(u16::from_be_bytes([fixed[0], fixed[1]]));
    let ttl = Ttl::from_secs(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]));
    let start = at + 10;
    let end = start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let rdata = rdata(message, start, end, rtype)?;
    Some((Record { owner, rtype, ttl, rdata }, end))
}

/// Only the types of RFC 1035 have names that may be compressed (RFC 3597 §4).
fn rdata(message: &[u8], start: usize, end: usize, rtype: Rtype) -> Option<Box<[u8]>> {
    let (before, names) = match rtype {
        Rtype::NS | Rtype::CNAME | Rtype::PTR => (0, 1),
        Rtype::MB | Rtype::MG | Rtype::MR | Rtype::MD | Rtype::MF => (0, 1),
        Rtype::SOA | Rtype::MINFO => (0, 2),
        Rtype::MX => (2, 1),
        _ => return Some(message.get(start..end)?.into()),
    };
    let mut octets = message.get(start..start + before)?.to_vec();
    let mut at = start + before;
    for _ in 0..names {
        let (name, after) = Name::from_message(message.get(..end)?, at).ok()?;
        octets.extend_from_slice(name.as_wire());
        at = after;
    }
    octets.extend_from_slice(message.get(at..end)?);
    Some(octets.into())
}
