//! Address hints in SVCB and HTTPS records whose target is routed: they would contradict the steering (RFC 9460 §7.3).

use crate::zone::{Name, Rtype, Zone};

const KEY_MANDATORY: u16 = 0; // RFC 9460 §8
const KEY_IPV4HINT: u16 = 4; // RFC 9460 §7.3
const KEY_IPV6HINT: u16 = 6;

/// A record that carries address hints.
#[derive(Clone)]
pub(super) struct Hinted {
    /// Who owns it.
    pub(super) owner: Name,
    /// The name whose addresses are hinted at.
    pub(super) target: Name,
    /// The line of its RRset.
    pub(super) line: u32,
}

/// The records of `zone` that carry address hints, and how many records it has: one walk, for a large zone is out of the
/// caches when it ends.
pub(super) fn find(zone: &Zone) -> (Vec<Hinted>, usize) {
    let (mut found, mut record_count) = (Vec::new(), 0);
    for (owner, node) in &zone.nodes {
        record_count += node.rrsets.iter().map(|r| r.rdata.len()).sum::<usize>();
        for rrset in node.rrsets.iter().filter(|r| may_stand_in(r.rtype)) {
            for target in rrset.rdata.iter().filter_map(|rdata| hinted_target(rdata, owner)) {
                found.push(Hinted { owner: owner.clone(), target, line: rrset.line });
            }
        }
    }
    (found, record_count)
}

/// Whether records of `rtype` may carry address hints.
pub(super) fn may_stand_in(rtype: Rtype) -> bool {
    rtype == Rtype::SVCB || rtype == Rtype::HTTPS
}

/// Rdata without its address hints, if its target is routed: else none.
pub(super) fn strip(
    owner: &Name,
    rdata: &[u8],
    is_routed: &dyn Fn(&Name) -> bool,
) -> Option<Box<[u8]>> {
    let (target, params) = split(rdata)?;
    // RFC 9460 §2.2: priority, target, then parameters.
    let mut kept = rdata.get(..2 + target.as_wire().len())?.to_vec();
    if !is_routed(if target.is_root() { owner } else { &target }) {
        return None;
    }
    for (key, value) in params.into_iter().filter(|(key, _)| !is_hint(*key)) {
        let value = if key == KEY_MANDATORY { present(value) } else { value.to_vec() };
        if key == KEY_MANDATORY && value.is_empty() {
            continue;
        }
        kept.extend_from_slice(&key.to_be_bytes());
        // It is no longer than it was.
        kept.extend_from_slice(&(value.len() as u16).to_be_bytes());
        kept.extend_from_slice(&value);
    }
    Some(kept.into())
}

/// The keys of a `mandatory` that are left without hints. RFC 9460 §8: a record that lacks a key it
/// calls mandatory is malformed, and so is an empty list.
fn present(mandatory: &[u8]) -> Vec<u8> {
    let key = |pair: &[u8]| pair.iter().fold(0, |key, &octet| key << 8 | u16::from(octet));
    mandatory.chunks(2).filter(|pair| !is_hint(key(pair))).flatten().copied().collect()
}

fn is_hint(key: u16) -> bool {
    [KEY_IPV4HINT, KEY_IPV6HINT].contains(&key)
}

/// The target of a record with hints; `.` stands for the owner (RFC 9460 §2.5.2).
fn hinted_target(rdata: &[u8], owner: &Name) -> Option<Name> {
    let (target, params) = split(rdata)?;
    let has_hint = params.iter().any(|(key, _)| is_hint(*key));
    has_hint.then(|| if target.is_root() { owner.clone() } else { target })
}

/// The parameters of a record: key and value.
type Params<'r> = Vec<(u16, &'r [u8])>;

fn split(rdata: &[u8]) -> Option<(Name, Params<'_>)> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Ttl;
    use crate::zone::{Node, Rrset};
    // RFC 9460 §8: what is mandatory has to be there.
    #[test]
    fn hints_leave_with_their_place_among_the_mandatory() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        let own = b"\0\x01\0";
        let (alpn, v4, v6) = (&b"\0\x01\0\x03\x02h2"[..], b"\0\x04\0\x04abcd", b"\0\x06\0\0");
        let mandatory = |keys: &[u8]| [&[0, 0, 0, keys.len() as u8], keys].concat();
        for (before, after) in [
            ([own, alpn, v4, v6].concat(), [own, alpn].concat()),
            (
                [own, &mandatory(&[0, 1, 0, 4, 0, 6])[..], alpn, v4, v6].concat(),
                [own, &mandatory(&[0, 1])[..], alpn].concat(),
            ),
            ([own, &mandatory(&[0, 4, 0, 6])[..], v4, v6].concat(), own.to_vec()),
            (
                [own, &mandatory(&[0, 1])[..], alpn].concat(),
                [own, &mandatory(&[0, 1])[..], alpn].concat(),
            ),
        ] {
            let stripped = strip(&name("www.a."), &before, &|target| *target == name("www.a."));
            assert_eq!(stripped.as_deref(), Some(&after[..]), "{before:x?}");
        }
        assert_eq!(strip(&name("a."), &[own, &v4[..]].concat(), &|_| false), None);
    }

    #[test]
    fn records_with_hints_are_found_with_their_target() {
        let name = |text: &str| Name::parse(text, &Name::root()).unwrap();
        // 1 . alpn=h2 ipv4hint=192.0.2.1; 1 x. without hints; 1 y. ipv6hint, cut short.
        let own = b"\0\x01\0\0\x01\0\x03\x02h2\0\x04\0\x04\xc0\0\x02\x01";
        let rdata = [&own[..], b"\0\x01\x01x\0", b"\0\x01\x01y\0\0\x06\0\x10\x20"];
        let rdata = rdata.iter().map(|&r| r.into()).collect();
        let rrset = Rrset { rtype: Rtype::HTTPS, ttl: Ttl::from_secs(60), rdata, line: 7 };
        let nodes = vec![(name("www.a."), Node { rrsets: vec![rrset] })].into();
        let (found, record_count) =
            find(&Zone { apex: name("a."), path: "zones/a.zone".into(), nodes });
        assert_eq!((found.len(), record_count), (1, 3));
        assert_eq!((&found[0].owner, &found[0].target), (&name("www.a."), &name("www.a.")));
    }
}
