//! Laws that hold for all inputs: fast equals slow, nothing panics, nothing allocates where nothing may.

mod allocation;
mod bodies_never_panic;
mod catalog_equals_tree;
mod coverage_adds_up;
mod drains_move_their_share;
mod every_reason_is_told;
#[path = "../geography/exhaustive.rs"]
mod exhaustive;
mod explain_equals_the_wire;
mod format;
mod happenings;
mod live_equals_filled;
mod names_never_lose_their_answer;
mod old_state;
mod requests_never_panic;
mod shedding;
#[path = "../support/mod.rs"]
mod support;
mod tables_hold_every_address;
mod texts_never_panic;
mod warming_changes_nothing;
mod weights_never_answer;
mod world;
