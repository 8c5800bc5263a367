//! `$GENERATE`: many records of one pattern, as BIND reads it.

use super::lexer::{Entry, Token};
use super::parser::{Reader, State};
use super::report::Mark;

/// Records that one zone generates; a short line must not make a server run out of memory.
const GENERATED_COUNT_MAX: u64 = 1_000_000;

/// Expands `$GENERATE start-stop[/step] owner [TTL] [class] type rdata`.
pub(super) fn expand(reader: &mut Reader<'_, '_>, text: &[u8], entry: &Entry, state: &mut State) {
    let Some((&directive, [range, pattern @ ..])) = entry.tokens.split_first() else {
        let Some(&first) = entry.tokens.first() else { return };
        let mark = state.mark(first);
        return reader.report.error(mark, "field-missing", "$GENERATE needs a range and a record");
    };
    if state.generated.is_some() {
        return;
    }
    let Some(range_read) = Range::parse(range.bytes(text)) else {
        let message = "the range is not start-stop or start-stop/step";
        return reader.report.error(state.mark(*range), "bad-generate", message);
    };
    let count = (range_read.stop - range_read.start) / range_read.step + 1;
    reader.generated_count = reader.generated_count.saturating_add(count);
    if reader.generated_count > GENERATED_COUNT_MAX {
        let message = format!("the zone generates more than {GENERATED_COUNT_MAX} records");
        return reader.report.error(state.mark(*range), "bad-generate", message);
    }
    let inner = State { generated: Some(state.mark(directive)), ..state.clone() };
    let mut line = Vec::new();
    let error_count = reader.report.error_count;
    let mut number = range_read.start;
    while number <= range_read.stop {
        line.clear();
        if let Err(token) = substitute(text, pattern, number, &mut line) {
            let mark = Mark { token, ..state.mark(directive) };
            let message = "the pattern is not $, or ${offset,width,base}";
            return reader.report.error(mark, "bad-generate", message);
        }
        reader.read(&line, inner.clone());
        if reader.report.error_count > error_count {
            // One mistake of the pattern is told once, not for each of its records.
            return;
        }
        number = number.saturating_add(range_read.step);
    }
}

struct Range {
    start: u64,
    stop: u64,
    step: u64,
}

impl Range {
    fn parse(text: &[u8]) -> Option<Range> {
        let text = std::str::from_utf8(text).ok()?;
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = range.split_once('-')?;
        let range = Range {
            start: number(start)?.into(),
            stop: number(stop)?.into(),
            step: number(step)?.into(),
        };
        (range.start <= range.stop && range.step > 0).then_some(range)
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Writes the tokens as one line, `number` in place of each `$`.
fn substitute(text: &[u8], tokens: &[Token], number: u64, line: &mut Vec<u8>) -> Result<(), Token> {
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 && !token.joined {
            line.push(b' ');
        }
        if token.quoted {
            line.push(b'"');
        }
        substitute_token(token.bytes(text), number, line).ok_or(*token)?;
        if token.quoted {
            line.push(b'"');
        }
    }
    Ok(())
}

fn substitute_token(bytes: &[u8], number: u64, line: &mut Vec<u8>) -> Option<()> {
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, rest) {
            (b'\\', [next, after @ ..]) => {
                line.extend_from_slice(&[b'\\', *next]);
                rest = after;
            }
            (b'$', [b'$', after @ ..]) => {
                line.extend_from_slice(b"\\$");
                rest = after;
            }
            (b'$', [b'{', after @ ..]) => {
                let end = after.iter().position(|&b| b == b'}')?;
                let modifiers = std::str::from_utf8(after.get(..end)?).ok()?;
                line.extend_from_slice(modified(modifiers, number)?.as_bytes());
                rest = after.get(end + 1..)?;
            }
            (b'$', _) => line.extend_from_slice(number.to_string().as_bytes()),
            _ => line.push(byte),
        }
    }
    Some(())
}

/// The number with an offset, a least width, and a base: d, o, x, X, or n and N for nibbles in
/// reverse.
fn modified(modifiers: &str, number: u64) -> Option<String> {
    let mut parts = modifiers.split(',');
    let offset: i64 = parts.next()?.parse().ok()?;
    let width: usize = parts.next().map_or(Some(0), |w| w.parse().ok())?;
    let base = parts.next().unwrap_or("d");
    let value = i64::try_from(number).ok()?.checked_add(offset).filter(|&v| v >= 0)?;
    if width > 255 || parts.next().is_some() {
        return None;
    }
    Some(match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        "n" => nibbles(value, width),
        "N" => nibbles(value, width).to_ascii_uppercase(),
        _ => return None,
    })
}

/// Hexadecimal digits from the last to the first, dots between. The width counts dots too, so that
/// an even one ends in a dot, as in BIND.
fn nibbles(mut value: i64, mut width: usize) -> String {
    let mut text = String::new();
    loop {
        text.push_str(&format!("{:x}", value & 15));
        value >>= 4;
        width = width.saturating_sub(1);
        if value == 0 && width == 0 {
            return text;
        }
        text.push('.');
        width = width.saturating_sub(1);
        if value == 0 && width == 0 {
            return text;
        }
    }
}
