//! Plans and verdicts into rows. Pure, and the only place where a region is preferred or passed over.

use crate::health::{LogTime, State};

use super::plan::Plan;
use super::table::PolicyTable;

/// The rows of `plan` as the verdicts of `health` stand at `now`.
pub fn fill(plan: &Plan, health: &State, now: LogTime) -> PolicyTable {
    let _ = (plan, health, now);
    todo!("the route room")
}
