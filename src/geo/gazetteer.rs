//! The gazetteer: countries and their first subdivisions, the continents they are on, where their
//! people live, and what databases call them.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::place::Position;
use super::spelling;

/// One country, or one of its first subdivisions.
pub(super) struct Entry {
    /// The continent's code.
    pub continent: [u8; 2],
    /// The population-weighted centre.
    pub position: Position,
    /// Its name in English.
    pub name: &'static str,
    /// Its other names, and its older codes, each after a `=`.
    others: &'static str,
}

impl Entry {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.others.split(';').filter(|it| !it.starts_with('=')))
    }

    fn older_codes(&self) -> impl Iterator<Item = &'static str> {
        self.others.split(';').filter_map(|it| it.strip_prefix('='))
    }
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

/// Where the people of a country live, or of its subdivision where the table lists it, else of the
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

/// Every country's code, in order.
pub fn country_codes() -> impl Iterator<Item = [u8; 2]> {
    table().keys().filter(|(_, subdivision)| *subdivision == WHOLE).map(|(country, _)| *country)
}

/// What the table holds of a country ([`WHOLE`]) or a subdivision.
pub(super) fn entry(country: [u8; 2], subdivision: [u8; 3]) -> Option<&'static Entry> {
    table().get(&(country, subdivision))
}

/// A subdivision's name in English, where the table lists it.
pub fn subdivision_name(country: [u8; 2], subdivision: [u8; 3]) -> Option<&'static str> {
    entry(country, subdivision).filter(|_| subdivision != WHOLE).map(|entry| entry.name)
}

/// The codes of the subdivisions of `country`, in order. Some countries have none.
pub fn subdivision_codes(country: [u8; 2]) -> impl Iterator<Item = [u8; 3]> {
    let listed = table().range((country, [1, 0, 0])..=(country, [u8::MAX; 3]));
    listed.map(|((_, subdivision), _)| *subdivision)
}

/// The present code of a subdivision for its present or its older one. Codes of a country that has
/// no subdivisions in the table are taken as they are. None for a code that never was.
pub(super) fn present_code(country: [u8; 2], code: [u8; 3]) -> Option<[u8; 3]> {
    if entry(country, code).is_some() {
        return Some(code);
    }
    match older_codes().get(&(country, code)) {
        Some(present) => Some(*present),
        None => subdivision_codes(country).next().is_none().then_some(code),
    }
}

/// The code of a subdivision by one of its names, for databases that hold only names. The whole
/// name decides; else what is left of it without words such as "Province", where that names one.
pub(super) fn subdivision_named(country: [u8; 2], name: &str) -> Option<[u8; 3]> {
    let spelling::Keys { full, brief } = spelling::keys(name);
    let names = names().get(&country)?;
    names.full.get(&full).copied().or_else(|| names.brief.get(&brief).copied().flatten())
}

/// A country and a subdivision, or [`WHOLE`].
type Key = ([u8; 2], [u8; 3]);

fn table() -> &'static BTreeMap<Key, Entry> {
    static TABLE: LazyLock<BTreeMap<Key, Entry>> =
        LazyLock::new(|| PLACES.lines().filter_map(read_line).collect());
    &TABLE
}

fn read_line(line: &'static str) -> Option<(Key, Entry)> {
    let mut fields = line.splitn(6, ',');
    let continent = fields.next()?.as_bytes().try_into().ok()?;
    let country = fields.next()?.as_bytes().try_into().ok()?;
    let subdivision = padded(fields.next()?)?;
    let latitude = fields.next()?.parse().ok()?;
    let longitude = fields.next()?.parse().ok()?;
    let position = Position { latitude, longitude };
    let (name, others) = fields.next().map(|it| it.split_once(';').unwrap_or((it, "")))?;
    Some(((country, subdivision), Entry { continent, position, name, others }))
}

fn older_codes() -> &'static BTreeMap<Key, [u8; 3]> {
    static OLDER: LazyLock<BTreeMap<Key, [u8; 3]>> = LazyLock::new(|| {
        let older = table().iter().flat_map(|((country, present), entry)| {
            let codes = entry.older_codes().filter_map(padded);
            codes.map(|code| ((*country, code), *present))
        });
        older.collect()
    });
    &OLDER
}

/// The subdivisions of a country by their names' keys.
#[derive(Default)]
struct Names {
    full: HashMap<String, [u8; 3]>,
    /// None where a key stands for more than one.
    brief: HashMap<String, Option<[u8; 3]>>,
}

impl Names {
    fn add(&mut self, name: &str, subdivision: [u8; 3]) {
        let spelling::Keys { full, brief } = spelling::keys(name);
        self.full.entry(full).or_insert(subdivision);
        let one = self.brief.entry(brief).or_insert(Some(subdivision));
        *one = one.filter(|known| *known == subdivision);
    }
}

fn names() -> &'static HashMap<[u8; 2], Names> {
    static NAMES: LazyLock<HashMap<[u8; 2], Names>> = LazyLock::new(|| {
        let mut names: HashMap<[u8; 2], Names> = HashMap::new();
        // A name of one's own in English comes before what others are called beside theirs.
        let listed = || table().iter().filter(|((_, subdivision), _)| *subdivision != WHOLE);
        for ((country, subdivision), entry) in listed() {
            names.entry(*country).or_default().add(entry.name, *subdivision);
        }
        for ((country, subdivision), entry) in listed() {
            let of_country = names.entry(*country).or_default();
            entry
                .names()
                .filter(|it| !it.is_empty())
                .for_each(|it| of_country.add(it, *subdivision));
        }
        names
    });
    &NAMES
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
        assert!(place_centroid(*b"DE", padded("BE")).unwrap().latitude > 52.0);
        // A subdivision that the table does not list stands at its country's centre.
        assert_eq!(place_centroid(*b"DE", padded("ZZ")), place_centroid(*b"DE", None));
        assert_eq!(place_centroid(*b"ZZ", None), None);
    }

    #[test]
    fn a_subdivision_goes_by_many_names() {
        for (country, name, expected) in [
            (b"US", "california", "CA"),
            (b"NL", "North Holland", "NH"),
            (b"NL", "Noord-Holland", "NH"),
            (b"NL", "Provincie Noord-Holland", "NH"),
            (b"DE", "Free and Hanseatic City of Hamburg", "HH"),
            (b"DE", "State of Berlin", "BE"),
            (b"JP", "Tokyo", "13"),
            (b"FR", "Ile-de-France", "IDF"),
            (b"FR", "Rhone-Alpes", "ARA"),
            (b"FR", "Fort-de-france", "972"),
            (b"RU", "Moscow", "MOW"),
            (b"RU", "Moscow Oblast", "MOS"),
            (b"AR", "Buenos Aires", "B"),
            (b"AR", "Buenos Aires F.D.", "C"),
            (b"VN", "Ho Chi Minh City (HCMC)", "SG"),
            (b"GB", "England", "ENG"),
            (b"TW", "Neihu District", "TPE"),
        ] {
            assert_eq!(subdivision_named(*country, name), padded(expected), "{name}");
        }
        for (country, nowhere) in [(b"US", "Bavaria"), (b"US", ""), (b"HK", "Kwun Tong")] {
            assert_eq!(subdivision_named(*country, nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn every_subdivision_is_found_by_its_own_name() {
        for (country, subdivision) in table().keys().filter(|key| key.1 != WHOLE) {
            let name = subdivision_name(*country, *subdivision).unwrap();
            assert_eq!(subdivision_named(*country, name), Some(*subdivision), "{name}");
        }
    }

    #[test]
    fn older_codes_stand_for_the_present_ones() {
        let present = |country: &[u8; 2], code| present_code(*country, padded(code).unwrap());
        assert_eq!(present(b"CN", "11"), padded("BJ"));
        assert_eq!(present(b"FR", "J"), padded("IDF"));
        assert_eq!(present(b"FR", "IDF"), padded("IDF"));
        assert_eq!(present(b"US", "XX"), None);
        // Hong Kong has no subdivisions in ISO 3166-2, and yet some databases tell codes.
        assert_eq!(present(b"HK", "KKT"), padded("KKT"));
        for (country, code) in older_codes().keys() {
            assert!(entry(*country, *code).is_none(), "{country:?} {code:?}");
        }
    }
}
