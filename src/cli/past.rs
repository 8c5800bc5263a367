//! Generations, as a running server has them, or as a state/ folder keeps them while none runs.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::api::{At, DiffBody, GenerationBody, GenerationFiles, GenerationsBody, read_at};
use crate::fileset::{File, FileSet};
use crate::history::{Archive, Cause, Entry, StoreError, Tally};
use crate::number::{Digest, Generation};

use super::args::SERVER_DEFAULT;
use super::check::configuration;
use super::client::{Client, ClientError, in_path, in_query};
use super::failure::Failure;

/// Generations asked for at once.
const PAGE_LEN: usize = 1000;

/// Where generations are asked for.
pub enum Past {
    /// A running server.
    Server(Client),
    /// What a server left behind, or is writing.
    Folder(Box<Archive>),
}

impl Past {
    /// That of the server at `server`, or of the one on this machine; with a folder, what its state/ holds.
    pub fn open(server: Option<&str>, files: Option<&Path>) -> Result<Past, Failure> {
        let Some(dir) = files else {
            return Ok(Past::Server(Client::new(server.unwrap_or(SERVER_DEFAULT))));
        };
        let (config, said) = configuration(dir)?;
        let Some(config) = config else {
            let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
            return Err(Failure::refused(lines.join("\n")));
        };
        Ok(Past::Folder(Box::new(Archive::open(&config.state).map_err(|e| unreadable(&e))?)))
    }

    /// The newest generations that are kept, newest first, and how what serves stands to the files: at most `count`, none
    /// published before `since`.
    pub fn list(&self, count: usize, since: Option<Timestamp>) -> Result<GenerationsBody, Failure> {
        let mut all = GenerationsBody::default();
        let since = since.unwrap_or(Timestamp::MIN);
        let mut next = None;
        loop {
            let page = self.page(next, count.saturating_sub(all.generations.len()))?;
            let (serving, len) = (page.serving, page.generations.len());
            let recent = page.generations.into_iter().filter(|g| moment(&g.published) >= since);
            let before = all.generations.len();
            all.generations.extend(recent);
            let is_whole = all.generations.len() - before == len;
            all = GenerationsBody {
                serving,
                pin: page.pin,
                pending: page.pending,
                held: page.held,
                generations: all.generations,
                next: page.next,
            };
            next = all.next.filter(|_| is_whole && all.generations.len() < count);
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    fn page(&self, before: Option<u64>, count: usize) -> Result<GenerationsBody, Failure> {
        let limit = count.clamp(1, PAGE_LEN);
        match self {
            Past::Server(client) => {
                let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
                Ok(client.get(&format!("/v1/generations?limit={limit}{before}"))?)
            }
            Past::Folder(archive) => {
                let older = |entry: &&Entry| before.is_none_or(|b| entry.generation.0 < b);
                let mut entries = archive.list().filter(older);
                let generations: Vec<_> = entries.by_ref().take(limit).map(body).collect();
                let last = generations.last().map(|body| body.generation);
                let next = last.filter(|_| entries.next().is_some());
                Ok(GenerationsBody { generations, next, ..GenerationsBody::default() })
            }
        }
    }

    /// The number of the newest generation that is kept of those before `generation`.
    pub fn older_than(&self, generation: u64) -> Result<Option<u64>, Failure> {
        let page = self.page(Some(generation), 1)?;
        Ok(page.generations.first().map(|body| body.generation))
    }

    /// The files of a generation; of the one that serves, or served last, without a number. What `beside` holds too is not
    /// sent again. And the geo databases of it that are no longer kept.
    pub fn files(
        &self,
        generation: Option<u64>,
        beside: &FileSet,
    ) -> Result<(FileSet, Vec<String>), Failure> {
        match self {
            Past::Server(client) => {
                let number = generation.map_or("now".to_owned(), |number| number.to_string());
                fetch(client, &number, beside)
            }
            Past::Folder(archive) => {
                let newest = || archive.list().next().map(|entry| entry.generation);
                let generation = generation.map(Generation).or_else(newest);
                let none = || Failure::cannot_run("no generation is kept there");
                let restored = archive.read(generation.ok_or_else(none)?);
                let restored = restored.map_err(|e| unreadable(&e))?;
                Ok((restored.files, restored.missing))
            }
        }
    }

    /// What differs between two generations, if the server itself tells; none where it has to be found out here.
    pub fn diff(&self, old: &str, new: &str) -> Result<Option<DiffBody>, Failure> {
        match self {
            Past::Folder(_) => Ok(None),
            Past::Server(client) => {
                let path = format!("/v1/diff?old={}&new={}", in_query(old), in_query(new));
                Ok(Some(client.get(&path)?))
            }
        }
    }
}

/// The files of a generation, and the paths of those that are no longer kept.
fn fetch(
    client: &Client,
    number: &str,
    beside: &FileSet,
) -> Result<(FileSet, Vec<String>), Failure> {
    let listed: GenerationFiles = client.get(&format!("/v1/generations/{number}/files"))?;
    // From here on by its number: what serves may change while we read.
    let number = listed.generation;
    let (mut files, mut missing) = (FileSet::default(), Vec::new());
    for (path, digest) in listed.files {
        let digest = Digest::parse(&digest);
        let known = beside.get(&path).filter(|file| Some(file.digest) == digest);
        let file = match known {
            Some(file) => file.clone(),
            None => {
                let asked = format!("/v1/generations/{number}/files/{}", in_path(&path));
                match client.bytes(&asked) {
                    Ok(bytes) => File::new(bytes),
                    Err(ClientError::Refused(problem)) if problem.code == "file-not-kept" => {
                        missing.push(path);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if Some(file.digest) != digest {
            let words = format!("{path} of generation {number} is not what its hash says");
            return Err(Failure::cannot_run(words));
        }
        files.files.insert(path, file);
    }
    Ok((files, missing))
}

/// Reads `--since`: a time as `explain --at` takes it, or a span of time before `now`, such as 2h or 3d.
pub fn read_since(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let days = days.and_then(|days| Some(SignedDuration::from_secs(days.checked_mul(86_400)?)));
    let span = days.or_else(|| text.parse().ok()).filter(|span| !span.is_negative());
    if let Some(span) = span {
        return Ok(now.checked_sub(span).unwrap_or(Timestamp::MIN));
    }
    match read_at(text) {
        Ok(At::Time(time)) => Ok(of_millis(time.0)),
        _ => Err(Failure::cannot_run(format!(
            "--since {text}: a time such as 2026-11-21T14:02 (UTC), or a span such as 2h or 3d"
        ))),
    }
}

fn of_millis(millis: u64) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::MIN)
}

fn body(entry: &Entry) -> GenerationBody {
    let Cause { kind, who, why, author, of } = entry.cause.clone();
    let Tally { files, added, changed, removed } = entry.tally;
    GenerationBody {
        generation: entry.generation.0,
        digest: entry.digest.to_string(),
        published: of_millis(entry.time_millis).to_string(),
        cause: kind,
        of: of.map(|of| of.0),
        who,
        why,
        author,
        files,
        added,
        changed,
        removed,
        ..GenerationBody::default()
    }
}

fn unreadable(error: &StoreError) -> Failure {
    match error {
        StoreError::Unknown(_) => {
            Failure::refused(format!("{error}; homing log lists those that are"))
        }
        error => Failure::cannot_run(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_or_a_span() {
        let now: Timestamp = "2026-11-21T14:02:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-20T09:30", "2026-11-20T09:30:00Z"),
            ("2h", "2026-11-21T12:02:00Z"),
            ("1d", "2026-11-20T14:02:00Z"),
            ("9223372036854775807d", ""),
        ] {
            let found = read_since(text, now).map(|time| time.to_string());
            assert_eq!(found.unwrap_or_default(), expected, "{text}");
        }
        assert!(read_since("gen:41", now).is_err());
        assert!(read_since("-2h", now).is_err());
    }
}
