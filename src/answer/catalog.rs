//! The catalog: zones by name, nodes by name, answers ready to copy.

/// All zones.
#[derive(Debug, Default)]
pub struct Catalog {}
