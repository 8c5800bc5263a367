//! Watching: whoever was cut off, wherever it was, is told everything once and in order.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::support::{SseEvent, Stream, eventually};
use super::{FRA, ZONE, door, report, server};

/// Events of the log, until one has this revision; others are passed over.
fn told(stream: &mut Stream, until: u64) -> Vec<Value> {
    let mut told = Vec::new();
    while told.last().is_none_or(|event: &Value| event["revision"] != until) {
        let Some(event) = stream.next() else { panic!("the stream ended after {told:?}") };
        if event.name.is_empty() {
            assert!(event.has_id, "{event:?}");
            told.push(event.data);
        }
    }
    told
}

fn revisions(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["revision"].as_u64().unwrap()).collect()
}

fn revision(server: &super::Server) -> u64 {
    server.http("GET", "/v1/status", None).json()["revision"].as_u64().unwrap()
}

fn next_named(stream: &mut Stream, name: &str) -> SseEvent {
    loop {
        let event = stream.next().unwrap_or_else(|| panic!("the stream ended before {name}"));
        if event.name == name {
            return event;
        }
    }
}

#[test]
fn killed_in_the_middle_a_watch_resumes_exactly() {
    let mut server = server();
    let mut stream = Stream::open(server.api, "/v1/watch?from=0", "");
    assert_eq!(stream.status, 200);
    let start = stream.next().unwrap();
    assert_eq!((start.name.as_str(), &start.data["revision"]), ("start", &Value::from(0)));
    let mut seen = Vec::new();
    for round in 0..6u64 {
        let status = if round % 2 == 0 { "down" } else { "up" };
        report(&server, round * 10 + 1, status, &FRA);
        report(&server, round * 10 + 5, status, &FRA);
        let now = revision(&server);
        // Half of it is read, and the rest is cut off with the server.
        let half = (seen.len() as u64 + now).div_ceil(2);
        seen.extend(told(&mut stream, half.max(seen.len() as u64 + 1)));
        server.kill_and_restart();
        let lines = format!("last-event-id: {}\r\n", stream.last_id.unwrap());
        // As a browser does: with the address that it began with.
        stream = Stream::open(server.api, "/v1/watch?from=0", &lines);
        let start = stream.next().unwrap();
        assert_eq!(start.data["revision"], seen.last().unwrap()["revision"]);
    }
    let last = revision(&server);
    seen.extend(told(&mut stream, last));
    assert_eq!(revisions(&seen), (1..=last).collect::<Vec<u64>>(), "each once, in order");
    // What is read from the log again is what was told as it happened.
    let again = told(&mut Stream::open(server.api, "/v1/watch?from=0", ""), last);
    assert_eq!(again, seen);
    let turned = seen.iter().flat_map(|event| event["turned"].as_array().into_iter().flatten());
    let turned: Vec<String> = turned
        .filter(|turn| turn["was"] != turn["status"])
        .map(|turn| format!("{} {}", turn["subject"].as_str().unwrap(), turn["status"]))
        .collect();
    assert_eq!(turned[..2], ["fra/web/192.0.2.10 \"down\"", "fra/web/192.0.2.11 \"down\""]);
    assert!(turned.contains(&"fra/web/192.0.2.10 \"up\"".to_owned()), "{turned:?}");
    assert_eq!(seen[0]["kind"], "publication");
}

#[test]
fn decisions_publications_and_alarms_are_watched_as_they_happen() {
    let server = server();
    let mut stream = Stream::open(server.api, "/v1/watch", "");
    let start = stream.next().unwrap().data["revision"].as_u64().unwrap();
    let body = r#"{"action":"down","why":"works","who":"ana","expires":"1h"}"#;
    assert_eq!(server.http("PUT", "/v1/overrides/fra/web/192.0.2.10", Some(body)).status, 200);
    let event = &told(&mut stream, start + 1)[0];
    assert_eq!(event["kind"], "override");
    assert_eq!((event["who"].as_str(), event["why"].as_str()), (Some("ana"), Some("works")));
    assert_eq!(event["turned"][0]["status"], "overridden-down");
    // The override covers nothing any more: an alarm that follows from the log.
    let without = super::STEERING.replace("\"192.0.2.10\", ", "");
    server.write("zones/example.test.toml", &without);
    let event = told(&mut stream, start + 2).remove(0);
    assert_eq!((&event["kind"], &event["cause"]), (&"publication".into(), &"files".into()));
    assert_eq!(event["alarms"][0]["alarm"], "dangling");
    assert_eq!(event["alarms"][0]["change"], "raised");
    // A file that is refused: an alarm of this machine, which has no revision.
    server.write("zones/example.test.zone", "$TTL 60\n@ SOA broken\n");
    let alarm = next_named(&mut stream, "alarm");
    assert!(!alarm.has_id);
    assert_eq!(
        (&alarm.data["alarm"], &alarm.data["change"]),
        (&"files-refused".into(), &"raised".into())
    );
    let begun = Stream::open(server.api, "/v1/watch", "").next().unwrap();
    assert_eq!(begun.data["alarms"][0]["alarm"], "files-refused", "told whole when one begins");
    server.write("zones/example.test.zone", ZONE);
    let alarm = next_named(&mut stream, "alarm");
    assert_eq!(alarm.data["change"], "cleared");
}

#[test]
fn what_cannot_be_watched_is_refused_and_says_why() {
    let server = server();
    let ask = |path: &str, lines: &str| {
        let reply = super::support::http_with(server.api, "GET", path, lines, None).unwrap();
        assert!(reply.headers.contains("application/problem+json"), "{reply:?}");
        (reply.status, reply.json()["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(ask("/v1/watch?from=1000000", ""), (409, "revision-ahead".to_owned()));
    assert_eq!(ask("/v1/watch?from=x", ""), (400, "bad-query".to_owned()));
    let lines = "last-event-id: x\r\n";
    assert_eq!(ask("/v1/watch?from=1", lines), (400, "bad-last-event-id".to_owned()));
}

#[test]
fn those_who_watch_do_not_hold_the_server_when_it_ends() {
    let mut server = server();
    let mut streams: Vec<Stream> =
        (0..20).map(|_| Stream::open(server.api, "/v1/watch?from=0", "")).collect();
    let last = revision(&server);
    for stream in &mut streams {
        told(stream, last);
    }
    server.signal("TERM");
    for stream in &mut streams {
        let end = next_named(stream, "end");
        assert_eq!(end.data["code"], "stopping");
        assert_eq!(end.data["revision"], last);
        assert!(stream.next().is_none());
    }
    assert!(server.wait_end().success());
    assert!(server.log().contains("stopped"), "{}", server.log());
}

#[test]
fn a_watch_ends_with_the_token_that_opened_it() {
    let server = server();
    let secret = door::token(&server, "eve --person --verb read");
    door::wait_known(&server, &secret);
    let line = format!("authorization: Bearer {secret}\r\n");
    let mut stream = Stream::open(server.api, "/v1/watch", &line);
    assert_eq!((stream.status, &*stream.next().unwrap().name), (200, "start"));
    assert!(door::homing(&server, None, "token revoke eve").status.success());
    let end = next_named(&mut stream, "end");
    assert_eq!(end.data["code"], "not-welcome");
    assert!(stream.next().is_none());
    assert_eq!(Stream::open(server.api, "/v1/watch", &line).status, 401);
}

#[test]
fn what_is_no_longer_kept_is_said_with_the_place_to_go_on_from() {
    let server = server();
    // Each turns the word before, so that each is an event of its own; and they are long.
    let reason = "x".repeat(200);
    let fill = |request: u64| {
        let line = |n: u64| {
            let status = if n.is_multiple_of(2) { "down" } else { "up" };
            serde_json::json!({
                "vantage": "test", "boot": 1, "seq": request * 3_000 + n + 1, "subject": FRA[0],
                "status": status, "reason": reason,
            })
        };
        let lines: Vec<Value> = (0..3_000).map(line).collect();
        let reply = server.http("POST", "/v1/reports", Some(&Value::from(lines).to_string()));
        assert_eq!(reply.status, 202, "{}", reply.body);
        Stream::open(server.api, "/v1/watch?from=0", "").status
    };
    let answers: Vec<u16> = (0..50).map(fill).take_while(|status| *status != 410).collect();
    assert!((10..50).contains(&answers.len()), "much is kept, and not all: {answers:?}");
    let refused = server.http("GET", "/v1/watch?from=0", None);
    assert_eq!((refused.status, &refused.json()["code"]), (410, &"revision-too-old".into()));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    let oldest = detail.split("(from=").nth(1).and_then(|rest| rest.split(')').next());
    let oldest: u64 = oldest.and_then(|text| text.parse().ok()).expect(&detail);
    let last = revision(&server);
    assert!(last - oldest >= 20_000, "as many are kept at least: {oldest} of {last}");
    let mut stream = Stream::open(server.api, &format!("/v1/watch?from={oldest}"), "");
    assert_eq!(revisions(&told(&mut stream, oldest + 3)), [oldest + 1, oldest + 2, oldest + 3]);
}

#[test]
fn places_to_watch_are_bounded_and_given_back() {
    let server = server();
    let streams: Vec<Stream> =
        (0..128).map(|_| Stream::open(server.api, "/v1/watch", "")).collect();
    assert!(streams.iter().all(|stream| stream.status == 200));
    let reply = server.http("GET", "/v1/watch", None);
    assert_eq!((reply.status, &reply.json()["code"]), (503, &"too-many-watchers".into()));
    assert_eq!(server.http("GET", "/v1/status", None).status, 200, "others are served");
    drop(streams);
    eventually("a place is free", || match Stream::open(server.api, "/v1/watch", "").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
}

/// A `homing watch` under way, and what it has printed.
struct Watching {
    child: Child,
    printed: PathBuf,
}

impl Watching {
    fn begin(server: &super::Server, arguments: &[&str]) -> Watching {
        let printed = server.path("printed");
        let file = |path| File::create(path).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_homing"))
            .args(["watch", "--server", &format!("http://{}", server.api)])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file(&printed))
            .stderr(file(&server.path("complaints")))
            .spawn();
        Watching { child: child.unwrap(), printed }
    }

    fn wait_printed(&self, words: &str) -> String {
        eventually(words, || {
            let text = std::fs::read_to_string(&self.printed).unwrap();
            if text.contains(words) { Ok(text) } else { Err(text) }
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_command_goes_on_where_it_was_cut_off() {
    let mut server = server();
    let watching = Watching::begin(&server, &["--from", "0"]);
    watching.wait_printed(" publication of generation 1 (start)");
    report(&server, 1, "down", &FRA);
    watching.wait_printed("fra/web/192.0.2.11 up -> down (");
    server.kill_and_restart();
    report(&server, 11, "up", &FRA);
    let override_ = ["override", "iad/web", "hold", "--why", "works", "--forever"];
    assert!(server.homing(&override_).status.success());
    let text = watching.wait_printed(": works");
    assert!(text.contains("override of iad/web/*: hold until never, says "), "{text}");
    let numbers = text.lines().filter(|line| !line.starts_with(' '));
    let numbers: Vec<u64> =
        numbers.map(|l| l.split_whitespace().nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (1..=revision(&server)).collect::<Vec<u64>>(), "each once: {text}");
    let complaints = std::fs::read_to_string(server.path("complaints")).unwrap();
    assert!(complaints.contains("; goes on after revision "), "{complaints}");
    // What is from before all that is kept, or not from this server, is no place to begin.
    let refused = server.homing(&["watch", "--from", "1000000"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("revision-ahead"));
}

#[test]
fn every_metric_of_the_alert_rules_is_there() {
    let server = server();
    let rules = super::support::homing(&server.path("."), &["alerts", "--job", "dns"]);
    let rules = String::from_utf8(rules.stdout).unwrap();
    let metrics = server.http("GET", "/metrics", None).body;
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: BTreeSet<&str> = words.filter(|word| word.starts_with("homing_")).collect();
    assert!(named.len() >= 4, "{named:?}");
    for name in named {
        // A certificate's is there where there is one: tests of TLS look for it.
        let there = metrics.contains(&format!("\n{name}"));
        assert!(there || name.ends_with("_certificate_expires_timestamp_seconds"), "{name}");
    }
    for alarm in rules.split("alarm=\\\"").skip(1).filter_map(|rest| rest.split('\\').next()) {
        assert!(metrics.contains(&format!("homing_alarm{{alarm=\"{alarm}\"")), "{alarm}");
    }
}
