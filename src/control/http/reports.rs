//! POST /v1/reports: the health feed. Each item is taken or refused by itself; what is taken is durable before the
//! answer.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use utoipa::openapi::Content;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};

use crate::api::{self, LINE_COUNT_MAX, RefusedLine, ReportError, ReportLine, ReportsTaken};
use crate::health::Event;

use super::super::access::{Caller, Denied};
use super::super::desk::Desk;
use super::super::writer::WriteError;
use super::body::{self, Body};
use super::door;
use super::problem::Refused;
use super::route::{JSON, Route};

/// One report, an array, or NDJSON; heartbeats among them. 202 with what was refused and why; 422 when nothing was
/// taken for a fault of the sender's.
pub async fn take(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> Result<Response, Refused> {
    let body = body.bytes()?;
    // It may have been long under way.
    if !caller.is_welcome() {
        return Err(door::turned_away(Denied::Invalid));
    }
    let lines = api::read_lines(&body).map_err(|e| Refused::new(400, e.code, e.message))?;
    pay(&desk, &caller, lines.len())?;
    let taken = settle(&desk, &caller, lines, 0).await?;
    if taken.taken == 0 && taken.has_fault() {
        return Err(in_vain(taken.refused));
    }
    Ok(body::json(StatusCode::ACCEPTED, &taken))
}

/// Has what is sound in `lines` written, and tells what was not taken, by its place from `first`.
pub async fn settle(
    desk: &Desk,
    caller: &Caller,
    lines: Vec<Result<ReportLine, ReportError>>,
    first: usize,
) -> Result<ReportsTaken, WriteError> {
    let mut refused = Vec::new();
    let mut events = Vec::new();
    for (index, line) in (first..).zip(lines) {
        match line.and_then(|line| event_of(line, desk, caller)) {
            Ok(event) => events.push((index, event)),
            Err(ReportError { code, message }) => {
                refused.push(RefusedLine { index, code: code.to_owned(), message });
            }
        }
    }
    let (indexes, events): (Vec<usize>, Vec<Event>) = events.into_iter().unzip();
    let fed = desk.writer.feed(events).await?;
    for (index, refusal) in fed.refused {
        let index = indexes.get(index).copied().unwrap_or(index);
        let code = refusal.code.to_owned();
        refused.push(RefusedLine { index, code, message: refusal.message });
    }
    refused.sort_by_key(|line| line.index);
    count(&indexes, &refused);
    Ok(ReportsTaken { taken: fed.taken, refused, ..ReportsTaken::at(fed.revision) })
}

/// The route with what its body may be. An item that is no report is refused by itself, so an array may hold anything.
pub fn described(mut route: Route) -> Route {
    let line = route.shape::<ReportLine>();
    let array =
        ArrayBuilder::new().items(line.clone()).min_items(Some(1)).max_items(Some(LINE_COUNT_MAX));
    let one = json!({"vantage": "ams-1", "subject": "fra/web", "status": "down", "reason": "connect: timed out"});
    let either = OneOfBuilder::new().item(line.clone()).item(array);
    let whole = Content::builder().schema(Some(either)).example(Some(one.clone())).build();
    // One schema for each line: what OpenAPI 3.1 has no word for yet.
    let lines = Content::builder().example(Some(format!("{one}\n").into())).build();
    route.reads_as(&[(JSON, whole), ("application/x-ndjson", lines)])
}

/// Takes `count` items from what the caller may send, sound or not: a sender of nonsense costs as much.
fn pay(desk: &Desk, caller: &Caller, count: usize) -> Result<(), Refused> {
    desk.gate.items.take(&caller.share(), count, Instant::now()).map_err(|wait| {
        metrics::counter!("homing_reports_limited_total").increment(count as u64);
        let detail = format!("{count} items are more than may be sent now; nothing was taken");
        Refused::too_much("too-many-items", detail, wait)
    })
}

/// The event that a line stands for, if the caller may report it.
fn event_of(line: ReportLine, desk: &Desk, caller: &Caller) -> Result<Event, ReportError> {
    let denied = |code, message| ReportError { code, message };
    let identity = caller.identity(&line.vantage).ok_or_else(|| {
        let message = format!("this token may not report as {}", line.vantage);
        denied("not-your-vantage", message)
    })?;
    let event = line.into_event(identity, || desk.writer.next_place())?;
    match &event {
        Event::Report(report) if !caller.reaches(&report.subject) => {
            Err(denied("out-of-reach", format!("this token is not good for {}", report.subject)))
        }
        _ => Ok(event),
    }
}

/// Nothing was taken: a sender that looks at the status alone is told too.
fn in_vain(refused: Vec<RefusedLine>) -> Refused {
    let mut told = match refused.as_slice() {
        [only] => Refused::unprocessable(&only.code, only.message.clone()),
        _ => Refused::unprocessable("all-refused", "none of the reports was taken; see refused"),
    };
    told.problem.refused = refused;
    told
}

fn count(indexes: &[usize], refused: &[RefusedLine]) {
    let lines = u64::try_from(indexes.len()).unwrap_or(u64::MAX);
    metrics::counter!("homing_reports_received_total").increment(lines);
    for line in refused {
        metrics::counter!("homing_reports_refused_total", "code" => line.code.clone()).increment(1);
    }
}
