//! Regions, policies and databases that the tests speak of: written once, for the server and for the book.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use homing::load::{Builder, Config, Parts, Removals, scan};

use homing::fileset::FileSet;

pub type Regions = &'static [(&'static str, f64, f64)];

/// Six regions on five continents.
pub const SIX: Regions = &[
    ("use", 39.04, -77.49),
    ("usw", 37.34, -121.89),
    ("eu", 50.11, 8.68),
    ("sa", -23.55, -46.63),
    ("sg", 1.35, 103.82),
    ("au", -33.87, 151.21),
];

/// Twenty, close to each other where many people are.
pub const TWENTY: Regions = &[
    ("iad", 39.04, -77.49),
    ("ord", 41.88, -87.63),
    ("dfw", 32.78, -96.80),
    ("sjc", 37.34, -121.89),
    ("yyz", 43.65, -79.38),
    ("mia", 25.76, -80.19),
    ("gru", -23.55, -46.63),
    ("scl", -33.45, -70.67),
    ("lhr", 51.51, -0.13),
    ("fra", 50.11, 8.68),
    ("cdg", 48.86, 2.35),
    ("arn", 59.33, 18.07),
    ("waw", 52.23, 21.01),
    ("mad", 40.42, -3.70),
    ("jnb", -26.20, 28.05),
    ("dxb", 25.20, 55.27),
    ("bom", 19.08, 72.88),
    ("sin", 1.35, 103.82),
    ("nrt", 35.68, 139.69),
    ("syd", -33.87, 151.21),
];

/// Where the clients of a rule go: no regions is by nearness.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub regions: &'static [&'static str],
    pub fence: bool,
}

pub struct Rule {
    pub subnets: &'static [&'static str],
    pub places: &'static [&'static str],
    pub wanted: Wanted,
}

pub struct Policy {
    pub name: &'static str,
    pub rules: &'static [Rule],
    pub unknown: &'static [&'static str],
}

const NEAREST: Wanted = Wanted { regions: &[], fence: false };

const fn rule(
    subnets: &'static [&'static str],
    places: &'static [&'static str],
    wanted: Wanted,
) -> Rule {
    Rule { subnets, places, wanted }
}

const fn to(regions: &'static [&'static str]) -> Wanted {
    Wanted { regions, fence: false }
}

const fn within(regions: &'static [&'static str]) -> Wanted {
    Wanted { regions, fence: true }
}

/// Policies over [`TWENTY`], as operators write them.
pub const POLICIES: [Policy; 4] = [
    Policy { name: "nearest", rules: &[rule(&[], &[], NEAREST)], unknown: &["iad"] },
    Policy {
        name: "residence",
        rules: &[
            rule(&[], &["EU-CH", "EU-LI"], within(&["fra", "cdg"])),
            rule(&[], &["AS-IN"], within(&["bom"])),
            rule(&["8.8.0.0/16", "2001:4860::/32"], &[], to(&["dfw"])),
            rule(&["25.0.0.0/8", "2a01::/16"], &["EU-GB", "EU-FR"], to(&["lhr", "cdg"])),
            rule(&[], &[], NEAREST),
        ],
        unknown: &["fra", "iad"],
    },
    Policy {
        name: "states",
        rules: &[
            rule(&[], &["NA-US-CA"], to(&["sjc", "dfw"])),
            rule(&[], &["NA-US-TX", "NA-CA-QC"], to(&["ord"])),
            rule(&[], &["OC-AU-WA"], to(&["sin", "syd"])),
            rule(&[], &["OC"], to(&["syd"])),
            rule(&[], &[], NEAREST),
        ],
        unknown: &["gru"],
    },
    Policy {
        name: "subnets",
        rules: &[
            rule(
                &["1.0.0.0/8", "1.1.1.0/24", "100.0.0.0/7", "2400::/12", "2001:db8::/33", "::/3"],
                &[],
                to(&["nrt"]),
            ),
            rule(&["1.1.0.0/16", "2c0f::/17", "2400:cb00::/128"], &[], within(&["jnb"])),
            rule(&[], &[], NEAREST),
        ],
        unknown: &["lhr"],
    },
];

/// Lines of overrides.csv.
pub const OVERRIDES: &[(&str, &str)] = &[
    ("9.0.0.0/8", "NA-US-CA"),
    ("9.9.0.0/16", "jnb"),
    ("9.9.9.0/24", "EU-CH"),
    ("10.0.0.0/8", "EU-DE"),
    ("1.1.1.0/28", "AS-JP"),
    ("2a02::/16", "syd"),
    ("2a02:1200::/27", "EU-CH"),
    ("2a02:1200:0:1:8000::/65", "OC-AU-WA"),
    ("2001:db8::/32", "NA-CA-QC"),
];

/// A database of the folder that `HOMING_GEO` names.
pub fn database(name: &str) -> PathBuf {
    let folder = std::env::var("HOMING_GEO").expect("HOMING_GEO names the folder of databases");
    let path = PathBuf::from(folder).join(name);
    assert!(path.is_file(), "{} is missing; see tests/geography/main.rs", path.display());
    path.canonicalize().unwrap()
}

/// What the server makes of [`TWENTY`], [`POLICIES`], [`OVERRIDES`] and these databases.
pub fn parts(databases: &[&str]) -> Parts {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    fs::create_dir(at("zones")).unwrap();
    fs::create_dir(at("geo")).unwrap();
    for name in databases {
        symlink(database(name), at("geo").join(name)).unwrap();
    }
    let mut regions = String::new();
    for (name, lat, lon) in TWENTY {
        writeln!(regions, "[{name}]\nposition = [{lat:?}, {lon:?}]").unwrap();
    }
    fs::write(at("geo/regions.toml"), regions).unwrap();
    let overrides: String =
        OVERRIDES.iter().map(|(prefix, word)| format!("{prefix},{word},\n")).collect();
    fs::write(at("geo/overrides.csv"), overrides).unwrap();
    fs::write(at("zones/example.test.toml"), steering()).unwrap();
    let config = Config::find(root.path()).unwrap();
    let mut builder = Builder::new(&config);
    let built = builder.build(&scan(&config), &FileSet::default(), Removals::Wait);
    assert!(built.refused.is_empty(), "{:#?}", built.diagnostics);
    built.parts
}

fn steering() -> String {
    let quoted = |words: &[&str]| format!("{words:?}");
    let mut text = String::from("[pools.web]\n");
    for ((name, ..), n) in TWENTY.iter().zip(1..) {
        writeln!(text, "{name} = [\"192.0.2.{n}\"]").unwrap();
    }
    for policy in &POLICIES {
        writeln!(text, "[policies.{}]\npool = \"web\"\nrules = [", policy.name).unwrap();
        for rule in policy.rules {
            let mut keys = Vec::new();
            for (key, values) in [("subnets", rule.subnets), ("places", rule.places)] {
                keys.extend((!values.is_empty()).then(|| format!("{key} = {}", quoted(values))));
            }
            keys.push(match rule.wanted.regions {
                [] => "regions = \"nearest\"".to_owned(),
                regions => format!("regions = {}", quoted(regions)),
            });
            keys.extend(rule.wanted.fence.then(|| "fence = true".to_owned()));
            writeln!(text, "{{ {} }},", keys.join(", ")).unwrap();
        }
        writeln!(text, "]\nunknown = {}", quoted(policy.unknown)).unwrap();
    }
    text
}
