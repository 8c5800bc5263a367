//! Cli: one file per command; each asks a running server, or the files, and prints.
//!
//! Owns:    the definition of every argument, the words and the exit codes of every command.
//! Imports: ask, api, load, geo, diagnostic.
//! Never:   serves; that is `control`, and `main` sends the bare command there.
//! Enter:   `args`, then `client` (how a server is asked) and `paint` (how a terminal is written), then any command.

mod alerts;
mod args;
mod change;
mod changes;
mod check;
mod client;
mod coverage;
mod databases;
mod diff;
mod difference;
mod evidence;
mod explain;
mod export;
mod failure;
mod fmt;
mod folder;
mod geo;
mod git;
mod import;
mod init;
mod log;
mod lookup;
mod map;
mod movement;
mod paint;
mod past;
mod probe;
mod reload;
mod replace;
mod report;
mod rollback;
mod run;
mod shift;
mod side;
mod status;
mod token;
mod unit;
mod watch;
mod weights;
mod whatif;

pub use args::{Cli, Command, LogFormat, ProbeArgs, ServeArgs};
pub use failure::{EXIT_CANNOT_RUN, EXIT_REFUSED};
pub use run::run;
