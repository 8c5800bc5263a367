//! Zone: what a zone is, by the book.
//!
//! Owns:    RRsets, the text of master files, the checks of a whole zone, rdata in both forms, the
//!          slow obvious lookup.
//! Imports: wire, diagnostic.
//! Never:   reads a file or a clock, knows steering, serves a query.
//! Enter:   `rrset`, then `lexer`, `rdata`, `parser` (with `record`, `assemble`), then `check`,
//!          then `tree`; `packed` is what stays in memory.

mod assemble;
mod check;
mod chunks;
mod denial;
mod diff;
mod edit;
mod format;
mod generate;
mod include;
mod lexer;
mod order;
mod packed;
mod parser;
mod rdata;
mod record;
mod report;
mod rrset;
mod state;
mod tree;
mod windows;

pub use check::Validity;
pub use chunks::{Chunks, Moves};
pub use diff::{RrsetChange, diff};
pub use edit::{Edit, Known, Touched, edit};
pub use format::format;
pub use include::{Inclusion, inclusions};
pub use packed::{PackedNode, PackedRrset, PackedZone};
pub use parser::{Includes, Parsed, parse};
pub use rdata::to_text;
pub use rrset::{Node, Nodes, Rrset, Zone};
pub use tree::{TreeAnswer, answer};
pub use windows::{Crew, parse_in_chunks};

pub use crate::wire::{Name, Record, Rtype};
