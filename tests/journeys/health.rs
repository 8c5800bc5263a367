//! A report, a drain, an override: the answer moves, and comes back.

use crate::support::{Query, eventually};
use crate::{AMERICA, EUROPE, FRA, IAD, STEERING, report, server};

const FRA_SUBJECTS: [&str; 2] = ["fra/web/192.0.2.10", "fra/web/192.0.2.11"];

#[test]
fn down_moves_the_answer_and_up_twice_brings_it_back() {
    let server = server();
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    report(&server, 1, "down", &FRA_SUBJECTS[..1]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    report(&server, 2, "down", &FRA_SUBJECTS[1..]);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    report(&server, 3, "up", &FRA_SUBJECTS);
    assert_eq!(server.addresses("geo.example.test", EUROPE), IAD, "one round is not enough");
    report(&server, 5, "up", &FRA_SUBJECTS);
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
}

#[test]
fn an_old_report_changes_nothing() {
    let server = server();
    report(&server, 10, "down", &FRA_SUBJECTS);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    for _ in 0..3 {
        report(&server, 5, "up", &FRA_SUBJECTS);
    }
    assert_eq!(server.addresses("geo.example.test", EUROPE), IAD);
}

#[test]
fn verdicts_overrides_and_drains_survive_kill_9() {
    let mut server = server();
    report(&server, 1, "down", &FRA_SUBJECTS);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    server.kill_and_restart();
    assert_eq!(server.addresses("geo.example.test", EUROPE), IAD);
    let drained = server.homing(&["drain", "iad", "--why", "test"]);
    assert_eq!(drained.status.code(), Some(0), "{drained:?}");
    server.wait_addresses("geo.example.test", AMERICA, &["203.0.113.10"]);
    server.kill_and_restart();
    assert_eq!(server.addresses("geo.example.test", AMERICA), ["203.0.113.10"]);
}

#[test]
fn a_clean_stop_keeps_all_and_shows_that_nobody_speaks() {
    let mut server = server();
    server.write(
        "zones/example.test.toml",
        &format!("{STEERING}[pools.web.health]\ninterval = \"1s\"\n"),
    );
    assert_eq!(server.homing(&["reload", "--wait"]).status.code(), Some(0));
    report(&server, 1, "down", &FRA_SUBJECTS[..1]);
    for words in [
        &["override", "sin", "down", "--why", "test", "--expires", "1h"][..],
        &["drain", "iad", "--why", "test", "--to", "0.5"][..],
    ] {
        let outcome = server.homing(words);
        assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    }
    server.signal("TERM");
    assert_eq!(server.wait_end().code(), Some(0));
    server.restart_unready();
    server.wait_ready();
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA[1..], "the last verdict holds");
    eventually("silence is seen: three intervals, and no vantage", || {
        let status = server.http("GET", "/v1/status", None).json();
        let endpoint = |address: &str| {
            let all = status["endpoints"].as_array().unwrap();
            all.iter().find(|e| e["address"] == address).unwrap().clone()
        };
        let (down, sin) = (endpoint(FRA[0]), endpoint("203.0.113.10"));
        let told =
            [&down["status"], &down["evidence"], &sin["status"], &status["overrides"][0]["why"]];
        if told == ["down", "frozen", "overridden-down", "test"] {
            assert_eq!(status["regions"][1]["keep"], 128, "{status}");
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

#[test]
fn a_drained_region_is_left_and_comes_back() {
    let server = server();
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    assert_eq!(server.homing(&["drain", "fra", "--why", "test"]).status.code(), Some(0));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    assert_eq!(server.homing(&["undrain", "fra"]).status.code(), Some(0));
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
}

#[test]
fn a_drain_takes_its_time_and_goes_on_after_kill_9() {
    let mut server = server();
    let drained = server.homing(&["drain", "fra", "--over", "1h", "--why", "test"]);
    assert_eq!(drained.status.code(), Some(0), "{drained:?}");
    let fra = |server: &crate::support::Server| {
        server.http("GET", "/v1/status", None).json()["regions"][0].clone()
    };
    // One of ten steps is made at once: a tenth of 256ths, rounded to keep more.
    let first = fra(&server);
    assert_eq!((&first["keep"], &first["to"]), (&231.into(), &0.into()), "{first}");
    assert!(first["next_step"].is_string() && first["complete_by"].is_string(), "{first}");
    let told = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
    for words in ["keeps 90 %, next step in ", "at 0 % by 2"] {
        assert!(told.contains(words), "{told}");
    }
    server.kill_and_restart();
    assert_eq!(fra(&server), first, "it stands where it stood");
    assert_eq!(server.homing(&["undrain", "fra", "--over", "1h"]).status.code(), Some(0));
    let back = fra(&server);
    assert_eq!((&back["keep"], &back["to"]), (&233.into(), &256.into()), "{back}");
    assert_eq!(server.homing(&["undrain", "fra"]).status.code(), Some(0));
    assert_eq!(fra(&server)["keep"], 256);
    let soon = server.homing(&["drain", "fra", "--over", "soon", "--why", "test"]);
    assert_eq!(soon.status.code(), Some(1), "{soon:?}");
    let endless = server.homing(&["drain", "fra", "--over", "200h", "--why", "test"]);
    assert!(String::from_utf8_lossy(&endless.stderr).contains("seven days"), "{endless:?}");
    let short = server.homing(&["drain", "fra", "--over", "1s", "--why", "test"]);
    assert!(String::from_utf8_lossy(&short.stderr).contains("a ttl.max apart"), "{short:?}");
}

#[test]
fn an_override_may_name_a_pattern_and_a_report_may_not() {
    let server = server();
    let down = server.homing(&["override", "192.0.2.*", "down", "--why", "test", "--forever"]);
    assert_eq!(down.status.code(), Some(0), "{down:?}");
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    assert_eq!(server.homing(&["override", "192.0.2.*", "--clear"]).status.code(), Some(0));
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
    let refused = server.homing(&["report", "fr*", "down"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA);
}

#[test]
fn an_override_is_stronger_than_reports() {
    let server = server();
    let decide = |words: &[&str]| {
        let outcome = server.homing(words);
        assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    };
    decide(&["override", "fra/web/192.0.2.10", "down", "--why", "test", "--forever"]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    report(&server, 1, "down", &FRA_SUBJECTS);
    decide(&["override", "fra/web/192.0.2.10", "up", "--why", "test", "--expires", "1h"]);
    server.wait_addresses("geo.example.test", EUROPE, &FRA[..1]);
    decide(&["override", "fra/web/192.0.2.10", "--clear"]);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
}

#[test]
fn an_override_ends_when_it_said() {
    let server = server();
    let words = ["override", "fra", "down", "--why", "test", "--expires", "1s"];
    assert_eq!(server.homing(&words).status.code(), Some(0));
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    server.wait_addresses("geo.example.test", EUROPE, &FRA);
}

#[test]
fn a_drained_site_is_not_ready_and_stays_so() {
    let mut server = server();
    assert_eq!(server.homing(&["site", "drain"]).status.code(), Some(0));
    assert_eq!(server.http("GET", "/readyz", None).status, 503);
    assert_eq!(server.http("GET", "/healthz", None).status, 200);
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA, "it answers all the same");
    server.signal("KILL");
    server.restart_unready();
    eventually("the drained site is back and not ready", || {
        match crate::support::http(server.api, "GET", "/readyz", None) {
            Some(reply) if reply.status == 503 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    eventually("the drain is taken back", || {
        let undrained = server.homing(&["site", "undrain"]);
        if undrained.status.success() { Ok(()) } else { Err(format!("{undrained:?}")) }
    });
    server.wait_ready();
}

#[test]
fn two_names_on_open_loopback_are_no_quorum() {
    let server = server();
    server.write("zones/example.test.toml", &format!("{STEERING}[pools.web.health]\nquorum = 2\n"));
    assert_eq!(server.homing(&["reload", "--wait"]).status.code(), Some(0));
    for (vantage, subject) in ["a", "b", "c"].iter().flat_map(|v| FRA_SUBJECTS.map(|s| (v, s))) {
        let words = ["report", subject, "down", "--vantage", vantage];
        assert_eq!(server.homing(&words).status.code(), Some(0));
    }
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA, "design §10");
    let health = server.http("GET", "/v1/health/fra/web/192.0.2.10", None).json();
    let endpoint = &health["endpoints"][0];
    assert_eq!((&endpoint["status"], &endpoint["reason"]), (&"up".into(), &"below-quorum".into()));
    assert_eq!(endpoint["words"].as_array().map(Vec::len), Some(3), "{health}");
    let status = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
    assert!(status.contains("alarm: below-quorum: pool web wants 2 vantages"), "{status}");
}

#[test]
fn what_is_not_a_report_is_refused_and_said() {
    let server = server();
    for body in ["nonsense", "[]x", r#"{"vantage":"test"}"#] {
        let reply = server.http("POST", "/v1/reports", Some(body));
        assert!((400..500).contains(&reply.status) || reply.body.contains("refused"), "{reply:?}");
    }
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA);
}

#[test]
fn metrics_and_status_tell_what_happened() {
    let server = server();
    report(&server, 1, "down", &FRA_SUBJECTS);
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    server.udp(&Query::new("missing.example.test A"));
    let metrics = server.http("GET", "/metrics", None).body;
    assert!(metrics.contains("homing_") && metrics.contains("# HELP"), "{metrics}");
    assert!(metrics.contains("NXDOMAIN") || metrics.contains("nxdomain"), "{metrics}");
    let health = server.http("GET", "/v1/health", None).json();
    let down = health["endpoints"].as_array().unwrap().iter().filter(|e| e["status"] == "down");
    assert_eq!(down.count(), 2, "{health}");
    let status = server.homing(&["status"]);
    assert_eq!(status.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&status.stdout).contains("fra"));
}

#[test]
fn explain_tells_the_same_as_the_wire() {
    let server = server();
    for (client, subnet) in [("193.0.0.1", "193.0.0.1/32"), ("17.1.1.1", "17.1.1.1/32")] {
        let told = server.homing(&["explain", "geo.example.test", "A", "--client", client]);
        let said = String::from_utf8_lossy(&told.stdout);
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        for address in server.addresses("geo.example.test", subnet) {
            assert!(said.contains(&address), "{client} gets {address}, explain says:\n{said}");
        }
    }
}
