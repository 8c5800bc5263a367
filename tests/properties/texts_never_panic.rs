//! Whatever lies in a file, reading it ends with a value or with diagnostics that say where.

use homing::route::{parse_regions, parse_steering};
use homing::wire::Name;
use homing::zone;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const ZONE_WORDS: [&str; 40] = [
    "@",
    "\n",
    "\n",
    "\n",
    " ",
    "\t",
    "(",
    ")",
    ";",
    "\"",
    "\\",
    "\\065",
    "\\999",
    "$TTL",
    "$ORIGIN",
    "$INCLUDE",
    "$GENERATE",
    "1-4",
    "IN",
    "CH",
    "3600",
    "1h2m",
    "99999999999",
    "A",
    "AAAA",
    "SOA",
    "NS",
    "CNAME",
    "TXT",
    "TYPE1",
    "RRSIG",
    "NSEC3",
    "SVCB",
    "LOC",
    "\\#",
    "4",
    "c0000201",
    "192.0.2.1",
    "a.example.",
    "*",
];
const TOML_WORDS: [&str; 30] = [
    "[pools.web]\n",
    "[policies.web]\n",
    "[routes.\"example.com\"]\n",
    "[pools.web.health]\n",
    "fra",
    "iad",
    " = ",
    "=",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"192.0.2.1\"",
    "\"web\"",
    "pool",
    "ttl",
    "min",
    "max",
    "rules",
    "regions",
    "\"nearest\"",
    "places",
    "\"EU-DE\"",
    "weight",
    "-1",
    "1e999",
    "\n",
    "\n",
    "\"\"\"",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn zone_files_of_any_bytes(text in vec(any::<u8>(), 0..400)) {
        read_zone(&text)?;
    }

    #[test]
    fn zone_files_of_their_own_words(words in vec(select(&ZONE_WORDS[..]), 0..80)) {
        read_zone(words.join(" ").as_bytes())?;
        let soa = "@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 IN NS ns.elsewhere.\n";
        read_zone(format!("{soa}{}", words.join(" ")).as_bytes())?;
    }

    #[test]
    fn steering_and_regions_of_any_bytes(text in vec(any::<u8>(), 0..400)) {
        let (steering, said) = parse_steering("zones/a.toml", &text);
        prop_assert!(steering.is_some() || !said.is_empty());
        let (regions, said) = parse_regions("geo/regions.toml", &text);
        prop_assert!(regions.is_some() || !said.is_empty());
    }

    #[test]
    fn steering_and_regions_of_their_own_words(words in vec(select(&TOML_WORDS[..]), 0..60)) {
        let text = words.concat();
        let (steering, said) = parse_steering("zones/a.toml", text.as_bytes());
        prop_assert!(steering.is_some() || !said.is_empty());
        let (regions, said) = parse_regions("geo/regions.toml", text.as_bytes());
        prop_assert!(regions.is_some() || !said.is_empty());
    }
}

fn read_zone(text: &[u8]) -> Result<(), TestCaseError> {
    let origin = Name::parse("example.com.", &Name::root()).unwrap();
    let none = |_: &str, _: &str| Err("no includes here".to_string());
    let parsed = zone::parse("zones/example.com.zone", text, &origin, &none);
    // An upper bound: LF, CR LF and CR alone end a line.
    let lines = text.split(|b| b"\r\n".contains(b)).count() as u32;
    prop_assert!(parsed.zone.is_some() || parsed.diagnostics.iter().any(|d| d.is_error()));
    for diagnostic in &parsed.diagnostics {
        prop_assert!(diagnostic.place.line <= lines, "{} of {lines} lines", diagnostic);
    }
    Ok(())
}
