//! Verdicts: what the ledger, the overrides and the time make of one endpoint. Pure.

use std::collections::BTreeMap;

use crate::number::Revision;
use crate::reason::Reason;

use super::event::{Action, Failback, Identity, LogTime, Settings, Status};
use super::ledger::{Opinion, rounds_to};

/// How an endpoint may be used, best first: an answer takes the first tier that any region of the order can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Up.
    Up,
    /// Degraded.
    Degraded,
    /// Observed down: used only when all are (`when_all_down`).
    Down,
    /// Down by an operator's override: used only if nothing else exists.
    OverriddenDown,
}

/// How old the evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// A quorum of vantages is fresh.
    Fresh,
    /// Some vantage speaks, too few for the quorum.
    Stale,
    /// Nobody speaks any more: the last verdict holds.
    Frozen,
    /// Nobody ever spoke.
    Never,
}

/// What is to be known of one endpoint in one pool. Drains are not in it: they are the region's.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// How it may be used: the verdict, or the override that replaces it.
    pub tier: Tier,
    /// The verdict, whatever overrides say.
    pub verdict: Status,
    /// Why.
    pub reason: Reason,
    /// Since when the tier stands, and by which event.
    pub since: LogTime,
    /// The event that brought it.
    pub since_revision: Revision,
    /// How old the evidence is.
    pub freshness: Freshness,
    /// The earliest log time at which the tier could change, if the vantages speak at their interval; none when nothing
    /// could change it but a new event of another kind.
    pub next_change: Option<LogTime>,
    /// Milliseconds from the event that last weighed the endpoint to `next_change`. TTLs come from this and not from a
    /// clock: it is the same however late, and with whatever other events, a table is filled.
    pub steady_millis: Option<u64>,
}

/// What operators have ordered for one endpoint, all overrides that cover it taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Orders {
    /// The action of highest authority: `Up`, `Down` or `Hold`.
    pub action: Option<Action>,
    /// A `Hold` covers it: its verdict does not turn.
    pub frozen: bool,
    /// An `Accept` covers it: panic does not keep it from turning down.
    pub accepted: bool,
    /// The earliest time at which one of them expires.
    pub expires: Option<LogTime>,
}

/// What brings a case up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A vantage spoke of the endpoint.
    Voice,
    /// An operator decided, or the files changed.
    Decision,
    /// Only time passed.
    Time,
}

/// Everything that a verdict is made from.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    /// Log time.
    pub now: LogTime,
    /// The pool's settings.
    pub settings: &'a Settings,
    /// Whether anything was ever reported.
    pub reported: bool,
    /// What the vantages say.
    pub opinions: &'a BTreeMap<Box<str>, Opinion>,
    /// The verdict until now.
    pub verdict: Status,
    /// What the quorum wanted when the endpoint was last weighed.
    pub wish: Option<Status>,
    /// What brought the case up.
    pub cause: Cause,
    /// When it last turned; none if it is still the start verdict.
    pub turned: Option<LogTime>,
    /// Since when a quorum calls an endpoint up whose verdict is down.
    pub recovering: Option<LogTime>,
    /// What operators ordered.
    pub orders: Orders,
    /// Whether its pool is in panic.
    pub panic: bool,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Finding {
    /// What the quorum wants; none below quorum.
    pub wish: Option<Status>,
    /// The new verdict, if it turns now.
    pub turn: Option<Status>,
    /// Since when an endpoint that is down has a quorum for its return.
    pub recovering: Option<LogTime>,
    /// Why the tier is what it is.
    pub reason: Reason,
    /// How old the evidence is.
    pub freshness: Freshness,
    /// As in `Standing`.
    pub next_change: Option<LogTime>,
    /// The earliest time at which time alone changes the finding.
    pub due: Option<LogTime>,
}

/// Fresh vantages, by what they hold.
#[derive(Default)]
struct Tally {
    fresh: u32,
    up: u32,
    degraded: u32,
    down: u32,
}

/// What keeps a verdict from turning, and until when where time alone ends it.
struct Gate(Reason, Option<LogTime>);

/// Judges one endpoint.
pub(super) fn judge(case: &Case<'_>) -> Finding {
    let tally = tally(case);
    // When some vantages fall silent, those that are left may want what no quorum wanted before. Silence alone turns
    // nothing: the wish counts when one of them speaks.
    let is_heard = |wish: &Status| {
        case.cause == Cause::Voice || *wish == case.verdict || case.wish == Some(*wish)
    };
    let wish = wish(&tally, case.settings.quorum).filter(is_heard);
    let returns = case.verdict.is_down() && wish.is_some_and(|w| !w.is_down());
    let recovering = if returns { case.recovering.or(Some(case.now)) } else { None };
    let wanted = wish.filter(|&w| w != case.verdict);
    let gate = wanted.and_then(|w| gate(case, w, recovering));
    let reason = match (case.orders.action, &gate, wish) {
        (Some(Action::Up | Action::Down), _, _) => Reason::Overridden,
        (Some(Action::Hold | Action::Accept), _, _) => Reason::Held,
        (None, Some(Gate(reason, _)), _) => *reason,
        (None, None, Some(_)) => Reason::Quorum,
        (None, None, None) if !case.reported => Reason::NeverReported,
        (None, None, None) => Reason::BelowQuorum,
    };
    Finding {
        wish,
        turn: if gate.is_none() { wanted } else { None },
        recovering,
        reason,
        freshness: freshness(case, &tally),
        next_change: next_change(case, &tally, gate.as_ref()),
        due: due(case, gate.as_ref()),
    }
}

/// Vantages that only claim their name agree among themselves first, as with a quorum of one: what they agree on
/// counts once.
fn tally(case: &Case<'_>) -> Tally {
    let (mut tally, mut claimed) = (Tally::default(), Tally::default());
    for opinion in fresh(case) {
        match opinion.identity {
            Identity::Proven => tally.count(opinion.held),
            Identity::Claimed => claimed.count(opinion.held),
        }
    }
    if claimed.fresh > 0 {
        tally.count(wish(&claimed, 1));
    }
    tally
}

impl Tally {
    fn count(&mut self, held: Option<Status>) {
        self.fresh += 1;
        match held {
            Some(Status::Up) => self.up += 1,
            Some(Status::Degraded) => self.degraded += 1,
            Some(Status::Down) => self.down += 1,
            None => {}
        }
    }
}

fn fresh<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Opinion> {
    let (now, stale_millis) = (case.now, case.settings.stale_millis());
    case.opinions.values().filter(move |o| o.is_fresh(now, stale_millis))
}

/// What the fresh vantages want. Degraded counts with up; half of the up side being degraded makes the endpoint so.
/// A tie is down whichever way it came about: were it to hold for both sides, it would swing for ever.
fn wish(tally: &Tally, quorum: u32) -> Option<Status> {
    let quorum = quorum.max(1);
    let up_side = tally.up + tally.degraded;
    if tally.down >= quorum && tally.down >= up_side {
        return Some(Status::Down);
    }
    if up_side < quorum || up_side <= tally.down {
        return None;
    }
    Some(if tally.degraded >= tally.up { Status::Degraded } else { Status::Up })
}

/// What stands between the quorum's wish and a turn, the strongest first.
fn gate(case: &Case<'_>, wanted: Status, recovering: Option<LogTime>) -> Option<Gate> {
    if case.orders.frozen {
        return Some(Gate(Reason::Held, case.orders.expires));
    }
    if wanted.is_down() && case.panic && !case.orders.accepted {
        return Some(Gate(Reason::Panic, None));
    }
    // The start verdict was not a turn: neither hold_down nor failback speaks of it.
    let turned = case.turned?;
    let free = turned.plus_millis(case.settings.hold_down_millis);
    if case.now < free {
        return Some(Gate(Reason::HeldDown, Some(free)));
    }
    let since = recovering?;
    if case.orders.accepted || case.orders.action == Some(Action::Up) {
        return None;
    }
    match case.settings.failback {
        Failback::AtOnce => None,
        Failback::ByHand => Some(Gate(Reason::AwaitsFailback, None)),
        Failback::AfterMillis(wait) => {
            let free = since.plus_millis(wait);
            (case.now < free).then_some(Gate(Reason::AwaitsFailback, Some(free)))
        }
    }
}

fn freshness(case: &Case<'_>, tally: &Tally) -> Freshness {
    if !case.reported {
        Freshness::Never
    } else if tally.fresh == 0 {
        Freshness::Frozen
    } else if tally.fresh < case.settings.quorum.max(1) {
        Freshness::Stale
    } else {
        Freshness::Fresh
    }
}

fn earliest(times: impl IntoIterator<Item = Option<LogTime>>) -> Option<LogTime> {
    times.into_iter().flatten().min()
}

fn due(case: &Case<'_>, gate: Option<&Gate>) -> Option<LogTime> {
    let stale_millis = case.settings.stale_millis();
    let stale = fresh(case).map(|o| o.at.plus_millis(stale_millis)).min();
    // Expiry is the override's own deadline; the fold weighs its endpoints again then.
    let gate = gate.filter(|g| g.0 != Reason::Held).and_then(|g| g.1);
    earliest([stale, gate]).filter(|&t| t > case.now)
}

fn next_change(case: &Case<'_>, tally: &Tally, gate: Option<&Gate>) -> Option<LogTime> {
    let by_vantages = match (case.orders.action, gate) {
        (Some(_), _) => None,
        (None, Some(Gate(Reason::Panic, _))) => Some(case.now.plus_millis(interval(case))),
        (None, Some(Gate(_, until))) => *until,
        (None, None) => turn_by_rounds(case, tally),
    };
    earliest([by_vantages, case.orders.expires]).filter(|&t| t > case.now)
}

fn interval(case: &Case<'_>) -> u64 {
    case.settings.interval_millis.max(1)
}

/// When the verdict could turn if from now on every fresh vantage spoke against it at its interval.
fn turn_by_rounds(case: &Case<'_>, tally: &Tally) -> Option<LogTime> {
    let quorum = case.settings.quorum.max(1);
    if tally.fresh < quorum {
        return None;
    }
    let goals: &[Status] = match case.verdict {
        Status::Up => &[Status::Down],
        Status::Degraded => &[Status::Down, Status::Up],
        Status::Down => &[Status::Up],
    };
    let rounds = goals.iter().filter_map(|&goal| rounds_until(case, tally, goal)).min()?;
    let spoken = case.now.plus_millis(u64::from(rounds).saturating_mul(interval(case)));
    let Some(turned) = case.turned else { return Some(spoken) };
    let free = turned.plus_millis(case.settings.hold_down_millis);
    match (case.verdict, case.settings.failback) {
        (Status::Down, Failback::ByHand) => None,
        (Status::Down, Failback::AfterMillis(wait)) => Some(spoken.plus_millis(wait).max(free)),
        _ => Some(spoken.max(free)),
    }
}

/// How many more rounds of `goal` from every fresh vantage a turn would take, at least one.
fn rounds_until(case: &Case<'_>, tally: &Tally, goal: Status) -> Option<u32> {
    let of = |identity: Identity| {
        let voices = fresh(case).filter(move |opinion| opinion.identity == identity);
        voices.map(|opinion| rounds_to(opinion, goal, case.settings)).collect::<Vec<u32>>()
    };
    let (mut rounds, claimed) = (of(Identity::Proven), of(Identity::Claimed));
    let claimed_count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
    rounds.extend(rounds_of(claimed, needed(goal, claimed_count, 1)));
    rounds_of(rounds, needed(goal, tally.fresh, case.settings.quorum)).map(|r| r.max(1))
}

/// How many of `fresh` vantages a turn to `goal` takes: down wins a tie, and half of the vantages make an endpoint
/// degraded; up needs more than half.
fn needed(goal: Status, fresh: u32, quorum: u32) -> u32 {
    match goal {
        Status::Down | Status::Degraded => fresh.div_ceil(2),
        Status::Up => (fresh / 2 + 1).max(quorum),
    }
}

/// The rounds after which `needed` of the vantages, whose rounds are given, hold the goal.
fn rounds_of(mut rounds: Vec<u32>, needed: u32) -> Option<u32> {
    rounds.sort_unstable();
    rounds.get((needed as usize).checked_sub(1)?).copied()
}
