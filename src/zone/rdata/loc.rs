//! Locations (RFC 1876).

use super::line::{Line, Wire};
use super::words::{Fault, Word, Words};

/// Thousandths of a second of arc in a degree.
const DEGREE: u64 = 3_600_000;
/// The equator and the prime meridian (RFC 1876 §2).
const MIDDLE: u64 = 1 << 31;
/// Centimetres from the reference, 100 km down, to the WGS 84 spheroid.
const SPHEROID: i64 = 10_000_000;
/// The precisions that are left out: 1 m, 10 km, 10 m, as mantissa and exponent (RFC 1876 §3).
const DEFAULTS: [u8; 3] = [0x12, 0x16, 0x13];

/// Reads latitude, longitude, altitude, and up to three precisions.
pub(super) fn read(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let latitude = read_angle(words, 90, b'N', b'S')?;
    let longitude = read_angle(words, 180, b'E', b'W')?;
    let word = words.expect("an altitude")?;
    let altitude = centimetres(word.bytes).map(|cm| cm + SPHEROID);
    let Some(altitude) = altitude.and_then(|cm| u32::try_from(cm).ok()) else {
        let message = format!("`{}` is no altitude in metres", word.shown());
        return Err(word.fault("bad-number", message));
    };
    let mut precisions = DEFAULTS;
    for precision in &mut precisions {
        let Some(word) = words.take() else { break };
        *precision = read_precision(word)?;
    }
    wire.push(0);
    wire.extend_from_slice(&precisions);
    wire.extend_from_slice(&latitude.to_be_bytes());
    wire.extend_from_slice(&longitude.to_be_bytes());
    wire.extend_from_slice(&altitude.to_be_bytes());
    Ok(())
}

/// Degrees, then minutes and seconds if given, then the hemisphere.
fn read_angle(words: &mut Words<'_>, degrees_max: u64, plus: u8, minus: u8) -> Result<u32, Fault> {
    let mut total = 0;
    for (unit, limit, decimals) in [(DEGREE, degrees_max, 0), (60_000, 59, 0), (1_000, 59, 3)] {
        let word = words.expect("an angle, and N, S, E or W")?;
        if let Some(sign) = hemisphere(word, plus, minus)
            && unit != DEGREE
        {
            return angle(total, sign, word);
        }
        let bad = || word.fault("bad-number", format!("`{}` is no part of an angle", word.shown()));
        let number = fixed(word.bytes, decimals).ok_or_else(bad)?;
        let scale = 10u64.pow(decimals);
        if number / scale > limit {
            return Err(bad());
        }
        total += number * (unit / scale);
        if total > degrees_max * DEGREE {
            return Err(bad());
        }
    }
    let word = words.expect("N, S, E or W")?;
    match hemisphere(word, plus, minus) {
        Some(sign) => angle(total, sign, word),
        None => Err(word.fault("bad-number", format!("`{}` is no hemisphere", word.shown()))),
    }
}

fn hemisphere(word: Word<'_>, plus: u8, minus: u8) -> Option<i64> {
    match word.bytes {
        [letter] if letter.eq_ignore_ascii_case(&plus) => Some(1),
        [letter] if letter.eq_ignore_ascii_case(&minus) => Some(-1),
        _ => None,
    }
}

fn angle(total: u64, sign: i64, word: Word<'_>) -> Result<u32, Fault> {
    let bad = || word.fault("bad-number", "the angle is out of range");
    u32::try_from(MIDDLE as i64 + sign * total as i64).map_err(|_| bad())
}

/// A precision in metres as mantissa and power of ten of centimetres, in four bits each (RFC 1876
/// §2).
fn read_precision(word: Word<'_>) -> Result<u8, Fault> {
    let cm = centimetres(word.bytes).filter(|cm| (0..=9_000_000_000).contains(cm));
    let Some(mut mantissa) = cm else {
        let message = format!("`{}` is no precision in metres", word.shown());
        return Err(word.fault("bad-number", message));
    };
    let mut exponent = 0;
    while mantissa > 9 {
        mantissa /= 10;
        exponent += 1;
    }
    Ok((mantissa as u8) << 4 | exponent)
}

/// Metres with up to two decimals and perhaps an `m`.
fn centimetres(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"m").or_else(|| text.strip_suffix(b"M")).unwrap_or(text);
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    Some(sign * i64::try_from(fixed(text, 2)?).ok()?)
}

/// A number times ten to the power of `decimals`; further decimals are not allowed. At most ten
/// digits before the point.
fn fixed(text: &[u8], decimals: u32) -> Option<u64> {
    let mut parts = text.splitn(2, |&b| b == b'.');
    let (whole, fraction) = (parts.next()?, parts.next());
    if fraction.is_some() && decimals == 0 {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    if whole.is_empty() || whole.len() > 10 || fraction.len() > decimals as usize {
        return None;
    }
    let mut digits = [whole, fraction].concat();
    digits.resize(whole.len() + decimals as usize, b'0');
    super::number::decimal(&digits)
}

/// Writes a location. Versions other than 0 have no presentation format.
pub(super) fn write(wire: &mut Wire<'_>, line: &mut Line) -> Option<()> {
    if wire.number(1)? != 0 {
        return None;
    }
    let precisions = wire.take(3)?;
    write_angle(wire.number(4)?, 90, ['N', 'S'], line)?;
    write_angle(wire.number(4)?, 180, ['E', 'W'], line)?;
    let altitude = wire.number(4)? as i64 - SPHEROID;
    let (sign, cm) = (if altitude < 0 { "-" } else { "" }, altitude.unsigned_abs());
    line.word(format_args!("{sign}{}.{:02}m", cm / 100, cm % 100));
    for &precision in precisions {
        let (mantissa, exponent) = (u64::from(precision >> 4), u32::from(precision & 15));
        if mantissa > 9 || exponent > 9 || (mantissa == 0 && exponent > 0) {
            return None;
        }
        let cm = mantissa * 10u64.pow(exponent);
        line.word(format_args!("{}.{:02}m", cm / 100, cm % 100));
    }
    Some(())
}

fn write_angle(value: u64, degrees_max: u64, signs: [char; 2], line: &mut Line) -> Option<()> {
    let sign = if value >= MIDDLE { signs[0] } else { signs[1] };
    let thousandths = value.abs_diff(MIDDLE);
    if thousandths > degrees_max * DEGREE {
        return None;
    }
    line.word(thousandths / DEGREE);
    line.word(thousandths / 60_000 % 60);
    let rest = thousandths % 60_000;
    line.word(format_args!("{}.{:03}", rest / 1_000, rest % 1_000));
    line.word(sign);
    Some(())
}
