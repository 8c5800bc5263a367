//! The README's tour of the API, by curl alone: each command as it stands there, and what it prints. Needs a curl that knows
//! `--json`, without which only CI insists.

use std::process::Command;

use super::example;
use super::support::Server;

/// A command, and what is said to come of it.
struct Step {
    command: String,
    printed: String,
}

/// The console of the section, in steps. Lines that begin with `>` go on with the command.
fn steps() -> Vec<Step> {
    let readme = include_str!("../../README.md");
    let console =
        readme.split("**By curl alone**").nth(1).and_then(|rest| rest.split("```").nth(1));
    let mut steps: Vec<Step> = Vec::new();
    for line in console.expect("the tour").lines().skip(1) {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), printed: String::new() });
            continue;
        }
        let step = steps.last_mut().expect("a command goes first");
        match line.strip_prefix("> ") {
            Some(more) => step.command.extend(["\n", more]),
            None => step.printed.extend([line, "\n"]),
        }
    }
    steps
}

/// Whether `text` is as `pattern` says, in which `…` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.trim(), pattern.trim());
    let Some((first, rest)) = pattern.split_once('…') else { return text == pattern };
    let (middle, last) = rest.rsplit_once('…').unwrap_or(("", rest));
    let Some(mut text) = text.strip_prefix(first) else { return false };
    for piece in middle.split('…') {
        let Some((_, after)) = text.split_once(piece) else { return false };
        text = after;
    }
    text.ends_with(last)
}

#[test]
fn each_command_prints_what_the_readme_says() {
    let version = Command::new("curl").args(["--json", "{}", "--version"]).output();
    if !version.is_ok_and(|ran| ran.status.success()) && std::env::var_os("CI").is_none() {
        return eprintln!("curl is not installed, or older than 7.82");
    }
    let files = example::all();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let server = Server::start(&files);
    let steps = steps();
    assert!(steps.len() > 10, "the tour is there");
    // One shell, for it keeps variables; each output ends with a mark.
    let mark = "\u{1e}";
    let script: String =
        steps.iter().map(|step| format!("{}\nprintf '\\036'\n", step.command)).collect();
    let script = script.replace("http://127.0.0.1:8053", &format!("http://{}", server.api));
    let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(printed.matches(mark).count(), steps.len(), "{printed}");
    for (Step { command, printed: expected }, printed) in steps.iter().zip(printed.split(mark)) {
        assert!(is_like(printed, expected), "{command}\n  printed {printed}\n  not     {expected}");
    }
}

#[test]
fn what_is_left_out_may_be_anything_and_the_rest_may_not() {
    assert!(is_like("{\"a\":1}\n", "{\"a\":1}\n"));
    assert!(is_like("{\"a\":1,\"b\":2}", "{\"a\":1,…"));
    assert!(is_like("{\"a\":1,\"b\":2}", "{…\"b\":2}"));
    for wrong in ["{\"a\":2}", "{\"a\":1", "{\"a\":1,\"b\":2}"] {
        assert!(!is_like(wrong, "{\"a\":1}"), "{wrong}");
    }
    assert!(!is_like("{\"a\":1,\"b\":2}x", "{…\"b\":2}"));
}
