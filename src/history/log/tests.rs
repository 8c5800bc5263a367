//! What the log promises, on real files: a kill at any byte, a full disk, two servers, a newer version.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::{Kind, Log, LogError, files, line};
use crate::health::{
    Action, Boot, Capacity, Event, Expiry, Failback, Identity, Inventory, LogTime, Member, Origin,
    Report, Settings, State, Status, Subject, Timed, Words,
};
use crate::number::{Digest, Generation, Revision};

fn member(number: u8) -> Member {
    let address = format!("192.0.2.{number}").into();
    Member { region: "fra".into(), pool: "web".into(), address }
}

fn files_event(generation: u64) -> Event {
    let inventory = Inventory {
        regions: vec!["fra".into(), "iad".into()],
        pools: [("web".into(), Settings::default())].into(),
        members: vec![member(1), member(2)],
        ttl_max_millis: 60_000,
        capacities: [("fra".into(), Capacity { load: 100.0, high: 0.8, low: 0.6 })].into(),
        borders: [(("fra".into(), "iad".into()), 65_536)].into(),
    };
    let (generation, digest) = (Generation(generation), Digest::of(b"files"));
    Event::Files { generation, digest, inventory: Arc::new(inventory), origin: None }
}

fn report(seq: u64, status: Status) -> Event {
    let (vantage, boot, subject) = ("probe".into(), Boot(1), Subject::of(&member(1)));
    let identity = Identity::Claimed;
    Event::Report(Report {
        vantage,
        identity,
        boot,
        seq,
        subject,
        status,
        load: None,
        reason: None,
    })
}

fn drain() -> Event {
    let (region, why) = ("fra".into(), "works \"at\" 3".into());
    Event::Drain { region, keep: 0, over_millis: 0, why, who: "me".into() }
}

fn reaffirmed(words: Words) -> Event {
    Event::Reaffirmed { vantage: "probe".into(), boot: Boot(1), seq: 3, words }
}

/// A history with time that goes back once.
fn history() -> Vec<(LogTime, Event)> {
    let events = [
        files_event(1),
        report(1, Status::Down),
        report(2, Status::Up),
        drain(),
        files_event(2),
        reaffirmed(Words::Only([Subject::parse("fra/web").expect("a subject")].into())),
        Event::Tick,
    ];
    [5, 10, 9, 20, 30, 40, 70].map(|s| LogTime(s * 1000)).into_iter().zip(events).collect()
}

fn fold<'t>(events: impl IntoIterator<Item = &'t Timed>) -> State {
    let mut state = State::default();
    for timed in events {
        state.apply(timed);
    }
    state
}

/// The only segment of a state folder.
fn segment(state: &Path) -> PathBuf {
    files::path_of(&state.join("log"), Kind::Segment, 1)
}

fn words(error: Result<(Log, super::Replay), LogError>) -> String {
    error.map(|_| "opened").expect_err("this must not open").to_string()
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut log, replay) = Log::open(dir.path()).expect("a new log");
    assert_eq!((replay.state, replay.events), (State::default(), 0));
    let mut all = log.append(history()).expect("written");
    let times: Vec<u64> = all.iter().map(|t| t.at.0 / 1000).collect();
    assert_eq!(times, [5, 10, 10, 20, 30, 40, 70]);
    all.extend(log.append(vec![(LogTime(0), report(4, Status::Down))]).expect("written"));
    assert_eq!((log.revision(), log.last_time()), (Revision(8), LogTime(70_000)));
    drop(log);
    let (log, replay) = Log::open(dir.path()).expect("the same log");
    assert_eq!((replay.state, replay.notes), (fold(&all), vec![]));
    assert_eq!(log.revision(), Revision(8));
    assert_eq!(log.events_after(Revision(0)).expect("read"), Some(all.clone()));
    assert_eq!(log.events_after(Revision(6)).expect("read"), Some(all[6..].to_vec()));
    assert_eq!(log.events_after(Revision(8)).expect("read"), Some(vec![]));
}

#[test]
fn a_kill_at_any_byte_leaves_the_whole_lines_before_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut log, _) = Log::open(dir.path()).expect("a new log");
    let all = log.append(history()).expect("written");
    drop(log);
    let bytes = fs::read(segment(dir.path())).expect("the segment");
    for cut in 0..=bytes.len() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("log")).expect("a folder");
        fs::write(segment(dir.path()), &bytes[..cut]).expect("a cut segment");
        let whole = bytes[..cut].iter().filter(|&&b| b == b'\n').count();
        let ends_whole = cut == 0 || bytes[cut - 1] == b'\n';
        let (mut log, replay) = Log::open(dir.path()).expect("a cut log opens");
        assert_eq!(replay.state, fold(&all[..whole]), "cut at {cut}");
        assert_eq!(replay.notes.is_empty(), ends_whole, "cut at {cut}");
        // Nothing is deleted, and the log goes on.
        let aside = fs::read_dir(dir.path().join("log")).expect("list");
        let aside =
            aside.filter_map(Result::ok).filter(|e| e.path().extension() == Some("cut".as_ref()));
        assert_eq!(aside.count(), usize::from(!ends_whole));
        // The file system takes its time over syncs: every seventh cut, and those at line ends, go on.
        if !ends_whole && cut % 7 > 0 {
            continue;
        }
        let more = log.append(vec![(LogTime(90_000), Event::Tick)]).expect("written");
        drop(log);
        let (_, replay) = Log::open(dir.path()).expect("the log opens again");
        assert_eq!(replay.state, fold(all[..whole].iter().chain(&more)));
        assert_eq!(replay.notes, Vec::<String>::new());
    }
}

#[test]
fn a_line_that_went_bad_in_the_middle_is_told_and_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut log, _) = Log::open(dir.path()).expect("a new log");
    log.append(history()).expect("written");
    drop(log);
    let path = segment(dir.path());
    let good = fs::read(&path).expect("the segment");
    let third = good.split_inclusive(|&b| b == b'\n').take(2).map(<[u8]>::len).sum::<usize>();
    let mut bad = good.clone();
    bad[third + 20] ^= 1;
    fs::write(&path, &bad).expect("a damaged segment");
    let told = words(Log::open(dir.path()));
    assert!(told.contains(".log:3: the checksum does not match; restore"), "{told}");
    assert!(!told.contains('\n'));
    assert_eq!(fs::read(&path).expect("the segment"), bad);
}

#[test]
fn two_servers_never_share_a_folder_and_an_older_one_refuses_newer_state() {
    let dir = tempfile::tempdir().expect("a folder");
    let (log, _) = Log::open(dir.path()).expect("a new log");
    assert!(words(Log::open(dir.path())).contains("is held by another server"));
    drop(log);
    fs::write(dir.path().join("log/format"), "2\n").expect("a newer format");
    let told = words(Log::open(dir.path()));
    assert!(told.contains("format 2 was written by a newer version"), "{told}");
}

#[test]
fn a_fold_shortens_the_replay_and_old_segments_go() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut log, mut replay) = Log::open(dir.path()).expect("a new log");
    let take = |log: &mut Log, state: &mut State, events| {
        for timed in log.append(events).expect("written") {
            state.apply(&timed);
        }
    };
    take(&mut log, &mut replay.state, vec![(LogTime(0), files_event(1))]);
    let mut seq = 0;
    for round in 1..=8 {
        // Each round begins a segment, as if the one before were full.
        log.segment = None;
        for _ in 0..3 {
            seq += 1;
            let status = if seq % 2 == 0 { Status::Up } else { Status::Down };
            take(&mut log, &mut replay.state, vec![(LogTime(round), report(seq, status))]);
        }
        log.write_fold(&replay.state).expect("a fold");
    }
    drop(log);
    let folder = dir.path().join("log");
    assert_eq!(files::list(&folder, Kind::Fold).expect("list").len(), 2);
    assert_eq!(files::list(&folder, Kind::Segment).expect("list").len(), 5);
    let (log, again) = Log::open(dir.path()).expect("the same log");
    assert_eq!((&again.state, again.events), (&replay.state, 0));
    assert_eq!(log.events_after(Revision(1)).expect("read"), None);
    assert!(log.events_after(Revision(20)).expect("read").is_some());
    drop(log);
    // The newest fold goes bad: the one before it and the events since serve.
    let (_, newest) = files::list(&folder, Kind::Fold).expect("list").pop().expect("a fold");
    fs::write(&newest, b"0000").expect("a damaged fold");
    let (log, again) = Log::open(dir.path()).expect("the same log");
    assert_eq!((&again.state, again.events), (&replay.state, 3));
    assert!(again.notes[0].starts_with("passed over: "));
    drop(log);
    // Both are gone: events are missing, and that is said.
    for (_, path) in files::list(&folder, Kind::Fold).expect("list") {
        fs::remove_file(path).expect("removed");
    }
    assert!(words(Log::open(dir.path())).contains("from revision 1 on are missing"));
}

#[test]
fn what_a_failed_batch_left_behind_is_cut_off() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut log, _) = Log::open(dir.path()).expect("a new log");
    let mut all = log.append(history()).expect("written");
    // As a disk that fills up in the middle of a batch leaves it.
    let path = segment(dir.path());
    let mut bytes = fs::read(&path).expect("the segment");
    bytes.extend_from_slice(b"0123abcd {\"revision\":8,\"at\"");
    fs::write(&path, &bytes).expect("half a line");
    if let Some(segment) = &mut log.segment {
        segment.dirty = true;
    }
    all.extend(log.append(vec![(LogTime(80_000), drain())]).expect("written"));
    drop(log);
    let (_, replay) = Log::open(dir.path()).expect("the same log");
    assert_eq!((replay.state, replay.notes), (fold(&all), vec![]));
}

#[test]
fn a_log_that_cannot_be_created_says_so_in_one_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("state");
    fs::write(&file, "not a folder").expect("a file");
    let told = words(Log::open(&file));
    assert!(told.contains("could not create") && !told.contains('\n'), "{told}");
}

fn any_text() -> impl Strategy<Value = Box<str>> {
    "\\PC{0,30}".prop_map(Into::into)
}

fn any_origin() -> impl Strategy<Value = Origin> {
    (any_text(), prop::option::of(any::<u64>()), any_text(), any_text())
        .prop_map(|(kind, of, who, why)| Origin { kind, of: of.map(Generation), who, why })
}

fn any_subject() -> impl Strategy<Value = Subject> {
    let texts = vec!["*", "fra", "*/web", "fra/web/2001:db8::1", "192.0.2.1", "lb.example.net."];
    prop::sample::select(texts).prop_map(|text| Subject::parse(text).expect("a subject"))
}

fn any_inventory() -> impl Strategy<Value = Arc<Inventory>> {
    let failback = prop_oneof![
        Just(Failback::AtOnce),
        any::<u64>().prop_map(Failback::AfterMillis),
        Just(Failback::ByHand)
    ];
    let status = prop::sample::select(vec![Status::Up, Status::Degraded, Status::Down]);
    let settings = (any::<(u32, u32, u32, u64, u64, u32)>(), failback, status, 0.0..=1.0f64)
        .prop_map(
            |(
                (quorum, rise, fall, interval_millis, hold_down_millis, at_least),
                failback,
                start,
                max_down_share,
            )| {
                Settings {
                    quorum,
                    rise,
                    fall,
                    interval_millis,
                    hold_down_millis,
                    failback,
                    start,
                    at_least,
                    max_down_share,
                }
            },
        );
    let pools = prop::collection::btree_map(any_text(), settings, 0..3);
    let members = prop::collection::vec((any_text(), any_text(), any_text()), 0..4);
    let regions = prop::collection::vec(any_text(), 0..3);
    let marks = (0.0..1e15, 0.5..1.0, 0.1..0.5);
    let capacity = marks.prop_map(|(load, high, low)| Capacity { load, high, low });
    let capacities = prop::collection::btree_map(any_text(), capacity, 0..3);
    let borders = prop::collection::btree_map((any_text(), any_text()), any::<u32>(), 0..3);
    let all = (regions, pools, members, any::<u64>(), capacities, borders);
    all.prop_map(|(regions, pools, members, ttl_max_millis, capacities, borders)| {
        let member = |(region, pool, address)| Member { region, pool, address };
        let members = members.into_iter().map(member).collect();
        Arc::new(Inventory { regions, pools, members, ttl_max_millis, capacities, borders })
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let actions = vec![Action::Up, Action::Down, Action::Hold, Action::Accept];
    let status = prop::sample::select(vec![Status::Up, Status::Degraded, Status::Down]);
    let load = prop::option::of(0.0..1e12f64);
    let words = || (any_text(), any_text());
    prop_oneof![
        (any::<u64>(), any::<[u8; 32]>(), any_inventory(), prop::option::of(any_origin()))
            .prop_map(|(generation, digest, inventory, origin)| {
                Event::Files {
                    generation: Generation(generation),
                    digest: Digest(digest),
                    inventory,
                    origin: origin.map(Box::new),
                }
            }),
        (
            any_text(),
            any::<(u64, u64)>(),
            any_subject(),
            status,
            load,
            prop::option::of(any_text()),
            prop::sample::select(vec![Identity::Proven, Identity::Claimed]),
        )
            .prop_map(|(vantage, (boot, seq), subject, status, load, reason, identity)| {
                Event::Report(Report {
                    vantage,
                    identity,
                    boot: Boot(boot),
                    seq,
                    subject,
                    status,
                    load,
                    reason,
                })
            }),
        (any_text(), any::<(u64, u64)>()).prop_map(|(vantage, (boot, seq))| Event::Heartbeat {
            vantage,
            boot: Boot(boot),
            seq
        }),
        (
            any_text(),
            any::<(u64, u64)>(),
            prop::collection::vec(any_subject(), 0..4),
            any::<bool>()
        )
            .prop_map(|(vantage, (boot, seq), subjects, all)| {
                let subjects = subjects.into();
                let words = if all { Words::AllBut(subjects) } else { Words::Only(subjects) };
                Event::Reaffirmed { vantage, boot: Boot(boot), seq, words }
            }),
        (any_subject(), prop::sample::select(actions), prop::option::of(any::<u64>()), words())
            .prop_map(|(subject, action, at, (why, who))| {
                let expiry = at.map_or(Expiry::Forever, |at| Expiry::At(LogTime(at)));
                Event::Override { subject, action, expiry, why, who }
            }),
        (any_subject(), words()).prop_map(|(subject, (why, who))| Event::ClearOverride {
            subject,
            why,
            who
        }),
        (any_text(), any::<u8>(), any::<u64>(), words()).prop_map(
            |(region, keep, over_millis, (why, who))| Event::Drain {
                region,
                keep,
                over_millis,
                why,
                who
            }
        ),
        (any_text(), any::<u64>(), words()).prop_map(|(region, over_millis, (why, who))| {
            Event::Undrain { region, over_millis, why, who }
        }),
        Just(Event::Tick),
    ]
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let with = |load, region: &str| {
        let subject = Subject { region: Some(region.into()), ..Subject::default() };
        match report(1, Status::Up) {
            Event::Report(r) => Event::Report(Report { load, subject, ..r }),
            other => other,
        }
    };
    let dir = tempfile::tempdir().expect("a folder");
    let (mut log, _) = Log::open(dir.path()).expect("a new log");
    for event in [with(Some(f64::NAN), "fra"), with(Some(f64::INFINITY), "fra"), with(None, "a/b")]
    {
        let written = log.append(vec![(LogTime(1), Event::Tick), (LogTime(1), event)]);
        assert!(matches!(written, Err(LogError::Unwritable { .. })));
    }
    assert_eq!(log.revision(), Revision(0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_reads_as_it_was_written(event in any_event(), number in any::<(u64, u64)>()) {
        let timed = Timed { revision: Revision(number.0), at: LogTime(number.1), event };
        let last = Arc::new(Inventory::default());
        let bytes = line::encode(&timed, &last).expect("encoded");
        prop_assert_eq!(bytes.iter().filter(|&&b| b == b'\n').count(), 1);
        prop_assert_eq!(line::decode(&bytes[..bytes.len() - 1], &last), Ok(timed));
    }

    #[test]
    fn no_line_confuses_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = line::decode(&bytes, &Arc::new(Inventory::default()));
    }
}

#[test]
fn an_earlier_state_is_the_fold_of_what_had_happened_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path()).unwrap();
    let mut known = State::default();
    let mut states = Vec::new();
    for n in 1..=6u64 {
        let timed = log.append(vec![(LogTime(n * 1000), report(n, Status::Up))]).unwrap();
        timed.iter().for_each(|timed| drop(known.apply(timed)));
        states.push(known.clone());
        if n == 3 {
            log.write_fold(&known).unwrap();
        }
    }
    for (millis, expected) in [(1000, 0), (1999, 0), (2500, 1), (3000, 2), (4100, 3), (9000, 5)] {
        let state = super::state_at(folder.path(), LogTime(millis)).unwrap().unwrap();
        assert_eq!(state.digest(), states[expected].digest(), "{millis}");
    }
    let before = super::state_at(folder.path(), LogTime(500)).unwrap().unwrap();
    assert_eq!(before.digest(), State::default().digest());
    // Once the beginning is no longer kept, a time before the oldest fold is not told.
    let first = fs::read_dir(folder.path().join("log")).unwrap().map(|e| e.unwrap().path());
    let first = first.filter(|path| path.extension().is_some_and(|e| e == "log")).min().unwrap();
    fs::remove_file(first).unwrap();
    assert!(super::state_at(folder.path(), LogTime(2500)).unwrap().is_none());
}
