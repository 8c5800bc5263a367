//! Outlines of countries, for maps.

const OUTLINES: &str = include_str!("../../geo/outlines.txt");

/// A ring of points, longitude and latitude in degrees; the last joins the first.
pub type Ring = Vec<(f32, f32)>;

/// Every country that is large enough to be drawn, by code, with its rings: land, and lakes or other countries within it.
pub fn outlines() -> impl Iterator<Item = ([u8; 2], Vec<Ring>)> {
    OUTLINES.lines().filter(|line| !line.starts_with('#')).filter_map(country)
}

fn country(line: &str) -> Option<([u8; 2], Vec<Ring>)> {
    let (code, rings) = line.split_once(' ')?;
    let code = code.as_bytes().try_into().ok()?;
    rings.split(';').map(ring).collect::<Option<Vec<Ring>>>().map(|rings| (code, rings))
}

fn ring(text: &str) -> Option<Ring> {
    let (mut x, mut y) = (0i32, 0i32);
    let point = |step: &str| {
        let (dx, dy) = step.split_once(',')?;
        x += dx.parse::<i32>().ok()?;
        y += dy.parse::<i32>().ok()?;
        Some((x as f32 / 10.0, y as f32 / 10.0))
    };
    text.split(' ').map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::country_name;

    #[test]
    fn every_line_is_a_country_on_earth() {
        let lines = OUTLINES.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(outlines().count(), lines);
        for (code, rings) in outlines() {
            assert!(country_name(code).is_some(), "{}", String::from_utf8_lossy(&code));
            for (longitude, latitude) in rings.into_iter().flatten() {
                assert!(longitude.abs() <= 180.0 && latitude.abs() <= 90.0);
            }
        }
    }
}
