//! Everything after a revision, once and in order, whether it is recent, in the log, or both; bounded.

use super::super::follower::{Follower, Lost};
use super::*;
use crate::health::{Event, LogTime};
use crate::history::Log;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn ticks(count: usize) -> Vec<(LogTime, Event)> {
    (0..count).map(|_| (LogTime(1_000), Event::Tick)).collect()
}

/// Follows from `from` up to `until`, and gives what was told.
fn follow(feed: &Changefeed, from: u64, until: u64) -> Result<Vec<u64>, Lost> {
    runtime().block_on(async {
        let mut follower = Follower::new(feed.clone(), Revision(from));
        let mut told: Vec<u64> = Vec::new();
        while told.last().copied().unwrap_or(from) < until {
            let batch = follower.take().await?;
            if batch.is_empty() {
                follower.changed().await;
            }
            told.extend(batch.iter().map(|one| one.revision().0));
        }
        Ok(told)
    })
}

#[test]
fn every_event_is_told_once_from_wherever_one_begins() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(dir.path()).unwrap();
    let mut state = State::default();
    // Of before the start: only the log tells of them.
    log.append(ticks(100)).unwrap().iter().for_each(|timed| drop(state.apply(timed)));
    let (feed, teller, thread) = Changefeed::start(state, Some(dir.path())).unwrap();
    // More than is kept at hand, and every third batch is only in the log, as if the queue had been full.
    let all = 100 + RECENT_COUNT_MAX as u64 + 500;
    for round in 0.. {
        let left = usize::try_from(all - log.revision().0).unwrap();
        let events: Arc<[Timed]> = log.append(ticks(left.min(97))).unwrap().into();
        if events.is_empty() {
            break;
        }
        if round % 3 != 1 || left <= 97 {
            teller.tell(events);
        }
    }
    for from in [0, 1, 99, 100, 101, 597, 598, 4_000, all - 1, all] {
        let told = follow(&feed, from, all).unwrap();
        assert_eq!(told, (from + 1..=all).collect::<Vec<u64>>(), "from {from}");
    }
    assert!(feed.shared.lock().events.len() <= RECENT_COUNT_MAX);
    drop(teller);
    thread.join().unwrap();
}

#[test]
fn what_is_no_longer_kept_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(dir.path()).unwrap();
    let mut state = State::default();
    for _ in 0..2 {
        log.append(ticks(10)).unwrap().iter().for_each(|timed| drop(state.apply(timed)));
        log.write_fold(&state).unwrap();
    }
    let (feed, ..) = Changefeed::start(state, Some(dir.path())).unwrap();
    assert_eq!(follow(&feed, 3, 20).unwrap(), (4..=20).collect::<Vec<u64>>(), "from the start");
    // As after many folds: the first segment is gone, and a later one begins after the older fold.
    let folder = dir.path().join("log");
    let first = folder.join(format!("{:020}.log", 1));
    let text = std::fs::read_to_string(&first).unwrap();
    let later: String = text.split_inclusive('\n').skip(10).collect();
    std::fs::write(folder.join(format!("{:020}.log", 11)), later).unwrap();
    std::fs::remove_file(first).unwrap();
    assert_eq!(follow(&feed, 10, 20).unwrap(), (11..=20).collect::<Vec<u64>>());
    match follow(&feed, 9, 20) {
        Err(Lost::TooOld(oldest)) => assert_eq!(oldest, Some(Revision(10))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_events_are_bounded_by_count_and_by_octets() {
    let mut recent = Recent { events: VecDeque::new(), octets: 0, before: Revision(0) };
    let told = |revision, detail: String| {
        let timed = Timed { revision: Revision(revision), at: LogTime(1), event: Event::Tick };
        Told { event: crate::api::watch_event(&timed), json: detail }
    };
    for revision in 1..=100 {
        recent.push(told(revision, "x".repeat(RECENT_OCTETS_MAX / 10)));
    }
    assert_eq!((recent.events.len(), recent.before), (10, Revision(90)));
    for revision in 101..=10_000 {
        recent.push(told(revision, String::new()));
    }
    assert_eq!(recent.events.len(), RECENT_COUNT_MAX);
    assert_eq!(recent.octets, recent.events.iter().map(|one| one.json.len()).sum::<usize>());
}
