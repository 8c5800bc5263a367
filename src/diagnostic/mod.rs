//! Diagnostic: words to the operator.
//!
//! Owns:    the one shape of every mistake in a file, and the catalogue of all that can be said with its stories.
//! Imports: nothing.
//! Never:   judges a file; that is done where it is read. Prints; that is `cli`.
//! Enter:   `message`, then `check` and `catalogue`.

mod catalogue;
mod check;
mod message;
mod nearest;

pub use catalogue::{find, subjects};
pub use check::Check;
pub use message::{Diagnostic, Place, Severity, has_error};
pub use nearest::{nearest_word, words_like};
