//! What verdicts rest upon, in words: the vantages, how old the evidence is, and what could change next.

use crate::api::{EndpointHealth, StatusBody};

use super::paint::{Colour, Columns, Paint};

/// Vantages shown to people one by one.
const VANTAGE_COUNT_SHOWN: usize = 20;

/// What could change an endpoint next; none where nothing is under way.
pub fn next(endpoint: &EndpointHealth, now: &str) -> Option<String> {
    let by = endpoint.next_reason.as_deref().unwrap_or("change");
    let Some(at) = endpoint.next_change.as_deref() else {
        let subject = format!("{}/{}/{}", endpoint.region, endpoint.pool, endpoint.address);
        let waits = endpoint.next_reason.as_deref() == Some("awaits-failback");
        return waits.then(|| format!("waits for: homing override {subject} accept"));
    };
    // What was possible at an hour that has passed is possible at any time now.
    let left = age(now, at).map_or("any time".to_owned(), |left| format!("in {left}"));
    Some(match by {
        "expires" => format!("expires {left}"),
        by if by == endpoint.reason => format!("could change {left}"),
        by => format!("could change {left} ({by})"),
    })
}

/// How old the evidence of all verdicts is, where that is not as it should be; none while nobody ever reported.
pub fn age_of_all(status: &StatusBody) -> Option<(String, Colour)> {
    let ages = &status.evidence;
    let reported = ages.fresh + ages.stale + ages.frozen;
    if reported == 0 {
        return None;
    }
    let heard = status.vantages.iter().map(|it| it.heard.as_str()).max().unwrap_or_default();
    let since = age(heard, &status.now).unwrap_or_else(|| "a moment".to_owned());
    Some(if ages.frozen == reported {
        let words = format!("frozen: no vantage has spoken for {since}; the last verdicts hold");
        (words, Colour::Red)
    } else if ages.frozen + ages.stale > 0 {
        let words = format!(
            "{} fresh, {} stale, {} frozen; the last verdicts hold where not fresh",
            ages.fresh, ages.stale, ages.frozen
        );
        (words, Colour::Yellow)
    } else {
        (format!("{} fresh", ages.fresh), Colour::Plain)
    })
}

/// The vantages, each on one line; nothing where nobody ever spoke.
pub fn vantages(status: &StatusBody, paint: Paint) -> String {
    if status.vantages.is_empty() {
        return String::new();
    }
    let mut columns = Columns::default();
    for vantage in status.vantages.iter().take(VANTAGE_COUNT_SHOWN) {
        let colour = if vantage.state == "fresh" { Colour::Green } else { Colour::Red };
        let heard = age(&vantage.heard, &status.now);
        let heard = heard.map_or("just now".to_owned(), |age| format!("{age} ago"));
        let heard = format!("heard {heard}, boot {} seq {}", vantage.boot, vantage.seq);
        let counts = [
            (vantage.up, "up"),
            (vantage.degraded, "degraded"),
            (vantage.down, "down"),
            (vantage.undecided, "undecided"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let holds: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        let holds = if holds.is_empty() { "holds nothing".to_owned() } else { holds.join(", ") };
        columns.row([
            (&vantage.name, Colour::Plain),
            (&vantage.state, colour),
            (&heard, Colour::Dim),
            (&holds, Colour::Plain),
        ]);
    }
    let mut text = format!("{}\n{}", paint.text(Colour::Bold, "vantages"), columns.render(paint));
    let more = status.vantages.len().saturating_sub(VANTAGE_COUNT_SHOWN);
    if more > 0 {
        text.push_str(&paint.text(Colour::Dim, &format!("  and {more} more\n")));
    }
    text
}

/// How long it is from one timestamp to another, in its largest unit; none if they cannot be read or are the other way
/// round.
pub fn age(from: &str, to: &str) -> Option<String> {
    let [from, to]: [jiff::Timestamp; 2] = [from.parse().ok()?, to.parse().ok()?];
    let secs = to.as_second().checked_sub(from.as_second()).filter(|secs| *secs >= 0)?;
    Some(match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..172_800 => format!("{} h", secs / 3_600),
        _ => format!("{} d", secs / 86_400),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EvidenceBody, VantageBody};

    const NOW: &str = "2026-11-21T12:00:00Z";

    fn endpoint(reason: &str, next: Option<&str>, by: Option<&str>) -> EndpointHealth {
        EndpointHealth {
            region: "fra".into(),
            pool: "web".into(),
            address: "192.0.2.10".into(),
            reason: reason.into(),
            next_change: next.map(str::to_owned),
            next_reason: by.map(str::to_owned),
            ..EndpointHealth::default()
        }
    }

    #[test]
    fn what_could_change_next_is_told_with_its_reason() {
        let soon = Some("2026-11-21T12:00:12Z");
        for (reason, at, by, told) in [
            ("quorum", None, None, None),
            ("held-down", soon, Some("held-down"), Some("could change in 12 s")),
            ("quorum", soon, Some("held-down"), Some("could change in 12 s (held-down)")),
            ("overridden", soon, Some("expires"), Some("expires in 12 s")),
            ("quorum", Some("2026-11-21T11:59:59Z"), Some("quorum"), Some("could change any time")),
            (
                "awaits-failback",
                None,
                Some("awaits-failback"),
                Some("waits for: homing override fra/web/192.0.2.10 accept"),
            ),
        ] {
            assert_eq!(next(&endpoint(reason, at, by), NOW).as_deref(), told, "{reason} {by:?}");
        }
    }

    #[test]
    fn silence_of_all_is_told_as_frozen_and_silence_of_one_as_missing() {
        let vantage = |name: &str, state: &str, heard: &str| VantageBody {
            name: name.into(),
            state: state.into(),
            boot: 7,
            seq: 42,
            heard: heard.into(),
            up: 3,
            down: 1,
            ..VantageBody::default()
        };
        let evidence = EvidenceBody { frozen: 4, never: 2, ..EvidenceBody::default() };
        let vantages_of = vec![vantage("v1", "missing", "2026-11-21T11:00:00Z")];
        let mut status = StatusBody {
            now: NOW.into(),
            evidence,
            vantages: vantages_of,
            ..StatusBody::default()
        };
        let told = age_of_all(&status).unwrap();
        let words = "frozen: no vantage has spoken for 60 min; the last verdicts hold";
        assert_eq!(told, (words.to_owned(), Colour::Red));
        status.evidence = EvidenceBody { fresh: 3, stale: 1, ..EvidenceBody::default() };
        status.vantages.push(vantage("v2", "fresh", "2026-11-21T11:59:55Z"));
        let words = "3 fresh, 1 stale, 0 frozen; the last verdicts hold where not fresh";
        assert_eq!(age_of_all(&status).unwrap(), (words.to_owned(), Colour::Yellow));
        assert_eq!(
            vantages(&status, Paint::plain()),
            "vantages\n  v1  missing  heard 60 min ago, boot 7 seq 42  3 up, 1 down\n  \
             v2  fresh    heard 5 s ago, boot 7 seq 42     3 up, 1 down\n"
        );
        status.evidence = EvidenceBody { never: 6, ..EvidenceBody::default() };
        assert_eq!(age_of_all(&status), None, "nobody ever reported: the start verdicts hold");
    }
}
