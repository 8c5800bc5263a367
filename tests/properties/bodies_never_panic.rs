//! Whatever arrives as a body of the feed, reading it ends; and what is admitted of it is in the log, and reads back as the
//! very state that it made.

use std::sync::Arc;

use homing::api::{LINE_COUNT_MAX, read_item, read_lines};
use homing::health::{Event, Identity, LogTime, Safety, State, Timed};
use homing::history::Log;
use homing::number::{Generation, Revision};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::happenings;

const AT: LogTime = LogTime(1_000);

const WORDS: [&str; 52] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\n",
    " ",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1e999",
    "1e-400",
    "0.1",
    "18446744073709551615",
    "18446744073709551616",
    "\"vantage\":\"a\"",
    "\"vantage\":\"b\"",
    "\"vantage\":\"\"",
    "\"boot\":1",
    "\"boot\":2",
    "\"boot\":-1",
    "\"seq\":1",
    "\"seq\":2",
    "\"seq\":3",
    "\"seq\":1.5",
    "\"heartbeat\":true",
    "\"heartbeat\":false",
    "\"subject\":\"fra\"",
    "\"subject\":\"*\"",
    "\"subject\":\"fra/web/192.0.2.10\"",
    "\"subject\":\"192.0.2.10\"",
    "\"subject\":\"a/b/c/d\"",
    "\"subject\":\"\\u002a\"",
    "\"status\":\"up\"",
    "\"status\":\"down\"",
    "\"status\":\"degraded\"",
    "\"status\":\"ill\"",
    "\"load\":1e300",
    "\"load\":-0.0",
    "\"load\":0.5",
    "\"reason\":\"x\"",
    "\"reason\":\"\u{1f680}\"",
];

/// Fields of a report, any of which may be missing, twice, or wrong.
fn report() -> impl Strategy<Value = String> {
    let field = |words: Vec<&'static str>| proptest::option::weighted(0.9, select(words));
    let fields = (
        field(vec!["\"vantage\":\"a\"", "\"vantage\":\"b\"", "\"vantage\":\"a b\""]),
        field(vec![
            "\"boot\":1,\"seq\":1",
            "\"boot\":1,\"seq\":2",
            "\"boot\":2,\"seq\":1",
            "\"seq\":9",
        ]),
        field(vec!["\"subject\":\"fra\"", "\"subject\":\"*/web\"", "\"subject\":\"192.0.2.10\""]),
        field(vec!["\"status\":\"up\"", "\"status\":\"down\"", "\"status\":\"degraded\""]),
        proptest::option::of(select(vec![
            "\"load\":1e300",
            "\"load\":0.5",
            "\"load\":-1",
            "\"load\":5e-324",
        ])),
        proptest::option::of(select(vec![
            "\"heartbeat\":true",
            "\"reason\":\"\u{1f680}\u{0301}\"",
        ])),
    );
    fields.prop_map(|(a, b, c, d, e, f)| {
        let fields: Vec<&str> = [a, b, c, d, e, f].into_iter().flatten().collect();
        format!("{{{}}}", fields.join(","))
    })
}

/// A body that is nearly sound: reports in an array or a line each, of which some octets are others.
fn nearly_sound() -> impl Strategy<Value = Vec<u8>> {
    let body =
        (vec(report(), 1..6), any::<bool>()).prop_map(|(reports, is_array)| match is_array {
            true => format!("[{}]", reports.join(",")),
            false => reports.join("\n"),
        });
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (body, changes).prop_map(|(body, changes)| {
        let mut body = body.into_bytes();
        for (place, octet) in changes {
            let place = place.index(body.len());
            body[place] = octet;
        }
        body
    })
}

/// Reads a body, and has what is admitted written and folded.
fn take(body: &[u8]) -> Result<(), TestCaseError> {
    let lines = match read_lines(body) {
        Ok(lines) => lines,
        Err(error) => {
            prop_assert!(!error.code.is_empty() && !error.message.is_empty());
            return Ok(());
        }
    };
    prop_assert!(!lines.is_empty() && lines.len() <= LINE_COUNT_MAX);
    let parts = &happenings::files()[0];
    let (generation, digest) = (Generation(1), parts.files_digest);
    let inventory = Arc::clone(&parts.inventory);
    let mut events = vec![Event::Files { generation, digest, inventory, origin: None }];
    let mut state = State::default();
    apply(&mut state, &events[0]);
    for (line, n) in lines.into_iter().zip(1..) {
        let Ok(line) = line else { continue };
        // What is written is what was read.
        let again = serde_json::to_vec(&line).unwrap();
        prop_assert_eq!(read_item(&again).ok(), Some(line.clone()));
        let Ok(event) = line.into_event(Identity::Claimed, || (1_000, n)) else { continue };
        if state.admit(&event, Safety::Kept).is_ok() {
            apply(&mut state, &event);
            events.push(event);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path()).unwrap();
    log.append(events.into_iter().map(|event| (AT, event)).collect()).unwrap();
    drop(log);
    let (_, replay) = Log::open(folder.path()).unwrap();
    prop_assert_eq!(replay.state.digest(), state.digest());
    Ok(())
}

fn apply(state: &mut State, event: &Event) {
    let revision = Revision(state.revision().0 + 1);
    state.apply(&Timed { revision, at: AT, event: event.clone() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_octets(body in vec(any::<u8>(), 0..300)) {
        take(&body)?;
    }

    #[test]
    fn any_words(words in vec(select(&WORDS[..]), 0..40)) {
        take(words.concat().as_bytes())?;
    }

    #[test]
    fn reports_with_faults(body in nearly_sound()) {
        take(&body)?;
    }
}
