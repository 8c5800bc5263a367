//! The records of a zone as a set, to be compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The RRsets by owner, in wire format and lower case, and type.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Records(BTreeMap<(Vec<u8>, u16), Rrset>);

/// TTL, and rdata in order.
type Rrset = (u32, Vec<Vec<u8>>);

impl Records {
    pub fn insert(&mut self, owner: &[u8], rtype: u16, ttl: u32, rdata: Vec<Vec<u8>>) {
        let rrset = self.0.entry((owner.to_ascii_lowercase(), rtype)).or_insert((ttl, Vec::new()));
        rrset.1.extend(rdata);
        rrset.1.sort();
    }

    /// Reads BIND's raw format, version 1: a header of 24 octets, then RRsets.
    pub fn from_raw(raw: &[u8]) -> Records {
        let mut records = Records::default();
        let mut bytes = Bytes(raw);
        bytes.take(24);
        while !bytes.0.is_empty() {
            let length = bytes.number(4);
            let mut rrset = Bytes(bytes.take(length as usize - 4));
            let _class = rrset.number(2);
            let rtype = rrset.number(2) as u16;
            let _covers = rrset.number(2);
            let ttl = rrset.number(4);
            let count = rrset.number(4);
            let owner = rrset.counted();
            let rdata = (0..count).map(|_| rrset.counted().to_vec()).collect();
            records.insert(owner, rtype, ttl, rdata);
        }
        records
    }

    /// What stands in one of the two only: `+` ours, `-` theirs.
    pub fn difference(&self, theirs: &Records) -> String {
        let mut text = String::new();
        for (sign, these, those) in [('+', self, theirs), ('-', theirs, self)] {
            for (key, (ttl, rdata)) in these.0.iter().filter(|(k, v)| those.0.get(*k) != Some(v)) {
                let owner = String::from_utf8_lossy(&key.0).replace(|c: char| c < ' ', ".");
                writeln!(text, "{sign} {owner} {ttl} TYPE{} {rdata:02x?}", key.1).unwrap();
            }
        }
        text
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self, octets: usize) -> u32 {
        self.take(octets).iter().fold(0, |sum, &octet| sum << 8 | u32::from(octet))
    }

    fn counted(&mut self) -> &'a [u8] {
        let count = self.number(2);
        self.take(count as usize)
    }
}
