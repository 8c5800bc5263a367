//! Method: files are changed at random, line by line. Each change is taken as an edit of what is known and, where it
//! allows, its image as a patch; both have to be what the whole file gives.

use std::collections::BTreeMap;

use crate::answer::{Seed, ZoneImage};
use crate::zone::{self, Chunks, Known, Name, PackedZone, Parsed, Zone};

use super::{compile_zone, patch_zone};

const PATH: &str = "zones/example.test.zone";

/// xorshift64*: the same changes on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

fn origin() -> Name {
    Name::parse("example.test.", &Name::root()).unwrap()
}

fn parsed(text: &str) -> (Parsed, Option<Chunks>) {
    let none = |_: &str, _: &str| Err("there is no other file".to_owned());
    // In windows or in one go: its chunks serve alike.
    let crew = |count: usize, work: &(dyn Fn(usize) + Sync)| (0..count).for_each(work);
    let crew = Some(&crew as &zone::Crew<'_>).filter(|_| text.len().is_multiple_of(2));
    zone::parse_in_chunks(PATH, text.as_bytes(), &origin(), &none, crew)
}

/// A zone without the lines of its RRsets: those may stand elsewhere.
fn lineless(mut zone: Zone) -> Vec<(String, Vec<zone::Rrset>)> {
    let nodes = std::mem::take(&mut zone.nodes);
    let lineless = nodes.into_iter().map(|(owner, node)| {
        let rrsets = node.rrsets.into_iter().map(|r| zone::Rrset { line: 0, ..r }).collect();
        (owner.to_string(), rrsets)
    });
    lineless.collect()
}

/// All of an image but the names that its records pointed at once.
fn laid(image: &ZoneImage) -> String {
    let text = format!("{image:?}");
    text.split(", targets: ").next().unwrap().to_owned()
}

fn odd_line(random: &mut Random) -> String {
    let owners = [
        "a",
        "b.a",
        "*.a",
        "c.b.a",
        "*",
        "deep.er.and.deeper",
        "er.and.deeper",
        "A",
        "mail",
        "ns1",
        "host3",
        "host3",
        "host700",
        "sub",
        "x.sub",
        "below.alias",
        "\\\"q",
        "*.x.sub",
        "out.of.zone.",
    ];
    let owner = random.pick(&owners);
    match random.below(16) {
        0..4 => format!("{owner} IN A 192.0.2.{}", random.below(4)),
        4 => format!("{owner} 60 IN AAAA 2001:db8::{}", random.below(4)),
        5 => format!("{owner} IN TXT \"a ; ( b\" {}", random.below(3)),
        6 => {
            format!("{owner} MX 10 {}", random.pick(&["mail", "a", "host3", "new", "other.test."]))
        }
        7 => format!("{owner} IN TXT (\n  one\n\n  two ; )\n )\n  IN TXT three"),
        8 => format!("; only {owner}\n"),
        9 => format!("{owner} IN CNAME {}", random.pick(&["a", "host9", "other.test."])),
        10 => random.pick(&["$TTL 300", "$TTL 600", "$ORIGIN a", "$ORIGIN example.test."]).into(),
        11 => {
            format!("{} IN NS {}", random.pick(&["sub", "cut.b.a"]), random.pick(&["ns1", "x.sub"]))
        }
        12 => random
            .pick(&["alias IN DNAME other.test.", "broken", "a IN TXT (", ") ", "\t A 192.0.2.9"])
            .into(),
        13 => format!("{owner} IN HTTPS 1 . ipv4hint=192.0.2.{}", random.below(3)),
        14 => random
            .pick(&[
                "a DS 1 8 2 00",
                "$INCLUDE x",
                "$GENERATE 1-3 g$ A 192.0.2.$",
                "mail A 192.0.2.1",
            ])
            .into(),
        _ => format!("host{} IN A 192.0.2.{}", random.below(1200), random.below(3)),
    }
}

fn change(lines: &mut Vec<String>, random: &mut Random, serial: usize) {
    if random.below(3) > 0 {
        lines[1] = format!("@ IN SOA ns1 hostmaster {serial} 3600 900 604800 300");
    }
    for _ in 0..random.below(3) {
        let at = 3 + random.below(lines.len() - 3);
        match random.below(8) {
            0 | 1 => drop(lines.remove(at)),
            2..5 => lines[at] = odd_line(random),
            5 => lines[at].push_str(" ; a word"),
            6 => {
                let again = lines[at..(at + 12).min(lines.len())].to_vec();
                lines.splice(at..at, again);
            }
            _ => lines.insert(at, odd_line(random)),
        }
    }
}

struct World {
    seed: Seed,
    text: String,
    chunks: Chunks,
    zone: PackedZone,
    said: Vec<crate::diagnostic::Diagnostic>,
    image: ZoneImage,
}

impl World {
    fn new(text: &str) -> Option<World> {
        let (Parsed { zone, diagnostics: said, .. }, chunks) = parsed(text);
        let (seed, zone, chunks) = (Seed::new(7), PackedZone::of(zone?), chunks?);
        let image = compile_zone(&seed, &zone, &BTreeMap::new(), &|_| false);
        Some(World { seed, text: text.to_owned(), chunks, zone, said, image })
    }

    /// Takes `text` as an edit; whether it was one, and whether its image was a patch.
    fn edit(&mut self, text: &str) -> (bool, bool) {
        let World { seed, chunks, zone, said, image, .. } = self;
        let known = Known { text: self.text.as_bytes(), chunks, zone, said };
        let Some(mut edit) = zone::edit(known, text.as_bytes()) else { return (false, false) };
        let whole = parsed(text);
        let whole_zone = whole.0.zone.expect("what is refused as a whole is no edit");
        zone.apply(&mut edit);
        assert_eq!(lineless(zone.unpacked()), lineless(whole_zone), "{text}");
        let laid_out = compile_zone(seed, zone, &BTreeMap::new(), &|_| false);
        let touched = &edit.touched;
        let patched = patch_zone(seed, image, zone, touched, &BTreeMap::new(), &|_| false);
        if let Some(patched) = &patched {
            assert_eq!(laid(patched), laid(&laid_out), "{text}");
        }
        let was_patched = patched.is_some();
        *image = patched.unwrap_or(laid_out);
        (*chunks, *said) = (edit.chunks, edit.said);
        text.clone_into(&mut self.text);
        (true, was_patched)
    }
}

#[test]
fn an_edit_and_its_patch_are_what_the_whole_file_gives() {
    let (mut changes, mut edits, mut patches) = (0, 0, 0);
    for round in 1..=40 {
        let mut random = Random(round);
        let soa = "@ IN SOA ns1 hostmaster 1 3600 900 604800 300";
        let mut lines: Vec<String> =
            ["$TTL 300", soa, "@ NS ns1", "ns1 A 192.0.2.1"].map(Into::into).into();
        let count = [120, 400, 999, 1100][random.below(4)];
        lines.extend((0..count).map(|i| format!("host{i} IN A 192.0.2.{}", i % 3)));
        for _ in 0..random.below(6) {
            let at = 4 + random.below(count);
            lines.insert(at, odd_line(&mut random));
        }
        let Some(mut world) = World::new(&(lines.join("\n") + "\n")) else { continue };
        for serial in 2..30 {
            let before = lines.clone();
            change(&mut lines, &mut random, serial);
            let end = random.pick(&["\n", ""]);
            let text = lines.join("\n") + end;
            let (edited, patched) = world.edit(&text);
            changes += 1;
            edits += usize::from(edited);
            patches += usize::from(patched);
            if !edited {
                match World::new(&text) {
                    Some(anew) => world = anew,
                    None => lines = before,
                }
            }
        }
    }
    // The law must not hold because nothing was tried.
    assert!(edits * 3 > changes && patches * 4 > changes, "{changes} {edits} {patches}");
}
