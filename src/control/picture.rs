//! The view as the API shows it: bodies of /v1/health and /v1/status. Pure.

use std::time::SystemTime;

use crate::api::{
    DatabaseBody, DiagnosticBody, EndpointHealth, HeldBody, HeldZone, LoadBody, OverrideBody,
    PendingBody, PendingFile, PinBody, RegionBody, SandboxBody, ServedBody, ShedBody, SiteBody,
    StatusBody, WordBody, alarm_body, standing_body, timestamp,
};
use crate::ask::{Tally, weights_body};
use crate::diagnostic::Severity;
use crate::health::{
    Action, DrainView, Expiry, Identity, LoadView, LogTime, OverrideView, State, Subject,
};
use crate::load::Held;

use super::alarms::Standing;
use super::evidence;
use super::facts::{Facts, epoch_millis};
use super::hub::View;
use super::publication::{Findings, Pin};
use super::sandbox::Sandbox;
use super::site::SiteDrain;

const DAY_SECS: u64 = 86_400;

/// Held zones that are named; of the others the count is told.
const HELD_SHOWN_MAX: usize = 100;

/// The endpoints that `subject` covers, with evidence.
pub fn endpoints(health: &State, subject: &Subject) -> Vec<EndpointHealth> {
    let body = |(member, standing)| {
        let mut body = standing_body(member, standing);
        body.next_reason = health.outlook(member).map(|it| it.by.code().to_owned());
        let evidence = health.evidence(member).into_iter();
        body.words = evidence
            .map(|word| WordBody {
                vantage: word.vantage.to_owned(),
                claimed: word.identity == Identity::Claimed,
                status: word.word.word().to_owned(),
                opinion: word.opinion.map(|opinion| opinion.word().to_owned()),
                fresh: word.fresh,
                at: timestamp(word.heard),
                load: word.load,
                because: word.reason.unwrap_or_default().to_owned(),
            })
            .collect();
        body
    };
    health.members_of(subject).map(body).collect()
}

/// The whole status, with what was counted of this server's own queries.
pub fn status(
    view: &View,
    facts: &Facts,
    site: SiteDrain,
    alarms: &Standing,
    own: &Tally,
) -> StatusBody {
    let View { snapshot, health, publication, .. } = view;
    StatusBody {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        site: SiteBody { name: facts.site_name.clone(), drained: site.drained, why: site.why },
        generation: snapshot.generation.0,
        revision: snapshot.revision.0,
        digest: snapshot.digest.to_string(),
        files_digest: publication.parts.files_digest.to_string(),
        now: timestamp(epoch_millis(SystemTime::now())),
        started: timestamp(epoch_millis(facts.started)),
        published: timestamp(publication.published),
        last_event: timestamp(health.now()),
        served: served(view, facts),
        databases: databases(view),
        weights: weights_body(publication.parts.weights.as_deref(), own),
        regions: regions(health),
        endpoints: endpoints(health, &Subject::default()),
        evidence: evidence::ages(health),
        vantages: evidence::vantages(health),
        overrides: overrides(health),
        diagnostics: view.findings.diagnostics.iter().map(DiagnosticBody::from).collect(),
        waiting: view.findings.waiting.clone(),
        pin: publication.pin.as_ref().map(pin),
        pending: pending(&view.findings),
        held: held(&view.findings),
        alarms: alarms.iter().map(|((a, subject), words)| alarm_body(*a, subject, words)).collect(),
        sandbox: sandbox(&facts.sandbox),
    }
}

fn sandbox(sandbox: &Sandbox) -> SandboxBody {
    SandboxBody {
        user: sandbox.user.clone(),
        capabilities: sandbox.capabilities.clone(),
        no_new_privileges: sandbox.no_new_privileges,
        landlock: sandbox.landlock.to_owned(),
        seccomp: sandbox.seccomp.to_owned(),
    }
}

/// A pin.
pub fn pin(pin: &Pin) -> PinBody {
    PinBody {
        generation: pin.generation.0,
        of: pin.of.map(|of| of.0),
        who: pin.who.clone(),
        why: pin.why.clone(),
        since: timestamp(pin.since),
    }
}

/// What a pin keeps from serving.
pub fn pending(findings: &Findings) -> Option<PendingBody> {
    let pending = findings.pending.as_ref()?;
    let file = |(path, change, refused): &(String, &str, bool)| PendingFile {
        path: path.clone(),
        change: (*change).to_owned(),
        refused: *refused,
    };
    let errors = findings.count(Severity::Error);
    Some(PendingBody {
        count: pending.count,
        errors,
        files: pending.files.iter().map(file).collect(),
    })
}

/// What the guard holds.
pub fn held(findings: &Findings) -> Option<HeldBody> {
    let (number, held) = findings.held.as_ref()?;
    let zone = |held: &Held| HeldZone {
        zone: held.zone.clone(),
        path: held.path.clone(),
        names: held.names,
        removed: held.removed,
    };
    let zones = held.iter().take(HELD_SHOWN_MAX).map(zone).collect();
    Some(HeldBody { generation: number.0, count: held.len(), zones })
}

fn served(view: &View, facts: &Facts) -> ServedBody {
    let summary = &view.publication.parts.summary;
    ServedBody {
        zones: summary.zones,
        broken: summary.broken.clone(),
        records: summary.records,
        routes: summary.routes,
        listen: facts.listen.iter().map(ToString::to_string).collect(),
        dot: facts.dot.iter().map(ToString::to_string).collect(),
        doh: facts.doh.iter().map(ToString::to_string).collect(),
        doq: facts.doq.iter().map(ToString::to_string).collect(),
    }
}

/// The geo databases, with their ages.
pub fn databases(view: &View) -> Vec<DatabaseBody> {
    let now_secs = epoch_millis(SystemTime::now()).0 / 1000;
    let sources = view.publication.parts.sources.iter();
    let bodies = sources.map(|source| {
        let built = Some(source.built_epoch_secs).filter(|secs| *secs > 0);
        let built_at = built.map(|secs| timestamp(LogTime(secs.saturating_mul(1000))));
        DatabaseBody {
            name: source.name.clone(),
            licence: source.licence.clone(),
            built: built_at.unwrap_or_default(),
            age_days: built.map(|secs| now_secs.saturating_sub(secs) / DAY_SECS),
            networks: source.networks,
        }
    });
    bodies.collect()
}

/// The regions of the files, and those that only a drain still knows.
fn regions(health: &State) -> Vec<RegionBody> {
    let drained = |name: &str| health.drains().find(|drain| drain.region == name);
    let whole = |name: &str| RegionBody {
        name: name.to_owned(),
        keep: 256,
        to: 256,
        ..RegionBody::default()
    };
    let loads = health.loads();
    let known = health.inventory().regions.iter().map(|name| RegionBody {
        load: loads.iter().find(|load| *load.region == **name).map(load),
        ..drained(name).map_or_else(|| whole(name), |drain| region(&drain))
    });
    let dangling = health.drains().filter(|drain| drain.dangling);
    known.chain(dangling.map(|drain| region(&drain))).collect()
}

fn region(drain: &DrainView<'_>) -> RegionBody {
    let is_under_way = drain.next_step.is_some();
    RegionBody {
        name: drain.region.to_owned(),
        keep: drain.keep,
        to: drain.to,
        complete_by: is_under_way.then(|| timestamp(drain.complete_by)),
        next_step: drain.next_step.map(timestamp),
        why: drain.why.to_owned(),
        who: drain.who.to_owned(),
        dangling: drain.dangling,
        load: None,
    }
}

fn load(view: &LoadView<'_>) -> LoadBody {
    let shed = |&(to, share): &(&str, u16)| ShedBody { to: to.to_owned(), share };
    LoadBody {
        load: view.load,
        capacity: view.capacity.load,
        high: view.capacity.high,
        low: view.capacity.low,
        fresh: view.fresh,
        rests_until: view.rests_until.map(timestamp),
        sheds: view.sheds.iter().map(shed).collect(),
    }
}

fn overrides(health: &State) -> Vec<OverrideBody> {
    let body = |one: OverrideView<'_>| OverrideBody {
        subject: one.subject.to_string(),
        action: action_word(one.action).to_owned(),
        expires: match one.expiry {
            Expiry::At(at) => timestamp(at),
            Expiry::Forever => "never".to_owned(),
        },
        why: one.why.to_owned(),
        who: one.who.to_owned(),
        dangling: one.dangling,
    };
    health.overrides().map(body).collect()
}

const fn action_word(action: Action) -> &'static str {
    match action {
        Action::Up => "up",
        Action::Down => "down",
        Action::Hold => "hold",
        Action::Accept => "accept",
    }
}
