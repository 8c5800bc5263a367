//! Format: a master file in canonical form, with everything that its author wrote for people.
//!
//! Owns:    the columns, the folds, the spelling, the proof that nothing changed.
//! Imports: wire, diagnostic; the lexer, the parser and the shapes of rdata beside it.
//! Never:   reorders, adds or drops a record; touches a comment's words; looks into an included file.
//! Enter:   `whole`, then `source` (what stands there), `record` (what is to be written), `layout` (where), `spelling`.

mod layout;
mod record;
mod source;
mod spelling;
mod whole;

pub use whole::format;

#[cfg(test)]
mod tests;
