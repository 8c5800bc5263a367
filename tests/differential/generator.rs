//! Zone files by the thousand: by a grammar that errs now and then, and by mutation of good ones. One seed, one list.

mod words;

use words::{BAD_OWNERS, DIRECTIVES, GOOD, MIDDLES, ODD_OWNERS, OWNERS, PIECES, RDATA};

pub struct Generated {
    /// How it came to be: `grammar` or `mutation`.
    pub kind: &'static str,
    /// The text, `%O` where the origin belongs.
    pattern: Vec<u8>,
}

impl Generated {
    /// The text of a zone of `origin`.
    pub fn text(&self, origin: &str) -> Vec<u8> {
        let mut text = Vec::new();
        let mut rest = &self.pattern[..];
        while let Some(at) = rest.windows(2).position(|pair| pair == b"%O") {
            text.extend_from_slice(&rest[..at]);
            text.extend_from_slice(origin.as_bytes());
            rest = &rest[at + 2..];
        }
        text.extend_from_slice(rest);
        text
    }
}

/// Zone files without end; half by the grammar, half mutated.
pub fn zones(seed: u64) -> impl Iterator<Item = Generated> {
    let mut dice = Dice(seed);
    std::iter::from_fn(move || {
        Some(match dice.below(2) {
            0 => Generated { kind: "grammar", pattern: by_grammar(&mut dice) },
            _ => Generated { kind: "mutation", pattern: by_mutation(&mut dice) },
        })
    })
}

/// A zone whose every part is well-formed but for one in some ten, so that most mistakes stand alone.
fn by_grammar(dice: &mut Dice) -> Vec<u8> {
    let mut text = String::new();
    if !dice.one_in(12) {
        text.push_str(dice.pick(&["$TTL 300\n", "$TTL 300\n", "$TTL 1h\n", "$ttl 5m ; five\n"]));
    }
    text.push_str(dice.pick(&[
        "@ IN SOA ns h 1 2 3 4 300\n",
        "@ SOA ns h ( 1 ; serial\n 2 3\n4 300 )\n",
        "@ 300 IN SOA ns. h\\.x 4294967295 1h 1m 1w 1d\n",
        "@ IN 300 SOA\tns\th\t(1 2 3 4 300)\n",
    ]));
    text.push_str("\tIN NS ns.other.\n");
    for _ in 0..=dice.below(4) {
        if dice.one_in(8) {
            text.push_str(dice.pick(DIRECTIVES));
        } else {
            record(dice, &mut text);
        }
        text.push_str(dice.pick(&[
            "\n",
            "\n",
            "\n",
            "\n",
            "\n",
            "\n",
            "\n",
            "\r\n",
            " ; note\n",
            "\n\n",
            " \t\n",
            "",
        ]));
        if !text.ends_with('\n') && !dice.one_in(10) {
            text.push('\n');
        }
    }
    text.into_bytes()
}

fn record(dice: &mut Dice, text: &mut String) {
    let (rtype, good, bad) = RDATA[dice.below(RDATA.len())];
    text.push_str(match dice.below(24) {
        // Any other owner confuses BIND's dump.
        _ if rtype == "NSEC3" => "2vptu5timamqttgl4luu9kg21e0aor3s",
        0 => dice.pick(BAD_OWNERS),
        1..=3 => dice.pick(ODD_OWNERS),
        _ => dice.pick(OWNERS),
    });
    text.push_str(if dice.one_in(5) { dice.pick(MIDDLES) } else { " " });
    let rdata = if dice.one_in(6) && !bad.is_empty() { dice.pick(bad) } else { dice.pick(good) };
    text.push_str(rtype);
    text.push(' ');
    text.push_str(rdata);
}

/// A good zone with up to three edits: of a word, of an octet, of a line.
fn by_mutation(dice: &mut Dice) -> Vec<u8> {
    let mut text = dice.pick(GOOD).as_bytes().to_vec();
    for _ in 0..=dice.below(2) {
        match dice.below(4) {
            0 => edit_octet(dice, &mut text),
            1 => edit_line(dice, &mut text),
            _ => edit_word(dice, &mut text),
        }
    }
    text
}

fn edit_octet(dice: &mut Dice, text: &mut Vec<u8>) {
    let at = dice.below(text.len().max(1));
    let octets = b"\"();\\$@*.-_ \t\n\r0159aAzZ/,={}:#\x80\xff";
    let octet = octets[dice.below(octets.len())];
    match dice.below(3) {
        0 if at < text.len() => drop(text.remove(at)),
        1 if at < text.len() => text[at] = octet,
        _ => text.insert(at, octet),
    }
}

fn edit_line(dice: &mut Dice, text: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
    let (from, to) = (dice.below(lines.len().max(1)), dice.below(lines.len().max(1)));
    match dice.below(3) {
        0 if from < lines.len() => drop(lines.remove(from)),
        1 if from < lines.len() => lines.insert(to, lines[from]),
        _ if from < lines.len() => lines.swap(from, to),
        _ => {}
    }
    *text = lines.concat();
}

fn edit_word(dice: &mut Dice, text: &mut Vec<u8>) {
    let whole = String::from_utf8_lossy(text).into_owned();
    let mut words: Vec<String> = whole.split_inclusive([' ', '\n']).map(str::to_owned).collect();
    if words.is_empty() {
        return;
    }
    let (at, other) = (dice.below(words.len()), dice.below(words.len()));
    match dice.below(4) {
        0 => drop(words.remove(at)),
        1 => words.insert(at, words[other].clone()),
        2 => words.swap(at, other),
        _ => {
            let end = words[at].chars().last().filter(|c| *c == '\n').unwrap_or(' ');
            words[at] = format!("{}{end}", dice.pick(PIECES));
        }
    }
    *text = words.concat().into_bytes();
}

/// Splitmix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len())]
    }
}
