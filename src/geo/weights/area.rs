//! An area: a country, or a subdivision of one. The grain in which clients are counted and weighed.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::FixedState;

use crate::number::ClassId;

use super::super::codes::PlaceCode;
use super::super::gazetteer::{self, WHOLE, padded};
use super::super::place::{Place, PlaceId};
use super::super::sweep::LAST_V4;
use super::super::world::World;

/// A country and, where it is known, its subdivision; without a country, all of which it is not known. A country that the
/// gazetteer lacks is not known, so that there are no more areas than codes of ISO 3166.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area {
    /// ISO 3166-1 alpha-2 code.
    pub country: Option<[u8; 2]>,
    /// The part of the ISO 3166-2 code after the hyphen, padded with zero.
    pub subdivision: Option<[u8; 3]>,
}

/// How many IPv4 addresses each area announces: those that the databases list for it.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    by_area: HashMap<Area, f64, FixedState>,
}

impl Area {
    /// The area of these codes.
    pub fn new(country: Option<[u8; 2]>, subdivision: Option<[u8; 3]>) -> Area {
        let country = country.filter(|country| gazetteer::entry(*country, WHOLE).is_some());
        let is_code = |code: &[u8; 3]| {
            let len = code.iter().position(|byte| *byte == 0).unwrap_or(code.len());
            let (text, padding) = code.split_at(len);
            let plain = text.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            len > 0 && plain && padding.iter().all(|byte| *byte == 0)
        };
        let subdivision = subdivision.filter(|code| country.is_some() && is_code(code));
        Area { country, subdivision }
    }

    /// The area that `place` is in.
    pub fn of(place: &Place) -> Area {
        Area::new(place.country, place.subdivision)
    }

    /// Reads what `Display` writes: `DE`, `US-CA`, or `-` where no country is known.
    pub fn parse(text: &str) -> Option<Area> {
        if text == "-" {
            return Some(Area::default());
        }
        let (country, subdivision) = match text.split_once('-') {
            Some((country, subdivision)) => (country, Some(padded(subdivision)?)),
            None => (text, None),
        };
        let area = Area::new(country.as_bytes().try_into().ok(), subdivision);
        let is_whole =
            area.country.is_some() && area.subdivision.is_some() == subdivision.is_some();
        is_whole.then_some(area)
    }

    /// The country as a whole.
    pub fn whole(self) -> Area {
        Area { subdivision: None, ..self }
    }

    /// As files of the operator's name it, with its continent: `EU-DE`, `NA-US-CA`. None where no country is known.
    pub fn code(self) -> Option<PlaceCode> {
        let continent = gazetteer::entry(self.country?, WHOLE)?.continent;
        Some(PlaceCode { continent, country: self.country, subdivision: self.subdivision })
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(country) = self.country else { return f.write_str("-") };
        f.write_str(&String::from_utf8_lossy(&country))?;
        let Some(subdivision) = self.subdivision else { return Ok(()) };
        write!(f, "-{}", String::from_utf8_lossy(&subdivision).trim_end_matches('\0'))
    }
}

impl Announced {
    /// What `world` lists. Addresses of unknown country are announced by nobody.
    pub fn of(world: &World) -> Announced {
        let areas = Areas::of(world);
        let mut sums = vec![0.0; areas.list.len()];
        let one_class = std::iter::once((0, Some(ClassId(0))));
        walk(world.runs_v4(), one_class, LAST_V4, |place, _, count| {
            if let Some(sum) = sums.get_mut(areas.index(place)) {
                *sum += count;
            }
        });
        let known = areas.list.into_iter().zip(sums).filter(|(area, _)| area.country.is_some());
        Announced { by_area: known.filter(|(_, count)| *count > 0.0).collect() }
    }

    /// The areas there are, with their addresses.
    pub(super) fn areas(&self) -> impl Iterator<Item = (Area, f64)> {
        self.by_area.iter().map(|(area, count)| (*area, *count))
    }

    /// How many addresses are announced in all.
    pub(super) fn total(&self) -> f64 {
        self.by_area.values().sum()
    }
}

/// The areas of a world's places.
pub(super) struct Areas {
    /// Each once; the first is the unknown one.
    pub(super) list: Vec<Area>,
    by_place: Vec<u32>,
}

impl Areas {
    pub(super) fn of(world: &World) -> Areas {
        let mut list = vec![Area::default()];
        let mut ids = HashMap::from([(Area::default(), 0)]);
        let ids = world.places().iter().map(|place| {
            let area = Area::of(place);
            *ids.entry(area).or_insert_with(|| {
                list.push(area);
                u32::try_from(list.len() - 1).unwrap_or(0)
            })
        });
        let by_place = ids.collect();
        Areas { list, by_place }
    }

    /// Indexes `list`.
    pub(super) fn index(&self, place: PlaceId) -> usize {
        self.by_place.get(place.0 as usize).map_or(0, |index| *index as usize)
    }
}

/// Walks two divisions of the addresses 0 to `last` side by side: calls `each` with the place, the class, and how many
/// addresses, for every run in which neither changes. Runs without a class are left out.
pub(super) fn walk(
    places: impl Iterator<Item = (u128, PlaceId)>,
    classes: impl Iterator<Item = (u128, Option<ClassId>)>,
    last: u128,
    mut each: impl FnMut(PlaceId, ClassId, f64),
) {
    let (mut places, mut classes) = (places.peekable(), classes.peekable());
    let (mut place, mut class, mut at) = (PlaceId(0), None, 0);
    loop {
        while let Some((_, next)) = places.next_if(|run| run.0 <= at) {
            place = next;
        }
        while let Some((_, next)) = classes.next_if(|run| run.0 <= at) {
            class = next;
        }
        let starts = [places.peek().map(|run| run.0), classes.peek().map(|run| run.0)];
        let next = starts.into_iter().flatten().min().filter(|&next| next <= last);
        let beyond = next.unwrap_or(last);
        if let Some(class) = class {
            let count = (beyond - at) as f64 + if next.is_none() { 1.0 } else { 0.0 };
            each(place, class, count);
        }
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(text: &str) -> Area {
        Area::parse(text).unwrap()
    }

    #[test]
    fn an_area_reads_back_as_it_is_written() {
        for text in ["DE", "US-CA", "GB-ENG", "FR-1", "-"] {
            assert_eq!(area(text).to_string(), text);
        }
        for text in ["", "D", "ZZ", "US-", "US-CALI", "US-ca", "us", "DE-\0A", "AP"] {
            assert_eq!(Area::parse(text), None, "{text}");
        }
        assert_eq!(area("US-CA").code().unwrap().to_string(), "NA-US-CA");
        assert_eq!(area("-").code(), None);
    }

    #[test]
    fn a_country_that_no_list_has_is_not_known() {
        let place = Place { country: Some(*b"AP"), ..Place::default() };
        assert_eq!(Area::of(&place), Area::default());
        let odd = Place { country: Some(*b"DE"), subdivision: Some(*b"b!\0"), ..Place::default() };
        assert_eq!(Area::of(&odd), area("DE"));
    }

    #[test]
    fn every_listed_address_is_announced_once() {
        let place = |country, subdivision| Place { country, subdivision, ..Place::default() };
        let places = vec![
            Place::default(),
            place(Some(*b"US"), Some(*b"CA\0")),
            place(Some(*b"US"), None),
            Place { asn: Some(64500), ..place(Some(*b"US"), Some(*b"CA\0")) },
        ];
        let starts = [(0, 0), (10 << 24, 1), (11 << 24, 2), (12 << 24, 3), (255 << 24, 0)];
        let v4 = starts.map(|(start, place)| (start, PlaceId(place)));
        let world = World::of_runs(v4, [], places);
        let announced = Announced::of(&world);
        let mut areas: Vec<_> = announced.areas().collect();
        areas.sort_by_key(|(area, _)| *area);
        let block = f64::from(1 << 24);
        assert_eq!(areas, [(area("US"), block), (area("US-CA"), 244.0 * block)]);
        assert_eq!(announced.total(), 245.0 * block);
    }
}
