//! The gate: what stands between whoever asks and the rest of the API. Who may ask, and how much.

use std::path::Path;

use super::access::Access;
use super::alarms::Alarms;
use super::measure::Measure;

/// What a request has to pass.
#[derive(Clone)]
pub struct Gate {
    /// Who may ask what.
    pub access: Access,
    /// Counts items of the feed, by who sends them.
    pub items: Measure,
    /// Counts wrong tokens, by who sends them.
    pub wrong: Measure,
}

impl Gate {
    /// Opens it with the tokens of the folder `state`, which are followed for as long as the runtime lives. Call it within
    /// the runtime.
    pub fn start(state: &Path, alarms: &Alarms) -> Gate {
        Gate {
            access: Access::start(state.to_owned(), alarms.clone()),
            items: Measure::of_items(),
            wrong: Measure::of_wrong_tokens(),
        }
    }
}
