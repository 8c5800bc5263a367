//! Arguments of the commands that ask of geography: `coverage` and `geo lookup`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::format::Format;

/// How `coverage` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CoverageFormat {
    /// For people
    Human,
    /// JSON, for programs
    Json,
    /// CSV (RFC 4180): a line for each country or subdivision, rank and region
    Csv,
}

/// Arguments of `coverage`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --server, every endpoint counts as up; with it, verdicts and drains are as they stand there.\n\
    Exit codes: 0 done, 1 refused, 2 cannot run."
)]
pub struct CoverageArgs {
    /// The policy; may be left out where there is but one
    pub policy: Option<String>,
    /// The type asked for: A or AAAA [default: A, or AAAA where the pool has no IPv4 address]
    #[arg(long = "type", value_name = "TYPE")]
    pub rtype: Option<String>,
    /// Every country; else those that make 99 % of addresses, and those with a hole
    #[arg(long)]
    pub all: bool,
    /// The subdivisions of countries that are divided between regions
    #[arg(long)]
    pub subdivisions: bool,
    /// Draw a map of the world too (SVG)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = CoverageFormat::Human)]
    pub format: CoverageFormat,
    /// The API of a server to ask, instead of files
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub server: Option<String>,
    /// The folder with homing.toml, zones/ and geo/
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub files: PathBuf,
}

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
