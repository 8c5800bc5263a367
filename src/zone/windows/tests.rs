//! Method: files of many small windows, from ordinary to odd, are read in windows and in one go; zone, words and chunks
//! have to be the same.

use super::*;
use crate::zone::parse;

/// xorshift64*: the same files on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

fn origin() -> Name {
    Name::parse("example.test.", &Name::root()).unwrap()
}

fn nothing(_: &str, _: &str) -> Result<(String, Arc<[u8]>), String> {
    Err("there is no other file".to_owned())
}

/// Whether `text` could be read in windows; it comes out the same in any case.
fn check(text: &[u8]) -> bool {
    let crew = |count: usize, work: &(dyn Fn(usize) + Sync)| (0..count).rev().for_each(work);
    let (apart, _) = parse_in_chunks("z", text, &origin(), &nothing, Some(&crew));
    let (whole, _) = parse_in_chunks("z", text, &origin(), &nothing, None);
    assert_eq!(apart.zone, whole.zone, "{}", String::from_utf8_lossy(text));
    assert_eq!(apart.diagnostics, whole.diagnostics, "{}", String::from_utf8_lossy(text));
    read("z", text, &origin(), &crew).is_some()
}

const ODD: [&str; 26] = [
    "a A 192.0.2.1 ; (",
    "a TXT ( \"one\"\nb TXT two\n) ; )\n",
    "a TXT (\n;(\n$TTL 5\n\n)",
    "$TTL 1h",
    " $TTL 2h ; not in the first column",
    "$ORIGIN sub",
    "$ORIGIN example.test.",
    "@ MX 10 nowhere",
    "\tA 192.0.2.7",
    "  IN TXT \"blank owner\"",
    "b 5000000000 A 192.0.2.1",
    "out.of.zone. A 192.0.2.1",
    "a A 192.0.2.1",
    "TYPE A 192.0.2.2",
    "a ANY 1",
    "a TYPE255 \\# 0",
    "\\097 A 192.0.2.9",
    "\"a\" A 192.0.2.9",
    "a CNAME b",
    "a TXT \"never closed",
    "a TXT (",
    "a A 192.0.2.1 )",
    "broken",
    "$INCLUDE other",
    "$GENERATE 1-3 g$ A 192.0.2.$",
    "\r",
];

#[test]
fn windows_are_what_the_whole_file_gives() {
    let mut apart = 0;
    for round in 1..=300 {
        let mut random = Random(round);
        let mut text = String::from(if round % 3 == 0 { "" } else { "$TTL 300\n" });
        text += "@ 300 SOA ns hostmaster 1 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n";
        // Mistakes are rare, or no file would be without.
        let odd = if round % 2 == 0 { 19 } else { ODD.len() };
        for line in 0..30 + random.below(60) {
            match random.below(12) {
                0 => text += ODD[random.below(odd)],
                1 => text += &format!("host{} A 192.0.2.1", line / 2),
                _ => text += &format!("host{} 60 IN A 192.0.2.{}", line / 2, line % 2),
            }
            text += if random.below(40) == 0 { "\r\n" } else { "\n" };
        }
        apart += usize::from(check(text.as_bytes()));
    }
    assert!(apart > 60, "{apart}");
}

#[test]
fn every_broken_file_of_the_golden_tests_reads_alike() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "zone") {
                let text = std::fs::read(&path).unwrap();
                check(&text);
                // The same behind enough text for many windows.
                let hosts = (0..40).map(|i| format!("host{i} 60 IN A 192.0.2.1\n"));
                check(&[hosts.collect::<String>().as_bytes(), &text].concat());
                count += 1;
            }
        }
    }
    assert!(count > 0);
    assert!(parse("z", b"", &origin(), &nothing).zone.is_none());
}
