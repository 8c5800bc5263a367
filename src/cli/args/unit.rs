//! Arguments of `unit`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `unit`.
#[derive(Debug, Args)]
pub struct UnitArgs {
    /// The configuration that the server is to run with
    #[arg(long, value_name = "FILE", default_value = "homing.toml")]
    pub config: PathBuf,
    /// The user that it is to run as
    #[arg(long, value_name = "NAME", default_value = "homing")]
    pub user: String,
    /// Write the unit of its sockets instead, which systemd then opens
    #[arg(long)]
    pub socket: bool,
}
