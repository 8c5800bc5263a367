//! Where on the paper a point of Earth is: the Natural Earth projection.
//!
//! T. Patterson's projection in the polynomials of B. Šavrič, B. Jenny, T. Patterson, D. Petrovič and L. Hurni, "A
//! polynomial equation for the Natural Earth projection", Cartography and Geographic Information Science 38 (2011), eq. 5.

/// The northernmost and the southernmost latitude that is drawn: beyond live few.
const NORTH: f32 = 84.0;
const SOUTH: f32 = -57.0;

/// A map of a given width, its upper left corner at 0, 0.
#[derive(Clone, Copy, Debug)]
pub struct Projection {
    scale: f64,
    half_width: f64,
    top: f64,
}

impl Projection {
    /// A map `width` wide.
    pub fn new(width: f64) -> Projection {
        let (east, _) = project(180.0, 0.0);
        let scale = width / 2.0 / east;
        let (_, top) = project(0.0, f64::from(NORTH));
        Projection { scale, half_width: width / 2.0, top: top * scale }
    }

    /// How high it is.
    pub fn height(self) -> f64 {
        let (_, bottom) = project(0.0, f64::from(SOUTH));
        self.top - bottom * self.scale
    }

    /// Where the point is: right and down from the upper left corner. Degrees.
    pub fn place(self, longitude: f32, latitude: f32) -> (f64, f64) {
        let latitude = latitude.clamp(SOUTH, NORTH);
        let (x, y) = project(f64::from(longitude), f64::from(latitude));
        (self.half_width + x * self.scale, self.top - y * self.scale)
    }
}

/// On a sphere of radius 1.
fn project(longitude: f64, latitude: f64) -> (f64, f64) {
    let (lambda, phi) = (longitude.to_radians(), latitude.to_radians());
    let p2 = phi * phi;
    let p4 = p2 * p2;
    let (p6, p8, p10, p12) = (p4 * p2, p4 * p4, p4 * p4 * p2, p4 * p4 * p4);
    let x = 0.870_700 - 0.131_979 * p2 - 0.013_791 * p4 + 0.003_971 * p10 - 0.001_529 * p12;
    let y = 1.007_226 + 0.015_085 * p2 - 0.044_475 * p6 + 0.028_874 * p8 - 0.005_916 * p10;
    (lambda * x, phi * y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_in_the_middle_and_the_poles_are_shorter() {
        let map = Projection::new(1000.0);
        assert_eq!(map.place(0.0, 0.0).0, 500.0);
        assert!((map.place(180.0, 0.0).0 - 1000.0).abs() < 1e-9);
        assert!(map.place(180.0, 80.0).0 < 850.0);
        assert!(map.place(0.0, 84.0).1.abs() < 1e-9);
        assert!((map.place(0.0, -90.0).1 - map.height()).abs() < 1e-9);
        // North is up.
        assert!(map.place(10.0, 50.0).1 < map.place(10.0, 40.0).1);
    }
}
