//! Control: the running server. Who decides, and what the outside may ask of it.
//!
//! Owns:    the hub (one owner of all that changes), the writer of the log, the watch on files, the API, metrics, weights.
//! Imports: ask, serve, load, history, probe, api, answer, route, health, diagnostic.
//! Never:   knows a zone, a DNS message or a geo database; makes a query wait.
//! Enter:   `run`, start to end; then `hub` and `writer`, who own what changes; `files`; then `http` and `desk`;
//!          `vantage`, the eyes, within the server and alone; `blocks`, `sampling` and `weights`, whose clients ask.

mod access;
mod alarms;
mod author;
mod banner;
mod blocks;
mod candidate;
mod certificate;
mod changefeed;
mod concerns;
mod cookies;
mod desk;
mod disk;
mod evidence;
mod exposition;
mod facts;
mod file_alarms;
mod files;
mod floods;
mod folding;
mod follower;
mod gate;
mod hindsight;
mod http;
mod hub;
mod listeners;
mod logs;
mod looks;
mod measure;
mod metrics;
mod outbound;
mod past;
mod picture;
mod publication;
mod ready;
mod reclaim;
mod run;
mod sampling;
mod sandbox;
mod signals;
mod site;
mod supervisor;
mod touched;
mod vantage;
mod watch;
mod webhook;
mod weights;
mod wish;
mod witness;
mod writer;

pub use logs::LogStyle;
pub use run::{Options, run};
pub use vantage::{VantageOptions, look_out};
