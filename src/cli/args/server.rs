//! Which server a command asks.

use clap::Args;

/// Where the API of a server on this machine is found.
pub const SERVER_DEFAULT: &str = "http://127.0.0.1:8053";

/// Which server is asked.
#[derive(Clone, Debug, Args)]
pub struct ServerArg {
    /// The API of the server to ask; a token is taken from HOMING_TOKEN
    #[arg(long, value_name = "URL", default_value = SERVER_DEFAULT)]
    pub server: String,
}
