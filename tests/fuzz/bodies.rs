//! Any octets as the body of a report: each line is read or refused with a code, and what is admitted changes the state to
//! one with a digest of its own.

#![no_main]

use homing::api::{LINE_COUNT_MAX, read_item, read_lines};
use homing::health::{Identity, LogTime, Safety, State, Timed};
use homing::number::Revision;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let lines = match read_lines(body) {
        Ok(lines) => lines,
        Err(error) => return assert!(!error.code.is_empty() && !error.message.is_empty()),
    };
    assert!(!lines.is_empty() && lines.len() <= LINE_COUNT_MAX);
    let mut state = State::default();
    for line in lines.into_iter().flatten() {
        let again = serde_json::to_vec(&line).unwrap();
        assert_eq!(read_item(&again).ok(), Some(line.clone()), "what is written is what was read");
        let Ok(event) = line.into_event(Identity::Claimed, || (1_000, 1)) else { continue };
        if state.admit(&event, Safety::Kept).is_ok() {
            let revision = Revision(state.revision().0 + 1);
            state.apply(&Timed { revision, at: LogTime(1_000), event });
            state.digest();
        }
    }
});
