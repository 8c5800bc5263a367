//! A letter of the webhook.

use serde::{Deserialize, Serialize};

use super::watch::{AlarmChange, WatchEvent};

/// What a receiver is sent. It comes again until it is answered with a status of 2xx, so it may come twice: an event is
/// known by its revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WebhookBody {
    /// Which server sends it, by the name of its site. Events of the log are the same at every site.
    pub site: String,
    /// Whether the server has begun, and this is its first letter: of this machine, no alarms stand but those in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begins: bool,
    /// What happened, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WatchEvent>,
    /// Alarms of this machine that were raised or cleared. They have no place in the order; the newest word on each is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmChange>,
    /// Whether events before these are missing, for the log no longer keeps them: /v1/status has what holds now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gap: bool,
}
