//! Load: files in, parts of a snapshot out, or the reasons why not. The cold wing.
//!
//! Owns:    configuration, the only reader of `zones` and `geo`, the pipeline from files to parts.
//! Imports: zone, geo, route, answer, diagnostic.
//! Never:   publishes, listens, remembers across restarts.
//! Enter:   `build`, the pipeline on one page.

mod compile;

pub use compile::compile_zone;
