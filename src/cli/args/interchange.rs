//! The arguments of `import` and `export`: from other servers, and to them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A server whose configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServerKind {
    /// BIND 9: named.conf
    Bind,
    /// NSD: nsd.conf
    Nsd,
    /// Knot DNS: knot.conf
    Knot,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    override_usage = "homing import [bind|nsd|knot] FILE [OPTIONS]",
    after_help = "Each primary zone is copied to zones/NAME.zone as it stands, with the files that it includes.\n\
                  What has no counterpart is listed, one line each. The folder is written whole or not at all,\n\
                  and then checked as `homing check` does.\n\n\
                  Exit codes: 0 done, 1 refused or errors found, 2 cannot run."
)]
pub struct ImportArgs {
    /// The configuration of the other server, after its kind: bind, nsd or knot; without a kind, the text tells
    #[arg(value_names = ["KIND", "FILE"], num_args = 1..=2, required = true)]
    pub from: Vec<PathBuf>,
    /// The folder to write; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
    /// BIND: the view whose zones are taken
    #[arg(long, value_name = "NAME")]
    pub view: Option<String>,
    /// Take the files of secondary zones too, as they were last transferred
    #[arg(long)]
    pub secondaries: bool,
    /// Where absolute paths in the configuration begin: a chroot, or a copy of another machine's files
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Write over files that differ
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each zone that is served becomes OUT/NAME.zone: RFC 1035 text, one record on a line, names in\n\
                  full, nothing included or generated. A routed name keeps its default RRsets. Where the zone file\n\
                  has none, it gets, for each address family, the addresses of its pool's first region (in the order\n\
                  of geo/regions.toml) that has any, with the policy's longest TTL, so that no name is lost. A pool\n\
                  of host names gives one CNAME. A folder with errors is not exported.\n\n\
                  Exit codes: 0 done, 1 refused or errors found, 2 cannot run."
)]
pub struct ExportArgs {
    /// Folder with homing.toml, zones/ and geo/, or a configuration file
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where to write; made if it does not exist
    #[arg(long, value_name = "OUT")]
    pub into: PathBuf,
    /// Make plain records of steering; the only form that there is
    #[arg(long, required = true)]
    pub flatten: bool,
    /// Write over files that differ
    #[arg(long)]
    pub force: bool,
}
