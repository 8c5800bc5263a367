//! Whose clients ask: counted to places, kept over restarts, published as a file, and never an input of an answer.

use std::fs;

use crate::support::{Query, Server, eventually, homing};
use crate::{AMERICA, EUROPE, REGIONS, ZONE};

/// Two countries with classes of their own, and the rest of the world.
const STEERING: &str = r#"
[pools.web]
fra = ["192.0.2.10"]
iad = ["198.51.100.10"]

[policies.web]
pool    = "web"
rules   = [
  { places = ["EU-NL"], regions = ["fra"] },
  { places = ["NA-US"], regions = ["iad"] },
  { regions = "nearest" },
]
unknown = ["fra"]

[routes."example.test"]
"geo" = "web"
"#;

fn server() -> Server {
    Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ])
}

fn weights(server: &Server) -> serde_json::Value {
    server.http("GET", "/v1/status", None).json()["weights"].clone()
}

/// The weights once `queries` are counted: a first look walks all addresses there are.
fn counted(server: &Server, queries: f64) -> serde_json::Value {
    eventually(&format!("{queries} queries are counted"), || {
        let weights = weights(server);
        if weights["queries"] == queries { Ok(weights) } else { Err(weights.to_string()) }
    })
}

fn ask(server: &Server, subnet: &str, count: usize) {
    for _ in 0..count {
        server.addresses("geo.example.test", subnet);
    }
}

/// As a server keeps it that has counted for a while: three quarters Dutch.
fn kept(dutch: u32) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (others, began) = (dutch / 3, now - 86_400);
    format!(
        "homing weights 1\nhalf-life 604800\nsince {began}\nat {now}\nNL {dutch}\nUS {others}\nend\n"
    )
}

/// What sites compare.
fn digest(server: &Server) -> String {
    server.http("GET", "/v1/status", None).json()["digest"].to_string()
}

fn said(run: &std::process::Output, code: i32) -> String {
    let text = [&run.stdout[..], &run.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(run.status.code(), Some(code), "{text}");
    text
}

#[test]
fn queries_count_to_the_places_that_they_come_from_and_survive_a_restart() {
    let mut server = server();
    let fresh = digest(&server);
    assert_eq!(weights(&server)["queries"], 0.0);
    ask(&server, EUROPE, 30);
    ask(&server, AMERICA, 10);
    let counted = counted(&server, 40.0);
    let expected = serde_json::json!([
        { "country": "NL", "share": 0.75 }, { "country": "US", "share": 0.25 },
    ]);
    assert_eq!(counted["countries"], expected);
    assert_eq!(counted["basis"], "announced", "forty say nothing of the world");
    assert_eq!(digest(&server), fresh);
    let metrics = server.http("GET", "/metrics", None).body;
    assert!(metrics.contains("homing_queries_by_country_total{country=\"NL\"} 30\n"), "{metrics}");
    assert!(metrics.contains("homing_weights_queries 40\n"), "{metrics}");
    let few = said(&server.homing(&["geo", "weights"]), 1);
    assert!(few.contains("40 queries say nothing of the world; from 10.0 k on they do"), "{few}");

    // Other classes, one of them with both countries: what was counted stays as it is.
    server.write("zones/example.test.toml", &STEERING.replace("\"EU-NL\"", "\"EU-NL\", \"NA-US\""));
    said(&server.homing(&["reload", "--wait"]), 0);
    assert_eq!(weights(&server)["countries"], expected);

    server.signal("TERM");
    assert_eq!(server.wait_end().code(), Some(0));
    server.restart_unready();
    server.wait_ready();
    for _ in 0..2 {
        let kept = weights(&server);
        assert_eq!((&kept["queries"], &kept["countries"]), (&40.0.into(), &expected));
        assert_eq!(kept["since"], counted["since"]);
        server.kill_and_restart();
    }
}

#[test]
fn servers_that_counted_otherwise_answer_alike() {
    let (one, mut other) = (server(), server());
    let before = digest(&other);
    other.signal("TERM");
    other.wait_end();
    fs::write(other.path("state/weights.txt"), kept(3_000_000)).unwrap();
    other.restart_unready();
    other.wait_ready();
    assert_eq!(weights(&other)["basis"], "queries");
    assert_eq!(digest(&other), before);
    ask(&one, AMERICA, 100);
    for subnet in [EUROPE, AMERICA, "133.11.0.0/16", "10.0.0.0/8"] {
        for question in ["geo.example.test A", "geo.example.test AAAA", "www.example.test A"] {
            let query = Query::new(question).subnet(subnet);
            let answers = [one.udp(&query).bytes, other.udp(&query).bytes];
            // Less the ID.
            assert_eq!(answers[0][2..], answers[1][2..], "{question} {subnet}");
        }
    }
}

#[test]
fn a_broken_file_is_set_aside_and_serving_goes_on() {
    let mut server = server();
    server.signal("TERM");
    server.wait_end();
    fs::write(server.path("state/weights.txt"), "homing weights 1\nhalf-").unwrap();
    server.restart_unready();
    server.wait_ready();
    assert!(server.log().contains("weights-broken"));
    assert!(server.path("state/weights.broken").exists());
    ask(&server, EUROPE, 3);
    counted(&server, 3.0);
}

#[test]
fn own_weights_are_told_and_can_be_published() {
    let mut server = server();
    server.signal("TERM");
    server.wait_end();
    fs::write(server.path("state/weights.txt"), kept(30_000)).unwrap();

    // Without a server: what its folder keeps.
    let root = server.path("");
    let printed = said(&homing(&root, &["geo", "weights"]), 0);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "# place,weight,comment");
    // What is known of the Netherlands as a whole is spread over its provinces.
    let dutch = lines.iter().filter_map(|line| line.strip_prefix("EU-NL"));
    let weight: f64 = dutch.map(|it| it.split(',').nth(1).unwrap().parse::<f64>().unwrap()).sum();
    assert!((29_000.0..=30_001.0).contains(&weight), "{weight} in {printed}");
    assert!(printed.contains("EU-NL-NH,") && printed.contains(",North Holland, "), "{printed}");
    fs::create_dir_all(root.join("old/zones")).unwrap();
    fs::create_dir_all(root.join("old/geo")).unwrap();
    fs::copy(root.join("geo/regions.toml"), root.join("old/geo/regions.toml")).unwrap();
    let before = STEERING.replace("{ places = [\"EU-NL\"], regions = [\"fra\"] },", "");
    let before = before.replace("regions = [\"iad\"] },", "regions = [\"fra\"] },");
    fs::write(root.join("old/zones/example.test.toml"), before).unwrap();
    fs::copy(root.join("zones/example.test.zone"), root.join("old/zones/example.test.zone"))
        .unwrap();
    let diff = said(&homing(&root, &["diff", "old"]), 0);
    assert!(diff.contains(" of IPv4 addresses (25 % of queries)"), "{diff}");
    assert!(diff.contains("queries weighed by own queries: 40.0 k since "), "{diff}");

    server.restart_unready();
    server.wait_ready();
    let status = said(&server.homing(&["status"]), 0);
    assert!(status.contains("weights     own queries: 40.0 k since "), "{status}");
    assert!(status.contains(": NL 75 %, US 25 %\n"), "{status}");

    // Published, they are one file at all sites.
    let asked = said(&server.homing(&["geo", "weights"]), 0);
    server.write("geo/weights.csv", &asked);
    said(&server.homing(&["reload", "--wait"]), 0);
    assert_eq!(weights(&server)["basis"], "published");
    server.write("geo/weights.csv", "EU-NL,many\n");
    let refused = said(&server.homing(&["reload", "--wait"]), 1);
    assert!(refused.contains("geo/weights.csv:1:7: error[weight-number]"), "{refused}");
    let status = said(&server.homing(&["status"]), 0);
    assert!(status.contains("weights     geo/weights.csv, "), "{status}");
}
