//! Route: policies compiled, plans and verdicts into a table.
//!
//! Owns:    steering files as written, pools, plans (class into an order of regions), the table
//!          (order and verdicts into choices), and the choice for one query; the reader of TOML
//!          files that tells every mistake.
//! Imports: geo, health, trace, diagnostic.
//! Never:   reads a file, knows a zone, looks anything up by name on the query path.
//! Enter:   `policy` (as written; `pool`, `rule`, `region`, `settings` are its parts), `compile`,
//!          `plan`, `decide`, `fill` (`rows` decide, `windows` give), then `table`, which is what a
//!          query touches, and `live`, which keeps it up with health. `account`, `ttl` and
//!          `rank` tell of decisions.

mod account;
mod border;
mod bucket;
mod classifier;
mod classify;
mod compile;
mod conditions;
mod decide;
mod fill;
mod live;
mod order;
mod plan;
mod policy;
mod pool;
mod proof;
mod rank;
mod reader;
mod region;
mod rows;
mod rule;
mod settings;
mod share;
mod table;
mod ttl;
mod verify;
mod windows;

pub use account::{EndpointAccount, Fate, RegionAccount, account};
pub use bucket::{BUCKET_COUNT, bucket};
pub use compile::{Compiled, Route, compile};
pub use decide::Verdicts;
pub use fill::fill;
pub use live::LiveTable;
pub use plan::{ClassLegend, Plan};
pub use policy::{Steering, parse_steering};
pub use pool::Family;
pub use rank::{Answerer, Rank, Ranks};
pub use reader::{Key, Reader, Source, Span, Value, in_file_order};
pub use region::{Region, Regions, parse_regions, read_position};
pub use settings::{HealthPatch, parse_duration, parse_health, read_duration, read_health};
pub use table::{Asker, Choice, ChoiceAnswer, Chosen, PolicyTable, Table, choose};
pub use ttl::{TtlAccount, ttl_account};

pub use crate::health::{Inventory, Settings};
