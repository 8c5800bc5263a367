//! Numbers, periods, types and points in time.

use std::fmt;

use crate::wire::Rtype;

use super::table::Vocabulary;
use super::words::{Fault, Words};

/// Reads a number of `octets` octets, or a word of the vocabulary.
pub(super) fn read(
    octets: usize,
    vocabulary: Vocabulary,
    words: &mut Words<'_>,
    wire: &mut Vec<u8>,
) -> Result<(), Fault> {
    let word = words.expect("a number")?;
    let max = u64::MAX >> (64 - 8 * octets);
    let known = |text: &str| vocabulary.iter().find(|(w, _)| w.eq_ignore_ascii_case(text));
    let number = decimal(word.bytes)
        .filter(|&n| n <= max)
        .or_else(|| word.ascii().and_then(known).map(|&(_, n)| n));
    let Some(number) = number else {
        let message = format!("`{}` is not a number from 0 to {max}", word.shown());
        return Err(word.fault("bad-number", message));
    };
    wire.extend_from_slice(&number.to_be_bytes()[8 - octets..]);
    Ok(())
}

/// Reads a period in seconds, or in TTL units.
pub(super) fn read_period(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a period")?;
    let Some(secs) = period(word.bytes) else {
        let message = format!("`{}` is not a time in seconds, or such as 1h30m", word.shown());
        return Err(word.fault("bad-number", message));
    };
    wire.extend_from_slice(&secs.to_be_bytes());
    Ok(())
}

/// Reads a type.
pub(super) fn read_type(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let word = words.expect("a type")?;
    let Some(rtype) = word.ascii().and_then(Rtype::parse) else {
        return Err(word.fault("unknown-type", format!("`{}` is not a type", word.shown())));
    };
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    Ok(())
}

/// A number in decimal digits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, d| {
        let digit = d.is_ascii_digit().then(|| u64::from(d - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })
}

/// A time in seconds, or in weeks, days, hours, minutes and seconds such as `1h30m`, of at most 32
/// bits.
pub fn period(text: &[u8]) -> Option<u32> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (mut total, mut number, mut digits) = (0u64, 0u64, false);
    for &byte in text {
        let unit = match byte.to_ascii_lowercase() {
            b'0'..=b'9' => {
                number = number * 10 + u64::from(byte - b'0');
                digits = true;
                0
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        if unit > 0 {
            if !std::mem::take(&mut digits) {
                return None;
            }
            total += std::mem::take(&mut number) * unit;
        }
        if number > u64::from(u32::MAX) || total > u64::from(u32::MAX) {
            return None;
        }
    }
    u32::try_from(total + number).ok()
}

/// Seconds since 1970, modulo 2³², shown as YYYYMMDDHHmmSS (RFC 4034 §3.2).
pub(super) struct Time(pub(super) u32);

impl Time {
    /// Reads fourteen digits of a date, or up to ten of seconds.
    pub(super) fn parse(text: &[u8]) -> Option<Time> {
        if text.len() != 14 {
            return u32::try_from(decimal(text)?).ok().map(Time);
        }
        let part = |range: std::ops::Range<usize>| decimal(text.get(range)?);
        let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
        let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
        let in_range = year >= 1970 && (1..=12).contains(&month) && day >= 1;
        if !in_range || hour > 23 || minute > 59 || second > 60 || day > month_days(year, month) {
            return None;
        }
        let days = (1970..year).map(year_days).sum::<u64>()
            + (1..month).map(|m| month_days(year, m)).sum::<u64>()
            + (day - 1);
        // RFC 4034 §3.1.5: the field is a serial number, so later dates wrap.
        Some(Time((days * 86_400 + hour * 3_600 + minute * 60 + second) as u32))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut days, secs) = (u64::from(self.0 / 86_400), self.0 % 86_400);
        let mut year = 1970;
        while days >= year_days(year) {
            days -= year_days(year);
            year += 1;
        }
        let mut month = 1;
        while days >= month_days(year, month) {
            days -= month_days(year, month);
            month += 1;
        }
        let (hour, minute, second) = (secs / 3_600, secs / 60 % 60, secs % 60);
        write!(f, "{year:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", days + 1)
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_days(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods() {
        for (text, secs) in [
            ("0", Some(0)),
            ("3600", Some(3_600)),
            ("1h30m", Some(5_400)),
            ("1W2D", Some(777_600)),
            ("1h30", Some(3_630)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("99999999999999999999999w", None),
            ("h", None),
            ("1hh", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(period(text.as_bytes()), secs, "{text}");
        }
    }

    #[test]
    fn times_read_what_they_write() {
        for secs in [0, 951_782_400, 2_335_219_200, u32::MAX] {
            let text = Time(secs).to_string();
            assert_eq!(Time::parse(text.as_bytes()).map(|t| t.0), Some(secs), "{text}");
        }
        assert_eq!(Time(0).to_string(), "19700101000000");
        for bad in ["20240230000000", "20241301000000", "x", "2024010100000x", "19690101000000"] {
            assert!(Time::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
