//! Reports and heartbeats as the feed sends them: one object, an array of them, or one a line (NDJSON).

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::health::{Boot, Event, Identity, Report, Status, Subject};
use crate::number::Revision;

/// Items that one request may hold. A guess, to be measured: at 100 octets each they fill the body's bound.
pub const LINE_COUNT_MAX: usize = 10_000;

/// Octets of a vantage's name, and of a reason.
const TEXT_LEN_MAX: usize = 200;

/// One report or one heartbeat. `boot` and `seq` may both be left out, by a person with `curl`: the server then takes
/// its own clock for a boot, so that every such report is newer than the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportLine {
    /// Who looked.
    pub vantage: String,
    /// Its boot: any number that grows with each start, such as the time of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uint64")]
    pub boot: Option<u64>,
    /// Its sequence number within the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uint64")]
    pub seq: Option<u64>,
    /// Whether it only reaffirms all its last words; then there is no subject, status, load or reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heartbeat: bool,
    /// Of what: `region/pool/address`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it saw: `up`, `degraded` or `down`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Load, in the unit of the region's capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// Why, in the vantage's words; at most 200 octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What came of a request with reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportsTaken {
    /// The log's position after them; everything taken is durable.
    pub revision: u64,
    /// How many were taken.
    pub taken: usize,
    /// The rest, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedLine>,
}

/// A line of the answer to a stream of reports: what came of those that arrived since the line before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamAnswer {
    /// How many items of the stream are settled by now: taken, and durable, or refused. Whoever was cut off sends those
    /// after them again, and what comes twice is known.
    pub items: usize,
    /// The log's position after them.
    pub revision: u64,
    /// How many of these were taken.
    pub taken: usize,
    /// The rest of these, and why; the first item of the stream has index 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedLine>,
    /// In the last line, if the stream was not ended by its sender: `line-too-long`, `not-text`, `too-slow`, `stopping`,
    /// `not-welcome`, or why the log cannot be written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub end: String,
    /// … and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// One report that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedLine {
    /// Its place in the request, from 0.
    pub index: usize,
    /// A stable short name, such as `duplicate`.
    pub code: String,
    /// What is wrong, and how to mend it.
    pub message: String,
}

/// Why an item is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportError {
    /// A stable short name.
    pub code: &'static str,
    /// What is wrong, and how to mend it.
    pub message: String,
}

impl ReportLine {
    /// The event that it stands for, from a sender of this `identity`. `next_place` is asked for boot and seq where the line
    /// has none.
    pub fn into_event(
        self,
        identity: Identity,
        next_place: impl FnOnce() -> (u64, u64),
    ) -> Result<Event, ReportError> {
        name_of_vantage(&self.vantage)?;
        let (boot, seq) = match (self.boot, self.seq) {
            (Some(boot), Some(seq)) => (Boot(boot), seq),
            (None, None) => {
                let (boot, seq) = next_place();
                (Boot(boot), seq)
            }
            _ => {
                return Err(error(
                    "boot-and-seq",
                    "boot and seq go together: give both or neither",
                ));
            }
        };
        let vantage: Box<str> = self.vantage.into();
        if self.heartbeat {
            if self.subject.is_some() || self.status.is_some() {
                return Err(error(
                    "heartbeat-with-subject",
                    "a heartbeat has no subject or status",
                ));
            }
            return Ok(Event::Heartbeat { vantage, boot, seq });
        }
        let subject = self.subject.ok_or_else(|| {
            error("no-subject", "subject is missing: region/pool/address, or \"heartbeat\": true")
        })?;
        let subject = Subject::parse(&subject).map_err(|e| error("bad-subject", e.to_string()))?;
        let status = status_of(self.status.as_deref())?;
        if self.load.is_some_and(|load| !load.is_finite() || load < 0.0) {
            return Err(error("bad-load", "load is a number from 0"));
        }
        let reason = self.reason.map(|reason| clip(&reason).into());
        Ok(Event::Report(Report {
            vantage,
            identity,
            boot,
            seq,
            subject,
            status,
            load: self.load,
            reason,
        }))
    }
}

/// A list would be read as the fields in their order, which nobody means.
const OBJECT: &str = "a report is a JSON object: {\"vantage\": …, \"subject\": …, \"status\": …}";

/// Reads a body: an object, an array, or one object a line. An item that is no report is refused by itself; what is
/// not JSON at all, outside NDJSON, refuses the whole.
pub fn read_lines(body: &[u8]) -> Result<Vec<Result<ReportLine, ReportError>>, ReportError> {
    let start = body.iter().find(|b| !b.is_ascii_whitespace());
    match start {
        None => Err(error("empty-body", "the body is empty: send one report, an array, or NDJSON")),
        Some(b'[') => read_array(body),
        Some(_) => read_stream(body),
    }
}

fn read_array(body: &[u8]) -> Result<Vec<Result<ReportLine, ReportError>>, ReportError> {
    let items: Vec<serde_json::Value> = serde_json::from_slice(body)
        .map_err(|e| error("not-json", format!("the body is not a JSON array: {e}")))?;
    if items.is_empty() {
        return Err(error("empty-body", "the array is empty: send one report at least"));
    }
    within_bound(items.len())?;
    let read = |item: serde_json::Value| match item.is_object() {
        true => serde_json::from_value(item).map_err(|e| error("bad-report", e.to_string())),
        false => Err(error("bad-report", OBJECT)),
    };
    Ok(items.into_iter().map(read).collect())
}

/// One object over any number of lines, or one object a line.
fn read_stream(body: &[u8]) -> Result<Vec<Result<ReportLine, ReportError>>, ReportError> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        return Ok(vec![read_item(body)]);
    }
    let lines: Vec<&[u8]> =
        body.split(|&b| b == b'\n').filter(|l| !l.trim_ascii().is_empty()).collect();
    within_bound(lines.len())?;
    if lines.len() == 1 {
        let cause = serde_json::from_slice::<serde::de::IgnoredAny>(body).err();
        let cause = cause.map(|e| e.to_string()).unwrap_or_default();
        return Err(error("not-json", format!("the body is not JSON: {cause}")));
    }
    Ok(lines.into_iter().map(read_item).collect())
}

/// Reads one report: a JSON object.
pub fn read_item(text: &[u8]) -> Result<ReportLine, ReportError> {
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(error("bad-report", OBJECT));
    }
    serde_json::from_slice(text).map_err(|e| error("bad-report", e.to_string()))
}

fn within_bound(count: usize) -> Result<(), ReportError> {
    if count <= LINE_COUNT_MAX {
        return Ok(());
    }
    let message = format!("{count} reports in one request; at most {LINE_COUNT_MAX} are taken");
    Err(error("too-many-reports", message))
}

fn name_of_vantage(name: &str) -> Result<(), ReportError> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    if name.is_empty() || name.len() > TEXT_LEN_MAX || !name.chars().all(plain) {
        let message = "vantage is a name of 1 to 200 octets without spaces";
        return Err(error("bad-vantage", message));
    }
    Ok(())
}

fn status_of(word: Option<&str>) -> Result<Status, ReportError> {
    match word {
        Some("up") => Ok(Status::Up),
        Some("degraded") => Ok(Status::Degraded),
        Some("down") => Ok(Status::Down),
        Some(other) => {
            Err(error("bad-status", format!("status {other:?} is not up, degraded or down")))
        }
        None => Err(error("no-status", "status is missing: up, degraded or down")),
    }
}

/// The text, cut to its bound at a character.
fn clip(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LEN_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn error(code: &'static str, message: impl Into<String>) -> ReportError {
    ReportError { code, message: message.into() }
}

impl ReportsTaken {
    /// What came of a request after which the log stands at `revision`.
    pub fn at(revision: Revision) -> ReportsTaken {
        ReportsTaken { revision: revision.0, ..ReportsTaken::default() }
    }

    /// Whether something was refused for another reason than that it had come before.
    pub fn has_fault(&self) -> bool {
        self.refused.iter().any(|line| line.code != "duplicate")
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &[&str]) {
        let shown: Vec<String> = match read_lines(body.as_bytes()) {
            Err(e) => vec![format!("whole: {}", e.code)],
            Ok(lines) => lines
                .into_iter()
                .map(|line| match line {
                    Ok(line) => format!("{} {:?}", line.vantage, line.status),
                    Err(e) => e.code.to_owned(),
                })
                .collect(),
        };
        assert_eq!(shown, expected, "{body}");
    }

    #[test]
    fn a_body_is_one_report_an_array_or_lines() {
        let one = r#"{"vantage":"a","boot":1,"seq":2,"subject":"fra","status":"up"}"#;
        check(one, &["a Some(\"up\")"]);
        check(&format!("[{one},\n{one}]"), &["a Some(\"up\")"; 2]);
        check(&format!("{one}\n\n{one}\n"), &["a Some(\"up\")"; 2]);
        check("{\n \"vantage\": \"b\"\n}", &["b None"]);
        check(&format!("{one}\nnot json\n"), &["a Some(\"up\")", "bad-report"]);
        check(&format!("[{one}, 5]"), &["a Some(\"up\")", "bad-report"]);
        check(r#"{"vantage":"a","colour":"red"}"#, &["bad-report"]);
        check(&format!("[{one}, [\"a\"]]"), &["a Some(\"up\")", "bad-report"]);
        check("", &["whole: empty-body"]);
        check("[]", &["whole: empty-body"]);
        check("hello", &["whole: not-json"]);
        check("[{]", &["whole: not-json"]);
        check(&format!("[{}1]", "1,".repeat(LINE_COUNT_MAX)), &["whole: too-many-reports"]);
    }

    #[test]
    fn what_a_line_lacks_is_named() {
        for (body, code) in [
            (r#"{"vantage":""}"#, "bad-vantage"),
            (r#"{"vantage":"a b"}"#, "bad-vantage"),
            (r#"{"vantage":"a","boot":1}"#, "boot-and-seq"),
            (r#"{"vantage":"a","boot":1,"seq":1}"#, "no-subject"),
            (r#"{"vantage":"a","heartbeat":true,"subject":"fra"}"#, "heartbeat-with-subject"),
        ] {
            let line = read_item(body.as_bytes()).unwrap();
            assert_eq!(
                line.into_event(Identity::Claimed, || (7, 3)).unwrap_err().code,
                code,
                "{body}"
            );
        }
    }

    #[test]
    fn a_report_without_boot_and_seq_gets_the_next() {
        let line = read_item(br#"{"vantage":"a","heartbeat":true}"#).unwrap();
        let beat = Event::Heartbeat { vantage: "a".into(), boot: Boot(7), seq: 3 };
        assert_eq!(line.into_event(Identity::Claimed, || (7, 3)), Ok(beat));
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        assert_eq!(clip(&"é".repeat(150)).len(), TEXT_LEN_MAX);
        assert_eq!(clip("short"), "short");
    }
}
