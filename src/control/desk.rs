//! The desk: where the API reaches everything that it may ask or change. Cheap to clone; holds no state of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::health::LogTime;

use super::alarms::Alarms;
use super::hub::Hub;
use super::looks::Looks;
use super::metrics::Metrics;
use super::past::Past;
use super::ready::Ready;
use super::site::Site;
use super::writer::Writer;

/// What the API stands on.
#[derive(Clone)]
pub struct Desk {
    /// Knows how things are.
    pub hub: Hub,
    /// Takes what is to change.
    pub writer: Writer,
    /// Has the files looked at.
    pub looks: Looks,
    /// Knows whether the server answers.
    pub ready: Ready,
    /// Whether this site is drained.
    pub site: Site,
    /// Renders /metrics.
    pub metrics: Metrics,
    /// The generations that are kept.
    pub past: Past,
    /// What is wrong with this machine.
    pub alarms: Alarms,
    /// What does not change while the process lives.
    pub facts: Arc<Facts>,
}

/// What does not change while the process lives.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The site's name.
    pub site_name: String,
    /// Addresses that DNS is answered on.
    pub listen: Vec<SocketAddr>,
    /// When the process started.
    pub started: SystemTime,
}

/// A time of this machine's clock as milliseconds of the Unix epoch, as log times are written.
pub fn epoch_millis(time: SystemTime) -> LogTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    LogTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
