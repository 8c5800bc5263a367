//! Clocks that jump: the machine's own, by a day either way, under a server that runs and over a restart; and an hour in which
//! nobody speaks. Needs libfaketime, without which only CI insists.

use std::path::Path;

use super::support::{Server, eventually};
use super::{EUROPE, FRA, IAD, REGIONS, STEERING, ZONE, report};

/// Where Debian and others have it.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// A server whose wall clock follows the file `clock`; none where that cannot be.
fn server() -> Option<Server> {
    let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
    assert!(library.is_some() || std::env::var_os("CI").is_none(), "faketime is not installed");
    let line = format!(
        "export LD_PRELOAD={} FAKETIME_TIMESTAMP_FILE=$PWD/clock FAKETIME_NO_CACHE=1 \
         FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1",
        library?
    );
    let files = [
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
        ("clock", "+0"),
    ];
    let server = Server::start_mounted(&files, Some(&line));
    server.wait_ready();
    Some(server)
}

/// How many seconds the server's log time is ahead of this machine's clock.
fn ahead(server: &Server) -> f64 {
    let status = server.http("GET", "/v1/status", None).json();
    let at: jiff::Timestamp = status["last_event"].as_str().unwrap().parse().unwrap();
    at.duration_since(jiff::Timestamp::now()).as_secs_f64()
}

fn evidence(server: &Server, address: &str) -> (String, String) {
    let status = server.http("GET", "/v1/status", None).json();
    let all = status["endpoints"].as_array().unwrap();
    let endpoint = all.iter().find(|e| e["address"] == address).unwrap();
    let text = |key: &str| endpoint[key].as_str().unwrap().to_owned();
    (text("status"), text("evidence"))
}

const DAY: f64 = 86_400.0;

#[test]
fn a_clock_that_jumps_a_day_turns_nothing_and_a_start_never_goes_back() {
    let Some(mut server) = server() else { return };
    report(&server, 1, "down", &["fra/web/192.0.2.10"]);
    report(&server, 2, "up", &["fra/web/192.0.2.11", "iad"]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    for (seq, jump) in [(10, "+1d"), (20, "-1d"), (30, "+0")] {
        server.write("clock", jump);
        // Log time goes by what the machine's steady clock measured: words are as fresh as they were.
        report(&server, seq, "up", &["iad"]);
        assert!(ahead(&server).abs() < 60.0, "{jump}: {}", ahead(&server));
        assert_eq!(evidence(&server, FRA[0]), ("down".to_owned(), "fresh".to_owned()), "{jump}");
        assert_eq!(server.addresses("geo.example.test", EUROPE), FRA[1..], "{jump}");
    }
    let decided =
        server.homing(&["override", "iad", "down", "--expires", "2h", "--why", "test", "--force"]);
    assert_eq!(decided.status.code(), Some(0), "{decided:?}");
    // A day later by the clock, over a restart: verdicts hold, nobody is fresh, the override has ended.
    server.write("clock", "+1d");
    server.kill_and_restart();
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA[1..]);
    eventually("it is a day later", || {
        let found = evidence(&server, FRA[0]);
        let status = server.http("GET", "/v1/status", None).json();
        let is_over = status["overrides"].as_array().is_none_or(|all| all.is_empty());
        match found == ("down".to_owned(), "frozen".to_owned()) && is_over {
            true => Ok(()),
            false => Err(format!("{found:?} {}", status["overrides"])),
        }
    });
    report(&server, 40, "up", &["iad"]);
    assert!((ahead(&server) - DAY).abs() < 60.0, "{}", ahead(&server));
    // Back again: log time stays where it was, for the log never goes back.
    server.write("clock", "+0");
    server.kill_and_restart();
    report(&server, 50, "up", &["iad"]);
    assert!((ahead(&server) - DAY).abs() < 60.0, "{}", ahead(&server));
    report(&server, 60, "down", &["fra"]);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn an_hour_in_which_nobody_speaks_changes_no_answer() {
    let Some(mut server) = server() else { return };
    report(&server, 1, "down", &["fra/web/192.0.2.10"]);
    report(&server, 2, "up", &["fra/web/192.0.2.11", "iad", "sin"]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    let every = ["193.0.0.0/21", "17.0.0.0/8", "203.119.101.0/24", "200.160.0.0/20"];
    let answers =
        |server: &Server| every.map(|subnet| server.addresses("geo.example.test", subnet));
    let before = answers(&server);
    server.write("clock", "+1h");
    server.kill_and_restart();
    for (address, status) in [(FRA[0], "down"), (FRA[1], "up"), (IAD[0], "up")] {
        eventually("the silence is seen", || {
            let found = evidence(&server, address);
            let wanted = (status.to_owned(), "frozen".to_owned());
            if found == wanted { Ok(()) } else { Err(format!("{address}: {found:?}")) }
        });
    }
    assert_eq!(answers(&server), before);
    let told = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
    for words in ["vantage-missing", "pool-frozen", "frozen"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    report(&server, 10, "up", &["fra/web/192.0.2.10"]);
    report(&server, 20, "up", &["fra/web/192.0.2.10"]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
}
