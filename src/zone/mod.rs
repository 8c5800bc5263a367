//! Zone: what a zone is, by the book.
//!
//! Owns:    RRsets, the text of master files, the checks of a whole zone, rdata in both forms, the slow obvious lookup.
//! Imports: wire, diagnostic.
//! Never:   reads a file or a clock, knows steering, serves a query.
//! Enter:   `rrset`, then `lexer`, `rdata`, `parser`, then `check`, then `tree`.

mod parser;
mod rrset;

pub use parser::{Includes, Parsed, parse};
pub use rrset::{Node, Rrset, Zone};

pub use crate::wire::{Name, Rtype};
