//! The outlook of an endpoint: what could change it next, and when. Told from what was decided; it decides nothing.

use crate::reason::Reason;

use super::event::{Failback, LogTime};
use super::state::State;
use super::subject::Member;

/// What could change an endpoint next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The earliest log time of it, as in [`Standing`](super::Standing); none where a person has to decide.
    pub at: Option<LogTime>,
    /// What is waited for: `quorum` (the vantages' next rounds), `held-down`, `awaits-failback`, `panic` (a feed that is
    /// believed again) or `expires` (of an override).
    pub by: Reason,
}

impl State {
    /// What could change `member` next; none where nothing is under way that could.
    pub fn outlook(&self, member: &Member) -> Option<Outlook> {
        let endpoint = self.endpoints.get(member)?;
        let standing = &endpoint.standing;
        let Some(at) = standing.next_change else {
            let by_hand = standing.reason == Reason::AwaitsFailback;
            return by_hand.then_some(Outlook { at: None, by: Reason::AwaitsFailback });
        };
        let settings = self.settings(&member.pool);
        let free = endpoint.turned.map(|turned| turned.plus_millis(settings.hold_down_millis));
        let is_waited_for = matches!(settings.failback, Failback::AfterMillis(_));
        let by = match standing.reason {
            _ if self.orders(member).expires == Some(at) => Reason::Expires,
            waiting @ (Reason::HeldDown | Reason::AwaitsFailback | Reason::Panic) => waiting,
            // A turn by the next rounds would come sooner, were it not for this.
            _ if settings.hold_down_millis > 0 && free == Some(at) => Reason::HeldDown,
            _ if standing.verdict.is_down() && endpoint.turned.is_some() && is_waited_for => {
                Reason::AwaitsFailback
            }
            _ => Reason::Quorum,
        };
        Some(Outlook { at: Some(at), by })
    }
}
