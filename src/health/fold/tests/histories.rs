//! Histories: random events on the world, in which everything happens that can.

use proptest::prelude::*;

use super::super::super::{
    Action, Boot, Event, Expiry, Failback, LogTime, Settings, State, Status, Subject, Timed, Words,
};
use super::{FRA, MEMBERS, SECOND, drain, inventory, order, report, undrain};
use crate::number::{Digest, Generation, Revision};

/// Settings small enough that everything happens in a short history.
pub(super) fn any_settings() -> impl Strategy<Value = Settings> {
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

pub(super) fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Up), Just(Status::Degraded), Just(Status::Down)]
}

/// An event and the milliseconds before it. Sequence numbers are given later.
pub(super) fn any_event() -> impl Strategy<Value = (u64, Event)> {
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
        4 => vantage.clone().prop_map(beat),
        2 => (vantage, subject.clone(), any::<bool>()).prop_map(|(vantage, subject, all)| {
            let words = [Subject::parse(subject).expect("a subject")].into();
            let words = if all { Words::AllBut(words) } else { Words::Only(words) };
            Event::Reaffirmed { vantage: vantage.into(), boot: Boot(1), seq: 0, words }
        }),
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

pub(super) fn any_history() -> impl Strategy<Value = Vec<Timed>> {
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

pub(super) fn fold<'t>(history: impl IntoIterator<Item = &'t Timed>) -> State {
    let mut state = State::default();
    for timed in history {
        state.apply(timed);
    }
    state
}
