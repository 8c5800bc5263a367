//! What the watch told of since the last look: paths that a glance may be enough for, or that it may be anything.

use std::collections::BTreeSet;
use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Paths beyond which all is looked at: it costs little more then.
const PATH_COUNT_MAX: usize = 1000;

/// Where it is told, and taken. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    told: Arc<Mutex<Told>>,
}

/// What may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What stands at these paths; nothing where there is none.
    Paths(BTreeSet<PathBuf>),
    /// Anything.
    All,
}

impl Default for Told {
    fn default() -> Told {
        Told::Paths(BTreeSet::new())
    }
}

impl Touched {
    /// Something changed at `paths`.
    pub fn at(&self, paths: impl IntoIterator<Item = PathBuf>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Told::Paths(known) = &mut *told else { return };
        known.extend(paths);
        if known.len() > PATH_COUNT_MAX {
            *told = Told::All;
        }
    }

    /// Something changed, and nobody knows where.
    pub fn anywhere(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told::All;
    }

    /// What was told since this was asked last.
    pub fn take(&self) -> Told {
        mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_once_and_too_many_are_all() {
        let touched = Touched::default();
        let path = |n: usize| PathBuf::from(format!("/none/{n}"));
        touched.at([path(1), path(2), path(1)]);
        assert_eq!(touched.take(), Told::Paths([path(1), path(2)].into()));
        assert_eq!(touched.take(), Told::default());
        touched.anywhere();
        touched.at([path(1)]);
        assert_eq!(touched.take(), Told::All);
        touched.at((0..=PATH_COUNT_MAX).map(path));
        assert_eq!(touched.take(), Told::All);
    }
}
