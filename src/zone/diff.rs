//! What differs between two zones, RRset by RRset, in canonical order.
//!
//! Both zones are walked once, side by side. The order of records within an RRset and the case of owner names mean
//! nothing (RFC 2181 §5, RFC 4343) and are no difference; the case of names within rdata is served as written, and is.

use std::cmp::Ordering;
use std::iter::Peekable;

use crate::number::Ttl;
use crate::wire::{Name, Rtype};

use super::rrset::{Node, Rrset, Zone};

/// One RRset that is not what it was. At least one side is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RrsetChange<'z> {
    /// Its owner.
    pub owner: &'z Name,
    /// Its type.
    pub rtype: Rtype,
    /// The RRset as it was; none where it is added.
    pub old: Option<&'z Rrset>,
    /// The RRset as it is; none where it is removed.
    pub new: Option<&'z Rrset>,
}

impl<'z> RrsetChange<'z> {
    /// Rdata that only the old RRset has, in canonical order (RFC 4034 §6.3).
    pub fn removed(&self) -> Vec<&'z [u8]> {
        only_in(self.old, self.new)
    }

    /// Rdata that only the new RRset has, in canonical order.
    pub fn added(&self) -> Vec<&'z [u8]> {
        only_in(self.new, self.old)
    }

    /// Both TTLs, where both sides are there and differ in it.
    pub fn ttls(&self) -> Option<(Ttl, Ttl)> {
        let (old, new) = (self.old?.ttl, self.new?.ttl);
        (old != new).then_some((old, new))
    }

    /// Whether this is the SOA with nothing changed but its serial.
    pub fn is_serial_only(&self) -> bool {
        let timers = |rrset: Option<&'z Rrset>| {
            let rdata: &[u8] = rrset?.rdata.first()?;
            let (names, rest) = rdata.split_at_checked(rdata.len().checked_sub(20)?)?;
            Some((names, rest.get(4..)?))
        };
        let same = timers(self.old).zip(timers(self.new)).is_some_and(|(old, new)| old == new);
        self.rtype == Rtype::SOA && self.ttls().is_none() && same
    }
}

/// What leads from `old` to `new`: RRsets by owner in canonical order (RFC 4034 §6.1), then by type number. A zone that is
/// not there holds nothing.
pub fn diff<'z>(old: Option<&'z Zone>, new: Option<&'z Zone>) -> Vec<RrsetChange<'z>> {
    let mut changes = Vec::new();
    let nodes = |zone: Option<&'z Zone>| zone.into_iter().flat_map(|zone| &zone.nodes);
    for (old, new) in side_by_side(nodes(old), nodes(new), |a, b| a.0.cmp(b.0)) {
        let Some((owner, _)) = new.or(old) else { continue };
        for (old, new) in side_by_side(rrsets(old), rrsets(new), |a, b| a.rtype.cmp(&b.rtype)) {
            let Some(either) = new.or(old) else { continue };
            let change = RrsetChange { owner, rtype: either.rtype, old, new };
            if !is_same(old, new) {
                changes.push(change);
            }
        }
    }
    changes
}

fn rrsets<'z>(node: Option<(&'z Name, &'z Node)>) -> impl Iterator<Item = &'z Rrset> {
    node.into_iter().flat_map(|(_, node)| &node.rrsets)
}

fn is_same(old: Option<&Rrset>, new: Option<&Rrset>) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return false };
    // As written is the common case; else the order of records may be all that differs.
    old.ttl == new.ttl && (old.rdata == new.rdata || sorted(old) == sorted(new))
}

fn sorted(rrset: &Rrset) -> Vec<&[u8]> {
    let mut rdata: Vec<&[u8]> = rrset.rdata.iter().map(|rdata| &**rdata).collect();
    rdata.sort_unstable();
    rdata
}

fn only_in<'z>(this: Option<&'z Rrset>, other: Option<&'z Rrset>) -> Vec<&'z [u8]> {
    let this = this.map(sorted).unwrap_or_default();
    let other = other.map(sorted).unwrap_or_default();
    let pairs = side_by_side(this.into_iter(), other.into_iter(), Ord::cmp);
    pairs.filter_map(|pair| pair.0.filter(|_| pair.1.is_none())).collect()
}

/// Two sorted walks as one: what both have comes together, the rest alone.
fn side_by_side<T, A, B>(
    a: A,
    b: B,
    order: impl Fn(&T, &T) -> Ordering,
) -> impl Iterator<Item = (Option<T>, Option<T>)>
where
    A: Iterator<Item = T>,
    B: Iterator<Item = T>,
{
    let (mut a, mut b): (Peekable<A>, Peekable<B>) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || {
        let first = match (a.peek(), b.peek()) {
            (Some(left), Some(right)) => order(left, right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        Some(match first {
            Ordering::Less => (a.next(), None),
            Ordering::Equal => (a.next(), b.next()),
            Ordering::Greater => (None, b.next()),
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parser::parse;
    use super::super::rdata::to_text;
    use super::*;

    const HEAD: &str = "$TTL 60\n@ SOA ns1 h 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n";

    fn zone(lines: &str) -> Zone {
        let text = format!("{HEAD}{lines}");
        let origin = Name::parse("example.test.", &Name::root()).unwrap();
        let none = |_: &str, _: &str| Err(String::new());
        parse("zones/example.test.zone", text.as_bytes(), &origin, &none).zone.expect("a zone")
    }

    /// Each change in one line: `www.example.test. A 60>30 -192.0.2.1 +192.0.2.2`.
    fn told(old: &str, new: &str) -> Vec<String> {
        let (old, new) = (zone(old), zone(new));
        let told = |change: &RrsetChange<'_>| {
            let mut line = format!("{} {}", change.owner, change.rtype);
            if let Some((old, new)) = change.ttls() {
                line.push_str(&format!(" {}>{}", old.as_secs(), new.as_secs()));
            }
            for (sign, rdata) in [("-", change.removed()), ("+", change.added())] {
                for rdata in rdata {
                    line.push_str(&format!(" {sign}{}", to_text(change.rtype, rdata)));
                }
            }
            line
        };
        diff(Some(&old), Some(&new)).iter().map(told).collect()
    }

    #[test]
    fn what_is_added_removed_and_changed_is_told_in_canonical_order() {
        let old = "a A 192.0.2.1\nb A 192.0.2.1\nb A 192.0.2.2\nc 30 TXT x\nd MX 1 ns1\n";
        let new = "b A 192.0.2.3\nb A 192.0.2.2\nc 60 TXT x\nd MX 1 ns1\nA.d AAAA ::1\n";
        let expected = [
            "a.example.test. A -192.0.2.1",
            "b.example.test. A -192.0.2.1 +192.0.2.3",
            "c.example.test. TXT 30>60",
            "A.d.example.test. AAAA +::1",
        ];
        assert_eq!(told(old, new), expected);
    }

    #[test]
    fn order_and_the_case_of_owners_are_no_difference() {
        let old = "b A 192.0.2.1\nb A 192.0.2.2\nc CNAME ns1\n";
        assert_eq!(told(old, "B A 192.0.2.2\nB A 192.0.2.1\nc CNAME ns1\n"), [""; 0]);
        let case = "c.example.test. CNAME -ns1.example.test. +NS1.example.test.";
        assert_eq!(told(old, "b A 192.0.2.2\nb A 192.0.2.1\nc CNAME NS1\n"), [case]);
    }

    #[test]
    fn a_serial_alone_is_known_as_such() {
        let soa = |line: &str| {
            let text = HEAD.replace("@ SOA ns1 h 1 7200 3600 1209600 60", line);
            let origin = Name::parse("example.test.", &Name::root()).unwrap();
            let none = |_: &str, _: &str| Err(String::new());
            parse("zones/example.test.zone", text.as_bytes(), &origin, &none).zone.unwrap()
        };
        let old = zone("");
        for (line, expected) in [
            ("@ SOA ns1 h 2 7200 3600 1209600 60", true),
            ("@ 61 SOA ns1 h 2 7200 3600 1209600 60", false),
            ("@ SOA ns1 h 2 7201 3600 1209600 60", false),
            ("@ SOA ns2 h 2 7200 3600 1209600 60", false),
        ] {
            let new = soa(line);
            let changes = diff(Some(&old), Some(&new));
            let found: Vec<bool> = changes.iter().map(RrsetChange::is_serial_only).collect();
            assert_eq!(found, [expected], "{line}");
        }
    }

    #[test]
    fn a_zone_that_comes_or_goes_is_all_of_its_rrsets() {
        let zone = zone("");
        assert!(diff(None, Some(&zone)).iter().all(|c| c.old.is_none() && c.new.is_some()));
        assert_eq!(diff(Some(&zone), None).len(), 3);
        assert_eq!(diff(None, None), []);
    }

    /// A zone of few owners, types, TTLs and values, so that two of them overlap.
    fn any_zone() -> impl Strategy<Value = Zone> {
        let rrset = (0u8..6, 0u8..3, 1u8..4, prop::collection::btree_set(0u8..5, 1..4));
        prop::collection::btree_map((0u8..6, 0u8..3), rrset, 0..12).prop_map(|rrsets| {
            let mut lines = String::new();
            for ((owner, kind), (_, _, ttl, values)) in rrsets {
                for value in values {
                    let (rtype, rdata) = match kind {
                        0 => ("A", format!("192.0.2.{value}")),
                        1 => ("TXT", format!("v{value}")),
                        _ => ("MX", format!("{value} ns1")),
                    };
                    lines.push_str(&format!("n{owner} {ttl}m {rtype} {rdata}\n"));
                }
            }
            zone(&lines)
        })
    }

    /// `zone` as owner, type, TTL and sorted rdata.
    fn flat(zone: &Zone) -> Vec<(String, u16, Ttl, Vec<Vec<u8>>)> {
        let rrsets = zone.nodes.iter().flat_map(|(owner, node)| {
            node.rrsets.iter().map(move |rrset| {
                let rdata = sorted(rrset).into_iter().map(<[u8]>::to_vec).collect();
                (owner.to_string(), rrset.rtype.0, rrset.ttl, rdata)
            })
        });
        rrsets.collect()
    }

    /// `zone` with the changes made, by their removed and added rdata alone.
    fn applied(zone: &Zone, changes: &[RrsetChange<'_>]) -> Zone {
        let mut zone = zone.clone();
        for change in changes {
            let mut node = zone.nodes.get(change.owner).cloned().unwrap_or_default();
            let at = node.rrsets.iter().position(|r| r.rtype == change.rtype);
            let mut rrset = match at {
                Some(at) => node.rrsets.remove(at),
                None => Rrset { rdata: Vec::new(), ..change.new.unwrap().clone() },
            };
            rrset.rdata.retain(|rdata| !change.removed().contains(&&**rdata));
            rrset.rdata.extend(change.added().into_iter().map(Into::into));
            rrset.ttl = change.ttls().map_or(rrset.ttl, |(_, new)| new);
            if !rrset.rdata.is_empty() {
                node.rrsets.push(rrset);
                node.rrsets.sort_by_key(|r| r.rtype);
            }
            zone.nodes.retain(|owner, _| owner != change.owner);
            let kept = Some((change.owner.clone(), node.rrsets)).filter(|(_, r)| !r.is_empty());
            zone.nodes.add(kept);
        }
        zone
    }

    proptest! {
        #[test]
        fn a_difference_leads_from_old_to_new_and_its_mirror_back(
            old in any_zone(),
            new in any_zone(),
        ) {
            let there = diff(Some(&old), Some(&new));
            let back = diff(Some(&new), Some(&old));
            prop_assert_eq!(flat(&applied(&old, &there)), flat(&new));
            prop_assert_eq!(there.len(), back.len());
            for (there, back) in there.iter().zip(&back) {
                prop_assert_eq!((there.owner, there.rtype), (back.owner, back.rtype));
                prop_assert_eq!((there.old, there.new), (back.new, back.old));
                prop_assert_eq!((there.removed(), there.added()), (back.added(), back.removed()));
            }
            prop_assert!(diff(Some(&old), Some(&old)).is_empty());
        }
    }
}
