//! History: events in order, generations of files; durable on local disk.
//!
//! Owns:    the event log, the generations.
//! Imports: health, diagnostic.
//! Never:   decides what an event means.
//! Enter:   `log`; then `generations`: `store` adds to them, `archive` reads them.

mod clock;
mod durable;
mod generations;
mod log;

pub use clock::LogClock;
pub use durable::StoreError;
pub use generations::{Archive, Cause, Change, Entry, Limits, Restored, Store, Tally};
pub use log::{Log, LogError, Replay, state_at};
