//! Steering files as written: regions, pools, policies, routes. The only types here that TOML knows.

use crate::diagnostic::Diagnostic;
use crate::geo::Position;

/// A location where applications run.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its short name, the key in regions.toml.
    pub name: Box<str>,
    /// Its name for people.
    pub title: String,
    /// Where it is.
    pub position: Position,
    /// How much load it can take, in the unit that load reports use.
    pub capacity: Option<f64>,
}

/// The regions, in the order of regions.toml; a `RegionId` indexes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regions {
    /// In file order.
    pub list: Vec<Region>,
}

/// One steering file, valid in itself.
#[derive(Clone, Debug, Default)]
pub struct Steering {
    /// Its path.
    pub path: String,
}

/// Reads regions.toml.
pub fn parse_regions(path: &str, text: &[u8]) -> (Option<Regions>, Vec<Diagnostic>) {
    let _ = (path, text);
    todo!("the route room")
}

/// Reads one steering file: everything that can be said of it without the others.
pub fn parse_steering(path: &str, text: &[u8]) -> (Option<Steering>, Vec<Diagnostic>) {
    let _ = (path, text);
    todo!("the route room")
}
