//! Why something was decided: one closed list, shared by explain, API, metrics, logs and extended errors.
//!
//! A code is stable: dashboards and scripts match on it. The words beside it may improve.

use std::fmt;

/// The reason for a verdict, for a region being chosen or passed over, or for an answer's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nothing was ever reported of the endpoint: the configured `start` holds.
    NeverReported,
    /// A quorum of fresh vantages holds this opinion.
    Quorum,
    /// Too few fresh vantages hold an opinion: the last verdict stands.
    BelowQuorum,
    /// A quorum wants a change, but `hold_down` has not passed.
    HeldDown,
    /// A quorum says up, but `failback` waits.
    AwaitsFailback,
    /// An operator's override says so.
    Overridden,
    /// An operator's `hold` froze the verdict.
    Held,
    /// The region is drained.
    Drained,
    /// The region is over its capacity, and its next one takes these clients.
    Shed,
    /// The pool is in panic: no verdict turns down.
    Panic,
    /// The first region of the order with an eligible endpoint.
    Nearest,
    /// A rule of the policy names the region.
    Rule,
    /// The client's share of a weighted rule.
    Weighted,
    /// A region earlier in the order has no eligible endpoint.
    Spill,
    /// No region has an endpoint that is up: `when_all_down` decides.
    LastResort,
    /// The region has no endpoint of the address family asked for.
    LacksFamily,
    /// The region has no endpoint that is up.
    AllDown,
    /// The region's endpoints are overridden down.
    OverriddenDown,
    /// The fence of the rule keeps the region out.
    Fenced,
    /// The zone file's own records serve.
    DefaultRrset,
    /// The client's place is unknown: `unknown` of the policy decides.
    UnknownPlace,
    /// A region before this one answers.
    Behind,
    /// The endpoint stands in the answer.
    Chosen,
    /// The endpoint could stand in the answer, but that is full.
    Spare,
    /// Another endpoint of the region is in a better state.
    Outranked,
    /// An override comes to its end.
    Expires,
}

impl Reason {
    /// Every reason, in the order of the list.
    pub const ALL: [Reason; 26] = [
        Reason::NeverReported,
        Reason::Quorum,
        Reason::BelowQuorum,
        Reason::HeldDown,
        Reason::AwaitsFailback,
        Reason::Overridden,
        Reason::Held,
        Reason::Drained,
        Reason::Shed,
        Reason::Panic,
        Reason::Nearest,
        Reason::Rule,
        Reason::Weighted,
        Reason::Spill,
        Reason::LastResort,
        Reason::LacksFamily,
        Reason::AllDown,
        Reason::OverriddenDown,
        Reason::Fenced,
        Reason::DefaultRrset,
        Reason::UnknownPlace,
        Reason::Behind,
        Reason::Chosen,
        Reason::Spare,
        Reason::Outranked,
        Reason::Expires,
    ];

    /// The stable code: lower case, words joined by hyphens.
    pub const fn code(self) -> &'static str {
        self.words().0
    }

    /// The reason in words that an operator would use.
    pub const fn text(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Reason::NeverReported => {
                ("never-reported", "nothing was ever reported; the start verdict holds")
            }
            Reason::Quorum => ("quorum", "a quorum of fresh vantages says so"),
            Reason::BelowQuorum => {
                ("below-quorum", "too few fresh vantages; the last verdict stands")
            }
            Reason::HeldDown => ("held-down", "hold_down has not passed since the last turn"),
            Reason::AwaitsFailback => ("awaits-failback", "a quorum says up, failback waits"),
            Reason::Overridden => ("overridden", "an operator's override says so"),
            Reason::Held => ("held", "an operator's hold froze the verdict"),
            Reason::Drained => ("drained", "the region is drained"),
            Reason::Shed => {
                ("shed", "the region before it has too much load and sheds these clients")
            }
            Reason::Panic => {
                ("panic", "too much of the pool turned down at once; nothing turns down")
            }
            Reason::Nearest => ("nearest", "the nearest region with an eligible endpoint"),
            Reason::Rule => ("rule", "a rule of the policy names it"),
            Reason::Weighted => ("weighted", "the client's share of a weighted rule"),
            Reason::Spill => ("spill", "every region before it has no eligible endpoint"),
            Reason::LastResort => ("last-resort", "nothing is up; when_all_down decides"),
            Reason::LacksFamily => ("lacks-family", "no endpoint of this address family"),
            Reason::AllDown => ("all-down", "no endpoint is up"),
            Reason::OverriddenDown => ("overridden-down", "an operator's override keeps it down"),
            Reason::Fenced => ("fenced", "the rule's fence keeps it out"),
            Reason::DefaultRrset => ("default-rrset", "the zone file's own records serve"),
            Reason::UnknownPlace => {
                ("unknown-place", "the first region of `unknown` that has an eligible endpoint")
            }
            Reason::Behind => ("behind", "a region before it answers"),
            Reason::Chosen => ("chosen", "the client's bucket falls on it, or all fit the answer"),
            Reason::Spare => ("spare", "eligible, but `answers` of the policy is reached"),
            Reason::Outranked => ("outranked", "another endpoint of the region is better"),
            Reason::Expires => ("expires", "an override comes to its end"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
