//! Proofs of absence of a pre-signed zone: NSEC (RFC 4035 §3.1.3) and NSEC3 (RFC 5155 §7.2).
//!
//! Owns: the chains, sorted for binary search, and which records prove what.

use sha1::{Digest as _, Sha1};

use crate::wire::{NAME_LEN_MAX, Name, Rtype, Section, Writer};

use super::parts::{RrsetParts, lay};
use super::suffix::Suffixes;
use super::template::{Anchors, Piece, PieceWriter};

/// Most extra NSEC3 iterations that we are ready to compute for a query. RFC 9276 §3.1 asks for 0; validators give up
/// between 50 and 150. A zone beyond it is served without its proofs.
pub const NSEC3_ITERATIONS_MAX: u16 = 500;

/// Records that one answer needs at most (RFC 5155 §7.2.2: encloser, next closer, wildcard).
const PROOF_COUNT_MAX: usize = 3;

/// Octets of a sort key: every octet of a name may take two.
const KEY_LEN_MAX: usize = 2 * NAME_LEN_MAX;

const SHA1_LEN: usize = 20;

/// What is to be proven of a name. Depths are counts of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The name of `depth` exists without the type; also a zone cut without DS.
    Nodata {
        /// The name.
        depth: usize,
    },
    /// The name does not exist, nor a wildcard that would match.
    Nxdomain {
        /// The closest encloser.
        encloser: usize,
    },
    /// The name does not exist, and so the wildcard answered.
    Wildcard {
        /// The closest encloser.
        encloser: usize,
    },
    /// The name does not exist, and the wildcard does not own the type.
    WildcardNodata {
        /// The closest encloser.
        encloser: usize,
    },
}

/// The chain of a zone.
#[derive(Debug)]
pub struct Denial {
    hashing: Option<Hashing>,
    depth: usize,
    /// Sorted by key.
    entries: Box<[Entry]>,
    arena: Box<[u8]>,
}

#[derive(Debug)]
struct Entry {
    key: Box<[u8]>,
    piece: u32,
}

/// How owners are hashed (RFC 5155 §5); none of it for NSEC.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hashing {
    iterations: u16,
    salt: Box<[u8]>,
}

impl Denial {
    /// Writes the records that prove `absence` into the authority section. False if they do not fit.
    pub fn prove(&self, name: &Suffixes, absence: Absence, writer: &mut Writer<'_>) -> bool {
        let mut proofs = Proofs { pieces: [0; PROOF_COUNT_MAX], count: 0 };
        match &self.hashing {
            None => self.collect_nsec(name, absence, &mut proofs),
            Some(hashing) => self.collect_nsec3(hashing, name, absence, &mut proofs),
        }
        let anchors = Anchors { name, depth: self.depth, is_exact: false };
        proofs.pieces[..proofs.count].iter().all(|&at| {
            let records = self.arena.get(at as usize..).and_then(Piece::read);
            let mut pieces = records.into_iter().chain(records.and_then(|r| r.next()));
            pieces.all(|piece| piece.write(writer, Section::Authority, &anchors))
        })
    }

    fn collect_nsec(&self, name: &Suffixes, absence: Absence, proofs: &mut Proofs) {
        let whole = name.label_count();
        let at_or_before = |depth, wildcard| {
            let mut key = Key::new();
            (self.depth + 1..=depth).for_each(|d| key.push(&name.label(d)[1..]));
            if wildcard {
                key.push(b"*");
            }
            self.entries.partition_point(|e| *e.key <= *key.octets()).checked_sub(1)
        };
        match absence {
            Absence::Nodata { depth } => proofs.add(self, at_or_before(depth, false)),
            Absence::Wildcard { .. } => proofs.add(self, at_or_before(whole, false)),
            Absence::Nxdomain { encloser } | Absence::WildcardNodata { encloser } => {
                proofs.add(self, at_or_before(whole, false));
                proofs.add(self, at_or_before(encloser, true));
            }
        }
    }

    fn collect_nsec3(
        &self,
        hashing: &Hashing,
        name: &Suffixes,
        absence: Absence,
        proofs: &mut Proofs,
    ) {
        let search = |depth: usize, wildcard| {
            let hash = hashing.hash(name.suffix(depth), wildcard);
            self.entries.binary_search_by(|e| (*e.key).cmp(&hash))
        };
        let matching = |depth, wildcard| search(depth, wildcard).ok();
        // The owner before the hash in a ring: before the first stands the last.
        let covering = |depth: usize, wildcard| match search(depth, wildcard) {
            Ok(at) | Err(at) => at.checked_sub(1).or(self.entries.len().checked_sub(1)),
        };
        // RFC 5155 §7.2.1: with opt-out the closest encloser may have no record; take the closest that has one.
        let provable = |depth: usize| {
            (self.depth..=depth).rev().find(|&d| matching(d, false).is_some()).unwrap_or(self.depth)
        };
        match absence {
            Absence::Nodata { depth } => match matching(depth, false) {
                Some(at) => proofs.add(self, Some(at)),
                None => {
                    let encloser = provable(depth);
                    proofs.add(self, matching(encloser, false));
                    proofs.add(self, covering(encloser + 1, false));
                }
            },
            Absence::Nxdomain { encloser } => {
                let encloser = provable(encloser);
                proofs.add(self, matching(encloser, false));
                proofs.add(self, covering(encloser + 1, false));
                proofs.add(self, covering(encloser, true));
            }
            Absence::Wildcard { encloser } => proofs.add(self, covering(encloser + 1, false)),
            Absence::WildcardNodata { encloser } => {
                proofs.add(self, matching(encloser, false));
                proofs.add(self, covering(encloser + 1, false));
                proofs.add(self, matching(encloser, true));
            }
        }
    }
}

/// Which records an answer needs; one that proves two things stands once.
struct Proofs {
    pieces: [u32; PROOF_COUNT_MAX],
    count: usize,
}

impl Proofs {
    fn add(&mut self, denial: &Denial, entry: Option<usize>) {
        let Some(entry) = entry.and_then(|at| denial.entries.get(at)) else { return };
        if self.pieces[..self.count].contains(&entry.piece) {
            return;
        }
        if let Some(slot) = self.pieces.get_mut(self.count) {
            *slot = entry.piece;
            self.count += 1;
        }
    }
}

/// Octets whose plain order is the canonical order of names: labels from the apex down, each ended by a zero; 0 and 1
/// within a label take two octets so that nothing sorts below the end of a label.
struct Key {
    octets: [u8; KEY_LEN_MAX],
    len: usize,
}

impl Key {
    fn new() -> Key {
        Key { octets: [0; KEY_LEN_MAX], len: 0 }
    }

    fn push(&mut self, label: &[u8]) {
        for octet in label.iter().map(u8::to_ascii_lowercase) {
            match octet {
                0 | 1 => [1, octet + 1].iter().for_each(|&o| self.octet(o)),
                _ => self.octet(octet),
            }
        }
        self.octet(0);
    }

    fn octet(&mut self, octet: u8) {
        if let Some(slot) = self.octets.get_mut(self.len) {
            *slot = octet;
            self.len += 1;
        }
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

impl Hashing {
    /// RFC 5155 §5: the salted, iterated SHA-1 of the folded name, or of the wildcard below it.
    fn hash(&self, folded: &[u8], wildcard: bool) -> [u8; SHA1_LEN] {
        let mut sha1 = Sha1::new();
        if wildcard {
            sha1.update(b"\x01*");
        }
        sha1.update(folded);
        sha1.update(&self.salt);
        let mut hash: [u8; SHA1_LEN] = sha1.finalize().into();
        for _ in 0..self.iterations {
            hash = Sha1::new().chain_update(hash).chain_update(&self.salt).finalize().into();
        }
        hash
    }

    /// Reads the hashing of an NSEC3 or NSEC3PARAM record; none for algorithms other than SHA-1.
    fn read(rdata: &[u8]) -> Option<Hashing> {
        let ([algorithm, _, high, low, salt_len], rest) = rdata.split_first_chunk::<5>()?;
        let iterations = u16::from_be_bytes([*high, *low]);
        let salt = rest.get(..usize::from(*salt_len))?.into();
        (*algorithm == 1 && iterations <= NSEC3_ITERATIONS_MAX)
            .then_some(Hashing { iterations, salt })
    }
}

/// Collects a zone's chain while its nodes pass by.
pub struct DenialWriter {
    apex: Name,
    wanted: Option<Hashing>,
    nsec: Vec<Entry>,
    nsec3: Vec<(Hashing, Entry)>,
    arena: Vec<u8>,
}

impl DenialWriter {
    /// Nothing collected yet.
    pub fn new(apex: &Name) -> DenialWriter {
        let (nsec, nsec3) = (Vec::new(), Vec::new());
        DenialWriter { apex: apex.clone(), wanted: None, nsec, nsec3, arena: Vec::new() }
    }

    /// Takes what a node has of the chain.
    pub fn node(&mut self, owner: &Name, rrsets: &[RrsetParts<'_>]) {
        for rrset in rrsets {
            match rrset.rtype {
                Rtype::NSEC3PARAM => {
                    // RFC 5155 §4.1.2: parameters with flags are not for us.
                    let ours = rrset.rdata.iter().filter(|r| r.get(1) == Some(&0));
                    self.wanted = ours.filter_map(|r| Hashing::read(r)).next();
                }
                Rtype::NSEC => {
                    let mut key = Key::new();
                    let above = owner.label_count().saturating_sub(self.apex.label_count());
                    let labels = owner.labels().take(above);
                    labels.rev().for_each(|label| key.push(label));
                    let entry = self.entry(key.octets().into(), owner, rrset);
                    self.nsec.push(entry);
                }
                Rtype::NSEC3 => self.nsec3(owner, rrset),
                _ => {}
            }
        }
    }

    fn nsec3(&mut self, owner: &Name, rrset: &RrsetParts<'_>) {
        let hashing = rrset.rdata.first().and_then(|r| Hashing::read(r));
        let label = owner.labels().next().unwrap_or_default().to_ascii_uppercase();
        let hash = data_encoding::BASE32HEX_NOPAD.decode(&label).ok();
        if let (Some(hashing), Some(hash)) = (hashing, hash) {
            let entry = self.entry(hash.into(), owner, rrset);
            self.nsec3.push((hashing, entry));
        }
    }

    fn entry(&mut self, key: Box<[u8]>, owner: &Name, rrset: &RrsetParts<'_>) -> Entry {
        let piece = self.arena.len() as u32;
        lay(&mut self.arena, rrset, owner, || PieceWriter::spelled(&self.apex));
        Entry { key, piece }
    }

    /// The chain, if the zone has one: NSEC where the apex owns one, else the NSEC3 chain that NSEC3PARAM names
    /// (RFC 5155 §7.1).
    pub fn finish(self) -> Option<Denial> {
        let (hashing, mut entries) = if self.nsec.iter().any(|entry| entry.key.is_empty()) {
            (None, self.nsec)
        } else {
            let wanted = self.wanted?;
            let chain = self.nsec3.into_iter().filter(|(hashing, _)| *hashing == wanted);
            let entries: Vec<Entry> = chain.map(|(_, entry)| entry).collect();
            (Some(wanted), entries)
        };
        if entries.is_empty() {
            return None;
        }
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let depth = self.apex.label_count();
        Some(Denial { hashing, depth, entries: entries.into(), arena: self.arena.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 5155 appendix A: the hashes of its example zone, salt aabbccdd, 12 iterations.
    #[test]
    fn names_hash_as_in_rfc_5155() {
        let hashing = Hashing { iterations: 12, salt: Box::new([0xaa, 0xbb, 0xcc, 0xdd]) };
        let hash = |name: &[u8], wildcard| {
            data_encoding::BASE32HEX_NOPAD.encode(&hashing.hash(name, wildcard)).to_lowercase()
        };
        assert_eq!(hash(b"\x07example\0", false), "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
        assert_eq!(hash(b"\x01a\x07example\0", false), "35mthgpgcu1qg68fab165klnsnk3dpvl");
        assert_eq!(hash(b"\x01w\x07example\0", true), "r53bq7cc2uvmubfu5ocmm6pers9tk9en");
    }

    // RFC 4034 §6.1.
    #[test]
    fn keys_sort_as_names_do() {
        let key = |labels: &[&[u8]]| {
            let mut key = Key::new();
            labels.iter().for_each(|l| key.push(l));
            key.octets().to_vec()
        };
        let sorted: [&[&[u8]]; 8] = [
            &[],
            &[b"a"],
            &[b"a", b"yljkjljk"],
            &[b"a", b"Z"],
            &[b"z"],
            &[b"z", b"\x01"],
            &[b"z", b"*"],
            &[b"z", b"\xc8"],
        ];
        assert!(sorted.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
    }
}
