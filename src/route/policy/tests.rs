//! Method: a steering file in, and the short name and line of each diagnostic out.

use proptest::prelude::*;

use crate::route::{parse_regions, parse_steering};

const EXAMPLE: &str = r#"
[pools.web]                        # routers by region
fra = ["192.0.2.10", "2001:db8:1::10"]
iad = [{ address = "198.51.100.10", weight = 3 }, "198.51.100.11", "2001:db8:2::10"]
[pools.web.health]
quorum = 2
failback = "after 5m"
[pools.names]
fra = ["lb.fra.example.net."]

[policies.web]
pool    = "web"
ttl     = { min = 10, max = 60 }
answers = 2
rules   = [
  { subnets = ["203.0.113.0/24"], regions = ["iad"] },
  { asns = [64500],               regions = ["fra", "iad"] },
  { places = ["EU-CH", "NA-US-CA"], regions = ["fra"], fence = true },
  { places = ["OC"], regions = [{ region = "fra", weight = 95 }, { region = "iad", weight = 5 }] },
  { regions = "nearest" },
]
unknown       = "site"
when_all_down = "all"
families = "separate"

[routes."example.com"]
"@"      = "web"
"www"    = "web"
"*.apps" = "web"
"#;

#[test]
fn the_example_of_the_design_is_read_whole() {
    let (steering, diagnostics) = parse_steering("zones/example.com.toml", EXAMPLE.as_bytes());
    assert_eq!(diagnostics, []);
    let steering = steering.unwrap();
    assert_eq!(steering.path, "zones/example.com.toml");
    assert_eq!((steering.pools.len(), steering.policies.len(), steering.routes.len()), (2, 1, 3));
    assert_eq!(steering.pools[0].regions[1].endpoints[0].weight, 3);
    assert_eq!(steering.pools[0].health.quorum, Some(2));
    assert_eq!(steering.policies[0].rules.len(), 5);
    assert!(steering.policies[0].rules[2].fence);
    assert_eq!(&*steering.routes[2].owner, "*.apps");
    assert_eq!(steering.source.place(&steering.routes[2].span).line, 29);
    assert!(parse_steering("zones/empty.toml", b"").0.is_some());
}

/// `text` gives exactly these diagnostics, and is refused unless all are warnings.
#[track_caller]
fn check(text: &str, expected: &[(&str, u32)]) {
    let (steering, diagnostics) = parse_steering("zones/x.toml", text.as_bytes());
    let found: Vec<_> = diagnostics.iter().map(|d| (d.code, d.place.line)).collect();
    assert_eq!(found, expected, "{text}\n{diagnostics:#?}");
    assert_eq!(steering.is_none(), diagnostics.iter().any(|d| d.is_error()), "{text}");
}

#[test]
fn mistakes_in_pools() {
    for (text, expected) in [
        ("fra = []", &[("empty-list", 2)][..]),
        ("", &[("empty-pool", 1)]),
        ("health = {}", &[("empty-pool", 1)]),
        ("fra = '192.0.2.1'", &[("wrong-type", 2)]),
        ("fra = ['192.0.2.1', 'lb.example.']", &[("pool-mixes-kinds", 1)]),
        ("fra = ['192.0.2.1']\niad = ['lb.example.']", &[("pool-mixes-kinds", 1)]),
        ("fra = ['192.0.2.1', '192.0.2.1']", &[("duplicate-endpoint", 2)]),
        ("fra = ['2001:db8::1']\niad = ['2001:DB8:0::1']", &[("duplicate-endpoint", 3)]),
        ("fra = ['lb.Example.', 'LB.example.']", &[("duplicate-endpoint", 2)]),
        ("fra = ['lb.example']", &[("bad-endpoint", 2)]),
        ("fra = ['lb..example.']", &[("bad-endpoint", 2)]),
        ("fra = ['.']", &[("bad-endpoint", 2)]),
        ("fra = ['192.0.2.256']", &[("bad-endpoint", 2)]),
        ("fra = ['0.0.0.0', '224.0.0.1', '::ffff:192.0.2.1']", &[("bad-endpoint", 2); 3]),
        ("fra = [{ address = '192.0.2.1', weight = 0 }]", &[("out-of-range", 2)]),
        ("fra = [{ address = '192.0.2.1', weight = 1001 }]", &[("out-of-range", 2)]),
        ("fra = [{ weight = 1 }]", &[("missing-key", 2)]),
        ("fra = [{ adress = '192.0.2.1' }]", &[("missing-key", 2), ("unknown-key", 2)]),
        ("fra = [3]", &[("wrong-type", 2)]),
        ("'a.b' = ['192.0.2.1']", &[("bad-name", 2)]),
        (
            "fra = ['192.0.2.1']\nhealth = { quorum = 'x', ris = 1 }",
            &[("wrong-type", 3), ("unknown-key", 3)],
        ),
    ] {
        check(&format!("[pools.p]\n{text}\n"), expected);
    }
}

#[test]
fn mistakes_in_policies() {
    for (text, expected) in [
        ("", &[][..]),
        ("ttl = { min = 61, max = 60 }", &[("ttl-bounds", 3)]),
        ("ttl = { min = 61 }", &[]),
        ("ttl = { mni = 1 }", &[("unknown-key", 3)]),
        ("ttl = 3", &[("wrong-type", 3)]),
        ("answers = 0", &[("out-of-range", 3)]),
        ("answers = 65", &[("out-of-range", 3)]),
        ("answers = 1.5", &[("wrong-type", 3)]),
        ("answer = 1", &[("unknown-key", 3)]),
        ("unknown = 'nearest'", &[("unknown-word", 3)]),
        ("unknown = []", &[("empty-list", 3)]),
        ("when_all_down = 'none'", &[("unknown-word", 3)]),
        ("families = true", &[("wrong-type", 3)]),
        ("rules = []", &[("empty-list", 3)]),
        ("rules = [{ places = ['EU'], regions = 'nearest' }]", &[("last-rule-has-condition", 3)]),
        ("bias = 20", &[("wrong-type", 3)]),
        ("bias = { fra = 99, iad = -99, syd = 0 }", &[]),
        (
            "bias = { fra = 100, iad = 1.5,\n syd = -100 }",
            &[("out-of-range", 3), ("wrong-type", 3), ("out-of-range", 4)],
        ),
        ("rules = [{ regions = 'nearest', fence = true }]", &[("fence-without-list", 3)]),
        ("rules = [{ regions = 'closest' }]", &[("unknown-word", 3)]),
        ("rules = [{ regions = [] }]", &[("empty-list", 3)]),
        ("rules = [{ fence = true }]", &[("missing-key", 3)]),
        ("rules = [{ regions = ['fra', 'fra'] }]", &[("duplicate-region", 3)]),
        (
            "rules = [{ regions = ['fra', { region = 'iad', weight = 1 }] }]",
            &[("weights-mixed", 3)],
        ),
        ("rules = [{ regions = [{ region = 'iad', weight = 0 }] }]", &[("weights-all-zero", 3)]),
        ("rules = [{ regions = [{ region = 'iad' }] }]", &[("missing-key", 3)]),
        (
            "rules = [{ subnets = ['10.0.0.1/8'], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("bad-subnet", 3)],
        ),
        (
            "rules = [{ subnets = ['10.0.0.0/33'], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("bad-subnet", 3)],
        ),
        (
            "rules = [{ subnets = [], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("empty-list", 3)],
        ),
        (
            "rules = [{ places = ['XX'], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("unknown-place", 3)],
        ),
        (
            "rules = [{ asns = [-1], regions = ['fra'] }, { regions = 'nearest' }]",
            &[("out-of-range", 3)],
        ),
    ] {
        check(&format!("[policies.p]\npool = 'p'\n{text}\n"), expected);
    }
}

#[test]
fn mistakes_come_all_at_once() {
    check(
        "[pool.web]\n[pools.a]\nfra = ['x']\n[policies.p]\nanswers = 0\n\
         [routes.'example.com']\n'' = 'p'\nWWW = 'p'\nwww = 'p'\n",
        &[
            ("unknown-key", 1),
            ("bad-endpoint", 3),
            ("policy-without-pool", 4),
            ("out-of-range", 5),
            ("bad-owner", 7),
            ("duplicate-route", 9),
        ],
    );
    check(
        "[pools]\nweb = 3\n[routes]\n'example.com' = 'web'\n",
        &[("wrong-type", 2), ("wrong-type", 4)],
    );
}

#[test]
fn a_diagnostic_shows_where_and_how_to_mend() {
    let text = "[policies.web]\npool = 'web'\nwhen_all_down = 'none'\n";
    let (_, diagnostics) = parse_steering("zones/x.toml", text.as_bytes());
    assert_eq!(
        diagnostics[0].to_string(),
        "zones/x.toml:3:17: error[unknown-word]: `when_all_down` cannot be `none`\n  \
         | when_all_down = 'none'\n  |                 ^\n  help: one of all, default, nodata, servfail"
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parse_steering("zones/x.toml", &bytes);
        parse_regions("geo/regions.toml", &bytes);
    }

    #[test]
    fn no_mutilated_file_panics(
        at in 0..EXAMPLE.len(), len in 0usize..20, with in "[\\[\\]{}=\"',.0-9a-z\n -]{0,8}",
    ) {
        let end = (at + len).min(EXAMPLE.len());
        let text = format!("{}{with}{}", &EXAMPLE[..at], &EXAMPLE[end..]);
        let (steering, diagnostics) = parse_steering("zones/x.toml", text.as_bytes());
        prop_assert_eq!(steering.is_none(), diagnostics.iter().any(|d| d.is_error()));
    }
}
