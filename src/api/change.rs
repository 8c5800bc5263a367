//! What operators ask to be changed: overrides, drains, this site, the files.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::health::{Action, Expiry, LogTime};

use super::diagnostic::DiagnosticBody;
use super::generations::{HeldBody, PendingBody, PinBody};

/// Octets of a `why` and of a `who`.
const WORDS_LEN_MAX: usize = 200;

/// The longest time that an override may be given before it is `forever`: ten years, in milliseconds.
const EXPIRY_MILLIS_MAX: u64 = 10 * 366 * 86_400_000;

/// PUT /v1/overrides/{subject}.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideRequest {
    /// `up`, `down`, `hold` or `accept`.
    pub action: String,
    /// Why.
    pub why: String,
    /// When it ends: a time span such as `1h`, or a timestamp (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// That it does not end by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forever: bool,
    /// Who decides; the log keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Whether to do it even where a pool falls below `at_least`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// POST /v1/regions/{region}/drain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainRequest {
    /// Why.
    pub why: String,
    /// The share of clients to keep, 0 to below 1; 0 empties the region.
    #[serde(default)]
    pub to: f64,
    /// In which time, such as `10m`, in steps at least a TTL apart; at once where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Whether to do it even where a pool falls below `at_least`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// POST /v1/regions/{region}/undrain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndrainRequest {
    /// Why.
    #[serde(default)]
    pub why: String,
    /// In which time, such as `10m`; at once where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// POST /v1/site/drain and /v1/site/undrain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteRequest {
    /// Why.
    #[serde(default)]
    pub why: String,
    /// Who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// POST /v1/resume.
pub type ResumeRequest = SiteRequest;

/// A change that is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledged {
    /// The log's position of it.
    pub revision: u64,
}

/// What came of a rescan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reloaded {
    /// The generation that serves now.
    pub generation: u64,
    /// Whether it is a new one.
    pub changed: bool,
    /// How the generation is pinned, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinBody>,
    /// What the disk holds and the pin keeps from serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingBody>,
    /// What the guard holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldBody>,
    /// All that is to be said of the files.
    pub diagnostics: Vec<DiagnosticBody>,
}

/// How long a decision stands, as a request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window<'a> {
    /// A span or a timestamp.
    Expires(&'a str),
    /// Until it is cleared.
    Forever,
}

impl OverrideRequest {
    /// The action that the word names.
    pub fn action(&self) -> Result<Action, String> {
        match self.action.as_str() {
            "up" => Ok(Action::Up),
            "down" => Ok(Action::Down),
            "hold" => Ok(Action::Hold),
            "accept" => Ok(Action::Accept),
            other => Err(format!("action {other:?} is not up, down, hold or accept")),
        }
    }

    /// How long it stands; the request must say it in one of the two ways. `accept` is done at once and needs neither.
    pub fn window(&self) -> Result<Window<'_>, String> {
        match (&self.expires, self.forever) {
            (Some(text), false) => Ok(Window::Expires(text)),
            (None, true) => Ok(Window::Forever),
            (None, false) if self.action == "accept" => Ok(Window::Forever),
            (None, false) => {
                Err("say how long: \"expires\": \"1h\", or \"forever\": true".to_owned())
            }
            (Some(_), true) => Err("expires and forever exclude each other".to_owned()),
        }
    }
}

impl DrainRequest {
    /// The share to keep in 256ths.
    pub fn keep(&self) -> Result<u8, String> {
        keep_of(self.to)
    }
}

/// A share of clients to keep in 256ths.
pub(super) fn keep_of(share: f64) -> Result<u8, String> {
    if !(0.0..1.0).contains(&share) {
        return Err("to is the share of clients to keep, from 0 to below 1".to_owned());
    }
    Ok((share * 256.0) as u8)
}

/// The milliseconds of a time span such as `10m` or `1h 30m`; none is at once.
pub fn span_millis(over: Option<&str>) -> Result<u64, String> {
    let Some(text) = over else { return Ok(0) };
    let span = text.trim().parse::<jiff::SignedDuration>();
    let millis = span.ok().and_then(|span| u64::try_from(span.as_millis()).ok());
    millis.ok_or_else(|| format!("over {text:?} is no time span such as 10m or 1h"))
}

/// When a window that a request names ends, if it begins at `now`.
pub fn expiry_at(window: Window<'_>, now: LogTime) -> Result<Expiry, String> {
    let text = match window {
        Window::Forever => return Ok(Expiry::Forever),
        Window::Expires(text) => text.trim(),
    };
    let until = if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        u64::try_from(stamp.as_millisecond()).unwrap_or(0)
    } else {
        let span = text.parse::<jiff::SignedDuration>().map_err(|_| {
            format!(
                "expires {text:?} is neither a time span such as 1h or 30m, nor an RFC 3339 time"
            )
        })?;
        now.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(0))
    };
    if until <= now.0 {
        return Err(format!("expires {text:?} is not in the future"));
    }
    if until - now.0 > EXPIRY_MILLIS_MAX {
        return Err(format!("expires {text:?} is beyond ten years; say forever"));
    }
    Ok(Expiry::At(LogTime(until)))
}

/// A `why` within its bound: every change says why.
pub fn why(text: &str) -> Result<&str, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("why is missing: say why in a few words; the log keeps them".to_owned());
    }
    words("why", text)
}

/// Words that may be left out, within their bound. `what` they are is `why` or `who`.
pub fn words<'t>(what: &str, text: &'t str) -> Result<&'t str, String> {
    let text = text.trim();
    if text.len() > WORDS_LEN_MAX {
        return Err(format!("{what} is longer than {WORDS_LEN_MAX} octets"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_span_a_time_or_forever() {
        let now = LogTime(1_000_000);
        for (text, expected) in [
            ("1h", Some(4_600_000)),
            ("90s", Some(1_090_000)),
            ("1h 30m", Some(6_400_000)),
            ("PT10S", Some(1_010_000)),
            ("1970-01-01T00:20:00Z", Some(1_200_000)),
            ("1970-01-01T00:10:00Z", None),
            ("-1h", None),
            ("0s", None),
            ("20000h", Some(72_001_000_000)),
            ("900000000h", None),
            ("soon", None),
        ] {
            let at = expected.map(|millis| Expiry::At(LogTime(millis)));
            assert_eq!(expiry_at(Window::Expires(text), now).ok(), at, "{text}");
        }
        assert_eq!(expiry_at(Window::Forever, now), Ok(Expiry::Forever));
    }

    #[test]
    fn an_override_says_how_long() {
        let request = |expires: Option<&str>, forever, action: &str| OverrideRequest {
            action: action.to_owned(),
            expires: expires.map(str::to_owned),
            forever,
            ..OverrideRequest::default()
        };
        assert_eq!(request(Some("1h"), false, "up").window(), Ok(Window::Expires("1h")));
        assert_eq!(request(None, true, "up").window(), Ok(Window::Forever));
        assert_eq!(request(None, false, "accept").window(), Ok(Window::Forever));
        assert!(request(None, false, "up").window().is_err());
        assert!(request(Some("1h"), true, "up").window().is_err());
        assert!(request(None, true, "sideways").action().is_err());
    }

    #[test]
    fn a_span_is_a_time_or_nothing() {
        assert_eq!(span_millis(None), Ok(0));
        assert_eq!(span_millis(Some("10m")), Ok(600_000));
        assert!(span_millis(Some("-10m")).is_err() && span_millis(Some("soon")).is_err());
    }

    #[test]
    fn a_drain_keeps_a_share() {
        let keep = |to| DrainRequest { to, ..DrainRequest::default() }.keep();
        assert_eq!(keep(0.0), Ok(0));
        assert_eq!(keep(0.5), Ok(128));
        assert!(keep(1.0).is_err() && keep(-0.1).is_err() && keep(f64::NAN).is_err());
    }
}
