//! What does not change while the process lives, and how its clock is written.

use std::net::SocketAddr;
use std::time::SystemTime;

use crate::answer::Transport;
use crate::health::LogTime;
use crate::load::Config;
use crate::serve::Serving;

use super::sandbox::Sandbox;

/// What does not change while the process lives.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The site's name.
    pub site_name: String,
    /// Addresses that DNS is answered on.
    pub listen: Vec<SocketAddr>,
    /// Where DNS is answered within TLS.
    pub dot: Vec<SocketAddr>,
    /// … within HTTPS.
    pub doh: Vec<SocketAddr>,
    /// … within QUIC.
    pub doq: Vec<SocketAddr>,
    /// When the process started.
    pub started: SystemTime,
    /// What the process gave up.
    pub sandbox: Sandbox,
}

impl Facts {
    /// Those of a server that serves.
    pub fn of(config: &Config, serving: &Serving, started: SystemTime, sandbox: Sandbox) -> Facts {
        Facts {
            site_name: config.site_name.clone(),
            listen: serving.addresses().to_vec(),
            dot: serving.encrypted_addresses(Transport::Tls),
            doh: serving.encrypted_addresses(Transport::Https),
            doq: serving.encrypted_addresses(Transport::Quic),
            started,
            sandbox,
        }
    }
}

/// A time of this machine's clock as milliseconds of the Unix epoch, as log times are written.
pub fn epoch_millis(time: SystemTime) -> LogTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    LogTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
