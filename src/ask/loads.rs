//! Load that would be: what each region reports goes along with the clients that move.
//!
//! A report tells of all policies together. Here each policy, and each family of one, has as many clients as any other, and
//! a client of a region causes as much load as any other of that region. Nothing is shed yet.

use std::collections::BTreeMap;

use crate::api::WhatifLoad;
use crate::health::{LoadView, State};

/// How many of all clients go from where to where; those who stay too.
#[derive(Default)]
pub(super) struct Flows {
    ways: BTreeMap<(String, String), f64>,
}

impl Flows {
    /// Counts a share of the clients of one policy.
    pub(super) fn add(&mut self, from: &str, to: &str, share: f64) {
        if share > 0.0 {
            *self.ways.entry((from.to_owned(), to.to_owned())).or_default() += share;
        }
    }

    /// The regions that have a capacity after, by name.
    pub(super) fn loads(&self, before: &State, after: &State) -> Vec<WhatifLoad> {
        let fresh = before.loads().into_iter().filter(LoadView::is_known);
        let now: BTreeMap<&str, f64> = fresh.filter_map(|of| Some((of.region, of.load?))).collect();
        let told = after.loads().into_iter().map(|of| WhatifLoad {
            region: of.region.to_owned(),
            capacity: of.capacity.load,
            high: of.capacity.high,
            before: now.get(of.region).copied(),
            after: self.carried(of.region, &now),
        });
        told.collect()
    }

    /// What arrives at `region`, and stays; none where some comes from where no load is known.
    fn carried(&self, region: &str, now: &BTreeMap<&str, f64>) -> Option<f64> {
        let leave = |from: &str| -> f64 {
            self.ways.iter().filter(|((of, _), _)| of == from).map(|(_, share)| share).sum()
        };
        if leave(region) <= 0.0 && self.ways.keys().all(|(_, to)| to != region) {
            // What it bears has to do with no policy.
            return now.get(region).copied();
        }
        let mut ways = self.ways.iter().filter(|((_, to), _)| to == region);
        ways.try_fold(0.0, |sum, ((from, _), share)| {
            Some(sum + now.get(&**from)? * share / leave(from))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(ways: &[(&str, &str, f64)]) -> Flows {
        let mut flows = Flows::default();
        ways.iter().for_each(|(from, to, share)| flows.add(from, to, *share));
        flows
    }

    #[test]
    fn load_goes_along_with_clients_and_none_is_lost() {
        // Two policies: of one, a third of fra goes to ams, the rest stays; of the other everybody stays.
        let ways = [
            ("fra", "ams", 0.2),
            ("fra", "fra", 0.4),
            ("ams", "ams", 0.4),
            ("fra", "fra", 0.2),
            ("ams", "ams", 0.8),
        ];
        let now = BTreeMap::from([("fra", 800.0), ("ams", 300.0), ("sin", 7.0)]);
        let carried = |region| flows(&ways).carried(region, &now).unwrap();
        assert!((carried("fra") - 600.0).abs() < 1e-9);
        assert!((carried("ams") - 500.0).abs() < 1e-9);
        assert_eq!(carried("sin"), 7.0, "no policy sends anybody there");
    }

    #[test]
    fn what_comes_from_nowhere_is_not_guessed() {
        let flows = flows(&[("fra", "ams", 0.5), ("unknown", "iad", 0.5), ("ams", "ams", 0.1)]);
        let now = BTreeMap::from([("fra", 10.0)]);
        assert_eq!(flows.carried("fra", &now), Some(0.0), "everybody leaves");
        assert!(flows.carried("fra", &now).is_some_and(f64::is_sign_positive), "not -0");
        assert_eq!(flows.carried("ams", &now), None, "ams reports nothing");
        assert_eq!(flows.carried("iad", &now), None);
        assert_eq!(flows.carried("sin", &now), None);
    }
}
