//! A whole server on loopback, asked over HTTP: what it answers, what it refuses, and in which shape.

use std::fs;
use std::path::Path;

use ureq::http::{Method, Request};

use super::super::writer::WriteError;
use super::*;
use crate::serve::Inherited;

const ZONE: &str = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 1209600 60\n@ NS ns1\n\
    ns1 A 192.0.2.1\ngeo A 192.0.2.10\n";
const STEERING: &str = "[pools.web]\nfra = [\"192.0.2.10\"]\niad = [\"198.51.100.10\"]\n\
    [policies.web]\npool = \"web\"\nttl = { min = 10, max = 60 }\n\
    rules = [{ regions = [\"fra\", \"iad\"] }]\nunknown = [\"fra\", \"iad\"]\n\
    [routes.\"example.test\"]\n\"geo\" = \"web\"\n";
const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n";
const CONFIG: &str = "[listen]\ndns = [\"127.0.0.1:0\"]\napi = \"127.0.0.1:0\"\ncores = 1\n";

fn tree(root: &Path) {
    fs::create_dir_all(root.join("zones")).unwrap();
    fs::create_dir_all(root.join("geo")).unwrap();
    fs::write(root.join("zones/example.test.zone"), ZONE).unwrap();
    fs::write(root.join("zones/example.test.toml"), STEERING).unwrap();
    fs::write(root.join("geo/regions.toml"), REGIONS).unwrap();
    fs::write(root.join("homing.toml"), CONFIG).unwrap();
}

/// A test shares its process with others, which would be bounded as well.
fn stay(_: &Config, _: &Within) -> Result<Sandbox, String> {
    Ok(Sandbox::default())
}

/// A running server, and how to ask it.
struct Asked {
    server: Option<(tokio::runtime::Runtime, Threads, Arc<Serving>)>,
    base: String,
    hub: Hub,
}

impl Asked {
    fn start(root: &Path) -> Asked {
        let options = Options { dir: Some(root.to_owned()), ..Options::default() };
        let Server { runtime, api, desk, serving, threads } = start(&options, stay).unwrap();
        let base = format!("http://{}", api.local_addr().unwrap());
        let hub = desk.hub.clone();
        runtime.spawn(http::serve(api, desk, std::future::pending()));
        Asked { server: Some((runtime, threads, serving)), base, hub }
    }

    /// Status, headers that matter, body.
    fn ask(&self, method: Method, path: &str, body: &str, extra: &[(&str, &str)]) -> Reply {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let agent = config.new_agent();
        let mut response = match body {
            "" => agent.run(request.body(()).unwrap()).unwrap(),
            body => agent.run(request.body(body.to_owned()).unwrap()).unwrap(),
        };
        let header = |name| {
            let value = response.headers().get(name).and_then(|v| v.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Reply {
            status: response.status().as_u16(),
            kind: header("content-type"),
            tag: header("etag"),
            body: response.body_mut().read_to_string().unwrap(),
        }
    }

    fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, "", &[])
    }

    fn post(&self, path: &str, body: &str) -> Reply {
        self.ask(Method::POST, path, body, &[])
    }

    /// The status of each endpoint, in order.
    fn verdicts(&self) -> Vec<String> {
        let body: crate::api::HealthBody =
            serde_json::from_str(&self.get("/v1/health").body).unwrap();
        body.endpoints.into_iter().map(|endpoint| endpoint.status).collect()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some((runtime, threads, serving)) = self.server.take() {
            threads.end(&serving);
            runtime.shutdown_background();
        }
    }
}

struct Reply {
    status: u16,
    kind: String,
    tag: String,
    body: String,
}

impl Reply {
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.kind.as_str()), (status, "application/problem+json"));
        let problem: crate::api::Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!((problem.status, problem.code.as_str()), (status, code), "{}", self.body);
    }
}

#[test]
fn the_api_takes_and_refuses_as_it_says() {
    let root = tempfile::tempdir().unwrap();
    tree(root.path());
    let asked = Asked::start(root.path());
    assert_eq!(asked.verdicts(), ["up", "up"]);

    let report = |seq: u32, subject: &str| {
        format!(r#"{{"vantage":"v","boot":1,"seq":{seq},"subject":"{subject}","status":"down"}}"#)
    };
    let mixed = format!("[{},{},5]", report(1, "fra/web/192.0.2.10"), report(1, "iad"));
    let taken = asked.post("/v1/reports", &mixed);
    assert_eq!(taken.status, 202, "{}", taken.body);
    let taken: crate::api::ReportsTaken = serde_json::from_str(&taken.body).unwrap();
    let refused: Vec<(usize, &str)> =
        taken.refused.iter().map(|line| (line.index, line.code.as_str())).collect();
    assert_eq!((taken.taken, refused), (1, vec![(1, "duplicate"), (2, "bad-report")]));
    assert_eq!(asked.verdicts(), ["down", "up"]);
    assert_eq!(asked.post("/v1/reports", &report(1, "fra")).status, 202, "a repeat is no fault");
    asked.post("/v1/reports", r#"{"vantage":"v"}"#).is_problem(422, "no-subject");
    asked.post("/v1/reports", "hello").is_problem(400, "not-json");
    asked.post("/v1/reports", &" ".repeat((1 << 20) + 1)).is_problem(413, "body-too-large");

    // What is read, and read again.
    let health = asked.get("/v1/health/fra");
    assert_eq!(health.status, 200);
    let known = [("if-none-match", health.tag.as_str())];
    assert_eq!(asked.ask(Method::GET, "/v1/health", "", &known).status, 304);
    asked.get("/v1/health/nowhere").is_problem(404, "unknown-subject");
    asked.get("/v1/health/%ff").is_problem(400, "bad-path");
    asked.get("/v2").is_problem(404, "unknown-path");
    asked.get("/v1/reports").is_problem(405, "wrong-method");

    // What operators do.
    let put = |subject: &str, body: &str, extra: &[(&str, &str)]| {
        asked.ask(Method::PUT, &format!("/v1/overrides/{subject}"), body, extra)
    };
    let up = r#"{"action":"up","why":"test","expires":"1h"}"#;
    put("fra/web/192.0.2.10", up, &[("if-match", "\"1\"")]).is_problem(412, "moved");
    assert_eq!(put("fra/web/192.0.2.10", up, &[("if-match", &health.tag)]).status, 200);
    assert_eq!(asked.verdicts(), ["up", "up"]);
    put("fra", r#"{"action":"up","why":"","forever":true}"#, &[]).is_problem(422, "no-why");
    put("fra", r#"{"action":"up","why":"x"}"#, &[]).is_problem(422, "bad-override");
    put("nowhere", up, &[]).is_problem(404, "unknown-subject");
    let cleared = asked.ask(Method::DELETE, "/v1/overrides/fra%2Fweb%2F192.0.2.10", "", &[]);
    assert_eq!(cleared.status, 200, "{}", cleared.body);
    asked.post("/v1/regions/iad/drain", r#"{"why":"x"}"#).is_problem(409, "at-least");
    asked.post("/v1/regions/xyz/drain", r#"{"why":"x"}"#).is_problem(404, "unknown-region");
    let forced = asked.post("/v1/regions/iad/drain", r#"{"why":"x","force":true}"#);
    assert_eq!(forced.status, 200, "{}", forced.body);
    let status = asked.get("/v1/status").body;
    assert!(
        status.contains(r#""name":"iad","keep":0,"to":0,"why":"x","who":"loopback""#),
        "{status}"
    );

    // The safety of an open API.
    let foreign = [("origin", "https://evil.example")];
    asked.ask(Method::GET, "/v1/status", "", &foreign).is_problem(403, "foreign-origin");
    let proxied = [("x-forwarded-for", "192.0.2.1")];
    asked.ask(Method::GET, "/v1/status", "", &proxied).is_problem(403, "forwarded");
    let rebound = [("host", "evil.example")];
    asked.ask(Method::GET, "/v1/status", "", &rebound).is_problem(421, "host-not-loopback");
    let form = [("content-type", "text/plain")];
    asked.ask(Method::POST, "/v1/reload", "", &form).is_problem(415, "not-json");
    asked.ask(Method::POST, "/v1/reload", "[]", &[]).is_problem(400, "bad-body");
    asked.ask(Method::GET, "/v1/explain?name=", "", &[]).is_problem(400, "unreadable-inquiry");
    // Where the log stands matters only to what makes sense.
    let old = [("if-match", "\"17\"")];
    let drain = r#"{"why":"test"}"#;
    asked
        .ask(Method::POST, "/v1/regions/a%20b/drain", drain, &old)
        .is_problem(404, "unknown-region");
    asked.ask(Method::POST, "/v1/regions/fra/drain", drain, &old).is_problem(412, "moved");

    let metrics = asked.get("/metrics").body;
    for line in [
        "homing_endpoint_up{region=\"fra\",pool=\"web\",address=\"192.0.2.10\"} 0",
        "homing_region_keep_ratio{region=\"iad\"} 0",
        "homing_generation 1",
        "homing_responses_total{rcode=\"NOERROR\"}",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}

#[test]
fn a_verdict_changes_only_its_policies_table() {
    let root = tempfile::tempdir().unwrap();
    tree(root.path());
    let other = "[pools.other]\nfra = [\"192.0.2.99\"]\niad = [\"198.51.100.99\"]\n\
        [policies.other]\npool = \"other\"\nttl = { min = 10, max = 60 }\n\
        rules = [{ regions = [\"fra\", \"iad\"] }]\nunknown = [\"fra\", \"iad\"]\n";
    fs::write(root.path().join("zones/other.toml"), other).unwrap();
    let asked = Asked::start(root.path());
    let before = asked.hub.view_blocking().unwrap().snapshot;
    let report = r#"{"vantage":"v","subject":"fra/web/192.0.2.10","status":"down"}"#;
    assert_eq!(asked.post("/v1/reports", report).status, 202);
    let after = asked.hub.view_blocking().unwrap().snapshot;
    assert!(after.revision > before.revision && after.digest != before.digest);
    assert!(Arc::ptr_eq(&before.catalog, &after.catalog));
    assert!(Arc::ptr_eq(&before.plans, &after.plans));
    assert!(Arc::ptr_eq(&before.steered, &after.steered));
    assert_eq!(after.plans.len(), 2);
    for (index, plan) in after.plans.iter().enumerate() {
        let [old, new] = [&before, &after].map(|s| s.table.policies.get(index).unwrap());
        assert_eq!(Arc::ptr_eq(old, new), &*plan.name == "other", "{}", plan.name);
    }
    // A word that changes nothing leaves every table.
    let again = report.replace("\"v\"", "\"w\"");
    assert_eq!(asked.post("/v1/reports", &again).status, 202);
    let last = asked.hub.view_blocking().unwrap().snapshot;
    assert!(last.revision > after.revision);
    for (old, new) in after.table.policies.iter().zip(last.table.policies.iter()) {
        assert!(Arc::ptr_eq(old, new));
    }
}

#[test]
fn reports_that_only_repeat_do_not_grow_the_log() {
    let root = tempfile::tempdir().unwrap();
    tree(root.path());
    let asked = Asked::start(root.path());
    let report = r#"{"vantage":"v","subject":"fra/web/192.0.2.10","status":"down"}"#;
    let say = |body: &str| {
        let taken = asked.post("/v1/reports", body);
        let taken: crate::api::ReportsTaken = serde_json::from_str(&taken.body).unwrap();
        (taken.taken, taken.revision)
    };
    let (_, first) = say(report);
    let repeated = (0..100).map(|_| say(report)).filter(|(taken, _)| *taken == 1).count();
    assert_eq!(repeated, 100, "each is taken");
    let many = vec![report; 1000].join("\n");
    let (taken, last) = say(&many);
    // A test may be slow, and half an interval may pass.
    assert!(taken == 1000 && last - first <= 3, "{taken} taken, {first} to {last}");
    assert_eq!(asked.verdicts(), ["down", "up"]);
    let beat = r#"{"vantage":"v","heartbeat":true}"#;
    assert_eq!(say(beat).0, 1);
}

#[test]
fn without_a_state_folder_files_serve_and_reports_are_refused() {
    let root = tempfile::tempdir().unwrap();
    tree(root.path());
    fs::write(root.path().join("state"), "in the way").unwrap();
    let asked = Asked::start(root.path());
    assert_eq!(asked.verdicts(), ["up", "up"]);
    let report = r#"{"vantage":"v","subject":"fra","status":"down"}"#;
    asked.post("/v1/reports", report).is_problem(503, "log-unwritable");
    assert_eq!(asked.verdicts(), ["up", "up"]);
    fs::write(root.path().join("zones/other.test.zone"), ZONE).unwrap();
    let reload = asked.post("/v1/reload", "{}").body;
    let reload: crate::api::Reloaded = serde_json::from_str(&reload).unwrap();
    assert!(reload.changed && reload.generation == 2, "{reload:?}");
    assert!(asked.get("/v1/status").body.contains("\"zones\":2"));
    assert_eq!(asked.get("/v1/generations").status, 200);
}

#[test]
fn an_address_that_is_taken_for_a_moment_is_waited_for() {
    let left = std::cell::Cell::new(2);
    let attempt = || match left.replace(left.get() - 1) {
        0 => Ok("bound"),
        _ => Err("taken"),
    };
    assert_eq!(patiently(attempt, |error| *error == "taken"), Ok("bound"));
    assert_eq!(
        patiently(|| Err::<(), _>("forbidden"), |error| *error == "taken"),
        Err("forbidden")
    );
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = listen_api(holder.local_addr().unwrap(), &Inherited::default()).unwrap_err();
    assert!(said.contains("another program has this address"), "{said}");
}

/// A publisher that built on an older base comes late, through the writer and straight to the hub; then what nobody serves
/// any more is cleaned up. The name keeps its newest addresses all the while.
#[test]
fn a_delayed_writer_applies_an_older_plan_and_cleanup_then_empties_the_record() {
    let root = tempfile::tempdir().unwrap();
    tree(root.path());
    let asked = Asked::start(root.path());
    let delayed = asked.hub.view_blocking().unwrap().publication;
    let newer = STEERING.replace("192.0.2.10", "192.0.2.77");
    fs::write(root.path().join("zones/example.test.toml"), newer).unwrap();
    assert_eq!(asked.post("/v1/reload", "{}").status, 200);
    let serving = asked.hub.view_blocking().unwrap().publication;
    assert!(delayed.generation < serving.generation);

    let (_, threads, _) = asked.server.as_ref().unwrap();
    let refused = threads.writer.publish(Arc::clone(&delayed));
    assert!(
        matches!(&refused, Err(WriteError::Refused(refusal)) if refusal.code == "older"),
        "{refused:?}"
    );
    let (tell, told) = std::sync::mpsc::channel();
    let done = Box::new(move |revision| tell.send(revision).unwrap());
    let late = hub::Event::Folded { events: Arc::new([]), publication: Some(delayed), done };
    assert_eq!(asked.hub.tell(late), Ok(()));
    told.recv().unwrap();
    // The cleanup: a look that finds nothing new, and a look at what is kept.
    assert_eq!(asked.post("/v1/reload", "{}").status, 200);

    let view = asked.hub.view_blocking().unwrap();
    assert_eq!(view.snapshot.generation, serving.generation);
    assert_eq!(view.health.generation(), serving.generation);
    let told = asked.get("/v1/explain?name=geo.example.test&type=A&client=193.0.0.1");
    let told: crate::api::ExplainBody = serde_json::from_str(&told.body).unwrap();
    assert!(told.text.contains("A 192.0.2.77"), "{}", told.text);
}
