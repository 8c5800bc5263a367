//! `$GENERATE`: many records of one pattern, as BIND reads it.

use crate::wire::{Class, Rtype};

use super::lexer::Token;
use super::rdata::{Fault, period, shown};

/// Records that one zone generates; a short line must not make a server run out of memory.
const GENERATED_COUNT_MAX: u64 = 1_000_000;
/// Octets of all lines that one zone generates: enough for short records of that count.
const GENERATED_LEN_MAX: usize = 64 << 20;

/// The lines that `$GENERATE start-stop[/step] owner [TTL] [class] type rdata` stands for. The rdata
/// is one word, or the text between two quotes.
pub(super) struct Pattern<'t> {
    text: &'t [u8],
    /// The token of the range.
    place: Token,
    range: Range,
    /// From the owner to the type.
    head: &'t [Token],
    rdata: Token,
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
        let Range { start, stop, step } = range;
        if start > stop || step == 0 {
            let message = if step == 0 { "a step of 0 never ends" } else { "the range is empty" };
            let help = "write the lower bound first, and a step of 1 or more";
            return Err(Fault { help, ..fault(place, "bad-generate", message) });
        }
        let (head, rdata) = split(text, tokens, place)?;
        Ok(Pattern { text, place, range, head, rdata })
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

    /// Writes the record of `number` as one line.
    fn substitute(&self, number: u64, line: &mut Vec<u8>) -> Result<(), Token> {
        for token in self.head {
            if token.quoted {
                return Err(*token);
            }
            substitute(token.bytes(self.text), number, line).ok_or(*token)?;
            line.push(b' ');
        }
        let rdata = self.rdata.bytes(self.text);
        let unquoted = if self.rdata.quoted { without_quotes(rdata) } else { rdata.to_vec() };
        substitute(&unquoted, number, line).ok_or(self.rdata)
    }

    /// The fault of more than `total` octets generated, those of the whole zone, if they are too many.
    pub(super) fn too_long(&self, total: usize) -> Option<Fault> {
        let message = format!("the zone generates more than {} MiB", GENERATED_LEN_MAX >> 20);
        (total > GENERATED_LEN_MAX).then(|| fault(self.place, "bad-generate", message))
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
        let written = self.substitute(number, line);
        Some(written.map_err(|token| fault(token, "bad-generate", message)))
    }
}

/// The tokens up to the type, and the one after it.
fn split<'t>(
    text: &[u8],
    tokens: &'t [Token],
    place: Token,
) -> Result<(&'t [Token], Token), Fault> {
    let word = |token: &Token| std::str::from_utf8(token.bytes(text)).unwrap_or_default();
    let last = tokens.last().copied().unwrap_or(place);
    let is_type = |token: &Token| Rtype::parse(word(token)).is_some();
    let is_head =
        |token: &Token| Class::parse(word(token)).is_some() || period(token.bytes(text)).is_some();
    // The owner may be called like a type.
    let after_owner = tokens.iter().enumerate().skip(1);
    let Some((rtype, token)) = after_owner.take(3).find(|(_, t)| is_type(t) || !is_head(t)) else {
        let message = "$GENERATE needs an owner, a type and data after the range";
        return Err(fault(last, "field-missing", message));
    };
    if !is_type(token) {
        let message = format!("`{}` is no type, class or TTL", shown(token.bytes(text)));
        let help = "the pattern is: owner, TTL, class, type, data";
        return Err(Fault { help, ..fault(*token, "unknown-type", message) });
    }
    match tokens.get(rtype + 1..) {
        Some(&[rdata]) => Ok((tokens.get(..=rtype).unwrap_or_default(), rdata)),
        Some(&[_, extra, ..]) => Err(Fault {
            help: "put the data in quotes, as in $GENERATE 1-9 host$ MX \"10 mail$\"",
            ..fault(extra, "field-extra", "$GENERATE takes the data as one word")
        }),
        _ => Err(fault(last, "field-missing", "$GENERATE needs data after the type")),
    }
}

/// What stands between two quotes, where `\"` is a quote of the data itself.
fn without_quotes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, rest) {
            (b'\\', [b'"', after @ ..]) => {
                out.push(b'"');
                rest = after;
            }
            (b'\\', [next, after @ ..]) => {
                out.extend_from_slice(&[b'\\', *next]);
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    out
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
        Some(Range {
            start: number(start)?.into(),
            stop: number(stop)?.into(),
            step: number(step)?.into(),
        })
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn substitute(bytes: &[u8], number: u64, line: &mut Vec<u8>) -> Option<()> {
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
    let value = i32::try_from(i64::try_from(number).ok()?.checked_add(offset)?).ok()?;
    if width > 255 || parts.next().is_some() {
        return None;
    }
    Some(match base {
        "d" => format!("{value:0width$}"),
        // Digits of a negative number are those of its two's complement of 32 bits.
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        "n" if value >= 0 => nibbles(value, width),
        "N" if value >= 0 => nibbles(value, width).to_ascii_uppercase(),
        _ => return None,
    })
}

/// Hexadecimal digits from the last to the first, dots between. The width counts dots too, so that
/// an even one ends in a dot, as in BIND.
fn nibbles(mut value: i32, mut width: usize) -> String {
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
