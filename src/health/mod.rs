//! Health: what vantages report about endpoints, what operators decide, and what we make of both.
//!
//! Owns:    the events, the ledger of reports, the verdict rules, the fold of events into state.
//! Imports: nothing above the standard library.
//! Never:   reads a clock, sends a packet, knows a DNS name.
//! Enter:   `event`, then `ledger`, then `verdict`, then `fold`. Read in that order.

mod event;
mod fold;
mod verdict;

pub use event::{
    Action, Boot, Event, Expiry, Failback, Inventory, LogTime, Member, Report, Settings, Status,
    Subject, SubjectError, Timed,
};
pub use fold::{Changes, Refusal, State};
pub use verdict::{Freshness, Standing, Tier};
