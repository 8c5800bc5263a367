//! A region that has too much load sheds clients to the next one, and says so.

use std::collections::BTreeMap;

use super::support::{Query, Server, eventually};
use super::{FRA, IAD, STEERING, ZONE};

pub const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\ncapacity = 1000\n[iad]\nposition = [39.04, -77.49]\n\
    capacity = 100000\n[sin]\nposition = [1.35, 103.82]\n";

/// Who answers each of some clients all over the world.
fn answers(server: &Server) -> BTreeMap<String, Vec<String>> {
    let subnet = |n: u32| format!("{}.{}.0.0/20", 1 + n * 37 % 220, n * 101 % 256);
    let ask = |subnet: String| {
        let query = Query::new("geo.example.test A").subnet(&subnet);
        let mut found = server.udp(&query).rdata("A");
        found.sort();
        (subnet, found)
    };
    (0..600).map(|n| ask(subnet(n))).collect()
}

pub fn load(server: &Server, seq: u64, region: &str, load: f64) {
    let line = serde_json::json!({
        "vantage": "balancer", "boot": 1, "seq": seq, "subject": region, "status": "up", "load": load,
    });
    let reply = server.http("POST", "/v1/reports", Some(&line.to_string()));
    assert_eq!(reply.status, 202, "{reply:?}");
}

#[test]
fn a_region_over_its_mark_sheds_those_nearest_to_the_border() {
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ]);
    let before = answers(&server);
    load(&server, 1, "iad", 10.0);
    load(&server, 2, "fra", 500.0);
    assert_eq!(answers(&server), before, "between the marks nothing moves");
    let mut server = server;
    server.kill_and_restart();
    // Smoothed over half a minute, and read each second at most: what came too early for that counts when it is repeated.
    let mut seq = 2;
    eventually("it sheds", || {
        seq += 1;
        load(&server, seq, "fra", 200_000.0);
        let is_same = answers(&server) == before;
        if is_same { Err("nobody moves".into()) } else { Ok(()) }
    });
    let after = answers(&server);
    let moved: Vec<&String> = before.keys().filter(|it| before[*it] != after[*it]).collect();
    let of_fra = before.values().filter(|addresses| *addresses == &FRA).count();
    assert!(!moved.is_empty() && moved.len() * 3 < of_fra, "{} of {of_fra}", moved.len());
    for subnet in &moved {
        assert_eq!(
            (&before[*subnet][..], &after[*subnet][..]),
            (&FRA.map(String::from)[..], &IAD.map(String::from)[..])
        );
    }
    let client = moved[0].trim_end_matches("/20");
    let told =
        server.homing(&["explain", "geo.example.test", "A", "--client", &format!("{client}/20")]);
    let said = String::from_utf8(told.stdout).unwrap();
    for words in ["shed", "it sheds these clients: its load is", IAD[0]] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let status = server.http("GET", "/v1/status", None).json();
    let fra = &status["regions"][0]["load"];
    assert_eq!(
        (&fra["capacity"], &fra["sheds"][0]["to"]),
        (&1000.0.into(), &"iad".into()),
        "{fra}"
    );
    let text = String::from_utf8(server.homing(&["status"]).stdout).unwrap();
    assert!(text.contains("of the border to iad; rests for"), "{text}");
    let metrics = server.http("GET", "/metrics", None).body;
    assert!(metrics.contains("homing_region_shed_ratio{region=\"fra\",to=\"iad\"}"), "{metrics}");
    // What is shed stands over a restart.
    server.kill_and_restart();
    assert_eq!(answers(&server), after);
}
