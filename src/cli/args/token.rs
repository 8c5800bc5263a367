//! Arguments of `token`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};

use super::format::Format;

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// What to do with tokens
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print its secret once
    Add(TokenAdd),
    /// List the tokens that there are
    List(TokenList),
    /// End a token; a running server refuses it within a second
    Revoke(TokenRevoke),
}

/// Arguments of `token add`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("bearer").required(true).args(["vantage", "person"])))]
pub struct TokenAdd {
    /// How the token is called
    pub name: String,
    /// It is a vantage's, and reports as this one alone [name: that of the token]
    #[arg(long, value_name = "VANTAGE", num_args = 0..=1, default_missing_value = "")]
    pub vantage: Option<String>,
    /// It is a person's: what is changed with it carries this name [name: that of the token]
    #[arg(long, value_name = "PERSON", num_args = 0..=1, default_missing_value = "")]
    pub person: Option<String>,
    /// What may be asked with it [default: report for a vantage; all but report for a person]
    #[arg(
        long,
        value_name = "VERB,…",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(["report", "read", "override", "drain", "site", "files"])
    )]
    pub verb: Vec<String>,
    /// What may be reported and changed with it: region/pool/address, or a pattern such as eu-*; may be given again
    #[arg(long, value_name = "PATTERN")]
    pub subject: Vec<String>,
    /// When it ends: 90d, 12h, or an RFC 3339 time [default: when it is revoked]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    #[command(flatten)]
    /// Of which server
    pub of: OfArg,
}

/// Arguments of `token list`.
#[derive(Debug, Args)]
pub struct TokenList {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    /// Of which server
    pub of: OfArg,
}

/// Arguments of `token revoke`.
#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// The token's name
    pub name: String,
    #[command(flatten)]
    /// Of which server
    pub of: OfArg,
}

/// Whose tokens.
#[derive(Debug, Args)]
pub struct OfArg {
    /// The folder that the server serves, or its configuration file: tokens are in its state/
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}
