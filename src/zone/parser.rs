//! Master files (RFC 1035 §5, RFC 2308 §4, RFC 3597 §5) into zones.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::wire::Name;

use super::rrset::Zone;

/// Hands out the content of an `$INCLUDE`d file: the path as written in the directive, and the path of the file that
/// includes. The result is the path as the operator knows it, and the bytes.
pub type Includes<'a> = dyn Fn(&str, &str) -> Result<(String, Arc<[u8]>), String> + 'a;

/// What came of a file: the zone, if nothing refuses it, and all that is to be said, in order of place.
pub struct Parsed {
    /// The zone; none when any diagnostic is an error.
    pub zone: Option<Zone>,
    /// Every mistake and remark of the file, checks of the whole zone included.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses and checks one zone file. `path` is how the operator knows it, `origin` the first origin.
pub fn parse(path: &str, text: &[u8], origin: &Name, includes: &Includes<'_>) -> Parsed {
    let _ = (path, text, origin, includes);
    todo!("the zone room")
}
