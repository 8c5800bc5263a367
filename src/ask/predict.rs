//! What clients get, and what they would: the same questions to a world as it is and to one that is supposed.

use crate::api::{WhatifAnswer, WhatifAsk, WhatifClient};

use super::explain::Resolver;
use super::inquiry::Inquiry;
use super::listener::Heard;
use super::scene::Scene;
use super::suppose::Unthinkable;
use super::words::line;

/// Clients of one question. A guess: each is answered twice, in some microseconds.
const CLIENTS_MAX: usize = 10_000;

/// The answers to each client, before and after.
pub(super) fn predict(
    before: &Scene,
    after: &Scene,
    ask: &WhatifAsk,
) -> Result<Vec<WhatifClient>, Unthinkable> {
    if ask.clients.len() > CLIENTS_MAX {
        let message = format!("at most {CLIENTS_MAX} clients in one question");
        return Err(Unthinkable { code: "too-many-clients", message });
    }
    let mut resolver = Resolver::default();
    let unreadable = |message: String| Unthinkable { code: "unreadable-inquiry", message };
    let lost = || unreadable("an answer could not be read back".to_owned());
    let mut told = Vec::with_capacity(ask.clients.len());
    for client in &ask.clients {
        let inquiry = Inquiry::read(&ask.name, &ask.rtype, client);
        let inquiry = inquiry.map_err(|error| unreadable(error.to_string()))?;
        let mut answer = |scene: &Scene| answer(&mut resolver, scene, &inquiry).ok_or_else(lost);
        let (before, after) = (answer(before)?, answer(after)?);
        told.push(WhatifClient { client: client.clone(), before, after });
    }
    Ok(told)
}

fn answer(resolver: &mut Resolver, scene: &Scene, inquiry: &Inquiry) -> Option<WhatifAnswer> {
    let (response, steps) = resolver.ask(scene, inquiry)?;
    let mut told = WhatifAnswer {
        rcode: response.rcode.to_string(),
        answer: response.answer.iter().map(line).collect(),
        scope: response.scope.map(|scope| scope.0),
        ..WhatifAnswer::default()
    };
    let mut plan = None;
    for step in &steps {
        match step {
            Heard::Routed(policy) => plan = scene.snapshot.plans.get(usize::from(policy.0)),
            Heard::Choice { region, reason, .. } => {
                let name = plan.zip(*region).and_then(|(plan, region)| plan.region_name(region));
                told.region = name.map(str::to_owned);
                told.reason = Some(reason.code().to_owned());
            }
            _ => {}
        }
    }
    Some(told)
}
