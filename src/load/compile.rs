//! Zones into images that answer: placeholder.

use std::sync::Arc;

use crate::answer::Catalog;
use crate::zone::{Name, Zone};

use super::bind::Routed;

/// One zone, ready to answer.
#[derive(Debug)]
pub struct ZoneImage {}

pub(super) fn zone(_zone: &Zone, _routed: &[Routed]) -> ZoneImage {
    ZoneImage {}
}

pub(super) fn compose(_images: Vec<Arc<ZoneImage>>, _broken: Vec<Name>) -> Catalog {
    Catalog::default()
}
