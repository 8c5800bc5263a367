//! Method: steering files in, diagnostics out, and what the plans make of addresses.

use crate::geo::{Place, PlaceCode, PlaceId, World};
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
        ("[{ regions = 'nearest' }]\nbias = { syd = 1 }", &[("region-not-in-pool", "0.toml:6")]),
        ("[{ regions = 'nearest' }]\nbias = { ams = 1 }", &[("unknown-region", "0.toml:6")]),
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

/// Germany in 10/9 (AS64500) and 2a00::/16, France in 10.128/9, California in 12/8; nothing else is known.
fn known_world() -> World {
    let place = |code: &str, asn| Place { asn, ..PlaceCode::parse(code).unwrap().to_place() };
    let places = vec![
        Place::default(),
        place("EU-DE", Some(64500)),
        place("EU-FR", None),
        place("NA-US-CA", Some(64501)),
    ];
    let v4 = [(0u32, 0), (0x0a00_0000, 1), (0x0a80_0000, 2), (0x0b00_0000, 0), (0x0c00_0000, 3)];
    let v4 = v4.into_iter().chain([(0x0d00_0000, 0)]).map(|(start, id)| (start, PlaceId(id)));
    let v6 = [(0, PlaceId(0)), (0x2a00 << 112, PlaceId(1)), (0x2a01 << 112, PlaceId(0))];
    World::of_runs(v4, v6, places)
}

/// A policy over three regions, which has `rules`, one a line, and last of all goes to the nearest.
fn ruled(rules: &str) -> String {
    let pool = "[pools.a]\nfra = ['192.0.2.1']\niad = ['192.0.2.2']\nsyd = ['192.0.2.3']\n";
    let rules = format!("rules = [\n{rules},\n{{ regions = 'nearest' }}]\nunknown = ['fra']\n");
    format!("[policies.a]\npool = 'a'\n{rules}{pool}[routes.'example.com']\nwww = 'a'\n")
}

/// Code, line, column, message.
type Told = (&'static str, u32, u32, &'static str);

#[test]
fn what_decides_for_nobody_is_told_where_it_stands_and_who_takes_its_clients() {
    let cases: [(&str, &[Told]); 13] = [
        (
            "{ places = ['EU-DE', 'AS-JP'], regions = ['fra'] }",
            &[("place-never-matched", 4, 22, "no known address is in 'AS-JP'")],
        ),
        // The rule is not told beside its only value.
        (
            "{ places = ['AS-JP'], regions = ['fra'] }",
            &[("place-never-matched", 4, 13, "no known address is in 'AS-JP'")],
        ),
        (
            "{ asns = [1, 64500], regions = ['fra'] }",
            &[("asn-never-matched", 4, 11, "no known address is announced by AS1")],
        ),
        (
            "{ subnets = ['10.0.0.0/8', '2002:a00::/24'], regions = ['fra'] }",
            &[("subnet-never-matched", 4, 28, "no client is ever in '2002:a00::/24'")],
        ),
        (
            "{ places = ['EU-DE'], asns = [64501], regions = ['fra'] }",
            &[("rule-never-reached", 4, 1, "no known address meets all conditions of this rule")],
        ),
        (
            "{ places = ['EU-DE', 'NA'], asns = [64501], regions = ['fra'] }",
            &[(
                "value-never-reached",
                4,
                13,
                "no known address in 'EU-DE' meets the other conditions of this rule",
            )],
        ),
        (
            "{ places = ['EU'], regions = ['fra'] },\n{ places = ['EU-DE'], regions = ['iad'] }",
            &[(
                "rule-never-reached",
                5,
                1,
                "no client reaches this rule: rule 1 takes all that it matches",
            )],
        ),
        (
            "{ places = ['EU'], regions = ['fra'] },\n{ places = ['NA', 'EU-DE'], regions = ['iad'] }",
            &[(
                "value-never-reached",
                5,
                19,
                "'EU-DE' decides for nobody here: rule 1 takes all of it",
            )],
        ),
        // Two halves of one subnet; of several rules those that take something.
        (
            "{ subnets = ['192.0.2.0/25'], regions = ['fra'] },\n{ subnets = ['198.51.100.0/24'], \
             regions = ['fra'] },\n{ subnets = ['192.0.2.128/25'], regions = ['fra'] },\n\
             { subnets = ['192.0.2.0/24'], regions = ['iad'] }",
            &[(
                "rule-never-reached",
                7,
                1,
                "no client reaches this rule: rules 1 and 3 take all that it matches",
            )],
        ),
        (
            "{ subnets = ['192.0.2.0/24'], regions = ['fra'] },\n\
             { subnets = ['192.0.3.0/24', '192.0.2.128/25'], regions = ['iad'] }",
            &[(
                "value-never-reached",
                5,
                30,
                "'192.0.2.128/25' decides for nobody here: rule 1 takes all of it",
            )],
        ),
        // A rule that all addresses of this database have is no rule without a condition, yet takes as much.
        (
            "{ subnets = ['0.0.0.0/0', '::/0'], regions = ['fra'] },\n{ asns = [64500], regions = ['iad'] }",
            &[(
                "rule-never-reached",
                5,
                1,
                "no client reaches this rule: rule 1 takes all that it matches",
            )],
        ),
        (
            "{ regions = 'nearest' },\n{ places = ['AS-JP'], regions = ['iad'] }",
            &[
                (
                    "rule-never-reached",
                    5,
                    1,
                    "no client reaches this rule: rule 1 takes all that it matches",
                ),
                (
                    "rule-never-reached",
                    6,
                    1,
                    "no client reaches this rule: rule 1 takes all that it matches",
                ),
            ],
        ),
        ("{ places = ['EU-DE', 'EU-DE', 'EU'], regions = ['fra'] }", &[]),
    ];
    for (rules, expected) in cases {
        let found = compiled(&[&ruled(rules)], &known_world()).diagnostics;
        let found: Vec<_> =
            found.iter().map(|d| (d.code, d.place.line, d.place.column, &*d.message)).collect();
        assert_eq!(found, expected, "{rules}");
    }
}

#[test]
fn a_world_without_systems_is_told_once_a_rule() {
    let rules = "{ asns = [1, 2, 3], regions = ['fra'] },\n{ asns = [3], regions = ['iad'] }";
    let found = compiled(&[&ruled(rules)], &nowhere()).diagnostics;
    let found: Vec<_> =
        found.iter().map(|d| (d.code, d.place.line, d.place.column, &*d.help)).collect();
    let help = "add an ASN database to geo/";
    assert_eq!(found, [("asn-never-matched", 4, 11, help), ("asn-never-matched", 5, 11, help)]);
}

#[test]
fn of_many_findings_the_first_are_told_and_the_others_counted() {
    let asns: Vec<String> = (1..=10_000).map(|asn| asn.to_string()).collect();
    let rules = format!("{{ asns = [{}, 64500], regions = ['fra'] }}", asns[..9_999].join(","));
    let found = compiled(&[&ruled(&rules)], &known_world()).diagnostics;
    assert_eq!(found.len(), 100);
    assert!(found[99].message.ends_with("; 9899 more of this policy decide for nobody"));
}

#[test]
fn policies_that_share_their_classes_are_each_told() {
    let first = ruled("{ places = ['AS-JP'], regions = ['fra'] }");
    let second = "[policies.b]\npool = 'a'\nunknown = ['fra']\nrules = [\n\n\n\
                  { places = ['AS-JP'], regions = ['fra'] }, { regions = 'nearest' }]\n\
                  [routes.'example.com']\nx = 'b'\n";
    let compiled = compiled(&[&first, second], &known_world());
    let found: Vec<_> =
        compiled.diagnostics.iter().map(|d| (d.code, d.place.to_string())).collect();
    let code = "place-never-matched";
    assert_eq!(
        found,
        [(code, "zones/0.toml:4:13".to_owned()), (code, "zones/1.toml:7:13".to_owned())]
    );
    let [a, b] = [0, 1].map(|at| compiled.plans[at].ranges().unwrap());
    assert!(std::sync::Arc::ptr_eq(a, b));
}

#[test]
fn a_fence_without_a_family_that_the_pool_has_is_told() {
    let fenced = |regions: &str| {
        ruled(&format!("{{ places = ['EU'], regions = [{regions}], fence = true }}"))
            .replace("'192.0.2.2'", "'192.0.2.2', '2001:db8::2'")
    };
    let codes = |text: &str| -> Vec<_> {
        let found = compiled(&[text], &known_world()).diagnostics;
        let at_pool = |code: &&str| *code != "region-lacks-family";
        found.iter().map(|d| d.code).filter(at_pool).collect()
    };
    assert_eq!(codes(&fenced("'fra', 'syd'")), ["fence-lacks-family"]);
    assert_eq!(codes(&fenced("'fra', 'iad'")), [""; 0]);
    assert_eq!(codes(&ruled("{ places = ['EU'], regions = ['fra'], fence = true }")), [""; 0]);
}

#[test]
fn every_class_of_a_plan_has_a_region() {
    let dead_end = ruled("{ places = ['EU'], regions = ['ams'], fence = true }");
    let found = compiled(&[&dead_end], &known_world());
    assert!(found.diagnostics.iter().any(|d| d.is_error()));
    assert!(found.plans.is_empty() && found.routes.is_empty());
    let sound = ruled("{ places = ['EU'], regions = ['syd'], fence = true }");
    for plan in compiled(&[&sound], &known_world()).plans.iter() {
        for class in 0..plan.class_count() as u16 {
            let legend = plan.class_legend(crate::number::ClassId(class)).unwrap();
            assert!(!legend.order.is_empty());
        }
    }
}

#[test]
fn a_bias_that_changes_nothing_is_told() {
    let listed = WHOLE.replace("['192.0.2.1']", "['192.0.2.1']\niad = ['192.0.2.2']").replace(
        "pool = 'a'",
        "pool = 'a'\nrules = [{ regions = ['iad', 'fra'] }]\nbias = { fra = 20 }",
    );
    check(&[&listed], &[("bias-without-nearness", "0.toml:7")]);
    let near = listed.replace("rules = [{ regions = ['iad', 'fra'] }]", "unknown = ['fra']");
    check(&[&near], &[]);
}

#[test]
fn a_bias_draws_clients_over_the_border_and_is_told_where_nearness_decides() {
    let biased = ruled("{ places = ['NA'], regions = ['syd'] }")
        .replace("unknown = ['fra']", "unknown = ['fra']\nbias = { iad = 90, syd = -10 }");
    let compiled = compiled(&[&biased], &known_world());
    let plan = &compiled.plans[0];
    let order = |address: &str| {
        let class = plan.ranges().unwrap().lookup(address.parse().unwrap()).0;
        let legend = plan.class_legend(class).unwrap();
        let name = |id: &crate::number::RegionId| plan.region_name(*id).unwrap().to_owned();
        let bias: Vec<_> = legend.bias.iter().map(|(id, bias)| (name(id), *bias)).collect();
        (legend.order.iter().map(name).collect::<Vec<_>>(), bias)
    };
    // Frankfurt is at the door, and a tenth of the way to Virginia is more.
    let (de, bias) = order("10.0.0.1");
    assert_eq!(de, ["fra", "iad", "syd"]);
    assert_eq!(bias, [("iad".to_owned(), 90), ("syd".to_owned(), -10)]);
    // From France, Frankfurt is 600 km away and Virginia seems to be.
    assert_eq!(order("10.200.0.1").0[0], "fra");
    // What a rule lists is not weighed.
    assert_eq!(
        order("12.0.0.1"),
        (vec!["syd".into(), "iad".into(), "fra".into()], vec![("iad".to_owned(), 90)])
    );
    let settings = plan.settings();
    assert_eq!(settings[6], ("bias", "iad 90, syd -10".to_owned()));
}
