//! Route: policies compiled, plans and verdicts into a table.
//!
//! Owns:    steering files as written, pools, plans (class into an order of regions), the table (order and verdicts
//!          into choices), and the choice for one query.
//! Imports: geo, health, trace, diagnostic.
//! Never:   reads a file, knows a zone, looks anything up by name on the query path.
//! Enter:   `policy` (as written), `plan`, `fill`, then `table`, which is what a query touches.

pub use crate::health::{Inventory, Settings};

mod fill;
mod plan;
mod policy;
mod table;

pub use fill::fill;
pub use plan::{Compiled, Plan, Route, compile};
pub use policy::{Region, Regions, Steering, parse_regions, parse_steering};
pub use table::{
    Asker, Cells, Choice, ChoiceAnswer, Chosen, Family, PolicyTable, Row, Table, choose,
};
