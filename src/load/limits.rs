//! What clients are held to: `[tcp]`, and `[rate_limit]`, in the words that operators know from BIND.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeTable;

use crate::answer::{
    ConnectionLimits, Networks, RATE_IPV6_PREFIX_MAX, RATE_WINDOW_SECS_MAX, RateLimits,
};
use crate::route::{Reader, read_duration};

use super::resolvers::read_networks;

/// Responses a second that may be asked for: more than a core gives. 0 is no limit.
const RATE_MAX: u32 = 1_000_000;
/// Of how many one may slip or leak: a guess; BIND takes 10.
const SLIP_MAX: u32 = 1_000;
/// Accounts of a core: 8 KiB to 128 MiB of memory.
const ACCOUNTS: RangeInclusive<u32> = 1 << 10..=1 << 24;

/// Connections that may be asked for: a guess, of what memory one server may give them.
const CONNECTIONS_MAX: u32 = 1_000_000;
/// Times of a connection, in milliseconds: to the longest that a day's clients need.
const CONNECTION_MILLIS: RangeInclusive<u64> = 100..=86_400_000;

const TCP_KEYS: [&str; 6] =
    ["connections", "connections_per_client", "queries_per_connection", "idle", "life", "write"];

const KEYS: [&str; 14] = [
    "responses_per_second",
    "referrals_per_second",
    "nodata_per_second",
    "nxdomains_per_second",
    "errors_per_second",
    "all_per_second",
    "slip",
    "leak",
    "window",
    "ipv4_prefix",
    "ipv6_prefix",
    "exempt",
    "log_only",
    "accounts",
];

/// Reads `[tcp]`.
pub(super) fn read_tcp(
    limits: &mut ConnectionLimits,
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
) {
    reader.only_keys(table, &TCP_KEYS, "[tcp]");
    let counts = [
        ("connections", &mut limits.connections),
        ("connections_per_client", &mut limits.connections_per_client),
    ];
    for (key, count) in counts {
        if let Some(value) = table.get(key) {
            let read = reader.integer(value, &format!("`{key}`"), 1, CONNECTIONS_MAX);
            *count = read.map_or(*count, |read| read as usize);
        }
    }
    if let Some(value) = table.get("queries_per_connection") {
        let read = reader.integer(value, "`queries_per_connection`", 1, u32::MAX);
        limits.queries_per_connection = read.map_or(limits.queries_per_connection, u64::from);
    }
    let times =
        [("idle", &mut limits.idle), ("life", &mut limits.life), ("write", &mut limits.write)];
    for (key, time) in times {
        if let Some(value) = table.get(key) {
            let (min, max) = (*CONNECTION_MILLIS.start(), *CONNECTION_MILLIS.end());
            let read = read_duration(reader, value, &format!("`{key}`"), min, max);
            *time = read.map_or(*time, Duration::from_millis);
        }
    }
}

/// Reads `[rate_limit]`. The kinds that it does not name have the rate of records.
pub(super) fn read_rates(rates: &mut RateLimits, reader: &mut Reader<'_>, table: &DeTable<'_>) {
    reader.only_keys(table, &KEYS, "[rate_limit]");
    read_numbers(rates, reader, table);
    if let Some(value) = table.get("window") {
        let max = u64::from(RATE_WINDOW_SECS_MAX) * 1000;
        let window = read_duration(reader, value, "`window`", 1000, max);
        rates.window = window.map_or(rates.window, Duration::from_millis);
    }
    if let Some(value) = table.get("exempt")
        && let Some(list) = reader.list(value, "`exempt`")
    {
        rates.exempt = Networks::of(&read_networks(reader, value, list, "exempt"));
    }
    if let Some(value) = table.get("log_only") {
        rates.log_only = reader.boolean(value, "`log_only`").unwrap_or(rates.log_only);
    }
}

fn read_numbers(rates: &mut RateLimits, reader: &mut Reader<'_>, table: &DeTable<'_>) {
    let mut number = |key: &str, max: u32, default: u32| {
        let value = table.get(key);
        let number = value.and_then(|value| reader.integer(value, &format!("`{key}`"), 0, max));
        number.unwrap_or(default)
    };
    let kinds = &mut rates.per_second;
    kinds.responses = number("responses_per_second", RATE_MAX, kinds.responses);
    kinds.referrals = number("referrals_per_second", RATE_MAX, kinds.responses);
    kinds.nodata = number("nodata_per_second", RATE_MAX, kinds.responses);
    kinds.nxdomains = number("nxdomains_per_second", RATE_MAX, kinds.responses);
    kinds.errors = number("errors_per_second", RATE_MAX, kinds.responses);
    rates.all_per_second = number("all_per_second", RATE_MAX, rates.all_per_second);
    rates.slip = number("slip", SLIP_MAX, rates.slip);
    rates.leak = number("leak", SLIP_MAX, rates.leak);
    // No more than an address has, which fits.
    rates.ipv4_prefix = number("ipv4_prefix", 32, rates.ipv4_prefix.into()) as u8;
    let max = RATE_IPV6_PREFIX_MAX.into();
    rates.ipv6_prefix = number("ipv6_prefix", max, rates.ipv6_prefix.into()) as u8;
    if let Some(value) = table.get("accounts") {
        let count = reader.integer(value, "`accounts`", *ACCOUNTS.start(), *ACCOUNTS.end());
        rates.accounts = count.map_or(rates.accounts, |count| count as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::answer::PerClass;
    use crate::diagnostic::Diagnostic;
    use crate::geo::Prefix;
    use crate::load::Config;

    fn rates(keys: &str) -> Result<RateLimits, Vec<Diagnostic>> {
        let text = format!("[rate_limit]\n{keys}\n");
        let config = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv"));
        config.map(|config| config.rates)
    }

    #[test]
    fn every_key_is_read() {
        let read = rates(
            "responses_per_second = 10\nreferrals_per_second = 20\nnodata_per_second = 30\n\
             nxdomains_per_second = 40\nerrors_per_second = 50\nall_per_second = 60\nslip = 2\n\
             leak = 3\nwindow = \"5s\"\nipv4_prefix = 32\nipv6_prefix = 48\n\
             exempt = [\"192.0.2.0/24\"]\nlog_only = true\naccounts = 4096",
        );
        let per_second =
            PerClass { responses: 10, referrals: 20, nodata: 30, nxdomains: 40, errors: 50 };
        let expected = RateLimits {
            per_second,
            all_per_second: 60,
            slip: 2,
            leak: 3,
            window: Duration::from_secs(5),
            ipv4_prefix: 32,
            ipv6_prefix: 48,
            exempt: Networks::of(&[Prefix::parse("192.0.2.0/24").unwrap()]),
            log_only: true,
            accounts: 4096,
        };
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn what_connections_are_held_to_is_read() {
        let text = "[tcp]\nconnections = 9\nconnections_per_client = 3\nidle = \"1s\"\nlife = \"2m\"\n\
                    write = \"500ms\"\nqueries_per_connection = 100\n";
        let config = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv")).unwrap();
        let expected = ConnectionLimits {
            connections: 9,
            connections_per_client: 3,
            queries_per_connection: 100,
            idle: Duration::from_secs(1),
            life: Duration::from_secs(120),
            write: Duration::from_millis(500),
            ..ConnectionLimits::default()
        };
        assert_eq!(config.tcp, expected);
        let text = "[tcp]\nconnections = 0\nidle = \"0s\"\n";
        let said = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv")).unwrap_err();
        assert_eq!(said.len(), 2, "{said:?}");
    }

    #[test]
    fn kinds_that_are_not_named_have_the_rate_of_records() {
        let read = rates("responses_per_second = 7\nerrors_per_second = 0").unwrap();
        assert_eq!(read.per_second, PerClass { errors: 0, ..PerClass::all(7) });
        assert!(!rates("responses_per_second = 0\nall_per_second = 0").unwrap().is_on());
        assert!(rates("").unwrap().exempt.contains("127.0.0.9".parse().unwrap()));
        assert!(!rates("exempt = []").unwrap().exempt.contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn each_mistake_is_named() {
        for (keys, code) in [
            ("responses_per_second = -1", "out-of-range"),
            ("respons_per_second = 1", "unknown-key"),
            ("window = \"2m\"", "out-of-range"),
            ("ipv6_prefix = 65", "out-of-range"),
            ("exempt = [\"192.0.2.1/24\"]", "bad-subnet"),
            ("exempt = \"192.0.2.0/24\"", "wrong-type"),
            ("log_only = 1", "wrong-type"),
            ("accounts = 1", "out-of-range"),
        ] {
            let said = rates(keys).unwrap_err();
            assert_eq!(said.iter().map(|one| one.code).collect::<Vec<_>>(), [code], "{keys}");
        }
    }
}
