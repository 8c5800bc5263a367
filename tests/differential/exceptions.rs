//! Where we differ on purpose: `exceptions.txt`, of which none may be stale.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// The exceptions of one list.
pub struct Exceptions {
    all: Vec<Exception>,
    used: Mutex<BTreeSet<usize>>,
}

/// One line: the list, the case (a final `*` stands for any end), and words, by ` | `, that all have to stand in what
/// differs, in what was said or in the file; then, after ` -- `, the reason.
struct Exception {
    case: String,
    words: Vec<String>,
    line: String,
}

impl Exceptions {
    pub fn read(list: &str) -> Exceptions {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/exceptions.txt");
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        let parsed = lines.map(|line| {
            let (head, why) =
                line.split_once(" -- ").unwrap_or_else(|| panic!("no reason: {line}"));
            assert!(why.len() > 10, "no reason: {line}");
            let mut parts = head.splitn(3, ' ').map(str::trim);
            let (of, case) = (parts.next().unwrap(), parts.next().unwrap());
            let words = parts.next().unwrap_or_default().split(" | ").map(|w| w.trim().to_owned());
            let words = words.filter(|w| !w.is_empty()).collect();
            (of, Exception { case: case.to_owned(), words, line: line.to_owned() })
        });
        let all = parsed.filter(|(of, _)| *of == list).map(|(_, exception)| exception).collect();
        Exceptions { all, used: Mutex::default() }
    }

    pub fn covers(&self, case: &str, told: &str) -> bool {
        let has = |word: &String| told.contains(&**word);
        let is = |e: &Exception| match e.case.strip_suffix('*') {
            Some(start) => case.starts_with(start),
            None => case == e.case,
        };
        let found = self.all.iter().position(|e| is(e) && e.words.iter().all(has));
        found.map(|at| self.used.lock().unwrap().insert(at)).is_some()
    }

    /// A complaint for each exception that nothing needs.
    pub fn stale(&self) -> impl Iterator<Item = String> {
        let used = self.used.lock().unwrap().clone();
        let unused = self.all.iter().enumerate().filter(move |(at, _)| !used.contains(at));
        unused.map(|(_, e)| format!("stale exception: {}", e.line))
    }
}
