//! Plans and verdicts into rows: the decision for each class and bucket.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::bucket::BUCKET_COUNT;
use super::decide::{Cell, Outcome, View, decide};
use super::plan::{ClassOrder, Plan};
use super::region::REGION_COUNT_MAX;
use super::table::{Cells, Decision, Row, Rows};

// For each family there are as many decisions for a region as reasons that one can be chosen for (seven), and a dozen
// without a region: indexes fit 16 bits.
const _: () = assert!((REGION_COUNT_MAX * 7 + 12) * 2 <= u16::MAX as usize);

/// The decisions of `plan` under `view`. Invariant table-covers-plan: a row for each class of the plan, in order; every
/// cell indexes a decision.
pub(super) fn rows(plan: &Plan, view: &View) -> Rows {
    let is_even = view.is_even();
    let (decisions, indexes, known) = (Vec::new(), HashMap::default(), HashMap::default());
    let mut rower = Rower { plan, view, is_even, decisions, indexes, known };
    let by_class = plan.classes.iter().map(|class| rower.row(class)).collect();
    Rows { by_class, decisions: rower.decisions.into() }
}

/// What one family gets, from each bucket on. Classes that agree share their cells.
type Segments = Vec<(u8, Outcome)>;

struct Rower<'p> {
    plan: &'p Plan,
    view: &'p View,
    /// Whether no region keeps or sheds a part of its clients.
    is_even: bool,
    decisions: Vec<Decision>,
    indexes: HashMap<Decision, u16, FixedState>,
    known: HashMap<(u8, Segments), Cells, FixedState>,
}

impl Rower<'_> {
    fn row(&mut self, class: &ClassOrder) -> Row {
        let a = self.cells(class, 0);
        let aaaa = if self.plan.names { a.clone() } else { self.cells(class, 1) };
        [a, aaaa]
    }

    fn cells(&mut self, class: &ClassOrder, side: u8) -> Cells {
        let shares = self.plan.rule_of(class).is_some_and(|rule| rule.shares.is_some());
        if self.is_even && !shares {
            return Cells::One(self.index(side, self.decide(class, side, 0)));
        }
        let segments = self.segments(class, side, shares);
        let key = (side, segments);
        if let Some(cells) = self.known.get(&key) {
            return cells.clone();
        }
        let cells = self.spread(side, &key.1);
        self.known.insert(key, cells.clone());
        cells
    }

    fn decide(&self, class: &ClassOrder, side: u8, bucket: u8) -> Outcome {
        let cell = Cell { class, side: usize::from(side), bucket };
        decide(self.plan, self.view, cell, &mut |_, _| {})
    }

    /// The decision for each bucket, neighbours merged. Without shares it changes only where a
    /// drain or what is shed ends.
    fn segments(&self, class: &ClassOrder, side: u8, shares: bool) -> Segments {
        let mut starts: Vec<u8> = vec![0];
        if shares {
            starts.extend(1..=u8::MAX);
        } else {
            let regions = class.order.iter().filter_map(|&i| self.view.region(i));
            // A region that keeps all keeps 256 buckets, which no bucket begins at.
            starts.extend(regions.filter_map(|region| u8::try_from(region.keep).ok()));
            starts.extend(u8::try_from(self.view.shed_buckets(self.plan, class)).ok());
            starts.sort_unstable();
            starts.dedup();
        }
        let mut segments: Segments = Vec::new();
        for start in starts {
            let outcome = self.decide(class, side, start);
            if segments.last().is_none_or(|&(_, last)| last != outcome) {
                segments.push((start, outcome));
            }
        }
        segments
    }

    fn spread(&mut self, side: u8, segments: &Segments) -> Cells {
        if let [(_, outcome)] = **segments {
            return Cells::One(self.index(side, outcome));
        }
        let mut cells = [0; BUCKET_COUNT];
        let mut segments = segments.iter().peekable();
        let mut index = 0;
        for (bucket, cell) in (0..=u8::MAX).zip(&mut cells) {
            if let Some(&(_, outcome)) = segments.next_if(|&&(start, _)| start == bucket) {
                index = self.index(side, outcome);
            }
            *cell = index;
        }
        Cells::Many(Arc::new(cells))
    }

    fn index(&mut self, side: u8, outcome: Outcome) -> u16 {
        let decision = Decision { side, outcome };
        *self.indexes.entry(decision).or_insert_with(|| {
            self.decisions.push(decision);
            // Above a const assertion holds that this fits.
            (self.decisions.len() - 1) as u16
        })
    }
}
