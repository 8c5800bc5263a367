//! Load is shed without swinging: a seeded simulation over the real fold and the real tables.
//!
//! Resolvers all over the world each keep an answer for its TTL, so that what is shed shows minutes later; three vantages tell
//! the load of each region every 10 s, each with an error of its own. What happens is drawn to `target/shedding.svg`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use homing::ask::Scene;
use homing::health::{Boot, Event, Identity, LogTime, Report, State, Status, Subject, Timed};
use homing::load::Parts;
use homing::number::{Digest, RegionId, Revision};
use homing::route::{Asker, Family, LiveTable, Plan, PolicyTable, choose, fill};
use homing::trace::{ClientSource, Silent};

use crate::world;

const REGIONS: [(&str, &str); 4] = [
    ("fra", "[50.11, 8.68]"),
    ("iad", "[38.95, -77.45]"),
    ("sfo", "[37.62, -122.38]"),
    ("sin", "[1.35, 103.82]"),
];
const ZONE: &str = "@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.53\n";
const RESOLVERS: usize = 3_000;
const TTL_SECS: u64 = 60;
const STEP_SECS: u64 = 5;
/// Six hours.
const END_SECS: u64 = 6 * 3600;
/// How busy each region is when nothing happens.
const CALM: f64 = 0.5;
const HIGH: f64 = 0.8;
/// How far a vantage may be off.
const NOISE: f64 = 0.1;

/// How much more the clients of each region ask for at a time, and which region is down.
type Weather = fn(region: usize, secs: u64) -> f64;

struct Scenario {
    name: &'static str,
    weather: Weather,
    /// Region and second from which on it is down.
    lost: Option<(usize, u64)>,
    /// Turns from more to less, or back, that each border may make.
    reversals: usize,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "one hot region",
        weather: |region, secs| if region == 0 && secs > 600 { 1.9 } else { 1.0 },
        lost: None,
        reversals: 0,
    },
    Scenario {
        name: "a surge, and its end",
        weather: |region, secs| {
            if region == 0 && (600..10_000).contains(&secs) { 1.9 } else { 1.0 }
        },
        lost: None,
        reversals: 1,
    },
    Scenario {
        name: "two hot neighbours",
        weather: |region, secs| if matches!(region, 1 | 2) && secs > 600 { 1.7 } else { 1.0 },
        lost: None,
        reversals: 1,
    },
    Scenario {
        name: "all full, one the most",
        weather: |region, secs| match region {
            _ if secs <= 600 => 1.0,
            0 => 2.8,
            _ => 2.0,
        },
        lost: None,
        reversals: 1,
    },
    Scenario {
        name: "a region lost while its neighbour is hot",
        weather: |region, secs| if region == 0 && secs > 600 { 1.7 } else { 1.0 },
        lost: Some((3, 9_000)),
        reversals: 2,
    },
];

/// The generator of Numerical Recipes, 64 bits; the upper ones are good.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 31) as f64
    }
}

/// A resolver, the region that it was told, and until when it keeps that.
struct Resolver {
    address: IpAddr,
    home: usize,
    told: Option<usize>,
    until: u64,
}

fn parts(capacities: Option<[f64; 4]>) -> Parts {
    let (mut pool, mut regions) = (String::from("[pools.web]\n"), String::new());
    for (at, (name, position)) in REGIONS.iter().enumerate() {
        writeln!(pool, "{name} = [\"192.0.2.{}\"]", at + 1).unwrap();
        writeln!(regions, "[{name}]\nposition = {position}").unwrap();
        if let Some(all) = capacities {
            writeln!(regions, "capacity = {}", all[at]).unwrap();
        }
    }
    let policy = "[pools.web.health]\nmax_down_share = 1\n[policies.web]\npool = \"web\"\nttl = { min = 60, max = 60 }\n\
        rules = [{ regions = \"nearest\" }]\nunknown = [\"fra\"]\n[routes.\"example.test\"]\n\"www\" = \"web\"\n";
    world::parts(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &format!("{pool}{policy}")),
        ("geo/regions.toml", &regions),
    ])
}

fn region_of(plan: &Plan, table: &PolicyTable, address: IpAddr) -> Option<usize> {
    let asker = Asker { address, source: ClientSource::Subnet };
    let RegionId(region) = choose(plan, table, Family::V4, asker, &mut Silent)?.choice.region?;
    Some(usize::from(region))
}

/// What stays the same in all scenarios: the files, and who asks.
struct Stage {
    parts: Parts,
    state: State,
    addresses: Vec<(IpAddr, usize)>,
    capacities: [f64; 4],
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let bare = parts(None);
        let (plan, scene) = (&bare.plans[0], Scene::of_files(&bare));
        let table = fill(plan, &*scene.health);
        let (mut random, mut addresses, mut counts) = (Random(5), Vec::new(), [0.0; 4]);
        while addresses.len() < RESOLVERS {
            let address = IpAddr::V4(Ipv4Addr::from_bits(random.next() as u32 * 2));
            if scene.world.lookup(address).0.position.is_none() {
                continue;
            }
            let home = region_of(plan, &table, address).expect("all are up");
            counts[home] += 1.0;
            addresses.push((address, home));
        }
        let capacities = counts.map(|count: f64| count / CALM);
        let parts = parts(Some(capacities));
        let state = State::clone(&Scene::of_files(&parts).health);
        Stage { parts, state, addresses, capacities }
    })
}

/// From whom, to whom, and how many 256ths of the border.
type Shares = BTreeMap<(String, String), u16>;

/// What came of a scenario.
struct Course {
    /// By step: how busy each region truly is.
    uses: Vec<[f64; 4]>,
    /// By step: the share of each border.
    shares: Vec<Shares>,
    digest: Digest,
}

fn shares(state: &State) -> Shares {
    let of = |(from, _): &(&'static str, &'static str)| {
        let all = state.sheds(from).into_iter();
        all.map(|(to, share)| ((from.to_string(), to.to_owned()), share)).collect::<Vec<_>>()
    };
    REGIONS.iter().flat_map(of).collect()
}

/// A scenario that runs.
struct Run<'s> {
    scenario: &'s Scenario,
    plan: &'static Plan,
    state: State,
    table: PolicyTable,
    live: LiveTable,
    random: Random,
}

impl Run<'_> {
    /// Each vantage tells the load of each region, as well as it knows.
    fn tell(&mut self, secs: u64, load: &[f64; 4]) {
        for vantage in ["a", "b", "c"] {
            for (region, load) in load.iter().enumerate() {
                let error = 1.0 + NOISE * (2.0 * self.random.share() - 1.0);
                self.report(vantage, region, secs, (load * error).round());
            }
        }
    }

    fn report(&mut self, vantage: &str, region: usize, secs: u64, load: f64) {
        let is_lost = self.scenario.lost.is_some_and(|(it, at)| it == region && secs >= at);
        let revision = Revision(self.state.revision().0 + 1);
        let report = Report {
            vantage: vantage.into(),
            identity: Identity::Proven,
            boot: Boot(1),
            seq: revision.0,
            subject: Subject::parse(REGIONS[region].0).unwrap(),
            status: if is_lost { Status::Down } else { Status::Up },
            load: Some(load),
            reason: None,
        };
        let before = shares(&self.state);
        let at = LogTime((secs + 1) * 1000);
        let changes = self.state.apply(&Timed { revision, at, event: Event::Report(report) });
        if !changes.drains && changes.members.is_empty() {
            return;
        }
        let table = fill(self.plan, &self.state);
        let moves_shares_alone = changes.members.is_empty();
        self.live.follow(&[changes], &self.state);
        assert_eq!(
            *self.live.table().policies[0],
            table,
            "{}: the table follows",
            self.scenario.name
        );
        if moves_shares_alone {
            let shares = (&before, &shares(&self.state));
            holds_its_step(self.scenario, self.plan, (&self.table, &table), shares);
        }
        self.table = table;
    }
}

fn run(scenario: &Scenario, seed: u64) -> Course {
    let Stage { parts, state, addresses, capacities } = stage();
    let (plan, state, mut random) = (&*parts.plans[0], state.clone(), Random(seed));
    let resolver = |&(address, home): &(IpAddr, usize)| Resolver {
        address,
        home,
        told: Some(home),
        until: random.next() % TTL_SECS,
    };
    let mut resolvers: Vec<Resolver> = addresses.iter().map(resolver).collect();
    let (table, live) = (fill(plan, &state), LiveTable::new(&parts.plans, &state));
    let mut run = Run { scenario, plan, table, live, state, random };
    let mut course = Course { uses: Vec::new(), shares: Vec::new(), digest: Digest::default() };
    for secs in (0..END_SECS).step_by(STEP_SECS as usize) {
        let mut load = [0.0; 4];
        for resolver in &mut resolvers {
            if resolver.until <= secs {
                resolver.told = region_of(plan, &run.table, resolver.address);
                resolver.until = secs + TTL_SECS;
            }
            if let Some(region) = resolver.told {
                load[region] += (scenario.weather)(resolver.home, secs);
            }
        }
        course.uses.push(std::array::from_fn(|region| load[region] / capacities[region]));
        course.shares.push(shares(&run.state));
        if secs.is_multiple_of(10) {
            run.tell(secs, &load);
        }
    }
    course.digest = run.state.digest();
    course
}

/// A change of shares moves nobody but clients of the borders that changed, and no more than an eighth of a region.
fn holds_its_step(
    scenario: &Scenario,
    plan: &Plan,
    (old, new): (&PolicyTable, &PolicyTable),
    (before, after): (&Shares, &Shares),
) {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> =
        keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).collect();
    let mut moved: BTreeMap<usize, f64> = BTreeMap::new();
    let mut all: BTreeMap<usize, f64> = BTreeMap::new();
    for &(address, _) in &stage().addresses {
        let [was, is] = [old, new].map(|table| region_of(plan, table, address).unwrap());
        *all.entry(was).or_default() += 1.0;
        if was != is {
            *moved.entry(was).or_default() += 1.0;
            let name = |at: usize| REGIONS[at].0;
            let is_between = |(from, to): &(String, String)| {
                let pair = [from.as_str(), to.as_str()];
                pair == [name(was), name(is)] || pair == [name(is), name(was)]
            };
            assert!(
                changed.iter().any(|border| is_between(border)),
                "{}: {address} moved from {} to {}, and {changed:?} changed",
                scenario.name,
                name(was),
                name(is)
            );
        }
    }
    for (region, count) in moved {
        // A border is not as busy everywhere, and a class is not cut finer than its networks of /20.
        let share = count / all[&region];
        assert!(
            share < 0.2,
            "{}: {:.0} % moved at once: {changed:?}",
            scenario.name,
            share * 100.0
        );
    }
}

/// How often each border turned from more to less, or back; steps of a few 256ths are no turn.
fn reversals(course: &Course) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    let keys: BTreeSet<_> = course.shares.iter().flat_map(BTreeMap::keys).cloned().collect();
    for key in keys {
        let (mut last, mut direction, mut count) = (0i32, 0i32, 0);
        for step in &course.shares {
            let now = i32::from(step.get(&key).copied().unwrap_or(0));
            if (now - last).abs() < 4 {
                continue;
            }
            let sign = (now - last).signum();
            count += usize::from(direction != 0 && sign != direction);
            (direction, last) = (sign, now);
        }
        counts.insert(key, count);
    }
    counts
}

fn mean(course: &Course, region: usize, secs: std::ops::Range<u64>) -> f64 {
    let steps = (secs.start / STEP_SECS) as usize..(secs.end / STEP_SECS) as usize;
    let all = &course.uses[steps];
    all.iter().map(|uses| uses[region]).sum::<f64>() / all.len() as f64
}

#[test]
fn load_is_shed_and_taken_back_and_never_swings() {
    let courses: Vec<Course> = SCENARIOS.iter().map(|scenario| run(scenario, 7)).collect();
    draw(&courses);
    for (scenario, course) in SCENARIOS.iter().zip(&courses) {
        for (border, count) in reversals(course) {
            let name = scenario.name;
            assert!(count <= scenario.reversals, "{name}: {border:?} turned {count} times");
        }
    }
    let [hot, surge, two, full, lost] = &courses[..] else { unreachable!() };
    // The load is over before, and within its mark an hour after it began.
    assert!(mean(hot, 0, 605..635) > 0.9, "{}", mean(hot, 0, 605..635));
    for (course, region, name) in
        [(hot, 0, "hot"), (surge, 0, "surge"), (two, 1, "two"), (lost, 0, "lost")]
    {
        let settled = mean(course, region, 4_200..9_000);
        assert!(settled < HIGH + 0.03, "{name}: {} is at {settled:.2}", REGIONS[region].0);
    }
    // San Francisco has no neighbour with room but for crumbs, and is left as it is.
    assert!(mean(two, 2, 4_200..9_000) < 0.86);
    // What was shed is back when the surge is over.
    assert_eq!(surge.shares.last().map(BTreeMap::len), Some(0), "{:?}", surge.shares.last());
    assert!((mean(surge, 0, 20_000..21_000) - CALM).abs() < 0.03);
    // Where all are full, they share alike, as far as their borders reach.
    let spread = |from: u64| {
        let uses = [0, 1, 2, 3].map(|region| mean(full, region, from..from + 600));
        uses.iter().fold(0.0, |a: f64, b| a.max(*b)) - uses.iter().fold(9.0, |a: f64, b| a.min(*b))
    };
    assert!(spread(18_000) < spread(700) / 2.0, "{:.2} of {:.2}", spread(18_000), spread(700));
    assert!(mean(lost, 3, 10_000..12_000) < 0.01);
}

#[test]
fn one_seed_is_one_state_and_another_is_as_calm() {
    let scenario = &SCENARIOS[0];
    assert_eq!(run(scenario, 7).digest, run(scenario, 7).digest);
    let other = run(scenario, 8);
    assert!(mean(&other, 0, 5_000..9_000) < HIGH + 0.03);
    assert!(reversals(&other).values().all(|count| *count == 0));
}

/// A panel for each scenario: how busy regions are, and below, the shares of borders.
fn draw(courses: &[Course]) {
    const COLOURS: [&str; 4] = ["#c0392b", "#2980b9", "#27ae60", "#8e44ad"];
    let (width, height) = (900.0, 260.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        width + 120.0,
        height * courses.len() as f64 + 20.0
    );
    for (panel, (scenario, course)) in SCENARIOS.iter().zip(courses).enumerate() {
        let top = panel as f64 * height + 30.0;
        let x = |step: usize| 40.0 + width * step as f64 / course.uses.len() as f64;
        let y = |ratio: f64| top + 150.0 - 100.0 * ratio.min(1.5);
        let line = |text: &mut String, points: &[(f64, f64)], style: &str| {
            let all: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            writeln!(text, "<polyline fill=\"none\" {style} points=\"{}\"/>", all.join(" "))
                .unwrap();
        };
        writeln!(text, "<text x=\"40\" y=\"{}\">{}</text>", top - 8.0, scenario.name).unwrap();
        for mark in [0.6, 0.8, 1.0] {
            let ends = [(40.0, y(mark)), (40.0 + width, y(mark))];
            line(&mut text, &ends, "stroke=\"#bbb\" stroke-dasharray=\"4 4\"");
            let label = format!("{:.0} %", mark * 100.0);
            writeln!(text, "<text x=\"4\" y=\"{:.1}\" fill=\"#777\">{label}</text>", y(mark) + 4.0)
                .unwrap();
        }
        for (region, colour) in COLOURS.iter().enumerate() {
            let points =
                (0..course.uses.len()).step_by(6).map(|s| (x(s), y(course.uses[s][region])));
            line(&mut text, &points.collect::<Vec<_>>(), &format!("stroke=\"{colour}\""));
            let (name, at) = (REGIONS[region].0, y(course.uses.last().unwrap()[region]) + 4.0);
            writeln!(
                text,
                "<text x=\"{}\" y=\"{at:.1}\" fill=\"{colour}\">{name}</text>",
                width + 46.0
            )
            .unwrap();
        }
        let keys: BTreeSet<_> = course.shares.iter().flat_map(BTreeMap::keys).cloned().collect();
        for key in keys {
            let share = |s: usize| f64::from(course.shares[s].get(&key).copied().unwrap_or(0));
            let points: Vec<_> = (0..course.shares.len())
                .step_by(6)
                .map(|s| (x(s), top + 215.0 - share(s) / 256.0 * 50.0))
                .collect();
            let region = REGIONS.iter().position(|(name, _)| *name == key.0).unwrap();
            let to = REGIONS.iter().position(|(name, _)| *name == key.1).unwrap();
            let dashes = ["none", "8 3", "2 2", "8 3 2 3"][to];
            let style = format!(
                "stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"",
                COLOURS[region]
            );
            line(&mut text, &points, &style);
            let (label, at) = (format!("{} → {}", key.0, key.1), points.last().unwrap().1);
            writeln!(text, "<text x=\"{}\" y=\"{at:.1}\">{label}</text>", width + 46.0).unwrap();
        }
    }
    text.push_str("</svg>\n");
    let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join("shedding.svg"), text).unwrap();
}
