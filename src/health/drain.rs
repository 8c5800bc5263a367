//! Drains: a region's share of its clients, brought down or up in steps.
//!
//! A step moves only those between the old share and the new one, and is never made before resolvers have forgotten the
//! answers from before the last one.

use super::event::LogTime;
use crate::number::Revision;

/// The share of a region that keeps all, in 256ths.
pub(super) const KEEP_ALL: u16 = 256;

/// The most steps of one drain.
const STEP_COUNT_MAX: u64 = 10;

/// An operator's wish that a region be emptied, or filled again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drain {
    /// The share that the region keeps now, in 256ths.
    pub keep: u16,
    /// … that it kept when this began.
    pub from: u16,
    /// … that it is to keep in the end.
    pub to: u16,
    /// Steps made, from 1.
    pub step: u32,
    /// Steps in all.
    pub steps: u32,
    /// Milliseconds between two.
    pub step_millis: u64,
    pub why: Box<str>,
    pub who: Box<str>,
    pub since: LogTime,
    pub revision: Revision,
}

/// Who decides, when, and why.
pub(super) struct Wish {
    pub why: Box<str>,
    pub who: Box<str>,
    pub since: LogTime,
    pub revision: Revision,
}

impl Drain {
    /// From one share to another within `over_millis`: ten steps, or as many as are at least `ttl_max_millis` apart. The
    /// first is made at once, the last when the time is over.
    pub fn new((from, to): (u16, u16), over_millis: u64, ttl_max_millis: u64, wish: Wish) -> Drain {
        let intervals = over_millis / ttl_max_millis.max(1);
        let steps = intervals.saturating_add(1).min(STEP_COUNT_MAX);
        let step_millis = over_millis.checked_div(steps - 1).unwrap_or(0);
        let Wish { why, who, since, revision } = wish;
        let steps = steps as u32;
        let mut drain =
            Drain { keep: from, from, to, step: 0, steps, step_millis, why, who, since, revision };
        drain.advance();
        drain
    }

    /// Makes one step.
    pub fn advance(&mut self) {
        self.step = self.step.saturating_add(1).min(self.steps);
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        let keep = from + (to - from) * i64::from(self.step) / i64::from(self.steps.max(1));
        self.keep = keep.clamp(0, i64::from(KEEP_ALL)) as u16;
    }

    /// When the next step is due; none after the last.
    pub fn due(&self) -> Option<LogTime> {
        let wait = u64::from(self.step).saturating_mul(self.step_millis);
        (self.step < self.steps).then(|| self.since.plus_millis(wait))
    }

    /// When the last step is, or was.
    pub fn complete_by(&self) -> LogTime {
        let last = u64::from(self.steps.saturating_sub(1));
        self.since.plus_millis(last.saturating_mul(self.step_millis))
    }

    /// Whether nothing is left of it: the region has all its clients back.
    pub fn is_over(&self) -> bool {
        self.step >= self.steps && self.to >= KEEP_ALL
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::health::{Event, Inventory, State, Timed};
    use crate::number::{Digest, Generation};

    /// The shares that it goes through, with the seconds at which.
    fn course(from: u16, to: u16, over_secs: u64, ttl_secs: u64) -> Vec<(u64, u16)> {
        let wish = Wish {
            why: "".into(),
            who: "".into(),
            since: LogTime(0),
            revision: Revision::default(),
        };
        let mut drain = Drain::new((from, to), over_secs * 1000, ttl_secs * 1000, wish);
        let mut course = vec![(0, drain.keep)];
        while let Some(due) = drain.due() {
            drain.advance();
            course.push((due.0 / 1000, drain.keep));
        }
        assert_eq!(course.last().unwrap().0, drain.complete_by().0 / 1000);
        course
    }

    #[test]
    fn a_drain_at_once_is_one_step() {
        assert_eq!(course(256, 0, 0, 60), [(0, 0)]);
        assert_eq!(course(256, 128, 59, 60), [(0, 128)], "no time for a second step");
    }

    #[test]
    fn steps_are_a_ttl_apart_or_ten_in_all() {
        assert_eq!(course(256, 0, 120, 60), [(0, 171), (60, 86), (120, 0)]);
        let hour = course(256, 0, 3600, 60);
        assert_eq!((hour.len(), hour[1].0, *hour.last().unwrap()), (10, 400, (3600, 0)));
    }

    #[test]
    fn ticks_make_the_steps_and_nothing_is_left_of_an_undrain() {
        let inventory = Arc::new(Inventory {
            regions: vec!["fra".into(), "iad".into()],
            ttl_max_millis: 60_000,
            ..Inventory::default()
        });
        let (mut state, mut revision) = (State::default(), 0);
        let mut tell = |state: &mut State, secs: u64, event: Event| {
            revision += 1;
            let (revision, at) = (Revision(revision), LogTime(secs * 1000));
            state.apply(&Timed { revision, at, event })
        };
        let (generation, digest) = (Generation(1), Digest::default());
        tell(&mut state, 0, Event::Files { generation, digest, inventory, origin: None });
        let (region, over_millis) = (Box::<str>::from("fra"), 120_000);
        let drain = Event::Drain {
            region: region.clone(),
            keep: 0,
            over_millis,
            why: "".into(),
            who: "".into(),
        };
        assert!(tell(&mut state, 10, drain).drains);
        assert_eq!((state.keep("fra"), state.deadline()), (171, Some(LogTime(70_000))));
        assert!(!tell(&mut state, 69, Event::Tick).drains);
        assert!(tell(&mut state, 70, Event::Tick).drains);
        assert_eq!(state.keep("fra"), 86);
        // However late the tick comes, all that was due is made.
        assert!(tell(&mut state, 1000, Event::Tick).drains);
        assert_eq!((state.keep("fra"), state.deadline()), (0, None));
        let undrain = Event::Undrain { region, over_millis, why: "".into(), who: "".into() };
        assert!(tell(&mut state, 1000, undrain).drains);
        assert_eq!((state.keep("fra"), state.keep_in_the_end("fra")), (85, 256));
        assert!(tell(&mut state, 1120, Event::Tick).drains);
        assert_eq!((state.keep("fra"), state.drains().count()), (256, 0));
    }

    #[test]
    fn an_undrain_walks_up_and_a_drain_goes_on_from_where_it_stands() {
        assert_eq!(course(0, 256, 120, 60), [(0, 85), (60, 170), (120, 256)]);
        assert_eq!(course(100, 0, 60, 60), [(0, 50), (60, 0)]);
    }
}
