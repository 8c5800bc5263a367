//! Probe: one vantage. It looks at endpoints in their turns, and says what it saw.
//!
//! Owns:    how an endpoint is looked at, one file for each kind of look; when; and what of it is worth saying.
//! Imports: wire, health, route (the reader of TOML files), diagnostic.
//! Never:   decides that an endpoint is down; that is `health`. Sends a report; that is for who runs it.
//! Enter:   `settings`, then `target`, then `look` and the kinds; `schedule` and `voice` are pure; `lookout` turns it all.

mod dns;
mod fault;
mod http;
mod look;
mod lookout;
mod outbox;
mod schedule;
mod settings;
mod target;
mod tcp;
mod tls;
mod voice;

pub use look::{Outcome, look};
pub use lookout::{Lookout, Mail, Rota};
pub use outbox::{Said, What};
pub use settings::{Patch, Probing, check_whole, parse_probing, read_patch, read_probing};
pub use target::{Target, Targets};
