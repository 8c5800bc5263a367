//! Answer: one query into one response. Where the wings meet: `load` builds a snapshot, `serve` asks it.
//!
//! Owns:    the snapshot and its catalog, the counters of queries, `respond`.
//! Imports: wire, geo, route, trace.
//! Never:   knows zone files; allocates, locks, blocks, or panics on any bytes while responding.
//! Enter:   `snapshot`, then `respond`, the whole hot path on a few screens, then `catalog`.

mod catalog;
mod chain;
mod chaos;
mod cookie;
mod counters;
mod denial;
mod exchange;
mod image;
mod limits;
mod links;
mod lookup;
mod node;
mod opt;
mod parts;
mod patch;
mod resolve;
mod respond;
mod sections;
mod shard;
mod snapshot;
mod steer;
mod suffix;
mod template;
mod transcript;
mod truncate;
mod trust;
mod warm;

pub use catalog::{Catalog, Served};
pub use cookie::{CookieSecret, CookieSecrets};
pub use counters::{
    CLASS_SLOT_COUNT, COUNTED_RCODES, COUNTED_TYPES, ClassSlots, Counters, STEERED_SLOT_COUNT,
    SteeredSlots,
};
pub use denial::NSEC3_ITERATIONS_MAX;
pub use exchange::{Account, Exchange, Outcome, ResponseClass, Site, Transport, UDP_PAYLOAD_MAX};
pub use image::{ImageWriter, ZoneImage};
pub use limits::{
    ConnectionLimits, PerClass, RATE_IPV6_PREFIX_MAX, RATE_WINDOW_SECS_MAX, RateLimits,
};
pub use links::CHAIN_LEN_MAX;
pub use parts::{Address, NodeParts, RrsetParts};
pub use patch::ImagePatcher;
pub use respond::{Core, respond, respond_quietly};
pub use snapshot::Snapshot;
pub use suffix::Seed;
pub use transcript::Transcript;
pub use truncate::truncate;
pub use trust::{Networks, SubnetTrust};
pub use warm::{WARM_COUNT_MAX, warm};

pub use crate::wire::Record;
