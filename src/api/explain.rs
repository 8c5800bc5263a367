//! Why an answer is what it is: /v1/explain.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::health::LogTime;

/// An earlier state, as `at` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The files of a generation, with the verdicts of now: what it would answer if it served again.
    Generation(u64),
    /// The files and the verdicts of a time: what was answered then.
    Time(LogTime),
}

/// Reads `gen:41`, or a time such as 2026-11-21T14:02; without an offset it is UTC.
pub fn read_at(text: &str) -> Result<At, String> {
    let text = text.trim();
    if let Some(number) = text.strip_prefix("gen:") {
        let number = number.parse().map_err(|_| format!("{text:?}: write gen: and a number"))?;
        return Ok(At::Generation(number));
    }
    let civil = || {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    let time = text.parse::<jiff::Timestamp>().ok().or_else(civil).ok_or_else(|| {
        format!("at {text:?} is neither gen:NUMBER nor a time such as 2026-11-21T14:02 (UTC)")
    })?;
    Ok(At::Time(LogTime(u64::try_from(time.as_millisecond()).unwrap_or(0))))
}

/// GET /v1/explain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainBody {
    /// The name asked for.
    pub name: String,
    /// The type asked for.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The client whose place decides.
    pub client: String,
    /// The state of files that it is explained from.
    pub generation: u64,
    /// The position in the event log.
    pub revision: u64,
    /// The hash of the whole state, as `status` and digest.homing. tell it; empty for an earlier state and for files alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The hash of the files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub files_digest: String,
    /// The response, as a resolver gets it.
    #[serde(default)]
    pub response: ExplainResponse,
    /// Each routed name that the answer went through, in order: at most one for each alias of a chain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<ExplainRoute>,
    /// Of an earlier state: which files and which verdicts it is explained from, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub as_of: String,
    /// Every step and why, as text.
    pub text: String,
}

/// A response in parts. Records are lines as in a zone file: owner, TTL in seconds, type, rdata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainResponse {
    /// The response code, such as `NOERROR`.
    pub rcode: String,
    /// Whether the answer is authoritative (RFC 1035 §4.1.1).
    pub authoritative: bool,
    /// The scope prefix length (RFC 7871 §6); none where the answer has no client subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<u8>,
    /// The answer section.
    pub answer: Vec<String>,
    /// The authority section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<String>,
    /// The additional section without OPT.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional: Vec<String>,
}

/// How one policy decided for this client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainRoute {
    /// The policy.
    pub policy: String,
    /// Whose place decided, and what is known of it.
    pub client: ExplainClient,
    /// The scope that was decided in, and why.
    pub scope: ExplainScope,
    /// The rule that decided, as written, and where it stands.
    pub rule: String,
    /// The rule's file, line and column.
    pub rule_at: String,
    /// Whether the rule keeps its clients within its regions.
    pub fenced: bool,
    /// The region that answers; none where the zone file's own data or nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The reason's code.
    pub reason: String,
    /// The reason in words.
    pub because: String,
    /// The client's bucket in the hash space, 0 to 255; 0 where the row neither weighs nor shares.
    pub bucket: u8,
    /// The regions of the pool in the order in which they were looked at; those beyond a fence last.
    pub regions: Vec<ExplainRegion>,
    /// The TTL of a steered answer, derived.
    pub ttl: ExplainTtl,
    /// Commands that would change the outcome: what a person has decided and can take back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

/// Whose place decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainClient {
    /// The address that was looked up.
    pub address: String,
    /// `subnet` (the query's client subnet) or `resolver` (no place matters, so whoever asks).
    pub source: String,
    /// Its place in words.
    pub place: String,
    /// The prefix that is known as one place.
    pub prefix: String,
    /// Which file knows it: a database, `geo/overrides.csv` with a line, several where they were not read again, or none.
    pub database: String,
}

/// A scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainScope {
    /// Its prefix length.
    pub len: u8,
    /// Why it is as long as it is.
    pub because: String,
}

/// How a region fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainRegion {
    /// The region.
    pub region: String,
    /// `taken`, `struck` or `behind`.
    pub fate: String,
    /// The reason's code.
    pub reason: String,
    /// The reason in words.
    pub because: String,
    /// Great-circle distance to the client in kilometres; none where a place is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_km: Option<u32>,
    /// How many 256ths of its clients it keeps.
    pub keep: u16,
    /// Its endpoints of the family, in file order.
    pub endpoints: Vec<ExplainEndpoint>,
}

/// How an endpoint fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainEndpoint {
    /// Its address or host name.
    pub address: String,
    /// Why it stands in the answer, or does not: a reason's code.
    pub choice: String,
    /// How often it comes first, against the others of its region.
    pub weight: u32,
    /// `up`, `degraded`, `down`, `overridden-down`.
    pub status: String,
    /// Why it has this status: a reason's code.
    pub reason: String,
    /// The same in words.
    pub because: String,
    /// `fresh`, `stale`, `frozen` or `never`.
    pub evidence: String,
    /// The earliest time at which its status could change (RFC 3339, log time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_change: Option<String>,
    /// What would change it then: a reason's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_reason: Option<String>,
}

/// How a TTL came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainTtl {
    /// The TTL, in seconds.
    pub secs: u32,
    /// The least that the policy allows.
    pub min_secs: u32,
    /// The most that the policy allows.
    pub max_secs: u32,
    /// Milliseconds from when it was last weighed to when the first endpoint of the policy could change; none where
    /// nothing could change by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady_millis: Option<u64>,
    /// That endpoint, as region/pool/address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What would change it: a reason's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_state_is_a_generation_or_a_time() {
        assert_eq!(read_at("gen:41"), Ok(At::Generation(41)));
        for (text, secs) in [
            ("2026-11-21T14:02", 1_795_269_720),
            ("2026-11-21T14:02:03Z", 1_795_269_723),
            ("2026-11-21T15:02+01:00", 1_795_269_720),
            ("2026-11-21", 1_795_219_200),
        ] {
            assert_eq!(read_at(text), Ok(At::Time(LogTime(secs * 1000))), "{text}");
        }
        for text in ["41", "gen:", "gen:x", "yesterday", ""] {
            assert!(read_at(text).is_err(), "{text}");
        }
    }
}
