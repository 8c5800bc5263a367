//! Arguments of what operators decide: drains, overrides, this site.

use clap::{Args, Subcommand, ValueEnum};

use super::server::ServerArg;

/// Arguments of `drain`.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The region
    pub region: String,
    /// Why; the log keeps it
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// The share of clients to keep, 0 to below 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub to: f64,
    /// In which time, in steps at least a TTL apart: 10m, 1h
    #[arg(long, value_name = "TIME")]
    pub over: Option<String>,
    /// Do it even where a pool falls below at_least
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `undrain`.
#[derive(Debug, Args)]
pub struct UndrainArgs {
    /// The region
    pub region: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "undrained by hand")]
    pub why: String,
    /// In which time: 10m, 1h
    #[arg(long, value_name = "TIME")]
    pub over: Option<String>,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// What an operator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ActionWord {
    /// Treat as up
    Up,
    /// Treat as down
    Down,
    /// Freeze the verdict
    Hold,
    /// Believe the feed
    Accept,
}

/// Arguments of `override`.
#[derive(Debug, Args)]
pub struct OverrideArgs {
    /// Of what: region/pool/address; * matches any part
    pub subject: String,
    /// What to decide
    #[arg(value_enum, required_unless_present = "clear")]
    pub action: Option<ActionWord>,
    /// Take the decision back
    #[arg(long, conflicts_with_all = ["action", "expires", "forever", "force"])]
    pub clear: bool,
    /// Why; the log keeps it
    #[arg(long, value_name = "TEXT", required_unless_present = "clear")]
    pub why: Option<String>,
    /// When it ends: 1h, 30m, or an RFC 3339 time
    #[arg(long, value_name = "WHEN", conflicts_with = "forever")]
    pub expires: Option<String>,
    /// It does not end by itself
    #[arg(long)]
    pub forever: bool,
    /// Do it even where a pool falls below at_least
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `site`.
#[derive(Debug, Args)]
pub struct SiteArgs {
    /// What to do with this site
    #[command(subcommand)]
    pub command: SiteCommand,
}

/// What can be done with a site.
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// Fail /readyz until undrain; survives a restart
    Drain(SiteChangeArgs),
    /// Take the drain back
    Undrain(SiteChangeArgs),
}

/// Arguments of both.
#[derive(Debug, Args)]
pub struct SiteChangeArgs {
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "by hand")]
    pub why: String,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}
