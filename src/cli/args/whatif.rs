//! Arguments of `whatif`.

use std::path::PathBuf;

use clap::Args;

use super::format::Format;

/// Arguments of `whatif`.
#[derive(Debug, Args)]
pub struct WhatifArgs {
    /// Suppose that you take it down: a region, region/pool, region/pool/address; * matches any part
    #[arg(long, value_name = "SUBJECT")]
    pub down: Vec<String>,
    /// … that you call it up
    #[arg(long, value_name = "SUBJECT")]
    pub up: Vec<String>,
    /// … that vantages report it down: quorum, hold_down and panic apply
    #[arg(long, value_name = "SUBJECT")]
    pub fail: Vec<String>,
    /// … that you drain a region, or have it keep a share of its clients: ord, ord:40%
    #[arg(long, value_name = "REGION[:SHARE]")]
    pub drain: Vec<String>,
    /// … that you take a drain back
    #[arg(long, value_name = "REGION")]
    pub undrain: Vec<String>,
    /// … that you clear an override
    #[arg(long, value_name = "SUBJECT")]
    pub clear: Vec<String>,
    /// … that the files were those of this folder; on files alone
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    pub zones: Option<PathBuf>,
    /// The policy [default: all that something changes of]
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Tell the answer that this client gets, before and after; with --policy, the shares too
    #[arg(long, value_name = "IP", requires = "name")]
    pub client: Vec<String>,
    /// … for this name
    #[arg(long, value_name = "NAME", requires = "client")]
    pub name: Option<String>,
    /// … and this type
    #[arg(long = "type", value_name = "TYPE", default_value = "A")]
    pub rtype: String,
    /// The API of the server to ask [default: the one on this machine]
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub server: Option<String>,
    /// Suppose it of the files of this folder, with every endpoint as it starts, and of no server
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Show all countries
    #[arg(long)]
    pub all: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}
