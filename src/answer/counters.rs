//! Counters of queries: plain memory that one core owns and adds to, summed when somebody looks.

use std::sync::atomic::{AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::number::{ClassId, PolicyId, RegionId};
use crate::wire::{Rcode, Rtype};

use super::exchange::{Outcome, Transport};

/// Slots for steered answers by policy and region. Bounded: what has no slot counts in slot 0.
pub const STEERED_SLOT_COUNT: usize = 4096;

/// Slots for steered answers by the class of who asked: two of the largest range tables, the one that serves and the one
/// before. Bounded: what has no slot counts in slot 0. 1 MiB a core, of which only pages that are counted in are ever used.
pub const CLASS_SLOT_COUNT: usize = 1 << 17;

/// Types that are counted by name; the rest count together as `other`.
pub const COUNTED_TYPES: [Rtype; 15] = [
    Rtype::A,
    Rtype::AAAA,
    Rtype::CNAME,
    Rtype::NS,
    Rtype::SOA,
    Rtype::MX,
    Rtype::TXT,
    Rtype::PTR,
    Rtype::SRV,
    Rtype::SVCB,
    Rtype::HTTPS,
    Rtype::CAA,
    Rtype::DS,
    Rtype::DNSKEY,
    Rtype::ANY,
];

/// Response codes that we give.
pub const COUNTED_RCODES: [Rcode; 8] = [
    Rcode::NOERROR,
    Rcode::FORMERR,
    Rcode::SERVFAIL,
    Rcode::NXDOMAIN,
    Rcode::NOTIMP,
    Rcode::REFUSED,
    Rcode::YXDOMAIN,
    Rcode::BADVERS,
];

/// One core's counters. Only the owning core writes, so an add is a load and a store, never a locked instruction.
#[derive(Debug)]
pub struct Counters {
    /// Requests over UDP.
    pub udp: AtomicU64,
    /// Requests over TCP.
    pub tcp: AtomicU64,
    /// Requests over TLS.
    pub tls: AtomicU64,
    /// Over HTTPS.
    pub https: AtomicU64,
    /// Over QUIC.
    pub quic: AtomicU64,
    /// Requests met with silence.
    pub silent: AtomicU64,
    /// Responses truncated.
    pub truncated: AtomicU64,
    /// Queries that carried a client subnet.
    pub with_subnet: AtomicU64,
    /// Queries whose client subnet option was passed over: their resolver is not believed.
    pub subnet_untrusted: AtomicU64,
    /// Queries that asked for DNSSEC records.
    pub with_dnssec_ok: AtomicU64,
    /// Responses by code, as in [`COUNTED_RCODES`].
    pub rcodes: [AtomicU64; COUNTED_RCODES.len()],
    /// Queries by type, as in [`COUNTED_TYPES`], then all others.
    pub types: [AtomicU64; COUNTED_TYPES.len() + 1],
    /// Steered answers by the slot of [`SteeredSlots`].
    pub steered: Box<[AtomicU64]>,
    /// Steered answers by the slot of [`ClassSlots`]; empty where nobody counts classes.
    pub classes: Box<[AtomicU64]>,
}

impl Default for Counters {
    fn default() -> Counters {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0));
        Counters {
            udp: AtomicU64::default(),
            tcp: AtomicU64::default(),
            tls: AtomicU64::default(),
            https: AtomicU64::default(),
            quic: AtomicU64::default(),
            silent: AtomicU64::default(),
            truncated: AtomicU64::default(),
            with_subnet: AtomicU64::default(),
            subnet_untrusted: AtomicU64::default(),
            with_dnssec_ok: AtomicU64::default(),
            rcodes: Default::default(),
            types: Default::default(),
            steered: zeros(STEERED_SLOT_COUNT).collect(),
            // Zeroed by the allocator and not by us, so that no page of it is touched before it is counted in.
            classes: <[AtomicU64]>::new_box_zeroed_with_elems(CLASS_SLOT_COUNT).unwrap_or_default(),
        }
    }
}

impl Counters {
    /// Adds to a counter that only the calling core writes.
    #[inline]
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Counts one request and what came of it.
    #[inline]
    pub(super) fn outcome(&self, transport: Transport, outcome: &Outcome) {
        Counters::add(
            match transport {
                Transport::Udp => &self.udp,
                Transport::Tcp => &self.tcp,
                Transport::Tls => &self.tls,
                Transport::Https => &self.https,
                Transport::Quic => &self.quic,
            },
            1,
        );
        if outcome.is_empty() {
            return Counters::add(&self.silent, 1);
        }
        if outcome.truncated {
            Counters::add(&self.truncated, 1);
        }
        if let Some(at) = COUNTED_RCODES.iter().position(|r| *r == outcome.rcode) {
            Counters::add(&self.rcodes[at], 1);
        }
    }

    /// Counts what was asked.
    #[inline]
    pub(super) fn query(&self, qtype: Rtype, with_subnet: bool, dnssec_ok: bool) {
        let at = COUNTED_TYPES.iter().position(|t| *t == qtype).unwrap_or(COUNTED_TYPES.len());
        Counters::add(&self.types[at], 1);
        Counters::add(&self.with_subnet, u64::from(with_subnet));
        Counters::add(&self.with_dnssec_ok, u64::from(dnssec_ok));
    }

    /// Counts one steered answer: by its policy and region, and by the class of who asked.
    #[inline]
    pub(super) fn steered(
        &self,
        slots: &SteeredSlots,
        policy: PolicyId,
        region: Option<RegionId>,
        class: ClassId,
    ) {
        if let Some(counter) = self.steered.get(usize::from(slots.slot(policy, region))) {
            Counters::add(counter, 1);
        }
        if let Some(counter) = self.classes.get(slots.class_slot(policy, class) as usize) {
            Counters::add(counter, 1);
        }
    }
}

/// Which counter belongs to a policy and a region. Names keep their slot from snapshot to snapshot; whoever builds
/// snapshots gives them out.
#[derive(Clone, Debug, Default)]
pub struct SteeredSlots {
    /// By policy, then by region; the last of each policy is for answers without a region.
    pub slots: Box<[Box<[u16]>]>,
    /// By policy: where its classes count.
    pub classes: Box<[ClassSlots]>,
}

/// Where the classes of one range table count: one slot for each, in a row. Without a row all count in slot 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSlots {
    first: u32,
    /// All bits of a class, or none: a query has nothing to decide.
    mask: u32,
}

impl ClassSlots {
    /// Slots from `first` on. By plan-covers-ranges no class reaches beyond the row that was set aside for it.
    pub fn from(first: u32) -> ClassSlots {
        ClassSlots { first, mask: u32::from(u16::MAX) }
    }

    /// The slot of a class.
    #[inline]
    pub fn slot(self, class: ClassId) -> u32 {
        self.first.wrapping_add(u32::from(class.0) & self.mask)
    }
}

impl SteeredSlots {
    /// The slot of a steered answer; 0 where none was given out.
    #[inline]
    pub fn slot(&self, policy: PolicyId, region: Option<RegionId>) -> u16 {
        let Some(slots) = self.slots.get(usize::from(policy.0)) else { return 0 };
        let slot = match region {
            Some(region) => slots.get(usize::from(region.0)),
            None => slots.last(),
        };
        slot.copied().unwrap_or(0)
    }
    /// The slot of the class that a policy put a client into.
    #[inline]
    pub fn class_slot(&self, policy: PolicyId, class: ClassId) -> u32 {
        self.classes.get(usize::from(policy.0)).map_or(0, |slots| slots.slot(class))
    }
}
