//! Colours that most eyes tell apart, for as many regions as there are.

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Safe for the colour-blind: of P. Tol, "Colour Schemes" (SRON/EPS/TN/09-002, scheme "muted"), and of M. Okabe and K. Ito,
/// "Color Universal Design" (2008). Those that come first differ most.
const COLOURS: [Rgb; 12] = [
    Rgb(0x33, 0x22, 0x88),
    Rgb(0x44, 0xaa, 0x99),
    Rgb(0xcc, 0x66, 0x77),
    Rgb(0x5a, 0xb4, 0xe5),
    Rgb(0x11, 0x77, 0x33),
    Rgb(0xe6, 0x9f, 0x00),
    Rgb(0xaa, 0x44, 0x99),
    Rgb(0x00, 0x72, 0xb2),
    Rgb(0x99, 0x99, 0x33),
    Rgb(0x88, 0x22, 0x55),
    Rgb(0xd5, 0x5e, 0x00),
    Rgb(0xdd, 0xcc, 0x77),
];
/// What no region answers.
pub const NOBODY: Rgb = Rgb(0x22, 0x22, 0x22);
/// Land of which nothing is known.
pub const LAND: Rgb = Rgb(0xe4, 0xe7, 0xea);

/// The colour of the region at `index`; after twelve, the same ones darker.
pub fn colour(index: usize) -> Rgb {
    let base = COLOURS.get(index % COLOURS.len()).copied().unwrap_or(NOBODY);
    match (index / COLOURS.len()) % 3 {
        0 => base,
        1 => base.mixed(NOBODY, 0.45),
        _ => base.mixed(Rgb(0xff, 0xff, 0xff), 0.45),
    }
}

impl Rgb {
    /// `share` of it replaced by `other`.
    pub fn mixed(self, other: Rgb, share: f64) -> Rgb {
        let mix =
            |a: u8, b: u8| (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8;
        Rgb(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// The same, as land is filled with it: what lies upon it stands out.
    pub fn pale(self) -> Rgb {
        self.mixed(Rgb(0xff, 0xff, 0xff), 0.68)
    }

    /// `#334455`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_regions_have_thirty_colours() {
        let mut colours: Vec<String> = (0..30).map(|index| colour(index).hex()).collect();
        colours.sort();
        colours.dedup();
        assert_eq!(colours.len(), 30);
    }
}
