//! A world that is supposed: what operators would decide, or vantages report, folded into a copy of the state by the fold
//! that serves. Nothing of it is kept.

use std::fmt;

use crate::api::{WhatifDrain, WhatifRefusal, WhatifRequest};
use crate::health::{
    Action, Boot, Event, Expiry, Identity, LogTime, Refusal, Report, Safety, State, Status,
    Subject, Timed,
};
use crate::number::Revision;

use super::scene::Scene;

/// Things that are supposed at once. A guess: each costs a fold of a copy of the state.
const SUPPOSED_COUNT_MAX: usize = 100;
/// What is refused of the real change, and is told rather than in the way.
const GUARDED: &str = "at-least";

/// A supposed world.
pub struct Supposed {
    /// What answers in it.
    pub scene: Scene,
    /// What is supposed, in words, in order.
    pub(super) words: Vec<String>,
    /// Which endpoints are supposed to be up or down.
    pub(super) wanted: Vec<(Subject, Status)>,
    /// What the real change would be refused for.
    pub(super) refused: Vec<WhatifRefusal>,
}

/// Why something cannot be supposed: a code and words, as the real change would meet them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unthinkable {
    /// A stable short name, such as `unknown-region`.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// One thing that is supposed.
struct Supposition {
    words: String,
    events: Vec<Event>,
    wanted: Option<(Subject, Status)>,
}

/// The world of `scene` if the request came true at `now`. What an operator would do first comes first: what adds
/// endpoints, then what takes them away.
pub fn suppose(
    scene: &Scene,
    request: &WhatifRequest,
    now: LogTime,
) -> Result<Supposed, Unthinkable> {
    let suppositions = suppositions(request, &scene.health)?;
    let mut health = State::clone(&scene.health);
    let mut supposed =
        Supposed { scene: scene.clone(), words: vec![], wanted: vec![], refused: vec![] };
    for Supposition { words, events, wanted } in suppositions {
        for event in events {
            match health.admit(&event, Safety::Kept) {
                Err(refusal) if refusal.code == GUARDED => supposed.refused.push(WhatifRefusal {
                    supposed: words.clone(),
                    code: refusal.code.to_owned(),
                    detail: refusal.message,
                }),
                admitted => admitted?,
            }
            let revision = Revision(health.revision().0.saturating_add(1));
            health.apply(&Timed { revision, at: now, event });
        }
        supposed.words.push(words);
        supposed.wanted.extend(wanted);
    }
    supposed.scene = scene.under(health);
    Ok(supposed)
}

fn suppositions(request: &WhatifRequest, health: &State) -> Result<Vec<Supposition>, Unthinkable> {
    let WhatifRequest { down, up, fail, drain, undrain, clear, .. } = request;
    let count = [down, up, fail, undrain, clear].iter().map(|list| list.len()).sum::<usize>();
    if count + drain.len() > SUPPOSED_COUNT_MAX {
        let message = format!("at most {SUPPOSED_COUNT_MAX} things are supposed at once");
        return Err(Unthinkable { code: "too-many-suppositions", message });
    }
    let mut all = Vec::new();
    for text in clear {
        let event = Event::ClearOverride { subject: subject(text)?, why: why(), who: who() };
        let words = format!("the override of {text} is cleared");
        all.push(Supposition { words, events: vec![event], wanted: None });
    }
    for text in up {
        all.push(overridden(text, Action::Up)?);
    }
    all.extend(undrain.iter().map(|region| {
        let name = Box::from(region.as_str());
        let event = Event::Undrain { region: name, over_millis: 0, why: why(), who: who() };
        let words = format!("{region} is filled again");
        Supposition { words, events: vec![event], wanted: None }
    }));
    for drain in drain {
        all.push(drained(drain)?);
    }
    for text in down {
        all.push(overridden(text, Action::Down)?);
    }
    for text in fail {
        all.push(failing(text, health)?);
    }
    Ok(all)
}

fn overridden(text: &str, action: Action) -> Result<Supposition, Unthinkable> {
    let subject = subject(text)?;
    let (of, expiry) = (subject.clone(), Expiry::Forever);
    let event = Event::Override { subject: of, action, expiry, why: why(), who: who() };
    let (words, status) = match action {
        Action::Down => (format!("{text} is taken down"), Status::Down),
        Action::Up | Action::Hold | Action::Accept => (format!("{text} is called up"), Status::Up),
    };
    Ok(Supposition { words, events: vec![event], wanted: Some((subject, status)) })
}

fn drained(drain: &WhatifDrain) -> Result<Supposition, Unthinkable> {
    let bad = |message| Unthinkable { code: "bad-drain", message };
    let keep = drain.keep().map_err(bad)?;
    let (region, over_millis) = (Box::from(drain.region.as_str()), 0);
    let event = Event::Drain { region, keep, over_millis, why: why(), who: who() };
    let words = match keep {
        0 => format!("{} is drained", drain.region),
        _ => format!("{} is drained to {:.0} % of its clients", drain.region, drain.to * 100.0),
    };
    Ok(Supposition { words, events: vec![event], wanted: None })
}

/// As many vantages say so, as often, as it takes to be believed: they are a quorum, and more than those that say otherwise.
fn failing(text: &str, health: &State) -> Result<Supposition, Unthinkable> {
    let subject = subject(text)?;
    let members = || health.members_of(&subject).map(|(member, _)| member);
    let settings = || members().filter_map(|member| health.inventory().pools.get(&member.pool));
    let quorum = settings().map(|settings| settings.quorum as usize).max().unwrap_or(1);
    let speak = members().map(|member| health.evidence(member).len()).max();
    let Some(speak) = speak else {
        let message = format!("no endpoint in the files is {subject}; status lists them");
        return Err(Unthinkable { code: "unknown-subject", message });
    };
    let rounds = settings().map(|settings| settings.fall).max().unwrap_or(1);
    let report = |(vantage, seq): (usize, u32)| {
        Event::Report(Report {
            vantage: format!("what-if-{vantage}").into(),
            identity: Identity::Proven,
            boot: Boot(u64::MAX),
            seq: u64::from(seq),
            subject: subject.clone(),
            status: Status::Down,
            load: None,
            reason: None,
        })
    };
    let words = (0..rounds).flat_map(|seq| (0..quorum.max(speak)).map(move |one| (one, seq)));
    let (events, words) = (words.map(report).collect(), format!("{text} is reported down"));
    Ok(Supposition { words, events, wanted: Some((subject, Status::Down)) })
}

fn subject(text: &str) -> Result<Subject, Unthinkable> {
    let unreadable = |error: crate::health::SubjectError| Unthinkable {
        code: "bad-subject",
        message: format!("{text}: {error}"),
    };
    Subject::parse(text).map_err(unreadable)
}

fn why() -> Box<str> {
    "what if".into()
}

fn who() -> Box<str> {
    "nobody".into()
}

impl From<Refusal> for Unthinkable {
    fn from(refusal: Refusal) -> Unthinkable {
        Unthinkable { code: refusal.code, message: refusal.message }
    }
}

impl fmt::Display for Unthinkable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
