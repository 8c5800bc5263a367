//! The number of a change that the guard holds: one number, one change, across restarts too, so that nobody accepts what
//! they did not see. One small file in `state/`.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::number::{Digest, Generation};

/// The file's name within `state/`.
const FILE: &str = "held.json";

/// The number given last, and where it is kept.
#[derive(Clone, Debug)]
pub struct Candidate {
    path: PathBuf,
    last: Option<(Generation, Digest)>,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Kept {
    generation: u64,
    key: String,
}

impl Candidate {
    /// Goes on from what `state` keeps.
    pub fn open(state: PathBuf) -> Candidate {
        let path = state.join(FILE);
        let kept = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let last = kept
            .and_then(|kept: Kept| Some((Generation(kept.generation), Digest::parse(&kept.key)?)));
        Candidate { path, last }
    }

    /// The number of the change with this hash: the one that it has already, or the next that neither a change before it
    /// nor a generation up to `serving` has.
    pub fn number(&mut self, key: Digest, serving: Generation) -> Generation {
        match self.last {
            Some((number, known)) if known == key => number,
            last => {
                let number = Generation(last.map_or(0, |(n, _)| n.0).max(serving.0) + 1);
                self.last = Some((number, key));
                if let Err(error) = self.keep(number, key) {
                    // Within this process the number is unique all the same.
                    tracing::warn!(event = "held-unkept", %error);
                }
                number
            }
        }
    }

    fn keep(&self, number: Generation, key: Digest) -> io::Result<()> {
        let kept = Kept { generation: number.0, key: key.to_string() };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = self.path.with_extension("json.new");
        fs::write(&fresh, serde_json::to_vec(&kept)?)?;
        fs::File::open(&fresh)?.sync_all()?;
        fs::rename(&fresh, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_for_one_change_across_restarts_too() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let mut candidate = Candidate::open(state.clone());
        assert_eq!(candidate.number(a, Generation(7)), Generation(8));
        // Other zones are published meanwhile: it is still the same change.
        assert_eq!(candidate.number(a, Generation(9)), Generation(8));
        let mut candidate = Candidate::open(state);
        assert_eq!(candidate.number(a, Generation(7)), Generation(8));
        assert_eq!(candidate.number(b, Generation(7)), Generation(9));
        assert_eq!(candidate.number(a, Generation(7)), Generation(10));
        assert_eq!(candidate.number(b, Generation(20)), Generation(21));
    }
}
