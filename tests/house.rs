//! The house as a test: floors, circles, faces, sizes, headers and banned words. Fails with file, line and how to mend it.
//!
//! `TABLE` mirrors the floors of the architecture and is the authority on them. A new arrow is a change to the house: a
//! commit of its own, with its reason. Code in `#[cfg(test)] mod` and in `tests.rs` files may build what it needs
//! from any room, since none of it is in the product.

#[path = "house/codes.rs"]
mod codes;
#[path = "house/rules.rs"]
mod rules;
#[path = "house/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use rules::{Row, check};
use source::Tree;

const TABLE: [Row; 21] = [
    ("main", 8, &["cli", "control"]),
    (
        "control",
        7,
        &[
            "ask",
            "serve",
            "load",
            "history",
            "probe",
            "api",
            "answer",
            "route",
            "health",
            "trace",
            "diagnostic",
        ],
    ),
    ("cli", 7, &["ask", "probe", "api", "load", "history", "zone", "geo", "diagnostic"]),
    // What differs is shown by the API and by the command line alike: it is made once, in the API's shape.
    ("ask", 6, &["load", "answer", "route", "geo", "zone", "api", "health", "trace", "diagnostic"]),
    ("serve", 5, &["answer"]),
    ("load", 5, &["zone", "geo", "route", "answer", "diagnostic"]),
    ("history", 5, &["health", "diagnostic"]),
    // Operators' files are read in one manner, with every mistake told at once: by the reader that steering has.
    ("probe", 5, &["wire", "health", "route", "diagnostic"]),
    ("answer", 4, &["wire", "geo", "route", "trace"]),
    ("route", 3, &["geo", "health", "trace", "diagnostic"]),
    ("zone", 2, &["wire", "diagnostic"]),
    ("geo", 2, &["diagnostic"]),
    ("api", 2, &["health", "diagnostic"]),
    ("wire", 1, &[]),
    ("health", 1, &[]),
    ("diagnostic", 1, &[]),
    ("trace", 1, &[]),
    ("number", 0, &[]),
    ("reason", 0, &[]),
    ("alarm", 0, &[]),
    ("fileset", 0, &["number"]),
];

/// All Rust files of `src`, `tests` and `benches`.
fn tree() -> Tree {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tree = Tree::new();
    let mut folders: Vec<_> = ["src", "tests", "benches"].map(|f| root.join(f)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                tree.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    tree
}

#[test]
fn the_house_stands() {
    let tree = tree();
    assert!(tree.contains_key("src/lib.rs"), "no sources found");
    let faults: Vec<String> = check(&tree, &TABLE).iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_diagnostic_has_its_story() {
    let faults = codes::faults(&tree());
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn codes_without_a_story_and_stories_without_a_code_are_found() {
    let catalogue = "//! x\nconst A: Check = Check {\n    code: \"told-and-said\",\n};\n\
                     const B: Check = Check {\n    code: \"never-said\",\n};\n";
    let zone = "//! x\n// \"a-comment\"\nfn f() { error(\"told-and-said\"); error(\"not-told\"); }\n\
                #[cfg(test)]\nmod tests { const A: &str = \"in-a-test\"; }\n";
    let tree = Tree::from([
        ("src/diagnostic/catalogue/x.rs".to_owned(), catalogue.to_owned()),
        ("src/zone/x.rs".to_owned(), zone.to_owned()),
        ("src/serve/x.rs".to_owned(), "//! x\nconst A: &str = \"an-event\";\n".to_owned()),
    ]);
    let faults = codes::faults(&tree);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("src/zone/x.rs:3: `not-told`"), "{faults:?}");
    assert!(faults[1].contains("`never-said`"), "{faults:?}");
}

#[test]
fn the_table_itself_runs_down() {
    for (room, floor, allowed) in TABLE {
        for to in allowed {
            let below = TABLE.iter().find(|row| row.0 == *to).map(|row| row.1);
            let is_down = below.is_some_and(|below| below < floor || floor == 0 && below == 0);
            assert!(is_down, "{room} -> {to}");
        }
    }
}

/// Faults of a small sound house with `files` put on top, each as `path:line rule`.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let face = |name: &str, imports: &str, rest: &str| {
        let charter = format!(
            "//! {name}.\n//!\n//! Owns: x.\n//! Imports: {imports}.\n//! Never: x.\n//! Enter: x.\n"
        );
        (format!("src/{name}/mod.rs"), format!("{charter}{rest}"))
    };
    let mut tree = Tree::from([
        face(
            "wire",
            "nothing",
            "mod name;\nmod codes;\npub use name::Name;\npub use codes::Code;\n",
        ),
        face("serve", "answer", "mod udp;\nmod batch;\n"),
        face("answer", "wire, geo, route, trace", "mod respond;\npub use respond::respond;\n"),
        ("src/wire/name.rs".into(), "//! Names.\nuse super::codes::Code;\n".into()),
        ("src/wire/codes.rs".into(), "//! Codes.\n".into()),
        ("src/serve/udp.rs".into(), "//! UDP.\nuse crate::answer::respond;\n".into()),
        ("src/serve/batch.rs".into(), "//! Batches.\nfn f() { unsafe {} }\n".into()),
        (
            "src/answer/respond.rs".into(),
            "//! Answers.\nuse crate::{wire::{Name, Code}, number};\n".into(),
        ),
        ("src/number.rs".into(), "//! Numbers.\n".into()),
        (
            "src/lib.rs".into(),
            "//! Map.\npub mod wire;\nmod serve;\nmod answer;\nmod number;\n".into(),
        ),
    ]);
    tree.extend(files.iter().map(|(path, text)| (path.to_string(), text.to_string())));
    let name = |f: &rules::Fault| format!("{}:{} {}", f.path, f.line, f.rule);
    check(&tree, &TABLE).iter().map(name).collect()
}

#[test]
fn a_sound_house_has_no_fault() {
    assert_eq!(faults(&[]), [""; 0]);
}

#[test]
fn arrows_not_in_the_table_are_found() {
    let cases = [
        ("src/serve/udp.rs", "//! x\nuse crate::wire::Name;\n", 2),
        ("src/serve/udp.rs", "//! x\nuse crate::{answer::respond, load};\n", 2),
        ("src/serve/udp.rs", "//! x\n\nfn f() { super::super::wire::g() }\n", 3),
        ("src/wire/codes.rs", "//! x\nuse crate::answer::{self, respond};\n", 2),
        ("src/wire/codes.rs", "//! x\nmod m {\n use super::super::super::zone::Zone;\n}\n", 3),
        ("src/number.rs", "//! x\nuse super::wire;\n", 2),
        ("src/main.rs", "//! x\nuse homing::wire::Name;\nfn main() {}\n", 2),
    ];
    for (path, text, line) in cases {
        assert_eq!(faults(&[(path, text)]), [format!("{path}:{line} arrow")], "{text}");
    }
}

#[test]
fn tests_and_comments_draw_no_arrows() {
    let text = "//! x\n// use crate::load;\nconst A: &str = \"crate::load\";\n#[cfg(test)]\nmod tests {\n use crate::load;\n}\n";
    assert_eq!(faults(&[("src/wire/codes.rs", text)]), [""; 0]);
}

#[test]
fn a_room_without_a_row_is_found() {
    let found =
        faults(&[("src/extra.rs", "//! x\n"), ("src/wire/codes.rs", "//! x\nuse crate::extra;\n")]);
    assert_eq!(found, ["src/extra.rs:1 room", "src/extra.rs:1 unused", "src/wire/codes.rs:2 room"]);
}

#[test]
fn circles_of_files_are_found_even_through_the_face() {
    for back in ["use super::name::Name;", "use super::Name;", "use crate::wire::Name;"] {
        let found = faults(&[("src/wire/codes.rs", &format!("//! x\n{back}\n"))]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(" circle"), "{found:?}");
    }
    let nested = [
        ("src/wire/codes.rs", "//! x\nmod inner;\nuse inner::I;\n"),
        ("src/wire/codes/inner.rs", "//! x\nuse super::Code;\n"),
    ];
    assert_eq!(faults(&nested), ["src/wire/codes/inner.rs:2 circle"]);
}

#[test]
fn clocks_files_threads_and_printing_are_found_in_pure_rooms() {
    for text in [
        "use std::fs;",
        "use std::{io, fs::File};",
        "use std::net::{IpAddr, UdpSocket};",
        "fn f() { std::env::var(\"A\"); }",
        "fn f() { Instant::now(); }",
        "fn f() { std::time::SystemTime::now(); }",
        "fn f() { println!(\"\") }",
        "fn f() { tracing::info!(\"\") }",
    ] {
        assert_eq!(
            faults(&[("src/wire/codes.rs", &format!("//! x\n{text}\n"))]),
            ["src/wire/codes.rs:2 pure"],
            "{text}"
        );
    }
    assert_eq!(faults(&[("src/serve/udp.rs", "//! x\nuse std::net::UdpSocket;\n")]), [""; 0]);
}

#[test]
fn the_smaller_rules_are_found() {
    let long = format!("//! x\n{}", "// y\n".repeat(500));
    let function = format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(60));
    let cases = [
        ("src/wire/codes.rs", "const A: u8 = 0;\n", "src/wire/codes.rs:1 header"),
        ("src/wire/codes.rs", "//! x\nfn f() { unsafe {} }\n", "src/wire/codes.rs:2 unsafe"),
        ("src/wire/codes.rs", "//! x\n// TODO later\n", "src/wire/codes.rs:2 word"),
        ("src/wire/codes.rs", "//! x\nfn f() { todo!() }\n", "src/wire/codes.rs:2 word"),
        ("src/wire/codes.rs", &long, "src/wire/codes.rs:501 size"),
        ("src/wire/codes.rs", &function, "src/wire/codes.rs:2 size"),
        (
            "src/wire/codes.rs",
            &format!("//! x\n// {}\n", "a ".repeat(65)),
            "src/wire/codes.rs:2 size",
        ),
        ("src/wire/stray.rs", "//! x\n", "src/wire/stray.rs:1 unused"),
    ];
    for (path, text, want) in cases {
        assert_eq!(faults(&[(path, text)]), [want], "{text}");
    }
    let face = "//! x\n//!\n//! Owns: x.\n//! Imports: zone.\n//! Never: x.\n//! Enter: x.\nmod name;\nmod codes;\nmod util;\n";
    let found = faults(&[("src/wire/mod.rs", face), ("src/wire/util.rs", "//! x\n")]);
    assert_eq!(found, ["src/wire/mod.rs:1 charter", "src/wire/util.rs:1 name"]);
    let found = faults(&[(
        "src/wire/mod.rs",
        &format!("{}fn f() {{}}\n", face.replace("zone", "nothing").replace("mod util;\n", "")),
    )]);
    assert_eq!(found, ["src/wire/mod.rs:9 face"]);
}
