//! What operators ask of geography: who gets which region, what is known of an address, what another database would change.
//!
//! Method: a folder with a tiny city database of known shares, transcripts to the letter, and a server asked the same.

use std::fs;
use std::path::Path;

use crate::golden::{check, hold};
use crate::support::{city_database, homing};
use crate::{AMERICA, server};

const ZONE: &str =
    "$TTL 60\n@ SOA ns1 h 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.10\n";
const REGIONS: &str = "\
[fra]\nname = \"Frankfurt\"\nposition = [50.11, 8.68]\n\
[iad]\nname = \"Ashburn\"\nposition = [39.04, -77.49]\n\
[sjc]\nname = \"San José\"\nposition = [37.34, -121.89]\n\
[sin]\nname = \"Singapore\"\nposition = [1.35, 103.82]\n";
const STEERING: &str = r#"
[pools.web]
fra = ["192.0.2.10", "2001:db8:1::10"]
iad = ["198.51.100.10", "2001:db8:2::10"]
sjc = ["198.51.100.20", "2001:db8:3::10"]
sin = ["203.0.113.10"]

[policies.web]
pool    = "web"
rules   = [
  { places = ["EU-CH"], regions = ["fra"], fence = true },
  { places = ["EU-SE"], regions = ["sin"], fence = true },
  { places = ["NA-MX"], regions = ["sin"] },
  { places = ["SA"], regions = [{ region = "iad", weight = 3 }, { region = "fra", weight = 1 }] },
  { regions = "nearest" },
]
unknown = ["fra"]

[routes."example.test"]
"www" = "web"
"#;
const OVERRIDES: &str =
    "# prefix,place-or-region,comment\n20.0.0.0/16,NA-US-CA,an office\n20.0.1.0/24,sin,a rack\n";
/// Of 2026-06-01.
const BUILT: u64 = 1_780_272_000;
const CITIES: [(&str, &str, f64, f64); 8] = [
    ("20.0.0.0/8", "DE", 52.5, 13.4),
    ("21.0.0.0/8", "US", 40.7, -74.0),
    ("22.0.0.0/9", "US", 34.1, -118.2),
    ("23.0.0.0/9", "CH", 47.4, 8.5),
    ("24.0.0.0/10", "MX", 19.4, -99.1),
    ("25.0.0.0/10", "SE", 59.3, 18.1),
    ("26.0.0.0/10", "JP", 35.7, 139.7),
    ("27.0.0.0/10", "BR", -23.5, -46.6),
];

fn folder() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, bytes) in [
        ("zones/example.test.zone", ZONE.as_bytes().to_vec()),
        ("zones/example.test.toml", STEERING.as_bytes().to_vec()),
        ("geo/regions.toml", REGIONS.as_bytes().to_vec()),
        ("geo/overrides.csv", OVERRIDES.as_bytes().to_vec()),
        ("geo/city.mmdb", city_database(&CITIES, BUILT)),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

#[test]
fn coverage_of_a_policy() {
    let root = folder();
    check("coverage.txt", root.path(), &["coverage"], 0);
    check("coverage-aaaa.txt", root.path(), &["coverage", "web", "--type", "AAAA", "--all"], 0);
    check("coverage-csv.txt", root.path(), &["coverage", "web", "--format", "csv"], 0);
    check("coverage-json.txt", root.path(), &["coverage", "web", "--format", "json"], 0);
    for (arguments, words) in [
        (&["coverage", "webb"][..], "there is no policy `webb`; did you mean `web`?"),
        (&["coverage", "other"], "there is no policy `other`; there are web"),
        (&["coverage", "--type", "MX"], "MX is neither A nor AAAA"),
        (&["coverage", "--map", "no/where.svg"], "no/where.svg cannot be written"),
    ] {
        let run = homing(root.path(), arguments);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn a_map_shows_every_region_every_country_and_where_one_divides() {
    let root = folder();
    let path = root.path().join("web.svg");
    let arguments = ["coverage", "web", "--map", "web.svg"];
    assert_eq!(homing(root.path(), &arguments).status.code(), Some(0));
    let map = fs::read_to_string(&path).unwrap();
    assert!(map.starts_with("<svg xmlns=") && map.ends_with("</svg>\n"));
    for words in ["policy web", "geo/city.mmdb of 2026-06-01", ">fra</text>", "Singapore"] {
        assert!(map.contains(words), "{words}");
    }
    // A dot for each place and region: Brazil has two, by weight, and Berlin, for a rack; the office is in California.
    assert_eq!(map.matches("<circle").count(), 10);
    assert_eq!(map.matches("<circle class=\"r2\"").count(), 1);
    // Nothing in it is to be fetched.
    assert!(!map.contains("href") && map.matches("http").count() == 1);
    // The same again, to the byte.
    homing(root.path(), &arguments);
    assert_eq!(fs::read_to_string(&path).unwrap(), map);
}

/// The map in the README is the one that the command draws of the files beside it.
#[test]
fn the_map_of_the_example_is_what_the_command_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("coverage.svg");
    let run = homing(root, &["coverage", "web", "--map", path.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let map = fs::read_to_string(path).unwrap();
    assert!(map.len() < 400_000, "{} octets", map.len());
    hold(&root.join("geo/coverage.svg"), &map);
}

#[test]
fn lookup_of_an_address() {
    let root = folder();
    for (transcript, address) in [
        ("lookup-database.txt", "22.1.2.3"),
        ("lookup-overridden.txt", "20.0.1.7"),
        ("lookup-embedded.txt", "::ffff:20.0.2.7"),
        ("lookup-unknown.txt", "192.168.1.1"),
    ] {
        check(transcript, root.path(), &["geo", "lookup", address], 0);
    }
    let json = ["geo", "lookup", "20.0.1.7", "--format", "json"];
    check("lookup-json.txt", root.path(), &json, 0);
    let run = homing(root.path(), &["geo", "lookup", "20.0.1"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(
        (run.status.code(), said.contains("20.0.1 is no address")),
        (Some(2), true),
        "{said}"
    );
}

#[test]
fn another_database_is_compared_before_it_is_put_in() {
    let root = folder();
    let mut cities = CITIES;
    // Berlin is in Frankfurt now, the west of America in the east, and Mexico in Japan.
    cities[0] = ("20.0.0.0/8", "DE", 50.1, 8.7);
    cities[2] = ("22.0.0.0/9", "US", 39.0, -77.5);
    cities[4] = ("24.0.0.0/10", "JP", 35.7, 139.7);
    fs::create_dir(root.path().join("new")).unwrap();
    fs::write(root.path().join("new/city.mmdb"), city_database(&cities, BUILT)).unwrap();
    check("diff-databases.txt", root.path(), &["diff", "new/city.mmdb"], 0);
    let both = ["diff", "geo/city.mmdb", "new", "--format", "json"];
    check("diff-databases-json.txt", root.path(), &both, 0);
    check("diff-databases-same.txt", root.path(), &["diff", "geo/city.mmdb", "."], 0);

    fs::write(root.path().join("new/city.mmdb"), "cut short").unwrap();
    for (arguments, code, words) in [
        (&["diff", "new/city.mmdb"][..], 1, "geo-database-broken"),
        (&["diff", "geo/city.mmdb", "git:HEAD"], 2, "databases are compared with databases"),
        (&["diff", "geo/city.mmdb,new/none.mmdb"], 2, "is no folder and no file"),
    ] {
        let run = homing(root.path(), arguments);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn a_server_is_asked_as_it_stands() {
    let server = server();
    let get = |path: &str| {
        let reply = server.http("GET", path, None);
        (reply.status, reply.json())
    };
    let first = |body: &serde_json::Value, region: &str| -> f64 {
        let regions = body["regions"].as_array().unwrap();
        let found = regions.iter().find(|it| it["region"] == region).unwrap();
        found["first"]["ipv4"].as_f64().unwrap()
    };
    let (status, before) = get("/v1/coverage?policy=web");
    assert_eq!(status, 200);
    assert!(before["of"].as_str().unwrap().contains("as endpoints stand"));
    assert!(before.get("points").is_none() && first(&before, "fra") > 0.1);
    server.http("POST", "/v1/regions/fra/drain", Some("{\"why\":\"test\"}"));
    let (_, drained) = get("/v1/coverage?policy=web&points=true");
    assert_eq!(first(&drained, "fra"), 0.0);
    assert!(!drained["points"].as_array().unwrap().is_empty());
    let countries = drained["countries"].as_array().unwrap();
    let germany = countries.iter().find(|row| row["country"] == "DE").unwrap();
    assert_eq!(germany["marks"][0]["why"], "drain");
    for (path, status, code) in [
        ("/v1/coverage?policy=wab", 404, "unknown-policy"),
        ("/v1/coverage?type=MX", 400, "unreadable-inquiry"),
        ("/v1/geo?address=here", 400, "unreadable-address"),
    ] {
        let (found, body) = get(path);
        assert_eq!((found, body["code"].as_str()), (status, Some(code)), "{path}: {body}");
    }
    let address = AMERICA.split('/').next().unwrap();
    let (status, body) = get(&format!("/v1/geo?address={address}"));
    assert_eq!((status, body["place"]["country"].as_str()), (200, Some("US")), "{body}");
    assert_eq!(body["policies"][0]["a"], "iad", "with every endpoint up");
    assert!(body["sources"][0]["wins"].as_bool().unwrap());
    let url = format!("http://{}", server.api);
    let run = homing(Path::new("."), &["coverage", "web", "--server", &url, "--format", "csv"]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8_lossy(&run.stdout).contains("\r\nweb,A,US,,"));
}
