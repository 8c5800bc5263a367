//! The three checkers, each asked one question: would its server load this file and serve it?
//!
//! Options and exit codes are chosen so that advice does not count as a refusal:
//! - BIND: `-i none -k ignore …`: host names, targets and missing glue are advice; so is a missing NS record.
//! - NSD: `nsd-checkzone` is the loader of `nsd` itself.
//! - Knot: `kzonecheck` runs extra checks too, which do not keep `knotd` from loading. It says "Serious semantic error"
//!   where one is mandatory (knot.conf, `semantic-checks`), and "failed to load" for a mistake of the text.
//!
//! One that refuses a file only for what it does not know (`$GENERATE`, a relative `$ORIGIN`, a type) abstains: the
//! others may refuse the same file for quite another reason, and that would pass for agreement.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::records::Records;

#[derive(Clone, Copy, Debug)]
pub enum Checker {
    Bind,
    Nsd,
    Knot,
}

/// What one server makes of a file.
pub struct Verdict {
    pub opinion: Opinion,
    /// All that it said, in one line.
    pub said: String,
    /// What it would serve, where it tells.
    pub records: Option<Records>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    Accepts,
    Refuses,
    Abstains,
}

impl Checker {
    pub const ALL: [Checker; 3] = [Checker::Bind, Checker::Nsd, Checker::Knot];

    pub fn run(self, path: &Path) -> Verdict {
        let origin = path.file_stem().unwrap_or_default().to_string_lossy();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read(path).unwrap_or_default();
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            // An $INCLUDE is relative to where BIND and NSD run, and to the file for Knot.
            command.args(arguments).current_dir(path.parent().unwrap()).stdin(Stdio::null());
            command.output().unwrap_or_else(|why| panic!("{program}: {why}"))
        };
        let output = match self {
            Checker::Bind => {
                let options =
                    "-i none -k ignore -m ignore -n ignore -M ignore -S ignore -F raw=1 -o -";
                let mut arguments: Vec<&str> = options.split(' ').collect();
                arguments.extend([&*origin, &*file]);
                run("named-compilezone", &arguments)
            }
            Checker::Nsd => run("nsd-checkzone", &[&origin, &file]),
            Checker::Knot => run("kzonecheck", &["-v", "-o", &origin, &file]),
        };
        self.verdict(&output, &text)
    }

    fn verdict(self, output: &Output, file: &[u8]) -> Verdict {
        let told = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy);
        let mut said = told[1].replace('\n', " / ");
        let mut records = None;
        let accepts = match self {
            Checker::Bind => {
                records = output.status.success().then(|| Records::from_raw(&output.stdout));
                // It wants NS records at the apex, and addresses for those within, whatever it is asked.
                let wants = told[1].contains(" has no ") && !told[1].contains("from master file");
                output.status.success() || wants
            }
            Checker::Nsd => output.status.success(),
            Checker::Knot => {
                said = format!("{} / {said}", told[0].replace('\n', " / "));
                let advice = told[0].contains("Error summary") && !said.contains("Serious");
                output.status.success() || advice
            }
        };
        let opinion = match self {
            _ if accepts => Opinion::Accepts,
            _ if self.is_ignorant(&told.concat(), file) => Opinion::Abstains,
            _ => Opinion::Refuses,
        };
        Verdict { opinion, said: format!("{self:?} {opinion:?}: {said}"), records }
    }

    /// Whether all errors come of what the server does not know or, as NSD with names out of zone, does not want.
    fn is_ignorant(self, told: &str, file: &[u8]) -> bool {
        let (before_line, excused): (&str, &[&str]) = match self {
            Checker::Bind => return false,
            Checker::Nsd => {
                (".zone:", &["out of zone data", "requires absolute domain name", "errors"])
            }
            Checker::Knot => (
                "line ",
                &["invalid FQDN zone origin", "CRLF newline", "failed to load", "failed to run"],
            ),
        };
        let lines: Vec<&[u8]> = file.split(|&b| b == b'\n').collect();
        let mut errors = told.lines().filter(|line| line.contains("error"));
        errors.all(|error| {
            let number = error.split(before_line).nth(1).and_then(leading_number);
            excused.iter().any(|words| error.contains(words))
                // NSD may tell the line after.
                || number.is_some_and(|n| has_unknown(&lines, n) || has_unknown(&lines, n - 1))
        })
    }
}

fn leading_number(text: &str) -> Option<usize> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|&n| n > 0)
}

/// Whether line `number`, from 1, holds a word that some do not know.
fn has_unknown(lines: &[&[u8]], number: usize) -> bool {
    let line = number.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or_default();
    let line = String::from_utf8_lossy(line).to_ascii_uppercase();
    line.split_ascii_whitespace().any(|word| UNKNOWN.contains(&word))
}

/// Directives and types that the versions in Debian 12 do not know, all of them or some.
#[rustfmt::skip]
const UNKNOWN: &[&str] = &[
    "$GENERATE", "AMTRELAY", "ATMA", "AVC", "CLASS1", "CSYNC", "DLV", "DOA", "EID", "GPOS", "HIP", "ISDN",
    "KEY", "L32", "MB", "MD", "MF", "MG", "MR", "NIMLOC", "NINFO", "NSAP", "NSAP-PTR", "NULL", "NXT",
    "PX", "RKEY", "RT", "SIG", "SINK", "SMIMEA", "SPF", "TA", "TALINK", "TYPE0", "WKS", "X25", "ZONEMD",
];

/// Fails unless all three are installed.
pub fn demand() {
    for program in ["named-compilezone", "nsd-checkzone", "kzonecheck"] {
        let mut command = Command::new(program);
        let found = command.arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(found.is_ok(), "no {program}: apt-get install bind9utils nsd knot-dnssecutils");
    }
}
