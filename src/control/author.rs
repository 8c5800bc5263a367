//! Who changed the files, where git tells: the last commit that touched them, if they serve as that commit has them.
//!
//! A folder of zones may be somebody else's repository, so git is asked for two plain readings only, and may run nothing
//! for them: no hook, no filter, no pager, no file system monitor, no check of signatures, nothing from the network, and
//! no environment of ours. Where the folder belongs to another user git itself refuses (`safe.directory`), and the author
//! is not known. Never in the way of a publication: asked afterwards, for two seconds at most.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use sha1::{Digest as _, Sha1};

use crate::fileset::File;

/// How long git may take for one reading.
const PATIENCE: Duration = Duration::from_secs(2);
/// Files that git is asked about: of a change of more, the first in path order stand for all.
pub const TOUCHED_COUNT_MAX: usize = 256;
/// Octets that git may say.
const OUTPUT_LEN_MAX: u64 = 1 << 20;
/// Characters of an author, and of a subject.
const WORDS_LEN_MAX: usize = 200;

/// A file that a publication changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its path, below the folder.
    pub path: String,
    /// What it is now; nothing if it is gone.
    pub file: Option<File>,
}

/// What git tells of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authored {
    /// `Name <address>`.
    pub author: String,
    /// The commit, short, and its subject.
    pub commit: String,
}

/// Asks git, in `folder`, who touched these files last; nothing unless each is as `HEAD` has it.
pub fn ask(folder: &Path, touched: &[Touched]) -> Option<Authored> {
    let touched = touched.get(..TOUCHED_COUNT_MAX).unwrap_or(touched);
    let paths: Vec<&str> = touched.iter().map(|touched| touched.path.as_str()).collect();
    let tree = git(folder, &["ls-tree", "-z", "HEAD", "--"], &paths)?;
    let committed = |touched: &Touched| {
        let entry = tree.split('\0').find(|entry| entry.ends_with(&format!("\t{}", touched.path)));
        match &touched.file {
            Some(file) => entry.is_some_and(|entry| entry.contains(&format!(" {}\t", blob(file)))),
            None => entry.is_none(),
        }
    };
    if paths.is_empty() || !touched.iter().all(committed) {
        return None;
    }
    let format = "--format=%an%x00%ae%x00%h%x00%s";
    let told = git(folder, &["log", "-1", "--no-show-signature", format, "HEAD", "--"], &paths)?;
    let mut parts = told.trim_end_matches('\n').split('\0').map(plain);
    let (name, address, hash, subject) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let author = format!("{name} <{address}>");
    Some(Authored { author, commit: format!("{hash} {subject}").trim_end().to_owned() })
}

/// What a reading says, if git can make it in time.
fn git(folder: &Path, reading: &[&str], paths: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // What is set for another repository, or lets git run something, is not meant for this one.
    let is_of_git =
        |(name, _): &(std::ffi::OsString, _)| name.as_encoded_bytes().starts_with(b"GIT_");
    for (name, _) in std::env::vars_os().filter(is_of_git) {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
    command.env("GIT_ALLOW_PROTOCOL", "none").env("LC_ALL", "C.UTF-8");
    command.arg("-C").arg(folder);
    command.args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"]);
    let settings = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "log.follow=false"];
    settings.iter().for_each(|setting| _ = command.args(["-c", setting]));
    command.args(["-c", "log.showSignature=false", "-c", "i18n.logOutputEncoding=UTF-8"]);
    command.args(reading).args(paths);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let out = child.stdout.take()?.take(OUTPUT_LEN_MAX);
    let (sender, said) = sync_channel(1);
    std::thread::spawn(move || {
        let (mut out, mut bytes) = (out, Vec::new());
        let whole = out.read_to_end(&mut bytes).is_ok();
        // The other side may have lost its patience.
        let _ = sender.send(whole.then_some(bytes));
    });
    let said = said.recv_timeout(PATIENCE).ok().flatten();
    // It has closed its output, or takes too long: either way nothing more is expected of it.
    if said.is_none() {
        let _ = child.kill();
    }
    let is_good = child.wait().is_ok_and(|status| status.success());
    let said = said.filter(|_| is_good)?;
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// The name that git has for a content.
fn blob(file: &File) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", file.bytes.len()));
    hash.update(&file.bytes);
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// Words of somebody else's, for our terminals and logs.
fn plain(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(WORDS_LEN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Runs git as its user would. `false` where there is no git, and so nothing to test.
    fn run(folder: &Path, arguments: &[&str]) -> bool {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder);
        command.args(["-c", "user.name=Ada \u{1b}[1mL", "-c", "user.email=ada@example.net"]);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn touched(path: &str, text: Option<&str>) -> Touched {
        Touched { path: path.to_owned(), file: text.map(|text| File::new(text.as_bytes())) }
    }

    #[test]
    fn the_author_is_who_committed_what_serves() {
        let temp = tempfile::tempdir().unwrap();
        let zones = temp.path().join("zones");
        fs::create_dir_all(zones.join("sub")).unwrap();
        if !run(temp.path(), &["init"]) {
            eprintln!("there is no git here");
            return;
        }
        fs::write(zones.join("sub/a.zone"), "one").unwrap();
        fs::write(zones.join("b [x].zone"), "b").unwrap();
        assert!(
            run(temp.path(), &["add", "."]) && run(temp.path(), &["commit", "-m", "first: all"])
        );
        fs::write(zones.join("b [x].zone"), "c").unwrap();
        assert!(run(temp.path(), &["commit", "-am", "second: b"]));
        let told = |touched: &[Touched]| ask(&zones, touched);
        let of_a = told(&[touched("sub/a.zone", Some("one"))]).unwrap();
        assert_eq!(of_a.author, "Ada [1mL <ada@example.net>");
        assert!(of_a.commit.ends_with(" first: all"), "{}", of_a.commit);
        let of_b = told(&[touched("b [x].zone", Some("c")), touched("gone.zone", None)]).unwrap();
        assert!(of_b.commit.ends_with(" second: b"), "{}", of_b.commit);
        // What serves is not what was committed: nobody knows whose it is.
        assert_eq!(told(&[touched("sub/a.zone", Some("two"))]), None);
        assert_eq!(told(&[touched("sub/a.zone", None)]), None);
        assert_eq!(told(&[touched("new.zone", Some("new"))]), None);
        assert_eq!(told(&[]), None);
    }

    #[test]
    fn a_repository_has_nothing_run() {
        let temp = tempfile::tempdir().unwrap();
        let ran = temp.path().join("ran");
        if !run(temp.path(), &["init"]) {
            return;
        }
        let program = temp.path().join("program");
        fs::write(&program, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&program).status().unwrap().success());
        fs::write(temp.path().join("a.zone"), "one").unwrap();
        fs::write(temp.path().join(".gitattributes"), "*.zone filter=x diff=x\n").unwrap();
        assert!(run(temp.path(), &["add", "."]) && run(temp.path(), &["commit", "-m", "x"]));
        let program = program.display().to_string();
        for name in [
            "core.fsmonitor",
            "filter.x.clean",
            "filter.x.smudge",
            "diff.x.textconv",
            "diff.external",
            "core.pager",
            "pager.log",
            "gpg.program",
            "core.sshCommand",
        ] {
            assert!(run(temp.path(), &["config", name, &program]));
        }
        assert!(run(temp.path(), &["config", "log.showSignature", "true"]));
        assert!(ask(temp.path(), &[touched("a.zone", Some("one"))]).is_some());
        assert!(!ran.exists());
    }

    #[test]
    fn outside_of_a_repository_nobody_is_known() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(ask(temp.path(), &[touched("a.zone", Some("one"))]), None);
        assert_eq!(ask(&temp.path().join("none"), &[touched("a.zone", Some("one"))]), None);
    }
}
