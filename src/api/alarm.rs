//! Alarms as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alarm::Alarm;

/// An alarm that stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmBody {
    /// Its stable code, such as `log-unwritable`.
    pub alarm: String,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// What it is of: a pool, a file, a vantage; left out where there is but one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What is wrong.
    pub words: String,
    /// What to do.
    pub help: String,
}

/// The alarm as JSON.
pub fn alarm_body(alarm: Alarm, subject: &str, words: &str) -> AlarmBody {
    AlarmBody {
        alarm: alarm.code().to_owned(),
        severity: alarm.severity().word().to_owned(),
        subject: subject.to_owned(),
        words: words.to_owned(),
        help: alarm.help().to_owned(),
    }
}
