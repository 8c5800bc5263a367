//! Probe: one vantage. It looks at endpoints in their turns, and says what it saw.
//!
//! Owns:    how an endpoint is looked at, one file for each kind of look; when; and what of it is worth saying.
//! Imports: wire, health, route (the reader of TOML files), diagnostic.
//! Never:   decides that an endpoint is down; that is `health`. Sends a report; that is for who runs it.
//! Enter:   `assignment` and `settings`, then `target`, then `look` and the kinds; `schedule` and `voice` are pure;
//!          `lookout` turns it all.

mod assignment;
mod dns;
mod extfile;
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
mod within;

pub use assignment::{Assignment, Receiver};
pub use extfile::{EXTFILE_LEN_MAX, ExtfileEntry, match_extfile, parse_extfile};
pub use look::{Outcome, look};
pub use lookout::{Lookout, Mail, Rota};
pub use outbox::{Said, What};
pub use settings::{Patch, Probing, check_whole, read_patch, read_probing};
pub use target::{Target, Targets};
pub use voice::Voice;
pub use within::{Extfile, Within, parse_within};
