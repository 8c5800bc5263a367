//! Health: what vantages report about endpoints, what operators decide, and what we make of both.
//!
//! Owns:    the events, the ledger of reports, the verdict rules, the fold of events into state.
//! Imports: nothing above the standard library.
//! Never:   reads a clock, sends a packet, knows a DNS name.
//! Enter:   `event`, then `ledger`, then `verdict`, then `fold`. Read in that order. `admit` and `repeat` stand
//!          before the log, `view` tells of the state, `image` is the state as bytes.

mod admit;
mod balance;
mod cached;
mod calendar;
mod drain;
mod event;
mod fold;
mod image;
mod ledger;
mod load;
mod outlook;
mod repeat;
mod shed;
mod state;
mod subject;
mod verdict;
mod view;
mod weigh;

pub use admit::{NAME_OCTETS_MAX, REASON_OCTETS_MAX, Refusal, Safety, WHY_OCTETS_MAX};
pub use event::{
    Action, Boot, Capacity, Event, Expiry, Failback, Identity, Inventory, LogTime, Origin, Report,
    Settings, Status, Timed, Words,
};
pub use fold::Changes;
pub use image::{ImageError, RULES_VERSION};
pub use load::LoadView;
pub use outlook::Outlook;
pub use repeat::Novelty;
pub use state::State;
pub use subject::{Member, Subject, SubjectError};
pub use verdict::{Freshness, Standing, Tier};
pub use view::{DrainView, Evidence, OverrideView, VantageView};
