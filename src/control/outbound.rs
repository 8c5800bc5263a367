//! What this process asks of others over HTTP: how it asks, and how long it waits before it asks again.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use crate::api::trust;

/// A client that believes whom the file `ca` vouches for (none: whom the system believes), calls itself `name`, and gives up
/// after `timeout`. Statuses are answers, redirects are not followed, proxies of the environment are not asked.
pub fn agent(ca: Option<&Path>, name: &str, timeout: Duration) -> Result<ureq::Agent, String> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .timeout_connect(Some(timeout / 2))
        .timeout_global(Some(timeout))
        .tls_config(trust(ca)?)
        .user_agent(format!("{name}/{}", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(config.new_agent())
}

/// The pauses after failures: each twice the one before.
#[derive(Debug)]
pub struct Pauses {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Pauses {
    /// From `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Pauses {
        Pauses { first, longest, next: first }
    }

    /// It failed again: how long to wait. Between half of the pause and all of it, so that not all who were waiting for
    /// one that comes back come at once.
    pub fn next(&mut self) -> Duration {
        let share = (RandomState::new().hash_one(()) % 1000) as f64 / 1000.0;
        let pause = self.next.mul_f64(0.5 + share / 2.0);
        self.next = (self.next * 2).min(self.longest);
        pause
    }

    /// It went well.
    pub fn begin_again(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again() {
        let seconds = Duration::from_secs;
        let mut pauses = Pauses::new(seconds(1), seconds(300));
        for whole in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let pause = pauses.next();
            assert!(pause >= seconds(whole) / 2 && pause <= seconds(whole), "{pause:?} of {whole}");
        }
        pauses.begin_again();
        assert!(pauses.next() <= seconds(1));
    }
}
