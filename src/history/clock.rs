//! The clock of a writer: what its monotonic clock measured, on top of the last log time. Reads no clock itself.

use crate::health::LogTime;

/// Maps time since start to log time. A wall clock that jumps matters once, at start, and never backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogClock {
    base: LogTime,
}

impl LogClock {
    /// A clock that starts where the log ended, or at the wall clock (milliseconds of the Unix epoch) if that is later.
    pub fn start(last: LogTime, wall: LogTime) -> LogClock {
        LogClock { base: last.max(wall) }
    }

    /// Log time, `elapsed_millis` of the monotonic clock after start.
    pub fn at(self, elapsed_millis: u64) -> LogTime {
        self.base.plus_millis(elapsed_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::{LogClock, LogTime};

    #[test]
    fn a_wall_clock_that_went_back_is_passed_over() {
        assert_eq!(LogClock::start(LogTime(500), LogTime(100)).at(7), LogTime(507));
        assert_eq!(LogClock::start(LogTime(500), LogTime(900)).at(7), LogTime(907));
        assert_eq!(LogClock::start(LogTime(500), LogTime(0)).at(u64::MAX), LogTime(u64::MAX));
    }
}
