//! Arguments of the commands that look at states of files: `diff` and `log`.

use std::path::PathBuf;

use clap::Args;

use super::format::Format;

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "A side is a folder, a zone file, git:REV (the folder here as committed), \
    gen:NUMBER or gen:now (what a server published, or serves).\n\
    Exit codes: 0 compared, 1 a side has errors (or, with --exit-code, they differ), 2 cannot compare.")]
pub struct DiffArgs {
    /// The state before
    pub old: String,
    /// The state after [default: the folder here]
    pub new: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// One line for each zone, pool and policy that differs
    #[arg(long)]
    pub stat: bool,
    /// Everything, on a terminal too
    #[arg(long, conflicts_with = "stat")]
    pub all: bool,
    /// Exit 1 if anything that is served differs
    #[arg(long)]
    pub exit_code: bool,
    /// The API of the server whose generations are meant [default: the one on this machine]
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub server: Option<String>,
    /// The folder here, if it is another; its state/ then tells generations
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
}

/// Arguments of `log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// How many at most
    #[arg(short = 'n', long = "count", value_name = "NUMBER", default_value_t = 20)]
    pub count: usize,
    /// None older: a time such as 2026-11-21T14:02 (UTC), or a span such as 2h or 3d
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// With what each changed
    #[arg(short, long)]
    pub patch: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// The API of the server to ask [default: the one on this machine]
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub server: Option<String>,
    /// Read what the state/ of this folder holds, whether or not a server runs
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
}
