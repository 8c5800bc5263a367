//! What the fold promises. A world of two regions and two pools is told events; laws run over random histories of it.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{
    Action, Boot, Event, Expiry, Failback, Freshness, Identity, Inventory, LogTime, Member,
    Novelty, Report, Safety, Settings, Standing, State, Status, Subject, Tier, Timed,
};
use crate::number::{Digest, Generation, Revision};
use crate::reason::Reason;

const SECOND: u64 = 1000;

fn member(text: &str) -> Member {
    Subject::parse(text).ok().and_then(|s| s.exact()).expect("region/pool/address")
}

fn inventory(settings: Settings, members: &[&str]) -> Arc<Inventory> {
    let mut members: Vec<Member> = members.iter().map(|m| member(m)).collect();
    members.sort();
    let pools = members.iter().map(|m| (m.pool.clone(), settings)).collect();
    let regions = vec!["fra".into(), "iad".into()];
    Arc::new(Inventory { regions, pools, members, ..Inventory::default() })
}

const MEMBERS: [&str; 6] = [
    "fra/web/192.0.2.10",
    "fra/web/192.0.2.11",
    "iad/web/198.51.100.10",
    "iad/web/198.51.100.11",
    "fra/api/192.0.2.10",
    "iad/api/198.51.100.20",
];

/// A state, and the time and the numbers that the next event takes.
struct World {
    state: State,
    at: u64,
    revision: u64,
    seq: u64,
}

impl World {
    fn new(settings: Settings) -> World {
        let mut world = World { state: State::default(), at: 0, revision: 0, seq: 0 };
        world.files(1, inventory(settings, &MEMBERS));
        world
    }

    fn tell(&mut self, event: Event) -> super::Changes {
        self.revision += 1;
        let revision = Revision(self.revision);
        self.state.apply(&Timed { revision, at: LogTime(self.at), event })
    }

    fn files(&mut self, generation: u64, inventory: Arc<Inventory>) {
        let generation = Generation(generation);
        self.tell(Event::Files { generation, digest: Digest::default(), inventory, origin: None });
    }

    fn wait(&mut self, secs: u64) -> &mut World {
        self.at += secs * SECOND;
        self
    }

    fn tick(&mut self) -> super::Changes {
        self.tell(Event::Tick)
    }

    fn report(&mut self, vantage: &str, subject: &str, status: Status) -> super::Changes {
        self.seq += 1;
        self.tell(report(vantage, self.seq, subject, status))
    }

    fn heartbeat(&mut self, vantage: &str) -> super::Changes {
        self.seq += 1;
        let (vantage, boot, seq) = (vantage.into(), Boot(1), self.seq);
        self.tell(Event::Heartbeat { vantage, boot, seq })
    }

    fn order(&mut self, subject: &str, action: Action, expiry: Expiry) {
        self.tell(order(subject, action, expiry));
    }

    fn standing(&self, text: &str) -> Standing {
        self.state.standing(&member(text))
    }

    /// Tier and reason of an endpoint.
    fn tells(&self, text: &str) -> (Tier, Reason) {
        let standing = self.standing(text);
        (standing.tier, standing.reason)
    }
}

/// A `~` before the name: nobody vouches for it.
fn report(vantage: &str, seq: u64, subject: &str, status: Status) -> Event {
    Event::Report(Report {
        vantage: vantage.into(),
        identity: if vantage.starts_with('~') { Identity::Claimed } else { Identity::Proven },
        boot: Boot(1),
        seq,
        subject: Subject::parse(subject).expect("a subject"),
        status,
        load: None,
        reason: None,
    })
}

fn order(subject: &str, action: Action, expiry: Expiry) -> Event {
    let subject = Subject::parse(subject).expect("a subject");
    Event::Override { subject, action, expiry, why: "test".into(), who: "me".into() }
}

fn drain(region: &str, keep: u8) -> Event {
    drain_over(region, keep, 0)
}

fn drain_over(region: &str, keep: u8, over_millis: u64) -> Event {
    let (why, who) = ("test".into(), "me".into());
    Event::Drain { region: region.into(), keep, over_millis, why, who }
}

fn undrain(region: &str, over_millis: u64) -> Event {
    Event::Undrain { region: region.into(), over_millis, why: "".into(), who: "".into() }
}

const FRA: &str = "fra/web/192.0.2.10";

#[test]
fn an_endpoint_never_reported_on_has_the_start_verdict() {
    let world = World::new(Settings { start: Status::Down, ..Settings::default() });
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::NeverReported));
    assert_eq!(world.standing(FRA).freshness, Freshness::Never);
    assert_eq!(world.state.deadline(), None);
    assert_eq!(world.standing("sfo/web/203.0.113.1").tier, Tier::Down);
}

#[test]
fn a_report_turns_a_verdict_and_a_heartbeat_is_a_round() {
    let mut world = World::new(Settings::default());
    let changes = world.report("a", FRA, Status::Down);
    assert_eq!(changes.members, [member(FRA)]);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::Quorum));
    world.wait(10).report("a", FRA, Status::Up);
    assert_eq!(world.tells(FRA).0, Tier::Down);
    assert_eq!(world.standing(FRA).next_change, Some(LogTime(20 * SECOND)));
    world.wait(10).heartbeat("a");
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Quorum));
    assert_eq!(world.standing(FRA).since, LogTime(20 * SECOND));
    // A steady world moves nothing, and its TTL stays the same.
    assert_eq!(world.wait(10).heartbeat("a"), super::Changes::default());
    assert_eq!(world.standing(FRA).steady_millis, Some(10 * SECOND));
}

#[test]
fn silence_is_seen_and_turns_nothing() {
    let mut world = World::new(Settings::default());
    world.report("a", FRA, Status::Down);
    assert_eq!(world.state.deadline(), Some(LogTime(30 * SECOND)));
    world.wait(29).tick();
    assert_eq!(world.standing(FRA).freshness, Freshness::Fresh);
    let changes = world.wait(1).tick();
    assert_eq!(changes.members, [member(FRA)]);
    let standing = world.standing(FRA);
    assert_eq!((standing.tier, standing.freshness), (Tier::Down, Freshness::Frozen));
    assert_eq!((standing.reason, standing.next_change), (Reason::BelowQuorum, None));
    assert_eq!(world.state.deadline(), None);
}

#[test]
fn those_who_are_left_turn_a_verdict_only_when_they_speak() {
    let mut world = World::new(Settings { rise: 1, ..Settings::default() });
    world.report("a", FRA, Status::Down);
    world.report("b", FRA, Status::Down);
    world.wait(20).report("c", FRA, Status::Up);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::Quorum));
    world.wait(10).tick();
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::BelowQuorum));
    world.order(FRA, Action::Hold, Expiry::At(LogTime(31_000)));
    world.wait(1).tick();
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::BelowQuorum));
    world.heartbeat("c");
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Quorum));
}

#[test]
fn a_disbelieved_feed_that_falls_silent_turns_nothing() {
    let mut world = World::new(Settings::default());
    world.report("a", "fra/web", Status::Down);
    world.wait(1).report("a", "iad/web", Status::Down);
    assert_eq!(world.tells("iad/web/198.51.100.10"), (Tier::Up, Reason::Panic));
    world.wait(3600).tick();
    assert_eq!(world.tells("iad/web/198.51.100.10").0, Tier::Up);
    assert_eq!(world.state.panics().count(), 1);
    world.wait(1).report("b", "*/web", Status::Up);
    assert_eq!(world.state.panics().count(), 0);
}

#[test]
fn a_quorum_decides_and_a_tie_is_down() {
    let mut world = World::new(Settings { quorum: 2, rise: 1, ..Settings::default() });
    world.report("a", FRA, Status::Down);
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::BelowQuorum));
    assert_eq!(world.standing(FRA).freshness, Freshness::Stale);
    world.report("b", FRA, Status::Up);
    assert_eq!(world.tells(FRA).0, Tier::Up);
    world.report("c", FRA, Status::Up);
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Quorum));
    world.report("d", FRA, Status::Down);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::Quorum));
    // Repeating an opinion does not swing the tie.
    world.report("b", FRA, Status::Up);
    assert_eq!(world.tells(FRA).0, Tier::Down);
    world.report("d", FRA, Status::Up);
    assert_eq!(world.tells(FRA).0, Tier::Up);
    world.report("b", FRA, Status::Degraded);
    assert_eq!(world.tells(FRA).0, Tier::Up);
    world.report("c", FRA, Status::Degraded);
    assert_eq!(world.tells(FRA).0, Tier::Degraded);
}

#[test]
fn names_that_nobody_vouches_for_count_as_one_vantage() {
    let mut world = World::new(Settings { quorum: 2, rise: 1, ..Settings::default() });
    for vantage in ["~a", "~b", "~c"] {
        world.report(vantage, FRA, Status::Down);
    }
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::BelowQuorum), "design §10");
    assert_eq!(world.standing(FRA).freshness, Freshness::Stale);
    assert_eq!(world.state.evidence(&member(FRA)).len(), 3, "all are seen");
    // One that is proven makes two with all of them, and they are as weighty as it.
    world.report("d", FRA, Status::Down);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::Quorum));
    world.report("e", FRA, Status::Up);
    world.report("d", FRA, Status::Up);
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Quorum));
    // Among themselves they decide as with a quorum of one: a tie is down.
    let mut alone = World::new(Settings { rise: 1, ..Settings::default() });
    alone.report("~a", FRA, Status::Up);
    alone.report("~b", FRA, Status::Down);
    assert_eq!(alone.tells(FRA).0, Tier::Down);
    alone.report("~c", FRA, Status::Up);
    assert_eq!(alone.tells(FRA).0, Tier::Up);
}

#[test]
fn hold_down_delays_a_turn_and_time_alone_ends_it() {
    let settings = Settings { hold_down_millis: 15 * SECOND, rise: 1, ..Settings::default() };
    let mut world = World::new(settings);
    world.report("a", FRA, Status::Down);
    world.wait(5).report("a", FRA, Status::Up);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::HeldDown));
    assert_eq!(world.standing(FRA).next_change, Some(LogTime(15 * SECOND)));
    assert_eq!(world.state.deadline(), Some(LogTime(15 * SECOND)));
    // The tick comes late; the turn is as of its own time.
    world.wait(12).tick();
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Quorum));
    assert_eq!(world.standing(FRA).since, LogTime(15 * SECOND));
}

#[test]
fn failback_waits_for_time_or_for_an_operator() {
    let waits = |failback| Settings { failback, rise: 1, ..Settings::default() };
    let mut world = World::new(waits(Failback::AfterMillis(20 * SECOND)));
    world.report("a", FRA, Status::Down);
    world.wait(1).report("a", FRA, Status::Up);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::AwaitsFailback));
    world.wait(15).heartbeat("a");
    assert_eq!(world.tells(FRA).0, Tier::Down);
    world.wait(5).tick();
    assert_eq!(world.tells(FRA).0, Tier::Up);

    let mut world = World::new(waits(Failback::ByHand));
    world.report("a", FRA, Status::Down);
    world.wait(1).report("a", FRA, Status::Up);
    world.wait(10).heartbeat("a");
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::AwaitsFailback));
    assert_eq!(world.standing(FRA).next_change, None);
    world.order(FRA, Action::Accept, Expiry::Forever);
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Quorum));
}

#[test]
fn the_closer_override_wins_and_expires_to_the_millisecond() {
    let mut world = World::new(Settings::default());
    world.order("fra", Action::Down, Expiry::Forever);
    assert_eq!(world.tells(FRA), (Tier::OverriddenDown, Reason::Overridden));
    world.order("*/web", Action::Up, Expiry::At(LogTime(5000)));
    assert_eq!(world.tells(FRA).0, Tier::Up);
    world.order(FRA, Action::Down, Expiry::At(LogTime(3000)));
    assert_eq!(world.standing(FRA).next_change, Some(LogTime(3000)));
    world.order("192.0.2.10", Action::Up, Expiry::At(LogTime(2000)));
    assert_eq!(world.tells(FRA).0, Tier::Up);
    for (at, expected) in [
        (1999, Tier::Up),
        (2000, Tier::OverriddenDown),
        (2999, Tier::OverriddenDown),
        (3000, Tier::Up),
        (5000, Tier::OverriddenDown),
    ] {
        world.at = at;
        world.tick();
        assert_eq!(world.tells(FRA).0, expected, "at {at}");
    }
    let (subject, why, who) = (Subject::parse("fra").expect("fra"), "".into(), "".into());
    world.tell(Event::ClearOverride { subject, why, who });
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::NeverReported));
}

#[test]
fn hold_on_everything_freezes_all_verdicts() {
    let mut world = World::new(Settings::default());
    world.order("*", Action::Hold, Expiry::At(LogTime(60_000)));
    world.report("a", FRA, Status::Down);
    assert_eq!(world.tells(FRA), (Tier::Up, Reason::Held));
    assert_eq!(world.standing(FRA).next_change, Some(LogTime(60_000)));
    world.wait(20).heartbeat("a");
    world.wait(20).heartbeat("a");
    world.wait(20).tick();
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::Quorum));
}

#[test]
fn words_on_many_endpoints_overlap_and_the_later_wins() {
    let mut world = World::new(Settings::default());
    world.report("a", FRA, Status::Up);
    assert_eq!(world.report("a", "fra/web", Status::Down).members.len(), 2);
    assert_eq!(world.tells(FRA).0, Tier::Down);
    world.report("a", "192.0.2.11", Status::Up);
    world.heartbeat("a");
    assert_eq!(world.tells("fra/web/192.0.2.11").0, Tier::Up);
    assert_eq!(world.tells(FRA).0, Tier::Down);
}

#[test]
fn a_report_waits_for_its_endpoint() {
    let mut world = World::new(Settings::default());
    let new = "iad/web/198.51.100.99";
    world.report("a", "iad/web/198.51.100.99", Status::Down);
    world.heartbeat("a");
    let mut members = MEMBERS.to_vec();
    members.push(new);
    world.files(2, inventory(Settings::default(), &members));
    assert_eq!(world.tells(new), (Tier::Down, Reason::Quorum));
    assert_eq!(world.state.vantages().next().map(|v| v.words), Some(0));
}

#[test]
fn a_returning_endpoint_resumes_as_stale_and_is_forgotten_after_seven_days() {
    let day = 24 * 60 * 60;
    for (away_secs, expected) in [(6 * day, Tier::Down), (7 * day, Tier::Up)] {
        let mut world = World::new(Settings::default());
        world.report("a", FRA, Status::Down);
        world.files(2, inventory(Settings::default(), &MEMBERS[1..]));
        assert_eq!(world.state.members().count(), 5);
        world.wait(away_secs).files(3, inventory(Settings::default(), &MEMBERS));
        assert_eq!(world.tells(FRA).0, expected);
        if expected == Tier::Down {
            assert_eq!(world.standing(FRA).freshness, Freshness::Frozen);
        }
    }
}

#[test]
fn too_much_at_once_is_panic_and_is_disbelieved_as_a_whole() {
    let mut world = World::new(Settings { rise: 1, ..Settings::default() });
    let changes = world.report("a", "*/web", Status::Down);
    assert_eq!(changes.pools, ["web".into()]);
    for text in &MEMBERS[..4] {
        assert_eq!(world.tells(text), (Tier::Up, Reason::Panic), "{text}");
    }
    // The share falls to the limit: the panic ends, and the rest is believed.
    world.wait(5).report("a", "iad/web", Status::Up);
    assert_eq!(world.state.panics().count(), 0);
    assert_eq!(world.tells(FRA), (Tier::Down, Reason::Quorum));
    assert_eq!(world.tells("iad/web/198.51.100.10").0, Tier::Up);
    // The other half, within a minute of the first, is panic again; a minute later it is not.
    world.wait(5).report("a", "iad/web/198.51.100.10", Status::Down);
    assert_eq!(world.tells("iad/web/198.51.100.10"), (Tier::Up, Reason::Panic));
    world.order("*/web", Action::Accept, Expiry::Forever);
    assert_eq!(world.tells("iad/web/198.51.100.10"), (Tier::Down, Reason::Quorum));
    assert_eq!(world.state.panics().count(), 0);
}

#[test]
fn slow_losses_are_believed() {
    let mut world = World::new(Settings::default());
    for text in &MEMBERS[..4] {
        world.report("a", text, Status::Down);
        for _ in 0..3 {
            world.wait(20).heartbeat("a");
        }
        assert_eq!(world.tells(text).0, Tier::Down, "{text}");
    }
    assert_eq!(world.state.panics().count(), 0);
}

#[test]
fn a_drain_keeps_a_share_until_it_is_undone() {
    let mut world = World::new(Settings::default());
    assert_eq!(world.state.keep("fra"), 256);
    assert!(world.tell(drain("fra", 0)).drains);
    assert_eq!(world.state.keep("fra"), 0);
    assert!(!world.tell(drain("fra", 0)).drains);
    let undrain = undrain("fra", 0);
    assert!(world.tell(undrain).drains);
    assert_eq!(world.state.keep("fra"), 256);
}

#[test]
fn what_is_refused_is_refused_with_its_code() {
    let mut world = World::new(Settings::default());
    world.report("a", FRA, Status::Up);
    world.tell(drain("iad", 0));
    world.wait(10).tick();
    let loud = |seq, reason: &str| match report("a", seq, FRA, Status::Up) {
        Event::Report(r) => Event::Report(Report { reason: Some(reason.into()), ..r }),
        other => other,
    };
    let forever = Expiry::Forever;
    let clear =
        Event::ClearOverride { subject: Subject::default(), why: "".into(), who: "".into() };
    let undrain = undrain("fra", 0);
    let cases = [
        (report("a", 1, FRA, Status::Up), Err("duplicate")),
        (report("a", 2, FRA, Status::Up), Ok(())),
        (report("b", 0, FRA, Status::Up), Ok(())),
        (report("a b", 0, FRA, Status::Up), Err("bad-name")),
        (report("", 0, FRA, Status::Up), Err("bad-name")),
        (loud(2, &"x".repeat(201)), Err("bad-reason")),
        (loud(2, "line\nfeed"), Err("bad-reason")),
        (order("sfo", Action::Hold, forever), Err("unknown-subject")),
        (order("*", Action::Hold, forever), Ok(())),
        (order(FRA, Action::Up, Expiry::At(LogTime(10_000))), Err("expired")),
        (order(FRA, Action::Down, forever), Ok(())),
        (order("fra/web", Action::Down, forever), Err("at-least")),
        (drain("fra", 0), Err("at-least")),
        (drain("fra", 128), Ok(())),
        (drain("sfo", 0), Err("unknown-region")),
        (undrain, Err("not-drained")),
        (clear, Err("no-override")),
    ];
    for (event, expected) in cases {
        let refused = world.state.admit(&event, Safety::Kept).map_err(|refusal| refusal.code);
        assert_eq!(refused, expected, "{event:?}");
    }
    assert_eq!(world.state.admit(&drain("fra", 0), Safety::Waived), Ok(()));
}

#[test]
fn what_a_report_adds_is_known() {
    let mut world = World::new(Settings::default());
    world.report("a", "fra", Status::Down);
    let novelty = |world: &World, subject, status| match report("a", 99, subject, status) {
        Event::Report(report) => world.state.novelty(&report, LogTime(world.at)),
        _ => Novelty::News,
    };
    assert_eq!(novelty(&world, "fra", Status::Down), Novelty::Nothing);
    assert_eq!(novelty(&world, FRA, Status::Down), Novelty::Nothing);
    assert_eq!(novelty(&world, "fra", Status::Up), Novelty::News);
    assert_eq!(novelty(&world, "*", Status::Down), Novelty::News);
    world.report("a", FRA, Status::Up);
    assert_eq!(novelty(&world, FRA, Status::Up), Novelty::News, "rise = 2: the round counts");
    world.wait(5);
    assert_eq!(novelty(&world, "fra/web/192.0.2.11", Status::Down), Novelty::Freshness);
    let beat = |boot| world.state.novelty_of_heartbeat("a", Boot(boot), LogTime(world.at));
    assert_eq!((beat(1), beat(2)), (Novelty::News, Novelty::News));
}

/// Settings small enough that everything happens in a short history.
fn any_settings() -> impl Strategy<Value = Settings> {
    let failback = prop_oneof![
        Just(Failback::AtOnce),
        Just(Failback::AfterMillis(7 * SECOND)),
        Just(Failback::ByHand)
    ];
    let times = (prop_oneof![Just(0), Just(12 * SECOND)], failback);
    (1..3u32, 1..3u32, 1..3u32, times, 0.0..1.0f64).prop_map(
        |(quorum, rise, fall, times, share)| {
            let (hold_down_millis, failback) = times;
            let max_down_share = share;
            let start = Settings::default();
            Settings { quorum, rise, fall, hold_down_millis, failback, max_down_share, ..start }
        },
    )
}

fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Up), Just(Status::Degraded), Just(Status::Down)]
}

/// An event and the milliseconds before it. Sequence numbers are given later.
fn any_event() -> impl Strategy<Value = (u64, Event)> {
    let subjects = vec![
        "*",
        "fra",
        "*/web",
        "fra/web",
        FRA,
        "iad/web/198.51.100.10",
        "192.0.2.10",
        "sfo/x/::1",
    ];
    let (subject, vantage) =
        (prop::sample::select(subjects), prop::sample::select(vec!["a", "b", "~c", "~d"]));
    let actions = vec![Action::Up, Action::Down, Action::Hold, Action::Accept];
    let beat = |vantage: &str| Event::Heartbeat { vantage: vantage.into(), boot: Boot(1), seq: 0 };
    let clear = |text| {
        let subject = Subject::parse(text).expect("a subject");
        Event::ClearOverride { subject, why: "".into(), who: "".into() }
    };
    let undrain = undrain("fra", 0);
    let files = |(generation, gone, settings): (u64, usize, Settings)| Event::Files {
        generation: Generation(generation),
        digest: Digest::default(),
        inventory: inventory(settings, &MEMBERS[gone..]),
        origin: None,
    };
    let event = prop_oneof![
        8 => (vantage.clone(), subject.clone(), any_status())
            .prop_map(|(vantage, subject, status)| report(vantage, 0, subject, status)),
        4 => vantage.prop_map(beat),
        2 => (subject.clone(), prop::sample::select(actions), 1..90_000u64)
            .prop_map(|(s, action, at)| order(s, action, Expiry::At(LogTime(at)))),
        1 => subject.prop_map(clear),
        1 => any::<u8>().prop_map(|keep| drain("fra", keep)),
        1 => Just(undrain),
        1 => (1..4u64, 0..3usize, any_settings()).prop_map(files),
        1 => Just(Event::Tick),
    ];
    (prop_oneof![Just(0), 1..3000u64, Just(10_000), Just(31_000)], event)
}

fn any_history() -> impl Strategy<Value = Vec<Timed>> {
    let files = any_settings().prop_map(|settings| Event::Files {
        generation: Generation(1),
        digest: Digest::default(),
        inventory: inventory(settings, &MEMBERS),
        origin: None,
    });
    (files, prop::collection::vec(any_event(), 0..40)).prop_map(|(files, events)| {
        let mut at = 0;
        let mut history = vec![Timed { revision: Revision(10), at: LogTime(0), event: files }];
        for (seq, (wait, mut event)) in (1..).zip(events) {
            match &mut event {
                Event::Report(report) => report.seq = seq,
                Event::Heartbeat { seq: number, .. } => *number = seq,
                _ => {}
            }
            at += wait;
            // Revisions leave room for what a test puts between.
            history.push(Timed { revision: Revision(10 * (seq + 1)), at: LogTime(at), event });
        }
        history
    })
}

fn fold<'t>(history: impl IntoIterator<Item = &'t Timed>) -> State {
    let mut state = State::default();
    for timed in history {
        state.apply(timed);
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn the_image_restores_the_state(history in any_history(), cut in 0..40usize) {
        let cut = cut.min(history.len());
        let mut first = fold(&history[..cut]);
        let mut restored = State::from_bytes(&first.to_bytes()).expect("an image of our own");
        prop_assert_eq!(restored.digest(), first.digest());
        for timed in &history[cut..] {
            prop_assert_eq!(restored.deadline(), first.deadline());
            prop_assert_eq!(restored.apply(timed), first.apply(timed));
        }
        prop_assert_eq!(restored, first);
    }

    #[test]
    fn kept_hashes_follow_the_state(history in any_history()) {
        let mut state = State::default();
        for timed in &history {
            state.apply(timed);
            let fresh = State::from_bytes(&state.to_bytes()).expect("an image of our own");
            prop_assert_eq!(state.digest(), fresh.digest(), "hash-follows, after {:?}", timed);
        }
    }

    #[test]
    fn no_bytes_confuse_the_reader_of_images(
        history in any_history(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = fold(&history).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = State::from_bytes(&bytes);
        let _ = State::from_bytes(&bytes[..at]);
    }

    #[test]
    fn duplicates_and_ticks_leave_no_trace(
        history in any_history(),
        copies in prop::collection::vec(any::<(u8, u8)>(), 40),
    ) {
        let mut noisy = State::default();
        let mut plain = State::default();
        for (index, timed) in history.iter().enumerate() {
            let (copy, kind) = copies.get(index).copied().unwrap_or_default();
            let revision = Revision(timed.revision.0 - 5);
            let before = Timed { revision, at: timed.at, event: Event::Tick };
            if kind % 3 == 0 {
                noisy.apply(&before);
            }
            // A deadline's tick, as another node would write it.
            if kind % 3 == 1 && let Some(at) = noisy.deadline().filter(|&at| at <= timed.at) {
                noisy.apply(&Timed { at, ..before });
            }
            noisy.apply(timed);
            plain.apply(timed);
            // An event that comes again: the same revision, or a report written twice.
            let again = &history[usize::from(copy) % (index + 1)];
            noisy.apply(again);
            if matches!(again.event, Event::Report(_) | Event::Heartbeat { .. }) {
                let revision = Revision(timed.revision.0 + 1);
                noisy.apply(&Timed { revision, ..again.clone() });
            }
            prop_assert_eq!(noisy.digest(), plain.digest(), "after {}", index);
        }
    }

    #[test]
    fn silence_alone_never_turns_a_verdict(history in any_history()) {
        let settings = Settings { failback: Failback::AtOnce, ..Settings::default() };
        let mut history = history;
        // Without waits of hold_down and failback, and without expiring overrides, only reports turn verdicts.
        let by_time = |event: &Event| matches!(event, Event::Override { .. } | Event::Files { .. });
        history.retain(|timed| !by_time(&timed.event));
        let mut world = World::new(settings);
        for timed in &history {
            world.at = world.at.max(timed.at.0);
            world.tell(timed.event.clone());
        }
        let before: Vec<_> = world.state.members().map(|(m, s)| (m.clone(), s.verdict)).collect();
        world.wait(3600).tick();
        prop_assert_eq!(world.state.deadline(), None);
        for (member, verdict) in before {
            let after = world.state.standing(&member);
            prop_assert_eq!(after.verdict, verdict, "{:?}", member);
            prop_assert!(matches!(after.freshness, Freshness::Frozen | Freshness::Never));
        }
    }

    #[test]
    fn one_liar_of_three_never_turns_a_verdict(
        words in prop::collection::vec(any_status(), 1..20),
        truth in any::<bool>(),
    ) {
        let start = if truth { Status::Up } else { Status::Down };
        let mut world = World::new(Settings { quorum: 2, start, ..Settings::default() });
        for word in words {
            world.report("honest", FRA, start);
            world.report("true", FRA, start);
            world.report("liar", FRA, word);
            prop_assert_eq!(world.standing(FRA).verdict, start);
            world.wait(10);
        }
    }

    #[test]
    fn agreement_never_turns_a_verdict_away(history in any_history(), status in any_status()) {
        let mut state = fold(&history);
        let mut revision = history.last().map_or(0, |t| t.revision.0);
        let at = state.now();
        let mut reached = false;
        for round in 0..12 {
            for vantage in ["a", "b", "c"] {
                revision += 1;
                let event = report(vantage, 1000 + revision, FRA, status);
                let at = at.plus_millis(round * 10_000);
                state.apply(&Timed { revision: Revision(revision), at, event });
                let is_so = state.standing(&member(FRA)).verdict == status;
                let held = state.evidence(&member(FRA)).iter().all(|e| e.opinion == Some(status));
                prop_assert!(is_so || !reached);
                reached = is_so && held;
            }
        }
    }

    #[test]
    fn the_deadline_is_when_something_changes(history in any_history()) {
        let mut state = fold(&history);
        let mut revision = history.last().map_or(0, |t| t.revision.0);
        let mut steps = 0;
        while let Some(deadline) = state.deadline() {
            prop_assert!(deadline > state.now());
            steps += 1;
            prop_assert!(steps < 200);
            let early = LogTime(deadline.0 - 1);
            revision += 1;
            let tick = |number, at| {
                let revision = Revision(number);
                Timed { revision, at, event: Event::Tick }
            };
            let digest = state.digest();
            state.apply(&tick(revision, early));
            prop_assert_eq!(state.digest(), digest, "nothing happens before the deadline");
            revision += 1;
            state.apply(&tick(revision, deadline));
        }
    }
}
