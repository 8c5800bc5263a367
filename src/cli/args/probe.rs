//! Arguments of `probe`.

use std::path::PathBuf;

use clap::Args;

use super::format::LogFormat;

/// Arguments of `probe`.
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// What to look at, how, and whom to tell; followed while it runs
    #[arg(long, value_name = "FILE", default_value = "probe.toml")]
    pub config: PathBuf,
    /// The API of a server to tell, instead of those of the file; may be given again
    #[arg(long, value_name = "URL")]
    pub server: Vec<String>,
    /// Only check the file: every mistake in it; exit 0, 1 (errors), 2 (cannot be read)
    #[arg(long)]
    pub check: bool,
    /// How to write the log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    pub log: LogFormat,
}
