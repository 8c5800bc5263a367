//! Signatures and the records that they cover (RFC 4034 §3, RFC 4035 §2.2).

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::{Name, Rtype};

use super::super::super::report::Mark;
use super::super::super::rrset::{Rrset, Zone};
use super::super::placed::{Placed, Remarks, is_authoritative};
use super::validity::{Span, Validity};

/// Key tag and algorithm: what a signature names its key by.
type KeyId = (u16, u8);

/// The keys at the apex.
pub struct Keys(BTreeSet<KeyId>);

impl Keys {
    pub fn of(zone: &Zone) -> Keys {
        let keys = zone.rrset(&zone.apex, Rtype::DNSKEY);
        let id = |rdata: &[u8]| Some((key_tag(rdata), *rdata.get(3)?));
        Keys(keys.iter().flat_map(|r| &r.rdata).filter_map(|rdata| id(rdata)).collect())
    }
}

/// RFC 4034 appendix B; algorithm 1 (RSA/MD5) takes two octets from the end of its modulus.
fn key_tag(rdata: &[u8]) -> u16 {
    if rdata.get(3) == Some(&1) {
        let tail = rdata.len().checked_sub(3).and_then(|at| rdata.get(at..at + 2));
        return tail.map_or(0, |octets| octets.iter().fold(0, |n, &o| n << 8 | u16::from(o)));
    }
    let pair = |pair: &[u8]| match *pair {
        [high, low] => u32::from(high) << 8 | u32::from(low),
        [high] => u32::from(high) << 8,
        _ => 0,
    };
    let sum = rdata.chunks(2).map(pair).fold(0u32, u32::wrapping_add);
    (sum.wrapping_add(sum >> 16)) as u16
}

/// The fields of one RRSIG before its signature.
struct Signature {
    covered: Rtype,
    labels: u8,
    original_ttl: u32,
    expiration: u32,
    inception: u32,
    key: KeyId,
    signer: Name,
}

impl Signature {
    fn read(rdata: &[u8]) -> Option<Signature> {
        let (head, rest) = rdata.split_first_chunk::<18>()?;
        let short = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from(short(at)) << 16 | u32::from(short(at + 2));
        Some(Signature {
            covered: Rtype(short(0)),
            labels: head[3],
            original_ttl: long(4),
            expiration: long(8),
            inception: long(12),
            key: (short(16), head[2]),
            signer: Name::from_wire(rest).ok()?.0,
        })
    }
}

/// The signatures of a zone, while it is walked.
pub struct Signatures<'z> {
    zone: &'z Zone,
    keys: Keys,
    is_complete: bool,
    validity: Option<Validity>,
    first: Option<Mark>,
    /// Keys that are not there, with the first signature that they made and how many.
    missing_keys: BTreeMap<KeyId, (Mark, usize)>,
    /// Authoritative RRsets without a signature: told only where there are signatures at all.
    unsigned: Vec<(&'z Name, Rtype, Mark)>,
}

impl<'z> Signatures<'z> {
    pub fn new(zone: &'z Zone, keys: Keys, is_complete: bool) -> Signatures<'z> {
        let (missing_keys, unsigned) = (BTreeMap::new(), Vec::new());
        let (validity, first) = (None, None);
        Signatures { zone, keys, is_complete, validity, first, missing_keys, unsigned }
    }

    /// Looks at a node that nothing hides.
    pub fn look(&mut self, placed: Placed<'z>, is_cut: bool, remarks: &mut Remarks<'_, '_>) {
        let mut covered = Vec::new();
        let signatures = placed.rrsets().find(|(rrset, _)| rrset.rtype == Rtype::RRSIG);
        if let Some((rrset, marks)) = signatures {
            for (rdata, &mark) in rrset.rdata.iter().zip(marks) {
                let Some(signature) = Signature::read(rdata) else { continue };
                self.signature(placed, &signature, mark, remarks);
                covered.push(signature.covered);
            }
        }
        for (rrset, marks) in placed.rrsets() {
            let needed = is_authoritative(rrset.rtype, is_cut);
            if needed && rrset.rtype != Rtype::RRSIG && !covered.contains(&rrset.rtype) {
                let mark = marks.first().map(|&mark| (placed.owner, rrset.rtype, mark));
                self.unsigned.extend(mark);
            }
        }
    }

    fn signature(
        &mut self,
        placed: Placed<'_>,
        signature: &Signature,
        mark: Mark,
        remarks: &mut Remarks<'_, '_>,
    ) {
        self.first.get_or_insert(mark);
        let Placed { owner, node, .. } = placed;
        let covered = signature.covered;
        let span = Span { expiration: signature.expiration, inception: signature.inception };
        match &mut self.validity {
            Some(validity) => validity.add(span, owner, covered, mark),
            none => *none = Some(Validity::new(span, owner, covered, mark)),
        }
        if signature.signer != self.zone.apex {
            let help = "the signer is the apex (RFC 4035 §2.2); sign the zone again";
            remarks.say(mark, "rrsig-signer", help, || {
                format!("the signature of {owner} {covered} is by {}", signature.signer)
            });
        } else if !self.keys.0.contains(&signature.key) {
            self.missing_keys.entry(signature.key).or_insert((mark, 0)).1 += 1;
        }
        let Some(rrset) = node.rrset(covered) else {
            if self.is_complete {
                remarks.say(mark, "rrsig-covers-nothing", "sign the zone again", || {
                    format!("{owner} has a signature of {covered}, and no {covered}")
                });
            }
            return;
        };
        covers(owner, rrset, signature, mark, remarks);
    }

    /// Tells what the zone lacks, and gives how long its signatures hold.
    pub fn tell(self, remarks: &mut Remarks<'_, '_>) -> Option<Validity> {
        let first = self.first?;
        if self.keys.0.is_empty() && self.is_complete {
            let help = "add the DNSKEY records of the signer (RFC 4035 §2.1)";
            remarks.say(first, "dnskey-missing", help, || {
                format!("the zone has signatures, and {} has no DNSKEY", self.zone.apex)
            });
        } else if self.is_complete {
            without_keys(self.missing_keys, remarks);
        }
        for (owner, rtype, mark) in self.unsigned.into_iter().filter(|_| self.is_complete) {
            remarks.say(mark, "rrsig-missing", "sign the zone again (RFC 4035 §2.2)", || {
                format!("{owner} {rtype} has no signature in a signed zone")
            });
        }
        self.validity
    }
}

fn without_keys(missing: BTreeMap<KeyId, (Mark, usize)>, remarks: &mut Remarks<'_, '_>) {
    for ((tag, algorithm), (mark, count)) in missing {
        let help = "publish the key, or sign the zone again (RFC 4035 §2.2)";
        let word = if count == 1 { "signature was" } else { "signatures were" };
        remarks.say(mark, "rrsig-without-key", help, || {
            format!("{count} {word} made by key {tag} of algorithm {algorithm}, which is not at the apex")
        });
    }
}

/// Whether a signature fits what it covers (RFC 4034 §3.1.3, §3.1.4).
fn covers(
    owner: &Name,
    rrset: &Rrset,
    signature: &Signature,
    mark: Mark,
    remarks: &mut Remarks<'_, '_>,
) {
    let (covered, labels) = (rrset.rtype, usize::from(signature.labels));
    let own = owner.label_count() - usize::from(owner.is_wildcard());
    if labels != own {
        remarks.say(mark, "rrsig-labels", "sign the zone again (RFC 4034 §3.1.3)", || {
            format!(
                "the signature of {owner} {covered} counts {labels} labels, and there are {own}"
            )
        });
    }
    let (ttl, signed) = (rrset.ttl.as_secs(), signature.original_ttl);
    if ttl != signed {
        let help = "sign the zone again, or set the TTL back (RFC 4034 §3.1.4)";
        remarks.say(mark, "rrsig-original-ttl", help, || {
            format!("{owner} {covered} has TTL {ttl} and was signed with {signed}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::key_tag;

    // RFC 4034 §5.4: the DS of this key names it 60485; RFC 6605 §6.1: 55648.
    #[test]
    fn keys_are_named_by_their_tag() {
        let rdata = |flags: u16, algorithm: u8, key: &str| {
            let key = data_encoding::BASE64.decode(key.as_bytes()).unwrap();
            [&flags.to_be_bytes()[..], &[3, algorithm], &key].concat()
        };
        let rsa = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAph\
                   XdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
        assert_eq!(key_tag(&rdata(256, 5, rsa)), 60485);
        let ecdsa = "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==";
        assert_eq!(key_tag(&rdata(257, 13, ecdsa)), 55648);
    }
}
