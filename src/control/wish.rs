//! What operators wish of the generations of files, and why a wish is not met. Words only; `files` fulfils them.

use std::fmt;

use crate::api::timestamp;
use crate::health::LogTime;
use crate::number::Generation;

/// A wish, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wished {
    /// What.
    pub wish: Wish,
    /// Who.
    pub who: String,
    /// Why; of a resume it may be empty.
    pub why: String,
}

/// What an operator wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That the files of an earlier generation serve, and stay; without a number, of the one before.
    Rollback(Option<Generation>),
    /// That the files on the disk serve again.
    Resume,
    /// That what the guard holds under this number serves.
    Accept(Generation),
}

/// Why a wish was not met; what served serves on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// There is no such generation; those that are kept, oldest and newest.
    Unknown(Option<Generation>, Option<(Generation, Generation)>),
    /// No generation that is kept is so old; the time of the oldest.
    Before(LogTime, Option<LogTime>),
    /// The generations, or this one, cannot be read: the cause.
    Unreadable(String),
    /// Nothing is pinned: the generation that serves follows the files.
    NotPinned(Generation),
    /// A pin stands, and has to go first.
    Pinned(Generation),
    /// The guard holds nothing.
    NothingHeld,
    /// What the guard holds has another number by now.
    OtherHeld(Generation, Generation),
    /// A fault of our own.
    Fault,
}

impl Unmet {
    /// The stable short name.
    pub fn code(&self) -> &'static str {
        match self {
            Unmet::Unknown(..) | Unmet::Before(..) => "unknown-generation",
            Unmet::Unreadable(..) => "generation-unreadable",
            Unmet::NotPinned(_) => "not-pinned",
            Unmet::Pinned(_) => "pinned",
            Unmet::NothingHeld => "nothing-held",
            Unmet::OtherHeld(..) => "other-held",
            Unmet::Fault => "internal",
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unmet::Unknown(_, None) => f.write_str("no generation is kept"),
            Unmet::Unknown(None, Some((oldest, newest))) => {
                write!(f, "no generation before this one is kept; there are {oldest} to {newest}")
            }
            Unmet::Unknown(Some(asked), Some((oldest, newest))) => {
                write!(f, "generation {asked} is not kept; there are {oldest} to {newest}")
            }
            Unmet::Before(asked, oldest) => {
                write!(f, "no generation of {} is kept", timestamp(*asked))?;
                oldest
                    .map_or(Ok(()), |oldest| write!(f, "; the oldest is of {}", timestamp(oldest)))
            }
            Unmet::Unreadable(cause) => write!(f, "{cause}; what served serves on"),
            Unmet::NotPinned(serving) => {
                write!(f, "nothing is pinned: generation {serving} follows the files already")
            }
            Unmet::Pinned(serving) => write!(
                f,
                "generation {serving} is pinned: resume first; what is held stays held until then"
            ),
            Unmet::NothingHeld => f.write_str("no change is held: nothing waits to be accepted"),
            Unmet::OtherHeld(asked, now) => write!(
                f,
                "the change that was held as {asked} is not the one that is held now: that is \
                 {now}; look at it (homing status), then accept {now}"
            ),
            Unmet::Fault => f.write_str("a fault in homing itself; what served serves on"),
        }
    }
}
