//! Every range of a compiled table, looked at by its edges. Method: the runs of the table are listed, and look-ups, which
//! is what queries do, are held against them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use homing::geo::{Ranges, embedded_v4};
use homing::number::ClassId;

/// A family of addresses: its bits, and how a number of it is an address.
#[derive(Clone, Copy)]
struct Family {
    bits: u32,
    address: fn(u128) -> IpAddr,
}

const V4: Family = Family { bits: 32, address: |n| IpAddr::V4(Ipv4Addr::from_bits(n as u32)) };
const V6: Family = Family { bits: 128, address: |n| IpAddr::V6(Ipv6Addr::from_bits(n)) };

/// Holds `ranges` to all that is promised of them; gives how many ranges there are, of IPv4 and of IPv6.
pub fn hold(ranges: &Ranges) -> (usize, usize) {
    let v4: Vec<_> = ranges.runs_v4().map(|(start, class)| (start, Some(class))).collect();
    let v6: Vec<_> = ranges.runs_v6().collect();
    family(ranges, V4, &v4);
    family(ranges, V6, &v6);
    embedding(ranges, &v4);
    (v4.len(), v6.len())
}

fn family(ranges: &Ranges, family: Family, runs: &[(u128, Option<ClassId>)]) {
    let top = if family.bits == 32 { u128::from(u32::MAX) } else { u128::MAX };
    assert_eq!(runs[0].0, 0, "the first range begins with the first address");
    for (at, &(first, class)) in runs.iter().enumerate() {
        let last = runs.get(at + 1).map_or(top, |next| next.0 - 1);
        assert!(first <= last, "ranges stand in order");
        let next = runs.get(at + 1).map(|next| next.1);
        assert_ne!(next, Some(class), "neighbours differ, at {}", (family.address)(last));
        let Some(class) = class else { continue };
        for address in [first, first + (last - first) / 2, last] {
            edge(ranges, family, address, (first, last), class);
        }
    }
}

/// One address of the range from `first` to `last`: it has the range's class, and the scope is the shortest prefix around
/// it within the range. The shortest ones are apart by nature, so no two scopes of a table overlap (RFC 7871 §7.2.1).
fn edge(
    ranges: &Ranges,
    family: Family,
    address: u128,
    (first, last): (u128, u128),
    class: ClassId,
) {
    let shown = (family.address)(address);
    let (found, scope) = ranges.lookup(shown);
    assert_eq!(found, class, "{shown} has the class of its range");
    let block = |len: u32| {
        let hosts = u128::MAX.checked_shr(128 - family.bits + len).unwrap_or(0);
        (address & !hosts, address | hosts)
    };
    let is_within = |len: u32| block(len).0 >= first && block(len).1 <= last;
    let len = u32::from(scope.0);
    assert!(is_within(len), "/{len} around {shown} holds addresses of another class");
    assert!(len == 0 || !is_within(len - 1), "/{len} around {shown} could be shorter");
}

/// IPv6 forms of IPv4 have the class of what they embed, and its scope behind the bits before it.
fn embedding(ranges: &Ranges, v4: &[(u128, Option<ClassId>)]) {
    for &(first, class) in v4 {
        let low = first as u32;
        let [mapped, translated] = [0xffff_0000_0000, 0x0064_ff9b << 96].map(|p| p | first);
        let six_to_four = 0x2002 << 112 | first << 80 | 0x1234;
        let teredo = 0x2001_0000 << 96 | u128::from(!low);
        for (form, before) in [(mapped, 96), (translated, 96), (six_to_four, 16), (teredo, 96)] {
            let address = (V6.address)(form);
            let v4 = (V4.address)(first);
            assert_eq!(embedded_v4(address).map(|it| IpAddr::V4(it.0)), Some(v4));
            let ((found, scope), (_, own)) = (ranges.lookup(address), ranges.lookup(v4));
            assert_eq!(Some(found), class, "{address} has the class of {v4}");
            assert_eq!(scope.0, own.0 + before, "the scope of {address} is that of {v4}, shifted");
        }
    }
}
