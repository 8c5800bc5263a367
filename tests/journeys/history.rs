//! Back and forth between states of files: a rollback and its pin, what is pending meanwhile, the guard.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Query, Server, eventually, http};
use crate::{EUROPE, FRA, IAD, ZONE, report, server};

const WWW: &str = "www.example.test";

fn edited(www: &str) -> String {
    ZONE.replace("192.0.2.80", www)
}

/// The zone with `count` more names.
fn grown(count: usize) -> String {
    let mut zone = ZONE.to_owned();
    (0..count).for_each(|n| writeln!(zone, "n{n} A 192.0.2.200").unwrap());
    zone
}

fn status(server: &Server) -> Value {
    server.http("GET", "/v1/status", None).json()
}

/// Runs a command that has to end with `code`, and gives all that it says.
fn run(server: &Server, arguments: &[&str], code: i32) -> String {
    let told = server.homing(arguments);
    let said = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(code), "{arguments:?}: {said}");
    said.into_owned()
}

/// A server whose second generation answers www with 192.0.2.81.
fn edited_once() -> Server {
    let server = server();
    server.write("zones/example.test.zone", &edited("192.0.2.81"));
    server.wait_addresses(WWW, EUROPE, &["192.0.2.81"]);
    server
}

#[test]
fn a_rollback_serves_when_it_is_told_and_stays_over_a_kill() {
    let mut server = edited_once();
    run(&server, &["drain", "fra", "--why", "upgrade"], 0);
    let said = run(&server, &["rollback", "1", "--why", "bad push"], 0);
    assert!(said.contains("generation 3 serves the files of 1, pinned"), "{said}");
    assert!(said.contains("back with: homing resume"), "{said}");
    for restart in [false, true] {
        if restart {
            server.kill_and_restart();
        }
        assert_eq!(server.addresses(WWW, EUROPE), ["192.0.2.80"]);
        assert_eq!(server.addresses("geo.example.test", EUROPE), IAD, "the drain stands");
        let status = status(&server);
        assert_eq!((&status["generation"], &status["pin"]["of"]), (&3.into(), &1.into()));
        assert_eq!(status["pin"]["why"], "bad push");
        let shown = run(&server, &["status"], 0);
        assert!(shown.contains("pinned") && shown.contains("bad push"), "{shown}");
        let metrics = server.http("GET", "/metrics", None).body;
        assert!(metrics.contains("\nhoming_pinned 1\n"), "{metrics}");
    }
    assert!(server.log().contains("pinned     bad push"), "the banner tells");
    // The disk holds what was edited, and nobody touches it.
    let said = run(&server, &["resume"], 0);
    assert!(said.contains("generation 4 serves the files of the disk"), "{said}");
    assert_eq!(server.addresses(WWW, EUROPE), ["192.0.2.81"]);
    assert_eq!(status(&server)["pin"], Value::Null);
    let said = run(&server, &["resume"], 1);
    assert!(said.contains("not-pinned"), "{said}");
}

#[test]
fn edits_under_a_pin_are_checked_kept_and_served_by_resume() {
    let mut server = edited_once();
    run(&server, &["rollback", "previous", "--why", "bad push"], 0);
    server.write("zones/example.test.zone", &edited("192.0.2.82"));
    server.write("zones/other.test.zone", &edited("192.0.2.90"));
    for restart in [false, true] {
        if restart {
            server.kill_and_restart();
        }
        let said = run(&server, &["reload", "--wait"], 0);
        assert!(said.contains("pinned (bad push; ") && said.contains("2 files differ"), "{said}");
        let pending = &status(&server)["pending"];
        assert_eq!((&pending["count"], &pending["errors"]), (&2.into(), &0.into()));
        assert_eq!(pending["files"][1]["change"], "added");
    }
    server.write("zones/example.test.zone", &edited("192.0.2.999"));
    let said = run(&server, &["reload", "--wait"], 1);
    assert!(said.contains("zones/example.test.zone:5"), "{said}");
    assert!(said.contains("generation 3 is pinned and serves"), "{said}");
    assert_eq!(server.addresses(WWW, EUROPE), ["192.0.2.80"]);
    assert_eq!(server.udp(&Query::new("www.other.test A")).lines(), ["REFUSED"]);
    // The newest good of each file: what was sound before the mistake, though it never served.
    let said = run(&server, &["resume", "--why", "mended"], 1);
    assert!(said.contains("zones/example.test.zone:5"), "{said}");
    assert_eq!(server.addresses(WWW, EUROPE), ["192.0.2.82"]);
    assert_eq!(server.addresses("www.other.test", EUROPE), ["192.0.2.90"]);
    let list = server.http("GET", "/v1/generations?limit=2", None).json();
    let newest = &list["generations"][0];
    assert_eq!((&newest["cause"], &newest["why"]), (&"resume".into(), &"mended".into()));
    let rollback = &list["generations"][1];
    assert_eq!((&rollback["cause"], &rollback["of"]), (&"rollback".into(), &1.into()));
    assert_eq!(list["next"], 3);
}

#[test]
fn a_generation_that_is_not_kept_is_refused_with_those_that_are() {
    let server = edited_once();
    let body = r#"{"generation": 99, "why": "x"}"#;
    let reply = server.http("POST", "/v1/rollback", Some(body));
    assert_eq!(reply.status, 404, "{reply:?}");
    assert!(reply.body.contains("there are 1 to 2"), "{reply:?}");
    let reply = server.http("POST", "/v1/rollback", Some(r#"{"generation": 1}"#));
    assert!((400..500).contains(&reply.status), "a reason is wanted: {reply:?}");
    assert_eq!(server.addresses(WWW, EUROPE), ["192.0.2.81"]);
    // One step further back each time, to the first; and so again from a rollback to the third.
    server.write("zones/example.test.zone", &edited("192.0.2.82"));
    server.wait_addresses(WWW, EUROPE, &["192.0.2.82"]);
    for is_last in [false, true] {
        for of in [2, 1] {
            let said = run(&server, &["rollback", "previous", "--why", "x"], 0);
            assert!(said.contains(&format!("the files of {of}, pinned")), "{said}");
        }
        let said = run(&server, &["rollback", "previous", "--why", "x"], 1);
        assert!(said.contains("unknown-generation"), "{said}");
        if !is_last {
            run(&server, &["rollback", "3", "--why", "x"], 0);
        }
    }
}

#[test]
fn an_earlier_state_explains_itself() {
    let server = server();
    let explain = |at: &str, name: &str, code| {
        let client = ["--client", "193.0.0.1", "--at", at];
        run(&server, &[&["explain", name][..], &client].concat(), code)
    };
    report(&server, 1, "down", &["fra/web"]);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    let then = status(&server)["now"].as_str().unwrap().to_owned();
    // Log time counts milliseconds: what comes now comes later.
    std::thread::sleep(Duration::from_millis(20));
    report(&server, 9, "up", &["fra/web"]);
    report(&server, 19, "up", &["fra/web"]);
    server.write("zones/example.test.zone", &edited("192.0.2.81"));
    server.wait_addresses(WWW, EUROPE, &["192.0.2.81"]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    for (at, www, region) in [("gen:1", "192.0.2.80", "fra"), (&then, "192.0.2.80", "iad")] {
        let said = explain(at, WWW, 0);
        assert!(
            said.starts_with("files of generation 1, published ") && said.contains(www),
            "{said}"
        );
        let said = explain(at, "geo.example.test", 0);
        assert!(said.contains(&format!("choice    {region}")), "{at}: {said}");
    }
    assert!(explain("gen:1", WWW, 0).contains("are those of now"));
    assert!(explain(&then, WWW, 0).contains("are those of then"));
    assert!(explain("gen:7", WWW, 1).contains("there are 1 to 2"));
    assert!(explain("2020-01-01T00:00", WWW, 1).contains("the oldest is of "));
    assert!(explain("long ago", WWW, 1).contains("gen:NUMBER"));
}

#[test]
fn a_change_that_takes_too_much_away_is_held_until_it_is_accepted() {
    let mut server = server();
    server.write("zones/example.test.zone", &grown(30));
    server.wait_addresses("n29.example.test", EUROPE, &["192.0.2.200"]);
    server.write("zones/example.test.zone", &grown(5));
    server.write("zones/other.test.zone", &edited("192.0.2.90"));
    server.wait_addresses("www.other.test", EUROPE, &["192.0.2.90"]);
    let said = run(&server, &["reload", "--wait"], 1);
    assert!(said.contains("error[change-held]: 25 of the 34 names"), "{said}");
    assert_eq!(server.addresses("n29.example.test", EUROPE), ["192.0.2.200"]);
    let held = status(&server)["held"].clone();
    assert_eq!(held["zones"][0]["removed"], 25);
    let seen = held["generation"].to_string();
    assert!(said.contains(&format!("homing accept {seen} --why")), "{said}");
    // It is the same change after a restart, and another once it is edited.
    server.kill_and_restart();
    assert_eq!(server.addresses("n29.example.test", EUROPE), ["192.0.2.200"]);
    assert_eq!(status(&server)["held"]["generation"].to_string(), seen);
    server.write("zones/example.test.zone", &grown(0));
    let said = run(&server, &["accept", &seen, "--why", "moved away"], 1);
    assert!(said.contains("other-held"), "{said}");
    assert_eq!(server.addresses("n29.example.test", EUROPE), ["192.0.2.200"]);
    eventually("the other change is shown", || {
        let now = status(&server)["held"]["generation"].to_string();
        if now != seen && now != "null" { Ok(()) } else { Err(now) }
    });
    let now = status(&server)["held"]["generation"].to_string();
    let said = run(&server, &["accept", &now, "--why", "moved away"], 0);
    assert!(said.contains("30 names that served before are gone"), "{said}");
    assert_eq!(server.udp(&Query::new("n29.example.test A")).lines()[0], "NXDOMAIN aa");
    assert_eq!(status(&server)["held"], Value::Null);
    let said = run(&server, &["reload", "--wait"], 0);
    assert!(said.ends_with("generation 4 unchanged\n"), "{said}");
    run(&server, &["accept", &now, "--why", "again"], 1);
}

#[test]
fn a_removed_zone_with_many_names_is_held_too() {
    let server = server();
    server.write("zones/other.test.zone", &grown(30));
    server.wait_addresses("n29.other.test", EUROPE, &["192.0.2.200"]);
    std::fs::remove_file(server.path("zones/other.test.zone")).unwrap();
    eventually("the removal is held", || {
        let held = status(&server)["held"].clone();
        if held["zones"][0]["zone"] == "other.test." { Ok(()) } else { Err(held.to_string()) }
    });
    assert_eq!(server.addresses("n29.other.test", EUROPE), ["192.0.2.200"]);
    let number = status(&server)["held"]["generation"].to_string();
    run(&server, &["accept", &number, "--why", "the customer left"], 0);
    assert_eq!(server.udp(&Query::new("n29.other.test A")).lines(), ["REFUSED"]);
}

/// What the load of a rollback is: a debug build walks the same path slower.
const FULL: bool = !cfg!(debug_assertions);
const QUERIES_PER_SEC: u64 = if FULL { 20_000 } else { 1_000 };
const SOCKETS: u64 = 4;
const ROLLBACKS: u32 = if FULL { 40 } else { 6 };
const BETWEEN: Duration = Duration::from_millis(250);
/// See `load`: few enough for the default buffers of the kernel.
const UNDER_WAY_MAX: u64 = 60;

/// Questions at a steady rate while generations 1 and 2 are rolled back to in turn: each is answered, with one of the two
/// answers, and the first new answer of each rollback is timed.
#[test]
fn under_load_a_rollback_loses_no_query() {
    let server = edited_once();
    let (wanted, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    // When the wanted answer was first seen, in microseconds since `begun`; 0 while nobody has.
    let seen = AtomicU64::new(0);
    let mut took: Vec<u64> = Vec::new();
    let (sent, answered) = std::thread::scope(|scope| {
        let ask = || {
            question(&server, &is_over, |address| {
                if address == wanted.load(Ordering::Relaxed) {
                    let now = begun.elapsed().as_micros() as u64;
                    let _ = seen.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
                }
            })
        };
        let senders: Vec<_> = (0..SOCKETS).map(|_| scope.spawn(ask)).collect();
        for n in 0..ROLLBACKS {
            std::thread::sleep(BETWEEN);
            let to = 1 + n % 2;
            wanted.store(u32::from(Ipv4Addr::new(192, 0, 2, 79 + to as u8)), Ordering::Relaxed);
            seen.store(0, Ordering::Relaxed);
            let asked = begun.elapsed().as_micros() as u64;
            let body = format!(r#"{{"generation": {to}, "why": "load"}}"#);
            let reply = http(server.api, "POST", "/v1/rollback", Some(&body)).unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            let at = eventually("the rolled back answer", || match seen.load(Ordering::Relaxed) {
                0 => Err("none yet".to_owned()),
                at => Ok(at),
            });
            took.push(at.saturating_sub(asked));
        }
        is_over.store(true, Ordering::Relaxed);
        let counts = senders.into_iter().map(|sender| sender.join().unwrap());
        counts.fold((0, 0), |(a, b), (sent, answered)| (a + sent, b + answered))
    });
    took.sort();
    println!(
        "{sent} queries sent, {answered} answered; {ROLLBACKS} rollbacks, from command to first answer: median {} µs, worst {} µs",
        took[took.len() / 2],
        took[took.len() - 1],
    );
    assert_eq!(answered, sent, "queries were lost");
}

/// Asks at a steady rate until it is over, has `judge` look at each answer, and gives how many were sent and answered.
fn question(server: &Server, is_over: &AtomicBool, judge: impl Fn(u32) + Sync) -> (u64, u64) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let (sent, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_sent = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut buffer, mut silent) = ([0; 512], 0);
            while silent < 25 {
                let is_done = is_sent.load(Ordering::Acquire)
                    && answered.load(Ordering::Relaxed) == sent.load(Ordering::Relaxed);
                if is_done {
                    return;
                }
                let Ok(len) = socket.recv(&mut buffer) else {
                    silent += 1;
                    continue;
                };
                silent = 0;
                let response = &buffer[..len];
                assert_eq!((response[3] & 15, response[7]), (0, 1), "an answer of one record");
                let address = u32::from_be_bytes(response[len - 4..].try_into().unwrap());
                assert!((0xc000_0250..=0xc000_0251).contains(&address), "{address:#x}");
                judge(address);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut query = Query::new("www.example.test A");
        let begun = Instant::now();
        while !is_over.load(Ordering::Relaxed) && !reader.is_finished() {
            let n = sent.load(Ordering::Relaxed);
            let due = Duration::from_micros(n * 1_000_000 * SOCKETS / QUERIES_PER_SEC);
            if let Some(early) = due.checked_sub(begun.elapsed()).filter(|e| e.as_millis() >= 1) {
                std::thread::sleep(early);
            }
            if n - answered.load(Ordering::Relaxed) >= UNDER_WAY_MAX {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            query.id = n as u16;
            socket.send(&query.to_wire()).unwrap();
            sent.fetch_add(1, Ordering::Relaxed);
        }
        is_sent.store(true, Ordering::Release);
    });
    (sent.into_inner(), answered.into_inner())
}
