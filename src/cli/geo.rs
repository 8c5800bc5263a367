//! `homing geo build`: databases compiled.

use std::fs;
use std::path::Path;

use crate::geo::build_builtin;

use super::failure::Failure;
use super::paint::print;

/// Compiles the database at `from` into the compact built-in form at `to`.
pub fn build(from: &Path, to: &Path) -> Result<u8, Failure> {
    let shown = from.display().to_string();
    let bytes =
        fs::read(from).map_err(|e| Failure::cannot_run(format!("{shown} cannot be read: {e}")))?;
    let table = build_builtin(&shown, &bytes).map_err(|d| Failure::refused(d.to_string()))?;
    fs::write(to, &table)
        .map_err(|e| Failure::cannot_run(format!("{} cannot be written: {e}", to.display())))?;
    print(&format!("{}: {} octets\n", to.display(), table.len()));
    Ok(0)
}
