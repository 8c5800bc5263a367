//! Which counters belong to the classes of which range table: a row of slots for each table of a publication.
//!
//! Counters only grow, and cores go over to a new publication one by one. So a table keeps its row for as long as it serves,
//! and a new one has none that the publication before has: nobody counts one table's class in another's slot.

use std::collections::HashMap;
use std::sync::Arc;

use crate::answer::{CLASS_SLOT_COUNT, ClassSlots};
use crate::route::Plan;

/// Slot 0 is for what has no row.
const FIRST: usize = 1;

/// The row of one range table.
#[derive(Clone, Debug)]
pub struct ClassBlock {
    /// Its first slot.
    pub first: usize,
    /// A slot for each class.
    pub len: usize,
    /// A policy that has the table.
    pub plan: Arc<Plan>,
}

/// Gives out rows.
#[derive(Debug)]
pub struct Blocks {
    /// Those of the last publication.
    now: Arc<[ClassBlock]>,
    /// Where the next one is looked for: round and round, so that a slot rests for as long as can be.
    next: usize,
    slot_count: usize,
}

impl Default for Blocks {
    fn default() -> Blocks {
        Blocks { now: Arc::default(), next: FIRST, slot_count: CLASS_SLOT_COUNT }
    }
}

impl ClassBlock {
    fn is_of(&self, plan: &Plan) -> bool {
        let (own, other) = (self.plan.ranges(), plan.ranges());
        own.zip(other).is_some_and(|(own, other)| Arc::ptr_eq(own, other))
    }

    fn end(&self) -> usize {
        self.first + self.len
    }
}

impl Blocks {
    /// The rows of `plans`; and for each policy the slots of its classes. A policy to which the client's address makes no
    /// difference says nothing of places and has no row; nor has a table that finds no room.
    pub fn give(&mut self, plans: &[Arc<Plan>]) -> (Box<[ClassSlots]>, Arc<[ClassBlock]>) {
        let mut rows: Vec<ClassBlock> = Vec::new();
        let mut known = HashMap::new();
        for (plan, len) in tables(plans) {
            let kept = self.now.iter().find(|block| block.is_of(plan) && block.len >= len);
            let row = match kept {
                Some(kept) => Some(ClassBlock { plan: Arc::clone(plan), ..kept.clone() }),
                None => self.room(len, &rows).map(|first| {
                    self.next = first + len;
                    ClassBlock { first, len, plan: Arc::clone(plan) }
                }),
            };
            known.insert(plan.ranges().map(Arc::as_ptr), row.as_ref().map(|row| row.first));
            rows.extend(row);
        }
        let of_policy = plans.iter().map(|plan| {
            let first = known.get(&plan.ranges().map(Arc::as_ptr)).copied().flatten();
            let first = first.and_then(|first| u32::try_from(first).ok());
            first.map(ClassSlots::from).unwrap_or_default()
        });
        let slots = of_policy.collect();
        self.now = rows.into();
        (slots, Arc::clone(&self.now))
    }

    /// Where `len` slots in a row are free of the rows before and of `new` ones.
    fn room(&self, len: usize, new: &[ClassBlock]) -> Option<usize> {
        let taken = || self.now.iter().chain(new);
        let starts = [self.next, FIRST].into_iter().chain(taken().map(ClassBlock::end));
        let is_free = |first: usize| {
            let end = first + len;
            end <= self.slot_count && taken().all(|row| end <= row.first || row.end() <= first)
        };
        // From `next` on, then from the beginning.
        let mut starts: Vec<usize> = starts.filter(|first| is_free(*first)).collect();
        starts.sort_unstable_by_key(|first| (*first < self.next, *first));
        starts.first().copied()
    }
}

/// Each range table once, by a policy that has it, with the count of its classes.
fn tables(plans: &[Arc<Plan>]) -> Vec<(&Arc<Plan>, usize)> {
    let mut tables: Vec<(&Arc<Plan>, usize)> = Vec::new();
    let mut known = HashMap::new();
    for plan in plans {
        let Some(ranges) = plan.ranges() else { continue };
        let at = *known.entry(Arc::as_ptr(ranges)).or_insert(tables.len());
        match tables.get_mut(at) {
            Some((_, len)) => *len = plan.class_count().max(*len),
            None => tables.push((plan, plan.class_count())),
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fileset::{File, FileSet};
    use crate::load::{Builder, Config, Removals, Scan};
    use crate::number::ClassId;

    /// Plans of policies, each with rules of its own: tables of 2 classes and more.
    fn plans(policies: &[(&str, &str)]) -> Vec<Arc<Plan>> {
        let mut steering = "[pools.web]\nfra = ['192.0.2.1']\niad = ['192.0.2.2']\n".to_owned();
        for (name, rule) in policies {
            steering.push_str(&format!(
                "[policies.{name}]\npool = 'web'\nunknown = ['fra']\nrules = [{rule}]\n"
            ));
        }
        let regions = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n";
        let files = [("zones/x.toml", steering.as_str()), ("geo/regions.toml", regions)];
        let files = files.map(|(path, text)| (path.to_owned(), File::new(text.as_bytes())));
        let scan = Scan::from(FileSet { files: files.into() });
        let mut builder = Builder::new(&Config::defaults(Path::new(".")));
        let built = builder.build(&scan, &FileSet::default(), Removals::Wait);
        assert!(built.refused.is_empty(), "{:?}", built.diagnostics);
        built.parts.plans.to_vec()
    }

    const NEAREST: &str = "{ regions = 'nearest' }";

    fn in_places(place: &str) -> String {
        format!("{{ places = ['{place}'], regions = ['iad'] }}, {NEAREST}")
    }

    fn rows(blocks: &[ClassBlock]) -> Vec<(usize, usize)> {
        blocks.iter().map(|block| (block.first, block.end())).collect()
    }

    #[test]
    fn policies_that_share_a_table_share_its_row() {
        let plans = plans(&[("a", NEAREST), ("b", &in_places("EU-CH")), ("c", NEAREST)]);
        let (slots, blocks) = Blocks::default().give(&plans);
        assert_eq!(slots[0], slots[2]);
        assert_ne!(slots[0], slots[1]);
        let rows = rows(&blocks);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].0, FIRST);
        assert!(rows[0].1 <= rows[1].0, "{rows:?}");
        assert_eq!(slots[1].slot(ClassId(1)), rows[1].0 as u32 + 1);
    }

    #[test]
    fn a_table_keeps_its_row_and_a_new_one_takes_none_that_is_in_use() {
        let mut blocks = Blocks { slot_count: 12, ..Blocks::default() };
        let kept = plans(&[("a", NEAREST)]);
        let kept_row = rows(&blocks.give(&kept).1)[0];
        let mut before: Vec<(usize, usize)> = vec![kept_row];
        for (round, place) in ["EU-CH", "EU-DE", "EU-FR", "EU-IT"].into_iter().enumerate() {
            let new = plans(&[("b", &in_places(place))]);
            let all = [kept.clone(), new].concat();
            let (_, now) = blocks.give(&all);
            let now = rows(&now);
            assert_eq!(now.len(), 2, "{round}");
            assert_eq!(now[0], kept_row, "{round}");
            assert!(before.iter().all(|row| now[1].1 <= row.0 || row.1 <= now[1].0), "{round}");
            // Health alone, or an edit of a zone, gives the same plans again.
            assert_eq!(rows(&blocks.give(&all).1), now, "{round}");
            before = now;
        }
    }

    #[test]
    fn what_finds_no_room_counts_together() {
        let mut blocks = Blocks { slot_count: 4, ..Blocks::default() };
        let first = blocks.give(&plans(&[("a", NEAREST), ("b", &in_places("EU-CH"))]));
        assert_eq!((first.1.len(), first.0[1]), (1, ClassSlots::default()));
        assert_eq!(first.0[1].slot(ClassId(7)), 0);
        // The next publication finds the room that is left by the one before it.
        let none = blocks.give(&[]);
        assert_eq!(none.1.len(), 0);
        assert_eq!(blocks.give(&plans(&[("a", NEAREST)])).1.len(), 1);
    }

    #[test]
    fn a_policy_without_places_has_no_row() {
        let plans = plans(&[("a", "{ regions = ['fra', 'iad'] }")]);
        assert!(plans[0].ranges().is_none());
        let (slots, blocks) = Blocks::default().give(&plans);
        assert_eq!((slots[0].slot(ClassId(0)), blocks.len()), (0, 0));
    }
}
