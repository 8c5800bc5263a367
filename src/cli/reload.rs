//! `homing reload`: has a server read its files now, and tells the outcome.

use ureq::http::Method;

use crate::api::Reloaded;

use super::args::{Format, ReloadArgs};
use super::client::Client;
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::{Colour, Paint, print};

/// Exits as `check` does: 1 when a file is refused.
pub fn run(args: &ReloadArgs) -> Result<u8, Failure> {
    let client = Client::new(&args.server.server);
    if !args.wait {
        let none = serde_json::json!({});
        client.send_json::<serde_json::Value>(Method::POST, "/v1/reload?wait=false", &none)?;
        print("the files are read now; see homing status\n");
        return Ok(0);
    }
    let none = serde_json::json!({});
    let outcome: Reloaded = client.send_json(Method::POST, "/v1/reload", &none)?;
    let errors = outcome.diagnostics.iter().filter(|d| d.severity == "error").count();
    match args.format {
        Format::Json => print(&format!("{}\n", serde_json::json!(outcome))),
        Format::Human => print(&human(&outcome, errors, Paint::for_stdout())),
    }
    Ok(if errors > 0 { EXIT_REFUSED } else { 0 })
}

fn human(outcome: &Reloaded, errors: usize, paint: Paint) -> String {
    let mut text = String::new();
    for diagnostic in &outcome.diagnostics {
        text.push_str(&diagnostic.text);
        text.push_str("\n\n");
    }
    let mut line = serves(outcome);
    let colour = if errors > 0 { Colour::Red } else { Colour::Green };
    if errors > 0 {
        line.push_str(&format!("; {errors} error(s)"));
        if outcome.pin.is_none() {
            line.push_str(", the last good form of each file serves on");
        }
    }
    text.push_str(&paint.text(colour, &line));
    text.push('\n');
    text
}

/// What serves, and what of the disk does not.
fn serves(outcome: &Reloaded) -> String {
    let generation = outcome.generation;
    if let Some(pin) = &outcome.pin {
        let differ = match outcome.pending.as_ref().map_or(0, |pending| pending.count) {
            0 => "the disk holds the same".to_owned(),
            1 => "1 file differs on the disk".to_owned(),
            count => format!("{count} files differ on the disk"),
        };
        let (why, who) = (&pin.why, &pin.who);
        return format!("generation {generation} is pinned ({why}; {who}); {differ}");
    }
    let serves = if outcome.changed { "now serves" } else { "unchanged" };
    format!("generation {generation} {serves}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PendingBody, PinBody};

    #[test]
    fn the_outcome_is_one_line() {
        let outcome = Reloaded { generation: 7, changed: true, ..Reloaded::default() };
        assert_eq!(human(&outcome, 0, Paint::plain()), "generation 7 now serves\n");
        let (why, who) = ("bad push".to_owned(), "ana".to_owned());
        let pin = Some(PinBody { generation: 7, why, who, ..PinBody::default() });
        let pending = Some(PendingBody { count: 2, ..PendingBody::default() });
        let outcome = Reloaded { pin, pending, ..outcome };
        assert_eq!(
            human(&outcome, 0, Paint::plain()),
            "generation 7 is pinned (bad push; ana); 2 files differ on the disk\n"
        );
    }
}
