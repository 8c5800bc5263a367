//! What `explain` tells is what a resolver gets: the same response, with each address of it and the region it is from.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;

use homing::answer::{Exchange, Record, Transcript, Transport, respond_quietly};
use homing::ask::{Inquiry, Scene, explain};
use homing::wire::{Name, Rtype};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world;

const STEERING: &str = r#"
[pools.web]
fra = ["192.0.2.101", "192.0.2.111", "2001:db8::101"]
iad = ["192.0.2.102"]
sin = ["192.0.2.103", "2001:db8::103"]

[policies.web]
pool    = "web"
ttl     = { min = 10, max = 60 }
answers = 2
rules   = [
  { subnets = ["198.51.100.0/24"], regions = ["iad"] },
  { subnets = ["203.0.113.0/25", "2001:db8:5::/48"], regions = ["sin"] },
  { places = ["AS", "OC"], regions = [{ region = "sin", weight = 3 }, { region = "iad", weight = 1 }] },
  { places = ["EU-CH"], regions = ["fra"], fence = true },
  { regions = "nearest" },
]
unknown = ["iad"]

[routes."example.test"]
"geo"   = "web"
"*.geo" = "web"
"#;
const NAMES: [&str; 20] = [
    "@",
    "www",
    "alias",
    "chain1",
    "loop1",
    "out",
    "dangling",
    "b.ent",
    "x.wild",
    "host.wild",
    "x.cwild",
    "x.deleg",
    "x.dn",
    "svc",
    "geo",
    "x.geo",
    "togeo",
    "geo.up",
    "missing",
    "x.y.z.missing",
];
const TYPES: [u16; 10] = [1, 2, 5, 6, 15, 16, 28, 43, 65, 255];

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

/// The region of each router, by address.
fn routers() -> BTreeMap<IpAddr, &'static str> {
    let router = |(address, region): (&str, &'static str)| (address.parse().unwrap(), region);
    let all = [
        ("192.0.2.101", "fra"),
        ("192.0.2.111", "fra"),
        ("2001:db8::101", "fra"),
        ("192.0.2.102", "iad"),
        ("192.0.2.103", "sin"),
        ("2001:db8::103", "sin"),
    ];
    all.into_iter().map(router).collect()
}

fn address(record: &Record) -> Option<IpAddr> {
    match record.rtype {
        Rtype::A => Some(IpAddr::from(<[u8; 4]>::try_from(&*record.rdata).ok()?)),
        Rtype::AAAA => Some(IpAddr::from(<[u8; 16]>::try_from(&*record.rdata).ok()?)),
        _ => None,
    }
}

/// Clients of every continent and of none, as whole addresses and as subnets.
fn client() -> impl Strategy<Value = (IpAddr, u8)> {
    let known =
        select(vec!["193.0.0.1", "17.0.0.1", "203.119.101.1", "198.51.100.9", "203.0.113.9"]);
    let known = known.prop_map(|text| text.parse::<IpAddr>().unwrap());
    let v6 = select(vec!["2001:db8:5::1", "2001:67c:2e8::1", "2a00:1450::1", "::1"]);
    let v6 = v6.prop_map(|text| text.parse::<IpAddr>().unwrap());
    prop_oneof![
        (known, 8_u8..=32),
        (any::<[u8; 4]>().prop_map(IpAddr::from), 0_u8..=32),
        (v6, 16_u8..=128),
        (any::<[u8; 16]>().prop_map(IpAddr::from), 0_u8..=128),
    ]
}

/// The client subnet option of RFC 7871 §6, bits beyond the source prefix cut.
fn subnet_option(address: IpAddr, source: u8) -> (IpAddr, Vec<u8>) {
    let (family, mut octets) = match address {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    for (i, octet) in octets.iter_mut().enumerate() {
        let kept = usize::from(source).saturating_sub(8 * i).min(8);
        *octet &= !(0xff_u32 >> kept) as u8;
    }
    let cut = match <[u8; 4]>::try_from(&*octets) {
        Ok(octets) => IpAddr::from(octets),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&*octets).unwrap()),
    };
    let sent = &octets[..usize::from(source).div_ceil(8)];
    let mut option = vec![0, 8, 0, 4 + sent.len() as u8, 0, family, source, 0];
    option.extend(sent);
    (cut, option)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_explained_answer_is_the_one_that_is_sent(
        name in select(&NAMES[..]),
        rtype in select(&TYPES[..]),
        (client, source) in client(),
    ) {
        let scene = scene();
        let name = Name::parse(name, &Name::parse("example.test.", &Name::root()).unwrap()).unwrap();
        let asked = format!("{client}/{source}");
        let inquiry = Inquiry::read(&name.to_string(), &Rtype(rtype).to_string(), &asked).unwrap();
        let told = explain(scene, &inquiry).expect("an explanation");

        let (cut, option) = subnet_option(client, source);
        let request = world::query(0, name.as_wire(), rtype, 1, &world::opt(0, &option));
        let mut response = vec![0; 65_535];
        let exchange = Exchange {
            request: &request,
            client: cut,
            transport: Transport::Tcp,
            idle_tenths: 0,
            now_secs: 0,
            response: &mut response,
        };
        let outcome = respond_quietly(&scene.snapshot, exchange, &mut world::core());
        let sent = Transcript::read(&response[..outcome.len()]).expect("a well-formed response");
        prop_assert_eq!(&told.response, &sent, "{}", told.text);

        let routers = routers();
        for address in sent.answer.iter().filter_map(address) {
            prop_assert!(told.text.contains(&address.to_string()), "{} in {}", address, told.text);
            if let Some(region) = routers.get(&address) {
                let chosen = format!("choice    {region}:");
                prop_assert!(told.text.contains(&chosen), "{} in {}", chosen, told.text);
                let taken = format!("{region:<8} taken");
                prop_assert!(told.text.contains(&taken), "{} in {}", taken, told.text);
            }
        }
    }
}
