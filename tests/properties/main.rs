//! Laws that hold for all inputs: fast equals slow, nothing panics, nothing allocates where nothing may.

mod allocation;
mod catalog_equals_tree;
mod coverage_adds_up;
#[path = "../geography/exhaustive.rs"]
mod exhaustive;
mod explain_equals_the_wire;
mod format;
mod requests_never_panic;
mod tables_hold_every_address;
mod texts_never_panic;
mod weights_never_answer;
mod world;
