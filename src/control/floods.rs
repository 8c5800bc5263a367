//! Whether responses are limited. Looked at now and then, so that the alarm names who is asked for, and stands through the
//! pauses of a flood.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::alarm::Alarm;
use crate::serve::{Serving, UdpTotals};

use super::alarms::{Alarms, Subject};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks without a limited response until the alarm is cleared: a minute.
const QUIET_LOOKS: u32 = 12;

/// What was seen before.
#[derive(Debug, Default)]
struct Flood {
    limited: u64,
    /// Looks since a response was limited; none was yet.
    quiet: Option<u32>,
}

/// Looks at what `serving` limits, for as long as the runtime lives. Call it within the runtime.
pub fn follow(serving: Arc<Serving>, log_only: bool, alarms: Alarms) {
    tokio::spawn(async move {
        let (mut flood, mut beats) = (Flood::default(), tokio::time::interval(LOOK_EVERY));
        loop {
            beats.tick().await;
            let standing = flood.look(limited(&serving.udp_totals()));
            let entry = || {
                (Subject::default(), words(flood.limited, &serving.networks_over_limit(), log_only))
            };
            alarms.settle(Alarm::ResponsesLimited, standing.then(entry).into_iter().collect());
        }
    });
}

fn limited(totals: &UdpTotals) -> u64 {
    totals.limited_dropped
        + totals.limited_truncated
        + totals.limited_leaked
        + totals.limited_watched
}

impl Flood {
    /// Whether there is one, where `limited` responses were over their limit so far.
    fn look(&mut self, limited: u64) -> bool {
        if limited > self.limited {
            self.limited = limited;
            self.quiet = Some(0);
        } else {
            self.quiet = self.quiet.map(|quiet| quiet + 1).filter(|quiet| *quiet < QUIET_LOOKS);
        }
        self.quiet.is_some()
    }
}

fn words(limited: u64, networks: &[(IpAddr, u8)], log_only: bool) -> String {
    let last: Vec<String> =
        networks.iter().map(|(address, len)| format!("{address}/{len}")).collect();
    let done = if log_only { "sent all the same (log_only)" } else { "limited" };
    format!("responses {done} since the start: {limited}; last those to {}", last.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_over_after_a_minute_of_quiet() {
        let mut flood = Flood::default();
        assert!(!flood.look(0));
        assert!(flood.look(5));
        assert!((1..QUIET_LOOKS).all(|_| flood.look(5)));
        assert!(!flood.look(5));
        assert!(!flood.look(5));
        assert!(flood.look(6), "it begins again");
    }

    #[test]
    fn its_words_name_whom_it_is_in_the_name_of() {
        let networks = [("192.0.2.0".parse().unwrap(), 24), ("2001:db8::".parse().unwrap(), 56)];
        let expected =
            "responses limited since the start: 7; last those to 192.0.2.0/24, 2001:db8::/56";
        assert_eq!(words(7, &networks, false), expected);
        assert!(words(7, &networks, true).starts_with("responses sent all the same (log_only)"));
    }
}
