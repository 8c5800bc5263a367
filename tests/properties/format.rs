//! What is formatted says what it said, and formatting it again changes nothing.
//!
//! Over generated files, all zone files of the repository, and the zones of the conformance material where it stands.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use homing::zone::{self, Name, Zone};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const RECORDS: [&str; 24] = [
    "SOA ns1 hostmaster.x.test. 1 2H 15m 1w 300",
    "NS ns1",
    "a 192.0.2.1",
    "Aaaa 2001:DB8:0::1",
    "CNAME @",
    "MX 10 mail.",
    "TXT plain \"quo;ted\" \\065\\;\\\\ \"\"",
    "TXT \"v=DKIM1; k=rsa; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\" \"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\"",
    "HINFO PC \"a b\"",
    "CAA 0 issue ca.example.net",
    "SRV 1 2 3 sip",
    "NAPTR 1 2 s \"SIP+D2U\" \"\" _sip._udp",
    "DS 60485 8 2 2BB183AF5F22588179A53B0A98631FAD 1A292118 00112233445566778899aabb",
    "DNSKEY 257 3 13 AwEAAbdxyhNuSutc5EMzxTs9LBPC AwEAAbdxyhNuSutc5EMzxTs9LBPCAwEAAbdxyhNuSutc5EMzxTs9LBPC",
    "RRSIG a 8 3 1h 20300101000000 1672531200 1234 t.test. aGVsbG8gd29ybGQh aGVs bG8gd29ybGQh",
    "NSEC z.t.test. A ns TYPE1234 rrsig NSEC",
    "TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b9 7983a1d16e8a410e4561cb106618e971",
    "HTTPS 1 . alpn=\"h2,h3\" port=53 ipv6hint=2001:db8::1,2001:db8::2 key65333=\"AAAAAAAAAAAAAAAAAAAAAAAA\"",
    "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "APL 1:192.168.32.0/21 !1:192.168.38.0/28",
    "TYPE65280 \\# 4 0a 00 0001",
    "URI 10 1 \"https://example.net/\"",
    "HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs1 rvs2",
    "WKS 10.0.0.1 tcp smtp 21",
];
const OWNERS: [&str; 12] = [
    "",
    "",
    "@",
    "www",
    "WwW",
    "*",
    "a\\.b",
    "\\064",
    "_sip._tcp",
    "\"q r\"",
    "x.t.test.",
    "an-owner-of-a-length-that-no-other-has.sub",
];
const HEADS: [&str; 7] = ["", "IN", "300", "in 1H30m", "1D IN", "IN", ""];
const BETWEEN: [&str; 12] = [
    " ",
    " ",
    " ",
    "\t",
    "  ",
    "\n",
    "\n\n  ",
    " ;x\n",
    "\t; why\t\n",
    "\r\n\t",
    "\n; y\n\t",
    "\n   ;z\n",
];
const AFTER: [&str; 14] = [
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ; c\n",
    ";d  \n",
    "\n\n",
    "\n\n\n",
    "\n; line\n",
    "\t\t; e\n\t\t; f\n",
    "\n$TTL 5m ; t\n",
    "\n\n$ORIGIN sub\n",
    "\n$INCLUDE other.zone sub\n",
    "\n$GENERATE 1-2 g${0,2} A 192.0.2.$ ;g\n",
];

/// One record in any dress.
fn entry() -> impl Strategy<Value = String> {
    let between = vec(select(&BETWEEN[..]), 24);
    let parts = (select(&OWNERS[..]), select(&HEADS[..]), select(records()), between, 0..24usize);
    (parts, select(&AFTER[..])).prop_map(|((owner, head, record, between, open), after)| {
        let words = words(head).into_iter().chain(words(&record));
        let mut text = owner.to_owned();
        let mut is_open = false;
        for (index, word) in words.enumerate() {
            // White space as it comes within parentheses, plain before them.
            let gap = if is_open { between[index % between.len()] } else { " " };
            text.push_str(gap);
            if index == open {
                text.push_str("( ");
                is_open = true;
            }
            text.push_str(word);
        }
        if is_open {
            text.push_str(between[open % between.len()]);
            text.push(')');
        }
        text + after
    })
}

/// Words at the spaces outside quotes that nothing escapes.
fn words(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let split = text.split(move |c| {
        quoted ^= c == '"' && !escaped;
        let is_space = c == ' ' && !quoted && !escaped;
        escaped = c == '\\' && !escaped;
        is_space
    });
    split.filter(|word| !word.is_empty()).collect()
}

/// Records of all types: ours, and those of the golden cases.
fn records() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rdata.txt");
    let text = fs::read_to_string(path).unwrap();
    let cases = text.lines().filter(|l| !l.is_empty() && !l.starts_with(['#', ' ']));
    RECORDS.into_iter().chain(cases).map(str::to_owned).collect()
}

fn name(text: &str) -> Name {
    Name::parse(text, &Name::root()).unwrap()
}

fn parse(path: &str, text: &[u8], origin: &Name) -> Option<Zone> {
    let included: &[u8] = b"included TXT yes\n";
    let includes = |path: &str, _: &str| Ok((path.to_owned(), Arc::from(included)));
    zone::parse(path, text, origin, &includes).zone
}

/// All that a zone says, case and order of records included; not where it says it.
fn said(zone: &Zone) -> Vec<String> {
    let mut said = vec![zone.apex.to_string()];
    for (owner, node) in &zone.nodes {
        for rrset in &node.rrsets {
            said.push(format!("{owner} {} {:?} {:?}", rrset.rtype, rrset.ttl, rrset.rdata));
        }
    }
    said
}

/// Formats `text` if it has no mistake; whether it had none.
fn check(path: &str, text: &[u8], origin: &Name) -> bool {
    let Ok(once) = zone::format(path, text, origin) else {
        let told = zone::format(path, text, origin).unwrap_err();
        assert!(told.iter().all(|d| d.code != "fmt-would-change"), "{path} {told:?}");
        return false;
    };
    let shown = String::from_utf8_lossy(&once);
    let twice = zone::format(path, &once, origin).unwrap();
    assert!(once == twice, "{path}\n{shown}\nis formatted to\n{}", String::from_utf8_lossy(&twice));
    assert!(
        !shown.contains(" \n") && !shown.contains("\n\n\n") && !shown.contains('\r'),
        "{shown}"
    );
    let (before, after) = (parse(path, text, origin), parse(path, &once, origin));
    assert_eq!(before.as_ref().map(said), after.as_ref().map(said), "{path}");
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn generated_files(entries in vec(entry(), 1..12), bom in any::<bool>()) {
        let bom = if bom { "\u{feff}" } else { "" };
        let text = format!("{bom}$TTL 1h\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n{}", entries.concat());
        prop_assert!(check("zones/t.test.zone", text.as_bytes(), &name("t.test.")), "{}", text);
    }
}

/// All files below `folder` with that ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn files_of_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["zones", "tests"] {
        for path in files(&root.join(folder), ".zone") {
            let text = fs::read(&path).unwrap();
            let shown = path.display().to_string();
            let is_sound = check(&shown, &text, &name("t.test."));
            // What we hand out as an example is as fmt writes it.
            if folder == "zones" {
                assert!(is_sound, "{shown}");
                let formatted = zone::format(&shown, &text, &name("t.test."));
                assert!(formatted.unwrap() == text, "{shown} is not canonical: run `homing fmt`");
            }
        }
    }
}

/// The zones within the vectors beside the checkout, if they are there.
#[test]
fn zones_of_the_conformance_material() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/open");
    for path in files(&root, ".jsonl.gz") {
        let packed = fs::read(&path).unwrap();
        let text = gunzip(&packed);
        for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let group: serde_json::Value = serde_json::from_slice(line).unwrap();
            for zone in group["zones"].as_array().into_iter().flatten() {
                let (origin, text) = (zone["origin"].as_str().unwrap(), zone["text"].as_str());
                check(
                    &format!("{}: {origin}", path.display()),
                    text.unwrap_or("").as_bytes(),
                    &name(origin),
                );
            }
        }
    }
}

/// The content of a file of gzip with nothing but a name in its header (RFC 1952 §2.3).
fn gunzip(packed: &[u8]) -> Vec<u8> {
    let named = packed[3] & 8 != 0;
    let name_len =
        packed[10..].iter().position(|&b| b == 0).filter(|_| named).map_or(0, |at| at + 1);
    miniz_oxide::inflate::decompress_to_vec(&packed[10 + name_len..]).unwrap()
}

/// The two texts of zones/README.md: as written, and as formatted.
#[test]
fn the_example_of_the_readme() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("zones/README.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("### Canonical form").nth(1).unwrap();
    let mut blocks = section.split("```\n").skip(1).step_by(2);
    let (before, after) = (blocks.next().unwrap(), blocks.next().unwrap());
    let formatted =
        zone::format("zones/README.md", before.as_bytes(), &name("example.com.")).unwrap();
    assert_eq!(String::from_utf8(formatted).unwrap(), after);
}
