//! The service manager that started this process: it is told when DNS is answered, and for how long the process lives
//! (sd_notify(3)). Where there is none, nothing is told.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};

use crate::serve::Serving;

use super::hub::Hub;
use super::ready::Ready;

/// How often it is looked whether DNS is answered yet.
const READY_EVERY: Duration = Duration::from_millis(50);

/// Tells that the server is ready once every socket has answered, and then that it lives, as often as it is asked to. Call
/// it within the runtime.
pub fn tell(ready: Ready, hub: Hub, serving: Arc<Serving>) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    tokio::spawn(async move {
        while !ready.silent().is_empty() {
            sleep(READY_EVERY).await;
        }
        say(&[NotifyState::Ready]);
        let Some(within) = sd_notify::watchdog_enabled() else { return };
        let mut batches = 0;
        loop {
            let lives = timeout(within / 4, hub.view()).await.is_ok_and(|view| view.is_ok());
            // A flood may drown our own questions; who answers it lives.
            let now = serving.udp_totals().batches;
            if lives && (ready.silent().is_empty() || now != batches) {
                say(&[NotifyState::Watchdog]);
            }
            batches = now;
            sleep(within / 4).await;
        }
    });
}

/// Tells that the end has begun.
pub fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(states: &[NotifyState<'_>]) {
    // It is no reason to stop that nobody hears it.
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(event = "supervisor-unheard", %error);
    }
}
