//! Laws of the fold, over random histories.

use proptest::prelude::*;

use super::super::super::{Event, Failback, Freshness, LogTime, Settings, State, Status, Timed};
use super::histories::{any_history, any_status, fold};
use super::{FRA, World, member, report};
use crate::number::Revision;

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
