//! The door of the API: who may ask what, and how much.

use std::process::{Command, Output, Stdio};

use super::support::{Reply, Server, eventually, http_with};
use super::{AMERICA, FRA, IAD, REGIONS, STEERING, ZONE, server};

/// Makes a token with `homing token add`, and gives its secret.
pub fn token(server: &Server, arguments: &str) -> String {
    let out = homing(server, None, &format!("token add {arguments}"));
    assert!(out.status.success(), "{out:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Runs a command in the server's folder, with a token.
pub fn homing(server: &Server, token: Option<&str>, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homing"));
    command.args(arguments.split(' ')).current_dir(server.path(".")).stdin(Stdio::null());
    command.env_remove("HOMING_TOKEN");
    if let Some(token) = token {
        command.env("HOMING_TOKEN", token).args(["--server", &format!("http://{}", server.api)]);
    }
    command.output().unwrap()
}

fn ask(server: &Server, token: &str, method: &str, path: &str, body: Option<&str>) -> Reply {
    let line = match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    http_with(server.api, method, path, &line, body).expect("the API answers")
}

fn report(vantage: &str, subject: &str, status: &str) -> String {
    serde_json::json!({ "vantage": vantage, "subject": subject, "status": status }).to_string()
}

/// Waits until the server has read its tokens up to this one: none is refused, this one is not.
pub fn wait_known(server: &Server, token: &str) {
    eventually("the token is known", || {
        let status = |token| ask(server, token, "GET", "/v1/status", None).status;
        let (without, with) = (status(""), status(token));
        if without == 401 && with != 401 { Ok(()) } else { Err(format!("{without} {with}")) }
    });
}

#[test]
fn loopback_is_open_until_a_token_exists() {
    let server = server();
    assert_eq!(ask(&server, "", "GET", "/v1/status", None).status, 200);
    let ana = token(&server, "ana --person");
    eventually("the door is closed", || {
        let reply = ask(&server, "", "GET", "/metrics", None);
        if reply.status == 401 { Ok(()) } else { Err(reply.body) }
    });
    let reply = ask(&server, "", "GET", "/v1/status", None);
    assert_eq!((reply.status, reply.json()["code"].as_str()), (401, Some("no-token")));
    assert!(
        reply.headers.contains("\r\nwww-authenticate: bearer realm=\"homing\"\r\n"),
        "{reply:?}"
    );
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(&server, "", "GET", path, None).status, 200, "{path}");
    }
    for path in ["/v1/status", "/metrics"] {
        assert_eq!(ask(&server, &ana, "GET", path, None).status, 200, "{path}");
    }
    // Where a token is asked for, a name of the host and a proxy between are nothing to fear.
    let line = format!("authorization: Bearer {ana}\r\nx-forwarded-for: 192.0.2.1\r\n");
    assert_eq!(http_with(server.api, "GET", "/v1/status", &line, None).unwrap().status, 200);

    assert_eq!(homing(&server, Some(&ana), "status").status.code(), Some(0));
    let refused = homing(&server, Some("homing_wrong"), "status");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && words.contains("invalid-token"), "{words}");

    let out = homing(&server, None, "token revoke ana");
    assert!(String::from_utf8_lossy(&out.stderr).contains("admits nobody"), "{out:?}");
    eventually("the token is revoked", || {
        let reply = ask(&server, &ana, "GET", "/v1/status", None);
        if reply.status == 401 { Ok(()) } else { Err(reply.body) }
    });
    let reply = ask(&server, &ana, "GET", "/v1/status", None);
    assert!(reply.headers.contains("error=\"invalid_token\""), "{reply:?}");
    // The last one that went opened nothing; an operator may.
    assert_eq!(ask(&server, "", "GET", "/v1/status", None).status, 401);
    std::fs::remove_file(server.path("state/tokens.json")).unwrap();
    eventually("the door is open again", || {
        let reply = ask(&server, "", "GET", "/v1/status", None);
        if reply.status == 200 { Ok(()) } else { Err(reply.body) }
    });
}

#[test]
fn a_vantage_reports_as_itself_and_counts_for_itself() {
    let steering = format!("{STEERING}\n[pools.web.health]\nquorum = 2\nfall = 1\n");
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &steering),
        ("geo/regions.toml", REGIONS),
    ]);
    let ams = token(&server, "ams --vantage ams-1 --subject iad");
    let sea = token(&server, "sea-1 --vantage");
    let ana = token(&server, "ana --person --verb read,report");
    wait_known(&server, &ana);
    let subject = "iad/web/198.51.100.10";
    let send = |token: &str, body: &str| ask(&server, token, "POST", "/v1/reports", Some(body));
    // What a person says under any names counts once, and not under that of a vantage.
    for name in ["x", "y", "z"] {
        assert_eq!(send(&ana, &report(name, subject, "down")).status, 202);
    }
    let stolen = send(&ana, &report("sea-1", subject, "down"));
    assert_eq!((stolen.status, stolen.json()["code"].as_str()), (422, Some("not-your-vantage")));
    assert_eq!(send(&ams, &report("sea-1", subject, "down")).status, 422);
    let beyond = send(&ams, &report("ams-1", "fra", "down"));
    assert_eq!((beyond.status, beyond.json()["code"].as_str()), (422, Some("out-of-reach")));
    assert_eq!(server.addresses("geo.example.test", AMERICA), IAD);
    // A report is served when it is acknowledged: the one that is proven makes two.
    assert_eq!(send(&ams, &report("ams-1", subject, "down")).status, 202);
    server.wait_addresses("geo.example.test", AMERICA, &FRA);
    // A vantage reads nothing, and says so as RFC 6750 §3.1 has it.
    let reply = ask(&server, &sea, "GET", "/v1/status", None);
    assert_eq!((reply.status, reply.json()["code"].as_str()), (403, Some("insufficient-scope")));
    assert!(reply.headers.contains("error=\"insufficient_scope\", scope=\"read\""), "{reply:?}");
}

#[test]
fn a_person_decides_within_reach_and_under_its_own_name() {
    let server = server();
    let ana = token(&server, "ana-laptop --person ana --subject f* --expires 1h");
    let eve = token(&server, "eve --person --verb read");
    wait_known(&server, &ana);
    let body = r#"{"action":"hold","why":"a test","forever":true,"who":"somebody else"}"#;
    let reply = ask(&server, &ana, "PUT", "/v1/overrides/fra/web", Some(body));
    assert_eq!(reply.status, 200, "{reply:?}");
    let status = ask(&server, &eve, "GET", "/v1/status", None).json();
    assert_eq!(status["overrides"][0]["who"], "ana", "{status}");
    for subject in ["iad", "*", "*/web", "192.0.2.10"] {
        let path = format!("/v1/overrides/{subject}");
        let reply = ask(&server, &ana, "PUT", &path, Some(body));
        assert_eq!((reply.status, reply.json()["code"].as_str()), (403, Some("out-of-reach")));
    }
    let drain = |token: &str, region: &str| {
        let path = format!("/v1/regions/{region}/drain");
        ask(&server, token, "POST", &path, Some(r#"{"why":"a test"}"#)).status
    };
    assert_eq!((drain(&ana, "fra"), drain(&ana, "iad"), drain(&eve, "fra")), (200, 403, 403));
    assert_eq!(ask(&server, &ana, "POST", "/v1/reload", Some("{}")).status, 403);
    assert_eq!(ask(&server, &eve, "DELETE", "/v1/overrides/fra/web", None).status, 403);

    let listed = homing(&server, None, "token list");
    let words = String::from_utf8(listed.stdout).unwrap();
    assert!(words.contains("person ana") && words.contains("f*/*/*"), "{words}");
    assert!(!words.contains(&ana), "{words}");
}

#[test]
fn who_guesses_is_slowed_and_nobody_else() {
    let server = server();
    let ana = token(&server, "ana --person");
    wait_known(&server, &ana);
    let slowed = eventually("guesses are slowed", || {
        let reply = ask(&server, "homing_guess", "GET", "/v1/status", None);
        if reply.status == 429 { Ok(reply) } else { Err(reply.body) }
    });
    assert_eq!(slowed.json()["code"], "too-many-wrong-tokens");
    assert!(slowed.headers.contains("\r\nretry-after: 1\r\n"), "{slowed:?}");
    let metrics = ask(&server, &ana, "GET", "/metrics", None);
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("homing_api_refused_total{code=\"invalid-token\"} "));
    assert!(metrics.body.contains("{code=\"too-many-wrong-tokens\"} "), "{}", metrics.body);
}
