//! Laws that hold for all inputs: fast equals slow, nothing panics, nothing allocates where nothing may.

mod allocation;
mod catalog_equals_tree;
mod coverage_adds_up;
mod explain_equals_the_wire;
mod format;
mod requests_never_panic;
mod texts_never_panic;
mod world;
