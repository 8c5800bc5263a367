//! The TTL of steered answers: the time to the next possible change, within the policy's bounds.
//!
//! Counted from when an endpoint was last weighed, never from a clock, so that every site has the same. Steps of drains do
//! not shorten it: they are at least the longest `ttl.max` apart.

use crate::health::Member;
use crate::number::Ttl;

use super::decide::Verdicts;
use super::plan::Plan;

/// A TTL, and what it came of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlAccount<'p> {
    /// What answers carry, in whole seconds.
    pub ttl: Ttl,
    /// `ttl.min` of the policy.
    pub min: Ttl,
    /// `ttl.max` of the policy.
    pub max: Ttl,
    /// The endpoint that could change first and how many milliseconds after it was last weighed; none where no time and no
    /// vantage alone could change any: then it is `max`.
    pub first: Option<(&'p Member, u64)>,
}

/// Derives the TTL of the answers of `plan`. Of endpoints that could change equally soon, the first in file order is told.
pub fn ttl_account<'p>(plan: &'p Plan, health: &impl Verdicts) -> TtlAccount<'p> {
    let (min, max) = plan.ttl_bounds();
    let steady = |member| Some((member, health.standing(member).steady_millis?));
    let first = plan.members().filter_map(steady).min_by_key(|(_, millis)| *millis);
    TtlAccount { ttl: ttl_of(plan, first.map(|(_, millis)| millis)), min, max, first }
}

/// The TTL of the answers of `plan` where the first endpoint could change `millis` after it was last weighed.
pub(super) fn ttl_of(plan: &Plan, millis: Option<u64>) -> Ttl {
    let (min, max) = plan.ttl_bounds();
    let within = |millis: u64| {
        let secs = u32::try_from(millis / 1000).unwrap_or(u32::MAX);
        Ttl::from_secs(secs.clamp(min.as_secs(), max.as_secs()))
    };
    millis.map_or(max, within)
}
