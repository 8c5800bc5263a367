//! The vantages within a server: its own looks by `[probe]` of homing.toml, and the files of `[[extfile]]`.
//!
//! What they say takes the way of every report. That part of homing.toml is read again when the file changes; a bad one is
//! told, and what held before holds on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::diagnostic::{Diagnostic, Place};
use crate::health::Inventory;
use crate::load::Config;
use crate::probe::{Extfile, Lookout, Mail, Probing, Rota, Targets, Within, parse_within};

use super::super::hub::Hub;
use super::super::writer::Writer;
use super::feeder::Feeder;
use super::follow::Follow;
use super::script::Script;
use super::{page, tell};

/// How often it is asked whether the file, or what the pools hold, is another.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the configuration file says of vantages; nothing where there is none.
pub fn read(config: &Config) -> Result<Within, Vec<Diagnostic>> {
    config.file.as_deref().map_or_else(|| Ok(Within::default()), read_file)
}

fn read_file(path: &Path) -> Result<Within, Vec<Diagnostic>> {
    let shown = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| {
        let what = format!("the configuration cannot be read: {error}");
        vec![Diagnostic::error("config-unreadable", Place::file(&shown), what)]
    })?;
    let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parse_within(&shown, &text, root)
}

/// Keeps the vantages of `config` for as long as the runtime lives, beginning with `first`. Call it within the runtime.
pub fn keep(config: &Config, first: Within, hub: Hub, writer: Writer) {
    let name = format!("probe-{}", config.site_name);
    let name = name.replace(|c: char| !c.is_ascii_graphic(), "-");
    let keeper = Keeper {
        name: name.into(),
        hub,
        writer,
        inventory: Arc::default(),
        within: Within::default(),
        own: None,
        scripts: JoinSet::new(),
    };
    tokio::spawn(keeper.keep(config.file.clone(), first));
}

struct Keeper {
    /// Under which the server looks, unless it is told.
    name: Box<str>,
    hub: Hub,
    writer: Writer,
    inventory: Arc<Inventory>,
    within: Within,
    own: Option<Own>,
    scripts: JoinSet<()>,
}

/// The server's own looks, under one name.
struct Own {
    vantage: Box<str>,
    rota: watch::Sender<Arc<Rota>>,
    /// Dropped, they end.
    _tasks: JoinSet<()>,
}

impl Keeper {
    async fn keep(mut self, file: Option<PathBuf>, first: Within) {
        let mut follow = file.as_deref().map(Follow::of);
        let mut next = Some(first);
        loop {
            if let Some(follow) = follow.as_mut()
                && follow.has_changed()
            {
                match read_file(follow.path()) {
                    Ok(within) => next = Some(within),
                    Err(said) => said.iter().for_each(tell),
                }
            }
            if let Ok(view) = self.hub.view().await {
                let inventory = view.health.inventory();
                let is_other = !Arc::ptr_eq(inventory, &self.inventory);
                self.inventory = Arc::clone(inventory);
                let next = next.take();
                if is_other || next.as_ref().is_some_and(|next| *next != self.within) {
                    self.adopt(next);
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn adopt(&mut self, next: Option<Within>) {
        let next = next.unwrap_or_else(|| self.within.clone());
        if next.extfiles != self.within.extfiles {
            self.scripts = JoinSet::new();
            next.extfiles.iter().for_each(|extfile| self.follow(extfile));
        }
        self.within = next;
        let Some((name, probing)) = &self.within.probing else {
            self.own = None;
            return;
        };
        let vantage = name.as_ref().unwrap_or(&self.name);
        let rota = Arc::new(rota_of(probing, &self.inventory));
        match &self.own {
            Some(own) if own.vantage == *vantage => drop(own.rota.send_replace(rota)),
            Some(_) | None => self.own = Some(Own::begin(vantage, rota, self.writer.clone())),
        }
    }

    fn follow(&mut self, extfile: &Extfile) {
        let (path, vantage) = (extfile.path.display(), &extfile.vantage);
        tracing::info!(event = "extfile-followed", %path, %vantage);
        let (hub, writer) = (self.hub.clone(), self.writer.clone());
        self.scripts.spawn(Script::follow(extfile.clone(), hub, writer));
    }
}

impl Own {
    fn begin(vantage: &str, rota: Arc<Rota>, writer: Writer) -> Own {
        page::describe();
        tracing::info!(event = "looking-out", vantage, endpoints = rota.targets.len());
        let mail = Mail::default();
        let (sender, followed) = watch::channel(rota);
        let mut tasks = JoinSet::new();
        tasks.spawn(Lookout::new(vantage, vec![mail.clone()]).keep(followed));
        tasks.spawn(Feeder::new(vantage, writer).carry(mail));
        Own { vantage: vantage.into(), rota: sender, _tasks: tasks }
    }
}

/// All endpoints of all pools, each as its pool is looked at.
fn rota_of(probing: &Probing, inventory: &Inventory) -> Rota {
    let mut targets = Targets::default();
    inventory.members.iter().for_each(|member| targets.add(member.clone(), probing));
    for words in targets.troubles() {
        tracing::warn!(
            event = "probe-trust",
            "{words}; nothing is known of what is looked at with it"
        );
    }
    let (heartbeat, concurrency) = (probing.heartbeat, probing.concurrency);
    Rota { targets: targets.finish(), heartbeat, concurrency }
}
