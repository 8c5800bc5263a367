//! A build onto the last one: where a few zone files changed that hang together with no others, only they are looked at, so
//! that a change costs the same among a million zones. What comes of it is what a build of all would give.

use std::sync::Arc;

use crate::answer::ZoneImage;
use crate::fileset::FileSet;
use crate::number::Digest;

use super::super::files::Scan;
use super::super::forms::Form;
use super::super::guard::Guard;
use super::super::losses;
use super::super::parts::Built;
use super::super::retreat::Choice;
use super::super::standing::Standing;
use super::Builder;

impl Builder {
    /// Builds onto the last build, if `scan` differs from it in little that touches nothing else.
    pub(super) fn narrow(
        &mut self,
        scan: &Scan,
        serving: &FileSet,
        guard: Option<&Guard>,
    ) -> Option<Built> {
        // Where this leads to nothing, the build of all leaves another.
        let mut standing = self.standing.take()?;
        let edits = standing.edits(scan, serving)?;
        let mut choice = Choice::new(standing.asked(&edits, scan), serving);
        let forms = standing.exchange(&edits, &mut choice, &mut self.forms)?;
        if let Some(guard) = guard {
            let is_held = losses::is_any_held(guard, &choice, &standing.after(), &mut self.forms);
            (!is_held).then_some(())?;
        }
        let images = self.images_of(&forms, &standing)?;
        let heard = forms.iter().filter(|form| !choice.is_refused(&form.path));
        let said = self.serials.remarks_of(heard, &self.forms, self.now_secs);
        for path in &edits {
            let found = [&scan.files, &choice.files].into_iter().filter_map(|f| f.get(path));
            let wanted: Vec<Digest> = found.map(|file| file.digest).collect();
            self.forms.keep_only(path, &wanted);
        }
        let built = standing.finish(scan, choice, &forms, &images, said);
        self.standing = Some(standing);
        Some(built)
    }

    /// The images of `forms`, which stand beside the others; none where one cannot be laid out.
    fn images_of(
        &mut self,
        forms: &[Arc<Form>],
        standing: &Standing,
    ) -> Option<Vec<Arc<ZoneImage>>> {
        let (zones, bindings) = standing.bound();
        let apexes = || forms.iter().filter_map(|form| form.zone.as_ref()).map(|zone| &zone.apex);
        let before = apexes().filter_map(|apex| self.images.remove_entry(apex)).collect();
        let faults = self.lay_out(forms, bindings, &zones, &before);
        let image = |apex| self.images.get(apex).map(|(_, image)| Arc::clone(image));
        faults.is_empty().then(|| apexes().map(image).collect())?
    }
}

#[cfg(test)]
mod tests;
