//! From arguments to a command, and from its result to an exit code.

use super::args::{Command, GeoCommand};
use super::failure::Failure;
use super::{
    alerts, change, check, coverage, diff, explain, export, fmt, geo, import, init, log, lookup,
    probe, reload, report, rollback, status, token, unit, watch, weights, whatif,
};

/// Runs a command, and gives the exit code. What runs until it is told to end, `serve` and `probe`, `main` sends to
/// `control`.
pub fn run(command: Command) -> u8 {
    match dispatch(command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("homing: {}", failure.line);
            failure.code
        }
    }
}

fn dispatch(command: Command) -> Result<u8, Failure> {
    match command {
        // The door never sends it here; a word is kinder than a panic.
        Command::Serve(_) => Err(Failure::cannot_run("serve is not a question")),
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Log(args) => log::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Whatif(args) => whatif::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Alerts(args) => alerts::run(&args),
        Command::Unit(args) => unit::run(&args),
        Command::Report(args) => report::report(&args),
        Command::Heartbeat(args) => report::heartbeat(&args),
        Command::Probe(args) => probe::check(&args),
        Command::Drain(args) => change::drain(&args),
        Command::Undrain(args) => change::undrain(&args),
        Command::Override(args) => change::decide(&args),
        Command::Site(args) => change::site(&args.command),
        Command::Reload(args) => reload::run(&args),
        Command::Rollback(args) => rollback::rollback(&args),
        Command::Resume(args) => rollback::resume(&args),
        Command::Accept(args) => rollback::accept(&args),
        Command::Token(args) => token::run(&args.command),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Geo(args) => match args.command {
            GeoCommand::Build { from, to } => geo::build(&from, &to),
            GeoCommand::Lookup(args) => lookup::run(&args),
            GeoCommand::Weights { server, dir } => weights::run(server.as_deref(), &dir),
        },
    }
}
