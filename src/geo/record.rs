//! One record of a database into a place, whatever its schema: fields are probed by key, nested
//! (GeoIP2, DB-IP, IP2Location) or flat (ip-location-db, IPinfo). Numbers may be floats of either
//! width, integers, or text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::gazetteer::{self, CONTINENTS, WHOLE};
use super::place::{Place, Position};

/// What is worth reading of a record; the rest is skipped without being decoded.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// Any number.
    Number(f64),
    /// A map, less the keys that nobody asks for.
    Map(Vec<(&'static str, Value)>),
    /// A list, at most [`LIST_COUNT_MAX`] of it.
    List(Vec<Value>),
    /// Anything else.
    Nothing,
}

impl Value {
    /// The place that the record tells of.
    pub(super) fn place(&self) -> Place {
        let mut place = Place {
            continent: self.continent(),
            country: self.country(),
            position: self.position(),
            asn: self.asn(),
            ..Place::default()
        };
        place.subdivision = place.country.and_then(|country| self.subdivision(country));
        if let Some(country) = place.country {
            let known = gazetteer::entry(country, WHOLE).map(|entry| entry.continent);
            place.continent = place.continent.or(known);
            place.position =
                place.position.or_else(|| gazetteer::place_centroid(country, place.subdivision));
        }
        place
    }

    fn continent(&self) -> Option<[u8; 2]> {
        let code = self
            .text(&["continent", "code"])
            .or_else(|| self.text(&["continent_code"]))
            .or_else(|| self.text(&["continent"]))
            // Old country databases write a continent where the country is not known. AS, AF, NA and SA are countries
            // first: American Samoa, Afghanistan, Namibia, Saudi Arabia.
            .or_else(|| self.country_text().filter(|_| self.country().is_none()))
            .map(|code| if code == "AP" { "AS" } else { code })?;
        let known = CONTINENTS
            .iter()
            .find(|(known, name)| &known[..] == code.as_bytes() || name.eq_ignore_ascii_case(code));
        known.map(|(known, _)| **known)
    }

    fn country(&self) -> Option<[u8; 2]> {
        let code: [u8; 2] =
            self.country_text()?.to_ascii_uppercase().into_bytes().try_into().ok()?;
        gazetteer::entry(code, WHOLE).map(|_| code)
    }

    fn country_text(&self) -> Option<&str> {
        self.text(&["country", "iso_code"])
            .or_else(|| self.text(&["country_code"]))
            .or_else(|| self.text(&["country"]))
    }

    /// The first subdivision: by its code where the record has one, else by its name. A record may
    /// name one that is no more, or that is none of ISO 3166-2; there the city may have its name.
    fn subdivision(&self, country: [u8; 2]) -> Option<[u8; 3]> {
        let first = match self.at(&["subdivisions"]) {
            Some(Value::List(list)) => list.first(),
            _ => None,
        };
        let nested = |path: &[&'static str]| first.and_then(|first| first.text(path));
        let code = nested(&["iso_code"]).or_else(|| self.text(&["region_code"]));
        if let Some(code) = code.and_then(|code| subdivision_code(country, code)) {
            return Some(code);
        }
        let names = [
            nested(&["names", "en"]),
            self.text(&["state1"]),
            self.text(&["region"]),
            self.text(&["region_name"]),
            self.text(&["subdivision"]),
            self.text(&["city"]).filter(|_| self.text(&["state1"]).is_some()),
        ];
        names.into_iter().flatten().find_map(|name| gazetteer::subdivision_named(country, name))
    }

    fn position(&self) -> Option<Position> {
        let number = |paths: &[&[&'static str]]| paths.iter().find_map(|path| self.number(path));
        let both = self.text(&["loc"]).and_then(|loc| loc.split_once(','));
        let of_both = |part: &str| part.trim().parse::<f64>().ok();
        let latitude = number(&[&["location", "latitude"], &["latitude"], &["lat"]])
            .or_else(|| of_both(both?.0))?;
        let longitude = number(&[&["location", "longitude"], &["longitude"], &["lng"], &["lon"]])
            .or_else(|| of_both(both?.1))?;
        // Databases write 0, 0 for "not known"; nobody lives there.
        let somewhere = latitude != 0.0 || longitude != 0.0;
        (somewhere && latitude.abs() <= 90.0 && longitude.abs() <= 180.0)
            .then_some(Position { latitude: latitude as f32, longitude: longitude as f32 })
    }

    fn asn(&self) -> Option<u32> {
        let paths: [&[&'static str]; 4] = [
            &["autonomous_system_number"],
            &["traits", "autonomous_system_number"],
            &["asn"],
            &["as_number"],
        ];
        let number = paths.iter().find_map(|path| match self.at(path)? {
            Value::Text(text) => {
                text.strip_prefix("AS").unwrap_or(text).parse::<u32>().ok().map(f64::from)
            }
            other => other.as_number(),
        })?;
        (number >= 1.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
    }

    fn text(&self, path: &[&'static str]) -> Option<&str> {
        match self.at(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, path: &[&'static str]) -> Option<f64> {
        self.at(path)?.as_number()
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn at(&self, path: &[&'static str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| match value {
            Value::Map(map) => map.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        })
    }
}

/// A code as a record writes it, `CA` or `US-CA`, into the present one. A code that no list has is
/// kept as it is: it may be newer than the list.
fn subdivision_code(country: [u8; 2], text: &str) -> Option<[u8; 3]> {
    let own = text.strip_prefix(std::str::from_utf8(&country).ok()?);
    let code = own.and_then(|code| code.strip_prefix('-')).unwrap_or(text);
    let code = gazetteer::padded(&code.to_ascii_uppercase()).filter(|code| *code != WHOLE)?;
    Some(gazetteer::present_code(country, code).unwrap_or(code))
}

/// Every key that [`Value::place`] asks for.
const KEYS: [&str; 26] = [
    "as_number",
    "asn",
    "autonomous_system_number",
    "city",
    "code",
    "continent",
    "continent_code",
    "country",
    "country_code",
    "en",
    "iso_code",
    "lat",
    "latitude",
    "lng",
    "loc",
    "location",
    "lon",
    "longitude",
    "names",
    "region",
    "region_code",
    "region_name",
    "state1",
    "subdivision",
    "subdivisions",
    "traits",
];

/// Subdivisions nest two deep where they do at all.
const LIST_COUNT_MAX: usize = 8;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_string()))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < LIST_COUNT_MAX {
            match seq.next_element()? {
                Some(value) => list.push(value),
                None => return Ok(Value::List(list)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            match key {
                Some(key) => kept.push((key, map.next_value()?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Map(kept))
    }
}

/// A key that somebody asks for, or none.
struct Key(Option<&'static str>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        struct KeyReader;
        impl Visitor<'_> for KeyReader {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(KEYS.iter().find(|key| **key == text).copied()))
            }
        }
        deserializer.deserialize_str(KeyReader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(json: &str) -> Place {
        serde_json::from_str::<Value>(json).unwrap().place()
    }

    fn expect(json: &str, country: &[u8; 2], subdivision: &str, at: Option<(f32, f32)>, asn: u32) {
        let subdivision = Some(gazetteer::padded(subdivision).unwrap()).filter(|it| *it != WHOLE);
        let position = at.map(|(latitude, longitude)| Position { latitude, longitude });
        let expected = Place {
            continent: gazetteer::entry(*country, WHOLE).map(|entry| entry.continent),
            country: Some(*country),
            subdivision,
            position: position.or_else(|| gazetteer::place_centroid(*country, subdivision)),
            asn: Some(asn).filter(|asn| *asn != 0),
            region: None,
        };
        assert_eq!(place(json), expected, "{json}");
    }

    /// Shapes as <https://dev.maxmind.com/geoip/docs/databases> shows them.
    #[test]
    fn records_of_maxmind_are_read() {
        let country = r#"{"continent": {"code": "EU", "geoname_id": 6255148, "names": {"en": "Europe"}},
            "country": {"geoname_id": 2635167, "iso_code": "GB", "names": {"en": "United Kingdom"}},
            "registered_country": {"iso_code": "US"}, "traits": {"is_anonymous_proxy": false}}"#;
        expect(country, b"GB", "", None, 0);
        let city = r#"{"city": {"geoname_id": 2655045, "names": {"en": "Boxford"}},
            "continent": {"code": "EU"}, "country": {"iso_code": "GB"},
            "location": {"accuracy_radius": 10, "latitude": 51.75, "longitude": -1.25},
            "subdivisions": [{"geoname_id": 6269131, "iso_code": "ENG", "names": {"en": "England"}},
                {"iso_code": "WBK", "names": {"en": "West Berkshire"}}]}"#;
        expect(city, b"GB", "ENG", Some((51.75, -1.25)), 0);
        let enterprise = r#"{"country": {"confidence": 99, "iso_code": "US"},
            "location": {"latitude": 42.5, "longitude": -73.25},
            "subdivisions": [{"confidence": 93, "iso_code": "NY"}],
            "traits": {"autonomous_system_number": 14671, "isp": "FairPoint Communications"}}"#;
        expect(enterprise, b"US", "NY", Some((42.5, -73.25)), 14671);
        let system = r#"{"autonomous_system_number": 1221,
            "autonomous_system_organization": "Telstra Pty Ltd"}"#;
        assert_eq!(place(system), Place { asn: Some(1221), ..Place::default() });
        // An edition of before 2018 tells the codes of then.
        let older = r#"{"country": {"iso_code": "FR"}, "subdivisions": [{"iso_code": "J"}]}"#;
        expect(older, b"FR", "IDF", None, 0);
    }

    /// Shapes as <https://db-ip.com/db/format/ip-to-location/mmdb.html> and its neighbours show
    /// them; the Lite editions have names and no codes.
    #[test]
    fn records_of_db_ip_are_read() {
        let lite = r#"{"city": {"names": {"en": "Mountain View"}},
            "continent": {"code": "NA", "geoname_id": 6255149, "names": {"en": "North America"}},
            "country": {"geoname_id": 6252001, "is_in_european_union": false, "iso_code": "US"},
            "location": {"latitude": 37.375, "longitude": -122.125},
            "subdivisions": [{"names": {"en": "California"}}]}"#;
        expect(lite, b"US", "CA", Some((37.375, -122.125)), 0);
        let full = r#"{"country": {"iso_code": "US"},
            "location": {"latitude": 37.375, "longitude": -122.125, "time_zone": "America/Los_Angeles"},
            "subdivisions": [{"geoname_id": 5332921, "iso_code": "CA", "names": {"en": "California"}},
                {"geoname_id": 5393021, "names": {"en": "Santa Clara"}}],
            "traits": {"autonomous_system_number": 15169, "isp": "Google LLC"}}"#;
        expect(full, b"US", "CA", Some((37.375, -122.125)), 15169);
    }

    /// IP2Location's mmdb editions follow GeoIP2's shape; subdivisions have names alone.
    #[test]
    fn records_of_ip2location_are_read() {
        let nested = r#"{"city": {"names": {"en": "Amsterdam"}},
            "country": {"iso_code": "NL", "names": {"en": "Netherlands"}},
            "location": {"latitude": 52.375, "longitude": 4.875, "time_zone": "+02:00"},
            "postal": {"code": "1012"}, "subdivisions": [{"names": {"en": "Noord-Holland"}}]}"#;
        expect(nested, b"NL", "NH", Some((52.375, 4.875)), 0);
        let flat = r#"{"country_code": "NL", "country_name": "Netherlands",
            "region_name": "Noord-Holland", "city_name": "Amsterdam", "latitude": "52.375",
            "longitude": "4.875"}"#;
        expect(flat, b"NL", "NH", Some((52.375, 4.875)), 0);
    }

    /// Shapes as <https://ipinfo.io/developers/database-types> and its neighbours show them.
    #[test]
    fn records_of_ipinfo_are_read() {
        let lite = r#"{"as_domain": "cogentco.com", "as_name": "Cogent Communications",
            "asn": "AS174", "continent": "North America", "continent_code": "NA",
            "country": "Canada", "country_code": "CA"}"#;
        expect(lite, b"CA", "", None, 174);
        let country_asn = r#"{"as_name": "ARTERIA Networks Corporation", "asn": "AS2519",
            "continent": "AS", "continent_name": "Asia", "country": "JP", "country_name": "Japan"}"#;
        expect(country_asn, b"JP", "", None, 2519);
        let location = r#"{"city": "Mountain View", "country": "US", "geoname_id": "5375480",
            "lat": "37.375", "lng": "-122.125", "postal_code": "94043", "region": "California",
            "timezone": "America/Los_Angeles"}"#;
        expect(location, b"US", "CA", Some((37.375, -122.125)), 0);
        let core = r#"{"city": "Paris", "region": "Île-de-France", "region_code": "IDF",
            "country": "France", "country_code": "FR", "continent": "Europe", "latitude": 48.875,
            "longitude": 2.375, "asn": "AS64500"}"#;
        expect(core, b"FR", "IDF", Some((48.875, 2.375)), 64500);
        let joined = r#"{"country": "DE", "region": "State of Berlin", "loc": "52.5,13.375"}"#;
        expect(joined, b"DE", "BE", Some((52.5, 13.375)), 0);
    }

    /// Shapes of the packages of ip-location-db.
    #[test]
    fn records_of_ip_location_db_are_read() {
        expect(r#"{"country_code": "DE"}"#, b"DE", "", None, 0);
        let city = r#"{"city": "Amsterdam", "country_code": "NL", "latitude": 52.375,
            "longitude": 4.875, "postcode": "", "state1": "North Holland", "state2": "",
            "timezone": ""}"#;
        expect(city, b"NL", "NH", Some((52.375, 4.875)), 0);
        // There is no subdivision "Taiwan" in ISO 3166-2: the city tells which one it is.
        let city = r#"{"city": "Taipei", "country_code": "TW", "state1": "Taiwan"}"#;
        expect(city, b"TW", "TPE", None, 0);
        let system =
            r#"{"autonomous_system_number": 64500, "autonomous_system_organization": "x"}"#;
        assert_eq!(place(system).asn, Some(64500));
    }

    #[test]
    fn what_a_database_does_not_say_stays_unknown_or_stands_at_the_centre() {
        assert_eq!(place("{}"), Place::default());
        assert_eq!(place(r#""text""#), Place::default());
        assert_eq!(place(r#"{"country_code": "ZZ"}"#), Place::default());
        assert_eq!(place(r#"{"country_code": "EU"}"#).continent, Some(*b"EU"));
        assert_eq!(place(r#"{"country": "de"}"#).position, gazetteer::place_centroid(*b"DE", None));
        for (country, continent) in [("AS", b"OC"), ("AF", b"AS"), ("NA", b"AF"), ("SA", b"AS")] {
            let known = place(&format!("{{\"country_code\": \"{country}\"}}"));
            assert_eq!(known.continent, Some(*continent), "{country} is a country first");
        }
        let nowhere = place(r#"{"country": "CH", "lat": 0, "lng": 0}"#);
        assert_eq!(nowhere.position, gazetteer::place_centroid(*b"CH", None));
        assert_eq!(place(r#"{"lat": 95.0, "lng": 10.0}"#), Place::default());
    }

    #[test]
    fn a_subdivision_is_known_by_its_code_before_its_name() {
        for (subdivision, expected) in [
            (r#"{"iso_code": "CA", "names": {"en": "Texas"}}"#, "CA"),
            (r#"{"iso_code": "US-CA"}"#, "CA"),
            (r#"{"iso_code": "ca"}"#, "CA"),
            (r#"{"iso_code": "", "names": {"en": "California"}}"#, "CA"),
            (r#"{"iso_code": "toolong", "names": {"en": "California"}}"#, "CA"),
            // Newer than our list: kept, though no rule can name it.
            (r#"{"iso_code": "ZZ9"}"#, "ZZ9"),
            (r#"{"names": {"en": "Atlantis"}}"#, ""),
            (r#"{"names": "California"}"#, ""),
        ] {
            let json =
                format!(r#"{{"country": {{"iso_code": "US"}}, "subdivisions": [{subdivision}]}}"#);
            expect(&json, b"US", expected, None, 0);
        }
        assert_eq!(place(r#"{"country": "US", "subdivisions": []}"#).subdivision, None);
    }

    #[test]
    fn autonomous_systems_are_numbers_or_text() {
        for json in [
            r#"{"autonomous_system_number": 64500}"#,
            r#"{"traits": {"autonomous_system_number": 64500}}"#,
            r#"{"asn": "AS64500"}"#,
            r#"{"asn": "64500"}"#,
        ] {
            assert_eq!(place(json).asn, Some(64500), "{json}");
        }
    }
}
