//! Plans and verdicts into a table: the decisions for every class, and what every region gives.

use std::sync::Arc;

use super::decide::{Verdicts, View};
use super::plan::Plan;
use super::rows::rows;
use super::table::PolicyTable;
use super::ttl::ttl_of;
use super::windows::{answers, bests, first_change, sides};

/// The table of `plan` as the verdicts of `health` stand. The time of filling is no input: the same
/// verdicts give the same bytes, however late a table is filled.
///
/// Invariant table-covers-plan: a row for each class of the plan, in order; what it indexes is there.
pub fn fill(plan: &Plan, health: &impl Verdicts) -> PolicyTable {
    let sides = sides(plan, health);
    let rows = Arc::new(rows(plan, &View::of(plan, bests(&sides), health)));
    let regions = answers(plan, &sides, ttl_of(plan, first_change(&sides)));
    PolicyTable { rows, regions }
}

#[cfg(test)]
mod tests;
