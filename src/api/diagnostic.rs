//! Diagnostics as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::diagnostic::Diagnostic;

/// One mistake or remark about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
