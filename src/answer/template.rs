//! Pieces: records laid out at load time, ready to copy into any message.
//!
//! A piece is one RRset's records (or a small set of them) in wire format. Names in it point at suffixes of the owner
//! that stand in the message already. Where the owner was asked for by its own name, they stand where they are known to
//! beforehand, and the copy is verbatim; a wildcard or a chain relocates at most [`RELOCATION_COUNT_MAX`] words.
//!
//! ```text
//! u16 records | u8 relocations | u8 kind | u32 octets | relocations × { u16 at, u8 labels } | octets
//! ```

use crate::number::Ttl;
use crate::wire::{Name, Rtype, Section, Writer};

use super::suffix::{QNAME_AT, Suffixes};

/// Most compressed names in one piece; the rest are spelled out. A guess: more save little and cost patching.
pub const RELOCATION_COUNT_MAX: usize = 8;

const HEADER_LEN: usize = 8;
const POINTER: u16 = 0xc000;
/// Pointers reach this far into a message (RFC 1035 §4.1.4).
const POINTER_MAX: u16 = 0x3fff;

/// How owners stand in a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Every record begins with a pointer to the owner.
    Pointed = 0,
    /// Every record spells its owner, down to a pointer to the apex.
    Spelled = 1,
}

/// Lays a piece out. Owned memory, load time only.
pub struct PieceWriter<'a> {
    kind: Kind,
    /// The name whose suffixes names in the piece may point at: the owner, or the apex.
    reference: &'a Name,
    /// Labels of the longest suffix that may be pointed at.
    depth_max: usize,
    records: u16,
    relocations: Vec<Relocation>,
    octets: Vec<u8>,
}

/// A pointer within a piece, and the labels of the suffix that it points at.
struct Relocation {
    at: u16,
    depth: u8,
}

const RELOCATION_LEN: usize = 3;

impl<'a> PieceWriter<'a> {
    /// A piece whose records all belong to `owner`.
    pub fn pointed(owner: &'a Name) -> PieceWriter<'a> {
        // Where a wildcard is the source of synthesis, its first label is not in the message.
        let depth_max = owner.label_count() - usize::from(owner.is_wildcard());
        PieceWriter::new(owner, Kind::Pointed, depth_max)
    }

    /// A piece whose records spell their owners.
    pub fn spelled(apex: &'a Name) -> PieceWriter<'a> {
        PieceWriter::new(apex, Kind::Spelled, apex.label_count())
    }

    fn new(reference: &'a Name, kind: Kind, depth_max: usize) -> PieceWriter<'a> {
        // Room for two addresses, as most RRsets have no more.
        let (relocations, octets) = (Vec::new(), Vec::with_capacity(64));
        PieceWriter { kind, reference, depth_max, records: 0, relocations, octets }
    }

    /// Adds one record. `owner` matters only where owners are spelled.
    pub fn record(&mut self, owner: &Name, rtype: Rtype, ttl: Ttl, rdata: &[u8]) {
        match self.kind {
            Kind::Pointed => self.octets.extend_from_slice(&(POINTER | QNAME_AT).to_be_bytes()),
            // A spelled owner is always relocated: pieces of this kind have few records.
            Kind::Spelled => self.name(owner, usize::from(u8::MAX)),
        }
        self.octets.extend_from_slice(&rtype.0.to_be_bytes());
        self.octets.extend_from_slice(&[0, 1]);
        self.octets.extend_from_slice(&ttl.as_secs().to_be_bytes());
        let length_at = self.octets.len();
        self.octets.extend_from_slice(&[0, 0]);
        self.rdata(rtype, rdata);
        let len = (self.octets.len() - length_at - 2) as u16;
        self.octets[length_at..length_at + 2].copy_from_slice(&len.to_be_bytes());
        // More than a message can count does not fit into one either.
        self.records = self.records.saturating_add(1);
    }

    /// Only the types of RFC 1035 may have their names compressed (RFC 3597 §4).
    fn rdata(&mut self, rtype: Rtype, rdata: &[u8]) {
        let before = match rtype {
            Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::SOA | Rtype::MINFO => 0,
            Rtype::MB | Rtype::MG | Rtype::MR | Rtype::MD | Rtype::MF => 0,
            Rtype::MX => 2,
            _ => return self.octets.extend_from_slice(rdata),
        };
        let names = if [Rtype::SOA, Rtype::MINFO].contains(&rtype) { 2 } else { 1 };
        let mut rest = rdata;
        if let Some((fixed, after)) = rest.split_at_checked(before) {
            self.octets.extend_from_slice(fixed);
            rest = after;
        }
        for _ in 0..names {
            let Ok((name, len)) = Name::from_wire(rest) else { break };
            self.name(&name, RELOCATION_COUNT_MAX);
            rest = &rest[len..];
        }
        self.octets.extend_from_slice(rest);
    }

    /// A name, the longest suffix that it shares with the reference replaced by a pointer, while fewer than `most`
    /// relocations stand.
    fn name(&mut self, name: &Name, most: usize) {
        let has_room = self.relocations.len() < most && self.octets.len() <= usize::from(u16::MAX);
        let shared = name.labels().rev().zip(self.reference.labels().rev());
        let shared = shared.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).take(self.depth_max);
        let depth = shared.count();
        if depth == 0 || !has_room {
            return self.octets.extend_from_slice(name.as_wire());
        }
        let kept = name.as_wire().len() - suffix_len(name, depth);
        self.octets.extend_from_slice(&name.as_wire()[..kept]);
        self.relocations.push(Relocation { at: self.octets.len() as u16, depth: depth as u8 });
        // Right where the reference is the question's own name; relocated elsewhere.
        let above = self.reference.as_wire().len() - suffix_len(self.reference, depth);
        let pointer = POINTER | (QNAME_AT + above as u16);
        self.octets.extend_from_slice(&pointer.to_be_bytes());
    }

    /// Appends the piece to an arena.
    pub fn finish(self, arena: &mut Vec<u8>) {
        arena.extend_from_slice(&self.records.to_le_bytes());
        arena.extend_from_slice(&[self.relocations.len() as u8, self.kind as u8]);
        arena.extend_from_slice(&(self.octets.len() as u32).to_le_bytes());
        for relocation in &self.relocations {
            arena.extend_from_slice(&relocation.at.to_le_bytes());
            arena.push(relocation.depth);
        }
        arena.extend_from_slice(&self.octets);
    }
}

/// A piece where it stands in an arena.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    /// How many records it holds.
    pub records: u16,
    kind: Kind,
    relocations: &'a [u8],
    octets: &'a [u8],
    after: &'a [u8],
}

/// Where the names that a piece points at stand in the message.
#[derive(Clone, Copy)]
pub struct Anchors<'n> {
    /// A name in the message that ends as the owner does.
    pub name: &'n Suffixes,
    /// Labels of the owner.
    pub depth: usize,
    /// Whether the owner is `name` as the zone has it: not a wildcard, not a suffix.
    pub is_exact: bool,
}

impl Anchors<'_> {
    fn owner(&self) -> u16 {
        self.name.at(self.depth)
    }
}

/// Octets of the suffix of `depth` labels, the root's included.
fn suffix_len(name: &Name, depth: usize) -> usize {
    1 + name.labels().rev().take(depth).map(|label| 1 + label.len()).sum::<usize>()
}

impl<'a> Piece<'a> {
    /// The piece at the start of `arena`.
    #[inline]
    pub fn read(arena: &'a [u8]) -> Option<Piece<'a>> {
        let (head, rest) = arena.split_first_chunk::<HEADER_LEN>()?;
        let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (relocations, rest) = rest.split_at_checked(RELOCATION_LEN * usize::from(head[2]))?;
        let (octets, after) = rest.split_at_checked(len)?;
        let kind = if head[3] == 0 { Kind::Pointed } else { Kind::Spelled };
        let records = u16::from_le_bytes([head[0], head[1]]);
        Some(Piece { records, kind, relocations, octets, after })
    }

    /// The piece that follows in the arena.
    pub fn next(&self) -> Option<Piece<'a>> {
        Piece::read(self.after)
    }

    /// The records as laid out, for an owner that is the question's own name.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Copies the records into a section. False, and nothing written, if they do not fit.
    #[inline]
    pub fn write(&self, writer: &mut Writer<'_>, section: Section, anchors: &Anchors<'_>) -> bool {
        let start = writer.len();
        let owner = anchors.owner();
        if owner > POINTER_MAX || !writer.put(self.octets) {
            return false;
        }
        writer.count(section, self.records);
        let is_verbatim = anchors.is_exact && owner == QNAME_AT && self.kind == Kind::Pointed;
        if !is_verbatim {
            self.relocate(writer, start, anchors);
        }
        true
    }

    fn relocate(&self, writer: &mut Writer<'_>, start: usize, anchors: &Anchors<'_>) {
        for relocation in self.relocations.chunks_exact(RELOCATION_LEN) {
            let at = usize::from(u16::from_le_bytes([relocation[0], relocation[1]]));
            writer.patch(start + at, POINTER | anchors.name.at(usize::from(relocation[2])));
        }
        if self.kind == Kind::Pointed {
            relocate_owners(writer, start, self.records, anchors.owner());
        }
    }

    /// Lowers the TTLs of records that were written at `start` and spell their owners.
    pub fn limit_ttl(&self, writer: &mut Writer<'_>, start: usize, max: Ttl) {
        let mut at = start;
        for _ in 0..self.records {
            // Labels, then the root or a pointer; bounded by the octets of a name.
            while let label @ 1..=63 = writer.word_at(at) >> 8 {
                at += 1 + usize::from(label);
            }
            at += if writer.word_at(at) >= POINTER { 2 } else { 1 };
            let ttl = u32::from(writer.word_at(at + 4)) << 16 | u32::from(writer.word_at(at + 6));
            writer.patch_long(at + 4, ttl.min(max.as_secs()));
            at += 10 + usize::from(writer.word_at(at + 8));
        }
    }
}

/// Copies records that begin with a pointer to their owner, as the table of steered answers holds them. False, and
/// nothing written, if they do not fit.
pub fn write_pointed(
    octets: &[u8],
    records: u16,
    writer: &mut Writer<'_>,
    section: Section,
    owner: u16,
) -> bool {
    let start = writer.len();
    if owner > POINTER_MAX || !writer.put(octets) {
        return false;
    }
    if owner != QNAME_AT {
        relocate_owners(writer, start, records, owner);
    }
    writer.count(section, records);
    true
}

/// Every record is a pointer, ten octets up to the rdata's length, and the rdata.
fn relocate_owners(writer: &mut Writer<'_>, start: usize, records: u16, owner: u16) {
    let mut at = start;
    for _ in 0..records {
        writer.patch(at, POINTER | owner);
        at += 12 + usize::from(writer.word_at(at + 10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Seed;

    fn name(text: &str) -> Name {
        Name::parse(text, &Name::root()).unwrap()
    }

    #[test]
    fn a_piece_is_copied_and_its_pointers_follow_the_message() {
        let owner = name("www.a.test.");
        let mut piece = PieceWriter::pointed(&owner);
        piece.record(&owner, Rtype::MX, Ttl::from_secs(60), b"\0\x0a\x04mail\x01a\x04test\0");
        piece.record(&owner, Rtype::MX, Ttl::from_secs(60), b"\0\x14\x01m\x05other\0");
        let mut arena = Vec::new();
        piece.finish(&mut arena);
        arena.extend_from_slice(b"next");
        let piece = Piece::read(&arena).unwrap();
        assert_eq!(piece.records, 2);

        let message = b"\0\0\0\0\0\0\0\0\0\0\0\0\x03www\x01a\x04test\0\x03www\xc0\x10";
        let at = |at| {
            let mut suffixes = Suffixes::new();
            assert!(suffixes.load(message, at, &Seed::new(1)));
            suffixes
        };
        let (question, chained) = (at(12), at(24));
        let mut buffer = [0; 128];
        let mut copy = |name: &Suffixes, is_exact, limit| {
            let mut writer = Writer::new(&mut buffer, limit);
            let anchors = Anchors { name, depth: 3, is_exact };
            let written = piece.write(&mut writer, Section::Answer, &anchors);
            written.then(|| buffer[12..56].to_vec())
        };
        let first = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x09\0\x0a\x04mail\xc0\x10";
        let second = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x0b\0\x14\x01m\x05other\0";
        assert_eq!(copy(&question, true, 128), Some([&first[..], second].concat()));
        let relocated = copy(&chained, true, 128).unwrap();
        // The owner stands at 24, its suffix a.test. still at 16.
        assert_eq!((&relocated[..2], &relocated[21..23]), (&b"\xc0\x18"[..], &b"\xc0\x18"[..]));
        assert_eq!(relocated[19..21], *b"\xc0\x10");
        assert_eq!(copy(&question, true, 40), None);
    }

    #[test]
    fn what_is_not_a_piece_is_none() {
        assert!(Piece::read(b"").is_none());
        assert!(Piece::read(b"\x01\0\0\0\xff\0\0\0abc").is_none());
        assert!(Piece::read(b"\x01\0\x09\0\0\0\0\0abc").is_none());
    }
}
