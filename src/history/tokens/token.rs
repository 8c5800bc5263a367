//! One token: whose it is, what it is good for, and its secret, of which only the hash is kept.

use std::fs::File;
use std::io::Read;

use crate::health::Subject;

/// Patterns of one token.
const SUBJECT_COUNT_MAX: usize = 64;
/// Octets of a token's name.
const NAME_LEN_MAX: usize = 64;
/// Octets of the name of a vantage or a person, as everywhere in the API.
const BEARER_LEN_MAX: usize = 200;
/// What our secrets begin with, so that a scanner for leaked ones knows them.
const PREFIX: &str = "homing_";
/// Separates these hashes from all others (BLAKE3 §2.3, key derivation).
const CONTEXT: &str = "homing 2026-11 API token";

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Report what was seen.
    Report,
    /// Read verdicts, status, metrics, explanations, files.
    Read,
    /// Decide instead of a verdict.
    Override,
    /// Drain a region, and take that back.
    Drain,
    /// Take this site out of anycast, and back.
    Site,
    /// Reload, roll back, resume, accept.
    Files,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A vantage: it reports, as this one alone.
    Vantage(Box<str>),
    /// A person: what changes carries this name.
    Person(Box<str>),
}

/// What one token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// How operators call it.
    pub name: Box<str>,
    /// Whose it is.
    pub bearer: Bearer,
    /// What may be asked with it; sorted.
    pub verbs: Vec<Verb>,
    /// What may be reported and changed with it; none: everything.
    pub subjects: Vec<Subject>,
    /// When it was made, in seconds of the Unix epoch.
    pub created: u64,
    /// When it ends, in seconds of the Unix epoch; none: when it is revoked.
    pub expires: Option<u64>,
    /// The hash of its secret. Compared in constant time, as [`blake3::Hash`] is.
    pub hash: blake3::Hash,
}

/// A secret, shown once.
pub struct Secret(String);

impl Verb {
    /// All of them, in order.
    pub const ALL: [Verb; 6] =
        [Verb::Report, Verb::Read, Verb::Override, Verb::Drain, Verb::Site, Verb::Files];

    /// The word that tokens are made with.
    pub const fn word(self) -> &'static str {
        match self {
            Verb::Report => "report",
            Verb::Read => "read",
            Verb::Override => "override",
            Verb::Drain => "drain",
            Verb::Site => "site",
            Verb::Files => "files",
        }
    }

    /// The verb that `word` names.
    pub fn parse(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.word() == word)
    }
}

impl Secret {
    /// Draws one: 256 random bits.
    pub fn draw() -> std::io::Result<Secret> {
        let mut octets = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut octets)?;
        let text = data_encoding::BASE64URL_NOPAD.encode(&octets);
        Ok(Secret(format!("{PREFIX}{text}")))
    }

    /// The text, to be shown once.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// The hash that is kept of a secret. A slow hash makes guessing dear where people choose what is hashed; of 256 random
/// bits there is nothing to guess, and each request pays for the hash.
pub fn hash_of(secret: &str) -> blake3::Hash {
    blake3::derive_key(CONTEXT, secret.as_bytes()).into()
}

impl Token {
    /// Reads what a token is to be good for.
    pub fn read_subjects(texts: &[String]) -> Result<Vec<Subject>, String> {
        let read = |text: &String| Subject::parse(text).map_err(|e| format!("subject {text}: {e}"));
        texts.iter().map(read).collect()
    }

    /// Whether `verb` may be asked with it.
    pub fn may(&self, verb: Verb) -> bool {
        self.verbs.contains(&verb)
    }

    /// Whether it holds for all of `subject`.
    pub fn reaches(&self, subject: &Subject) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|ours| ours.includes(subject))
    }

    /// Whether it has ended at `now`, in seconds of the Unix epoch.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Whether it can be; else what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.@".contains(&b);
        if !(1..=NAME_LEN_MAX).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err("a token is named with 1 to 64 letters, digits, - _ . and @".to_owned());
        }
        let is_fit = |name: &str| (1..=BEARER_LEN_MAX).contains(&name.len());
        let other = match &self.bearer {
            Bearer::Vantage(name)
                if !is_fit(name) || !name.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                let words = "a vantage is named with 1 to 200 printable ASCII characters, no space";
                return Err(words.to_owned());
            }
            Bearer::Person(name) if !is_fit(name) || name.contains(char::is_control) => {
                return Err("a person is named with 1 to 200 octets in one line".to_owned());
            }
            Bearer::Vantage(_) => {
                self.verbs.iter().find(|verb| !matches!(verb, Verb::Report | Verb::Read))
            }
            Bearer::Person(_) => None,
        };
        if let Some(verb) = other {
            let word = verb.word();
            return Err(format!("a vantage reports and reads; {word} is for a person (--person)"));
        }
        if self.verbs.is_empty() {
            return Err("a token without a verb is good for nothing".to_owned());
        }
        if self.subjects.len() > SUBJECT_COUNT_MAX {
            return Err(format!("a token has at most {SUBJECT_COUNT_MAX} subjects"));
        }
        let whole = self.verbs.iter().find(|verb| matches!(verb, Verb::Site | Verb::Files));
        match whole.filter(|_| !self.subjects.is_empty()) {
            Some(verb) => Err(format!("{} changes everything: name no --subject", verb.word())),
            None => Ok(()),
        }
    }
}
