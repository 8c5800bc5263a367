//! A packed zone is the zone that it was packed from, whatever is asked of it and put into it.

use proptest::prelude::*;

use super::super::parser::parse;
use super::*;

const HEAD: &str = "$TTL 60\n@ SOA ns1 h 7 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n";

fn zone(lines: &str) -> Zone {
    let origin = Name::parse("Example.test.", &Name::root()).unwrap();
    let none = |_: &str, _: &str| Err(String::new());
    let text = format!("{HEAD}{lines}");
    parse("zones/example.test.zone", text.as_bytes(), &origin, &none).zone.expect("a zone")
}

/// Owners that stand before, between and below each other, and in other case than the apex.
fn any_owner() -> impl Strategy<Value = String> {
    let labels = prop::collection::vec(prop::sample::select(vec!["a", "B", "*", "m", "z"]), 1..4);
    let suffix = prop::sample::select(vec!["", ".EXAMPLE.test.", ".Example.test."]);
    (labels, suffix).prop_map(|(labels, suffix)| labels.join(".") + suffix)
}

fn any_line() -> impl Strategy<Value = String> {
    (any_owner(), 0u8..4, 0u32..300, 0usize..300).prop_map(|(owner, kind, ttl, n)| match kind {
        0 => format!("{owner} {ttl} A 192.0.2.{}\n", n % 200),
        1 => format!("{owner} {ttl} AAAA 2001:db8::{n}\n"),
        2 => format!("{owner} {ttl} TXT \"{}\"\n", "x".repeat(n % 255)),
        _ => format!("{owner} {ttl} MX {n} ns1\n"),
    })
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::collection::vec(any_line(), 0..60).prop_map(|lines| zone(&lines.concat()))
}

fn name(text: &str) -> Name {
    Name::parse(text, &Name::parse("example.test.", &Name::root()).unwrap()).unwrap()
}

/// Owners with their case, which equality of names ignores, and what they own.
fn spelled<'z>(nodes: impl Iterator<Item = (&'z Name, &'z Node)>) -> Vec<(Vec<u8>, Node)> {
    nodes.map(|(owner, node)| (owner.as_wire().to_vec(), node.clone())).collect()
}

fn unpacked<'z>(nodes: impl Iterator<Item = (Name, PackedNode<'z>)>) -> Vec<(Vec<u8>, Node)> {
    nodes.map(|(owner, node)| (owner.as_wire().to_vec(), node.unpacked())).collect()
}

fn assert_same(packed: &PackedZone, zone: &Zone) {
    assert_eq!(unpacked(packed.nodes()), spelled(zone.nodes.iter()));
    assert_eq!(packed.node_count(), zone.nodes.iter().count());
    assert_eq!(packed.unpacked(), *zone);
}

proptest! {
    #[test]
    fn what_was_packed_is_found_again(zone in any_zone(), asked in any_owner()) {
        let packed = PackedZone::of(zone.clone());
        assert_same(&packed, &zone);
        prop_assert_eq!((packed.serial(), packed.is_signed()), (Some(Serial(7)), false));
        let asked = name(&asked);
        let above = asked.parent().unwrap();
        for owner in zone.nodes.iter().map(|(owner, _)| owner).chain([&asked, &above]) {
            let found = packed.find(owner);
            let known = zone.nodes.get_key_value(owner);
            prop_assert_eq!(unpacked(found.into_iter()), spelled(known.into_iter()));
            let below = zone.nodes.range(owner..);
            prop_assert_eq!(unpacked(packed.nodes_from(owner)), spelled(below.clone()));
            let exists = below.clone().next().is_some_and(|(next, _)| next.is_at_or_below(owner));
            prop_assert_eq!(packed.exists(owner), exists);
        }
    }

    #[test]
    fn what_is_put_in_and_taken_out_leads_from_one_zone_to_another(
        old in any_zone(),
        new in any_zone(),
    ) {
        let mut packed = PackedZone::of(old.clone());
        for (owner, _) in &old.nodes {
            packed.put(owner.clone(), new.nodes.get(owner));
        }
        for (owner, node) in &new.nodes {
            packed.put(owner.clone(), Some(node));
        }
        assert_same(&packed, &new);
        for (owner, _) in &new.nodes {
            packed.put(owner.clone(), None);
        }
        prop_assert_eq!((packed.node_count(), packed.blocks.len()), (0, 0));
    }
}

#[test]
fn keys_and_signatures_make_a_zone_signed() {
    let packed = PackedZone::of(zone("@ DNSKEY 256 3 13 AAAA\n"));
    assert!(packed.is_signed());
}

#[test]
fn names_outside_the_zone_are_not_found() {
    let packed = PackedZone::of(zone("a A 192.0.2.1\n"));
    for outside in ["a.example.org.", "axexample.test.", "test.", ".", "a.example.tesu."] {
        assert!(packed.node(&name(outside)).is_none(), "{outside}");
    }
}

#[test]
fn a_packed_record_takes_few_octets() {
    let lines: String = (0..1000).map(|i| format!("host{i} A 192.0.2.{}\n", i % 200)).collect();
    let packed = PackedZone::of(zone(&lines));
    // The owner 8, its length 1, that of the rest 1, then type 2, TTL 1, line 2, records 1, rdata 5.
    let octets: usize = packed.blocks.iter().map(|block| block.len()).sum();
    assert!(octets < 1003 * 23, "{octets}");
}
