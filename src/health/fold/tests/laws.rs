//! Laws of the fold, over random histories.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::super::{
    Event, Failback, Freshness, LogTime, Member, Settings, State, Status, Timed,
};
use super::histories::{any_history, any_settings, any_status, fold};
use super::{FRA, World, member, report};
use crate::number::Revision;

/// Two vantages that tell what they see, and one that tells what it likes.
const TRUE: [&str; 2] = ["true", "honest"];
const LIAR: &str = "liar";

/// What is said, after how many milliseconds: a vantage's word on a subject, or without one its heartbeat; by nobody, a
/// tick.
type Testimony = Vec<(u64, Option<&'static str>, Option<(&'static str, Status)>)>;

fn any_testimony() -> impl Strategy<Value = Testimony> {
    let speakers = [Some(TRUE[0]), Some(TRUE[1]), Some(LIAR), Some(LIAR), None];
    let subject = prop::sample::select(vec!["*", "fra", "*/web", FRA, "iad/web/198.51.100.10"]);
    let wait = prop_oneof![Just(0), Just(10_000), 1..12_000u64, Just(31_000)];
    let said = prop::option::weighted(0.7, (subject, any_status()));
    prop::collection::vec((wait, prop::sample::select(speakers.to_vec()), said), 1..50)
}

/// Says it all, tick by tick, and has `check` look after each event, beside the verdicts before it.
fn hear(
    world: &mut World,
    testimony: Testimony,
    check: impl Fn(&World, &BTreeMap<Member, Status>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let verdicts = |world: &World| -> BTreeMap<Member, Status> {
        world.state.members().map(|(member, s)| (member.clone(), s.verdict)).collect()
    };
    for (wait, speaker, said) in testimony {
        let until = world.at + wait;
        while let Some(due) = world.state.deadline().filter(|due| due.0 <= until) {
            let before = verdicts(world);
            world.at = due.0;
            world.tick();
            check(world, &before)?;
        }
        let before = verdicts(world);
        world.at = until;
        match (speaker, said) {
            (None, _) => world.tick(),
            (Some(vantage), None) => world.heartbeat(vantage),
            (Some(vantage), Some((subject, status))) => world.report(vantage, subject, status),
        };
        check(world, &before)?;
    }
    Ok(())
}

/// What the vantages that tell the truth hold of it, as far as they are fresh.
fn true_opinions(state: &State, member: &Member) -> impl Iterator<Item = Status> {
    let told = state.evidence(member).into_iter();
    told.filter(|e| TRUE.contains(&e.vantage) && e.fresh).filter_map(|e| e.opinion)
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
    fn one_liar_of_three_turns_only_what_a_true_vantage_holds(
        settings in any_settings(),
        testimony in any_testimony(),
    ) {
        let mut world = World::new(Settings { quorum: 2, ..settings });
        hear(&mut world, testimony, |world, before| {
            for (member, standing) in world.state.members() {
                let turned = standing.verdict != before[member];
                let sides = true_opinions(&world.state, member).map(|held| held.is_down());
                prop_assert!(
                    !turned || sides.collect::<Vec<_>>().contains(&standing.verdict.is_down()),
                    "{member:?} turned {:?} by the liar alone", standing.verdict,
                );
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_both_true_vantages_hold_is_the_verdict_whatever_the_liar_says(
        rounds in (1..4u32, 1..4u32),
        start in any_status(),
        testimony in any_testimony(),
    ) {
        // Nothing but words: no wait, and no doubt.
        let (rise, fall) = rounds;
        let words = Settings { quorum: 2, rise, fall, start, max_down_share: 1.0, ..Settings::default() };
        hear(&mut World::new(words), testimony, |world, _| {
            for (member, standing) in world.state.members() {
                let held: Vec<Status> = true_opinions(&world.state, member).collect();
                if let [one, other] = held[..] && one == other {
                    prop_assert_eq!(standing.verdict, one, "{:?}", member);
                }
            }
            Ok(())
        })?;
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
