//! Whose weight counts: which weights there are, in words of the API; and what the classes of a plan are made of.

use std::sync::{Arc, Weak};

use crate::api::{CountryQueries, PlaceQueries, PlacesBody, WeightsBody, timestamp};
use crate::geo::{
    Announced, Area, Basis, Projection, PublishedWeights, Ranges, Tally, Weights, World,
};
use crate::health::LogTime;
use crate::number::ClassId;
use crate::route::Plan;

/// Where a server keeps what it counted, in `state/`: a text that [`Tally::parse`] reads.
pub const WEIGHTS_FILE: &str = "weights.txt";

/// Countries that are named one by one where the rest is counted.
const COUNTRIES_TOLD: usize = 20;

/// The weights that count in `world`: published ones, else a server's own queries if these are enough, else addresses.
pub fn weigh(world: &World, published: Option<&PublishedWeights>, own: Option<&Tally>) -> Weights {
    match published.is_some() || own.is_some_and(Tally::is_enough) {
        true => Weights::choose(&Announced::of(world), published, own),
        false => Weights::default(),
    }
}

/// Which weights count, and what a server's own queries say.
pub fn weights_body(published: Option<&PublishedWeights>, own: &Tally) -> WeightsBody {
    let basis = match (published, own.is_enough()) {
        (Some(_), _) => Basis::Published,
        (None, true) => Basis::Queries,
        (None, false) => Basis::Announced,
    };
    let queries = own.queries();
    let countries = own.countries().into_iter().take(COUNTRIES_TOLD);
    let countries = countries.map(|(country, count)| CountryQueries {
        country: country
            .map(|code| String::from_utf8_lossy(&code).into_owned())
            .unwrap_or_default(),
        share: if queries > 0.0 { rounded(count / queries) } else { 0.0 },
    });
    let since = own.since_secs().map(|secs| timestamp(LogTime(secs.saturating_mul(1000))));
    WeightsBody {
        basis: basis_word(basis).to_owned(),
        published: published.map_or(0, PublishedWeights::len),
        queries: queries.round(),
        queries_min: Tally::QUERIES_MIN,
        half_life_secs: Tally::HALF_LIFE_SECS,
        since: since.unwrap_or_default(),
        countries: countries.collect(),
    }
}

/// A server's own queries place by place, in the places that `world` has now.
pub fn places_body(world: &World, published: Option<&PublishedWeights>, own: &Tally) -> PlacesBody {
    let spread = own.spread(&Announced::of(world));
    let known = spread.areas().filter_map(|(area, queries)| {
        Some(PlaceQueries { place: area.code()?.to_string(), queries })
    });
    let mut places: Vec<PlaceQueries> = known.collect();
    // Stable: equal ones stay in the order of their codes.
    places.sort_by(|a, b| b.queries.total_cmp(&a.queries));
    let unknown = spread.areas().find(|(area, _)| area.country.is_none());
    PlacesBody {
        weights: weights_body(published, own),
        places,
        unknown: unknown.map_or(0.0, |(_, queries)| queries),
    }
}

/// The tally that a server told; places that this binary does not know are left out.
pub fn tally_of(body: &PlacesBody) -> Tally {
    let mut tally = Tally::default();
    for PlaceQueries { place, queries } in &body.places {
        let area = place.split_once('-').and_then(|(_, area)| Area::parse(area));
        if let Some(area) = area.filter(|_| queries.is_finite() && *queries >= 0.0) {
            tally.add(std::iter::once((area, 1.0)), *queries);
        }
    }
    tally
}

/// What weights are made of, as the API says it.
pub(super) const fn basis_word(basis: Basis) -> &'static str {
    match basis {
        Basis::Announced => "announced",
        Basis::Queries => "queries",
        Basis::Published => "published",
    }
}

/// What weights are made of, for people.
pub(super) const fn basis_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Announced => "announced addresses",
        Basis::Queries => "the server's own queries",
        Basis::Published => "geo/weights.csv",
    }
}

/// To a hundredth of a percent of a percent: nobody acts on more.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

/// What the classes of one range table are made of, found out when it is first asked: it walks all addresses there are.
#[derive(Clone, Debug)]
pub struct ClassAreas {
    world: Weak<World>,
    ranges: Weak<Ranges>,
    known: Known,
}

#[derive(Clone, Debug)]
enum Known {
    /// Held until somebody asks.
    Not(Arc<World>, Option<Arc<Ranges>>),
    Yes(Projection),
}

impl ClassAreas {
    /// The classes of `plan` in `world`.
    pub fn new(world: &Arc<World>, plan: &Plan) -> ClassAreas {
        let ranges = plan.ranges();
        ClassAreas {
            world: Arc::downgrade(world),
            ranges: ranges.map(Arc::downgrade).unwrap_or_default(),
            known: Known::Not(Arc::clone(world), ranges.map(Arc::clone)),
        }
    }

    /// Whether both are of one table in one world.
    pub fn is_same(&self, other: &ClassAreas) -> bool {
        self.world.ptr_eq(&other.world) && self.ranges.ptr_eq(&other.ranges)
    }

    /// Whether it was asked before.
    pub fn is_known(&self) -> bool {
        matches!(self.known, Known::Yes(_))
    }

    /// The areas of a class, with shares that sum to 1.
    pub fn shares(&mut self, class: ClassId) -> impl Iterator<Item = (Area, f64)> {
        if let Known::Not(world, ranges) = &self.known {
            let projection = ranges.as_ref().map(|ranges| Projection::of(world, ranges));
            self.known = Known::Yes(projection.unwrap_or_default());
        }
        let projection = match &self.known {
            Known::Yes(projection) => Some(projection),
            Known::Not(..) => None,
        };
        projection.into_iter().flat_map(move |projection| projection.shares(class))
    }
}
