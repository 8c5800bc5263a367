//! What a region gives: which of its endpoints are eligible, and the answers they make, a window of their ring for each
//! bucket.

use std::sync::Arc;

use crate::health::Tier;
use crate::number::Ttl;

use super::bucket::BUCKET_COUNT;
use super::decide::{Best, Verdicts};
use super::plan::{Plan, PlanEndpoint, PlanRegion, PlanSide};
use super::pool::{POOL_ENDPOINTS_MAX, Target};
use super::table::{Cells, ChoiceAnswer, RegionAnswers, Windows};

// Each endpoint begins at most one answer: indexes of answers fit 16 bits.
const _: () = assert!(POOL_ENDPOINTS_MAX <= u16::MAX as usize);

/// The verdicts on a region's endpoints of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SideView {
    /// The best tier of any; none without endpoints.
    pub(super) best: Option<Tier>,
    /// The endpoints of that tier: they alone are eligible.
    pub(super) eligible: Vec<u16>,
    /// In how many milliseconds after it was last weighed the first of all could change, if time alone can change any.
    pub(super) steady_millis: Option<u64>,
}

impl SideView {
    pub(super) fn new(side: &PlanSide, health: &impl Verdicts) -> SideView {
        let mut view = SideView::default();
        for (index, endpoint) in side.endpoints.iter().enumerate() {
            let standing = health.standing(&endpoint.member);
            view.steady_millis = view.steady_millis.into_iter().chain(standing.steady_millis).min();
            if view.best.is_none_or(|best| standing.tier < best) {
                view.best = Some(standing.tier);
                view.eligible.clear();
            }
            if view.best == Some(standing.tier) {
                view.eligible.push(index as u16);
            }
        }
        view
    }
}

/// The verdicts on every region of `plan`, by region, then by family.
pub(super) fn sides(plan: &Plan, health: &impl Verdicts) -> Box<[[SideView; 2]]> {
    let regions = plan.regions.iter();
    regions.map(|it| it.sides.each_ref().map(|side| SideView::new(side, health))).collect()
}

/// The best tiers of every region.
pub(super) fn bests(sides: &[[SideView; 2]]) -> impl Iterator<Item = Best> + '_ {
    sides.iter().map(|sides| sides.each_ref().map(|side| side.best))
}

/// In how many milliseconds the first of all endpoints could change; see [`SideView::steady_millis`].
pub(super) fn first_change(sides: &[[SideView; 2]]) -> Option<u64> {
    sides.iter().flatten().filter_map(|side| side.steady_millis).min()
}

/// What the regions of `plan` give as `sides` stand.
pub(super) fn answers(plan: &Plan, sides: &[[SideView; 2]], ttl: Ttl) -> Arc<[RegionAnswers]> {
    let region = |(region, [v4, v6]): (&PlanRegion, &[SideView; 2])| {
        let [of_v4, of_v6] = &region.sides;
        let sides = [windows(plan, of_v4, v4, ttl), windows(plan, of_v6, v6, ttl)];
        RegionAnswers { id: region.id, sides: sides.map(Arc::new) }
    };
    plan.regions.iter().zip(sides).map(region).collect()
}

/// The answers of `side` as `view` has it.
pub(super) fn windows(plan: &Plan, side: &PlanSide, view: &SideView, ttl: Ttl) -> Windows {
    let ring = Ring { plan, side, eligible: &view.eligible, ttl };
    if ring.is_alike() {
        let answers = if ring.eligible.is_empty() { Vec::new() } else { vec![ring.window(0)] };
        return Windows { cells: Cells::One(0), answers: answers.into() };
    }
    let (mut cells, mut firsts) = ([0; BUCKET_COUNT], Vec::new());
    for (bucket, cell) in (0..=u8::MAX).zip(&mut cells) {
        let first = ring.first(bucket);
        let known = firsts.iter().position(|&other| other == first);
        // Above a const assertion holds that this fits.
        *cell = known.unwrap_or(firsts.len()) as u16;
        if known.is_none() {
            firsts.push(first);
        }
    }
    let answers = firsts.into_iter().map(|first| ring.window(first)).collect();
    let is_one = cells.iter().all(|cell| *cell == 0);
    let cells = if is_one { Cells::One(0) } else { Cells::Many(Arc::new(cells)) };
    Windows { cells, answers }
}

/// The eligible endpoints of one side, in file order and round again.
struct Ring<'p> {
    plan: &'p Plan,
    side: &'p PlanSide,
    eligible: &'p [u16],
    ttl: Ttl,
}

impl Ring<'_> {
    fn endpoint(&self, index: u16) -> Option<&PlanEndpoint> {
        self.side.endpoints.get(usize::from(index))
    }

    /// How many endpoints one answer holds: a name owns one CNAME (RFC 1034 §3.6.2).
    fn len(&self) -> usize {
        let window = if self.plan.names { 1 } else { self.plan.answers };
        self.eligible.len().min(window)
    }

    /// Whether all fit the answer and weigh alike: then the order makes no difference worth a longer scope, and is always
    /// the same.
    fn is_alike(&self) -> bool {
        let mut weights = self.eligible.iter().filter_map(|&i| self.endpoint(i)).map(|e| e.weight);
        let alike = weights.next().is_none_or(|first| weights.all(|weight| weight == first));
        alike && self.eligible.len() == self.len()
    }

    /// Which of the eligible endpoints comes first.
    fn first(&self, bucket: u8) -> usize {
        let position = |&index: &u16| self.eligible.iter().position(|&other| other == index);
        let preferred = self.side.preference.of(bucket).iter().find_map(position);
        preferred.unwrap_or(usize::from(bucket) % self.eligible.len().max(1))
    }

    /// The window of the ring that begins at `first`.
    fn window(&self, first: usize) -> ChoiceAnswer {
        let ring = self.eligible.iter().cycle().skip(first).take(self.len());
        let mut bytes = Vec::new();
        let mut count = 0;
        for endpoint in ring.filter_map(|&index| self.endpoint(index)) {
            self.push_record(&mut bytes, endpoint);
            count += 1;
        }
        ChoiceAnswer::Records { count, bytes: bytes.into() }
    }

    /// One record, owned by the name at offset 12 (RFC 1035 §4.1.3 and §4.1.4).
    fn push_record(&self, bytes: &mut Vec<u8>, endpoint: &PlanEndpoint) {
        const A: u16 = 1;
        const CNAME: u16 = 5;
        const AAAA: u16 = 28;
        const IN: u16 = 1;
        let (v4, v6);
        let (rtype, rdata): (u16, &[u8]) = match &endpoint.target {
            Target::Address(std::net::IpAddr::V4(address)) => {
                v4 = address.octets();
                (A, &v4)
            }
            Target::Address(std::net::IpAddr::V6(address)) => {
                v6 = address.octets();
                (AAAA, &v6)
            }
            Target::Name { wire, .. } => (CNAME, wire),
        };
        bytes.reserve_exact(12 + rdata.len());
        bytes.extend_from_slice(&[0xc0, 0x0c]);
        bytes.extend_from_slice(&rtype.to_be_bytes());
        bytes.extend_from_slice(&IN.to_be_bytes());
        bytes.extend_from_slice(&self.ttl.as_secs().to_be_bytes());
        // A name has at most 255 octets.
        bytes.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        bytes.extend_from_slice(rdata);
    }
}
