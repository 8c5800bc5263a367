//! The health settings as `[health]` of homing.toml and `[pools.X.health]` write them, and
//! durations. One definition.

use toml::de::DeTable;

use crate::diagnostic::Diagnostic;
use crate::health::{Failback, Settings, Status};

use super::reader::{Reader, Source, Value};

/// The longest duration that a setting takes, unless it says otherwise: 366 days.
const DURATION_MILLIS_MAX: u64 = 366 * 86_400_000;

/// Some of the health settings; what is none is left as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthPatch {
    /// See [`Settings::quorum`].
    pub quorum: Option<u32>,
    /// See [`Settings::rise`].
    pub rise: Option<u32>,
    /// See [`Settings::fall`].
    pub fall: Option<u32>,
    /// See [`Settings::interval_millis`].
    pub interval_millis: Option<u64>,
    /// See [`Settings::hold_down_millis`].
    pub hold_down_millis: Option<u64>,
    /// See [`Settings::failback`].
    pub failback: Option<Failback>,
    /// See [`Settings::start`].
    pub start: Option<Status>,
    /// See [`Settings::at_least`].
    pub at_least: Option<u32>,
    /// See [`Settings::max_down_share`].
    pub max_down_share: Option<f64>,
}

impl HealthPatch {
    /// `base`, with what this patch sets.
    pub fn over(&self, base: &Settings) -> Settings {
        Settings {
            quorum: self.quorum.unwrap_or(base.quorum),
            rise: self.rise.unwrap_or(base.rise),
            fall: self.fall.unwrap_or(base.fall),
            interval_millis: self.interval_millis.unwrap_or(base.interval_millis),
            hold_down_millis: self.hold_down_millis.unwrap_or(base.hold_down_millis),
            failback: self.failback.unwrap_or(base.failback),
            start: self.start.unwrap_or(base.start),
            at_least: self.at_least.unwrap_or(base.at_least),
            max_down_share: self.max_down_share.unwrap_or(base.max_down_share),
        }
    }
}

/// Reads the `[health]` table of a whole file such as homing.toml; its other tables are not looked
/// at, and its syntax errors are left to whoever reads them.
pub fn parse_health(path: &str, text: &[u8]) -> (HealthPatch, Vec<Diagnostic>) {
    let Ok(source) = Source::new(path, text) else { return Default::default() };
    let top = Reader::new(&source).top();
    let mut reader = Reader::new(&source);
    let mut patch = HealthPatch::default();
    if let Some(value) = top.get("health")
        && let Some(table) = reader.table(value, "`health`")
    {
        patch = read_health(&mut reader, table, "[health]");
    }
    (patch, reader.finish())
}

/// Reads a table of health settings; `within` names it in messages.
pub fn read_health(reader: &mut Reader<'_>, table: &DeTable<'_>, within: &str) -> HealthPatch {
    const KEYS: [&str; 9] = [
        "quorum",
        "rise",
        "fall",
        "interval",
        "hold_down",
        "failback",
        "start",
        "at_least",
        "max_down_share",
    ];
    const STARTS: [(&str, Status); 3] =
        [("up", Status::Up), ("degraded", Status::Degraded), ("down", Status::Down)];
    reader.only_keys(table, &KEYS, within);
    let mut integer = |key: &str, min, max| {
        table.get(key).and_then(|value| reader.integer(value, &format!("`{key}`"), min, max))
    };
    let mut patch = HealthPatch {
        quorum: integer("quorum", 1, 1000),
        rise: integer("rise", 1, 1000),
        fall: integer("fall", 1, 1000),
        at_least: integer("at_least", 0, 1000),
        ..HealthPatch::default()
    };
    // Below 100 ms a vantage would be a load of its own; above a day its silence tells nothing. A
    // guess.
    let interval = table.get("interval");
    patch.interval_millis =
        interval.and_then(|v| read_duration(reader, v, "`interval`", 100, 86_400_000));
    let hold_down = table.get("hold_down");
    patch.hold_down_millis =
        hold_down.and_then(|v| read_duration(reader, v, "`hold_down`", 0, DURATION_MILLIS_MAX));
    patch.failback = table.get("failback").and_then(|value| read_failback(reader, value));
    patch.start = table.get("start").and_then(|value| reader.word(value, "`start`", &STARTS));
    patch.max_down_share = table
        .get("max_down_share")
        .and_then(|value| reader.number(value, "`max_down_share`", 0.0, 1.0));
    patch
}

/// Reads a duration of `min` to `max` milliseconds.
pub fn read_duration(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    what: &str,
    min: u64,
    max: u64,
) -> Option<u64> {
    let text = reader.text(value, what)?;
    let help = "a number and a unit: 250ms, 10s, 5m, 1h30m, 7d";
    let Some(millis) = parse_up_to(text, max.max(DURATION_MILLIS_MAX)) else {
        let message = format!("{what} is not a duration: `{text}`");
        reader.error("not-a-duration", &value.span(), message, help);
        return None;
    };
    if !(min..=max).contains(&millis) {
        let range = format!("from {} to {}", show_duration(min), show_duration(max));
        reader.error("out-of-range", &value.span(), format!("{what} is {text}"), range);
        return None;
    }
    Some(millis)
}

fn read_failback(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Failback> {
    let text = reader.text(value, "`failback`")?;
    let after = text.strip_prefix("after ").and_then(|rest| parse_duration(rest.trim()));
    let found = match (text, after) {
        ("at once", _) => Some(Failback::AtOnce),
        ("by hand", _) => Some(Failback::ByHand),
        (_, after) => after.map(Failback::AfterMillis),
    };
    if found.is_none() {
        let help = "\"at once\", \"after 5m\", or \"by hand\"";
        let message = format!("`failback` cannot be `{text}`");
        reader.error("unknown-word", &value.span(), message, help);
    }
    found
}

/// Milliseconds of a duration such as `250ms`, `10s`, `5m`, `1h30m` or `7d`: numbers with units,
/// largest unit first. None for anything else, and above 366 days.
pub fn parse_duration(text: &str) -> Option<u64> {
    parse_up_to(text, DURATION_MILLIS_MAX)
}

fn parse_up_to(text: &str, max_millis: u64) -> Option<u64> {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let mut rest = text;
    let mut units = &UNITS[..];
    let mut total = 0u64;
    while !rest.is_empty() || total == 0 && units.len() == UNITS.len() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters)?;
        let at = units.iter().position(|&(name, _)| name == unit)?;
        let millis = units.get(at)?.1;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(millis)?)?;
        units = units.get(at + 1..)?;
        rest = after;
    }
    (total <= max_millis).then_some(total)
}

fn show_duration(millis: u64) -> String {
    match millis {
        0 => "0s".to_owned(),
        ms if ms % 86_400_000 == 0 => format!("{}d", ms / 86_400_000),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("250ms", Some(250)),
            ("10s", Some(10_000)),
            ("0s", Some(0)),
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("7d", Some(604_800_000)),
            ("", None),
            ("10", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("30m1h", None),
            ("1s1s", None),
            ("10 s", None),
            ("367d", None),
            ("99999999999999999999d", None),
            ("1é", None),
        ] {
            assert_eq!(parse_duration(text), millis, "{text}");
        }
    }

    #[test]
    fn health_is_read_whole_and_every_mistake_told() {
        let good = "[site]\nname = 'x'\n[health]\nquorum = 2\nrise = 3\nfall = 2\n\
                    interval = '5s'\nhold_down = '1m'\n\
                    failback = 'after 5m'\nstart = 'down'\nat_least = 2\nmax_down_share = 1\n";
        let (patch, diagnostics) = parse_health("homing.toml", good.as_bytes());
        assert_eq!(diagnostics, []);
        let settings = Settings {
            quorum: 2,
            rise: 3,
            fall: 2,
            interval_millis: 5000,
            hold_down_millis: 60_000,
            failback: Failback::AfterMillis(300_000),
            start: Status::Down,
            at_least: 2,
            max_down_share: 1.0,
        };
        assert_eq!(patch.over(&Settings::default()), settings);
        let bad = "[health]\nquorum = 0\nris = 3\ninterval = '5'\nfailback = 'never'\n\
                   max_down_share = 1.5\n\
                   start = 3\nfall = -1\nhold_down = '9999d'\n";
        let (patch, diagnostics) = parse_health("homing.toml", bad.as_bytes());
        assert_eq!(patch, HealthPatch::default());
        let mut codes: Vec<&str> = diagnostics.iter().map(|d| d.code).collect();
        codes.sort();
        assert_eq!(
            codes,
            [
                "not-a-duration",
                "not-a-duration",
                "out-of-range",
                "out-of-range",
                "out-of-range",
                "unknown-key",
                "unknown-word",
                "wrong-type"
            ]
        );
    }
}
