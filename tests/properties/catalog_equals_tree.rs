//! The catalog answers as the slow tree does, on zones and names made from few labels, so that wildcards, cuts, DNAMEs,
//! empty non-terminals and what they occlude meet often.

use std::collections::BTreeMap;
use std::sync::Arc;

use homing::answer::{Catalog, Record, Seed, Snapshot, Transcript, Transport};
use homing::load::compile_zone;
use homing::number::{Digest, Generation, Revision};
use homing::route::Table;
use homing::wire::{Name, Rtype};
use homing::zone::{self, PackedZone, Zone};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world;

const LABELS: [&str; 6] = ["a", "b", "c", "*", "ns", "_x"];
const TYPES: [u16; 12] = [1, 2, 5, 6, 15, 16, 28, 33, 39, 43, 255, 65_280];

/// Names below an apex, as text relative to it.
fn name(most: usize) -> impl Strategy<Value = String> {
    vec(select(&LABELS[..]), 1..=most).prop_map(|labels| labels.join("."))
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => name(3),
        1 => Just("@".to_string()),
        1 => name(2).prop_map(|n| format!("{n}.elsewhere.")),
    ]
}

/// What one owner has, as lines of rdata with their types.
fn records() -> impl Strategy<Value = Vec<String>> {
    let line = |prefix: &'static str| target().prop_map(move |t| vec![format!("{prefix} {t}")]);
    prop_oneof![
        4 => Just(vec!["A 192.0.2.1".to_string(), "A 192.0.2.2".to_string()]),
        2 => Just(vec!["TXT \"some text\"".to_string(), "AAAA 2001:db8::1".to_string()]),
        1 => line("MX 10"),
        1 => line("SRV 1 2 53"),
        1 => Just(["A 192.0.2.3", "AAAA 2001:db8::3"].into_iter().flat_map(signed).collect()),
        1 => target().prop_map(|t| signed(&format!("MX 20 {t}"))),
        3 => line("CNAME"),
        2 => line("DNAME"),
        3 => line("NS"),
        1 => target().prop_map(|t| vec![format!("NS {t}"), "DS 1 13 2 abcdef".to_string()]),
        1 => Just(vec!["TYPE65280 \\# 3 010203".to_string()]),
    ]
}

/// A record at a TTL of its own, and a signature over it.
fn signed(record: &str) -> Vec<String> {
    let rtype = record.split(' ').next().unwrap_or_default();
    let signature = "13 2 90 20300101000000 20240101000000 1 z. AA==";
    vec![format!("90 {record}"), format!("90 RRSIG {rtype} {signature}")]
}

/// Zone text below `apex`; what the parser refuses is made again.
fn zone_below(apex: &'static str) -> impl Strategy<Value = (String, Zone)> {
    btree_map(name(4), records(), 0..14).prop_filter_map("the parser refuses it", move |owners| {
        let mut text = format!(
            "$ORIGIN {apex}\n$TTL 60\n@ SOA ns h 7 60 60 60 30\n@ NS ns\n@ NS ns.elsewhere.\n"
        );
        // RFC 4592 §4.4: what a DNAME owned by a wildcard means is not defined.
        let is_defined =
            |owner: &str, record: &str| !(owner.starts_with('*') && record.starts_with("DNAME"));
        for (owner, records) in &owners {
            let records = records.iter().filter(|record| is_defined(owner, record));
            records.for_each(|record| text += &format!("{owner} {record}\n"));
        }
        let origin = Name::parse(apex, &Name::root()).unwrap();
        let none = |_: &str, _: &str| Err("no includes".to_string());
        let zone = zone::parse("z.zone", text.as_bytes(), &origin, &none).zone?;
        Some((text, zone))
    })
}

/// A record with what may differ taken away: case.
type Plain = (Vec<u8>, Rtype, u32, Vec<u8>);

fn plain(owner: &Name, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Plain {
    (owner.to_folded().into(), rtype, ttl, rdata.to_ascii_lowercase())
}

fn sorted(mut records: Vec<Plain>) -> Vec<Plain> {
    records.sort();
    records
}

fn hot(records: &[Record]) -> Vec<Plain> {
    sorted(records.iter().map(|r| plain(&r.owner, r.rtype, r.ttl.as_secs(), &r.rdata)).collect())
}

fn slow(records: &[zone::Record]) -> Vec<Plain> {
    sorted(records.iter().map(|r| plain(&r.owner, r.rtype, r.ttl.as_secs(), &r.rdata)).collect())
}

fn snapshot(zones: &[Zone]) -> Snapshot {
    let seed = Seed::new(7);
    let image = |zone: &Zone| {
        let zone = PackedZone::of(zone.clone());
        Arc::new(compile_zone(&seed, &zone, &BTreeMap::new(), &|_| false))
    };
    let images = zones.iter().map(image);
    let images = images.collect();
    Snapshot {
        generation: Generation(1),
        revision: Revision(1),
        digest: Digest::default(),
        catalog: Arc::new(Catalog::compose(seed, images, &[])),
        plans: Arc::from([]),
        table: Table::default(),
        steered: Arc::default(),
    }
}

/// Asks both for each question, and compares. `shown` is what a failure shows of the zones.
fn compare(
    zones: &[Zone],
    questions: &[(String, u16, bool)],
    shown: &str,
) -> Result<(), TestCaseError> {
    let snapshot = snapshot(zones);
    let mut core = world::core();
    let mut response = vec![0; 65_535];
    for (question, qtype, dnssec_ok) in questions {
        let qname = Name::parse(&format!("{question}.z."), &Name::root()).unwrap();
        let qname = if question == "ns" { zones[0].apex.clone() } else { qname };
        let flags = if *dnssec_ok { 0x8000 } else { 0 };
        let request = world::query(0, qname.as_wire(), *qtype, 1, &world::opt(flags, &[]));
        let outcome = world::answer(&snapshot, &request, Transport::Tcp, &mut core, &mut response);
        let found = Transcript::read(&response[..outcome.len()]).expect("a well-formed response");
        let wanted = zone::answer(zones, &qname, Rtype(*qtype), *dnssec_ok);
        let shown = format!(
            "{qname} {} do={dnssec_ok}\nwanted {wanted:#?}\nfound {found:#?}\n{shown}",
            Rtype(*qtype),
        );
        prop_assert_eq!(found.rcode, wanted.rcode, "{}", shown);
        prop_assert_eq!(found.authoritative, wanted.authoritative, "{}", shown);
        prop_assert_eq!(hot(&found.answer), slow(&wanted.answer), "answer of {}", shown);
        prop_assert_eq!(hot(&found.authority), slow(&wanted.authority), "authority of {}", shown);
        if *qtype == 255 {
            continue; // RFC 8482 §4.1: a minimal answer, whose additional data is anybody's choice
        }
        let (found, wanted) = (hot(&found.additional), slow(&wanted.additional));
        prop_assert_eq!(found, wanted, "additional of {}", shown);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_answer_is_the_slow_one(
        parent in zone_below("z."),
        child in zone_below("a.z."),
        with_child in any::<bool>(),
        questions in vec((name(5), select(&TYPES[..]), any::<bool>()), 1..40),
    ) {
        let shown = format!("{}\n{}", parent.0, if with_child { &child.0 } else { "" });
        let mut zones = vec![parent.1];
        zones.extend(with_child.then_some(child.1));
        compare(&zones, &questions, &shown)?;
    }
}

/// NS records that a wildcard owns cut nothing: they are data, and what goes along with data is signed.
#[test]
fn name_servers_of_a_wildcard_come_with_signed_addresses() {
    let text = "$ORIGIN z.\n$TTL 60\n@ SOA ns h 7 60 60 60 30\n@ NS ns\n* NS ns\nns 90 A 192.0.2.3\n\
        ns 90 RRSIG A 13 2 90 20300101000000 20240101000000 1 z. AA==\n";
    let none = |_: &str, _: &str| Err("no includes".to_string());
    let origin = Name::parse("z.", &Name::root()).unwrap();
    let zone = zone::parse("z.zone", text.as_bytes(), &origin, &none).zone.unwrap();
    let questions = [("a", 2, true), ("a", 2, false), ("*", 2, true), ("b.*", 2, true)]
        .map(|(name, qtype, dnssec_ok)| (name.to_string(), qtype, dnssec_ok));
    compare(&[zone], &questions, text).unwrap();
}
