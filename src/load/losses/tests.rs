//! States of files, one after another, under a guard: what is held, and what is not held back by it.

use std::path::Path;

use crate::fileset::{File, FileSet};
use crate::load::{Builder, Built, Config, Guard, Removals, Scan};

const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n";
const STEERING: &str = "[pools.web]\nfra = ['192.0.2.10']\n[policies.web]\npool = 'web'\n\
                        [routes.'a.']\n'n0' = 'web'\n";

struct World {
    builder: Builder,
    disk: FileSet,
    serving: FileSet,
}

impl World {
    fn new(files: &[(&str, &str)]) -> World {
        let builder = Builder::new(&Config::defaults(Path::new("/")));
        let mut world = World { builder, disk: FileSet::default(), serving: FileSet::default() };
        world.write(files);
        assert_eq!(held(&world.look(Removals::Settled)), []);
        world
    }

    fn write(&mut self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.disk.files.insert((*path).to_owned(), File::new(text.as_bytes()));
        }
    }

    fn look(&mut self, removals: Removals) -> Built {
        self.look_under(Guard::default(), removals)
    }

    fn look_under(&mut self, guard: Guard, removals: Removals) -> Built {
        let scan = Scan::from(self.disk.clone());
        let built = self.builder.build_guarded(&scan, &self.serving, removals, Some(&guard));
        self.serving = built.serving.clone();
        built
    }

    fn serves(&self, path: &str, text: &str) -> bool {
        self.serving.get(path).is_some_and(|file| *file.bytes == *text.as_bytes())
    }
}

/// A zone with names n0, n1, …
fn zone(serial: u32, names: std::ops::Range<usize>) -> String {
    let names: String = names.map(|n| format!("n{n} A 192.0.2.{n}\n")).collect();
    format!(
        "$TTL 300\n@ SOA ns.example.net. host {serial} 1h 15m 30d 5m\n@ NS ns.example.net.\n{names}"
    )
}

fn held(built: &Built) -> Vec<(&str, usize, usize)> {
    built.held.iter().map(|h| (h.path.as_str(), h.names, h.removed)).collect()
}

fn refused(built: &Built) -> Vec<&str> {
    built.refused.iter().map(|r| r.path.as_str()).collect()
}

#[test]
fn a_shrunken_zone_is_held_with_its_steering_and_holds_back_no_other() {
    let (before, after) = (zone(1, 0..20), zone(2, 0..4));
    let mut world = World::new(&[
        ("zones/a.zone", &before),
        ("zones/a.toml", STEERING),
        ("zones/b.zone", &zone(1, 0..3)),
        ("geo/regions.toml", REGIONS),
    ]);
    let (other, steering) = (zone(2, 0..4), STEERING.replace("'n0'", "'n1'"));
    world.write(&[("zones/a.zone", &after), ("zones/a.toml", &steering), ("zones/b.zone", &other)]);
    let built = world.look(Removals::Wait);
    assert_eq!(held(&built), [("zones/a.zone", 20, 16)]);
    assert_eq!(refused(&built), ["zones/a.toml", "zones/a.zone"]);
    assert!(world.serves("zones/a.zone", &before) && world.serves("zones/a.toml", STEERING));
    assert!(world.serves("zones/b.zone", &other));
    let said = built.diagnostics.iter().find(|d| d.code == super::HELD_CODE).unwrap();
    assert_eq!(said.message, "16 of the 20 names of a. would vanish: n10.a., n11.a., n12.a., …");
    assert_eq!(said.consequence, "the change is held; serial 1 stays in service");
    // Looked at again it is the same change; edited, it is another.
    let key = built.held[0].key;
    assert_eq!(world.look(Removals::Wait).held[0].key, key);
    world.write(&[("zones/a.zone", &zone(2, 0..5))]);
    assert_ne!(world.look(Removals::Wait).held[0].key, key);
    // Mended, it is published.
    world.write(&[("zones/a.zone", &zone(2, 0..12))]);
    assert_eq!(held(&world.look(Removals::Wait)), []);
    assert!(world.serves("zones/a.toml", &steering));
}

#[test]
fn a_removed_zone_stays_held_once_its_removal_was_settled() {
    let mut world =
        World::new(&[("zones/a.zone", &zone(1, 0..12)), ("zones/b.zone", &zone(1, 0..3))]);
    world.disk.files.remove("zones/a.zone");
    let built = world.look(Removals::Wait);
    assert_eq!((held(&built), built.waiting.len()), (vec![], 1));
    for removals in [Removals::Settled, Removals::Wait] {
        let built = world.look(removals);
        assert_eq!(held(&built), [("zones/a.zone", 12, 12)]);
        assert_eq!((built.waiting.len(), built.parts.summary.zones), (0, 2));
    }
    // A small zone goes as it always did, and takes the other not with it.
    world.disk.files.remove("zones/b.zone");
    world.write(&[("zones/c.zone", &zone(1, 0..1))]);
    let built = world.look(Removals::Settled);
    assert_eq!((held(&built).len(), built.parts.summary.zones), (1, 2));
}

#[test]
fn a_zone_that_moves_to_another_file_is_the_same_zone() {
    let long = zone(1, 0..12);
    for (from, to) in [("zones/x/a.zone", "zones/a.zone"), ("zones/a.zone", "zones/x/a.zone")] {
        let mut world = World::new(&[(from, &long)]);
        world.disk.files.remove(from);
        world.write(&[(to, &zone(2, 0..2))]);
        for removals in [Removals::Settled, Removals::Wait] {
            let built = world.look(removals);
            assert_eq!(held(&built), [(to, 12, 10)]);
            assert!(world.serves(from, &long) && world.serving.get(to).is_none());
        }
        let whole = zone(2, 0..12);
        world.write(&[(to, &whole)]);
        assert_eq!(held(&world.look(Removals::Settled)), []);
        assert!(world.serves(to, &whole) && world.serving.get(from).is_none());
    }
}

#[test]
fn names_that_another_zone_takes_over_have_not_vanished() {
    let below = |n| format!("n{n}.sub A 192.0.2.1\n");
    let names: String = (0..20).map(below).collect();
    let mut world = World::new(&[("zones/a.zone", &(zone(1, 0..3) + &names))]);
    let cut = zone(2, 0..3) + "sub NS ns.example.net.\n";
    world.write(&[("zones/a.zone", &cut), ("zones/sub.a.zone", &zone(1, 0..20))]);
    assert_eq!(held(&world.look(Removals::Wait)), []);
    assert_eq!(world.serving.files.len(), 2);
}

#[test]
fn routed_names_have_not_vanished_when_their_defaults_go() {
    let routes: String = (0..18).map(|n| format!("'n{n}' = 'web'\n")).collect();
    let steering = STEERING.replace("'n0' = 'web'\n", &routes);
    let mut world = World::new(&[
        ("zones/a.zone", &zone(1, 0..20)),
        ("zones/a.toml", &steering),
        ("geo/regions.toml", REGIONS),
    ]);
    world.write(&[("zones/a.zone", &zone(2, 18..20))]);
    let before = world.serving.clone();
    let built = world.look(Removals::Wait);
    assert_eq!(held(&built), []);
    assert_eq!(world.builder.names_removed(&before, &built.serving), 0);
}

#[test]
fn what_a_zone_includes_counts() {
    let list = |count| -> String { (0..count).map(|n| format!("i{n} A 192.0.2.1\n")).collect() };
    let zone = zone(1, 0..2) + "$INCLUDE names.txt\n";
    let mut world = World::new(&[("zones/a.zone", &zone), ("zones/names.txt", &list(30))]);
    world.write(&[("zones/names.txt", &list(1))]);
    let built = world.look(Removals::Wait);
    assert_eq!(held(&built), [("zones/a.zone", 32, 29)]);
    assert!(world.serves("zones/names.txt", &list(30)));
}

#[test]
fn what_was_held_is_published_by_a_build_without_a_guard() {
    let mut world = World::new(&[("zones/a.zone", &zone(1, 0..12))]);
    let emptied = zone(2, 0..0);
    world.write(&[("zones/a.zone", &emptied)]);
    let built = world.look(Removals::Wait);
    assert_eq!(held(&built), [("zones/a.zone", 12, 12)]);
    assert!(built.diagnostics.iter().any(|d| d.message.contains("would be emptied")));
    let scan = Scan::from(world.disk.clone());
    let built = world.builder.build(&scan, &world.serving, Removals::Wait);
    assert_eq!(world.builder.names_removed(&world.serving, &built.serving), 12);
    assert_eq!((refused(&built), built.held.len(), built.changed), (vec![], 0, true));
    assert_eq!(*built.serving.get("zones/a.zone").unwrap().bytes, *emptied.as_bytes());
}

#[test]
fn an_edit_of_a_large_zone_is_judged_by_what_it_touched() {
    let zone_without = |gone: std::ops::Range<usize>| {
        let name = |n: usize| format!("name-number-{n} 300 IN A 192.0.2.{}\n", n % 250);
        zone(1, 0..0) + &(0..5000).filter(|n| !gone.contains(n)).map(name).collect::<String>()
    };
    let whole = zone_without(0..0);
    let guard = Guard { max_removed_share: 0.002, min_removed: 10 };
    let mut world = World::new(&[("zones/a.zone", &whole)]);
    world.write(&[("zones/a.zone", &zone_without(2000..2009))]);
    let built = world.look_under(guard, Removals::Wait);
    assert_eq!((held(&built), world.builder.is_hasty()), (vec![], true), "only the edit was read");
    world.write(&[("zones/a.zone", &whole)]);
    assert_eq!(held(&world.look_under(guard, Removals::Wait)), []);
    world.write(&[("zones/a.zone", &zone_without(2000..2015))]);
    for _ in 0..2 {
        let built = world.look_under(guard, Removals::Wait);
        assert_eq!(held(&built), [("zones/a.zone", 5000, 15)]);
        assert!(world.serves("zones/a.zone", &whole));
    }
}
