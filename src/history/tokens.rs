//! Tokens: who may ask what of the API. One small file in `state/`, for its owner alone to read.
//!
//! A file that is there closes the API to whoever has no token, even when it lists none: the last one that goes opens
//! nothing. Only an operator who removes the file opens loopback again.

mod form;
mod token;

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::durable::{StoreError, lock, make_folder, sync_folder};
use token::hash_of;

pub use token::{Bearer, Secret, Token, Verb};

/// The file's name within `state/`.
const FILE: &str = "tokens.json";
/// Whoever changes the file has this one locked.
const LOCK: &str = "tokens.lock";
/// Tokens at once: each request is compared with all of them. A guess: a few for each site and person.
const TOKEN_COUNT_MAX: usize = 1000;

/// The tokens that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    list: Vec<Token>,
}

/// Tells one state of the file from another, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    inode: u64,
    len: u64,
    changed: (i64, i64),
}

/// Why tokens cannot be read or changed.
#[derive(Debug)]
pub enum TokenError {
    /// The disk failed.
    Store(StoreError),
    /// The file makes no sense: it, and what is wrong.
    Broken(PathBuf, String),
    /// What was asked for cannot be.
    Refused(String),
}

impl Tokens {
    /// The file of the folder `state`.
    pub fn path(state: &Path) -> PathBuf {
        state.join(FILE)
    }

    /// Reads the tokens of the folder `state`; none if there is no file.
    pub fn read(state: &Path) -> Result<Option<Tokens>, TokenError> {
        let path = state.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(StoreError::Io(path, error).into()),
        };
        let broken = |what| TokenError::Broken(path.clone(), what);
        let list = form::read(&bytes).map_err(broken)?;
        if list.len() > TOKEN_COUNT_MAX {
            return Err(broken(format!("more than {TOKEN_COUNT_MAX} tokens")));
        }
        for token in &list {
            token.check().map_err(|what| broken(format!("{}: {what}", token.name)))?;
        }
        Ok(Some(Tokens { list }))
    }

    /// Which state the file in the folder `state` is in; none only if it is not there.
    pub fn signature(state: &Path) -> Option<Signature> {
        match fs::metadata(state.join(FILE)) {
            Ok(meta) => {
                let changed = (meta.ctime(), meta.ctime_nsec());
                Some(Signature { inode: meta.ino(), len: meta.len(), changed })
            }
            Err(error) if is_absent(&error) => None,
            // What cannot be seen may be there, and to be closed is the safe side.
            Err(_) => Some(Signature { inode: 0, len: 0, changed: (0, 0) }),
        }
    }

    /// Adds a token to those of the folder `state`, made from `make` with the hash of a new secret. Durable
    /// before it is back.
    pub fn add(
        state: &Path,
        make: impl FnOnce(blake3::Hash) -> Token,
    ) -> Result<Secret, TokenError> {
        let drawn = Secret::draw();
        let secret = drawn.map_err(|e| TokenError::Refused(format!("no randomness: {e}")))?;
        let token = make(hash_of(secret.text()));
        token.check().map_err(TokenError::Refused)?;
        change(state, |tokens| {
            if tokens.list.iter().any(|other| other.name == token.name) {
                return Err(format!("a token is called {} already; revoke it first", token.name));
            }
            if tokens.list.len() >= TOKEN_COUNT_MAX {
                return Err(format!("there are {TOKEN_COUNT_MAX} tokens; revoke some first"));
            }
            tokens.list.push(token);
            Ok(())
        })?;
        Ok(secret)
    }

    /// Takes a token from those of the folder `state`; tells how many are left. Durable before it is back.
    pub fn revoke(state: &Path, name: &str) -> Result<usize, TokenError> {
        change(state, |tokens| {
            let before = tokens.list.len();
            tokens.list.retain(|token| &*token.name != name);
            let gone = before > tokens.list.len();
            gone.then_some(tokens.list.len()).ok_or_else(|| format!("no token is called {name}"))
        })
    }

    /// All of them, in the order in which they were made.
    pub fn list(&self) -> &[Token] {
        &self.list
    }

    /// The token with this secret. Compared with every one to its end, so that the time tells nothing.
    pub fn find(&self, secret: &str) -> Option<&Token> {
        let hash = hash_of(secret);
        let mut found = None;
        for token in &self.list {
            if token.hash == hash {
                found = Some(token);
            }
        }
        found
    }

    /// Whether a token is bound to the vantage of this name: nobody else may report as it.
    pub fn is_bound(&self, vantage: &str) -> bool {
        let is_its = |token: &Token| matches!(&token.bearer, Bearer::Vantage(v) if &**v == vantage);
        self.list.iter().any(is_its)
    }
}

/// Whether there is no such file, as where `state` is no folder.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Changes the file, one process at a time: whole or not at all, for its owner alone to read.
fn change<T>(
    state: &Path,
    edit: impl FnOnce(&mut Tokens) -> Result<T, String>,
) -> Result<T, TokenError> {
    make_folder(state)?;
    let _held = lock(&state.join(LOCK))?;
    let mut tokens = Tokens::read(state)?.unwrap_or_default();
    let done = edit(&mut tokens).map_err(TokenError::Refused)?;
    let path = state.join(FILE);
    write(state, &path, &form::write(&tokens.list)).map_err(|e| StoreError::Io(path, e))?;
    sync_folder(state)?;
    Ok(done)
}

fn write(state: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let aside = path.with_extension("part");
    // One that is left over may have another mode.
    let _ = fs::remove_file(&aside);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&aside)?;
    file.write_all(bytes)?;
    // Who makes a token as root makes it for the server's own user, to whom the folder belongs.
    let (folder, ours) = (fs::metadata(state)?, file.metadata()?);
    if folder.uid() != ours.uid() {
        chown(&aside, Some(folder.uid()), Some(folder.gid()))?;
    }
    file.sync_all()?;
    fs::rename(&aside, path)
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> TokenError {
        TokenError::Store(error)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::Store(error) => error.fmt(f),
            TokenError::Broken(path, what) => write!(f, "{}: {what}", path.display()),
            TokenError::Refused(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests;
