//! The guard: whether a change takes so many names away that somebody should look first. Pure.
//!
//! A *name* is an owner name below the apex of a zone, as the zone's file has it; one that another zone takes over has
//! not vanished, nor has one that a route answers. What is held goes back to its last good form as a refused file does
//! (see `retreat`), so that no other zone's change waits for it; an operator accepts it as a whole, by the number that
//! it was given (see `control`).

/// Names that a zone must have had for its emptying to be held: a guess, to leave alone zones that were hardly begun.
const EMPTIED_MIN: usize = 3;

/// How much a change of files may take away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// The share of the names of one zone, or of all zones, above which a change is held; 1 holds nothing.
    pub max_removed_share: f64,
    /// Fewer names than this may always go.
    pub min_removed: usize,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard { max_removed_share: 0.5, min_removed: 10 }
    }
}

/// What a change takes away from one zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    /// Names that the zone has as it serves.
    pub(super) names: usize,
    /// How many of them would vanish.
    pub(super) removed: usize,
    /// Whether the zone would stay, with nothing below its apex.
    pub(super) emptied: bool,
}

impl Guard {
    /// Which of the losses are held; `names` are those of all zones as they serve. Where the losses together are too
    /// much and none by itself, all are held: nobody can tell which was meant.
    pub(super) fn held(&self, losses: &[Loss], names: usize) -> Vec<bool> {
        let mut held: Vec<bool> = losses.iter().map(|loss| self.holds(loss)).collect();
        let rest = || losses.iter().zip(&held).filter(|(_, held)| !**held);
        let removed = rest().map(|(loss, _)| loss.removed).sum();
        if self.is_over(removed, names) {
            held = losses.iter().zip(held).map(|(loss, held)| held || loss.removed > 0).collect();
        }
        held
    }

    fn holds(&self, loss: &Loss) -> bool {
        let is_on = self.max_removed_share < 1.0;
        is_on && loss.emptied && loss.names >= EMPTIED_MIN || self.is_over(loss.removed, loss.names)
    }

    fn is_over(&self, removed: usize, names: usize) -> bool {
        removed > 0
            && removed >= self.min_removed
            && removed as f64 > self.max_removed_share * names as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(names: usize, removed: usize) -> Loss {
        Loss { names, removed, emptied: false }
    }

    #[test]
    fn a_large_share_of_a_zone_is_held_and_a_few_names_never_are() {
        let guard = Guard::default();
        for (names, removed, expected) in [
            (3, 1, false),
            (9, 9, false),
            (10, 10, true),
            (20, 10, false),
            (20, 11, true),
            (1_000_000, 500_000, false),
            (1_000_000, 500_001, true),
        ] {
            let all = guard.held(&[loss(names, removed)], 10_000_000);
            assert_eq!(all, [expected], "{removed} of {names}");
        }
    }

    #[test]
    fn small_losses_are_held_together_when_they_are_too_much_of_the_whole() {
        let guard = Guard::default();
        let zones: Vec<Loss> = (0..60).map(|_| loss(5, 5)).chain([loss(5, 0)]).collect();
        assert!(guard.held(&zones, 1000).iter().all(|held| !held));
        let held = guard.held(&zones, 500);
        assert_eq!(held.iter().filter(|held| **held).count(), 60);
        // What is held by itself takes nothing else with it.
        let held = guard.held(&[loss(400, 400), loss(5, 5)], 500);
        assert_eq!(held, [true, false]);
    }

    #[test]
    fn an_emptied_zone_is_held_below_the_floor_too() {
        let emptied = |names| Loss { names, removed: names, emptied: true };
        assert_eq!(Guard::default().held(&[emptied(3), emptied(2)], 1000), [true, false]);
    }

    #[test]
    fn a_share_of_one_holds_nothing() {
        let guard = Guard { max_removed_share: 1.0, min_removed: 0 };
        let emptied = Loss { names: 50, removed: 50, emptied: true };
        assert_eq!(guard.held(&[emptied, loss(50, 0)], 50), [false, false]);
    }
}
