//! How full the disk of the state folder is. Looked at now and then; a disk that fills up is told before it is full.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::alarm::Alarm;

use super::alarms::{Alarms, Subject};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Free octets below which a disk is low: enough for some hundred thousand events and generations. A guess.
const FREE_OCTETS_MIN: u64 = 1 << 30;

/// … if they are also less than this part of it: small disks are meant to be small. A guess.
const FREE_PART_MIN: u64 = 20;

/// Looks at the disk of `folder` for as long as the runtime lives. Call it within the runtime.
pub fn follow(folder: PathBuf, alarms: Alarms) {
    tokio::spawn(async move {
        let mut beats = tokio::time::interval(LOOK_EVERY);
        loop {
            beats.tick().await;
            let (folder, alarms) = (folder.clone(), alarms.clone());
            // A disk that hangs must not hang the API.
            let looked = tokio::task::spawn_blocking(move || {
                let low = low(&folder).map(|words| (Subject::default(), words));
                alarms.settle(Alarm::DiskLow, low.into_iter().collect());
            });
            let _ = looked.await;
        }
    });
}

/// In words, if the disk of `folder` is low. One that cannot be asked is not: the log tells of it when it is written.
fn low(folder: &Path) -> Option<String> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let octets = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let (free, all) = (octets(disk.f_bavail), octets(disk.f_blocks));
    is_low(free, all).then(|| {
        format!("{} MiB of {} MiB are free at {}", free >> 20, all >> 20, folder.display())
    })
}

const fn is_low(free: u64, all: u64) -> bool {
    free < FREE_OCTETS_MIN && free < all / FREE_PART_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_low_when_little_and_a_small_part_is_free() {
        const GIB: u64 = 1 << 30;
        assert!(is_low(GIB - 1, 100 * GIB));
        assert!(!is_low(GIB, 100 * GIB), "enough");
        assert!(!is_low(GIB / 2, GIB), "a small disk");
        assert!(is_low(0, GIB));
        assert!(low(Path::new("/nowhere/at/all")).is_none());
    }
}
