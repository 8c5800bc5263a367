//! Differential: what BIND, NSD and Knot all load we load, with the same records; what they all refuse we refuse.
//!
//! The three come from Debian's `bind9utils`, `nsd` and `knot-dnssecutils`. Without them these tests fail, so they run only
//! when named: `cargo test --release --test differential`.

mod checkers;
mod exceptions;
mod generator;
mod ours;
mod records;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use checkers::{Checker, Opinion, Verdict};
use exceptions::Exceptions;
use records::Records;

/// Files that are generated. `HOMING_GENERATED=COUNT` and `HOMING_SEED=NUMBER` look further than CI does.
const GENERATED_COUNT: usize = 10_000;
const SEED: u64 = 1;

/// A zone file and what is known of it.
struct Case {
    /// As the list of exceptions names it.
    name: String,
    path: PathBuf,
    /// What we make of it: its records, or the short names of what refuses it.
    ours: Result<Records, Vec<String>>,
}

#[test]
fn the_corpus_is_read_as_others_read_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/zones");
    let mut cases = Vec::new();
    for subject in ours::sorted(&corpus) {
        for path in ours::sorted(&subject).into_iter().filter(|p| ours::is_zone(p)) {
            let name = path.strip_prefix(&corpus).unwrap().to_string_lossy().into_owned();
            let ours = ours::read(&path);
            cases.push(Case { name, path, ours });
        }
    }
    assert!(cases.len() >= 200, "{} files in the corpus", cases.len());
    compare(&cases, "corpus", true);
}

#[test]
fn generated_files_are_read_as_others_read_them() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("HOMING_GENERATED").map_or(GENERATED_COUNT, |n| n as usize);
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for (at, zone) in
        generator::zones(number("HOMING_SEED").unwrap_or(SEED)).take(count).enumerate()
    {
        let path = folder.path().join(format!("g{at:05}.zone"));
        fs::write(&path, zone.text(&format!("g{at:05}."))).unwrap();
        let ours = ours::read(&path);
        cases.push(Case { name: format!("{}/g{at:05}", zone.kind), path, ours });
    }
    let is_list_of_ci = number("HOMING_SEED").is_none() && count == GENERATED_COUNT;
    compare(&cases, "generated", is_list_of_ci);
}

/// Holds every case against the three, on all cores, and fails with all that differ.
fn compare(cases: &[Case], list: &str, is_whole: bool) {
    checkers::demand();
    let exceptions = Exceptions::read(list);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(difference(case, &exceptions));
        }
        found
    };
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    let mut found: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    });
    found.sort();
    // Another seed need not meet them all.
    found.extend(exceptions.stale().filter(|_| is_whole));
    let accepted = cases.iter().filter(|c| c.ours.is_ok()).count();
    println!("{list}: {} files, {accepted} accepted, {} differences", cases.len(), found.len());
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n\n"));
}

fn difference(case: &Case, exceptions: &Exceptions) -> Option<String> {
    let verdicts: Vec<Verdict> = Checker::ALL.iter().map(|c| c.run(&case.path)).collect();
    let what = what_differs(case, &verdicts)?;
    let said: Vec<String> = verdicts.into_iter().map(|v| v.said).collect();
    let text = fs::read(&case.path).unwrap_or_default();
    let shown: String = String::from_utf8_lossy(&text).chars().take(2_000).collect();
    let told = format!("{}: {what}\n{}\n{shown}", case.name, said.join("\n"));
    (!exceptions.covers(&case.name, &told)).then_some(told)
}

/// By those that do not abstain: what all accept we accept, what two or more refuse without dissent we refuse. Of
/// `$GENERATE`, which is BIND's, BIND alone decides.
fn what_differs(case: &Case, verdicts: &[Verdict]) -> Option<String> {
    let count = |opinion: Opinion| verdicts.iter().filter(|v| v.opinion == opinion).count();
    let (accepting, refusing) = (count(Opinion::Accepts), count(Opinion::Refuses));
    let of_generate = verdicts.iter().any(|v| v.said.contains(" $GENERATE: "));
    match &case.ours {
        Ok(_) if accepting == 0 && (refusing >= 2 || of_generate) => {
            Some("they refuse it, we accept it".to_owned())
        }
        Err(codes) if refusing == 0 && accepting > 0 => {
            Some(format!("they accept it, we refuse it: {}", codes.join(" ")))
        }
        Ok(ours) => {
            let theirs = verdicts.iter().find_map(|v| v.records.as_ref()).filter(|t| *t != ours)?;
            Some(format!("the records differ\n{}", ours.difference(theirs)))
        }
        Err(_) => None,
    }
}
