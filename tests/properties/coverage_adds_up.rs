//! What coverage tells adds up, and is what single addresses get.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;

use homing::api::{CoverageBody, CoverageRow, CoverageShare};
use homing::ask::{Coverage, Endpoints, Scene, weigh};
use homing::geo::{PublishedWeights, Weights};
use homing::health::State;
use homing::number::RegionId;
use homing::route::{Asker, Family, choose, fill};
use homing::trace::{ClientSource, Silent};
use proptest::prelude::*;

use crate::world;

const STEERING: &str = r#"
[pools.web]
fra = ["192.0.2.101", "2001:db8::101"]
iad = ["192.0.2.102"]
sin = ["192.0.2.103", "2001:db8::103"]

[policies.web]
pool    = "web"
rules   = [
  { places = ["AS", "OC"], regions = [{ region = "sin", weight = 3 }, { region = "iad", weight = 1 }] },
  { places = ["EU-CH"], regions = ["iad"], fence = true },
  { regions = "nearest" },
]
unknown = ["iad"]

[routes."example.test"]
"geo" = "web"
"#;

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        Scene::of_files(&world::parts(&[
            ("zones/example.test.zone", include_str!("../conformance/example.test.zone")),
            ("zones/example.test.toml", STEERING),
            ("geo/regions.toml", world::REGIONS),
        ]))
    })
}

fn body(rtype: &str, weights: &Weights) -> CoverageBody {
    let asked = Coverage { rtype: Some(rtype.into()), points: true, ..Coverage::default() };
    asked.of(scene(), Endpoints::AllUp, weights).unwrap()
}

fn sum<'s>(shares: impl IntoIterator<Item = &'s CoverageShare>) -> f64 {
    shares.into_iter().filter_map(|of| of.share.ipv4).sum()
}

/// Rounding of a few hundred shares, each to a millionth.
fn is_one(sum: f64) -> bool {
    (sum - 1.0).abs() < 1e-3
}

#[test]
fn shares_add_up_to_all() {
    for rtype in ["A", "AAAA"] {
        let body = body(rtype, &Weights::default());
        let share = |row: &CoverageRow| row.share.ipv4.unwrap_or(0.0);
        assert!(is_one(body.countries.iter().map(share).sum()), "{rtype}");
        assert!(is_one(body.points.iter().filter_map(|point| point.share.ipv4).sum()), "{rtype}");
        let holes: f64 = body.countries.iter().filter(|row| row.country == "CH").map(share).sum();
        let first: f64 = body.regions.iter().filter_map(|region| region.first.ipv4).sum();
        assert!(is_one(first + if rtype == "AAAA" { holes } else { 0.0 }), "{rtype} {first}");
        for row in body.countries.iter().filter(|row| share(row) > 1e-5) {
            assert!(is_one(sum(&row.first)), "{rtype} {}", row.country);
            assert!(sum(&row.second) < 1.0 + 1e-3, "{rtype} {}", row.country);
            // Half the way around.
            assert!(row.first.iter().all(|of| of.km.is_none_or(|km| km <= 20_038)));
        }
    }
}

#[test]
fn places_count_as_much_as_they_weigh() {
    let (published, said) = PublishedWeights::parse("w.csv", b"NA-US,0\nEU-DE,3\n*,1\n");
    let weights = weigh(&scene().world, Some(&published.expect("sound")), None);
    let body = body("A", &weights);
    let share = |code: &str| body.countries.iter().find(|row| row.country == code).unwrap().share;
    assert_eq!((said.len(), body.weights.as_str()), (0, "geo/weights.csv"));
    assert_eq!(share("US").ipv4, Some(0.0));
    assert!((share("DE").ipv4.unwrap() - 0.75).abs() < 1e-5, "{:?}", share("DE"));
}

proptest! {
    /// The region that a query of any address gets is among those that its country is told to get.
    #[test]
    fn an_address_gets_what_its_country_is_told_to_get(bits in 0x0100_0000u32..0xe000_0000) {
        static ROWS: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
        let rows = ROWS.get_or_init(|| {
            let body = body("A", &Weights::default());
            let regions = |row: &CoverageRow| row.first.iter().map(|of| of.region.clone()).collect();
            body.countries.iter().map(|row| (row.country.clone(), regions(row))).collect()
        });
        let address = IpAddr::V4(bits.into());
        let Some(country) = scene().world.lookup(address).0.country else { return Ok(()) };
        let plan = &scene().snapshot.plans[0];
        let table = fill(plan, &State::default());
        let asker = Asker { address, source: ClientSource::Subnet };
        let chosen = choose(plan, &table, Family::V4, asker, &mut Silent).unwrap();
        let region = chosen.choice.region.and_then(|id: RegionId| plan.region_name(id)).unwrap();
        let told = &rows[&String::from_utf8_lossy(&country).into_owned()];
        prop_assert!(told.iter().any(|it| it == region), "{address}: {region} is not in {told:?}");
    }
}
