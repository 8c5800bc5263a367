//! The calendar: which endpoints are to be weighed again at which log time, because time alone changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::LogTime;
use super::subject::Member;

/// Endpoints by the time they are due. Moving an endpoint leaves its old mark behind, unless nobody else is due then:
/// ten thousand endpoints that one heartbeat moves share two days of the calendar.
#[derive(Clone, Debug, Default)]
pub(super) struct Calendar {
    days: BTreeMap<LogTime, Day>,
}

#[derive(Clone, Debug, Default)]
struct Day {
    live: usize,
    members: Vec<Arc<Member>>,
}

impl Calendar {
    /// Moves `member` from one time to another.
    pub fn move_to(&mut self, member: &Arc<Member>, from: Option<LogTime>, to: Option<LogTime>) {
        if from == to {
            return;
        }
        if let Some(from) = from
            && let Some(day) = self.days.get_mut(&from)
        {
            day.live = day.live.saturating_sub(1);
            if day.live == 0 {
                self.days.remove(&from);
            }
        }
        if let Some(to) = to {
            let day = self.days.entry(to).or_default();
            day.live += 1;
            day.members.push(Arc::clone(member));
        }
    }

    /// The first time at which anything is due.
    pub fn first(&self) -> Option<LogTime> {
        self.days.keys().next().copied()
    }

    /// Those marked at `time`, some of which may have moved since; the caller knows their true time.
    pub fn marked(&self, time: LogTime) -> &[Arc<Member>] {
        self.days.get(&time).map_or(&[], |day| &day.members)
    }
}
