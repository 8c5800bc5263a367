//! The time of day, read once for a batch.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, wrapped to 32 bits as in a cookie (RFC 9018 §4.3). A clock before 1970 reads 0.
pub fn now_secs() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}
