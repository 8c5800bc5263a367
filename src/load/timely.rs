//! What is to be said of zones that depends on when they serve: signatures that end, and serials that secondaries would
//! not notice, since content changed under the same one or under an older one.
//!
//! Owns: what served under which serial. A builder that has just begun knows nothing, and says nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::number::{Digest, Serial};
use crate::zone::{PackedNode, PackedRrset, PackedZone, Rtype};

use super::forms::{Form, Forms};
use super::retreat::Choice;

/// The serial of each zone file that serves.
#[derive(Default)]
pub(super) struct Serials {
    known: BTreeMap<String, Known>,
}

struct Known {
    key: Digest,
    serial: Serial,
    /// What is to be said until the file changes again.
    said: Option<Diagnostic>,
}

impl Serials {
    /// Takes the forms that serve from now on, in path order, and says what is to be said of them at `now_secs`.
    pub(super) fn remarks(
        &mut self,
        serving: &[Arc<Form>],
        forms: &Forms,
        choice: &Choice<'_>,
        now_secs: Option<u64>,
    ) -> Vec<Diagnostic> {
        let mut said = Vec::new();
        for form in serving.iter().filter(|form| form.zone.is_some()) {
            let serial = self.take(form, |key| forms.known(&form.path, key));
            // The lines of a last good form are not those of the disk.
            if choice.is_refused(&form.path) {
                continue;
            }
            said.extend(serial);
            let ending = form.validity.as_ref().zip(now_secs);
            said.extend(ending.into_iter().flat_map(|(validity, now)| validity.remarks(now)));
        }
        let place = |path: &str| serving.binary_search_by(|form| form.path.as_str().cmp(path));
        self.known.retain(|path, _| place(path).is_ok());
        said
    }

    /// As [`Serials::remarks`], of forms that serve from now on beside those that do already.
    pub(super) fn remarks_of<'f>(
        &mut self,
        some: impl Iterator<Item = &'f Arc<Form>>,
        forms: &Forms,
        now_secs: Option<u64>,
    ) -> Vec<Diagnostic> {
        let mut said = Vec::new();
        for form in some {
            said.extend(self.take(form, |key| forms.known(&form.path, key)));
            let ending = form.validity.as_ref().zip(now_secs);
            said.extend(ending.into_iter().flat_map(|(validity, now)| validity.remarks(now)));
        }
        said
    }

    /// What is to be said of the serial of a form that serves from now on. `before` finds a form by its key, if it is still
    /// in memory.
    fn take<'f>(
        &mut self,
        form: &Form,
        before: impl FnOnce(Digest) -> Option<&'f Form>,
    ) -> Option<Diagnostic> {
        let known = self.known.get(&form.path);
        if let Some(known) = known.filter(|known| known.key == form.key) {
            return known.said.clone();
        }
        let zone = form.zone.as_ref()?;
        let serial = zone.serial()?;
        let said = known.and_then(|known| {
            let changed = || {
                // An edit has used up the form before, and knows what it touched.
                if let Some(edit) = form.change.as_ref().filter(|edit| edit.base == known.key) {
                    return !edit.touched.is_empty();
                }
                let before = before(known.key).and_then(|form| form.zone.as_deref());
                before.is_some_and(|before| differs(before, zone))
            };
            remark(zone, known.serial, serial, changed)
        });
        let known = Known { key: form.key, serial, said: said.clone() };
        self.known.insert(form.path.clone(), known);
        said
    }
}

/// RFC 1982 §3.2 decides what is newer; RFC 1034 §4.3.5 what a secondary does about it.
fn remark(
    zone: &PackedZone,
    before: Serial,
    now: Serial,
    changed: impl FnOnce() -> bool,
) -> Option<Diagnostic> {
    let line = zone.rrset(&zone.apex, Rtype::SOA).map_or(0, |soa| soa.line);
    let place = Place::at(&*zone.path, line, 0);
    let (now, was) = (now.0, before.0);
    let said = if now == was {
        let what = format!("the zone changed and its serial is {now} as before");
        changed().then(|| Diagnostic::warning("serial-not-raised", place, what))?
    } else if Serial(now).is_newer_than(before) {
        return None;
    } else {
        let what = format!("the serial went back from {was} to {now}");
        Diagnostic::warning("serial-went-back", place, what)
    };
    let said = said.consequence("the zone serves; secondaries keep what they have");
    Some(said.help("raise the serial (RFC 1982 §3.2)"))
}

/// Whether two zones hold different records, wherever in their files these stand.
fn differs(a: &PackedZone, b: &PackedZone) -> bool {
    let same_rrset = |a: PackedRrset<'_>, b: PackedRrset<'_>| {
        (a.rtype, a.ttl) == (b.rtype, b.ttl) && is_permutation(a, b)
    };
    let same_node = |a: PackedNode<'_>, b: PackedNode<'_>| {
        let mut pairs = a.rrsets().zip(b.rrsets());
        a.rrsets().count() == b.rrsets().count() && pairs.all(|(a, b)| same_rrset(a, b))
    };
    let mut pairs = a.nodes().zip(b.nodes());
    a.node_count() != b.node_count()
        || !pairs.all(|(a, b)| a.0.as_wire() == b.0.as_wire() && same_node(a.1, b.1))
}

fn is_permutation(a: PackedRrset<'_>, b: PackedRrset<'_>) -> bool {
    a.rdata().eq(b.rdata()) || a.count() == b.count() && sorted(a) == sorted(b)
}

fn sorted(rrset: PackedRrset<'_>) -> Vec<&[u8]> {
    let mut sorted: Vec<&[u8]> = rrset.rdata().collect();
    sorted.sort_unstable();
    sorted
}
