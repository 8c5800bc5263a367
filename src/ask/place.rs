//! Places in words.

use crate::geo::{Place, country_name};

/// A place in words.
pub(super) fn describe(place: &Place) -> String {
    let code = |code: &[u8]| String::from_utf8_lossy(code).trim_end_matches('\0').to_owned();
    let country = place.country.map(|c| match country_name(c) {
        Some(name) => format!("{} ({name})", code(&c)),
        None => code(&c),
    });
    let parts = [
        place.continent.map(|c| code(&c)),
        country,
        place.subdivision.map(|s| code(&s)),
        place.position.map(|p| format!("at {:.2}, {:.2}", p.latitude, p.longitude)),
        place.asn.map(|asn| format!("AS{asn}")),
        place.region.map(|_| "a region of the operator's choice".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "place unknown".to_owned() } else { parts.join(", ") }
}
