//! Answer: one query into one response. Where the wings meet: `load` builds a snapshot, `serve` asks it.
//!
//! Owns:    the snapshot and its catalog, the counters of queries, `respond`.
//! Imports: wire, geo, route, trace.
//! Never:   knows zone files; allocates, locks, blocks, or panics on any bytes while responding.
//! Enter:   `snapshot`, then `respond`, the whole hot path on a few screens, then `catalog`.

mod catalog;
mod counters;
mod respond;
mod snapshot;

pub use catalog::Catalog;
pub use counters::Counters;
pub use respond::{
    Core, Exchange, Outcome, Site, Transport, UDP_PAYLOAD_MAX, respond, respond_quietly,
};
pub use snapshot::Snapshot;
