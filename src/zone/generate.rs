//! `$GENERATE`: many records of one pattern, as BIND reads it.

use super::lexer::Token;
use super::rdata::Fault;

/// Records that one zone generates; a short line must not make a server run out of memory.
const GENERATED_COUNT_MAX: u64 = 1_000_000;

/// The lines that `$GENERATE start-stop[/step] owner [TTL] [class] type rdata` stands for.
pub(super) struct Pattern<'t> {
    text: &'t [u8],
    /// The token of the range.
    place: Token,
    range: Range,
    tokens: &'t [Token],
}

impl<'t> Pattern<'t> {
    /// Reads what follows the token of the directive.
    pub(super) fn parse(
        text: &'t [u8],
        directive: Token,
        arguments: &'t [Token],
    ) -> Result<Pattern<'t>, Fault> {
        let Some((&place, tokens)) = arguments.split_first() else {
            let message = "$GENERATE needs a range and a record";
            return Err(fault(directive, "field-missing", message));
        };
        let range = Range::parse(place.bytes(text));
        let message = "the range is not start-stop or start-stop/step";
        let range = range.ok_or_else(|| fault(place, "bad-generate", message))?;
        Ok(Pattern { text, place, range, tokens })
    }

    /// How many lines are left.
    pub(super) fn count(&self) -> u64 {
        let Range { start, stop, step } = self.range;
        if start > stop { 0 } else { (stop - start) / step + 1 }
    }

    /// Itself, if `total` lines, those of the whole zone, are not too many.
    pub(super) fn within(self, total: u64) -> Result<Pattern<'t>, Fault> {
        if total <= GENERATED_COUNT_MAX {
            return Ok(self);
        }
        let message = format!("the zone generates more than {GENERATED_COUNT_MAX} records");
        Err(fault(self.place, "bad-generate", message))
    }

    /// Puts the next line into `line`; none when all are written.
    pub(super) fn write_next(&mut self, line: &mut Vec<u8>) -> Option<Result<(), Fault>> {
        let number = self.range.start;
        if number > self.range.stop {
            return None;
        }
        self.range.start = number.saturating_add(self.range.step);
        line.clear();
        let message = "the pattern is not $, or ${offset,width,base}";
        let written = substitute(self.text, self.tokens, number, line);
        Some(written.map_err(|token| fault(token, "bad-generate", message)))
    }
}

fn fault(token: Token, code: &'static str, message: impl Into<String>) -> Fault {
    Fault { token, code, message: message.into(), help: "" }
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
