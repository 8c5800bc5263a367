//! Every code of the closed list reaches a user: for each there is something that can happen after which `explain` gives it.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use homing::api::ExplainRoute;
use homing::ask::{Inquiry, Scene, explain};
use homing::health::{
    Action, Boot, Event, Expiry, Identity, LogTime, Report, State, Status, Subject, Timed,
};
use homing::number::Revision;
use homing::reason::Reason;

use crate::world;

const ZONE: &str = "@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.53\n\
    backed A 192.0.2.99\n";

const STEERING: &str = r#"
[pools.web]
fra = ["192.0.2.101", "192.0.2.102", "2001:db8::101"]
iad = ["198.51.100.101"]
[pools.web.health]
max_down_share = 1

[pools.calm]
fra = ["192.0.2.111", "192.0.2.112", "192.0.2.113"]

[pools.slow]
fra = ["192.0.2.121"]
[pools.slow.health]
max_down_share = 1
hold_down = "1h"

[pools.hand]
fra = ["192.0.2.131"]
[pools.hand.health]
max_down_share = 1
failback = "by hand"

[policies.web]
pool    = "web"
ttl     = { min = 10, max = 60 }
answers = 1
rules   = [
  { subnets = ["198.51.100.0/24"], regions = ["iad"] },
  { subnets = ["203.0.113.0/24"], regions = [{ region = "iad", weight = 1 }] },
  { subnets = ["192.88.0.0/24"], regions = ["iad"], fence = true },
  { regions = "nearest" },
]
unknown = ["fra"]

[policies.backed]
pool = "web"
ttl  = { min = 10, max = 60 }
when_all_down = "default"
rules = [{ regions = "nearest" }]

[policies.calm]
pool = "calm"
ttl  = { min = 10, max = 60 }
rules = [{ regions = "nearest" }]

[policies.slow]
pool = "slow"
ttl  = { min = 10, max = 60 }
rules = [{ regions = "nearest" }]

[policies.hand]
pool = "hand"
ttl  = { min = 10, max = 60 }
rules = [{ regions = "nearest" }]

[routes."example.test"]
"web"    = "web"
"backed" = "backed"
"calm"   = "calm"
"slow"   = "slow"
"hand"   = "hand"
"#;

const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\ncapacity = 100\n\
    [iad]\nposition = [38.95, -77.45]\ncapacity = 100000\n";

/// A client in Amsterdam: fra is nearest.
const AMS: &str = "193.0.0.1";

/// What happens before somebody asks, with the second at which it does.
type History = Vec<(u64, Event)>;

fn subject(text: &str) -> Subject {
    Subject::parse(text).expect("a subject")
}

fn says(at: u64, of: &str, status: Status) -> (u64, Event) {
    let report = Report {
        vantage: "v1".into(),
        identity: Identity::Proven,
        boot: Boot(1),
        seq: at,
        subject: subject(of),
        status,
        load: None,
        reason: None,
    };
    (at, Event::Report(report))
}

fn orders(at: u64, of: &str, action: Action, expiry: Expiry) -> (u64, Event) {
    let (why, who) = ("test".into(), "me".into());
    (at, Event::Override { subject: subject(of), action, expiry, why, who })
}

/// Frankfurt has ten times what it can take for so long that all of the border to Ashburn is shed.
fn overload() -> History {
    let load = |at: u64, of: &str, load: f64| {
        let (at, Event::Report(report)) = says(at, of, Status::Up) else { unreachable!() };
        (at, Event::Report(Report { load: Some(load), ..report }))
    };
    let minutes = 1..=20;
    minutes.flat_map(|m| [load(m * 130, "iad", 0.0), load(m * 130 + 2, "fra", 1000.0)]).collect()
}

/// What brings `reason` about, and the question that is then explained with it. A new reason needs a case here.
fn case(reason: Reason) -> (History, &'static str, &'static str, &'static str) {
    use Status::{Down, Up};
    let down = |of| vec![says(1, of, Down)];
    let forever = Expiry::Forever;
    let drain = || {
        let (why, who) = ("test".into(), "me".into());
        vec![(1, Event::Drain { region: "fra".into(), keep: 0, over_millis: 0, why, who })]
    };
    let back = |of| vec![says(1, of, Down), says(2, of, Up), says(3, of, Up)];
    match reason {
        Reason::NeverReported | Reason::Nearest | Reason::Behind | Reason::Chosen => {
            (vec![], "web", "A", AMS)
        }
        Reason::Spare => (vec![], "web", "A", AMS),
        Reason::UnknownPlace => (vec![], "web", "A", "127.0.0.1"),
        Reason::Rule => (vec![], "web", "A", "198.51.100.7"),
        Reason::Weighted => (vec![], "web", "A", "203.0.113.7"),
        Reason::Fenced => (vec![], "web", "A", "192.88.0.7"),
        Reason::LacksFamily => (vec![], "web", "AAAA", "198.51.100.7"),
        Reason::Quorum | Reason::Outranked => (down("fra/web/192.0.2.101"), "web", "A", AMS),
        Reason::BelowQuorum => (vec![says(1, "fra/web", Up), (3600, Event::Tick)], "web", "A", AMS),
        Reason::AllDown | Reason::Spill => (down("fra/web"), "web", "A", AMS),
        Reason::LastResort => (down("*/web"), "web", "A", AMS),
        Reason::DefaultRrset => (down("*/web"), "backed", "A", AMS),
        Reason::HeldDown => (back("*/slow"), "slow", "A", AMS),
        Reason::AwaitsFailback => (back("*/hand"), "hand", "A", AMS),
        Reason::Panic => (down("*/calm"), "calm", "A", AMS),
        Reason::Drained => (drain(), "web", "A", AMS),
        Reason::Shed => (overload(), "web", "A", AMS),
        Reason::Overridden | Reason::OverriddenDown => {
            (vec![orders(1, "fra/web", Action::Down, forever)], "web", "A", AMS)
        }
        Reason::Held => (vec![orders(1, "*", Action::Hold, forever)], "web", "A", AMS),
        Reason::Expires => {
            let expiry = Expiry::At(LogTime(60_000));
            (vec![orders(1, "fra/web", Action::Up, expiry)], "web", "A", AMS)
        }
    }
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        Scene::of_files(&world::parts(&[
            ("zones/example.test.zone", ZONE),
            ("zones/example.test.toml", STEERING),
            ("geo/regions.toml", REGIONS),
        ]))
    })
}

/// The files as they are, after `history`.
fn after(history: History) -> Scene {
    let mut health: State = State::clone(&Arc::clone(&scene().health));
    for (at, event) in history {
        let revision = Revision(health.revision().0 + 1);
        health.apply(&Timed { revision, at: LogTime(at * 1000), event });
    }
    scene().under(health)
}

/// Every code in a body.
fn codes(route: &ExplainRoute) -> BTreeSet<&str> {
    let mut codes = BTreeSet::from([route.reason.as_str()]);
    codes.extend(route.ttl.reason.as_deref());
    for region in &route.regions {
        codes.insert(&region.reason);
        for endpoint in &region.endpoints {
            codes.extend([endpoint.choice.as_str(), endpoint.reason.as_str()]);
            codes.extend(endpoint.next_reason.as_deref());
        }
    }
    codes
}

#[test]
fn each_code_of_the_list_can_be_reached() {
    for reason in Reason::ALL {
        let (history, name, rtype, client) = case(reason);
        let inquiry = Inquiry::read(&format!("{name}.example.test"), rtype, client).unwrap();
        let told = explain(&after(history), &inquiry).expect("an explanation");
        let [route] = &told.routes[..] else { panic!("one route: {}", told.text) };
        assert!(codes(route).contains(reason.code()), "{reason} is not told:\n{}", told.text);
    }
}

#[test]
fn every_code_is_one_of_the_list_and_its_words_stand_in_the_text() {
    for reason in Reason::ALL {
        let (history, name, rtype, client) = case(reason);
        let inquiry = Inquiry::read(&format!("{name}.example.test"), rtype, client).unwrap();
        let told = explain(&after(history), &inquiry).expect("an explanation");
        for code in told.routes.iter().flat_map(codes) {
            assert!(Reason::ALL.iter().any(|reason| reason.code() == code), "{code}");
        }
        for route in &told.routes {
            assert!(told.text.contains(&route.because), "{}", told.text);
        }
    }
}

#[test]
fn what_an_operator_decided_comes_with_the_command_that_takes_it_back() {
    for (reason, command) in [
        (Reason::Drained, "homing undrain fra"),
        (Reason::Held, "homing override '*' --clear"),
        (Reason::OverriddenDown, "homing override 'fra/web' --clear"),
        (Reason::AwaitsFailback, "homing override fra/hand/192.0.2.131 accept"),
        (Reason::Panic, "homing override '*/calm' accept"),
    ] {
        let (history, name, rtype, client) = case(reason);
        let inquiry = Inquiry::read(&format!("{name}.example.test"), rtype, client).unwrap();
        let told = explain(&after(history), &inquiry).expect("an explanation");
        assert!(told.text.contains(command), "{command} is not in:\n{}", told.text);
    }
}

/// The TTL is the time to the next possible change when an event was folded, and stands until the next one.
#[test]
fn a_ttl_is_the_time_to_the_next_possible_change_within_its_bounds() {
    let up = |at| says(at, "*/slow", Status::Up);
    let turned = || vec![says(1, "*/slow", Status::Down)];
    // hold_down of an hour: long beyond the policy's most. A pool whose vantage speaks every 10 s may turn in one
    // round, 10 s from its last. Where nobody ever spoke nothing could change.
    for (history, name, steady, ttl) in [
        (vec![], "slow", None, 60),
        (vec![up(1), up(2)], "slow", Some(10_000), 10),
        (turned(), "slow", Some(3_600_000), 60),
        (vec![says(1, "fra/web/192.0.2.101", Status::Up)], "web", Some(10_000), 10),
        (
            vec![orders(30, "iad/web", Action::Up, Expiry::At(LogTime(75_000)))],
            "web",
            Some(45_000),
            45,
        ),
        (
            vec![orders(30, "iad/web", Action::Up, Expiry::At(LogTime(33_000)))],
            "web",
            Some(3_000),
            10,
        ),
    ] {
        let inquiry = Inquiry::read(&format!("{name}.example.test"), "A", AMS).unwrap();
        let told = explain(&after(history.clone()), &inquiry).expect("an explanation");
        let derived = &told.routes[0].ttl;
        assert_eq!((derived.steady_millis, derived.secs), (steady, ttl), "{}", told.text);
        let sent: Vec<u32> = told.response.answer.iter().map(|it| it.ttl.as_secs()).collect();
        assert_eq!(sent, [ttl], "what is told is what is sent:\n{}", told.text);
        // Another site folds a tick that no deadline asked for: same TTL, however late.
        let tick = history.last().map_or(1, |(at, _)| at + 2);
        let late = history.into_iter().chain([(tick, Event::Tick)]).collect();
        let again = explain(&after(late), &inquiry).expect("an explanation");
        assert_eq!(again.response, told.response);
    }
}
