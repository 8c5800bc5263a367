//! What two states of files say, for who compares them: zones as parsed, steering as compiled, nothing laid out.
//!
//! Owns: the choice of what has to be read at all. A zone whose file is the same on both sides, with all it may include, is
//! not parsed; steering that is the same, with its geography, is not compiled.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fileset::FileSet;
use crate::geo::{Position, World};
use crate::route::{Inventory, Plan, Regions, Route, Settings};
use crate::zone::{Name, Zone};

use super::config::Config;
use super::forms::{Forms, is_zone_file};
use super::ground::Grounds;
use super::include;
use super::steering::{Steerings, is_steering_file};

/// What one of two states of files says, where it may differ from the other.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The zones whose files differ, by apex.
    pub zones: BTreeMap<Name, Arc<Zone>>,
    /// The steering, if it may differ.
    pub steering: Option<SteeringContents>,
}

/// All that steers, compiled.
#[derive(Clone, Debug)]
pub struct SteeringContents {
    /// The policies; a `PolicyId` indexes them.
    pub plans: Arc<[Arc<Plan>]>,
    /// The routes, as written.
    pub routes: Vec<Route>,
    /// Pools and endpoints.
    pub inventory: Arc<Inventory>,
    /// The regions.
    pub regions: Arc<Regions>,
    /// What is known of addresses.
    pub world: Arc<World>,
}

/// What of a configuration steering depends on.
type Inherited = (Option<Position>, Settings);

impl Contents {
    /// Reads two states of files, each with its configuration. Both are to be without errors: what has one is left out.
    pub fn of_both(old: (&FileSet, &Config), new: (&FileSet, &Config)) -> (Contents, Contents) {
        let mut forms = Forms::default();
        let mut zones = |files: &FileSet, other: &FileSet| {
            let paths = zone_files_to_read(files, other);
            let zones = paths.iter().rev();
            let zones = zones.filter_map(|path| forms.parse_one(path, files)?.zone.clone());
            // Of two with one apex the earlier path counts, as in a build.
            zones.map(|zone| (zone.apex.clone(), zone)).collect()
        };
        let (old_zones, new_zones) = (zones(old.0, new.0), zones(new.0, old.0));
        let inherited = |config: &Config| -> Inherited { (config.site_position, config.health) };
        let (old_inherited, new_inherited) = (inherited(old.1), inherited(new.1));
        let mut contents = (
            Contents { zones: old_zones, steering: None },
            Contents { zones: new_zones, steering: None },
        );
        if old_inherited != new_inherited || steering_differs(old.0, new.0) {
            let mut grounds = Grounds::default();
            contents.0.steering = Some(steering(&mut grounds, old.0, old_inherited));
            contents.1.steering = Some(steering(&mut grounds, new.0, new_inherited));
        }
        contents
    }
}

fn steering(grounds: &mut Grounds, files: &FileSet, inherited: Inherited) -> SteeringContents {
    let ground = grounds.compile(files);
    let mut steerings = Steerings::new(inherited.0, inherited.1);
    // Faults are for a build to tell: who compares has built, or takes what served.
    drop(steerings.parse(files));
    let steered = steerings.compile(files, &ground);
    SteeringContents {
        plans: Arc::clone(&steered.plans),
        routes: steered.routes.clone(),
        inventory: Arc::clone(&steered.inventory),
        regions: Arc::clone(&ground.regions),
        world: Arc::clone(&ground.world),
    }
}

fn steering_differs(old: &FileSet, new: &FileSet) -> bool {
    let parts = |files: &FileSet| -> Vec<_> {
        let counts = |path: &str| path.starts_with("geo/") || is_steering_file(path);
        let parts = files.files.iter().filter(|(path, _)| counts(path));
        parts.map(|(path, file)| (path.clone(), file.digest)).collect()
    };
    parts(old) != parts(new)
}

/// The zone files of `files` that are not the same in `other`, or may include something that is not.
fn zone_files_to_read<'f>(files: &'f FileSet, other: &FileSet) -> Vec<&'f str> {
    let is_same =
        |path: &str| files.get(path).map(|f| f.digest) == other.get(path).map(|f| f.digest);
    let may_be_included = |path: &str| path.starts_with("zones/") && !is_steering_file(path);
    let mut paths = files.files.keys().chain(other.files.keys());
    let includes_differ = paths.any(|path| may_be_included(path) && !is_same(path));
    let includes = |bytes: &[u8]| includes_differ && !include::named_in(bytes).is_empty();
    let zone_files = files.files.iter().filter(|(path, _)| is_zone_file(path));
    let wanted = zone_files.filter(|(path, file)| !is_same(path) || includes(&file.bytes));
    wanted.map(|(path, _)| path.as_str()).collect()
}
