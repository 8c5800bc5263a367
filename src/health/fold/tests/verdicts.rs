//! Verdicts: what reports, silence and time make of an endpoint.

use super::super::super::{
    Action, Boot, Event, Expiry, Failback, Freshness, LogTime, Novelty, Settings, Status, Tier,
};
use super::super::Changes;
use super::{FRA, MEMBERS, SECOND, World, inventory, member, report};
use crate::reason::Reason;

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
    assert_eq!(world.wait(10).heartbeat("a"), Changes::default());
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
