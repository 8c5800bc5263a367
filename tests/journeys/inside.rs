//! The vantages within a server: its own looks by `[probe]`, and files that scripts write, by `[[extfile]]`.

use std::fs;
use std::net::SocketAddr;

use crate::support::{Endpoint, Server, eventually};
use crate::{EUROPE, FRA, IAD, REGIONS, ZONE};

/// Routers on loopback, and one that is taken by nobody's look.
fn steering(iad: &str) -> String {
    format!(
        "[pools.web]\nfra = [\"127.0.0.1\"]\niad = [\"{iad}\"]\nsin = [\"127.0.0.4\"]\n[pools.old]\nfra = [\"192.0.2.99\"]\n\
         [policies.web]\npool = \"web\"\nttl = {{ min = 10, max = 60 }}\nrules = [{{ regions = \"nearest\" }}]\n\
         unknown = [\"fra\"]\n[routes.\"example.test\"]\n\"geo\" = \"web\"\n"
    )
}

/// Adds to homing.toml, as an editor does.
fn configure(server: &Server, base: &str, more: &str) {
    server.write("homing.toml", &format!("{base}{more}"));
}

fn wait_logged(server: &Server, words: &str) {
    eventually(&format!("the server says {words:?}"), || {
        let log = server.log();
        if log.contains(words) { Ok(()) } else { Err(log) }
    });
}

#[test]
fn a_server_looks_itself_where_it_is_told_and_goes_on_over_a_reload() {
    let endpoint = Endpoint::start();
    // The others at the same port: a look at each is answered.
    let others = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    let _others = others.map(|host| {
        Endpoint::start_at(SocketAddr::new(host.parse().unwrap(), endpoint.address.port()))
    });
    let server = Server::start(&[
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", &steering("127.0.0.2")),
        ("geo/regions.toml", REGIONS),
    ]);
    let base = fs::read_to_string(server.path("homing.toml")).unwrap();
    let probe = |kind: &str| {
        let port = endpoint.address.port();
        format!(
            "[probe]\nvantage = \"own\"\nkind = \"none\"\nheartbeat = \"1s\"\n[probe.pools.web]\n{kind} = \"tcp\"\n\
             port = {port}\ninterval = \"200ms\"\ntimeout = \"150ms\"\n"
        )
    };
    configure(&server, &base, &probe("knid"));
    wait_logged(&server, "did you mean `kind`?");
    configure(&server, &base, &probe("kind"));
    wait_logged(&server, "looking-out");
    eventually("its word is an opinion like any other", || {
        let health = server.http("GET", "/v1/health/fra/web/127.0.0.1", None).body;
        if health.contains("\"own\"") { Ok(()) } else { Err(health) }
    });
    let address = endpoint.address;
    drop(endpoint);
    server.wait_addresses("geo.example.test", EUROPE, &["127.0.0.2"]);
    // The pools change: who is there already keeps its word.
    server.write("zones/example.test.toml", &steering("127.0.0.3"));
    server.wait_addresses("geo.example.test", EUROPE, &["127.0.0.3"]);
    let _endpoint = Endpoint::start_at(address);
    server.wait_addresses("geo.example.test", EUROPE, &["127.0.0.1"]);
}

#[test]
fn a_file_that_scripts_write_for_gdnsd_is_a_vantage() {
    let server = crate::server();
    let base = fs::read_to_string(server.path("homing.toml")).unwrap();
    server.write("ext1", "# by a script\n192.0.2.10 => DOWN/60\n192.0.2.11 => MAYBE\n");
    configure(
        &server,
        &base,
        "[[extfile]]\npath = \"ext1\"\nvantage = \"scripts\"\ndirect = true\n",
    );
    server.wait_addresses("geo.example.test", EUROPE, &FRA[1..]);
    wait_logged(&server, "ext1:3:15: error[extfile-line]: `MAYBE` is no state");
    let health = server.http("GET", "/v1/health/fra/web/192.0.2.10", None).body;
    assert!(health.contains("DOWN in ext1") && health.contains("scripts"), "{health}");
    server.write("ext1", "192.0.2.11 => DOWN\n192.0.2.10 => DOWN\n192.0.2.222 => UP\n");
    server.wait_addresses("geo.example.test", EUROPE, &IAD);
    wait_logged(&server, "no endpoint is */*/192.0.2.222");
    // A direct file turns at once what would take two rounds.
    server.write("ext1", "192.0.2.10 => UP\n");
    server.wait_addresses("geo.example.test", EUROPE, &FRA[..1]);
    // Without the file nothing turns: silence is not sickness.
    fs::remove_file(server.path("ext1")).unwrap();
    wait_logged(&server, "extfile-unreadable");
    assert_eq!(server.addresses("geo.example.test", EUROPE), FRA[..1]);
}

#[test]
fn a_bad_probe_table_does_not_start_and_is_found_by_check() {
    let server = crate::server();
    let base = fs::read_to_string(server.path("homing.toml")).unwrap();
    configure(&server, &base, "[probe]\nknid = \"tcp\"\n");
    let checked = crate::support::homing(&server.path(""), &["check"]);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("did you mean `kind`?"), "{said}");
    let started = crate::support::homing(&server.path(""), &["serve"]);
    assert_eq!(started.status.code(), Some(2), "{started:?}");
}
