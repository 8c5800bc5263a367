//! Plans and verdicts into a table: the decisions for every class, and what every region gives.

use std::sync::Arc;

use super::decide::{Verdicts, View};
use super::plan::Plan;
use super::rows::rows;
use super::table::PolicyTable;
use super::ttl::ttl_account;
use super::windows::{answers, sides};

/// The table of `plan` as the verdicts of `health` stand. The time of filling is no input: the same
/// verdicts give the same bytes, however late a table is filled.
///
/// Invariant table-covers-plan: a row for each class of the plan, in order; what it indexes is there.
pub fn fill(plan: &Plan, health: &impl Verdicts) -> PolicyTable {
    let rows = Arc::new(rows(plan, &View::new(plan, health)));
    let regions = answers(plan, &sides(plan, health), ttl_account(plan, health).ttl);
    PolicyTable { rows, regions }
}

#[cfg(test)]
mod tests;
