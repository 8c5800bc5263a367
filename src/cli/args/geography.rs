//! Arguments of `geo lookup`.

use std::path::PathBuf;

use clap::Args;

use super::format::Format;

/// Arguments of `geo lookup`.
#[derive(Debug, Args)]
pub struct LookupArgs {
    /// The address
    #[arg(value_name = "IP")]
    pub address: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// The API of a server to ask, instead of files
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub server: Option<String>,
    /// The folder with homing.toml, zones/ and geo/
    #[arg(long, value_name = "DIR", alias = "dir", default_value = ".")]
    pub files: PathBuf,
}
