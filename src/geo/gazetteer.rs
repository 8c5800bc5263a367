//! The gazetteer: countries, the continents they are on, and where their people live.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::place::Position;

/// One country, or one subdivision of a large one.
pub(super) struct Entry {
    /// The continent's code.
    pub continent: [u8; 2],
    /// The population-weighted centre.
    pub position: Position,
    /// Its name in English.
    pub name: &'static str,
}

/// The continents by code (GeoNames), with names.
pub(super) const CONTINENTS: [(&[u8; 2], &str); 7] = [
    (b"AF", "Africa"),
    (b"AN", "Antarctica"),
    (b"AS", "Asia"),
    (b"EU", "Europe"),
    (b"NA", "North America"),
    (b"OC", "Oceania"),
    (b"SA", "South America"),
];

/// No subdivision: the whole country.
pub(super) const WHOLE: [u8; 3] = [0; 3];

/// Where the people of a country live, or of its subdivision where the table has it, else of the
/// country. None for a code that is no country.
pub fn place_centroid(country: [u8; 2], subdivision: Option<[u8; 3]>) -> Option<Position> {
    subdivision
        .and_then(|subdivision| entry(country, subdivision))
        .or_else(|| entry(country, WHOLE))
        .map(|entry| entry.position)
}

/// A country's name in English.
pub fn country_name(country: [u8; 2]) -> Option<&'static str> {
    entry(country, WHOLE).map(|entry| entry.name)
}

/// A subdivision's name in English, where the table has it.
pub fn subdivision_name(country: [u8; 2], subdivision: [u8; 3]) -> Option<&'static str> {
    entry(country, subdivision).filter(|_| subdivision != WHOLE).map(|entry| entry.name)
}

/// Every country's code, in order.
pub fn country_codes() -> impl Iterator<Item = [u8; 2]> {
    table().keys().filter(|(_, subdivision)| *subdivision == WHOLE).map(|(country, _)| *country)
}

/// What the table holds of a country ([`WHOLE`]) or a subdivision.
pub(super) fn entry(country: [u8; 2], subdivision: [u8; 3]) -> Option<&'static Entry> {
    table().get(&(country, subdivision))
}

/// Whether the table lists the subdivisions of `country`.
pub(super) fn lists_subdivisions(country: [u8; 2]) -> bool {
    subdivisions(country).next().is_some()
}

/// The code of a subdivision by its English name, for databases that hold only names.
pub(super) fn subdivision_named(country: [u8; 2], name: &str) -> Option<[u8; 3]> {
    subdivisions(country).find(|(_, entry)| entry.name.eq_ignore_ascii_case(name)).map(|it| it.0)
}

fn subdivisions(country: [u8; 2]) -> impl Iterator<Item = ([u8; 3], &'static Entry)> {
    table()
        .range((country, [1, 0, 0])..=(country, [u8::MAX; 3]))
        .map(|((_, subdivision), entry)| (*subdivision, entry))
}

/// A country and a subdivision, or [`WHOLE`].
type Key = ([u8; 2], [u8; 3]);

fn table() -> &'static BTreeMap<Key, Entry> {
    static TABLE: OnceLock<BTreeMap<Key, Entry>> = OnceLock::new();
    TABLE.get_or_init(|| PLACES.lines().filter_map(read_line).collect())
}

fn read_line(line: &'static str) -> Option<(Key, Entry)> {
    let mut fields = line.splitn(6, ',');
    let continent = fields.next()?.as_bytes().try_into().ok()?;
    let country = fields.next()?.as_bytes().try_into().ok()?;
    let subdivision = padded(fields.next()?)?;
    let latitude = fields.next()?.parse().ok()?;
    let longitude = fields.next()?.parse().ok()?;
    let position = Position { latitude, longitude };
    Some(((country, subdivision), Entry { continent, position, name: fields.next()? }))
}

/// A subdivision code of at most three bytes, padded with zero.
pub(super) fn padded(code: &str) -> Option<[u8; 3]> {
    let mut bytes = [0; 3];
    bytes.get_mut(..code.len())?.copy_from_slice(code.as_bytes());
    Some(bytes)
}

const PLACES: &str = include_str!("../../geo/places.csv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = PLACES.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(table().len(), lines);
        assert_eq!(country_codes().count(), 250);
        for entry in table().values() {
            assert!(CONTINENTS.iter().any(|(code, _)| **code == entry.continent));
            assert!(entry.position.latitude.abs() <= 90.0);
            assert!(entry.position.longitude.abs() <= 180.0);
        }
    }

    #[test]
    fn centroids_are_where_people_live() {
        let sydney_side = place_centroid(*b"AU", None).unwrap();
        assert!(sydney_side.latitude < -30.0 && sydney_side.longitude > 140.0);
        assert_eq!(country_name(*b"CH"), Some("Switzerland"));
        assert!(place_centroid(*b"US", padded("CA")).unwrap().longitude < -117.0);
        // A subdivision that the table does not list stands at its country's centre.
        assert_eq!(place_centroid(*b"DE", padded("BE")), place_centroid(*b"DE", None));
        assert_eq!(place_centroid(*b"ZZ", None), None);
        assert_eq!(subdivision_named(*b"US", "california"), padded("CA"));
    }
}
