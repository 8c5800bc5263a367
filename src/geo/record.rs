//! One record of a database into a place, whatever its schema: fields are probed by key, nested
//! (GeoIP2, DB-IP) or flat (ip-location-db, IPinfo). Numbers may be floats of either width,
//! integers, or text.

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
        CONTINENTS.iter().find(|(known, _)| &known[..] == code.as_bytes()).map(|(known, _)| **known)
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

    fn subdivision(&self, country: [u8; 2]) -> Option<[u8; 3]> {
        if let Some(Value::List(list)) = self.at(&["subdivisions"]) {
            let code = list.first()?.text(&["iso_code"])?;
            return gazetteer::padded(code).filter(|code| *code != WHOLE);
        }
        ["state1", "region", "subdivision"].iter().find_map(|key| {
            let name = self.text(&[key])?;
            gazetteer::subdivision_named(country, name)
        })
    }

    fn position(&self) -> Option<Position> {
        let number = |paths: &[&[&'static str]]| paths.iter().find_map(|path| self.number(path));
        let latitude = number(&[&["location", "latitude"], &["latitude"], &["lat"]])?;
        let longitude = number(&[&["location", "longitude"], &["longitude"], &["lng"], &["lon"]])?;
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

/// Every key that [`Value::place`] asks for.
const KEYS: [&str; 20] = [
    "as_number",
    "asn",
    "autonomous_system_number",
    "code",
    "continent",
    "continent_code",
    "country",
    "country_code",
    "iso_code",
    "lat",
    "latitude",
    "lng",
    "location",
    "lon",
    "longitude",
    "region",
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

    #[test]
    fn every_schema_gives_the_same_place() {
        let berlin = Position { latitude: 52.52, longitude: 13.4 };
        let expected = Place {
            continent: Some(*b"EU"),
            country: Some(*b"DE"),
            position: Some(berlin),
            ..Place::default()
        };
        for json in [
            r#"{"continent": {"code": "EU", "names": {"en": "Europe"}},
                "country": {"iso_code": "DE"},
                "location": {"latitude": 52.52, "longitude": 13.4}}"#,
            r#"{"country_code": "DE", "latitude": "52.52", "longitude": "13.4", "city": "Berlin"}"#,
            r#"{"country": "DE", "continent": "EU", "lat": 52.52, "lng": 13.4, "asn": null}"#,
        ] {
            assert_eq!(place(&json.replace("null", "0")), expected, "{json}");
        }
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
    fn subdivisions_are_codes_or_names() {
        let nested = r#"{"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]}"#;
        let flat = r#"{"country_code": "US", "state1": "California"}"#;
        assert_eq!(place(nested), place(flat));
        assert_eq!(place(nested).subdivision, Some(*b"CA\0"));
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
