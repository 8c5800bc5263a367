//! Verdicts as JSON: /v1/health.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::health::{Freshness, LogTime, Member, Standing, Tier};

/// GET /v1/health and /v1/health/{subject}.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthBody {
    /// The log's position; the ETag too.
    pub revision: u64,
    /// The endpoints that the subject covers.
    pub endpoints: Vec<EndpointHealth>,
}

/// One endpoint in one pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndpointHealth {
    /// The region's name.
    pub region: String,
    /// The pool's name.
    pub pool: String,
    /// Its address or host name.
    pub address: String,
    /// How it may be used: `up`, `degraded`, `down`, `overridden-down`.
    pub status: String,
    /// The verdict, whatever overrides say.
    pub verdict: String,
    /// The reason's code.
    pub reason: String,
    /// The reason in words.
    pub because: String,
    /// `fresh`, `stale`, `frozen` or `never`.
    pub evidence: String,
    /// Since when the status stands (RFC 3339); empty when nothing ever changed it.
    pub since: String,
    /// The event that brought it.
    pub since_revision: u64,
    /// The earliest time at which it could change (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_change: Option<String>,
    /// What could change it next: a reason's code. Without `next_change` a person is waited for (failback by hand).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_reason: Option<String>,
    /// The last word of each vantage on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordBody>,
}

/// What one vantage last said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WordBody {
    /// Who.
    pub vantage: String,
    /// Whether no token vouches for the name: all such names together count as one vantage for quorum.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claimed: bool,
    /// What it saw last.
    pub status: String,
    /// What it holds after `rise` and `fall`; nothing before its first opinion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<String>,
    /// Whether it still counts.
    pub fresh: bool,
    /// When it last said so (RFC 3339).
    pub at: String,
    /// The load that it reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// Why, in its words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
}

/// An operator's decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverrideBody {
    /// Of what.
    pub subject: String,
    /// `up`, `down`, `hold`.
    pub action: String,
    /// When it ends (RFC 3339), or `never`.
    pub expires: String,
    /// Why.
    pub why: String,
    /// Who.
    pub who: String,
    /// Whether nothing that the files know is covered by it.
    pub dangling: bool,
}

/// The standing of `member` as JSON; what could change it next, and what the vantages say, is the state's to tell.
pub fn standing_body(member: &Member, standing: &Standing) -> EndpointHealth {
    EndpointHealth {
        region: member.region.to_string(),
        pool: member.pool.to_string(),
        address: member.address.to_string(),
        status: tier_word(standing.tier).to_owned(),
        verdict: standing.verdict.word().to_owned(),
        reason: standing.reason.code().to_owned(),
        because: standing.reason.text().to_owned(),
        evidence: freshness_word(standing.freshness).to_owned(),
        since: timestamp(standing.since),
        since_revision: standing.since_revision.0,
        next_change: standing.next_change.map(timestamp),
        next_reason: None,
        words: Vec::new(),
    }
}

/// A log time as RFC 3339 has it, in UTC; empty for zero, which no event carries.
pub fn timestamp(at: LogTime) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(stamp) if millis > 0 => stamp.to_string(),
        _ => String::new(),
    }
}

/// The word for a tier.
pub const fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Up => "up",
        Tier::Degraded => "degraded",
        Tier::Down => "down",
        Tier::OverriddenDown => "overridden-down",
    }
}

/// The word for how old evidence is.
pub const fn freshness_word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::Stale => "stale",
        Freshness::Frozen => "frozen",
        Freshness::Never => "never",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(timestamp(LogTime(1_700_000_000_123)), "2023-11-14T22:13:20.123Z");
        assert_eq!(timestamp(LogTime(0)), "");
        assert_eq!(timestamp(LogTime(u64::MAX)), "");
    }
}
