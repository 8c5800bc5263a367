//! How a command prints.

use clap::ValueEnum;

/// How a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// JSON, for programs
    Json,
}

/// How log events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people; with colours on a terminal
    #[default]
    Auto,
    /// For people, without colours
    Text,
    /// One JSON object a line
    Json,
}
