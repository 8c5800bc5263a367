//! Geo: where an address is.
//!
//! Owns:    places, the readers of databases, the operator's overrides, the built-in table, ranges, weights.
//! Imports: diagnostic.
//! Never:   knows our regions' routers, does I/O, looks into a database while serving.
//! Enter:   `place`, then `world` (addresses to places), then `ranges` (addresses to classes, the only part that a query
//!          touches). Into worlds: `mmdb`, `flat`, `builtin`, `overrides`. `look` is one address in one file.

mod builtin;
mod codes;
mod flat;
mod gazetteer;
mod known;
mod layers;
mod licence;
mod look;
mod merge;
mod mmdb;
mod outlines;
mod overrides;
mod packing;
mod place;
mod prefix;
mod ranges;
mod record;
mod spelling;
mod starts;
mod survey;
mod sweep;
mod table;
mod weights;
mod world;

pub use builtin::{Built, Fidelity, build as build_builtin};
pub use codes::{PlaceCode, PlaceCodeError};
pub use gazetteer::{
    country_codes, country_name, place_centroid, subdivision_codes, subdivision_name,
};
pub use known::Source;
pub use look::{OverrideLine, look_up, override_lines};
pub use outlines::{Ring, outlines};
pub use overrides::Overrides;
pub use place::{Place, PlaceId, Position};
pub use prefix::{Prefix, PrefixError, embedded_v4, special_runs_v4};
pub use ranges::Ranges;
pub use survey::{Extent, survey};
pub use weights::{
    Announced, Area, Basis, Projection, PublishedWeights, Tally, TallyError, Weights,
};
pub use world::World;
