//! Decisions: overrides and drains, and what is refused of them.

use super::super::super::{
    Action, Event, Expiry, LogTime, Report, Safety, Settings, Status, Subject, Tier,
};
use super::{FRA, World, drain, order, report, undrain};
use crate::reason::Reason;

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
