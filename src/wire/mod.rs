//! Wire: the bytes of DNS messages, and the words of its registries.
//!
//! Owns:    codes, names, EDNS, the one pass over a request, the writer of a message.
//! Imports: nothing above the standard library.
//! Never:   knows a zone, allocates on the query path, panics on any bytes.
//! Enter:   `codes`, `name`, then `query`, `edns`, `writer`.

mod codes;
mod edns;
mod name;
mod query;
mod record;
mod writer;

pub use codes::{Class, Opcode, Rcode, Rtype};
pub use edns::{ClientSubnet, Cookie, Edns, EdnsError, ExtendedError, OPT_FIXED_LEN, OptionCode};
pub use name::{LABEL_LEN_MAX, NAME_LEN_MAX, Name, NameError};
pub use query::{CookieQuery, Flags, HEADER_LEN, Parsed, Query, Rejected, parse_query};
pub use record::Record;
pub use writer::{Section, Writer};
