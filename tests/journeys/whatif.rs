//! A region is supposed to be down, then it is: what was said is what happens.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use homing::answer::Transcript;
use homing::zone::to_text;
use serde_json::{Value, json};

use crate::support::{Query, Server, eventually};
use crate::{FRA, REGIONS, STEERING, ZONE, report, server, shedding};

/// Clients that are compared: 100,000 in CI, which builds this for release; fewer where servers are slow.
const CLIENT_COUNT: u32 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
const CLIENTS_ASKED: usize = 10_000;
/// Queries that are on their way at once.
const WINDOW: usize = 32;

/// A policy with every kind of rule, so that shares, fences and places all count.
fn ruled() -> Server {
    let rules = "rules   = [\n  { places = [\"EU-CH\"], regions = [\"fra\"], fence = true },\n  \
        { places = [\"NA\"], regions = [{ region = \"iad\", weight = 3 }, { region = \"fra\", weight = 1 }] },\n  \
        { regions = \"nearest\" },\n]";
    let steering = STEERING.replace("rules   = [{ regions = \"nearest\" }]", rules);
    assert_ne!(steering, STEERING);
    Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &steering),
        ("geo/regions.toml", REGIONS),
    ])
}

fn suppose(server: &Server, request: &Value) -> Value {
    let reply = server.http("POST", "/v1/whatif", Some(&request.to_string()));
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// Addresses all over the space, the same in each run: a full cycle of a congruential generator.
fn clients() -> Vec<Ipv4Addr> {
    let address = |n: u32| n.wrapping_mul(0x9e37_79b9).wrapping_add(0x1234_5677).rotate_left(7);
    (0..CLIENT_COUNT).map(address).map(Ipv4Addr::from_bits).collect()
}

/// What is said of these clients, before and after.
fn predicted(server: &Server, supposed: &Value, clients: &[Ipv4Addr]) -> Vec<[Told; 2]> {
    let mut told = Vec::with_capacity(clients.len());
    for clients in clients.chunks(CLIENTS_ASKED) {
        let clients: Vec<String> = clients.iter().map(Ipv4Addr::to_string).collect();
        let mut request = supposed.clone();
        request["ask"] = json!({ "name": "geo.example.test", "clients": clients });
        let body = suppose(server, &request);
        let answer = |of: &Value| {
            let records = of["answer"].as_array().unwrap().iter();
            let records = records.map(|record| record.as_str().unwrap().to_owned());
            (records.collect(), of["scope"].as_u64().unwrap() as u8)
        };
        let both = |of: &Value| [answer(&of["before"]), answer(&of["after"])];
        told.extend(body["clients"].as_array().unwrap().iter().map(both));
    }
    told
}

/// The records of an answer, and its scope.
type Told = (Vec<String>, u8);

/// What each client's resolver gets over UDP, each query with the client's whole address.
fn served(server: &Server, clients: &[Ipv4Addr]) -> Vec<Told> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut told = Vec::with_capacity(clients.len());
    let mut buffer = [0; 1232];
    for clients in clients.chunks(WINDOW) {
        for (id, client) in (0..).zip(clients) {
            let query = Query::new("geo.example.test A").subnet(&format!("{client}/32"));
            socket.send(&Query { id, ..query }.to_wire()).unwrap();
        }
        let mut answers = vec![None; clients.len()];
        for _ in clients {
            let len = socket.recv(&mut buffer).expect("an answer");
            let id = usize::from(u16::from_be_bytes([buffer[0], buffer[1]]));
            let response = Transcript::read(&buffer[..len]).expect("a response");
            let record = |record: &homing::answer::Record| {
                let rdata = to_text(record.rtype, &record.rdata);
                format!("{} {} {} {rdata}", record.owner, record.ttl.as_secs(), record.rtype)
            };
            let records = response.answer.iter().map(record).collect();
            answers[id] = Some((records, response.scope.unwrap().0));
        }
        told.extend(answers.into_iter().map(Option::unwrap));
    }
    told
}

fn hold(what: &str, clients: &[Ipv4Addr], predicted: &[Told], served: &[Told]) {
    let pairs = clients.iter().zip(predicted.iter().zip(served));
    let wrong: Vec<_> = pairs.filter(|(_, (told, got))| told != got).take(3).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:#?}");
}

/// Method: each client's answer is asked of `whatif`, before and after; then over the wire; then the same is done in
/// earnest, and all are asked again.
#[test]
fn what_whatif_says_is_what_happens() {
    let server = ruled();
    let clients = clients();
    let supposed = json!({ "down": ["fra"], "drain": [{ "region": "iad", "to": 0.4 }] });
    let told = predicted(&server, &supposed, &clients);
    let before: Vec<Told> = told.iter().map(|told| told[0].clone()).collect();
    let after: Vec<Told> = told.iter().map(|told| told[1].clone()).collect();
    let moved = before.iter().zip(&after).filter(|(before, after)| before.0 != after.0).count();
    assert!(moved > clients.len() / 5, "only {moved} of {} move", clients.len());
    hold("before", &clients, &before, &served(&server, &clients));

    let drain = json!({ "to": 0.4, "why": "in earnest" }).to_string();
    assert_eq!(server.http("POST", "/v1/regions/iad/drain", Some(&drain)).status, 200);
    let down = json!({ "action": "down", "forever": true, "why": "in earnest" }).to_string();
    assert_eq!(server.http("PUT", "/v1/overrides/fra", Some(&down)).status, 200);
    hold("after", &clients, &after, &served(&server, &clients));
}

#[test]
fn what_vantages_would_report_is_what_happens_when_they_do() {
    let server = server();
    let clients: Vec<Ipv4Addr> = clients().into_iter().take(500).collect();
    let told = predicted(&server, &json!({ "fail": ["fra/web"] }), &clients);
    let after: Vec<Told> = told.iter().map(|told| told[1].clone()).collect();
    report(&server, 1, "down", &["fra/web"]);
    eventually("the region is down", || {
        let got = served(&server, &clients);
        // A verdict that vantages keep alive may change soon: that is for the TTL to say.
        let addresses = |of: &[Told]| -> Vec<Vec<String>> {
            let last = |record: &String| record.rsplit(' ').next().unwrap().to_owned();
            of.iter().map(|told| told.0.iter().map(last).collect()).collect()
        };
        (addresses(&got) == addresses(&after)).then_some(()).ok_or_else(|| "not yet".into())
    });
}

#[test]
fn nothing_is_changed_and_every_refusal_is_told() {
    let server = server();
    let revision = || server.http("GET", "/v1/health", None).json()["revision"].clone();
    let before = revision();
    let body = suppose(&server, &json!({ "down": ["*"], "policy": "web" }));
    assert_eq!(body["refused"][0]["code"], "at-least", "{body}");
    let web = &body["policies"][0];
    // All are overridden: the last resort answers as if all were up, so nobody moves, and that is said.
    assert_eq!(web["types"][0]["last_resort"]["after"]["addresses"]["ipv4"], 1.0, "{web}");
    assert_eq!(web["types"][0]["moved"]["addresses"]["ipv4"], 0.0, "{web}");
    for (request, status, code) in [
        (json!({ "down": ["nowhere"] }), 404, "unknown-subject"),
        (json!({ "drain": [{ "region": "nowhere" }] }), 404, "unknown-region"),
        (json!({ "drain": [{ "region": "fra", "to": 1.5 }] }), 422, "bad-drain"),
        (json!({ "undrain": ["fra"] }), 404, "not-drained"),
        (json!({ "clear": ["fra"] }), 404, "no-override"),
        (json!({ "fail": ["nowhere"] }), 404, "unknown-subject"),
        (json!({ "down": ["fra"], "policy": "wep" }), 404, "unknown-policy"),
        (json!({ "down": vec!["fra"; 101] }), 422, "too-many-suppositions"),
        (json!({ "dawn": ["fra"] }), 400, "bad-body"),
        (json!({ "ask": { "name": "..", "clients": ["192.0.2.1"] } }), 400, "unreadable-inquiry"),
    ] {
        let reply = server.http("POST", "/v1/whatif", Some(&request.to_string()));
        assert_eq!(
            (reply.status, reply.json()["code"].as_str()),
            (status, Some(code)),
            "{request}"
        );
    }
    assert_eq!(revision(), before);
    assert_eq!(server.addresses("geo.example.test", crate::EUROPE), FRA);
}

#[test]
fn the_command_tells_a_table_and_one_client() {
    let server = server();
    let run = server.homing(&["whatif", "--down", "fra"]);
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&run.stderr));
    assert!(text.starts_with("what if fra is taken down?\n"), "{text}");
    for line in ["policy web: ", "  region  before  after", "fra → iad", "within 60 s"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let one = ["--client", "193.0.0.1", "--name", "geo.example.test"];
    let run = server.homing(&[&["whatif", "--down", "fra"], &one[..]].concat());
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("before  fra (nearest): 60 A 192.0.2.10, "), "{text}");
    assert!(text.contains("after   iad (spill): 60 A 198.51.100.10\n"), "{text}");
    assert!(!text.contains("policy"), "a client's answer costs no count of the world: {text}");
    let run = server.homing(&["whatif", "--down", "*", one[0], one[1], one[2], one[3]]);
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.code() == Some(1) && text.contains("refused: "), "{text}");
    assert_eq!(server.homing(&["whatif"]).status.code(), Some(2));
}

#[test]
fn load_goes_along_with_the_clients_that_move() {
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", shedding::REGIONS),
    ]);
    shedding::load(&server, 1, "iad", 1_000.0);
    shedding::load(&server, 2, "fra", 600.0);
    let told = suppose(&server, &json!({ "down": ["fra"] }));
    let [fra, iad] = told["loads"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!(
        (&fra["region"], &fra["before"], &fra["after"]),
        (&json!("fra"), &json!(600.0), &json!(0.0))
    );
    assert_eq!((&iad["region"], &iad["capacity"]), (&json!("iad"), &json!(100_000.0)));
    // What does not go to Ashburn goes to Singapore, of which no load is known.
    let moves = told["policies"][0]["moves"].as_array().unwrap();
    let to_iad = moves.iter().find(|way| way["to"] == "iad").unwrap();
    let regions = told["policies"][0]["types"][0]["regions"].as_array().unwrap();
    let of_fra = regions.iter().find(|region| region["region"] == "fra").unwrap();
    let share = |of: &Value| of["ipv4"].as_f64().unwrap();
    let part = share(&to_iad["share"]) / share(&of_fra["before"]["addresses"]);
    let after = iad["after"].as_f64().unwrap();
    assert!((after - (1_000.0 + 600.0 * part)).abs() < 0.1, "{after}, {part}");
    // Nobody knows what those who come back from where no load is known would bring.
    let back = suppose(&server, &json!({ "down": ["sin"] }));
    assert!(back["loads"].as_array().unwrap().iter().any(|of| of.get("after").is_none()), "{back}");
    let text = String::from_utf8(server.homing(&["whatif", "--down", "iad"]).stdout).unwrap();
    let line = text.lines().find(|line| line.contains("over its high mark")).expect(&text);
    assert!(line.trim_start().starts_with("fra"), "{text}");
}
