//! The book: where a client goes, by the plainest means. One look-up in the database as its own library does it, one rule
//! after the other, distances by the haversine. Shares no code with what it judges but the table of countries' centres.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use homing::geo::place_centroid;
use maxminddb::Reader;
use serde::Deserialize;

use crate::worlds::{Policy, Wanted};

/// What is known of a client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    pub continent: Option<String>,
    pub country: Option<String>,
    pub subdivision: Option<String>,
    pub position: Option<(f64, f64)>,
    /// The region that overrides.csv puts first.
    pub region: Option<&'static str>,
}

/// Where a client goes.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// The deciding rule, from 0.
    pub rule: usize,
    /// Whether the place is unknown, and that mattered.
    pub unknown: bool,
    /// The regions, best first, each with the key that ordered it: its distance, or its rank in a list.
    pub order: Vec<(&'static str, f64)>,
}

/// One record, of either schema.
#[derive(Deserialize)]
struct Record {
    continent: Option<Code>,
    country: Option<Code>,
    subdivisions: Option<Vec<Code>>,
    location: Option<Point>,
    country_code: Option<String>,
    state1: Option<String>,
    latitude: Option<Number>,
    longitude: Option<Number>,
}

/// A float of either width: the library tells them apart.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct Reader;
        impl serde::de::Visitor<'_> for Reader {
            type Value = Number;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a float")
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_f32<E>(self, number: f32) -> Result<Number, E> {
                Ok(Number(f64::from(number)))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[derive(Deserialize)]
struct Code {
    code: Option<String>,
    iso_code: Option<String>,
}

#[derive(Deserialize)]
struct Point {
    latitude: Option<Number>,
    longitude: Option<Number>,
}

/// Databases, and lines of overrides.csv: a prefix and what it says.
pub struct Book {
    pub v4: Reader<Vec<u8>>,
    pub v6: Reader<Vec<u8>>,
    pub overrides: &'static [(&'static str, &'static str)],
    pub regions: &'static [(&'static str, f64, f64)],
}

/// Names of subdivisions, as one database has them, that rules of these tests speak of.
const STATES: [(&str, &str, &str); 4] = [
    ("US", "California", "CA"),
    ("US", "Texas", "TX"),
    ("CA", "Quebec", "QC"),
    ("AU", "Western Australia", "WA"),
];
/// Countries of Oceania (GeoNames), for databases without continents.
const OCEANIA: &str =
    "AS AU CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS";

impl Book {
    /// What is known of `address`.
    pub fn known(&self, address: IpAddr) -> Known {
        let seen = embedded(address).map_or(address, IpAddr::V4);
        let held = |prefix: &str| contains(prefix, seen);
        let lines = self.overrides.iter().filter(|(prefix, _)| held(prefix));
        let line = lines.max_by_key(|(prefix, _)| length(prefix)).map(|line| line.1);
        let database = || if is_special(seen) { Known::default() } else { self.in_database(seen) };
        match line {
            None => database(),
            Some(word) => match self.regions.iter().find(|region| region.0 == word) {
                Some(region) => Known { region: Some(region.0), ..database() },
                None => overridden(word),
            },
        }
    }

    fn in_database(&self, address: IpAddr) -> Known {
        let reader = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let found = reader.lookup(address).expect("the database has the family");
        let Some(record) = found.decode::<Record>().expect("the record is read") else {
            return Known::default();
        };
        let country = record.country.and_then(|code| code.iso_code).or(record.country_code);
        let country = country.filter(|code| code.len() == 2);
        let coded = record.subdivisions.and_then(|list| list.into_iter().next()?.iso_code);
        let named = record.state1.and_then(|name| {
            let state = STATES.iter().find(|s| Some(s.0) == country.as_deref() && s.1 == name)?;
            Some(state.2.to_owned())
        });
        let point = record.location.and_then(|point| point.latitude.zip(point.longitude));
        let point = point.or(record.latitude.zip(record.longitude));
        let point = point.map(|(lat, lon)| (lat.0, lon.0)).filter(|p| *p != (0.0, 0.0));
        let continent = record.continent.and_then(|code| code.code).or_else(|| {
            OCEANIA.split(' ').find(|code| Some(*code) == country.as_deref()).map(|_| "OC".into())
        });
        let subdivision = coded.or(named);
        let position = point.or_else(|| centre(country.as_deref()?, subdivision.as_deref()));
        Known { continent, country, subdivision, position, region: None }
    }

    /// What `policy` makes of who is known so.
    pub fn verdict(&self, policy: &Policy, known: &Known, address: IpAddr) -> Verdict {
        let seen = embedded(address).map_or(address, IpAddr::V4);
        let matches = |rule: &crate::worlds::Rule| {
            let in_subnet = || rule.subnets.iter().any(|prefix| contains(prefix, seen));
            let in_place = || rule.places.iter().any(|place| is_in(known, place));
            (rule.subnets.is_empty() || in_subnet()) && (rule.places.is_empty() || in_place())
        };
        let rule = policy.rules.iter().position(matches).expect("the last rule has no condition");
        let Wanted { regions: listed, fence } = policy.rules[rule].wanted;
        let mut order: Vec<(&'static str, f64)> = Vec::new();
        let mut first = |name: &'static str| {
            if !order.iter().any(|it| it.0 == name) {
                order.push((name, -1e9 + order.len() as f64));
            }
        };
        listed.iter().copied().for_each(&mut first);
        let is_fenced = fence && !listed.is_empty();
        let whole = is_fenced || listed.len() + 1 >= self.regions.len();
        let unknown = known.position.is_none() && !whole;
        if listed.is_empty() {
            known.region.into_iter().for_each(&mut first);
        }
        if unknown {
            policy.unknown.iter().copied().for_each(&mut first);
        }
        if !is_fenced {
            order.extend(self.by_nearness(known.position, &order));
        }
        Verdict { rule, unknown, order }
    }

    /// All regions but those of `first`, nearest first; from nowhere, in their own order.
    fn by_nearness(
        &self,
        from: Option<(f64, f64)>,
        first: &[(&str, f64)],
    ) -> Vec<(&'static str, f64)> {
        let rest = self.regions.iter().filter(|region| !first.iter().any(|it| it.0 == region.0));
        let key = |at: (f64, f64)| from.map_or(0.0, |from| distance_km(from, at));
        let mut rest: Vec<_> = rest.map(|&(name, lat, lon)| (name, key((lat, lon)))).collect();
        rest.sort_by(|a, b| a.1.total_cmp(&b.1));
        rest
    }
}

fn overridden(word: &str) -> Known {
    let mut parts = word.split('-').map(str::to_owned);
    let (continent, country, subdivision) = (parts.next(), parts.next(), parts.next());
    let position = country.as_deref().and_then(|it| centre(it, subdivision.as_deref()));
    Known { continent, country, subdivision, position, region: None }
}

fn centre(country: &str, subdivision: Option<&str>) -> Option<(f64, f64)> {
    let mut padded = [0; 3];
    let subdivision = subdivision.map(|code| {
        padded[..code.len()].copy_from_slice(code.as_bytes());
        padded
    });
    let at = place_centroid(country.as_bytes().try_into().ok()?, subdivision)?;
    Some((f64::from(at.latitude), f64::from(at.longitude)))
}

/// Whether somebody is in a place as rules write it: the last part decides.
fn is_in(known: &Known, place: &str) -> bool {
    let parts: Vec<&str> = place.split('-').collect();
    match parts[..] {
        [continent] => known.continent.as_deref() == Some(continent),
        [_, country] => known.country.as_deref() == Some(country),
        [_, country, subdivision] => {
            known.country.as_deref() == Some(country)
                && known.subdivision.as_deref() == Some(subdivision)
        }
        _ => panic!("{place} is no place"),
    }
}

/// The great-circle distance on a sphere of Earth's mean radius, by the haversine.
pub fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let h = half(lat_b - lat_a) + lat_a.cos() * lat_b.cos() * half((b.1 - a.1).to_radians());
    2.0 * 6371.0088 * h.sqrt().min(1.0).asin()
}

/// The IPv4 address within an IPv6 one (RFC 4291 §2.5.5, 6052, 3056, 4380).
pub fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let s = v6.segments();
    let last = Ipv4Addr::from(u32::from(s[6]) << 16 | u32::from(s[7]));
    match s {
        [0x2002, high, low, ..] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        [0x2001, 0, ..] => Some(Ipv4Addr::from(!last.to_bits())),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] => Some(last),
        [0, 0, 0, 0, 0, 0, ..] if last.to_bits() > 1 => Some(last),
        _ => None,
    }
}

/// Special-purpose addresses that are not globally reachable (the registries of RFC 6890).
pub fn is_special(address: IpAddr) -> bool {
    const BLOCKS: [&str; 22] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "::/127",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
    ];
    BLOCKS.iter().any(|block| contains(block, address))
}

fn length(prefix: &str) -> u32 {
    prefix.split_once('/').unwrap().1.parse().unwrap()
}

fn contains(prefix: &str, address: IpAddr) -> bool {
    let (first, len) = (prefix.split_once('/').unwrap().0, length(prefix));
    match (first.parse().unwrap(), address) {
        (IpAddr::V4(first), IpAddr::V4(it)) => {
            len == 0 || (first.to_bits() ^ it.to_bits()) >> (32 - len) == 0
        }
        (IpAddr::V6(first), IpAddr::V6(it)) => {
            len == 0 || (Ipv6Addr::to_bits(first) ^ it.to_bits()) >> (128 - len) == 0
        }
        _ => false,
    }
}
