//! Method: steering files in, diagnostics out, and what the plans make of addresses.

use crate::geo::World;
use crate::health::Settings;
use crate::route::*;

const REGIONS: &str = "fra = { position = [50.11, 8.68] }\niad = { position = [38.95, -77.45] }\n\
                       syd = { position = [-33.87, 151.2] }\n";

fn nowhere() -> World {
    World::unknown()
}

fn compiled(files: &[&str], world: &World) -> Compiled {
    let read = |(index, text): (usize, &&str)| {
        let (steering, diagnostics) =
            parse_steering(&format!("zones/{index}.toml"), text.as_bytes());
        steering.unwrap_or_else(|| panic!("{diagnostics:?}"))
    };
    let mut files: Vec<Steering> = files.iter().enumerate().map(read).collect();
    // The order in which files come makes no difference.
    files.reverse();
    let regions = parse_regions("geo/regions.toml", REGIONS.as_bytes()).0.unwrap();
    compile(&files, &regions, world, None, &Settings::default())
}

/// The files give exactly these diagnostics: short name, file, line.
#[track_caller]
fn check(files: &[&str], expected: &[(&str, &str)]) {
    let found = compiled(files, &nowhere()).diagnostics;
    let found: Vec<_> = found.iter().map(|d| (d.code, d.place.to_string())).collect();
    let found: Vec<_> = found
        .iter()
        .map(|(code, place)| {
            let place = place.trim_start_matches("zones/");
            (*code, place.rsplit_once(':').map_or(place, |(line, _)| line))
        })
        .collect();
    assert_eq!(found, expected, "{files:?}");
}

const WHOLE: &str =
    "[pools.a]\nfra = ['192.0.2.1']\n[policies.a]\npool = 'a'\n[routes.'example.com']\nwww = 'a'\n";

#[test]
fn what_is_wrong_between_files_names_the_later_one() {
    check(&[WHOLE], &[]);
    let again = |what: &str| WHOLE.replace("www", what);
    check(
        &[WHOLE, &again("x")],
        &[("duplicate-pool", "1.toml:1"), ("duplicate-policy", "1.toml:3")],
    );
    check(&[WHOLE, "[routes.'EXAMPLE.com.']\nWWW = 'a'"], &[("duplicate-route", "1.toml:2")]);
    check(&[WHOLE, "[routes.'example.com']\nx = 'aa'"], &[("unknown-policy", "1.toml:2")]);
    check(
        &[WHOLE, "[policies.b]\npool = 'ab'\n[routes.'example.com']\nx = 'b'"],
        &[("unknown-pool", "1.toml:2")],
    );
    check(
        &[WHOLE, "[pools.b]\nfta = ['192.0.2.1']\n"],
        &[("unknown-region", "1.toml:2"), ("unused-pool", "1.toml:1")],
    );
    check(&[WHOLE, "[pools.b]\nfra = ['192.0.2.1']\n"], &[("unused-pool", "1.toml:1")]);
    check(&[WHOLE, "[policies.b]\npool = 'a'\n"], &[("unused-policy", "1.toml:1")]);
    check(
        &[&WHOLE
            .replace("['192.0.2.1']", "['192.0.2.1', '2001:db8::1']\niad = ['192.0.2.2']")
            .replace("pool = 'a'", "pool = 'a'\nrules = [{ regions = ['fra', 'iad'] }]")],
        &[("region-lacks-family", "0.toml:3")],
    );
}

#[test]
fn what_is_wrong_in_rules() {
    let rules = |rules: &str| WHOLE.replace("pool = 'a'", &format!("pool = 'a'\nrules = {rules}"));
    for (text, expected) in [
        ("[{ regions = ['fra', 'syd'] }]", &[("region-not-in-pool", "0.toml:5")][..]),
        ("[{ regions = ['fra', 'ams'] }]", &[("unknown-region", "0.toml:5")]),
        (
            "[{ regions = ['syd'], fence = true }]",
            &[("region-not-in-pool", "0.toml:5"), ("fence-without-region", "0.toml:5")],
        ),
        (
            "[{ places = ['EU-DE'], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("place-never-matched", "0.toml:5")],
        ),
        (
            "[{ asns = [1], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("asn-never-matched", "0.toml:5")],
        ),
    ] {
        check(&[&rules(text)], expected);
    }
}

#[test]
fn health_learns_what_the_files_know() {
    let pool =
        "[pools.b]\niad = ['lb.example.']\nfra = ['lb2.example.']\nhealth = { quorum = 3 }\n";
    let inventory = compiled(&[WHOLE, pool], &nowhere()).inventory;
    let regions: Vec<&str> = inventory.regions.iter().map(|r| &**r).collect();
    assert_eq!(regions, ["fra", "iad", "syd"]);
    assert_eq!(inventory.pools["a"], Settings::default());
    assert_eq!(inventory.pools["b"], Settings { quorum: 3, ..Settings::default() });
    let members = inventory.members.iter();
    let members: Vec<String> =
        members.map(|m| format!("{}/{}/{}", m.region, m.pool, m.address)).collect();
    assert_eq!(members, ["fra/a/192.0.2.1", "fra/b/lb2.example.", "iad/b/lb.example."]);
    assert!(inventory.members.is_sorted());
}
