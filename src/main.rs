//! The door: arguments, dispatch, exit codes.

use std::process::ExitCode;

use clap::Parser;
use homing::cli::{self, Cli, Command, LogFormat, ServeArgs};
use homing::control::{self, LogStyle, Options};

fn main() -> ExitCode {
    let Cli { command, serve } = Cli::parse();
    let code = match command {
        None => control::run(&options(serve)),
        Some(Command::Serve(args)) => control::run(&options(args)),
        Some(command) => cli::run(command),
    };
    ExitCode::from(code)
}

fn options(args: ServeArgs) -> Options {
    let log = match args.log {
        LogFormat::Auto => LogStyle::Auto,
        LogFormat::Text => LogStyle::Text,
        LogFormat::Json => LogStyle::Json,
    };
    Options { dir: args.dir, config: args.config, log }
}
