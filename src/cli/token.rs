//! `homing token`: who may ask what of the API. Works on `state/` itself, so that the first token needs none.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use crate::history::{Bearer, Token, TokenError, Tokens, Verb};
use crate::load::Config;

use super::args::{Format, TokenAdd, TokenCommand, TokenList, TokenRevoke};
use super::failure::Failure;
use super::paint::{Colour, Columns, Paint, print};

/// The longest life that a token may be given, in seconds: ten years. Beyond, it is meant to last until it is revoked.
const LIFE_SECS_MAX: u64 = 10 * 366 * 86_400;
const DAY_SECS: u64 = 86_400;

/// Makes, lists, or ends tokens.
pub fn run(command: &TokenCommand) -> Result<u8, Failure> {
    match command {
        TokenCommand::Add(args) => add(args),
        TokenCommand::List(args) => list(args),
        TokenCommand::Revoke(args) => revoke(args),
    }
}

fn add(args: &TokenAdd) -> Result<u8, Failure> {
    let state = state_of(&args.of.dir)?;
    let named = |name: &str| if name.is_empty() { &*args.name } else { name }.into();
    let bearer = match (&args.vantage, &args.person) {
        (Some(vantage), _) => Bearer::Vantage(named(vantage)),
        (None, person) => Bearer::Person(named(person.as_deref().unwrap_or_default())),
    };
    let mut verbs: Vec<Verb> = args.verb.iter().filter_map(|word| Verb::parse(word)).collect();
    if verbs.is_empty() {
        verbs = verbs_of(&bearer, &args.subject);
    }
    verbs.sort();
    verbs.dedup();
    let subjects = Token::read_subjects(&args.subject).map_err(Failure::cannot_run)?;
    let created = now_secs();
    let expires = args.expires.as_deref().map(|text| ends(text, created)).transpose()?;
    let name: Box<str> = args.name.as_str().into();
    let make = |hash| Token { name, bearer, verbs, subjects, created, expires, hash };
    let is_first = Tokens::read(&state)?.is_none();
    let secret = Tokens::add(&state, make)?;
    // The secret alone on standard output, so that a script can take it.
    print(&format!("{}\n", secret.text()));
    eprintln!("homing: this is shown once; give it as HOMING_TOKEN, or Authorization: Bearer");
    if is_first {
        eprintln!("homing: the first token: from now on the API admits nobody without one");
    }
    Ok(0)
}

/// What is good for `bearer` if nothing is said: what changes everything is not for who is bound to a part.
fn verbs_of(bearer: &Bearer, subjects: &[String]) -> Vec<Verb> {
    match bearer {
        Bearer::Vantage(_) => vec![Verb::Report],
        Bearer::Person(_) if subjects.is_empty() => Verb::ALL[1..].to_vec(),
        Bearer::Person(_) => vec![Verb::Read, Verb::Override, Verb::Drain],
    }
}

fn list(args: &TokenList) -> Result<u8, Failure> {
    let tokens = Tokens::read(&state_of(&args.of.dir)?)?;
    let now = now_secs();
    match args.format {
        Format::Json => {
            let list: Vec<_> = tokens.iter().flat_map(Tokens::list).map(body).collect();
            print(&format!("{:#}\n", json!({ "open": tokens.is_none(), "tokens": list })));
        }
        Format::Human => print(&shown(tokens.as_ref(), now, Paint::for_stdout())),
    }
    Ok(0)
}

fn shown(tokens: Option<&Tokens>, now: u64, paint: Paint) -> String {
    let Some(tokens) = tokens else {
        return "no token was ever made: the API is open to this machine\n".to_owned();
    };
    let mut columns = Columns::default();
    let heads = ["token", "of", "verbs", "subjects", "ends"];
    columns.row(heads.map(|head| (head, Colour::Bold)));
    for token in tokens.list() {
        let verbs: Vec<&str> = token.verbs.iter().map(|verb| verb.word()).collect();
        let subjects: Vec<String> = token.subjects.iter().map(ToString::to_string).collect();
        let subjects = if subjects.is_empty() { "*".to_owned() } else { subjects.join(" ") };
        let (ends, colour) = match token.expires {
            None => ("when revoked".to_owned(), Colour::Plain),
            Some(at) if at <= now => (format!("{}, over", stamp(at)), Colour::Red),
            Some(at) if at - now < 7 * DAY_SECS => (stamp(at), Colour::Yellow),
            Some(at) => (stamp(at), Colour::Plain),
        };
        columns.row([
            (&*token.name, Colour::Plain),
            (&of(&token.bearer), Colour::Plain),
            (&verbs.join(","), Colour::Plain),
            (&subjects, Colour::Plain),
            (&ends, colour),
        ]);
    }
    if tokens.list().is_empty() {
        return "no token is left: the API admits nobody\n".to_owned();
    }
    columns.render(paint)
}

fn of(bearer: &Bearer) -> String {
    match bearer {
        Bearer::Vantage(name) => format!("vantage {name}"),
        Bearer::Person(name) => format!("person {name}"),
    }
}

fn body(token: &Token) -> serde_json::Value {
    let (vantage, person) = match &token.bearer {
        Bearer::Vantage(name) => (Some(name), None),
        Bearer::Person(name) => (None, Some(name)),
    };
    json!({
        "name": token.name, "vantage": vantage, "person": person,
        "verbs": token.verbs.iter().map(|verb| verb.word()).collect::<Vec<_>>(),
        "subjects": token.subjects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "created": stamp(token.created), "expires": token.expires.map(stamp),
    })
}

fn revoke(args: &TokenRevoke) -> Result<u8, Failure> {
    let state = state_of(&args.of.dir)?;
    let left = Tokens::revoke(&state, &args.name)?;
    print(&format!("{} is revoked; a running server refuses it within a second\n", args.name));
    if left == 0 {
        let file = Tokens::path(&state);
        let file = file.display();
        eprintln!("homing: it was the last: the API admits nobody; remove {file} to open it again");
    }
    Ok(0)
}

fn state_of(dir: &Path) -> Result<PathBuf, Failure> {
    let read = if dir.is_file() { Config::load(dir) } else { Config::find(dir) };
    let config = read.map_err(|said| {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        Failure::cannot_run(lines.join("\n"))
    })?;
    if !config.state.is_dir() && !config.zones.is_dir() {
        let what = format!("{}: neither state/ nor zones/ is here; --dir DIR", dir.display());
        return Err(Failure::cannot_run(what));
    }
    Ok(config.state)
}

/// When a token ends, in seconds of the Unix epoch: a span of hours or days from `now`, or a time.
fn ends(text: &str, now: u64) -> Result<u64, Failure> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    let at = match (days, text.parse::<jiff::Timestamp>(), text.parse::<jiff::SignedDuration>()) {
        (Some(days), ..) => days.checked_mul(DAY_SECS).and_then(|secs| secs.checked_add(now)),
        (None, Ok(stamp), _) => u64::try_from(stamp.as_second()).ok(),
        (None, _, Ok(span)) => u64::try_from(span.as_secs()).ok().and_then(|s| s.checked_add(now)),
        _ => None,
    };
    match at {
        Some(at) if at > now && at - now <= LIFE_SECS_MAX => Ok(at),
        Some(_) => Err(Failure::cannot_run(format!("--expires {text} is not within ten years"))),
        None => {
            let what = format!("--expires {text} is neither 90d or 12h, nor an RFC 3339 time");
            Err(Failure::cannot_run(what))
        }
    }
}

fn now_secs() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn stamp(secs: u64) -> String {
    let stamp = i64::try_from(secs).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    stamp.map(|stamp| stamp.to_string()).unwrap_or_default()
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Failure {
        match error {
            TokenError::Refused(_) => Failure::refused(error.to_string()),
            _ => Failure::cannot_run(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_after_a_span_or_at_a_time() {
        let ends = |text: &str| ends(text, 1_000).map_err(|failure| failure.code);
        assert_eq!(ends("90d"), Ok(1_000 + 90 * DAY_SECS));
        assert_eq!(ends("12h"), Ok(1_000 + 12 * 3600));
        assert_eq!(ends("1970-01-02T00:00:00Z"), Ok(DAY_SECS));
        for bad in
            ["0d", "soon", "", "-1h", "1970-01-01T00:00:01Z", "99999999999999999999d", "9999d"]
        {
            assert_eq!(ends(bad), Err(2), "{bad}");
        }
    }

    #[test]
    fn who_is_bound_to_a_part_changes_no_whole() {
        let person = Bearer::Person("ana".into());
        assert!(verbs_of(&person, &[]).contains(&Verb::Files));
        assert!(!verbs_of(&person, &["eu-*".to_owned()]).contains(&Verb::Files));
        assert!(!verbs_of(&person, &[]).contains(&Verb::Report));
    }
}
