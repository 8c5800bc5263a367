//! Verdicts: what the ledger, the overrides and the time make of one endpoint. Pure.

use crate::number::Revision;
use crate::reason::Reason;

use super::event::{LogTime, Status};

/// How an endpoint may be used, best first: an answer takes the first tier that any region of the order can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Up.
    Up,
    /// Degraded.
    Degraded,
    /// Observed down: used only when all are (`when_all_down`).
    Down,
    /// Down by an operator's override: used only if nothing else exists.
    OverriddenDown,
}

/// How old the evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// A quorum of vantages is fresh.
    Fresh,
    /// Some vantage speaks, too few for the quorum.
    Stale,
    /// Nobody speaks any more: the last verdict holds.
    Frozen,
    /// Nobody ever spoke.
    Never,
}

/// What is to be known of one endpoint in one pool. Drains are not in it: they are the region's.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// How it may be used: the verdict, or the override that replaces it.
    pub tier: Tier,
    /// The verdict, whatever overrides say.
    pub verdict: Status,
    /// Why.
    pub reason: Reason,
    /// Since when the tier stands, and by which event.
    pub since: LogTime,
    /// The event that brought it.
    pub since_revision: Revision,
    /// How old the evidence is.
    pub freshness: Freshness,
    /// The earliest log time at which the tier could change, if the vantages speak at their interval; none when nothing
    /// could change it but a new event of another kind.
    pub next_change: Option<LogTime>,
}
