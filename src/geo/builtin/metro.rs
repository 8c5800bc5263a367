//! Metros: a few hundred cities, near one of which most addresses are. The built-in table tells
//! positions by them.

use super::super::place::Position;

/// The metros of geo/metros.csv, in its order.
pub(super) struct Metros {
    positions: Vec<Position>,
    /// The same as points of the unit sphere: nearness on it is their dot product.
    points: Vec<[f64; 3]>,
}

impl Metros {
    pub(super) fn listed() -> Metros {
        let positions: Vec<Position> = METROS.lines().filter_map(read_line).collect();
        let points = positions.iter().map(|position| point(*position)).collect();
        Metros { positions, points }
    }

    /// The index of the one nearest to `position`; of two at one distance the first.
    pub(super) fn nearest(&self, position: Position) -> Option<usize> {
        let here = point(position);
        let nearness = |there: &[f64; 3]| here.iter().zip(there).map(|(a, b)| a * b).sum::<f64>();
        let all = self.points.iter().map(nearness).enumerate();
        all.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|it| it.0)
    }

    /// Where the metro of that index is.
    pub(super) fn position(&self, index: usize) -> Option<Position> {
        self.positions.get(index).copied()
    }
}

fn point(position: Position) -> [f64; 3] {
    let latitude = f64::from(position.latitude).to_radians();
    let longitude = f64::from(position.longitude).to_radians();
    let (sin, cos) = latitude.sin_cos();
    [cos * longitude.cos(), cos * longitude.sin(), sin]
}

fn read_line(line: &str) -> Option<Position> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split(',').skip(1);
    let latitude = fields.next()?.parse().ok()?;
    let longitude = fields.next()?.parse().ok()?;
    Some(Position { latitude, longitude })
}

const METROS: &str = include_str!("../../../geo/metros.csv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_read() {
        let lines = METROS.lines().filter(|line| !line.starts_with('#')).count();
        let metros = Metros::listed();
        assert_eq!(metros.positions.len(), lines);
        assert!((250..=350).contains(&lines));
    }

    #[test]
    fn the_nearest_metro_is_near_and_may_lie_beyond_the_date_line() {
        let metros = Metros::listed();
        let to_nearest = |latitude, longitude| {
            let here = Position { latitude, longitude };
            let nearest = metros.position(metros.nearest(here).unwrap()).unwrap();
            let nearer = metros.positions.iter().map(|it| it.distance_km(here));
            assert!(nearer.min_by(f32::total_cmp).unwrap() + 0.1 > nearest.distance_km(here));
            nearest.distance_km(here)
        };
        assert!(to_nearest(52.37, 4.9) < 60.0, "Amsterdam");
        assert!(to_nearest(40.71, -74.0) < 60.0, "New York");
        assert!(to_nearest(-13.8, -171.8) > to_nearest(35.7, 139.7), "Samoa, Tokyo");
    }
}
