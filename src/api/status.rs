//! What a server says of itself: /v1/status, /v1/generations, and diagnostics as JSON.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;

use super::health::{EndpointHealth, OverrideBody};

/// GET /v1/status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusBody {
    /// This server's version.
    pub version: String,
    /// The site.
    pub site: SiteBody,
    /// The published state of files.
    pub generation: u64,
    /// The position in the event log.
    pub revision: u64,
    /// The hash of the whole state.
    pub digest: String,
    /// The hash of the files.
    pub files_digest: String,
    /// When this was said, by the server's clock (RFC 3339).
    #[serde(default)]
    pub now: String,
    /// When the server started (RFC 3339).
    pub started: String,
    /// When the generation was published (RFC 3339).
    pub published: String,
    /// When the last event was folded, in log time (RFC 3339); empty before the first.
    pub last_event: String,
    /// What it serves.
    pub served: ServedBody,
    /// Databases, strongest first.
    pub databases: Vec<DatabaseBody>,
    /// Regions and their drains.
    pub regions: Vec<RegionBody>,
    /// Endpoints and their verdicts.
    pub endpoints: Vec<EndpointHealth>,
    /// Overrides that stand, dangling ones included.
    pub overrides: Vec<OverrideBody>,
    /// All that is to be said of the files: errors name files that are refused.
    pub diagnostics: Vec<DiagnosticBody>,
    /// Files that are gone, and serve on until it has been quiet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<String>,
    /// What is wrong with this machine: a log that cannot be written, a socket that did not bind.
    pub alarms: Vec<String>,
}

/// The site that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteBody {
    /// Its name.
    pub name: String,
    /// Whether it is drained: `/readyz` fails.
    pub drained: bool,
    /// Why it is drained.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How much is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedBody {
    /// Zones.
    pub zones: usize,
    /// Zones that were never loaded and answer SERVFAIL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// Records.
    pub records: usize,
    /// Routed names.
    pub routes: usize,
    /// Addresses that DNS is answered on.
    pub listen: Vec<String>,
}

/// A geo database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseBody {
    /// A path, or `built-in`.
    pub name: String,
    /// Its licence, where known.
    pub licence: String,
    /// When it was built (RFC 3339); empty when unknown.
    pub built: String,
    /// Its age in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
    /// How many networks it lists.
    pub networks: usize,
}

/// A region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionBody {
    /// Its name.
    pub name: String,
    /// How many 256ths of its clients it keeps: 256 when it is not drained.
    pub keep: u16,
    /// Why it is drained.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Who drained it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// Whether the files no longer know it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangling: bool,
}

/// GET /v1/generations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationsBody {
    /// The one that serves.
    pub serving: u64,
    /// All that are kept, newest first.
    pub generations: Vec<GenerationBody>,
}

/// One published state of files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationBody {
    /// Its number.
    pub generation: u64,
    /// The hash of its files.
    pub digest: String,
    /// When it was published (RFC 3339).
    pub published: String,
    /// What brought it about: `start`, `files`, `rollback`.
    pub cause: String,
    /// Who asked for it; empty when a file changed by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How many files it holds.
    pub files: usize,
}

/// One mistake or remark about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticBody {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// The stable short name.
    pub code: String,
    /// The file.
    pub file: String,
    /// Line from 1, 0 for the whole file.
    pub line: u32,
    /// Column from 1, 0 for the whole line.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What the server did about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub consequence: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// All of it as text, source line and caret included.
    pub text: String,
}

impl From<&Diagnostic> for DiagnosticBody {
    fn from(diagnostic: &Diagnostic) -> DiagnosticBody {
        DiagnosticBody {
            severity: diagnostic.severity.word().to_owned(),
            code: diagnostic.code.to_owned(),
            file: diagnostic.place.file.clone(),
            line: diagnostic.place.line,
            column: diagnostic.place.column,
            message: diagnostic.message.clone(),
            consequence: diagnostic.consequence.clone(),
            help: diagnostic.help.clone(),
            text: diagnostic.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DiagnosticBody;
    use crate::diagnostic::{Diagnostic, Place};

    #[test]
    fn a_diagnostic_keeps_its_words() {
        let place = Place::at("zones/a.zone", 3, 8);
        let inner = Diagnostic::error("bad-rdata", place, "not an address").help("write 192.0.2.1");
        let body = DiagnosticBody::from(&inner);
        assert_eq!((body.severity.as_str(), body.line, body.column), ("error", 3, 8));
        assert_eq!(body.text, inner.to_string());
    }
}
