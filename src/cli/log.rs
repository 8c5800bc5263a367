//! `homing log`: the states of files that were published, newest first; with `-p`, what each of them changed.

use std::path::Path;

use jiff::Timestamp;

use crate::api::{DiffBody, GenerationBody, GenerationsBody};

use super::args::{Format, LogArgs};
use super::changes::Extent;
use super::diff::between;
use super::difference;
use super::failure::Failure;
use super::paint::{Colour, Columns, Paint, is_terminal, print};
use super::past::{Past, read_since};

/// Lists generations.
pub fn run(args: &LogArgs) -> Result<u8, Failure> {
    let past = Past::open(args.server.as_deref(), args.files.as_deref())?;
    let since = args.since.as_deref().map(|text| read_since(text, Timestamp::now())).transpose()?;
    let list = past.list(args.count, since)?;
    if args.patch {
        return patches(args, &past, &list).map(|()| 0);
    }
    match args.format {
        Format::Json => print(&format!("{}\n", serde_json::json!(list))),
        Format::Human => print(&lines(&list, Paint::for_stdout())),
    }
    Ok(0)
}

/// Each generation with what it changed, printed as soon as it is known: a long history is long.
fn patches(args: &LogArgs, past: &Past, list: &GenerationsBody) -> Result<(), Failure> {
    let paint = Paint::for_stdout();
    let dir = args.files.as_deref().unwrap_or(Path::new("."));
    let older = list.generations.iter().skip(1).map(|g| Some(g.generation));
    let last = list.generations.last().map(|g| past.older_than(g.generation)).transpose()?;
    let older = older.chain([last.flatten()]);
    let mut told = Vec::new();
    for (generation, older) in list.generations.iter().zip(older) {
        let number = generation.generation;
        let diff = match older {
            None => None,
            Some(older) => {
                Some(between(past, dir, &format!("gen:{older}"), &format!("gen:{number}"))?)
            }
        };
        match args.format {
            Format::Json => {
                told.push(serde_json::json!({ "generation": generation, "diff": diff }))
            }
            Format::Human => print(&patch(generation, diff.as_ref(), paint)),
        }
    }
    if args.format == Format::Json {
        print(&format!("{}\n", serde_json::Value::from(told)));
    }
    Ok(())
}

fn lines(list: &GenerationsBody, paint: Paint) -> String {
    let mut text = String::new();
    if list.generations.is_empty() {
        text.push_str("no generation is kept of that time\n");
    }
    let mut columns = Columns::default();
    for generation in &list.generations {
        let (name, cause) = (format!("gen:{}", generation.generation), cause(generation));
        let (mark, colour) = mark(generation);
        columns.row([
            (&name, Colour::Yellow),
            (&second(&generation.published), Colour::Dim),
            (&cause, Colour::Plain),
            (&tally(generation), Colour::Plain),
            (mark, colour),
            (&reason(generation), Colour::Plain),
        ]);
    }
    text.push_str(&columns.render(paint));
    if list.next.is_some() {
        let line = "older ones are kept: homing log -n NUMBER";
        text.push_str(&format!("  {}\n", paint.text(Colour::Dim, line)));
    }
    text
}

fn patch(generation: &GenerationBody, diff: Option<&DiffBody>, paint: Paint) -> String {
    let extent = if is_terminal() { Extent::Terminal } else { Extent::All };
    let (mark, _) = mark(generation);
    let head = [
        format!("gen:{}", generation.generation),
        second(&generation.published),
        cause(generation),
        tally(generation),
        mark.to_owned(),
    ];
    let head: Vec<String> = head.into_iter().filter(|word| !word.is_empty()).collect();
    let mut text = paint.text(Colour::Yellow, &head.join("  "));
    text.push('\n');
    let reason = reason(generation);
    if !reason.is_empty() {
        text.push_str(&format!("  {reason}\n"));
    }
    let body = match diff {
        Some(diff) => {
            let notes = diff.notes.iter().map(|note| format!("note: {note}\n"));
            notes.collect::<String>() + &difference::body(diff, extent, paint)
        }
        None if generation.generation == 1 => "the first of all\n".to_owned(),
        None => "the oldest that is kept: what it changed is not known any more\n".to_owned(),
    };
    for line in body.lines() {
        text.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    }
    text.push('\n');
    text
}

/// To the second: nobody reads on.
fn second(time: &str) -> String {
    let bare = time.split('.').next().unwrap_or(time).trim_end_matches('Z');
    bare.replace('T', " ")
}

fn cause(generation: &GenerationBody) -> String {
    match generation.of {
        Some(of) => format!("{} to {of}", generation.cause),
        None => generation.cause.clone(),
    }
}

/// How many files came, changed and went.
fn tally(generation: &GenerationBody) -> String {
    let GenerationBody { added, changed, removed, files, .. } = generation;
    let word = |sign: &str, count: usize| (count > 0).then(|| format!("{sign}{count}"));
    let words = [word("+", *added), word("~", *changed), word("−", *removed)];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let noun = if *files == 1 { "file" } else { "files" };
    if words.is_empty() {
        format!("{files} {noun}")
    } else {
        format!("{} of {files}", words.join(" "))
    }
}

fn mark(generation: &GenerationBody) -> (&'static str, Colour) {
    match (generation.pinned, generation.serving) {
        (true, _) => ("pinned", Colour::Red),
        (false, true) => ("serves", Colour::Green),
        (false, false) => ("", Colour::Plain),
    }
}

/// Who, and why.
fn reason(generation: &GenerationBody) -> String {
    let GenerationBody { who, why, author, .. } = generation;
    let people: Vec<&str> =
        [who, author].into_iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    match (people.is_empty(), why.is_empty()) {
        (_, true) => people.join(", "),
        (true, false) => why.clone(),
        (false, false) => format!("{}: {why}", people.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_a_line() {
        let list = GenerationsBody {
            generations: vec![
                GenerationBody {
                    generation: 42,
                    published: "2026-11-21T14:02:03.125Z".into(),
                    cause: "rollback".into(),
                    of: Some(40),
                    who: "kim".into(),
                    why: "bad deploy".into(),
                    files: 12,
                    changed: 2,
                    removed: 1,
                    serving: true,
                    pinned: true,
                    ..GenerationBody::default()
                },
                GenerationBody {
                    generation: 9,
                    published: "2026-11-20T09:00:00Z".into(),
                    cause: "files".into(),
                    author: "Ada <ada@example.com>".into(),
                    files: 1,
                    ..GenerationBody::default()
                },
            ],
            next: Some(9),
            ..GenerationsBody::default()
        };
        let expected = "  \
            gen:42  2026-11-21 14:02:03  rollback to 40  ~2 −1 of 12  pinned  kim: bad deploy\n  \
            gen:9   2026-11-20 09:00:00  files           1 file               Ada <ada@example.com>\n  \
            older ones are kept: homing log -n NUMBER\n";
        assert_eq!(lines(&list, Paint::plain()), expected);
    }
}
