//! Place codes as steering files and overrides write them: `EU`, `EU-DE`, `NA-US-CA`.

use std::fmt;

use super::gazetteer::{self, CONTINENTS, WHOLE};
use super::place::Place;

/// A continent, a country on it, or a subdivision of that, as octoDNS writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceCode {
    /// Two-letter continent code of GeoNames.
    pub continent: [u8; 2],
    /// ISO 3166-1 alpha-2 code.
    pub country: Option<[u8; 2]>,
    /// The part of the ISO 3166-2 code after the hyphen, padded with zero.
    pub subdivision: Option<[u8; 3]>,
}

/// Why a text is no place code. Its `Display` says it to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceCodeError {
    /// Not of the form `EU`, `EU-DE` or `NA-US-CA`.
    Malformed,
    /// No such continent.
    UnknownContinent(String),
    /// No such country.
    UnknownCountry(String),
    /// The country is on another continent; the right code is inside.
    WrongContinent(String),
    /// The country has no such subdivision.
    UnknownSubdivision(String),
}

impl PlaceCode {
    /// Reads a place code, and checks it against the places there are. An older code of a
    /// subdivision stands for its present one. A country without subdivisions in ISO 3166-2 has
    /// those that databases tell.
    ///
    /// # Errors
    /// See [`PlaceCodeError`].
    pub fn parse(text: &str) -> Result<PlaceCode, PlaceCodeError> {
        let mut parts = text.split('-');
        let continent = letters(parts.next().unwrap_or_default())?;
        let country = parts.next().map(letters).transpose()?;
        let mut subdivision = parts.next().map(subdivision_code).transpose()?;
        if parts.next().is_some() {
            return Err(PlaceCodeError::Malformed);
        }
        if !CONTINENTS.iter().any(|(code, _)| **code == continent) {
            return Err(PlaceCodeError::UnknownContinent(ascii(&continent)));
        }
        if let Some(country) = country {
            check_country(text, continent, country)?;
            subdivision = subdivision.map(|code| present_subdivision(country, code)).transpose()?;
        }
        Ok(PlaceCode { continent, country, subdivision })
    }

    /// Whether `place` is in it. The most specific part decides: a country matches whatever
    /// continent a database puts it on.
    pub fn matches(&self, place: &Place) -> bool {
        match self.country {
            None => place.continent == Some(self.continent),
            Some(_) => {
                place.country == self.country
                    && (self.subdivision.is_none() || place.subdivision == self.subdivision)
            }
        }
    }

    /// What is known of an address of which the operator says no more than this.
    pub fn to_place(&self) -> Place {
        Place {
            continent: Some(self.continent),
            country: self.country,
            subdivision: self.subdivision,
            position: self.country.and_then(|c| gazetteer::place_centroid(c, self.subdivision)),
            ..Place::default()
        }
    }
}

impl fmt::Display for PlaceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ascii(&self.continent))?;
        if let Some(country) = &self.country {
            write!(f, "-{}", ascii(country))?;
        }
        if let Some(subdivision) = &self.subdivision {
            write!(f, "-{}", ascii(subdivision))?;
        }
        Ok(())
    }
}

impl fmt::Display for PlaceCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceCodeError::Malformed => {
                f.write_str("a place is written as EU, EU-DE or NA-US-CA, in capitals")
            }
            PlaceCodeError::UnknownContinent(code) => {
                write!(f, "there is no continent {code}; there are")?;
                CONTINENTS.iter().try_for_each(|(code, _)| write!(f, " {}", ascii(&code[..])))
            }
            PlaceCodeError::UnknownCountry(code) => {
                write!(f, "there is no country {code} in ISO 3166-1")
            }
            PlaceCodeError::WrongContinent(right) => {
                write!(f, "the country is on another continent: write {right}")
            }
            PlaceCodeError::UnknownSubdivision(code) => {
                write!(f, "there is no first subdivision {code} in ISO 3166-2")
            }
        }
    }
}

fn check_country(text: &str, continent: [u8; 2], country: [u8; 2]) -> Result<(), PlaceCodeError> {
    let Some(known) = gazetteer::entry(country, WHOLE) else {
        return Err(PlaceCodeError::UnknownCountry(ascii(&country)));
    };
    if known.continent != continent {
        let rest = text.get(2..).unwrap_or_default();
        return Err(PlaceCodeError::WrongContinent(format!("{}{rest}", ascii(&known.continent))));
    }
    Ok(())
}

fn present_subdivision(country: [u8; 2], code: [u8; 3]) -> Result<[u8; 3], PlaceCodeError> {
    gazetteer::present_code(country, code).ok_or_else(|| {
        PlaceCodeError::UnknownSubdivision(format!("{}-{}", ascii(&country), ascii(&code)))
    })
}

fn letters(part: &str) -> Result<[u8; 2], PlaceCodeError> {
    match part.as_bytes() {
        &[a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok([a, b]),
        _ => Err(PlaceCodeError::Malformed),
    }
}

fn subdivision_code(part: &str) -> Result<[u8; 3], PlaceCodeError> {
    let plain = part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    match gazetteer::padded(part) {
        Some(code) if plain && !part.is_empty() => Ok(code),
        _ => Err(PlaceCodeError::Malformed),
    }
}

fn ascii(code: &[u8]) -> String {
    code.iter().filter(|&&b| b != 0).map(|&b| char::from(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_codes_are_checked_against_the_world() {
        for (text, expected) in [
            ("EU", Ok(())),
            ("EU-DE", Ok(())),
            ("NA-US-CA", Ok(())),
            ("EU-GB-ENG", Ok(())),
            ("", Err(PlaceCodeError::Malformed)),
            ("eu", Err(PlaceCodeError::Malformed)),
            ("EU-", Err(PlaceCodeError::Malformed)),
            ("EU-DE-", Err(PlaceCodeError::Malformed)),
            ("EU-DE-BE-X", Err(PlaceCodeError::Malformed)),
            ("XX", Err(PlaceCodeError::UnknownContinent("XX".into()))),
            ("EU-ZZ", Err(PlaceCodeError::UnknownCountry("ZZ".into()))),
            ("EU-US-CA", Err(PlaceCodeError::WrongContinent("NA-US-CA".into()))),
            ("AS-JP-13", Ok(())),
            ("AS-HK-KKT", Ok(())),
            ("NA-US-XX", Err(PlaceCodeError::UnknownSubdivision("US-XX".into()))),
            ("EU-NL-ZZ", Err(PlaceCodeError::UnknownSubdivision("NL-ZZ".into()))),
            // A department, below the region FR-IDF.
            ("EU-FR-75", Err(PlaceCodeError::UnknownSubdivision("FR-75".into()))),
        ] {
            let got = PlaceCode::parse(text);
            if let Ok(code) = got {
                assert_eq!(code.to_string(), text);
            }
            assert_eq!(got.map(drop), expected, "{text}");
        }
    }

    #[test]
    fn the_most_specific_part_decides() {
        let turkey = Place { continent: Some(*b"EU"), country: Some(*b"TR"), ..Place::default() };
        let matches = |code: &str| PlaceCode::parse(code).unwrap().matches(&turkey);
        assert!(matches("AS-TR"));
        assert!(matches("EU"));
        assert!(!matches("AS"));
        assert!(!matches("AS-TR-34"));
        assert!(!matches("EU-DE"));
    }

    #[test]
    fn an_older_code_of_a_subdivision_stands_for_the_present_one() {
        for (older, present) in [("AS-CN-11", "AS-CN-BJ"), ("EU-FR-J", "EU-FR-IDF")] {
            assert_eq!(PlaceCode::parse(older).unwrap().to_string(), present);
        }
    }
}
