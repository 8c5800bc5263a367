//! Geo: where an address is.
//!
//! Owns:    places, the readers of databases, the operator's overrides, the built-in table, address ranges.
//! Imports: diagnostic.
//! Never:   knows our regions' routers, does I/O, looks into a database while serving.
//! Enter:   `place`, then `world` (addresses to places), then `ranges` (addresses to classes, on the query path).

mod place;
mod ranges;
mod world;

pub use place::{Place, PlaceId, Position};
pub use ranges::{Prefix, Ranges, embedded_v4};
pub use world::{Source, World};
