//! What the server says while it runs: structured events on standard error, for people or for programs.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogStyle {
    /// For people, with colours on a terminal.
    #[default]
    Auto,
    /// For people, without colours.
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins writing. `HOMING_LOG` chooses what, in the manner of `info,homing=debug`.
pub fn install(style: LogStyle) {
    let wanted = std::env::var("HOMING_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = style == LogStyle::Auto && !plain && stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_target(false)
        .with_ansi(colours);
    // A second one in the process, as tests have it, writes nothing twice.
    let _ = match style {
        LogStyle::Json => builder.json().flatten_event(true).try_init(),
        LogStyle::Auto | LogStyle::Text => builder.try_init(),
    };
}
