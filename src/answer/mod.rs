//! Answer: one query into one response. Where the wings meet: `load` builds a snapshot, `serve` asks it.
//!
//! Owns:    the snapshot and its catalog, the counters of queries, `respond`.
//! Imports: wire, geo, route, trace.
//! Never:   knows zone files; allocates, locks, blocks, or panics on any bytes while responding.
//! Enter:   `snapshot`, then `respond`, the whole hot path on a few screens, then `catalog`.

mod catalog;
mod chaos;
mod counters;
mod denial;
mod image;
mod lookup;
mod node;
mod opt;
mod resolve;
mod respond;
mod shard;
mod snapshot;
mod suffix;
mod template;
mod transcript;

pub use catalog::{Catalog, Served};
pub use counters::{COUNTED_RCODES, COUNTED_TYPES, Counters, STEERED_SLOT_COUNT, SteeredSlots};
pub use denial::NSEC3_ITERATIONS_MAX;
pub use image::{Address, ImageWriter, NodeParts, RrsetParts, ZoneImage};
pub use resolve::CHAIN_LEN_MAX;
pub use respond::{
    Core, Exchange, Outcome, Site, Transport, UDP_PAYLOAD_MAX, respond, respond_quietly,
};
pub use snapshot::Snapshot;
pub use suffix::Seed;
pub use transcript::{Record, Transcript};
