//! Method: worlds and cuts of few places and odd boundaries, and an oracle that looks at each
//! address by itself.

use super::*;

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::geo::known::Known;
use crate::geo::starts::{List, Starts};
use crate::geo::world::Places;

/// What the table should say, by the book: the place of the address, the cuts that hold it, the
/// rule.
fn oracle(world: &World, cuts: &[Prefix], address: IpAddr) -> ClassId {
    let seen = embedded_v4(address).map_or(address, |(v4, _)| IpAddr::V4(v4));
    let holding: Vec<usize> = (0..cuts.len()).filter(|&at| cuts[at].contains(seen)).collect();
    rule(world.lookup(seen).0, &holding)
}

/// Places and cuts fall into few classes, so that neighbours merge.
fn rule(place: &Place, cuts: &[usize]) -> ClassId {
    let place = place.asn.map_or(0, |asn| asn % 3);
    let cut = cuts.last().map_or(0, |cut| cut % 2 * 3);
    ClassId(place as u16 + cut as u16)
}

fn world(v4: &[(u32, u32)], v6: &[(u128, u32)]) -> World {
    let mut places = Places::new();
    let mut id = |asn: u32| places.id(Place { asn: (asn > 0).then_some(asn), ..Place::default() });
    let (mut starts_v4, mut starts_v6) = (Starts::<u32>::new(), Starts::<u128>::new());
    v4.iter().for_each(|&(start, asn)| starts_v4.push(start, id(asn)));
    v6.iter().for_each(|&(start, asn)| starts_v6.push(start, id(asn)));
    let v6 = without_embedded(starts_v6.into_list());
    let v4 = starts_v4.into_list().into();
    World::of(Known { v4, v6: v6.into(), places: places.into_list() }, Vec::new())
}

/// The same IPv6 ranges with the blocks that embed IPv4 unknown.
fn without_embedded(v6: List<u64>) -> List<u64> {
    let spans: Vec<Span> = embedding_blocks().into_iter().map(|it| span(it, 0)).collect();
    let mut starts = Starts::<u128>::new();
    sweep(v6.iter(), &spans, LAST_V6, |start, place, spans| {
        starts.push(start, if spans.is_empty() { place } else { PlaceId(0) });
    });
    starts.into_list()
}

/// Addresses near which something may happen.
fn interesting(world: &World, cuts: &[Prefix]) -> Vec<IpAddr> {
    let mut v4: Vec<u32> = vec![0, 1, 2, 0x7fff_ffff, 0xc000_0201, u32::MAX];
    let mut v6: Vec<u128> = vec![0, 1, 2, 3, LAST_V4, 1 << 125, u128::MAX, 0x2a00 << 112];
    v4.extend(world.runs_v4().map(|it| it.0 as u32));
    v6.extend(world.runs_v6().map(|it| it.0));
    v6.extend(embedding_blocks().iter().flat_map(|&(first, last)| [first, last + 1]));
    for cut in cuts {
        let (first, last) = cut.bounds();
        match cut.address {
            IpAddr::V4(_) => v4.extend([first as u32, (last as u32).wrapping_add(1)]),
            IpAddr::V6(_) => v6.extend([first, last.wrapping_add(1)]),
        }
    }
    let v4 = v4.into_iter().flat_map(|at| [at.wrapping_sub(1), at, at.wrapping_add(1)]);
    let v6 = v6.into_iter().flat_map(|at| [at.wrapping_sub(1), at, at.wrapping_add(1)]);
    let v4: Vec<u32> = v4.collect();
    let embedded = v4.iter().flat_map(|&at| {
        let at = u128::from(at);
        [0xffff << 32 | at, at, 0x0064_ff9b << 96 | at, 0x2002 << 112 | at << 80, {
            0x2001 << 112 | (!at & LAST_V4)
        }]
    });
    let v6: Vec<u128> = v6.chain(embedded).collect();
    let v4 = v4.into_iter().map(|at| IpAddr::V4(Ipv4Addr::from_bits(at)));
    v4.chain(v6.into_iter().map(|at| IpAddr::V6(Ipv6Addr::from_bits(at)))).collect()
}

/// What a lookup said of an address.
struct Answer {
    address: IpAddr,
    class: ClassId,
    scope: Prefix,
    /// The bits before the IPv4 address within.
    shift: Option<u8>,
}

fn check(world: &World, cuts: &[Prefix]) {
    let ranges = Ranges::compile(world, cuts, rule);
    let answer = |address: IpAddr| {
        let (class, len) = ranges.lookup(address);
        let shift = embedded_v4(address).map(|(_, shift)| shift);
        Answer { address, class, scope: Prefix::around(address, len), shift }
    };
    let mut addresses = interesting(world, cuts);
    addresses.sort_unstable();
    addresses.dedup();
    let answers: Vec<Answer> = addresses.into_iter().map(answer).collect();
    for answer in &answers {
        let Answer { address, class, scope, .. } = *answer;
        assert_eq!(class, oracle(world, cuts, address), "class of {address}");
        for other in answers.iter().filter(|other| scope.contains(other.address)) {
            let other_address = other.address;
            assert_eq!(class, other.class, "{other_address} in {scope} of {address}");
            assert_eq!(scope, other.scope, "scopes of {address} and {other_address} overlap");
        }
        check_shortest(&answers, answer);
    }
    check_runs(&ranges, &answers);
}

/// The runs say of each address what its lookup says.
fn check_runs(ranges: &Ranges, answers: &[Answer]) {
    let (v4, v6): (Vec<_>, Vec<_>) = (ranges.runs_v4().collect(), ranges.runs_v6().collect());
    assert!(v4.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1), "{v4:?}");
    assert!(v6.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1), "{v6:?}");
    for answer in answers {
        let found = match answer.address {
            IpAddr::V4(at) => {
                let at = u128::from(at.to_bits());
                v4.get(v4.partition_point(|run| run.0 <= at) - 1).map(|run| run.1)
            }
            IpAddr::V6(at) => {
                v6.get(v6.partition_point(|run| run.0 <= at.to_bits()) - 1).and_then(|run| run.1)
            }
        };
        let is_embedded = answer.address.is_ipv6() && answer.shift.is_some();
        assert_eq!(found, (!is_embedded).then_some(answer.class), "{}", answer.address);
    }
}

/// A bit shorter, the prefix would hold another class, or addresses that are looked up otherwise.
fn check_shortest(answers: &[Answer], answer: &Answer) {
    let Answer { address, class, scope, shift } = *answer;
    // Edges are known of Teredo's server 0.0.0.0 only. And where all of IPv4 is one class, the
    // scope is the bits before it.
    let within = |block: &str| Prefix::parse(block).unwrap().contains(address);
    if within("2001::/32") && !within("2001::/96") || shift == Some(scope.len.0) {
        return;
    }
    let Some(shorter) = scope.len.0.checked_sub(1) else { return };
    let wider = Prefix::around(address, PrefixLen(shorter));
    let mut differing = answers.iter().filter(|other| other.class != class || other.shift != shift);
    let differs = differing.any(|other| wider.contains(other.address));
    assert!(differs, "{scope} of {address} could be {wider}");
}

fn prefix() -> impl Strategy<Value = Prefix> {
    prop_oneof![
        (v4_start(), 0u8..=32).prop_map(|(at, len)| {
            Prefix::around(IpAddr::V4(Ipv4Addr::from_bits(at)), PrefixLen(len))
        }),
        (v6_start(), 0u8..=128).prop_map(|(at, len)| {
            Prefix::around(IpAddr::V6(Ipv6Addr::from_bits(at)), PrefixLen(len))
        }),
    ]
}

fn v4_start() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (0u32..8).prop_map(|n| n << 16), (0u32..64).prop_map(|n| n << 6)]
}

fn v6_start() -> impl Strategy<Value = u128> {
    prop_oneof![
        any::<u128>(),
        (0u128..16).prop_map(|n| n << 124),
        (0u128..64).prop_map(|n| 0x2a << 120 | n << 106),
        (0u128..16).prop_map(|n| 0x2a << 120 | n << 62),
        (0u128..64).prop_map(|n| 0x2a << 120 | n),
        (0u128..8).prop_map(|n| 0x2001 << 112 | n << 94),
        (0u128..64),
        Just(0x2002 << 112),
        Just(0x0064_ff9b << 96),
    ]
}

fn worlds() -> impl Strategy<Value = World> {
    let v4 = prop::collection::btree_map(v4_start(), 0u32..6, 0..12);
    let v6 = prop::collection::btree_map(v6_start(), 0u32..6, 0..12);
    (v4, v6).prop_map(|(v4, v6)| {
        let v4: Vec<_> = v4.into_iter().collect();
        let v6: Vec<_> = v6.into_iter().collect();
        world(&v4, &v6)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_lookup_equals_the_oracle_and_scopes_are_exact(
        world in worlds(),
        cuts in prop::collection::vec(prefix(), 0..6),
    ) {
        check(&world, &cuts);
    }
}

#[test]
fn one_class_is_one_scope_and_embedding_blocks_stand_apart() {
    let ranges = Ranges::compile(&World::unknown(), &[], |_, _| ClassId(7));
    for (address, len) in [
        ("192.0.2.1", 0),
        ("::ffff:192.0.2.1", 96),
        ("2002:c000:201::", 16),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", 96),
        ("::192.0.2.1", 97),
        ("::", 127),
        ("::1", 127),
        ("::1:0:0", 96),
        ("2a00::1", 5),
        ("2003::1", 16),
        ("8000::", 1),
        ("4000::", 2),
    ] {
        let answer = ranges.lookup(address.parse().unwrap());
        assert_eq!(answer, (ClassId(7), PrefixLen(len)), "{address}");
    }
}

#[test]
fn classify_is_told_the_cuts_in_order_and_once_for_each_kind() {
    let cuts = ["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8", "2001:db8::/32", "10.1.2.0/24"]
        .map(|text| Prefix::parse(text).unwrap());
    let mut told = Vec::new();
    let ranges = Ranges::compile(&World::unknown(), &cuts, |_, holding| {
        told.push(holding.to_vec());
        ClassId(told.len() as u16 - 1)
    });
    let told_of = |address: &str| {
        let class = ranges.lookup(address.parse().unwrap()).0;
        told[usize::from(class.0)].clone()
    };
    assert_eq!(told_of("192.0.2.1"), [0; 0]);
    assert_eq!(told_of("2001:db9::"), [0; 0]);
    assert_eq!(told_of("10.200.0.0"), [0, 2]);
    assert_eq!(told_of("10.1.0.0"), [0, 1, 2]);
    assert_eq!(told_of("10.1.2.3"), [0, 1, 2, 4]);
    assert_eq!(told_of("2001:db8::1"), [3]);
    assert_eq!(told.len(), 5);
}

#[test]
fn equal_tables_have_equal_digests() {
    let one = world(&[(1 << 24, 1)], &[]);
    let same = world(&[(1 << 24, 4), (2 << 24, 1)], &[]);
    let other = world(&[(1 << 24, 2)], &[]);
    let digest = |world: &World| Ranges::compile(world, &[], rule).digest();
    assert_eq!(digest(&one), digest(&same));
    assert_ne!(digest(&one), digest(&other));
}
