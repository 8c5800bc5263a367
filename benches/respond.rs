//! From request bytes to response bytes: what a query costs, by the kind of its answer. A steered answer costs little more
//! than a static one, however clever its policy.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use homing::answer::Transport;

#[path = "../tests/properties/world.rs"]
mod world;

const KINDS: [(&str, &str); 7] = [
    ("static", "www"),
    ("steered", "geo"),
    ("steered wildcard", "x.geo"),
    ("chain to steered", "togeo"),
    ("wildcard", "x.wild"),
    ("no such name", "missing"),
    ("referral", "x.deleg"),
];

fn respond(criterion: &mut Criterion) {
    let snapshot = world::everything();
    let (mut core, mut response) = (world::core(), vec![0; 65_535]);
    let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 193, 0, 0];
    for (kind, name) in KINDS {
        let mut wire = Vec::new();
        for label in name.split('.').chain(["example", "test"]) {
            wire.push(label.len() as u8);
            wire.extend(label.as_bytes());
        }
        wire.push(0);
        let request = world::query(0, &wire, 1, 1, &world::opt(0, &subnet));
        criterion.bench_function(kind, |bencher| {
            bencher.iter(|| {
                let request = black_box(&request);
                world::answer(snapshot, request, Transport::Udp, &mut core, &mut response)
            });
        });
    }
}

criterion_group!(benches, respond);
criterion_main!(benches);
