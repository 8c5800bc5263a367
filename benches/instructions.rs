//! Instructions that a query takes from its octets to those of its answer, by the kind of its answer. They do not depend on
//! how busy a machine is, so they can be held: more than 5 % beyond what stands here fails. Builds of the same source in other
//! folders differ by as much as 2.5 %, so what stands here is the most that any of them took.
//!
//! Needs valgrind and `gungraun-runner` of the version in Cargo.lock. Counted with Rust 1.95 on x86-64; another compiler may
//! need other figures.
#![allow(missing_docs, reason = "the macros make modules and constants of their own")]

use std::hint::black_box;

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use homing::answer::{Core, Snapshot, Transport, warm};

#[path = "../tests/properties/world.rs"]
mod world;

/// A query that is ready to be answered, and has been once: what happens the first time only is not counted.
struct Ready {
    snapshot: &'static Snapshot,
    request: Vec<u8>,
    core: Core,
    response: Vec<u8>,
}

impl Ready {
    fn answer(&mut self) -> usize {
        let Ready { snapshot, request, core, response } = self;
        world::answer(snapshot, black_box(request), Transport::Udp, core, response).len()
    }
}

fn ready(snapshot: &'static Snapshot, name: &str, rtype: u16, options: &[u8]) -> Box<Ready> {
    let mut wire: Vec<u8> = name
        .split('.')
        .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
        .collect();
    wire.push(0);
    let request = world::query(0, &wire, rtype, 1, &world::opt(0, options));
    let mut ready =
        Box::new(Ready { snapshot, request, core: world::core(), response: vec![0; 65_535] });
    assert!(ready.answer() > 0);
    ready
}

/// A query for a name of the example, with a client subnet.
fn example(name: &str, rtype: u16) -> Box<Ready> {
    let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 193, 0, 0];
    ready(world::everything(), &format!("{name}.example.test"), rtype, &subnet)
}

/// A query with a cookie that we gave.
fn cookie(name: &str) -> Box<Ready> {
    let cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    ready(world::everything(), &format!("{name}.example.test"), 1, &cookie)
}

fn of_many(name: &str) -> Box<Ready> {
    ready(world::large(), &format!("{name}.large.test"), 1, &[])
}

/// At most 5 % more than `instructions`.
fn held(instructions: u64) -> LibraryBenchmarkConfig {
    let limit = instructions + instructions * 5 / 100;
    let callgrind = Callgrind::default().hard_limits([(EventKind::Ir, limit)]).to_owned();
    LibraryBenchmarkConfig::default().tool(callgrind).to_owned()
}

#[library_benchmark]
#[bench::a_hit(args = (example("www", 1)), config = held(2_709))]
#[bench::steered(args = (example("geo", 1)), config = held(2_794))]
#[bench::steered_wildcard(args = (example("x.geo", 1)), config = held(3_180))]
#[bench::chain_to_steered(args = (example("togeo", 1)), config = held(4_132))]
#[bench::wildcard(args = (example("x.wild", 1)), config = held(3_193))]
#[bench::no_such_name(args = (example("missing", 1)), config = held(2_685))]
#[bench::no_such_type(args = (example("www", 99)), config = held(2_745))]
#[bench::referral(args = (example("x.deleg", 1)), config = held(3_206))]
#[bench::with_a_cookie(args = (cookie("www")), config = held(2_863))]
#[bench::one_of_many(args = (of_many("n123")), config = held(2_490))]
fn answer(mut ready: Box<Ready>) -> Box<Ready> {
    black_box(ready.answer());
    ready
}

#[library_benchmark]
#[bench::one_of_many(args = (of_many("n123")), config = held(659))]
fn fetch(mut ready: Box<Ready>) -> Box<Ready> {
    let Ready { snapshot, request, core, .. } = &mut *ready;
    warm(black_box(snapshot), [black_box(&request[..])].into_iter(), core);
    ready
}

library_benchmark_group!(name = query, benchmarks = [answer, fetch]);
main!(library_benchmark_groups = query);
