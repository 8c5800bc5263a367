//! A zone to be made into an image: what its image is made from, and the key that tells whether that changed.

use crate::answer::{Seed, ZoneImage};
use crate::number::Digest;
use crate::zone::{Name, PackedZone};

use super::bind::{Bindings, Routed};
use super::compile::patch_zone;
use super::forms::Form;

/// One zone to be made into an image.
pub(super) struct Job<'a> {
    /// What came of its file.
    pub(super) form: &'a Form,
    /// The zone.
    pub(super) zone: &'a PackedZone,
    /// Its routes.
    pub(super) routed: &'a Routed,
    /// The hash of all that its image is made from.
    pub(super) key: Digest,
    /// The key that the image before a change of the file has, if nothing else changed.
    pub(super) base: Option<Digest>,
}

impl<'a> Job<'a> {
    /// The job of `form`, whose zone is `zone`.
    pub(super) fn new(
        form: &'a Form,
        zone: &'a PackedZone,
        bindings: &'a Bindings,
        is_routed: &impl Fn(&Name) -> bool,
    ) -> Job<'a> {
        static NO_ROUTES: Routed = Routed::new();
        let routed = bindings.routed.get(&zone.apex).unwrap_or(&NO_ROUTES);
        // Those of zones below count too: their owners stay out of this zone's additional sections.
        let below = bindings.routed.range(&zone.apex..);
        let below = below.take_while(|(apex, _)| apex.is_at_or_below(&zone.apex));
        let routes: Vec<(String, Digest)> = below
            .flat_map(|(_, routed)| routed)
            .map(|(owner, policy)| (owner.to_string(), Digest::of(&policy.0.to_le_bytes())))
            .collect();
        let hintless = form.hinted.iter().filter(|hinted| is_routed(&hinted.target));
        let hintless: Vec<String> = hintless.map(|hinted| hinted.target.to_string()).collect();
        let key = |form: Digest| {
            let parts = std::iter::once(("", form))
                .chain(routes.iter().map(|(owner, policy)| (owner.as_str(), *policy)))
                .chain(hintless.iter().map(|target| (target.as_str(), Digest::default())));
            Digest::of_parts(parts)
        };
        let base = form.change.as_ref().map(|change| key(change.base));
        Job { form, zone, routed, key: key(form.key), base }
    }

    /// The image made from that of the zone before its change, which has the key `base`; none where it is to be laid out.
    pub(super) fn patch(
        &self,
        seed: &Seed,
        before: &ZoneImage,
        is_routed: &dyn Fn(&Name) -> bool,
    ) -> Option<ZoneImage> {
        let touched = &self.form.change.as_ref()?.touched;
        patch_zone(seed, before, self.zone, touched, self.routed, is_routed)
    }
}
