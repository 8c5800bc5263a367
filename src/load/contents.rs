//! What two states of files say, for who compares them: zones as parsed, steering as compiled, nothing laid out.
//!
//! Owns: the choice of what has to be read at all. A zone whose file is the same on both sides, with all it may include, is
//! not parsed; steering that is the same, with its geography, is not compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::fileset::FileSet;
use crate::geo::{Position, PublishedWeights, World};
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
    /// How much places weigh, where geo/weights.csv says so.
    pub weights: Option<Arc<PublishedWeights>>,
    /// Why databases are left out of that.
    pub broken: Vec<Diagnostic>,
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
            let zones = zones.map(|zone| Arc::new(zone.unpacked()));
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

    /// Why databases are left out.
    pub fn broken(&self) -> impl Iterator<Item = &Diagnostic> {
        self.steering.iter().flat_map(|steering| &steering.broken)
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
        weights: ground.weights.clone(),
        broken: ground.broken_databases().cloned().collect(),
    }
}

fn steering_differs(old: &FileSet, new: &FileSet) -> bool {
    old.differences(new).any(|differing| steers(differing.path))
}

fn steers(path: &str) -> bool {
    path.starts_with("geo/") || is_steering_file(path)
}

/// Whether a zone file may include it. One that is a zone itself can be no part of another: its SOA would stand twice.
fn may_be_included(path: &str) -> bool {
    path.starts_with("zones/") && !is_zone_file(path) && !is_steering_file(path)
}

/// Which files of two states have to be at hand to compare them, where those that differ are known by path.
#[derive(Clone, Debug)]
pub struct Needs<'p> {
    differing: BTreeSet<&'p str>,
    steering: bool,
    includes: bool,
}

impl<'p> Needs<'p> {
    /// What is needed where the files at these paths differ.
    pub fn of(differing: impl IntoIterator<Item = &'p str>) -> Needs<'p> {
        let differing: BTreeSet<&str> = differing.into_iter().collect();
        Needs {
            steering: differing.iter().any(|path| steers(path)),
            includes: differing.iter().any(|path| may_be_included(path)),
            differing,
        }
    }

    /// Whether the file at `path` is needed.
    pub fn wants(&self, path: &str) -> bool {
        self.differing.contains(path)
            || may_be_included(path)
            || self.steering && steers(path)
            || self.includes && is_zone_file(path)
    }
}

/// The zone files of `files` that are not the same in `other`, or may include something that is not.
fn zone_files_to_read<'f>(files: &'f FileSet, other: &FileSet) -> Vec<&'f str> {
    let is_same =
        |path: &str| files.get(path).map(|f| f.digest) == other.get(path).map(|f| f.digest);
    let includes_differ = files.differences(other).any(|d| may_be_included(d.path));
    let includes = |bytes: &[u8]| includes_differ && !include::named_in(bytes).is_empty();
    let zone_files = files.files.iter().filter(|(path, _)| is_zone_file(path));
    let wanted = zone_files.filter(|(path, file)| !is_same(path) || includes(&file.bytes));
    wanted.map(|(path, _)| path.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fileset::File;

    const HEAD: &str = "$TTL 60\n@ SOA ns1 h 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n";

    fn files(files: &[(&str, &str)]) -> FileSet {
        let file = |&(path, text): &(&str, &str)| {
            (path.to_owned(), File::new(format!("{HEAD}{text}").into_bytes()))
        };
        FileSet { files: files.iter().map(file).collect() }
    }

    #[test]
    fn zones_are_read_where_they_differ_or_include_what_does() {
        let old = files(&[
            ("zones/a.test.zone", "$INCLUDE inc/x\n"),
            ("zones/b.test.zone", "b A 192.0.2.1\n"),
            ("zones/c.test.zone", "c A 192.0.2.1\n"),
            ("zones/inc/x", ""),
        ]);
        let mut new = old.clone();
        let included = File::new(b"x A 192.0.2.9\n".as_slice());
        new.files.insert("zones/inc/x".to_owned(), included);
        new.files.remove("zones/c.test.zone");
        let config = Config::defaults(std::path::Path::new(""));
        let (old, new) = Contents::of_both((&old, &config), (&new, &config));
        let apexes = |contents: &Contents| -> Vec<String> {
            contents.zones.keys().map(Name::to_string).collect()
        };
        assert_eq!(apexes(&old), ["a.test.", "c.test."]);
        assert_eq!(apexes(&new), ["a.test."]);
        assert!(old.steering.is_none() && new.steering.is_none());
    }

    #[test]
    fn what_is_needed_follows_from_what_differs() {
        let wants = |differing: &[&'static str], path: &str| {
            Needs::of(differing.iter().copied()).wants(path)
        };
        assert!(wants(&["zones/a.zone"], "zones/a.zone"));
        assert!(wants(&["zones/a.zone"], "zones/inc/x"));
        for path in ["zones/b.zone", "zones/a.toml", "geo/regions.toml"] {
            assert!(!wants(&["zones/a.zone"], path), "{path}");
        }
        assert!(wants(&["zones/inc/x"], "zones/b.zone"));
        assert!(wants(&["geo/overrides.csv"], "zones/a.toml"));
        assert!(!wants(&["geo/overrides.csv"], "zones/a.zone"));
    }
}
