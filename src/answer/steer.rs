//! Routed names: the policy's choice into records (DESIGN §5).

use crate::number::PolicyId;
use crate::reason::Reason;
use crate::route::{ChoiceAnswer, Chosen, Family, choose};
use crate::trace::{Step, Trace};
use crate::wire::{Rcode, Rtype, Section};

use super::chain::{Chain, Full, Next, fits};
use super::denial::Absence;
use super::image::ZoneImage;
use super::node::Node;
use super::opt::Explanation;
use super::suffix::Suffixes;
use super::template::write_pointed;

impl<'s> Chain<'_, 's, '_> {
    /// A routed name. None where the policy leaves the question to the zone file. A call of its own: so it takes some
    /// 40 instructions less than within its caller.
    #[inline(never)]
    pub(super) fn steer(
        &mut self,
        policy: PolicyId,
        zone: &'s ZoneImage,
        node: Node<'s>,
        name: &Suffixes,
        trace: &mut impl Trace,
    ) -> Result<Option<Next>, Full> {
        let snapshot = self.world.snapshot;
        let at = usize::from(policy.0);
        // By table-covers-plan both are there; without them the zone file's own records serve.
        let (Some(plan), Some(table)) = (snapshot.plans.get(at), snapshot.table.policies.get(at))
        else {
            return Ok(None);
        };
        let family = match self.qtype {
            _ if plan.answers_names() => Family::V4,
            Rtype::A | Rtype::ANY => Family::V4,
            Rtype::AAAA => Family::V6,
            _ => return Ok(None),
        };
        trace.step(Step::Routed { policy });
        let asker = self.world.asker(plan.uses_place());
        let Some(mut chosen) = choose(plan, table, family, asker, trace) else {
            return Ok(None);
        };
        // RFC 8482 §4.1: any RRset answers ANY, so the other family does where the first has nothing.
        let is_any = self.qtype == Rtype::ANY;
        if is_any
            && !plan.answers_names()
            && *chosen.choice.answer == ChoiceAnswer::Nodata
            && let Some(other) = choose(plan, table, Family::V6, asker, trace)
        {
            chosen = Chosen { scope: chosen.scope.max(other.scope), ..other };
        }
        self.resolution.scope = self.resolution.scope.max(chosen.scope);
        let (counters, region) = (self.world.counters, chosen.choice.region);
        counters.steered(&snapshot.steered, policy, region, chosen.class);
        let start = self.writer.len();
        self.explain(&chosen);
        match chosen.choice.answer {
            ChoiceAnswer::Default => {
                let own = node.rrset(self.qtype).or(node.rrset(Rtype::CNAME));
                let owns = own.is_some() || (is_any && node.rrsets().next().is_some());
                if owns { Ok(None) } else { self.steered_nodata(zone, name, policy).map(Some) }
            }
            ChoiceAnswer::Nodata => self.steered_nodata(zone, name, policy).map(Some),
            ChoiceAnswer::Servfail => {
                self.resolution.rcode = Rcode::SERVFAIL;
                Ok(Some(Next::Done))
            }
            ChoiceAnswer::Records { count, bytes } => {
                let owner = name.at(name.label_count());
                fits(write_pointed(bytes, *count, self.writer, Section::Answer, owner))?;
                let ends = matches!(self.qtype, Rtype::CNAME | Rtype::ANY);
                let follows = plan.answers_names() && !ends;
                Ok(Some(if follows { Next::Follow(start + 12) } else { Next::Done }))
            }
        }
    }

    /// Tells why, where a client gets less than it would on a better day: the reason code that `explain` tells too.
    fn explain(&mut self, chosen: &Chosen<'_>) {
        let reason = chosen.choice.reason;
        // A family that a pool never had is no bad day.
        if reason == Reason::LastResort || *chosen.choice.answer == ChoiceAnswer::Servfail {
            self.resolution.explanation = Some(Explanation::Less(reason));
        }
    }

    /// A family that no region has now may have one soon: the SOA lives no longer than a steered answer may.
    fn steered_nodata(
        &mut self,
        zone: &'s ZoneImage,
        name: &Suffixes,
        policy: PolicyId,
    ) -> Result<Next, Full> {
        let plan = self.world.snapshot.plans.get(usize::from(policy.0));
        let absence = Absence::Nodata { depth: name.label_count() };
        self.negative(zone, name, absence, plan.map(|plan| plan.ttl_bounds().0))
    }
}
