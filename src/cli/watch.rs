//! `homing watch`: what happens, as it happens, a line each. Cut off, it comes again and goes on exactly where it was.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::api::{AlarmBody, AlarmChange, Turn, WatchEnd, WatchEvent, WatchStart, WatchWhat};

use super::args::WatchArgs;
use super::client::{Client, ClientError};
use super::failure::Failure;
use super::paint::{Colour, Paint};

/// The server shows that it lives every 15 s; one that is silent for longer than this is gone.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// Before the second try, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// One event of the stream (WHATWG HTML §9.2.6).
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    /// Empty where the stream does not say: an event of the log.
    name: String,
    data: String,
}

/// Why the watch of one connection is over.
enum Over {
    /// It may come again: the cause.
    CutOff(String),
    /// Nobody reads any more what is printed.
    Unread,
    /// It makes no sense to come again.
    Failed(Failure),
}

/// Watches until it is told to end.
pub fn run(args: &WatchArgs) -> Result<u8, Failure> {
    let client = Client::new(&args.server.server);
    let mut watch = Watch { seen: args.from, json: args.json, paint: Paint::for_stdout() };
    let mut pause = PAUSES.0;
    loop {
        let before = watch.seen;
        let cause = match watch.follow(&client) {
            Over::CutOff(cause) => cause,
            Over::Unread => return Ok(0),
            Over::Failed(failure) => return Err(failure),
        };
        if watch.seen != before {
            pause = PAUSES.0;
        }
        let from = watch.seen.map(|seen| format!(" after revision {seen}")).unwrap_or_default();
        eprintln!("homing: {cause}; goes on{from} in {} s", pause.as_secs());
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

struct Watch {
    /// The last revision that was printed, or after which to begin.
    seen: Option<u64>,
    json: bool,
    paint: Paint,
}

impl Watch {
    fn follow(&mut self, client: &Client) -> Over {
        let path =
            self.seen.map_or("/v1/watch".to_owned(), |seen| format!("/v1/watch?from={seen}"));
        let mut stream = match client.stream(&path, SILENCE_MAX) {
            Ok(stream) => BufReader::new(stream),
            // A server that starts again, or is busy, will answer in a while.
            Err(error @ ClientError::Unreachable { .. }) => return Over::CutOff(error.to_string()),
            Err(ClientError::Refused(problem)) if problem.status >= 500 => {
                return Over::CutOff(format!("{}: {}", problem.code, problem.detail));
            }
            Err(error) => return Over::Failed(error.into()),
        };
        loop {
            let sent = match next(&mut stream) {
                Ok(Some(sent)) => sent,
                Ok(None) => return Over::CutOff("the server ended the watch".to_owned()),
                Err(error) => return Over::CutOff(error.to_string()),
            };
            if let Err(over) = self.take(&sent) {
                return over;
            }
        }
    }

    fn take(&mut self, sent: &Sent) -> Result<(), Over> {
        match sent.name.as_str() {
            "" => {
                let event: WatchEvent = read(sent)?;
                self.print(&sent.data, &self.lines(&event))?;
                self.seen = Some(event.revision);
            }
            "start" => {
                let start: WatchStart = read(sent)?;
                self.seen = Some(start.revision);
                let lines = start
                    .alarms
                    .iter()
                    .map(|alarm| self.alarm("stands", alarm))
                    .collect::<String>();
                self.print(&sent.data, &lines)?;
            }
            "alarm" => {
                let AlarmChange { change, alarm } = read(sent)?;
                self.print(&sent.data, &self.alarm(&change, &alarm))?;
            }
            "end" => {
                let end: WatchEnd = read(sent)?;
                let said = format!("{}: {}", end.code, end.detail);
                return Err(match end.code.as_str() {
                    "not-welcome" | "too-old" => Over::Failed(Failure::refused(said)),
                    _ => Over::CutOff(said),
                });
            }
            // Of a later version.
            _ => {}
        }
        Ok(())
    }

    fn print(&self, json: &str, lines: &str) -> Result<(), Over> {
        let mut out = std::io::stdout().lock();
        let written = match self.json {
            true => writeln!(out, "{json}"),
            false => out.write_all(lines.as_bytes()),
        };
        written.and_then(|()| out.flush()).map_err(|_| Over::Unread)
    }

    /// An event for people: what happened, and indented what came of it.
    fn lines(&self, event: &WatchEvent) -> String {
        let place = format!("{} {:>6}", clock(&event.at), event.revision);
        let mut text = format!("{} {}\n", self.paint.text(Colour::Dim, &place), what(&event.what));
        for Turn { subject, was, status, reason, evidence, .. } in &event.turned {
            let colour = match status.as_str() {
                "up" => Colour::Green,
                "degraded" => Colour::Yellow,
                _ => Colour::Red,
            };
            let moved = if was == status { status.clone() } else { format!("{was} -> {status}") };
            text.push_str(&format!(
                "  {subject} {} ({reason}, {evidence})\n",
                self.paint.text(colour, &moved)
            ));
        }
        if event.turned_more > 0 {
            text.push_str(&format!("  and {} more; homing status has all\n", event.turned_more));
        }
        for AlarmChange { change, alarm } in &event.alarms {
            text.push_str(&self.alarm(change, alarm));
        }
        text
    }

    fn alarm(&self, change: &str, AlarmBody { alarm, words, severity, .. }: &AlarmBody) -> String {
        let colour = match (change, severity.as_str()) {
            ("cleared", _) => Colour::Green,
            (_, "critical") => Colour::Red,
            _ => Colour::Yellow,
        };
        format!("  {} {words}\n", self.paint.text(colour, &format!("alarm {alarm} {change}:")))
    }
}

/// The next event of a stream; none at its end. What is cut off within an event is not one.
fn next(stream: &mut impl BufRead) -> std::io::Result<Option<Sent>> {
    let mut sent = Sent::default();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.by_ref().take(LINE_OCTETS_MAX).read_line(&mut line)? == 0 || !line.ends_with('\n')
        {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            if !sent.data.is_empty() {
                return Ok(Some(sent));
            }
            sent = Sent::default();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut sent.name),
            "data" if sent.data.is_empty() => value.clone_into(&mut sent.data),
            "data" => sent.data.extend(["\n", value]),
            // A comment, `id`, which the data has too, `retry`.
            _ => {}
        }
    }
}

/// The longest line of a stream: an event has at most some hundred endpoints.
const LINE_OCTETS_MAX: u64 = 16 << 20;

fn read<T: DeserializeOwned>(sent: &Sent) -> Result<T, Over> {
    serde_json::from_str(&sent.data).map_err(|error| {
        let said = format!("an event is not what it should be: {error}: {}", sent.data);
        Over::Failed(Failure::cannot_run(said))
    })
}

/// The time of day of an RFC 3339 timestamp.
fn clock(at: &str) -> &str {
    at.split_once('T').map_or(at, |(_, time)| time.trim_end_matches('Z'))
}

fn what(what: &WatchWhat) -> String {
    let by = |who: &str, why: &str| {
        let who = if who.is_empty() { String::new() } else { format!(", says {who}") };
        if why.is_empty() { who } else { format!("{who}: {why}") }
    };
    let over = |millis: u64| match millis {
        0 => String::new(),
        millis => format!(" over {} s", millis.div_ceil(1000)),
    };
    match what {
        WatchWhat::Publication { generation, cause, of, who, why, .. } => {
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            let cause = if cause.is_empty() { String::new() } else { format!(" ({cause}{of})") };
            format!("publication of generation {generation}{cause}{}", by(who, why))
        }
        WatchWhat::Report { vantage, claimed, subject, status, load, because } => {
            let claimed = if *claimed { " (claimed)" } else { "" };
            let load = load.map(|load| format!(", load {load}")).unwrap_or_default();
            format!("{subject} is {status}{load}{}", by(&format!("{vantage}{claimed}"), because))
        }
        WatchWhat::Heartbeat { vantage } => format!("heartbeat of {vantage}"),
        WatchWhat::Override { subject, action, expires, who, why } => {
            format!("override of {subject}: {action} until {expires}{}", by(who, why))
        }
        WatchWhat::ClearOverride { subject, who, why } => {
            format!("override of {subject} cleared{}", by(who, why))
        }
        WatchWhat::Drain { region, to, over_millis, who, why } => {
            let kept = if *to == 0 { String::new() } else { format!(" to {to}/256") };
            format!("drain of {region}{kept}{}{}", over(*over_millis), by(who, why))
        }
        WatchWhat::Undrain { region, over_millis, who, why } => {
            format!("undrain of {region}{}{}", over(*over_millis), by(who, why))
        }
        WatchWhat::Tick => "time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut stream: &[u8]) -> Vec<Sent> {
        std::iter::from_fn(|| next(&mut stream).unwrap()).collect()
    }

    #[test]
    fn a_stream_is_read_as_the_standard_has_it() {
        let sent = |name: &str, data: &str| Sent { name: name.into(), data: data.into() };
        let text = b": keep\n\nevent: start\ndata: {}\n\nid: 7\r\ndata:{\"a\":1}\r\n\r\n\
                     retry: 5\n\ndata: x\ndata: y\n\ndata: cut";
        let expected = [sent("start", "{}"), sent("", "{\"a\":1}"), sent("", "x\ny")];
        assert_eq!(all(text), expected);
        assert_eq!(all(b"data: cut off\n"), [], "an event ends with an empty line");
    }

    #[test]
    fn an_event_is_a_line_and_what_came_of_it() {
        let event: WatchEvent = serde_json::from_str(
            r#"{"revision":42,"at":"2026-11-21T14:02:03Z","kind":"report","vantage":"par","subject":"fra/web/192.0.2.1",
                "status":"down","because":"timeout",
                "turned":[{"subject":"fra/web/192.0.2.1","was":"up","status":"down",
                "verdict":"down","reason":"down","because":"","evidence":"fresh"}],
                "turned_more":2,"alarms":[{"change":"raised","alarm":"panic",
                "subject":"web","severity":"critical","words":"too much","help":""}]}"#,
        )
        .unwrap();
        let watch = Watch { seen: None, json: false, paint: Paint::plain() };
        let expected = "14:02:03     42 fra/web/192.0.2.1 is down, says par: timeout\n  \
                        fra/web/192.0.2.1 up -> down (down, fresh)\n  \
                        and 2 more; homing status has all\n  alarm panic raised: too much\n";
        assert_eq!(watch.lines(&event), expected);
    }

    #[test]
    fn what_an_operator_did_says_who_and_why() {
        let said = |json: &str| {
            let text = format!(r#"{{"revision":1,"at":"","{json}}}"#);
            what(&serde_json::from_str::<WatchEvent>(&text).unwrap().what)
        };
        let drain = r#"kind":"drain","region":"fra","to":64,"over_millis":600000,"who":"ana","why":"works""#;
        assert_eq!(said(drain), "drain of fra to 64/256 over 600 s, says ana: works");
        let rollback =
            r#"kind":"publication","generation":9,"digest":"","cause":"rollback","of":4"#;
        assert_eq!(
            said(&format!("{rollback},\"who\":\"ana\"")),
            "publication of generation 9 (rollback of 4), says ana"
        );
        assert_eq!(said(r#"kind":"tick""#), "time");
    }
}
