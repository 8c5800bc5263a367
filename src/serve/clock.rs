//! The time of day, read once for a batch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since 1970. A clock before 1970 reads 0.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Its seconds, wrapped to 32 bits as in a cookie (RFC 9018 §4.3).
pub fn secs(now: Duration) -> u32 {
    now.as_secs() as u32
}

/// Its microseconds, wrapped to 32 bits.
pub fn micros(now: Duration) -> u32 {
    now.as_micros() as u32
}
