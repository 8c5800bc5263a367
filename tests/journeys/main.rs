//! Journeys: the real binary on loopback, from what somebody does to what somebody else sees.

mod abuse;
mod acknowledged;
mod attacks;
mod ci;
mod clock;
mod command_line;
mod databases;
mod diff;
mod doh;
mod door;
mod doq;
mod dot;
mod example;
mod faults;
mod files;
mod fmt;
mod geography;
mod golden;
mod health;
mod history;
mod inside;
mod load;
mod probe;
mod probe_scale;
mod proxied;
mod sandbox;
mod scale;
mod shedding;
mod stream;
mod supervised;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tour;
mod watch;
mod webhook;
mod weights;
mod whatif;

use support::Server;

/// A network of Amsterdam's, so that `nearest` is Frankfurt, then Ashburn.
const EUROPE: &str = "193.0.0.0/21";
const AMERICA: &str = "17.0.0.0/8";

const ZONE: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n\
    www A 192.0.2.80\ngeo A 192.0.2.10\nstatic A 192.0.2.7\n";
const STEERING: &str = r#"
[pools.web]
fra = ["192.0.2.10", "192.0.2.11"]
iad = ["198.51.100.10"]
sin = ["203.0.113.10"]

[policies.web]
pool    = "web"
ttl     = { min = 10, max = 60 }
answers = 2
rules   = [{ regions = "nearest" }]
unknown = ["fra", "iad"]

[routes."example.test"]
"geo" = "web"
"#;
const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n\
    [sin]\nposition = [1.35, 103.82]\n";
const FRA: [&str; 2] = ["192.0.2.10", "192.0.2.11"];
const IAD: [&str; 1] = ["198.51.100.10"];

/// A server with one zone and one steered name, `geo.example.test`.
fn server() -> Server {
    Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ])
}

/// Reports `status` of each subject by the vantage `test`, numbered from `seq`.
fn report(server: &Server, seq: u64, status: &str, subjects: &[&str]) {
    let line = |(n, subject): (usize, &&str)| {
        serde_json::json!({
            "vantage": "test", "boot": 1, "seq": seq + n as u64, "subject": subject, "status": status,
        })
    };
    let lines: Vec<serde_json::Value> = subjects.iter().enumerate().map(line).collect();
    let body = serde_json::Value::from(lines).to_string();
    let reply = server.http("POST", "/v1/reports", Some(&body));
    assert_eq!(reply.status, 202, "{reply:?}");
}
