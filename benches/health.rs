//! Health: what an event that moves clients costs the owner of the state, among a thousand policies that are alike.
//!
//! One turn is what stands between an event that is durable and the table that serves: the event folded, the table kept up
//! with it, the digest of the state, the table as a snapshot takes it. Turns go down and up again, so each changes something.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use homing::geo::{Place, PlaceId, Position, World, country_codes, place_centroid};
use homing::health::{Action, Expiry, Subject, Timed};
use homing::health::{Boot, Event, Identity, LogTime, Report, Settings, State, Status};
use homing::number::{Digest, Generation, Revision};
use homing::route::{Compiled, LiveTable, compile, parse_regions, parse_steering};

const POLICY_COUNT: u64 = 1_000;
const REGION_COUNT: usize = 10;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().without_plots();
    let compiled = steered();
    let classes: usize = compiled.plans.iter().map(|plan| plan.class_count()).sum();
    println!(
        "{} policies, {} classes each, {} endpoints",
        compiled.plans.len(),
        classes / compiled.plans.len(),
        compiled.inventory.members.len()
    );
    turns(&mut criterion, "one endpoint, reported", &compiled, |turn| {
        vec![report(turn, turn, "r3/p500/192.0.2.3")]
    });
    turns(&mut criterion, "a region, drained", &compiled, |turn| vec![drained(turn)]);
    turns(&mut criterion, "a region, overridden", &compiled, |turn| vec![overridden(turn)]);
    turns(&mut criterion, "a region, reported endpoint by endpoint", &compiled, |turn| {
        let report =
            |pool: u64| report(turn, turn * 10_000 + pool, &format!("r3/p{pool}/192.0.2.3"));
        (0..POLICY_COUNT).map(report).collect()
    });
    criterion.final_summary();
}

/// As many policies by nearness as a platform has customers with routers of their own, each with an endpoint in every region.
fn steered() -> Compiled {
    let (mut regions, mut steering) = (String::new(), String::new());
    let positions = country_codes().filter_map(|code| place_centroid(code, None));
    for (number, at) in positions.step_by(250 / REGION_COUNT).take(REGION_COUNT).enumerate() {
        let (lat, lon) = (at.latitude, at.longitude);
        writeln!(regions, "[r{number}]\nposition = [{lat:?}, {lon:?}]").unwrap();
    }
    for policy in 0..POLICY_COUNT {
        writeln!(steering, "[pools.p{policy}]").unwrap();
        for region in 0..REGION_COUNT {
            writeln!(steering, "r{region} = [\"192.0.2.{region}\"]").unwrap();
        }
        writeln!(steering, "[policies.p{policy}]\npool = \"p{policy}\"\nunknown = [\"r0\"]")
            .unwrap();
        let rule = |at: usize| {
            let (octets, region) = (format!("{}.{}", at / 2, at % 2 * 128), at % REGION_COUNT);
            format!("{{ subnets = [\"{octets}.0.0/9\"], regions = [\"r{region}\"] }}")
        };
        let rules: Vec<String> = (0..22).map(rule).collect();
        writeln!(steering, "rules = [{}, {{ regions = \"nearest\" }}]", rules.join(", ")).unwrap();
    }
    let steering = parse_steering("zones/web.toml", steering.as_bytes()).0.expect("sound");
    let regions = parse_regions("geo/regions.toml", regions.as_bytes()).0.expect("sound");
    // An endpoint turns at the first word, so that each turn changes something.
    let settings = Settings { rise: 1, max_down_share: 1.0, ..Settings::default() };
    compile(&[steering], &regions, &grid(), None, &settings)
}

/// A world of one network for each square of some degrees, scattered: with the rules, as many classes as regions and rules
/// of a large platform make on a fine database.
fn grid() -> World {
    let square = |lat: i32| (-180..180).step_by(2).map(move |lon| (lat as f32, lon as f32));
    let squares: Vec<(f32, f32)> = (-60..68).step_by(2).flat_map(square).collect();
    let scattered = (0..squares.len()).map(|number| squares[number * 1_009 % squares.len()]);
    let place = |(latitude, longitude)| Place {
        position: Some(Position { latitude, longitude }),
        ..Place::default()
    };
    let places: Vec<Place> = [Place::default()].into_iter().chain(scattered.map(place)).collect();
    let v4 = (0..places.len() as u32).map(|id| (id << 14, PlaceId(id)));
    World::of_runs(v4, [(0, PlaceId(0))], places.clone())
}

fn turns(
    criterion: &mut Criterion,
    name: &str,
    compiled: &Compiled,
    mut events: impl FnMut(u64) -> Vec<Event>,
) {
    let mut health = State::default();
    let inventory = compiled.inventory.clone();
    let (generation, digest) = (Generation(1), Digest::default());
    let mut revision = 0;
    let mut timed = |event| {
        revision += 1;
        Timed { revision: Revision(revision), at: LogTime(1_800_000_000_000 + revision), event }
    };
    health.apply(&timed(Event::Files { generation, digest, inventory, origin: None }));
    let mut table = LiveTable::new(&compiled.plans, &health);
    let mut turn = 0;
    criterion.bench_function(&format!("health/{name}"), |bencher| {
        bencher.iter_custom(|count| {
            let mut taken = Duration::ZERO;
            for _ in 0..count {
                turn += 1;
                let events: Vec<Timed> = events(turn).into_iter().map(&mut timed).collect();
                let begun = Instant::now();
                let changes: Vec<_> = events.iter().map(|event| health.apply(event)).collect();
                table.follow(&changes, &health);
                black_box((health.digest(), table.table()));
                taken += begun.elapsed();
                assert!(changes.iter().all(|it| it.drains || !it.members.is_empty()), "{name}");
            }
            taken
        });
    });
}

fn report(turn: u64, seq: u64, subject: &str) -> Event {
    Event::Report(Report {
        vantage: "probe".into(),
        identity: Identity::Proven,
        boot: Boot(1),
        seq,
        subject: Subject::parse(subject).expect("sound"),
        status: if turn % 2 == 1 { Status::Down } else { Status::Up },
        load: None,
        reason: None,
    })
}

fn drained(turn: u64) -> Event {
    let (region, over_millis, why, who) = ("r3".into(), 0, "".into(), "bench".into());
    if turn % 2 == 1 {
        return Event::Drain { region, keep: 0, over_millis, why, who };
    }
    Event::Undrain { region, over_millis, why, who }
}

fn overridden(turn: u64) -> Event {
    let subject = Subject::parse("r3").expect("sound");
    let (why, who) = ("".into(), "bench".into());
    if turn % 2 == 1 {
        let (action, expiry) = (Action::Down, Expiry::Forever);
        return Event::Override { subject, action, expiry, why, who };
    }
    Event::ClearOverride { subject, why, who }
}
