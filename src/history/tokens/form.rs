//! The file of tokens as JSON has it. A token that is not understood whole is refused: it might be good for more than meant.

use serde::{Deserialize, Serialize};

use super::token::{Bearer, Token, Verb};

/// The format that is written, and read.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    format: u32,
    tokens: Vec<TokenForm>,
}

/// The number of the format alone, for a file of a newer one.
#[derive(Deserialize)]
struct FormatForm {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenForm {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vantage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    verbs: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subjects: Vec<String>,
    created: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    /// 64 hexadecimal digits of BLAKE3.
    hash: String,
}

/// Reads the file, or tells what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Vec<Token>, String> {
    let FormatForm { format } = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if format != FORMAT {
        return Err(format!("a newer homing wrote it, in format {format}; start that one"));
    }
    let form: FileForm = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    form.tokens.into_iter().map(token).collect()
}

/// Writes the file.
pub fn write(tokens: &[Token]) -> Vec<u8> {
    let form = FileForm { format: FORMAT, tokens: tokens.iter().map(form_of).collect() };
    // Strings and numbers: nothing that JSON cannot hold.
    let mut bytes = serde_json::to_vec_pretty(&form).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn token(form: TokenForm) -> Result<Token, String> {
    let TokenForm { name, created, expires, .. } = form;
    let broken = |what: &str| format!("{name}: {what}");
    let bearer = match (form.vantage, form.person) {
        (Some(vantage), None) => Bearer::Vantage(vantage.into()),
        (None, Some(person)) => Bearer::Person(person.into()),
        _ => return Err(broken("bound to one vantage or one person")),
    };
    let verb = |word: String| Verb::parse(&word).ok_or_else(|| broken(&format!("verb {word}")));
    let verbs = form.verbs.into_iter().map(verb).collect::<Result<_, _>>()?;
    let subjects = Token::read_subjects(&form.subjects).map_err(|what| broken(&what))?;
    let hash = blake3::Hash::from_hex(&form.hash).map_err(|_| broken("the hash is none"))?;
    Ok(Token { name: name.into(), bearer, verbs, subjects, created, expires, hash })
}

fn form_of(token: &Token) -> TokenForm {
    let (vantage, person) = match &token.bearer {
        Bearer::Vantage(name) => (Some(name.to_string()), None),
        Bearer::Person(name) => (None, Some(name.to_string())),
    };
    TokenForm {
        name: token.name.to_string(),
        vantage,
        person,
        verbs: token.verbs.iter().map(|verb| verb.word().to_owned()).collect(),
        subjects: token.subjects.iter().map(ToString::to_string).collect(),
        created: token.created,
        expires: token.expires,
        hash: token.hash.to_hex().to_string(),
    }
}
