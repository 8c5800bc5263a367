//! What the witness says is the same from wherever it begins, and its alarms are those that the state gives.

use std::sync::Arc;

use super::*;
use crate::alarm::Alarm;
use crate::health::{Action, Boot, Expiry, Identity, Inventory, LogTime, Report, Settings, Status};
use crate::number::{Digest, Generation};

const ENDPOINTS: [&str; 3] = ["fra/web/192.0.2.1", "fra/web/192.0.2.2", "iad/web/192.0.2.3"];

fn files() -> Event {
    let mut members = ENDPOINTS.map(|e| Subject::parse(e).unwrap().exact().unwrap()).to_vec();
    members.sort();
    let pools = [("web".into(), Settings { quorum: 2, ..Settings::default() })].into();
    let regions = vec!["fra".into(), "iad".into()];
    let inventory = Arc::new(Inventory { regions, pools, members, ..Inventory::default() });
    Event::Files { generation: Generation(1), digest: Digest::default(), inventory, origin: None }
}

fn report(vantage: &str, seq: u64, subject: &str, status: Status) -> Event {
    Event::Report(Report {
        vantage: vantage.into(),
        identity: Identity::Proven,
        boot: Boot(1),
        seq,
        subject: Subject::parse(subject).unwrap(),
        status,
        load: None,
        reason: None,
    })
}

fn decide(subject: &str, action: Action, expiry: Expiry) -> Event {
    let subject = Subject::parse(subject).unwrap();
    Event::Override { subject, action, expiry, why: "test".into(), who: "ana".into() }
}

/// A history with turns, panics, silence, an override that ends by itself, and things left behind by the files.
fn history() -> Vec<Timed> {
    let mut events = vec![(1_000, files())];
    for (seq, at) in (0..30u64).zip((2_000u64..).step_by(4_000)) {
        let down = [Status::Up, Status::Up, Status::Down][usize::try_from(seq / 4 % 3).unwrap()];
        for vantage in ["a", "b"] {
            // One falls silent for a while.
            if vantage == "b" && (8..20).contains(&seq) {
                continue;
            }
            for endpoint in ENDPOINTS {
                events.push((at, report(vantage, seq * 2, endpoint, down)));
            }
            let beat = (vantage.into(), Boot(1), seq * 2 + 1);
            let (vantage, boot, seq) = beat;
            events.push((at + 1_000, Event::Heartbeat { vantage, boot, seq }));
        }
        if seq == 9 {
            let until = Expiry::At(LogTime(at + 9_000));
            events.push((at, decide(ENDPOINTS[0], Action::Down, until)));
            events.push((at, decide("fra/other/198.51.100.1", Action::Hold, until)));
        }
    }
    events.push((400_000, Event::Tick));
    let timed =
        |((at, event), revision)| Timed { revision: Revision(revision), at: LogTime(at), event };
    events.into_iter().zip(1..).map(timed).collect()
}

#[test]
fn what_is_told_is_the_same_from_wherever_it_begins() {
    let history = history();
    let mut first = Witness::of(State::default());
    let told: Vec<WatchEvent> = history.iter().map(|timed| first.see(timed)).collect();
    let mut state = State::default();
    for (begin, timed) in history.iter().enumerate() {
        let mut later = Witness::of(state.clone());
        let again: Vec<WatchEvent> = history[begin..].iter().map(|t| later.see(t)).collect();
        assert_eq!(again, told[begin..], "from revision {begin}");
        state.apply(timed);
    }
    let turned = told.iter().flat_map(|event| &event.turned);
    assert!(turned.clone().any(|turn| (&*turn.was, &*turn.status) == ("up", "down")));
    assert!(turned.clone().any(|turn| turn.status == "overridden-down"));
    let alarms: Vec<_> = told.iter().flat_map(|event| &event.alarms).collect();
    for alarm in [Alarm::VantageMissing, Alarm::Dangling, Alarm::PoolFrozen, Alarm::BelowQuorum] {
        for change in ["raised", "cleared"] {
            let found = alarms.iter().any(|c| c.alarm.alarm == alarm.code() && c.change == change);
            // Nobody looks any more in the end.
            let expected = alarm != Alarm::PoolFrozen || change == "raised";
            assert!(found || !expected, "{alarm} is never {change}: {alarms:?}");
        }
    }
}

#[test]
fn the_alarms_told_are_those_that_the_state_gives() {
    let mut witness = Witness::of(State::default());
    let mut standing = std::collections::BTreeSet::new();
    for timed in history() {
        for change in witness.see(&timed).alarms {
            let key = (change.alarm.alarm, change.alarm.subject);
            match change.change.as_str() {
                "raised" => assert!(standing.insert(key), "raised twice"),
                _ => assert!(standing.remove(&key), "cleared, and never raised"),
            }
        }
        let given = concerns::of(witness.state()).into_keys();
        let given: std::collections::BTreeSet<_> =
            given.map(|(alarm, subject)| (alarm.code().to_owned(), subject.to_string())).collect();
        assert_eq!(standing, given, "after revision {}", timed.revision);
    }
}

#[test]
fn one_event_lists_a_bounded_number_of_endpoints() {
    let members: Vec<Member> = (0..1_000)
        .map(|n| Subject::parse(&format!("fra/web/2001:db8::{n:x}")).unwrap().exact().unwrap())
        .collect();
    let mut sorted = members;
    sorted.sort();
    let pools = [("web".into(), Settings::default())].into();
    let inventory = Arc::new(Inventory {
        regions: vec!["fra".into()],
        pools,
        members: sorted,
        ..Inventory::default()
    });
    let (generation, digest) = (Generation(1), Digest::default());
    let files = Event::Files { generation, digest, inventory, origin: None };
    let mut witness = Witness::of(State::default());
    let timed = |revision, event| Timed { revision: Revision(revision), at: LogTime(1), event };
    assert_eq!(witness.see(&timed(1, files)).turned, [], "they came, and did not turn");
    let told = witness.see(&timed(2, decide("*", Action::Down, Expiry::Forever)));
    assert_eq!((told.turned.len(), told.turned_more), (256, 744));
}
