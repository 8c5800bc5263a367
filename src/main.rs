//! The door: arguments, dispatch, exit codes.

use std::process::ExitCode;

use clap::Parser;
use homing::cli::{self, Cli, Command, LogFormat, ProbeArgs, ServeArgs};
use homing::control::{self, LogStyle, Options, VantageOptions};
use tikv_jemallocator::Jemalloc;

/// Each reload makes a large zone anew on other threads than the last. The C library keeps what each of them needed at most.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let Cli { command, serve } = Cli::parse();
    let code = match command {
        None => control::run(&options(serve)),
        Some(Command::Serve(args)) => control::run(&options(args)),
        Some(Command::Probe(args)) if !args.check => control::look_out(&vantage(args)),
        Some(command) => cli::run(command),
    };
    ExitCode::from(code)
}

fn options(args: ServeArgs) -> Options {
    Options { dir: args.dir, config: args.config, log: style(args.log) }
}

fn vantage(args: ProbeArgs) -> VantageOptions {
    VantageOptions { config: args.config, servers: args.server, log: style(args.log) }
}

fn style(format: LogFormat) -> LogStyle {
    match format {
        LogFormat::Auto => LogStyle::Auto,
        LogFormat::Text => LogStyle::Text,
        LogFormat::Json => LogStyle::Json,
    }
}
