//! `homing report` and `homing heartbeat`: the health feed, by hand.

use ureq::http::Method;

use crate::api::{ReportLine, ReportsTaken};

use super::args::{HeartbeatArgs, ReportArgs, StatusWord};
use super::change::person;
use super::client::Client;
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::print;

/// Reports what was seen of a subject, once.
pub fn report(args: &ReportArgs) -> Result<u8, Failure> {
    let status = match args.status {
        StatusWord::Up => "up",
        StatusWord::Degraded => "degraded",
        StatusWord::Down => "down",
    };
    let line = ReportLine {
        subject: Some(args.subject.clone()),
        status: Some(status.to_owned()),
        load: args.load,
        reason: args.reason.clone(),
        ..line_of(args.vantage.as_deref())
    };
    send(&args.server.server, &line, &format!("{} reported {status}", args.subject))
}

/// Reaffirms all that the vantage said last.
pub fn heartbeat(args: &HeartbeatArgs) -> Result<u8, Failure> {
    let line = ReportLine { heartbeat: true, ..line_of(args.vantage.as_deref()) };
    send(&args.server.server, &line, &format!("heartbeat of {}", line.vantage))
}

/// Boot and seq are the server's to give: a heartbeat from here reaffirms what was reported from here.
fn line_of(vantage: Option<&str>) -> ReportLine {
    ReportLine {
        vantage: vantage.map_or_else(|| format!("cli-{}", person()), str::to_owned),
        boot: None,
        seq: None,
        heartbeat: false,
        subject: None,
        status: None,
        load: None,
        reason: None,
    }
}

fn send(server: &str, line: &ReportLine, done: &str) -> Result<u8, Failure> {
    let taken: ReportsTaken = Client::new(server).send_json(Method::POST, "/v1/reports", line)?;
    if let Some(refused) = taken.refused.first() {
        eprintln!("homing: {}: {}", refused.code, refused.message);
        return Ok(EXIT_REFUSED);
    }
    print(&format!("{done}; revision {}\n", taken.revision));
    Ok(0)
}
