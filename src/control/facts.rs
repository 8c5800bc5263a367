//! What does not change while the process lives, and how its clock is written.

use std::net::SocketAddr;
use std::time::SystemTime;

use crate::health::LogTime;

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
