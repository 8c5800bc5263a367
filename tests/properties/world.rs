//! Snapshots made from text, as the server makes them: files, parts, a filled table.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use homing::answer::{
    ClassSlots, CookieSecret, CookieSecrets, Core, Counters, Exchange, Outcome, Site, Snapshot,
    SteeredSlots, Transport, respond_quietly,
};
use homing::fileset::{File, FileSet};
use homing::health::State;
use homing::load::{Builder, Config, Parts, Removals, Scan};
use homing::number::{Digest, Generation, Revision};
use homing::route::{Plan, Table, fill};

/// The regions that steering in these tests speaks of.
pub const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n\
    [sin]\nposition = [1.35, 103.82]\n";

/// What these files are compiled to.
pub fn parts(files: &[(&str, &str)]) -> Parts {
    let mut set = FileSet::default();
    for (path, text) in files {
        set.files.insert(path.to_string(), File::new(text.as_bytes()));
    }
    let mut builder = Builder::new(&Config::defaults(Path::new(".")));
    let built = builder.build(&Scan::from(set), &FileSet::default(), Removals::Wait);
    assert!(built.refused.is_empty(), "{:#?}", built.diagnostics);
    built.parts
}

/// The snapshot that these files give, with every endpoint as the files alone have it.
pub fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let parts = parts(files);
    let health = State::default();
    let rows = parts.plans.iter().map(|plan| Arc::new(fill(plan, &health)));
    Snapshot {
        generation: Generation(1),
        revision: Revision(1),
        digest: Digest::default(),
        catalog: parts.catalog,
        table: Table { policies: rows.collect() },
        steered: Arc::new(steered(&parts.plans)),
        plans: parts.plans,
    }
}

/// Counters as a server gives them out: a row of slots for the classes of each plan that uses places.
fn steered(plans: &[Arc<Plan>]) -> SteeredSlots {
    let mut next = 1;
    let classes = plans.iter().map(|plan| {
        let first = next;
        next += plan.class_count() as u32;
        if plan.uses_place() { ClassSlots::from(first) } else { ClassSlots::default() }
    });
    SteeredSlots { slots: Box::default(), classes: classes.collect() }
}

/// The zone, steering and regions of the conformance tests: every kind of answer in one place.
pub fn everything() -> &'static Snapshot {
    static EVERYTHING: OnceLock<Snapshot> = OnceLock::new();
    EVERYTHING.get_or_init(|| {
        let big: String = (0..90).map(|n| format!("big A 198.18.0.{n}\n")).collect();
        let zone = format!("{}{big}", include_str!("../conformance/example.test.zone"));
        snapshot(&[
            ("zones/example.test.zone", &zone),
            ("zones/example.test.toml", include_str!("../conformance/example.test.toml")),
            ("geo/regions.toml", REGIONS),
        ])
    })
}

pub fn core() -> Core {
    let current = CookieSecret::new([7; 16]);
    let cookie_secrets = Some(CookieSecrets { current, previous: None });
    let site = Site { name: "properties".into(), cookie_secrets, ..Site::default() };
    Core::new(Arc::new(site), Arc::new(Counters::default()))
}

/// Answers one request as a transport would.
pub fn answer(
    snapshot: &Snapshot,
    request: &[u8],
    transport: Transport,
    core: &mut Core,
    response: &mut [u8],
) -> Outcome {
    let client = IpAddr::from([193, 0, 0, 1]);
    let now_secs = 1_559_731_985;
    respond_quietly(
        snapshot,
        Exchange { request, client, transport, now_secs, idle_tenths: 0, response },
        core,
    )
}

/// A query message: flags, name in wire format, type, and what comes after the question, of which `additional` records.
pub fn query(flags: u16, name: &[u8], rtype: u16, additional: u16, rest: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for word in [0x1234, flags, 1, 0, 0, additional] {
        wire.extend(word.to_be_bytes());
    }
    wire.extend(name);
    wire.extend(rtype.to_be_bytes());
    wire.extend([0, 1]);
    wire.extend(rest);
    wire
}

/// An OPT record with these flags and options.
pub fn opt(flags: u16, options: &[u8]) -> Vec<u8> {
    let mut wire = vec![0, 0, 41, 0x04, 0xd0, 0, 0];
    wire.extend(flags.to_be_bytes());
    wire.extend((options.len() as u16).to_be_bytes());
    wire.extend(options);
    wire
}

/// Names of [`large`]: more than any cache holds.
pub const LARGE_NAME_COUNT: usize = 40_000;

/// A zone of many names, `n0.large.test` and on, each with an address, and a wildcard.
#[allow(dead_code, reason = "not every test that has this module asks for it")]
pub fn large() -> &'static Snapshot {
    static LARGE: OnceLock<Snapshot> = OnceLock::new();
    LARGE.get_or_init(|| {
        let mut zone =
            "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.wild A 192.0.2.2\n"
                .to_owned();
        (0..LARGE_NAME_COUNT)
            .for_each(|n| zone += &format!("n{n} A 10.0.{}.{}\n", n / 256, n % 256));
        snapshot(&[("zones/large.test.zone", &zone)])
    })
}
