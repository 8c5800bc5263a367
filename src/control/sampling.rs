//! Counters of classes into a tally of places. No clock, no disk: what the counters hold and what time it is are handed in.
//!
//! Invariant one-reader: every slot's growth is taken once, by the table whose row it is in when it is looked at.

use std::collections::BTreeMap;

use crate::answer::CLASS_SLOT_COUNT;
use crate::ask::{ClassAreas, Tally};
use crate::number::ClassId;

/// How long a row is looked at when its table is gone: cores that wait go over to the next snapshot within a second.
const LATE_SECS: u64 = 5;

/// One range table whose classes are counted.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The first of its slots.
    pub first: usize,
    /// A slot for each class.
    pub len: usize,
    /// What the classes are made of.
    pub areas: ClassAreas,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// By area, decayed.
    pub tally: Tally,
    /// By country since the process started, not decayed; none where no country is known.
    pub by_country: BTreeMap<Option<[u8; 2]>, f64>,
}

/// Takes what was counted since it looked last.
#[derive(Debug)]
pub struct Sampler {
    /// What each slot held. Zeroed by the system: slots that nobody counts in cost nothing.
    seen: Vec<u64>,
    serving: Vec<Followed>,
    /// Tables that are gone, each looked at until some look after this time.
    gone: Vec<(Followed, u64)>,
    counted: Counted,
}

impl Followed {
    fn overlaps(&self, other: &Followed) -> bool {
        self.first < other.first + other.len && other.first < self.first + self.len
    }
}

impl Sampler {
    /// Goes on with a tally that was kept.
    pub fn new(tally: Tally) -> Sampler {
        let counted = Counted { tally, by_country: BTreeMap::new() };
        let seen = vec![0; CLASS_SLOT_COUNT];
        Sampler { seen, serving: Vec::new(), gone: Vec::new(), counted }
    }

    /// Looks at all rows: `held` gives what a slot holds, summed over all cores; it never falls.
    pub fn sample(&mut self, held: impl Fn(usize) -> u64, now_secs: u64) {
        self.counted.tally.decay(now_secs);
        let gone = self.gone.iter_mut().map(|(followed, _)| followed);
        for followed in self.serving.iter_mut().chain(gone) {
            take(followed, &mut self.seen, &mut self.counted, &held);
        }
        self.gone.retain(|(_, until)| now_secs < *until);
    }

    /// From now on `tables` serve. What was counted before is taken first.
    pub fn follow(&mut self, tables: Vec<Followed>, held: impl Fn(usize) -> u64, now_secs: u64) {
        self.sample(held, now_secs);
        let before = std::mem::take(&mut self.serving);
        let (mut kept, gone): (Vec<_>, Vec<_>) = before.into_iter().partition(|old| {
            tables.iter().any(|new| new.first == old.first && new.areas.is_same(&old.areas))
        });
        self.gone.extend(gone.into_iter().map(|followed| (followed, now_secs + LATE_SECS)));
        // A row that was given out again is the new table's; so it is where only the places have changed.
        self.gone.retain(|(gone, _)| !tables.iter().any(|new| new.overlaps(gone)));
        let known = tables.into_iter().map(|new| {
            // What its classes are made of may be known already.
            match kept.iter().position(|old| old.first == new.first) {
                Some(at) => kept.swap_remove(at),
                None => new,
            }
        });
        self.serving = known.collect();
    }

    /// What was counted up to the last look.
    pub fn counted(&self) -> &Counted {
        &self.counted
    }
}

fn take(
    followed: &mut Followed,
    seen: &mut [u64],
    counted: &mut Counted,
    held: &impl Fn(usize) -> u64,
) {
    let slots = followed.first..followed.first + followed.len;
    let Some(seen) = seen.get_mut(slots.clone()) else { return };
    for ((slot, seen), class) in slots.zip(seen).zip(0u16..) {
        let now = held(slot);
        let grown = now.wrapping_sub(*seen);
        if grown == 0 {
            continue;
        }
        *seen = now;
        let shares: Vec<_> = followed.areas.shares(ClassId(class)).collect();
        for (area, share) in &shares {
            *counted.by_country.entry(area.country).or_default() += grown as f64 * share;
        }
        counted.tally.add(shares.into_iter(), grown as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::control::blocks::Blocks;
    use crate::fileset::{File, FileSet};
    use crate::load::{Builder, Config, Parts, Removals, Scan};

    /// Policies and overrides as files have them, and the rows of their tables.
    fn parts(builder: &mut Builder, places: &str, overrides: &str) -> Parts {
        let steering = format!(
            "[pools.web]\nfra = ['192.0.2.1']\niad = ['192.0.2.2']\n[policies.web]\npool = 'web'\n\
             unknown = ['fra']\nrules = [{{ places = [{places}], regions = ['iad'] }}, \
             {{ regions = ['fra'] }}]\n"
        );
        let regions = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n";
        let files = [
            ("zones/x.toml", steering.as_str()),
            ("geo/regions.toml", regions),
            ("geo/overrides.csv", overrides),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), File::new(text.as_bytes())));
        let scan = Scan::from(FileSet { files: files.into() });
        let built = builder.build(&scan, &FileSet::default(), Removals::Wait);
        assert!(built.refused.is_empty(), "{:?}", built.diagnostics);
        built.parts
    }

    fn follow(blocks: &mut Blocks, parts: &Parts) -> Vec<Followed> {
        let (_, rows) = blocks.give(&parts.plans);
        let followed = |row: &crate::control::blocks::ClassBlock| Followed {
            first: row.first,
            len: row.len,
            areas: ClassAreas::new(&parts.world, &row.plan),
        };
        rows.iter().map(followed).collect()
    }

    fn builder() -> Builder {
        Builder::new(&Config::defaults(Path::new(".")))
    }

    /// The slot that a client's class counts in.
    fn slot(parts: &Parts, tables: &[Followed], client: &str) -> usize {
        let ranges = parts.plans[0].ranges().unwrap();
        let class = ranges.lookup(client.parse().unwrap()).0;
        tables[0].first + usize::from(class.0)
    }

    /// Counters as the cores have them.
    struct Cores(Vec<u64>);

    impl Cores {
        fn new() -> Cores {
            Cores(vec![0; CLASS_SLOT_COUNT])
        }

        fn held(&self) -> impl Fn(usize) -> u64 {
            |slot| self.0[slot]
        }
    }

    fn whole(sampler: &Sampler) -> Vec<(String, u64)> {
        let countries = sampler.counted().tally.countries().into_iter();
        let name = |code: Option<[u8; 2]>| match code {
            Some(code) => String::from_utf8(code.to_vec()).unwrap(),
            None => "-".to_owned(),
        };
        countries.map(|(code, count)| (name(code), count.round() as u64)).collect()
    }

    const CH: &str = "5.144.0.1";

    #[test]
    fn what_cores_count_is_what_places_get() {
        let (mut cores, mut sampler) = (Cores::new(), Sampler::new(Tally::default()));
        let parts = parts(&mut builder(), "'EU-CH'", "");
        let tables = follow(&mut Blocks::default(), &parts);
        let (swiss, others) = (slot(&parts, &tables, CH), slot(&parts, &tables, "193.0.0.1"));
        sampler.follow(tables, cores.held(), 100);
        cores.0[swiss] += 700;
        cores.0[others] += 300;
        sampler.sample(cores.held(), 100);
        // A look without news adds nothing.
        sampler.sample(cores.held(), 100);
        let told = whole(&sampler);
        assert_eq!(told[0], ("CH".to_owned(), 700));
        assert!((sampler.counted().tally.queries() - 1000.0).abs() < 1e-9);
        let rest: f64 = sampler.counted().by_country.values().sum();
        assert!((rest - 1000.0).abs() < 1e-9);
        assert!(sampler.counted().by_country.contains_key(&Some(*b"US")));
    }

    #[test]
    fn the_tally_survives_a_change_of_classes() {
        let (mut cores, mut sampler) = (Cores::new(), Sampler::new(Tally::default()));
        let (mut builder, mut blocks) = (builder(), Blocks::default());
        let old = parts(&mut builder, "'EU-CH'", "");
        let old_tables = follow(&mut blocks, &old);
        let old_slot = slot(&old, &old_tables, CH);
        sampler.follow(old_tables, cores.held(), 100);
        cores.0[old_slot] += 10;
        // Other rules, other classes: the row of before is looked at when the new one comes, and for a while after.
        let new = parts(&mut builder, "'EU-CH', 'EU-DE'", "");
        let new_tables = follow(&mut blocks, &new);
        let new_slot = slot(&new, &new_tables, CH);
        assert_ne!(old_slot, new_slot);
        sampler.follow(new_tables, cores.held(), 100);
        assert_eq!(whole(&sampler), [("CH".to_owned(), 10)]);
        // A core that is late.
        cores.0[old_slot] += 5;
        sampler.sample(cores.held(), 100);
        assert_eq!(whole(&sampler), [("CH".to_owned(), 15)]);
        cores.0[new_slot] += 1000;
        sampler.sample(cores.held(), 100 + LATE_SECS);
        let told = whole(&sampler);
        assert_eq!(told.iter().map(|(_, count)| count).sum::<u64>(), 1015, "{told:?}");
        assert_eq!(told[0].0, "DE", "{told:?}");
        assert!(sampler.gone.is_empty());
    }

    #[test]
    fn places_that_change_under_the_same_classes_count_from_then_on() {
        let (mut cores, mut sampler) = (Cores::new(), Sampler::new(Tally::default()));
        let (mut builder, mut blocks) = (builder(), Blocks::default());
        let all_of = "5.144.0.0/19,EU-LI\n";
        for (overrides, expected) in [("", "CH"), (all_of, "CH")] {
            let parts = parts(&mut builder, "'EU-CH'", overrides);
            let tables = follow(&mut blocks, &parts);
            let slot = slot(&parts, &tables, "5.148.160.1");
            sampler.follow(tables, cores.held(), 100);
            cores.0[slot] += 10;
            sampler.sample(cores.held(), 100);
            assert_eq!(whole(&sampler)[0].0, expected);
        }
        assert!((sampler.counted().tally.queries() - 20.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_walked_once_is_not_walked_again() {
        let (cores, mut sampler) = (Cores::new(), Sampler::new(Tally::default()));
        let (mut builder, mut blocks) = (builder(), Blocks::default());
        let parts = parts(&mut builder, "'EU-CH'", "");
        sampler.follow(follow(&mut blocks, &parts), cores.held(), 100);
        sampler.serving[0].areas.shares(ClassId(0)).for_each(drop);
        // An edit of a zone gives the same plans again.
        sampler.follow(follow(&mut blocks, &parts), cores.held(), 100);
        assert!(sampler.serving[0].areas.is_known());
        assert!(sampler.gone.is_empty());
    }
}
