//! Killed at every point of a report, an override, a drain: what was acknowledged is there after the start, and what was not is
//! there whole or not at all.

use std::sync::atomic::{AtomicBool, Ordering};

use super::server;
use super::support::{Server, Watched, http};

/// Something that is asked of a server, and can be seen.
struct Deed {
    /// Brings about what it needs; unwatched.
    before: fn(&Server, usize),
    method: &'static str,
    path: &'static str,
    body: fn(usize) -> serde_json::Value,
    /// Whether it is done.
    is_done: fn(&Server, usize) -> bool,
}

/// Asks, and waits until it is acknowledged.
fn must(server: &Server, method: &str, path: &str, body: &serde_json::Value) {
    let reply = server.http(method, path, Some(&body.to_string()));
    assert!((200..300).contains(&reply.status), "{reply:?}");
}

fn why(round: usize) -> serde_json::Value {
    serde_json::json!({ "why": format!("round {round}") })
}

/// Whether the status tells of this round.
fn told(server: &Server, part: &str, round: usize) -> bool {
    let status = server.http("GET", "/v1/status", None).json();
    status[part].to_string().contains(&format!("\"round {round}\""))
}

const REPORT: Deed = Deed {
    before: |_, _| {},
    method: "POST",
    path: "/v1/reports",
    body: |round| {
        let status = if round.is_multiple_of(2) { "up" } else { "down" };
        serde_json::json!({
            "vantage": "test", "boot": 1, "seq": round, "subject": "fra/web/192.0.2.10", "status": status,
            "reason": format!("round {round}"),
        })
    },
    is_done: |server, round| {
        let health = server.http("GET", "/v1/health/fra/web/192.0.2.10", None).body;
        health.contains(&format!("\"round {round}\""))
    },
};

const OVERRIDE: Deed = Deed {
    before: |_, _| {},
    method: "PUT",
    path: "/v1/overrides/iad/web",
    body: |round| serde_json::json!({ "action": "down", "forever": true, "why": format!("round {round}"), "force": true }),
    is_done: |server, round| told(server, "overrides", round),
};

const DRAIN: Deed = Deed {
    before: |_, _| {},
    method: "POST",
    path: "/v1/regions/fra/drain",
    body: why,
    is_done: |server, round| told(server, "regions", round),
};

const UNDRAIN: Deed = Deed {
    before: |server, round| must(server, "POST", "/v1/regions/sin/drain", &why(round)),
    method: "POST",
    path: "/v1/regions/sin/undrain",
    body: why,
    is_done: |server, round| !told(server, "regions", round),
};

/// Kills the server before each change that it makes in `state/` for the deed, from the first to the last; tells them.
fn killed_at_every_step_of(deed: &Deed) -> Option<Vec<String>> {
    let mut server = server();
    let mut steps = Vec::new();
    for round in 1.. {
        (deed.before)(&server, round);
        let acknowledged = AtomicBool::new(false);
        let Some(watched) = Watched::begin(server.process(), &server.path("state")) else {
            assert!(std::env::var_os("CI").is_none(), "no ptrace here");
            return None;
        };
        let killed_at = std::thread::scope(|scope| {
            scope.spawn(|| {
                let body = (deed.body)(round).to_string();
                let reply = http(server.api, deed.method, deed.path, Some(&body));
                // A server that died in between answers nothing, or half.
                acknowledged.store(reply.is_some_and(|r| r.status < 300), Ordering::SeqCst);
            });
            watched.kill_at(round, || acknowledged.load(Ordering::SeqCst))
        });
        let acknowledged = acknowledged.into_inner();
        server.restart_unready();
        server.wait_ready();
        let is_done = (deed.is_done)(&server, round);
        let place = format!("killed before step {round}, {killed_at:?}, of {steps:?}");
        assert!(is_done || !acknowledged, "{place}: acknowledged, and lost");
        assert!(killed_at.is_some() || acknowledged, "{place}: never acknowledged");
        match killed_at {
            Some(step) => steps.push(step),
            None => return Some(steps),
        }
    }
    None
}

fn hold(deed: &Deed) {
    let Some(steps) = killed_at_every_step_of(deed) else { return };
    let told = steps.join("\n");
    println!("killed before each of {} steps:\n{told}", steps.len());
    assert!(told.contains("write") && told.contains("sync"), "it is on no disk:\n{told}");
}

#[test]
fn no_report_is_lost_once_it_is_acknowledged() {
    hold(&REPORT);
}

#[test]
fn no_override_is_lost_once_it_is_acknowledged() {
    hold(&OVERRIDE);
}

#[test]
fn no_drain_is_lost_once_it_is_acknowledged() {
    hold(&DRAIN);
    hold(&UNDRAIN);
}
