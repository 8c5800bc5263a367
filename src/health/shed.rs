//! What is remembered of load: how busy each region was told to be, and what of each border is shed.

use crate::number::Revision;

use super::event::LogTime;

/// How busy a region is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// Its load, smoothed over half of the largest TTL.
    pub load: f64,
    /// When it was last told.
    pub at: LogTime,
}

/// How much of a border is shed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shed {
    /// In 256ths.
    pub share: u16,
    /// Since when.
    pub since: LogTime,
    /// By which event.
    pub revision: Revision,
}
