//! The command line, defined once: parsing, help and completion derive from it.

mod change;
mod format;
mod geography;
mod interchange;
mod past;
mod probe;
mod server;
mod token;
mod unit;
mod watch;
mod whatif;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use change::{ActionWord, DrainArgs, OverrideArgs, SiteArgs, SiteCommand, UndrainArgs};
pub use format::{Format, LogFormat};
pub use geography::{CoverageArgs, CoverageFormat, LookupArgs};
pub use interchange::{ExportArgs, ImportArgs, ServerKind};
pub use past::{DiffArgs, LogArgs};
pub use probe::ProbeArgs;
pub use server::{SERVER_DEFAULT, ServerArg};
pub use token::{TokenAdd, TokenArgs, TokenCommand, TokenList, TokenRevoke};
pub use unit::UnitArgs;
pub use watch::{AlertsArgs, WatchArgs};
pub use whatif::WhatifArgs;

/// An anycast-aware authoritative DNS server: every name answered with the nearest healthy region.
#[derive(Debug, Parser)]
#[command(
    name = "homing",
    version,
    about,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 done, 1 refused or errors found, 2 cannot run."
)]
pub struct Cli {
    /// What to do; serves when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `serve`, for when the word itself is left out.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// Everything that `homing` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the zones of a folder
    Serve(ServeArgs),
    /// Write a starter tree with comments
    Init(InitArgs),
    /// Check zones, steering and geography; every mistake at once
    Check(CheckArgs),
    /// Write zone files in canonical form; comments are kept
    Fmt(FmtArgs),
    /// List the states of files that were published, newest first; with -p, what each changed
    Log(LogArgs),
    /// Show what differs: records added, removed and changed, and clients whose region changes
    Diff(DiffArgs),
    /// Tell every step of an answer, and why
    Explain(ExplainArgs),
    /// Tell who gets which region, country by country, and draw a map of it
    Coverage(CoverageArgs),
    /// Tell who would move where if regions or endpoints went down, were drained, or the files were others
    Whatif(WhatifArgs),
    /// Show what a server serves, and what it thinks of every endpoint
    Status(StatusArgs),
    /// Print what happens, as it happens: reports, decisions, endpoints that turn, alarms
    Watch(WatchArgs),
    /// Write alert rules for Prometheus
    Alerts(AlertsArgs),
    /// Write a unit for systemd that runs the server with as few rights as it needs
    Unit(UnitArgs),
    /// Tell a server what you saw of an endpoint
    Report(ReportArgs),
    /// Reaffirm everything a vantage said last
    Heartbeat(HeartbeatArgs),
    /// Look at endpoints, and tell servers what is seen
    Probe(ProbeArgs),
    /// Move the clients of a region elsewhere
    Drain(DrainArgs),
    /// Take a drain back
    Undrain(UndrainArgs),
    /// Decide instead of the verdict: up, down, hold, accept
    Override(OverrideArgs),
    /// Take this site out of anycast, or back
    Site(SiteArgs),
    /// Have a server read its files now
    Reload(ReloadArgs),
    /// Serve the files of an earlier generation at once, and keep them serving
    Rollback(RollbackArgs),
    /// Serve the files on the disk again, after a rollback
    Resume(ResumeArgs),
    /// Serve a change that the guard holds
    Accept(AcceptArgs),
    /// Who may ask what of the API
    Token(TokenArgs),
    /// Make a folder from the configuration and zones of BIND, NSD or Knot
    Import(ImportArgs),
    /// Write plain zone files, steering made into records
    Export(ExportArgs),
    /// Geo databases: build the compact table, look an address up
    Geo(GeoArgs),
}

/// Arguments of `serve`.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Folder with homing.toml, zones/ and geo/, or a configuration file
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Configuration file; paths in it are relative to its folder
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub config: Option<PathBuf>,
    /// How to write the log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    pub log: LogFormat,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to write; made if it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder with homing.toml, zones/ and geo/, or a configuration file
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// How to print what is found
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub format: CheckFormat,
    /// Exit 1 for warnings too
    #[arg(long)]
    pub deny_warnings: bool,
    /// Tell the story of a check instead: what it is, why it matters, how to mend it; `list` names all
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        default_missing_value = "list",
        conflicts_with_all = ["dir", "format", "deny_warnings"]
    )]
    pub explain: Option<String>,
}

/// How `check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    Human,
    /// JSON, for programs
    Json,
    /// SARIF 2.1.0, for code hosts
    Sarif,
}

/// Arguments of `fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Zone files, or folders of them; - is standard input to standard output [default: all zone files here]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write nothing; list the files that would change, and exit 1 if there are any
    #[arg(long)]
    pub check: bool,
    /// As --check, and show what would change
    #[arg(long)]
    pub diff: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The owner name asked for
    pub name: String,
    /// The type: A, AAAA, MX, TYPE65, …
    #[arg(value_name = "TYPE", default_value = "A")]
    pub rtype: String,
    /// The client whose place decides: an address, or a subnet such as 192.0.2.0/24
    #[arg(long, value_name = "IP")]
    pub client: Option<String>,
    /// The API of the server to ask [default: the one on this machine, or else the files here]
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub server: Option<String>,
    /// Explain from an earlier state of the server: gen:NUMBER, or a time such as 2026-11-21T14:02 (UTC)
    #[arg(long, value_name = "WHEN", conflicts_with = "files")]
    pub at: Option<String>,
    /// Explain from the files of this folder, as if nothing had ever been reported
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// What was seen of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusWord {
    /// It serves
    Up,
    /// It serves, but not well
    Degraded,
    /// It does not serve
    Down,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Of what: region/pool/address; * matches any part; a bare address means it in every pool
    pub subject: String,
    /// What you saw
    #[arg(value_enum)]
    pub status: StatusWord,
    /// Who looked [default: cli-USER]
    #[arg(long, value_name = "NAME")]
    pub vantage: Option<String>,
    /// Why, in a few words
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Load, in the unit of the region's capacity
    #[arg(long, value_name = "NUMBER")]
    pub load: Option<f64>,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `heartbeat`.
#[derive(Debug, Args)]
pub struct HeartbeatArgs {
    /// Who looked [default: cli-USER]
    #[arg(long, value_name = "NAME")]
    pub vantage: Option<String>,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `reload`.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// Wait for the outcome, print it, and exit as `check` does
    #[arg(long)]
    pub wait: bool,
    /// How to print the outcome
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// Which generation, or `previous`: the one before that has other files
    #[arg(value_name = "GEN", value_parser = earlier)]
    pub generation: Earlier,
    /// Why; the log keeps it
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// A generation to go back to; none is the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier(pub Option<u64>);

fn earlier(text: &str) -> Result<Earlier, String> {
    if text == "previous" {
        return Ok(Earlier(None));
    }
    let number = text.strip_prefix("gen:").unwrap_or(text).parse();
    let number = number.map_err(|_| "a number, as in homing status, or `previous`".to_owned());
    number.map(|number| Earlier(Some(number)))
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "resumed by hand")]
    pub why: String,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `accept`.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// The number of the change that is held, as `homing status` shows it
    #[arg(value_name = "GEN")]
    pub generation: u64,
    /// Why; the log keeps it
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    #[command(flatten)]
    /// Which server
    pub server: ServerArg,
}

/// Arguments of `geo`.
#[derive(Debug, Args)]
pub struct GeoArgs {
    /// What to do
    #[command(subcommand)]
    pub command: GeoCommand,
}

/// What can be done with geo databases.
#[derive(Debug, Subcommand)]
pub enum GeoCommand {
    /// Compile databases (.mmdb) into the compact built-in form
    Build {
        /// The databases to read, such as one for each address family
        #[arg(value_name = "MMDB", required = true)]
        from: Vec<PathBuf>,
        /// Where to write
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
    /// Tell what is known of an address, by whom, and which regions that means
    Lookup(LookupArgs),
    /// Print what a server's own queries weigh, as geo/weights.csv has it
    Weights {
        /// The API of the server to ask [default: what the folder's state/ keeps]
        #[arg(long, value_name = "URL", conflicts_with = "dir")]
        server: Option<String>,
        /// Folder with homing.toml, geo/ and state/
        #[arg(long, value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_needs_no_word() {
        assert!(parse("homing").is_ok_and(|cli| cli.command.is_none()));
        assert!(parse("homing --config a.toml").is_ok_and(|cli| cli.serve.config.is_some()));
        assert!(parse("homing serve here").is_ok_and(|cli| cli.command.is_some()));
        assert!(parse("homing serve here --config a.toml").is_err());
        assert!(parse("homing --colour").is_err());
    }

    #[test]
    fn an_override_names_its_action_and_why_or_is_cleared() {
        assert!(parse("homing override fra/web/192.0.2.1 down --why test --expires 1h").is_ok());
        assert!(parse("homing override fra/web/192.0.2.1 down --expires 1h").is_err());
        assert!(parse("homing override fra/web/192.0.2.1 --why test --forever").is_err());
        assert!(parse("homing override fra/web/192.0.2.1 --clear").is_ok());
        assert!(parse("homing override fra/web/192.0.2.1 down --clear --why x").is_err());
        assert!(parse("homing override fra down --why x --forever --expires 1h").is_err());
    }

    #[test]
    fn a_rollback_names_a_generation_or_the_one_before() {
        let target = |line: &str| match parse(line).ok()?.command? {
            Command::Rollback(args) => Some(args.generation.0),
            _ => None,
        };
        assert_eq!(target("homing rollback 41 --why x"), Some(Some(41)));
        assert_eq!(target("homing rollback gen:41 --why x"), Some(Some(41)));
        assert_eq!(target("homing rollback previous --why x"), Some(None));
        assert_eq!(target("homing rollback --why x"), None);
        assert_eq!(target("homing rollback 41"), None);
    }

    #[test]
    fn explain_takes_a_name_and_a_type() {
        let cli = parse("homing explain www.example.com --client 192.0.2.1").unwrap();
        assert!(matches!(cli.command, Some(Command::Explain(args)) if args.rtype == "A"));
    }
}
