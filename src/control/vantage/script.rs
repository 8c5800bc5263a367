//! A file that scripts write, in the form of gdnsd's extfile, as a vantage within the server.
//!
//! A file or a line that is gone is silence: its last word is reaffirmed no more, and ages as that of any vantage.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::diagnostic::{Diagnostic, Place};
use crate::health::{Inventory, Member, Status};
use crate::probe::{EXTFILE_LEN_MAX, Extfile, Mail, Voice, match_extfile, parse_extfile};

use super::super::hub::Hub;
use super::super::writer::Writer;
use super::feeder::Feeder;
use super::follow::Follow;
use super::tell;

/// How often the file is looked at. One that has changed is read when it has been quiet for as long: scripts write where
/// the file stands.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Rounds that a change of a direct file is said in. Beyond, `rise` and `fall` are met in the intervals that follow.
const ROUND_COUNT_MAX: u32 = 10;

/// How long a round may take to be durable before the next is not waited for.
const ROUND_MAX: Duration = Duration::from_secs(2);

/// One file, followed.
pub struct Script {
    extfile: Extfile,
    mail: Mail,
    voice: Voice,
    started: Instant,
    inventory: Arc<Inventory>,
    said: Vec<Diagnostic>,
}

/// What the file says of each endpoint that it tells of; none: nothing.
type Words = Vec<(Arc<Member>, Option<Status>)>;

impl Script {
    /// Follows `extfile` until it is dropped.
    pub async fn follow(extfile: Extfile, hub: Hub, writer: Writer) {
        let mail = Mail::default();
        let mut feeders = JoinSet::new();
        feeders.spawn(Feeder::new(&extfile.vantage, writer).carry(mail.clone()));
        let mut script = Script {
            voice: Voice::new(0, millis(extfile.interval)),
            extfile,
            mail,
            started: Instant::now(),
            inventory: Arc::default(),
            said: Vec::new(),
        };
        let mut follow = Follow::of(&script.extfile.path);
        let (mut due, mut is_unread) = (script.started, true);
        loop {
            if follow.has_changed() {
                is_unread = true;
            } else {
                let inventory =
                    hub.view().await.ok().map(|view| Arc::clone(view.health.inventory()));
                let is_other =
                    inventory.as_ref().is_some_and(|now| !Arc::ptr_eq(now, &script.inventory));
                script.inventory = inventory.unwrap_or_else(|| Arc::clone(&script.inventory));
                if is_unread || is_other || due <= Instant::now() {
                    script.look().await;
                    is_unread = false;
                    due = Instant::now() + script.extfile.interval;
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&mut self) {
        let (extfile, inventory) = (self.extfile.clone(), Arc::clone(&self.inventory));
        // A disk that hangs must not hang the API.
        let read = tokio::task::spawn_blocking(move || read(&extfile, &inventory)).await;
        // One that panicked has said so.
        let Ok((words, said)) = read else { return };
        said.iter().filter(|d| !self.said.contains(d)).for_each(tell);
        self.said = said;
        let is_news = self.say(&words);
        if is_news && self.extfile.direct {
            for _ in 1..self.rounds() {
                self.arrived().await;
                self.say(&words);
            }
        }
    }

    /// Says what is new, and repeats what is to be; tells whether something was new.
    fn say(&mut self, words: &Words) -> bool {
        let file = self.extfile.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut news = Vec::new();
        for (member, status) in words {
            match status {
                None => self.voice.lose(member),
                Some(status) => {
                    let reason =
                        (*status == Status::Down).then(|| format!("DOWN in {file}").into());
                    news.extend(self.voice.see(member, *status, reason));
                }
            }
        }
        let is_news = !news.is_empty();
        news.extend(self.voice.repeat(millis(self.started.elapsed())));
        self.mail.put(&news);
        is_news
    }

    /// How many rounds a word takes to turn a verdict, in the pool where that takes most.
    fn rounds(&self) -> u32 {
        let pools = self.inventory.pools.values();
        let most = pools.map(|settings| settings.rise.max(settings.fall)).max();
        most.unwrap_or(1).min(ROUND_COUNT_MAX)
    }

    async fn arrived(&self) {
        let all = async {
            while self.mail.waiting() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Late: the rounds that are missing follow with the intervals.
        let _ = tokio::time::timeout(ROUND_MAX, all).await;
    }
}

/// What the file says of the endpoints, and what is wrong with it. Blocks on the disk.
fn read(extfile: &Extfile, inventory: &Inventory) -> (Words, Vec<Diagnostic>) {
    let shown = extfile.path.display().to_string();
    let told = |member: &&Member| extfile.pools.is_empty() || extfile.pools.contains(&member.pool);
    let text = match text_of(extfile) {
        Ok(text) => text,
        Err(cause) => {
            let silent = inventory.members.iter().filter(told);
            let words = silent.map(|member| (Arc::new(member.clone()), None)).collect();
            let said = Diagnostic::warning("extfile-unreadable", Place::file(shown), cause)
                .consequence("nothing is said of any endpoint: what was said ages")
                .help("have the script write it where this user reads it");
            return (words, vec![said]);
        }
    };
    let (entries, mut said) = parse_extfile(&shown, &text);
    let (matched, unknown) = match_extfile(&entries, inventory, &extfile.pools);
    said.extend(unknown);
    // A line that is bad may have named any of them.
    let is_whole = said.iter().all(|d| d.code != "extfile-line");
    let default = (extfile.def_down && is_whole).then_some(Status::Down);
    let words = matched.into_iter().map(|(m, status)| (Arc::new(m.clone()), status.or(default)));
    (words.collect(), said)
}

fn text_of(extfile: &Extfile) -> Result<String, String> {
    let unread = |error: std::io::Error| format!("it cannot be read: {error}");
    let limit = u64::try_from(EXTFILE_LEN_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let file = fs::File::open(&extfile.path).map_err(unread)?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() > EXTFILE_LEN_MAX {
        return Err(format!("it has more than {EXTFILE_LEN_MAX} octets"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
