//! Arguments of `watch` and `alerts`.

use clap::Args;

use super::server::ServerArg;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Begin after this revision; without it, with what happens from now on
    #[arg(long, value_name = "REVISION")]
    pub from: Option<u64>,
    /// Print each event as the line of JSON that it is
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `alerts`.
#[derive(Debug, Args)]
pub struct AlertsArgs {
    /// The name under which Prometheus scrapes the servers (`job_name`)
    #[arg(long, value_name = "NAME", default_value = "homing")]
    pub job: String,
}
