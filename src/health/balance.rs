//! Balance: which border moves next, and how far, given how busy the regions are. Pure arithmetic, the same at every site.
//!
//! A *border* is what lies between two regions: the clients of the first whose next region is the second, those nearest to
//! the second foremost. Of each border a share is shed to the second. A region over its high mark sends guests home first,
//! then sheds to the least busy neighbour with room up to midway between that one's marks; where nobody has room, all share
//! alike; below its low mark a region takes back what it shed. Between the marks nothing moves, which is why nothing swings.

use std::collections::BTreeMap;

use super::event::Capacity;

/// The whole of a border, in its steps.
pub(super) const BORDER_ALL: u16 = 256;

/// The share of its load that one change may move from a region: an eighth. A guess: eight changes move all of it.
const CHANGE_MAX: f64 = 0.125;

/// Regions that are nearer than this in use count as alike where all are full: what vantages tell is off by as much.
const UNEVEN_MIN: f64 = 0.1;

/// A border that holds less of a region's clients than this helps nobody.
const WEIGHT_MIN: f64 = 1.0 / 64.0;

/// How busy a region is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    /// Its load, smoothed.
    pub load: f64,
    /// What it can take, and its marks.
    pub capacity: Capacity,
    /// Whether it may give or take now: its load is known, and it does not rest.
    pub free: bool,
}

/// One border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Border<'s> {
    /// The region whose clients these are.
    pub from: &'s str,
    /// Their next one.
    pub to: &'s str,
    /// The share of the first's clients that it holds, 0 to 1.
    pub weight: f64,
    /// How much of it is shed, in 256ths.
    pub share: u16,
}

/// A border's new share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move<'s> {
    pub from: &'s str,
    pub to: &'s str,
    pub share: u16,
}

/// The regions with a capacity, by name, and the borders between them.
pub(super) struct Scales<'s> {
    pub regions: BTreeMap<&'s str, Busy>,
    pub borders: Vec<Border<'s>>,
}

impl Busy {
    /// Its load as a share of its capacity; a region that can take nothing is as busy as can be.
    pub fn use_ratio(&self) -> f64 {
        if self.capacity.load > 0.0 { self.load / self.capacity.load } else { f64::MAX }
    }

    fn middle(&self) -> f64 {
        (self.capacity.high + self.capacity.low) / 2.0 * self.capacity.load
    }

    /// How much more it may take.
    fn room(&self) -> f64 {
        self.middle() - self.load
    }
}

impl<'s> Scales<'s> {
    /// What to move now, the busiest region's first; none where all is well, or nobody can help.
    pub fn next(&self) -> Option<Move<'s>> {
        let mut order: Vec<(&'s str, Busy)> =
            self.regions.iter().filter(|(_, busy)| busy.free).map(|(n, b)| (*n, *b)).collect();
        // Ties go by name: a sort that is stable over an ordered map.
        order.sort_by(|(_, a), (_, b)| b.use_ratio().total_cmp(&a.use_ratio()));
        let over = order.iter().filter(|(_, busy)| busy.use_ratio() > busy.capacity.high);
        let under = order.iter().rev().filter(|(_, busy)| busy.use_ratio() < busy.capacity.low);
        let relief = over.copied().find_map(|(name, busy)| self.relieve(name, busy));
        relief.or_else(|| under.copied().find_map(|(name, busy)| self.take_back(name, busy)))
    }

    /// Whether `name` is over its high mark and no neighbour has room, rest or not.
    pub fn is_beyond_help(&self, name: &str) -> bool {
        let Some(busy) = self.regions.get(name) else { return false };
        let has_room = |other: &str| self.regions.get(other).is_some_and(|b| b.room() > 0.0);
        let home = self.borders.iter().any(|b| b.to == name && b.share > 0 && has_room(b.from));
        let away = self.borders.iter().any(|b| {
            b.from == name && b.share < BORDER_ALL && b.weight >= WEIGHT_MIN && has_room(b.to)
        });
        busy.use_ratio() > busy.capacity.high && !home && !away
    }

    fn free(&self, name: &str) -> Option<Busy> {
        self.regions.get(name).copied().filter(|busy| busy.free)
    }

    fn relieve(&self, name: &str, busy: Busy) -> Option<Move<'s>> {
        let wanted = (busy.load - busy.middle()).min(busy.load * CHANGE_MAX);
        let guests = self.borders.iter().filter(|b| b.to == name && b.share > 0);
        let ways = self.borders.iter().filter(|b| b.from == name && b.share < BORDER_ALL);
        let ways = ways.filter(|b| b.weight >= WEIGHT_MIN);
        let home = guests.clone().filter_map(|b| Some((b, self.free(b.from)?)));
        let roomy = |(_, other): &(&Border<'s>, Busy)| other.room() > 0.0;
        if let Some((border, other)) = least_busy(home.clone().filter(roomy)) {
            return Some(self.moved(border, -1, wanted.min(other.room())));
        }
        let away = ways.filter_map(|b| Some((b, self.free(b.to)?)));
        if let Some((border, other)) = least_busy(away.clone().filter(roomy)) {
            return Some(self.moved(border, 1, wanted.min(other.room())));
        }
        // All are full: half of what is uneven, so that an error of the estimate does not swing.
        let (border, other) = least_busy(home.chain(away))?;
        if other.use_ratio() + UNEVEN_MIN >= busy.use_ratio() {
            return None;
        }
        let (ours, theirs) = (busy.capacity.load, other.capacity.load);
        let uneven = (busy.load * theirs - other.load * ours) / (ours + theirs);
        let direction = if border.to == name { -1 } else { 1 };
        Some(self.moved(border, direction, (uneven / 2.0).min(busy.load * CHANGE_MAX)))
    }

    fn take_back(&self, name: &str, busy: Busy) -> Option<Move<'s>> {
        let shed = self.borders.iter().filter(|b| b.from == name && b.share > 0);
        let hosts = shed.filter_map(|b| Some((b, self.free(b.to)?)));
        let busiest = hosts
            .max_by(|(a, x), (b, y)| x.use_ratio().total_cmp(&y.use_ratio()).then(b.to.cmp(a.to)));
        let (border, _) = busiest?;
        let most = self.own(name).max(busy.load) * CHANGE_MAX;
        Some(self.moved(border, -1, busy.room().min(most)))
    }

    /// The border with its share moved by what makes up `amount` of load: one step at the least.
    fn moved(&self, border: &Border<'s>, direction: i32, amount: f64) -> Move<'s> {
        let whole = f64::from(BORDER_ALL);
        let each = self.own(border.from) * border.weight / whole;
        let steps = if each > 0.0 { (amount / each).floor() } else { whole * CHANGE_MAX };
        let steps = steps.clamp(1.0, whole) as i32;
        let share = (i32::from(border.share) + direction * steps).clamp(0, BORDER_ALL.into());
        Move { from: border.from, to: border.to, share: share as u16 }
    }

    /// The load that the clients of a region would be if none were shed and it had no guests: an estimate, for it takes
    /// clients of one border to be as busy as the others.
    fn own(&self, name: &str) -> f64 {
        let guests: f64 = self
            .borders
            .iter()
            .filter(|b| b.to == name)
            .map(|b| part(b) * self.load(b.from) / self.kept(b.from))
            .sum();
        (self.load(name) - guests).max(0.0) / self.kept(name)
    }

    fn load(&self, name: &str) -> f64 {
        self.regions.get(name).map_or(0.0, |busy| busy.load)
    }

    /// The share of its clients that a region keeps, over all its borders.
    fn kept(&self, name: &str) -> f64 {
        let shed: f64 = self.borders.iter().filter(|b| b.from == name).map(part).sum();
        (1.0 - shed).max(0.05)
    }
}

/// The share of the first's clients that a border sheds.
fn part(border: &Border<'_>) -> f64 {
    border.weight * f64::from(border.share) / f64::from(BORDER_ALL)
}

/// Ties go to the border that is listed first.
fn least_busy<'b, 's: 'b>(
    sides: impl Iterator<Item = (&'b Border<'s>, Busy)>,
) -> Option<(&'b Border<'s>, Busy)> {
    sides.min_by(|(_, a), (_, b)| a.use_ratio().total_cmp(&b.use_ratio()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: Capacity = Capacity { load: 1000.0, high: 0.8, low: 0.6 };

    fn scales<'s>(loads: &[(&'s str, f64)], borders: &[(&'s str, &'s str, u16)]) -> Scales<'s> {
        let busy =
            |&(name, load): &(&'s str, f64)| (name, Busy { load, capacity: CAPACITY, free: true });
        let border =
            |&(from, to, share): &(&'s str, &'s str, u16)| Border { from, to, weight: 0.5, share };
        Scales {
            regions: loads.iter().map(busy).collect(),
            borders: borders.iter().map(border).collect(),
        }
    }

    fn next<'s>(
        loads: &[(&'s str, f64)],
        borders: &[(&'s str, &'s str, u16)],
    ) -> Option<(&'s str, &'s str, u16)> {
        scales(loads, borders).next().map(|m| (m.from, m.to, m.share))
    }

    #[test]
    fn a_region_over_its_mark_sheds_to_the_least_busy_with_room() {
        let borders = [("fra", "ams", 0), ("fra", "iad", 0)];
        assert_eq!(next(&[("fra", 800.0), ("ams", 0.0), ("iad", 0.0)], &borders), None);
        // 950 is 250 above the middle; an eighth of it is 118; a 256th of a border is 950 / 512.
        let moved = next(&[("fra", 950.0), ("ams", 500.0), ("iad", 300.0)], &borders);
        assert_eq!(moved, Some(("fra", "iad", 64)));
        // Ashburn may take ten: five steps.
        let moved = next(&[("fra", 950.0), ("ams", 720.0), ("iad", 690.0)], &borders);
        assert_eq!(moved, Some(("fra", "iad", 5)));
        // Without a border nobody can help.
        assert_eq!(next(&[("fra", 950.0), ("iad", 0.0)], &[]), None);
    }

    #[test]
    fn guests_go_home_first() {
        let borders = [("fra", "iad", 0), ("iad", "fra", 100)];
        let moved = next(&[("fra", 900.0), ("iad", 500.0)], &borders);
        assert!(matches!(moved, Some(("iad", "fra", share)) if share < 100), "{moved:?}");
        // But not to where there is no room: all share alike, and these are.
        assert_eq!(next(&[("fra", 900.0), ("iad", 880.0)], &borders), None);
    }

    #[test]
    fn where_all_are_full_they_share_alike() {
        let borders = [("fra", "iad", 0), ("iad", "fra", 0)];
        // Half of 150, at 1,200 / 512 a step.
        let moved = next(&[("fra", 1200.0), ("iad", 900.0)], &borders);
        assert_eq!(moved, Some(("fra", "iad", 32)));
        assert_eq!(next(&[("fra", 980.0), ("iad", 900.0)], &borders), None);
        assert!(scales(&[("fra", 930.0), ("iad", 900.0)], &borders).is_beyond_help("fra"));
        assert!(!scales(&[("fra", 930.0), ("iad", 600.0)], &borders).is_beyond_help("fra"));
        assert!(!scales(&[("fra", 700.0), ("iad", 900.0)], &borders).is_beyond_help("fra"));
    }

    #[test]
    fn what_was_shed_is_taken_back_below_the_low_mark() {
        let borders = [("fra", "ams", 30), ("fra", "iad", 30)];
        let moved = next(&[("fra", 500.0), ("ams", 600.0), ("iad", 700.0)], &borders);
        assert_eq!(moved, Some(("fra", "iad", 0)));
        // Between the marks nothing moves.
        assert_eq!(next(&[("fra", 650.0), ("ams", 600.0), ("iad", 700.0)], &borders), None);
        // One that reports no load at all takes back an eighth of a border at a time.
        let moved = next(&[("fra", 0.0), ("iad", 700.0)], &[("fra", "iad", 256)]);
        assert_eq!(moved, Some(("fra", "iad", 224)));
    }

    #[test]
    fn who_rests_neither_gives_nor_takes() {
        let borders = [("fra", "iad", 0)];
        for resting in ["fra", "iad"] {
            let mut scales = scales(&[("fra", 950.0), ("iad", 300.0)], &borders);
            scales.regions.get_mut(resting).unwrap().free = false;
            assert_eq!(scales.next(), None, "{resting}");
        }
    }
}
