//! Why an answer is what it is: /v1/explain.

use serde::{Deserialize, Serialize};

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
    /// Every step and why, as text.
    pub text: String,
}
