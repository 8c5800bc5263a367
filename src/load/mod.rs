//! Load: files in, parts of a snapshot out, or the reasons why not. The cold wing.
//!
//! Owns:    configuration, the only reader of `zones` and `geo`, the pipeline from files to parts.
//! Imports: zone, geo, route, answer, diagnostic.
//! Never:   publishes, listens, remembers across restarts.
//! Enter:   `build`, the pipeline on one page; then `retreat`, what a mistake costs; `guard`, what is too much at once;
//!          then `bind`, routes onto zones.

mod bind;
mod build;
mod compile;
mod config;
mod files;
mod forms;
mod ground;
mod guard;
mod hints;
mod include;
mod losses;
mod outcome;
mod removal;
mod retreat;
mod serials;
mod steering;

pub use build::{Builder, Built, Parts, Summary};
pub use compile::{compile_zone, patch_zone};
pub use config::{Bounds, CONFIG_FILE, Config};
pub use files::{Reader, Scan, scan};
pub use guard::Guard;
pub use losses::{HELD_CODE, Held};
pub use removal::Removals;
pub use retreat::Refused;
