//! Why an answer is what it is: /v1/explain.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Of an earlier state: which files and which verdicts it is explained from, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub as_of: String,
    /// Every step and why, as text.
    pub text: String,
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
