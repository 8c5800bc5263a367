//! Address hints in SVCB and HTTPS records whose target is routed: they would contradict the steering (RFC 9460 §7.3).

use std::collections::BTreeMap;

use crate::zone::{Name, Rtype, Zone};

const KEY_MANDATORY: u16 = 0; // RFC 9460 §8
const KEY_IPV4HINT: u16 = 4; // RFC 9460 §7.3
const KEY_IPV6HINT: u16 = 6;

/// A record that carries address hints.
pub(super) struct Hinted {
    /// Who owns it.
    pub(super) owner: Name,
    /// SVCB or HTTPS.
    pub(super) rtype: Rtype,
    /// The name whose addresses are hinted at.
    pub(super) target: Name,
    /// The line of its RRset.
    pub(super) line: u32,
}

/// The records of `zone` that carry address hints.
pub(super) fn find(zone: &Zone) -> Vec<Hinted> {
    let mut found = Vec::new();
    for (owner, node) in &zone.nodes {
        for rrset in node.rrsets.iter().filter(|r| is_svcb(r.rtype)) {
            for target in rrset.rdata.iter().filter_map(|rdata| hinted_target(rdata, owner)) {
                found.push(Hinted {
                    owner: owner.clone(),
                    rtype: rrset.rtype,
                    target,
                    line: rrset.line,
                });
            }
        }
    }
    found
}

/// `zone` without the hints of records for which `is_stripped`; none when that changes nothing.
pub(super) fn strip(zone: &Zone, is_stripped: impl Fn(&Name) -> bool) -> Option<Zone> {
    let mut stripped: BTreeMap<Name, _> = BTreeMap::new();
    for (owner, node) in &zone.nodes {
        let mut node = node.clone();
        let mut touched = false;
        for rrset in node.rrsets.iter_mut().filter(|r| is_svcb(r.rtype)) {
            for rdata in &mut rrset.rdata {
                if hinted_target(rdata, owner).is_some_and(|target| is_stripped(&target))
                    && let Some(bare) = without_hints(rdata)
                {
                    *rdata = bare;
                    touched = true;
                }
            }
            // Records that differed in nothing but their hints are one now (RFC 2181 §5).
            if touched {
                let mut seen = std::collections::HashSet::new();
                rrset.rdata.retain(|rdata| seen.insert(rdata.clone()));
            }
        }
        if touched {
            stripped.insert(owner.clone(), node);
        }
    }
    if stripped.is_empty() {
        return None;
    }
    let mut copy = zone.clone();
    copy.nodes.extend(stripped);
    Some(copy)
}

fn is_svcb(rtype: Rtype) -> bool {
    rtype == Rtype::SVCB || rtype == Rtype::HTTPS
}

/// The target of a record with hints; `.` stands for the owner (RFC 9460 §2.5.2).
fn hinted_target(rdata: &[u8], owner: &Name) -> Option<Name> {
    let (target, params) = split(rdata)?;
    let has_hint = params.iter().any(|(key, _)| [KEY_IPV4HINT, KEY_IPV6HINT].contains(key));
    has_hint.then(|| if target.is_root() { owner.clone() } else { target })
}

fn split(rdata: &[u8]) -> Option<(Name, Vec<(u16, &[u8])>)> {
    let (target, len) = Name::from_wire(rdata.get(2..)?).ok()?;
    let mut params = Vec::new();
    let mut rest = rdata.get(2 + len..)?;
    while !rest.is_empty() {
        let (key, after) = rest.split_at_checked(2)?;
        let (len, after) = after.split_at_checked(2)?;
        let len = u16::from_be_bytes(len.try_into().ok()?);
        let (value, after) = after.split_at_checked(usize::from(len))?;
        params.push((u16::from_be_bytes(key.try_into().ok()?), value));
        rest = after;
    }
    Some((target, params))
}

fn without_hints(rdata: &[u8]) -> Option<Box<[u8]>> {
    let is_hint = |key: u16| [KEY_IPV4HINT, KEY_IPV6HINT].contains(&key);
    let (target, params) = split(rdata)?;
    let mut bare = rdata.get(..2)?.to_vec();
    bare.extend_from_slice(target.as_wire());
    for (key, value) in params.into_iter().filter(|&(key, _)| !is_hint(key)) {
        let mut value = value.to_vec();
        if key == KEY_MANDATORY {
            // RFC 9460 §8: a mandatory key that is missing makes the record malformed.
            let keys = value.chunks_exact(2).filter(|k| !is_hint(u16::from_be_bytes([k[0], k[1]])));
            value = keys.flatten().copied().collect();
            if value.is_empty() {
                continue;
            }
        }
        bare.extend_from_slice(&key.to_be_bytes());
        bare.extend_from_slice(&u16::try_from(value.len()).ok()?.to_be_bytes());
        bare.extend_from_slice(&value);
    }
    Some(bare.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Ttl;
    use crate::zone::{Node, Rrset};

    #[test]
    fn hints_of_a_routed_target_are_left_out() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        // 1 . mandatory=alpn,ipv4hint alpn=h2 ipv4hint=192.0.2.1
        let with = b"\0\x01\0\0\0\0\x04\0\x01\0\x04\0\x01\0\x03\x02h2\0\x04\0\x04\xc0\0\x02\x01";
        let without = b"\0\x01\0\0\0\0\x02\0\x01\0\x01\0\x03\x02h2";
        let rrset = Rrset {
            rtype: Rtype::HTTPS,
            ttl: Ttl::from_secs(60),
            rdata: vec![with[..].into(), b"\0\x01\x01x\0".as_slice().into()],
            line: 7,
        };
        let nodes = BTreeMap::from([(name("www.a."), Node { rrsets: vec![rrset] })]);
        let zone = Zone { apex: name("a."), path: "zones/a.zone".into(), nodes };
        let found = find(&zone);
        assert_eq!((found.len(), &found[0].target), (1, &name("www.a.")));
        assert!(strip(&zone, |target| *target == name("x.")).is_none());
        let bare = strip(&zone, |target| *target == name("www.a.")).unwrap();
        let rdata = &bare.rrset(&name("www.a."), Rtype::HTTPS).unwrap().rdata;
        assert_eq!(&*rdata[0], without);
        assert_eq!(rdata.len(), 2);
    }
}
