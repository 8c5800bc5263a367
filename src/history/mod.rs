//! History: events in order, generations of files; durable on local disk. And who may speak to us.
//!
//! Owns:    the event log, the generations, the tokens.
//! Imports: health, diagnostic.
//! Never:   decides what an event means.
//! Enter:   `log`; then `generations`: `store` adds to them, `archive` reads them; `tokens` by itself.

mod clock;
mod cursor;
mod durable;
mod generations;
mod log;
mod tokens;

pub use clock::LogClock;
pub use cursor::Cursor;
pub use durable::StoreError;
pub use generations::{Archive, Cause, Change, Entry, Limits, Restored, Store, Tally};
pub use log::{Backlog, Earlier, Log, LogError, Replay, state_at};
pub use tokens::{Bearer, Secret, Signature, Token, TokenError, Tokens, Verb};
