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
mod contents;
mod databases;
mod file_name;
mod files;
mod forms;
mod ground;
mod guard;
mod hints;
mod include;
mod job;
mod limits;
mod listen;
mod losses;
mod motion;
mod outcome;
mod parts;
mod removal;
mod resolvers;
mod retreat;
mod sandbox;
mod second;
mod standing;
mod steering;
mod terms;
mod timely;
mod webhook;

pub use build::Builder;
pub use compile::{compile_zone, patch_zone};
pub use config::{Bounds, CONFIG_FILE, Config};
pub use contents::{Contents, Needs, SteeringContents};
pub use file_name::zone_file_name;
pub use files::{Reader, Scan, gather, scan, scan_zone, scan_zone_file, scan_zones};
pub use forms::origin as zone_origin;
pub use guard::Guard;
pub use include::candidates as include_candidates;
pub use listen::{CertificateFiles, is_local};
pub use losses::{HELD_CODE, Held};
pub use motion::Motion;
pub use parts::{Built, Parts, Summary};
pub use removal::Removals;
pub use retreat::Refused;
pub use sandbox::SandboxTerms;
pub use second::{ReadAgain, SecondReading};
pub use terms::Terms;
pub use webhook::{News, Webhook};
