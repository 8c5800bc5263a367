//! Every order of steps, from the beginning to each end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;

/// Something with steps, that can be in many states.
pub trait World: Sized {
    type Step: Copy + Debug;
    fn begin() -> Self;
    /// What may happen next, in any order.
    fn enabled(&self) -> Vec<Self::Step>;
    /// Does it; if an invariant is broken by it, which.
    fn step(&mut self, step: Self::Step) -> Result<(), String>;
    /// What the future depends on.
    fn key(&self) -> String;
    /// What must hold when nothing can happen any more.
    fn end(&mut self) -> Result<(), String>;
}

/// What came of the search.
#[derive(Debug, Default)]
pub struct Found {
    /// States that can be reached.
    pub states: usize,
    /// … in which nothing can happen any more.
    pub ends: usize,
    /// By broken invariant, the shortest way there.
    pub broken: BTreeMap<String, Vec<String>>,
}

/// Looks at every state that can be reached, the nearest first. A world is not copied: it is walked to again.
pub fn explore<W: World>() -> Found {
    let mut found = Found::default();
    let mut known = BTreeSet::from([W::begin().key()]);
    let mut open: VecDeque<Vec<W::Step>> = VecDeque::from([Vec::new()]);
    while let Some(path) = open.pop_front() {
        found.states += 1;
        let mut here = walk::<W>(&path);
        let steps = here.enabled();
        if steps.is_empty() {
            found.ends += 1;
            here.end().unwrap_or_else(|broken| found.note(broken, &path));
        }
        for step in steps {
            let mut next = walk::<W>(&path);
            let path = [&path[..], &[step]].concat();
            next.step(step).unwrap_or_else(|broken| found.note(broken, &path));
            if known.insert(next.key()) {
                open.push_back(path);
            }
        }
    }
    found
}

impl Found {
    fn note(&mut self, broken: String, path: &[impl Debug]) {
        let told = || path.iter().map(|step| format!("{step:?}")).collect();
        self.broken.entry(broken).or_insert_with(told);
    }
}

fn walk<W: World>(path: &[W::Step]) -> W {
    let mut world = W::begin();
    for step in path {
        // What it breaks was noted when it was taken for the first time.
        let _ = world.step(*step);
    }
    world
}
