//! How much of the world each area stands for: by announced addresses, by queries, or as the operator publishes it.
//!
//! Never: an input of an answer or of the digest. What a server counted differs by site.

mod area;
mod projection;
mod published;
mod tally;

use std::collections::HashMap;

use foldhash::fast::FixedState;

pub use area::{Announced, Area};
pub use projection::Projection;
pub use published::PublishedWeights;
pub use tally::{Tally, TallyError};

/// What weights are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// Every announced address weighs the same.
    #[default]
    Announced,
    /// The server's own queries.
    Queries,
    /// `geo/weights.csv`.
    Published,
}

/// Weights of addresses, by area. The mean over all announced IPv4 addresses is 1, whatever the weights are made of, so that
/// addresses times factor can stand wherever addresses stand.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    basis: Basis,
    factors: HashMap<Area, f64, FixedState>,
}

impl Weights {
    /// The weights that count: the published ones if there are, else the server's own queries if these are enough, else
    /// announced space.
    pub fn choose(
        announced: &Announced,
        published: Option<&PublishedWeights>,
        own: Option<&Tally>,
    ) -> Weights {
        match (published, own.filter(|own| own.is_enough())) {
            (Some(published), _) => Weights::of_published(published, announced),
            (None, Some(own)) => Weights::of_queries(own, announced),
            (None, None) => Weights::default(),
        }
    }

    /// Weights of queries: each area of `announced` weighs what was asked from it.
    pub fn of_queries(tally: &Tally, announced: &Announced) -> Weights {
        let queries: HashMap<Area, f64, FixedState> = tally.spread(announced).areas().collect();
        let per_address = announced.areas().map(|(area, addresses)| {
            (area, queries.get(&area).map_or(0.0, |queries| queries / addresses))
        });
        Weights::of(Basis::Queries, per_address.collect(), announced)
    }

    /// Weights as published: the weight of a line is shared, by addresses, by all areas that it stands for.
    pub fn of_published(published: &PublishedWeights, announced: &Announced) -> Weights {
        let mut addresses: HashMap<_, f64> = HashMap::new();
        for (area, count) in announced.areas() {
            if let Some((line, _)) = published.line_of(area) {
                *addresses.entry(line).or_default() += count;
            }
        }
        let per_address = announced.areas().map(|(area, _)| {
            let line = published.line_of(area);
            let shared = line.and_then(|(line, weight)| Some(weight / addresses.get(&line)?));
            (area, shared.unwrap_or(0.0))
        });
        Weights::of(Basis::Published, per_address.collect(), announced)
    }

    /// With the mean brought to 1. Where nothing weighs anything, announced space is what is left.
    fn of(
        basis: Basis,
        mut factors: HashMap<Area, f64, FixedState>,
        announced: &Announced,
    ) -> Weights {
        let sum: f64 =
            announced.areas().map(|(area, count)| count * factors.get(&area).unwrap_or(&0.0)).sum();
        if sum <= 0.0 {
            return Weights::default();
        }
        let scale = announced.total() / sum;
        factors.values_mut().for_each(|factor| *factor *= scale);
        Weights { basis, factors }
    }

    /// What they are made of.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// How much an address of an area weighs: of a subdivision, or of what of a country has no known one. Where no country
    /// is known it weighs nothing: nobody announces it.
    pub fn factor(&self, country: Option<[u8; 2]>, subdivision: Option<[u8; 3]>) -> f64 {
        let area = Area::new(country, subdivision);
        match self.basis {
            Basis::Announced => f64::from(u8::from(country.is_some())),
            Basis::Queries | Basis::Published => self.factors.get(&area).copied().unwrap_or(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Place, PlaceId, World};

    /// US: 1 block without subdivision, 3 of CA; FR 2; DE 4; unknown the rest.
    fn announced() -> Announced {
        let place = |country: &[u8; 2], subdivision: Option<[u8; 3]>| Place {
            country: Some(*country),
            subdivision,
            ..Place::default()
        };
        let places = vec![
            Place::default(),
            place(b"US", None),
            place(b"US", Some(*b"CA\0")),
            place(b"FR", None),
            place(b"DE", None),
        ];
        let v4 = [(0, 0), (1, 1), (2, 2), (5, 3), (7, 4), (11, 0)];
        let v4 = v4.map(|(block, place)| (block << 24, PlaceId(place)));
        Announced::of(&World::of_runs(v4, [], places))
    }

    fn tally(counts: &[(&str, f64)]) -> Tally {
        let mut tally = Tally::default();
        for (area, count) in counts {
            tally.add([(Area::parse(area).unwrap(), 1.0)].into_iter(), *count);
        }
        tally
    }

    /// The weight of each area in percent: addresses times factor.
    fn percents(weights: &Weights) -> Vec<String> {
        let announced = announced();
        let mut areas: Vec<_> = announced.areas().collect();
        areas.sort_by_key(|(area, _)| *area);
        let percent = areas.into_iter().map(|(area, count)| {
            let factor = weights.factor(area.country, area.subdivision);
            format!("{area} {}", (100.0 * count * factor / announced.total()).round())
        });
        percent.collect()
    }

    #[test]
    fn announced_space_weighs_every_address_alike() {
        assert_eq!(percents(&Weights::default()), ["DE 40", "FR 20", "US 10", "US-CA 30"]);
        assert_eq!(Weights::default().factor(None, None), 0.0);
    }

    #[test]
    fn queries_weigh_where_they_come_from() {
        let tally =
            tally(&[("DE", 30.0), ("US-CA", 50.0), ("US", 20.0), ("-", 900.0), ("JP", 9.0)]);
        let weights = Weights::of_queries(&tally, &announced());
        // What is counted of the US as a whole is spread over it; nothing came from FR, and JP has no addresses here.
        assert_eq!(percents(&weights), ["DE 30", "FR 0", "US 5", "US-CA 65"]);
        assert_eq!(weights.factor(Some(*b"JP"), None), 0.0);
        assert_eq!(weights.factor(None, None), 0.0);
    }

    #[test]
    fn a_line_is_shared_by_the_addresses_that_it_stands_for() {
        let of = |text: &str| {
            let (published, said) = PublishedWeights::parse("w.csv", text.as_bytes());
            Weights::of_published(&published.unwrap_or_else(|| panic!("{said:?}")), &announced())
        };
        assert_eq!(percents(&of("NA-US,1\nEU,3\n")), ["DE 50", "FR 25", "US 6", "US-CA 19"]);
        assert_eq!(percents(&of("EU-FR,9\n*,1\n")), ["DE 5", "FR 90", "US 1", "US-CA 4"]);
        assert_eq!(percents(&of("EU-FR,9\n")), ["DE 0", "FR 100", "US 0", "US-CA 0"]);
        // All the weight is where nobody is.
        assert_eq!(of("AS-JP,9\n").basis(), Basis::Announced);
    }

    #[test]
    fn published_weights_go_before_queries_and_few_queries_say_nothing() {
        let (published, _) = PublishedWeights::parse("w.csv", b"EU-FR,9\n");
        let (few, many) = (tally(&[("DE", 9_999.0)]), tally(&[("DE", 10_000.0)]));
        for (published, own, basis) in [
            (published.as_ref(), Some(&many), Basis::Published),
            (None, Some(&many), Basis::Queries),
            (None, Some(&few), Basis::Announced),
            (None, None, Basis::Announced),
        ] {
            assert_eq!(Weights::choose(&announced(), published, own).basis(), basis);
        }
    }
}
