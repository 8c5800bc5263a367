//! Rdata: each type's data in presentation format and in wire format.
//!
//! Owns:    one row per type in `table`, and for each kind of field how it is read, checked and
//!          written.
//! Imports: wire, and the tokens of the lexer.
//! Never:   knows an owner name, a TTL, or another record.
//! Enter:   `table`, then `read`, `write`, then the families of fields.

mod address;
mod bytes;
mod dnssec;
mod gateway;
mod line;
mod loc;
mod number;
mod read;
mod shape;
mod string;
mod svcb;
mod table;
mod words;
mod write;

pub use number::period;
pub use read::parse;
pub use shape::{Fold, Shape, fold_of, shapes};
pub use string::unescape;
pub use words::{Fault, Words};
pub(super) use words::{quoted_word, shown};
pub(super) use write::fold;
pub use write::to_text;

#[cfg(test)]
mod tests;
