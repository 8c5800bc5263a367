//! Tokens as they are made, kept, read and refused.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::health::Subject;

fn person(name: &str, hash: blake3::Hash) -> Token {
    Token {
        name: name.into(),
        bearer: Bearer::Person("ana".into()),
        verbs: vec![Verb::Read, Verb::Override],
        subjects: vec![Subject::parse("eu-*").unwrap()],
        created: 1,
        expires: Some(100),
        hash,
    }
}

#[test]
fn a_token_is_found_by_its_secret_and_the_file_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    assert_eq!(Tokens::read(&state).unwrap(), None);
    let one = Tokens::add(&state, |hash| person("one", hash)).unwrap();
    let two = Tokens::add(&state, |hash| person("two", hash)).unwrap();
    let tokens = Tokens::read(&state).unwrap().unwrap();
    assert_eq!(tokens.find(one.text()).map(|t| &*t.name), Some("one"));
    assert_eq!(tokens.find(two.text()).map(|t| &*t.name), Some("two"));
    assert_eq!(tokens.find(""), None);
    assert_eq!(tokens.find(&one.text().to_uppercase()), None);
    let text = fs::read_to_string(state.join(FILE)).unwrap();
    assert!(one.text().len() > 43 && !text.contains(one.text()), "{text}");
    assert!(!text.contains(&one.text()["homing_".len()..]), "{text}");
    assert_eq!(state.join(FILE).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // What is read is what was made.
    assert_eq!(tokens.list()[0], person("one", tokens.list()[0].hash));
}

#[test]
fn the_last_one_that_goes_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Tokens::add(folder.path(), |hash| person("one", hash)).unwrap();
    let twice = Tokens::add(folder.path(), |hash| person("one", hash));
    assert!(matches!(twice, Err(TokenError::Refused(_))));
    let before = Tokens::signature(folder.path());
    assert_eq!(Tokens::revoke(folder.path(), "one").unwrap(), 0);
    assert_ne!(Tokens::signature(folder.path()), before);
    assert!(matches!(Tokens::revoke(folder.path(), "one"), Err(TokenError::Refused(_))));
    assert_eq!(Tokens::read(folder.path()).unwrap(), Some(Tokens::default()));
}

#[test]
fn what_is_not_understood_whole_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Tokens::add(folder.path(), |hash| person("one", hash)).unwrap();
    let path = folder.path().join(FILE);
    let good = fs::read_to_string(&path).unwrap();
    for (old, new) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"read\"", "\"everything\""),
        ("\"person\": \"ana\",", ""),
        ("\"person\"", "\"vantage\""),
        ("\"created\"", "\"only_on_mondays\": true,\n\"created\""),
        ("eu-*", "eu *"),
        ("\"hash\": \"", "\"hash\": \"0"),
        ("}", ""),
    ] {
        let text = good.replacen(old, new, 1);
        assert_ne!(text, good, "{old}");
        fs::write(&path, text).unwrap();
        let read = Tokens::read(folder.path());
        assert!(matches!(&read, Err(TokenError::Broken(..))), "{old}: {read:?}");
        // A file that is not understood is not written over.
        assert!(Tokens::add(folder.path(), |hash| person("two", hash)).is_err());
    }
    fs::write(&path, good).unwrap();
    assert!(Tokens::read(folder.path()).unwrap().unwrap().find(secret.text()).is_some());
}

#[test]
fn a_token_is_good_for_what_it_says() {
    let token = person("one", hash_of("x"));
    assert!(token.may(Verb::Read) && !token.may(Verb::Drain));
    let reaches = |text: &str| token.reaches(&Subject::parse(text).unwrap());
    assert!(reaches("eu-fra/web") && !reaches("us-iad") && !reaches("*"));
    assert!(!token.is_over(99) && token.is_over(100));
    let vantage = Bearer::Vantage("fra-probe".into());
    let verbs = vec![Verb::Report];
    let good = Token { bearer: vantage.clone(), verbs, ..token.clone() };
    assert_eq!(good.check(), Ok(()));
    for bad in [
        Token { name: "a b".into(), ..token.clone() },
        Token { verbs: Vec::new(), ..token.clone() },
        Token { verbs: vec![Verb::Files], ..token.clone() },
        Token { bearer: Bearer::Person("".into()), ..token.clone() },
        Token { bearer: Bearer::Vantage("a b".into()), ..good.clone() },
        Token { verbs: vec![Verb::Override], ..good.clone() },
        Token { subjects: vec![Subject::default(); 65], ..token.clone() },
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
    let tokens = Tokens { list: vec![good] };
    assert!(tokens.is_bound("fra-probe") && !tokens.is_bound("ana"));
}
