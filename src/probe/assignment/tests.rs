//! A good probe.toml is read whole; every mistake in a bad one is told where it stands.

use super::*;

fn read(text: &str) -> Result<(Assignment, Vec<Diagnostic>), Vec<Diagnostic>> {
    Assignment::parse("probe.toml", text.as_bytes(), Path::new("/etc/homing"))
}

#[test]
fn the_example_of_the_readme_is_taken_as_it_stands() {
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("```toml\n# probe.toml").expect("the README has one");
    let (text, _) = rest.split_once("```").unwrap();
    let (assignment, said) = read(&format!("#{text}")).unwrap();
    assert_eq!(said, []);
    assert_eq!(&*assignment.vantage, "ams-1");
    assert_eq!(assignment.receivers.len(), 2);
    assert_eq!(assignment.listen, Some("127.0.0.1:9153".parse().unwrap()));
    assert!(assignment.targets.len() >= 3, "{assignment:?}");
}

#[test]
fn servers_have_a_token_and_authorities_of_their_own_or_those_of_all() {
    let text = "vantage = \"ams-1\"\ntoken_file = \"token\"\nca = \"/ca.pem\"\n\
                servers = [\"https://ns1.example.net:8053/\", { url = \"http://127.0.0.1:1\", token_file = \"b\" }]\n\
                [probe]\nkind = \"http\"\n[[endpoints]]\nsubjects = [\"fra/web/192.0.2.10\", \"fra/web/2001:DB8::1\"]\n\
                [[endpoints]]\nsubjects = [\"iad/web/198.51.100.10\"]\nat = \"10.0.0.1\"\nport = 8080\n";
    let (assignment, said) = read(text).unwrap();
    assert_eq!(said, []);
    let receiver = |url: &str, token: &str| Receiver {
        url: url.into(),
        token_file: Some(token.into()),
        ca: Some("/ca.pem".into()),
    };
    let expected = [
        receiver("https://ns1.example.net:8053", "/etc/homing/token"),
        receiver("http://127.0.0.1:1", "/etc/homing/b"),
    ];
    assert_eq!(assignment.receivers, expected);
    let found: Vec<_> =
        assignment.targets.iter().map(|t| (&*t.member.address, t.settings.port)).collect();
    assert_eq!(found, [("192.0.2.10", 80), ("2001:db8::1", 80), ("198.51.100.10", 8080)]);
}

#[test]
fn every_mistake_is_told_where_it_stands() {
    let text = "vantage = \"a b\"\nserver = \"x\"\nservers = [\"ftp://a\", \"http://a/path\", { urls = \"\" }]\n\
                listen = \"9153\"\ntoken_file = \"\"\n[[endpoints]]\nsubjects = [\"fra/web\", \"fra/web/192.0.2.1\",\n\
                \"fra/web/192.0.2.1\", \"fra/*/192.0.2.1\"]\nat = \"a b\"\n[[endpoints]]\nkind = \"tcp\"\n\
                [[endpoints]]\nsubjects = [\"fra/ns/192.0.2.1\"]\nkind = \"dns\"\n";
    let said = read(text).unwrap_err();
    let found: Vec<_> = said.iter().map(|d| (d.place.line, d.code)).collect();
    let expected = [
        (1, "probe-text"),
        (2, "unknown-key"),
        (3, "probe-text"),
        (3, "probe-text"),
        (3, "missing-key"),
        (3, "unknown-key"),
        (4, "not-an-address"),
        (5, "probe-text"),
        (7, "probe-endpoint"),
        (8, "probe-endpoint"),
        (8, "probe-endpoint"),
        (9, "probe-text"),
        (10, "missing-key"),
        (12, "missing-key"),
    ];
    assert_eq!(found, expected, "{said:#?}");
    assert!(said[0].to_string().contains("  | vantage = \"a b\"\n  |           ^"), "{}", said[0]);
}

#[test]
fn who_looks_and_at_what_is_to_be_said() {
    let said = read("").unwrap_err();
    let codes: Vec<_> = said.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["missing-key", "missing-key"]);
}

#[test]
fn certificates_that_cannot_be_read_are_told() {
    let text = "vantage = \"a\"\n[probe]\nkind = \"https\"\nca = \"/nowhere/ca.pem\"\n\
                [[endpoints]]\nsubjects = [\"fra/web/192.0.2.10\"]\n";
    let (_, said) = read(text).unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].code, "probe-trust");
}
