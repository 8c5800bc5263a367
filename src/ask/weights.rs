//! How much an address counts: each as much as any other, unless something better is known of where clients are.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::overlap::Country;

/// The part of an ISO 3166-2 code after the hyphen, padded with zero; none where it is unknown.
pub type Subdivision = Option<[u8; 3]>;

/// What the addresses of a country, or of a subdivision of one, count.
#[derive(Clone, Debug)]
pub struct Weights {
    /// What it is that they count in, in words.
    pub words: String,
    factors: HashMap<(Country, Subdivision), f64, FixedState>,
}

impl Weights {
    /// Every announced address counts the same.
    pub fn announced() -> Weights {
        Weights { words: "announced addresses".to_owned(), factors: HashMap::default() }
    }

    /// Addresses count what `factors` says of their country and subdivision, and 1 elsewhere. `words` say what it is that
    /// they count in.
    pub fn new(
        words: impl Into<String>,
        factors: impl IntoIterator<Item = ((Country, Subdivision), f64)>,
    ) -> Weights {
        Weights { words: words.into(), factors: factors.into_iter().collect() }
    }

    /// What an address there counts.
    pub(super) fn factor(&self, country: Country, subdivision: Subdivision) -> f64 {
        self.factors.get(&(country, subdivision)).copied().unwrap_or(1.0)
    }
}
