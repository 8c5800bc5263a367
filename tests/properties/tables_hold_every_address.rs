//! Compiled tables of the example policies, and of one cut by many subnets: every range by its edges and scopes. The same
//! is held on large databases by `tests/geography`.

use homing::load::Parts;

use crate::exhaustive;
use crate::world;

const CUTS: &str = r#"
[pools.web]
fra = ["192.0.2.1"]
iad = ["192.0.2.2"]
sin = ["192.0.2.3"]
[policies.cut]
pool    = "web"
unknown = ["iad"]
rules   = [
  { subnets = ["0.0.0.0/1", "2000::/3"], places = ["EU"], regions = ["sin"] },
  { subnets = ["128.0.0.0/32", "255.255.255.255/32", "0.0.0.0/32", "10.0.0.0/8"], regions = ["fra"] },
  { subnets = ["::/128", "ffff::/16", "2001:db8::/65", "2001:db8:0:0:8000::/128"], regions = ["fra"] },
  { subnets = ["2002::/16", "::ffff:0:0/96", "2001:0::/32"], regions = ["iad"] },
  { places = ["NA-US", "EU-DE"], regions = [{ region = "fra", weight = 1 }, { region = "sin", weight = 3 }] },
  { regions = "nearest" },
]
"#;

fn hold(parts: &Parts) {
    let mut count = 0;
    for ranges in parts.plans.iter().filter_map(|plan| plan.ranges()) {
        let (v4, v6) = exhaustive::hold(ranges);
        assert!(v4 > 1 && v6 > 1, "{v4} and {v6} ranges");
        count += 1;
    }
    assert!(count > 0, "no policy looks at the place");
}

#[test]
fn every_range_of_the_example_policies_holds() {
    hold(&world::parts(&[
        ("zones/example.com.zone", include_str!("../../zones/example.com.zone")),
        ("zones/example.com.toml", include_str!("../../zones/example.com.toml")),
        ("geo/regions.toml", include_str!("../../geo/regions.toml")),
    ]));
}

#[test]
fn every_range_holds_where_subnets_cut_at_all_ends() {
    hold(&world::parts(&[
        ("zones/cut.toml", CUTS),
        ("geo/regions.toml", world::REGIONS),
        ("geo/overrides.csv", "1.0.0.0/25,EU-DE,\n2001:db8:0:1::/66,AS-JP,\n::/0,fra,\n"),
    ]));
}
