//! Any octets as a steering file, as regions and as homing.toml: reading ends with a value or with diagnostics that say
//! where, and what is read is compiled and filled.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use homing::diagnostic::{Diagnostic, has_error};
use homing::geo::World;
use homing::health::State;
use homing::load::Config;
use homing::route::{Settings, compile, fill, parse_regions, parse_steering};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../support/mmdb.rs"]
mod mmdb;

const REGIONS: &[u8] = b"[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n";

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let networks = [
            ("192.0.2.0/24", "DE", 50.0, 8.0),
            ("198.51.100.0/24", "US", 39.0, -77.0),
            ("203.0.113.0/24", "AU", -33.0, 151.0),
        ];
        let database = mmdb::city_database(&networks, 1_700_000_000);
        World::from_mmdb("city.mmdb", &database).expect("a sound database")
    })
}

fuzz_target!(|text: &[u8]| {
    let lines = text.split(|&b| b == b'\n').count() as u32;
    let look = |said: &[Diagnostic]| {
        for one in said {
            assert!(one.place.line <= lines, "{one} of {lines} lines");
            assert!(!one.to_string().contains('\u{1b}'), "a terminal would obey");
        }
    };
    let (own, said) = parse_regions("regions.toml", text);
    look(&said);
    assert_eq!(own.is_none(), has_error(&said));
    let (steering, said) = parse_steering("x.toml", text);
    look(&said);
    assert_eq!(steering.is_none(), has_error(&said));
    if let Err(said) = Config::parse("homing.toml", text, Path::new("/srv")) {
        assert!(has_error(&said));
        look(&said);
    }
    let Some(steering) = steering else { return };
    let (regions, _) = parse_regions("regions.toml", REGIONS);
    let compiled = compile(&[steering], &regions.unwrap(), world(), None, &Settings::default());
    for plan in compiled.plans.iter() {
        fill(plan, &State::default());
    }
});
