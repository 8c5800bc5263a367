//! The fold: events, in order, into state. Same events in the same order, same state, however they were batched.

use std::fmt;

use crate::number::Digest;

use super::event::{Event, LogTime, Member, Timed};
use super::verdict::Standing;

/// All that health remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {}

/// What an event changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Endpoints whose standing changed, sorted.
    pub members: Vec<Member>,
    /// Whether regions' drains changed.
    pub drains: bool,
}

/// Why an event would be refused: words for the operator, with the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable short name, such as `duplicate`.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl State {
    /// Folds one event. Time and order come with it.
    pub fn apply(&mut self, timed: &Timed) -> Changes {
        let _ = timed;
        todo!("the health room")
    }

    /// Whether the event would be taken now, asked before it is written to the log: duplicates, bounds, overrides of
    /// unknown subjects, drains that break `at_least`.
    pub fn admit(&self, event: &Event) -> Result<(), Refusal> {
        let _ = event;
        todo!("the health room")
    }

    /// The earliest log time at which a `Tick` would change something.
    pub fn deadline(&self) -> Option<LogTime> {
        todo!("the health room")
    }

    /// What is known of an endpoint in a pool.
    pub fn standing(&self, member: &Member) -> Standing {
        let _ = member;
        todo!("the health room")
    }

    /// How many 256ths of its clients a region keeps: 256 when it is not drained, 0 when it is wholly.
    pub fn keep(&self, region: &str) -> u16 {
        let _ = region;
        todo!("the health room")
    }

    /// The hash of the whole state.
    pub fn digest(&self) -> Digest {
        todo!("the health room")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
