//! States of files, one after another, and what serves of each. A world is built as a running server would: what serves
//! is carried from step to step, or into a fresh builder as after a restart.

use std::path::Path;

use super::*;
use crate::fileset::File;
use crate::number::Serial;

const REGIONS: &str = "[fra]\nname = 'F'\nposition = [50.11, 8.68]\n\
                       [iad]\nname = 'I'\nposition = [38.9, -77.4]\n";
const POOL: &str = "[pools.web]\nfra = ['192.0.2.10']\niad = ['198.51.100.10']\n\
                    [policies.web]\npool = 'web'\n";

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
        world
    }

    fn write(&mut self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.disk.files.insert((*path).to_owned(), File::new(text.as_bytes()));
        }
    }

    fn remove(&mut self, path: &str) {
        self.disk.files.remove(path);
    }

    fn restart(&mut self) {
        self.builder = Builder::new(&Config::defaults(Path::new("/")));
    }

    fn build(&mut self) -> Built {
        self.build_with(Scan::from(self.disk.clone()), Removals::Settled)
    }

    fn build_with(&mut self, scan: Scan, removals: Removals) -> Built {
        let built = self.builder.build(&scan, &self.serving, removals);
        self.serving = built.serving.clone();
        built
    }

    fn serves(&self, path: &str) -> Option<&str> {
        self.serving.get(path).map(|f| std::str::from_utf8(&f.bytes).unwrap())
    }
}

fn zone(serial: u32, records: &str) -> String {
    format!(
        "$TTL 300\n@ SOA ns.example.net. host {serial} 1h 15m 30d 5m\n@ NS ns.example.net.\n{records}"
    )
}

fn refused(built: &Built) -> Vec<&str> {
    built.refused.iter().map(|r| r.path.as_str()).collect()
}

fn errors(built: &Built) -> Vec<&str> {
    built.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code).collect()
}

fn said<'b>(built: &'b Built, code: &str) -> &'b Diagnostic {
    let found = built.diagnostics.iter().find(|d| d.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {:#?}", built.diagnostics))
}

#[test]
fn a_broken_zone_serves_its_last_good_form_and_holds_back_no_other() {
    let (good_a, good_b) = (zone(1, ""), zone(1, ""));
    let mut world = World::new(&[("zones/a.zone", &good_a), ("zones/b.zone", &good_b)]);
    let built = world.build();
    assert_eq!((built.parts.summary.zones, built.changed), (2, true));
    assert_eq!(errors(&built), [""; 0]);
    assert!(!world.build().changed);
    let new_b = zone(2, "www A 192.0.2.1\n");
    world.write(&[("zones/a.zone", "@ SOA broken\n"), ("zones/b.zone", &new_b)]);
    // Twice in one process, and once after a restart: it is the same each time.
    for round in 0..3 {
        let built = world.build();
        assert_eq!(refused(&built), ["zones/a.zone"]);
        assert_eq!(world.serves("zones/a.zone"), Some(good_a.as_str()));
        assert_eq!(world.serves("zones/b.zone"), Some(new_b.as_str()));
        assert_eq!((built.parts.summary.zones, built.changed), (2, round == 0));
        let error = built.diagnostics.iter().find(|d| d.is_error()).unwrap();
        assert_eq!(error.consequence, "the zone was not loaded; serial 1 stays in service");
        if round == 1 {
            world.restart();
        }
    }
    world.write(&[("zones/a.zone", &zone(3, ""))]);
    assert_eq!(refused(&world.build()), [""; 0]);
}

#[test]
fn a_zone_never_loaded_is_known_as_broken() {
    let mut world = World::new(&[("zones/a.zone", "nonsense\n"), ("zones/b.zone", &zone(1, ""))]);
    let built = world.build();
    assert_eq!(built.parts.summary.broken, ["a."]);
    assert_eq!((built.parts.summary.zones, built.parts.catalog.zone_count()), (1, 2));
    let error = built.diagnostics.iter().find(|d| d.is_error()).unwrap();
    assert!(error.consequence.contains("SERVFAIL (EDE 14)"), "{error}");
    world.remove("zones/a.zone");
    let built = world.build();
    assert_eq!((built.changed, built.parts.catalog.zone_count()), (true, 1));
}

#[test]
fn of_two_files_with_one_apex_the_later_path_is_refused() {
    let first = zone(1, "$ORIGIN a.\n");
    let second = zone(2, "");
    let mut world = World::new(&[("zones/a.zone", &first), ("zones/sub/a.zone", &second)]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/sub/a.zone"]);
    assert_eq!(said(&built, "apex-defined-twice").place.file, "zones/sub/a.zone");
    // The name is served all the same: it is not broken.
    assert_eq!((built.parts.summary.zones, built.parts.summary.broken.len()), (1, 0));
}

#[test]
fn a_file_that_moves_takes_its_zone_along() {
    for (from, to) in [("zones/a.zone", "zones/sub/a.zone"), ("zones/sub/a.zone", "zones/a.zone")] {
        let mut world = World::new(&[(from, &zone(1, "")), ("zones/b.zone", &zone(1, ""))]);
        world.build();
        world.remove(from);
        world.write(&[(to, &zone(2, ""))]);
        let built = world.build_with(Scan::from(world.disk.clone()), Removals::Wait);
        assert_eq!((refused(&built), built.waiting.len()), (vec![], 0));
        assert_eq!(built.parts.summary.zones, 2);
        assert!(world.serves(from).is_none() && world.serves(to).is_some());
    }
}

#[test]
fn what_is_gone_goes_when_it_is_settled_and_never_all_at_once() {
    let mut world = World::new(&[("zones/a.zone", &zone(1, "")), ("zones/b.zone", &zone(1, ""))]);
    world.build();
    world.remove("zones/a.zone");
    let built = world.build_with(Scan::from(world.disk.clone()), Removals::Wait);
    assert_eq!(
        (built.waiting.as_slice(), built.changed),
        (&["zones/a.zone".to_owned()][..], false)
    );
    let built = world.build();
    assert_eq!((built.waiting.len(), built.changed, built.parts.summary.zones), (0, true, 1));
    world.remove("zones/b.zone");
    let built = world.build();
    assert_eq!((built.changed, built.parts.summary.zones), (false, 1));
    assert_eq!(errors(&built), ["zones-empty"]);
    // A folder that cannot be read removes nothing.
    let unread = |path: &str| Scan { unread: vec![path.to_owned()], ..Scan::default() };
    for path in ["zones/", "zones/b.zone"] {
        let built = world.build_with(unread(path), Removals::Settled);
        assert_eq!((built.changed, errors(&built).len()), (false, 0), "{path}");
    }
}

#[test]
fn an_included_file_goes_back_with_the_zone_that_it_breaks() {
    let a = zone(1, "$INCLUDE common.inc\n");
    let mut world = World::new(&[
        ("zones/a.zone", &a),
        ("zones/b.zone", &a),
        ("zones/common.inc", "www A 192.0.2.1\n"),
    ]);
    let built = world.build();
    assert_eq!((errors(&built), built.parts.summary.records), (vec![], 6));
    world.write(&[("zones/common.inc", "www A 192.0.2.2\nx A 192.0.2.3\n")]);
    assert_eq!(world.build().parts.summary.records, 8);
    world.write(&[("zones/common.inc", "www A nowhere\n")]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/common.inc"]);
    assert_eq!(built.parts.summary.records, 8);
    world.remove("zones/common.inc");
    let built = world.build();
    assert_eq!((refused(&built), built.parts.summary.records), (vec!["zones/common.inc"], 8));
    let above = zone(1, "$INCLUDE ../secret\n");
    world.write(&[("zones/c.zone", &above)]);
    assert_eq!(world.build().parts.summary.broken, ["c."]);
}

#[test]
fn routes_are_bound_and_counted() {
    let steering = format!("{POOL}[routes.'a']\n'@' = 'web'\n'www' = 'web'\n'*.apps' = 'web'\n");
    let records = "@ A 192.0.2.1\nwww A 192.0.2.1\n*.apps A 192.0.2.1\nx.apps A 192.0.2.1\n\
                   svc HTTPS 1 www alpn=h2 ipv4hint=192.0.2.9\n";
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.toml", &steering),
        ("zones/a.zone", &zone(1, records)),
    ]);
    let built = world.build();
    assert_eq!(errors(&built), [""; 0], "{:#?}", built.diagnostics);
    let summary = &built.parts.summary;
    assert_eq!((summary.routes, summary.pools, summary.policies, summary.regions), (3, 1, 1, 2));
    assert_eq!((summary.endpoints, built.parts.inventory.members.len()), (2, 2));
    assert_eq!(said(&built, "wildcard-blocked").place.line, 9);
    assert_eq!(said(&built, "hints-of-routed-name").place.line, 8);
}

#[test]
fn routes_that_cannot_be_are_refused() {
    let names = "[pools.n]\nfra = ['lb.example.net.']\n[policies.n]\npool = 'n'\n\
                 [policies.d]\npool = 'web'\nwhen_all_down = 'default'\n";
    let mut world = World::new(&[("geo/regions.toml", REGIONS)]);
    for (route, records, code) in [
        ("[routes.'b']\n'@' = 'web'\n", "", "route-zone-unknown"),
        ("[routes.'a']\n'www.b.' = 'web'\n", "", "route-outside-zone"),
        ("[routes.'a']\n'w..w' = 'web'\n", "", "route-owner"),
        ("[routes.'a']\n'x.sub' = 'web'\n", "sub NS ns.b.\n", "route-below-delegation"),
        ("[routes.'a']\n'sub' = 'web'\n", "sub NS ns.b.\n", "route-below-delegation"),
        ("[routes.'a']\n'x.d' = 'web'\n", "d DNAME b.\n", "route-below-dname"),
        ("[routes.'a']\n'www' = 'web'\n", "www CNAME b.\n", "route-beside-cname"),
        ("[routes.'a']\n'@' = 'n'\n", "", "route-cname-at-apex"),
        ("[routes.'a']\n'www' = 'n'\n", "www TXT x\n", "route-cname-and-other-data"),
        ("[routes.'a']\n'ns' = 'web'\n", "@ NS ns\nns A 192.0.2.1\n", "route-on-ns-target"),
        ("[routes.'a']\n'www' = 'd'\n", "", "route-without-default"),
    ] {
        let steering = format!("{POOL}{names}{route}");
        // Each case is a first start; only what was learnt of geography is kept.
        world.serving = FileSet::default();
        world.write(&[("zones/a.toml", &steering), ("zones/a.zone", &zone(1, records))]);
        let built = world.build();
        assert_eq!(errors(&built), [code], "{route}{records}{:#?}", built.diagnostics);
        // Nothing was ever good: the steering is dropped, and the zone serves its own records.
        assert_eq!(refused(&built), ["zones/a.toml"], "{code}");
        assert_eq!((built.parts.summary.zones, built.parts.summary.routes), (1, 0));
    }
    let allowed = format!("{POOL}{names}[routes.'a']\n'www' = 'n'\n");
    world.write(&[("zones/a.toml", &allowed), ("zones/a.zone", &zone(1, "www CNAME b.\n"))]);
    assert_eq!(errors(&world.build()), [""; 0]);
}

#[test]
fn edits_that_refer_to_each_other_publish_together_or_not_at_all() {
    let routes = "[routes.'a']\n'www' = 'web'\n";
    let old = zone(1, "www A 192.0.2.1\n");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.toml", routes),
        ("zones/a.zone", &old),
        ("zones/b.zone", &zone(1, "")),
        ("zones/pool.toml", POOL),
    ]);
    assert_eq!(errors(&world.build()), [""; 0]);
    // A zone edit that breaks a route goes back; an edit beside it does not.
    world.write(&[("zones/a.zone", &zone(2, "www CNAME b.\n")), ("zones/b.zone", &zone(2, ""))]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/a.zone"]);
    assert_eq!(world.serves("zones/a.zone"), Some(old.as_str()));
    assert_eq!(world.serves("zones/b.zone"), Some(zone(2, "").as_str()));
    // A policy renamed under the routes that name it goes back, though the error stands in the routes.
    world.write(&[("zones/a.zone", &old)]);
    world.write(&[("zones/pool.toml", &POOL.replace("policies.web", "policies.wide"))]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/pool.toml"]);
    assert_eq!(built.parts.summary.routes, 1);
    // Renamed in both, it is taken.
    world.write(&[("zones/a.toml", &routes.replace("'web'", "'wide'"))]);
    let built = world.build();
    assert_eq!((refused(&built), built.parts.summary.routes), (vec![], 1));
    // A region that a pool needs does not go.
    world.write(&[("geo/regions.toml", REGIONS.split("[iad]").next().unwrap())]);
    assert_eq!(refused(&world.build()), ["geo/regions.toml"]);
    // Nor does a zone that is routed.
    world.write(&[("geo/regions.toml", REGIONS)]);
    world.remove("zones/a.zone");
    let built = world.build();
    assert_eq!((refused(&built), built.parts.summary.zones), (vec!["zones/a.zone"], 2));
    // With its routes it goes.
    world.remove("zones/a.toml");
    assert_eq!(world.build().parts.summary.zones, 1);
}

#[test]
fn a_routed_zone_that_is_signed_serves_its_default_or_stays_as_it_was() {
    let steering = format!("{POOL}[routes.'a']\n'www' = 'web'\n");
    let key = "@ DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n";
    let with = zone(2, &format!("{key}www A 192.0.2.1\n"));
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.toml", &steering),
        ("zones/a.zone", &with),
    ]);
    let built = world.build();
    assert_eq!((refused(&built), built.parts.summary.routes), (vec![], 0));
    assert!(said(&built, "route-in-signed-zone").consequence.contains("default RRset"));
    // Rule 5: signing a zone whose routed name has no address of its own would take it away.
    world.write(&[("zones/a.zone", &zone(3, ""))]);
    assert_eq!(world.build().parts.summary.routes, 1);
    world.write(&[("zones/a.zone", &zone(4, key))]);
    let built = world.build();
    assert_eq!((refused(&built), built.parts.summary.routes), (vec!["zones/a.zone"], 1));
}

#[test]
fn routes_of_a_zone_that_never_loaded_hold_nothing_back() {
    let steering = format!("{POOL}[routes.'a']\n'www' = 'web'\n[routes.'b']\n'www' = 'web'\n");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/ab.toml", &steering),
        ("zones/a.zone", "nonsense\n"),
        ("zones/b.zone", &zone(1, "")),
    ]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/a.zone"]);
    assert_eq!((built.parts.summary.routes, built.parts.summary.broken.len()), (1, 1));
}

#[test]
fn broken_geography_is_refused_by_itself() {
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("geo/overrides.csv", "203.0.113.0/24,fra,ours\n"),
        ("zones/a.zone", &zone(1, "")),
    ]);
    let built = world.build();
    assert_eq!(errors(&built), [""; 0], "{:#?}", built.diagnostics);
    let before = built.parts.geography_digest;
    world.write(&[("geo/overrides.csv", "nowhere\n"), ("geo/x.mmdb", "junk")]);
    let built = world.build();
    assert_eq!(refused(&built), ["geo/overrides.csv", "geo/x.mmdb"]);
    assert_eq!(built.parts.geography_digest, before);
    assert!(!built.changed);
}

#[test]
fn steering_that_moves_or_goes_keeps_names_answered() {
    let steering = format!("{POOL}[routes.'a']\n'@' = 'web'\n'www' = 'web'\n");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/m.toml", &steering),
        ("zones/a.zone", &zone(1, "@ A 192.0.2.1\n")),
    ]);
    assert_eq!(world.build().parts.summary.routes, 2);
    // Moved to an earlier path, then to a later one: at once, and without a word.
    for (from, to) in [("zones/m.toml", "zones/b.toml"), ("zones/b.toml", "zones/z.toml")] {
        world.remove(from);
        world.write(&[(to, &steering)]);
        let built = world.build_with(Scan::from(world.disk.clone()), Removals::Wait);
        assert_eq!((errors(&built), refused(&built)), (vec![], vec![]));
        assert_eq!((built.parts.summary.routes, world.serves(from)), (2, None));
    }
    // `www` has no address of its own: its file does not go, but its line does.
    world.remove("zones/z.toml");
    let built = world.build();
    assert_eq!(
        (errors(&built), refused(&built)),
        (vec!["route-file-removed"], vec!["zones/z.toml"])
    );
    world.write(&[("zones/z.toml", &steering.replace("'www' = 'web'\n", ""))]);
    let built = world.build();
    assert_eq!((errors(&built).len(), built.parts.summary.routes), (0, 1));
    assert!(!said(&built, "route-removed").is_error());
    world.remove("zones/z.toml");
    assert_eq!(world.build().parts.summary.routes, 0);
}

#[test]
fn steering_files_that_refer_to_each_other_go_back_together() {
    let (one, two) = ("[routes.'a']\n'www' = 'web'\n", "[routes.'b']\n'www' = 'other'\n");
    let other = POOL.replace("web", "other");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.toml", one),
        ("zones/a.zone", &zone(1, "www A 192.0.2.1\n")),
        ("zones/b.toml", two),
        ("zones/b.zone", &zone(1, "www A 192.0.2.1\n")),
        ("zones/other.toml", &other),
        ("zones/web.toml", POOL),
    ]);
    assert_eq!(errors(&world.build()), [""; 0]);
    let edit = |text: &str| text.replace("192.0.2.10", "192.0.2.99");
    world.write(&[("zones/a.toml", &format!("{one}'x' = 'wbe'\n"))]);
    world.write(&[("zones/web.toml", &edit(POOL)), ("zones/other.toml", &edit(&other))]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/a.toml", "zones/web.toml"]);
    assert_eq!(world.serves("zones/other.toml"), Some(edit(&other).as_str()));
}

// What served and did not change gives way to nothing new: neither a zone that loads for the first time, nor a steering
// file whose path comes first. And the way back ends.
#[test]
fn a_new_file_at_odds_with_one_that_serves_is_the_one_that_is_refused() {
    let routed = format!("{POOL}[routes.'a']\nwww = 'web'\n[routes.'b']\nwww = 'web'\n");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.zone", "this is no zone"),
        ("zones/b.zone", &zone(1, "")),
        ("zones/s.toml", &routed),
    ]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/a.zone"]);
    assert_eq!(built.parts.summary.routes, 1);

    world.write(&[("zones/a.zone", &zone(1, "www NS ns.example.net.\n"))]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/a.zone"]);
    assert_eq!(errors(&built), ["route-below-delegation"]);
    assert_eq!((built.parts.summary.routes, &*built.parts.summary.broken), (1, &["a.".into()][..]));

    world.write(&[("zones/a.zone", &zone(2, "")), ("zones/0.toml", POOL)]);
    let built = world.build();
    assert_eq!(refused(&built), ["zones/0.toml"]);
    assert_eq!(built.parts.summary.routes, 2);
}

// DESIGN §5: routed addresses never go into the additional section, so the zone above has to learn of a route below it.
#[test]
fn a_route_in_a_zone_below_makes_the_zone_above_anew() {
    let above = zone(1, "@ MX 1 mail.sub\nsub NS ns.example.net.\nmail.sub A 192.0.2.1\n");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.zone", &above),
        ("zones/sub.a.zone", &zone(1, "mail A 192.0.2.1\n")),
        ("zones/s.toml", POOL),
    ]);
    world.build();
    let apex = Name::parse("a.", &Name::root()).unwrap();
    let before = Arc::clone(&world.builder.images[&apex].1);
    world.write(&[("zones/s.toml", &format!("{POOL}[routes.'sub.a']\nmail = 'web'\n"))]);
    assert!(world.build().refused.is_empty());
    assert!(!Arc::ptr_eq(&before, &world.builder.images[&apex].1));
}

// A route outlives its zone by its own line only: the file that holds it serves on, and so does every edit beside it.
#[test]
fn a_route_whose_zone_is_gone_costs_no_other_route() {
    let both = format!("{POOL}[routes.'b']\nwww = 'web'\n[routes.'a']\nwww = 'web'\n");
    let other = POOL.replace("web", "other");
    let mut world = World::new(&[
        ("geo/regions.toml", REGIONS),
        ("zones/a.zone", "this is no zone"),
        ("zones/b.zone", &zone(1, "")),
        ("zones/other.toml", &other),
        ("zones/s.toml", &both),
    ]);
    assert_eq!(world.build().parts.summary.routes, 1);
    world.remove("zones/a.zone");
    let edited = other.replace("192.0.2.10", "192.0.2.99");
    world.write(&[("zones/other.toml", &edited)]);
    world.write(&[("zones/new.toml", "[routes.'b']\nnew = 'web'\n")]);
    world.write(&[("zones/b.zone", &zone(2, ""))]);
    for round in 0..3 {
        let built = world.build();
        assert_eq!((refused(&built), errors(&built)), (vec![], vec!["route-zone-unknown"]));
        let said = said(&built, "route-zone-unknown");
        assert_eq!((said.place.file.as_str(), said.place.line), ("zones/s.toml", 9));
        assert_eq!(said.consequence, "the route was not loaded; the rest of the file serves");
        assert_eq!((built.parts.summary.routes, built.changed), (2, round == 0));
        assert_eq!(world.serves("zones/other.toml"), Some(edited.as_str()));
        if round == 1 {
            world.restart();
        }
    }
    // An edit of the file itself has to be without fault, and the form before it serves as it did.
    world.write(&[("zones/s.toml", &format!("# edited\n{both}"))]);
    let built = world.build();
    assert_eq!((refused(&built), built.parts.summary.routes), (vec!["zones/s.toml"], 2));
    assert_eq!(world.serves("zones/s.toml"), Some(both.as_str()));
    world.write(&[("zones/s.toml", both.split("[routes.'a']").next().unwrap())]);
    let built = world.build();
    assert_eq!((errors(&built), built.parts.summary.routes), (vec![], 2));
}

// Rule 7: no file ends the process, not even by a fault of ours.
#[test]
fn a_zone_that_cannot_be_laid_out_is_refused_by_itself() {
    let good = zone(1, "");
    let mut world = World::new(&[("zones/a.zone", &good), ("zones/b.zone", &good)]);
    world.build();
    world.builder.lay_out = |seed, zone, routes, is_routed| match zone.serial() {
        Some(Serial(13)) => panic!("asked to"),
        _ => compile_zone(seed, zone, routes, is_routed),
    };
    let edited = zone(2, "");
    world.write(&[
        ("zones/a.zone", &zone(13, "")),
        ("zones/b.zone", &edited),
        ("zones/c.zone", &zone(13, "")),
    ]);
    for _ in 0..2 {
        let built = world.build();
        assert_eq!(refused(&built), ["zones/a.zone", "zones/c.zone"]);
        assert_eq!(errors(&built), ["internal"; 2]);
        assert_eq!(world.serves("zones/a.zone"), Some(good.as_str()));
        assert_eq!(world.serves("zones/b.zone"), Some(edited.as_str()));
        assert_eq!(
            (built.parts.summary.zones, &*built.parts.summary.broken),
            (2, &["c.".into()][..])
        );
        assert_eq!(built.parts.catalog.zone_count(), 3);
    }
    // Where even what served cannot be laid out any more, it alone is not served.
    world.restart();
    world.builder.lay_out = |seed, zone, routes, is_routed| match zone.serial() {
        Some(Serial(1 | 13)) => panic!("asked to"),
        _ => compile_zone(seed, zone, routes, is_routed),
    };
    let built = world.build();
    assert_eq!(refused(&built), ["zones/a.zone", "zones/c.zone"]);
    assert_eq!((built.parts.summary.zones, built.parts.summary.broken.len()), (1, 2));
}

// What is read as a whole beside the looks is of a file as it was; by then it may be another.
#[test]
fn a_second_reading_holds_back_no_change_and_counts_for_its_own_text_only() {
    let hosts = |from: usize, address: &str| {
        let host = |i: usize| format!("host{i} A {address}\n");
        format!("@ MX 10 host7\na A 192.0.2.1\n{}", (from..400).map(host).collect::<String>())
    };
    let mut world = World::new(&[("zones/a.zone", &zone(1, &hosts(0, "192.0.2.1")))]);
    world.build();
    assert!(world.builder.second_reading().is_empty());
    world.write(&[("zones/a.zone", &zone(2, &hosts(8, "192.0.2.1")))]);
    world.build();
    let early = world.builder.second_reading();
    let (read_at_once, changed) = (early.clone().read(), zone(3, &hosts(7, "192.0.2.1")));
    world.write(&[("zones/a.zone", &changed)]);
    // Nothing was given yet, and the change is read alone.
    assert!(world.build().changed && world.builder.is_hasty());
    assert!(!world.builder.take_whole(early.read()) && !world.builder.take_whole(read_at_once));
    assert!(world.builder.is_hasty());
    // Of its own text it says what a reading of the whole does, once.
    world.write(&[("zones/a.zone", &zone(4, &hosts(8, "192.0.2.1")))]);
    assert!(world.build().diagnostics.is_empty());
    let read = world.builder.second_reading().read();
    assert!(world.builder.take_whole(read) && !world.builder.is_hasty());
    let built = world.build();
    assert!(!built.changed && world.builder.second_reading().is_empty());
    assert_eq!(said(&built, "target-missing").place.line, 4);
    // And the next change is read alone again, onto it.
    world.write(&[(
        "zones/a.zone",
        &zone(5, &hosts(8, "192.0.2.1").replace("host399 A", "host399 AAAA ::1\nhost A")),
    )]);
    let built = world.build();
    assert!(built.changed && world.builder.is_hasty());
}

// The rest of a large file is not read before its change serves.
#[test]
fn a_changed_record_serves_at_once_and_what_it_means_elsewhere_is_said_after() {
    let hosts = |from: usize| {
        let host = |i: usize| format!("host{i} A 192.0.2.1\n");
        format!("@ MX 10 host7\na A 192.0.2.1\n{}", (from..400).map(host).collect::<String>())
    };
    let mut world = World::new(&[("zones/a.zone", &zone(1, &hosts(0)))]);
    assert!(world.build().diagnostics.is_empty() && !world.builder.is_hasty());
    world.write(&[("zones/a.zone", &zone(2, &hosts(8)))]);
    let built = world.build();
    assert!(world.builder.is_hasty() && built.changed && built.diagnostics.is_empty());
    assert_eq!(built.parts.summary.records, 2 + 1 + 1 + 392);
    let read = world.builder.second_reading().read();
    assert!(world.builder.take_whole(read));
    let built = world.build();
    assert!(!world.builder.is_hasty() && !built.changed);
    assert_eq!(said(&built, "target-missing").place.line, 4);
    // A change of many records takes the whole file.
    world.write(&[("zones/a.zone", &zone(3, &hosts(90)))]);
    world.build();
    assert!(!world.builder.is_hasty());
    world.write(&[("zones/a.zone", &zone(4, &hosts(8)))]);
    world.build();
    // A change that is refused for another file's sake gives way to what served, which is read again.
    let route = format!("{POOL}[routes.'a']\n\"host9\" = 'web'\n");
    world.write(&[("zones/s.toml", &route), ("geo/regions.toml", REGIONS)]);
    assert_eq!(errors(&world.build()), [""; 0]);
    let cut = hosts(8).replace("host9 A 192.0.2.1", "host9 CNAME a");
    world.write(&[("zones/a.zone", &zone(5, &cut))]);
    for _ in 0..2 {
        let built = world.build();
        assert_eq!(refused(&built), ["zones/a.zone"]);
        assert!(world.serves("zones/a.zone").unwrap().contains("host9 A 192.0.2.1"));
    }
}

// RFC 1034 §4.3.5, RFC 1982 §3.2: a secondary compares serials and nothing else.
#[test]
fn serials_that_secondaries_would_not_notice_are_told() {
    let (before, after) = ("w A 192.0.2.1\nw A 192.0.2.2\n", "w A 192.0.2.1\n");
    let commented = format!("; a comment\n{}", zone(9, "w A 192.0.2.2\nw A 192.0.2.1\n"));
    for (second, expected) in [
        (zone(9, before), None),
        (commented, None),
        (zone(9, after), Some("serial-not-raised")),
        (zone(10, after), None),
        (zone(8, before), Some("serial-went-back")),
        (zone(0x8000_0008, after), None),
        (zone(0x8000_000a, after), Some("serial-went-back")),
    ] {
        let mut world = World::new(&[("zones/a.zone", &zone(9, before))]);
        let serial = |built: &Built| {
            let mut codes = built.diagnostics.iter().map(|d| d.code);
            codes.find(|code| code.starts_with("serial-"))
        };
        assert_eq!(serial(&world.build()), None);
        world.write(&[("zones/a.zone", &second)]);
        assert_eq!(serial(&world.build()), expected, "{second}");
        // It stands until the file changes again.
        assert_eq!(serial(&world.build()), expected, "{second}");
        world.write(&[("zones/a.zone", &zone(11, "w A 192.0.2.3\n"))]);
        let third = serial(&world.build());
        assert_eq!(third.is_some(), second.contains("host 21474836"), "{second}");
        world.restart();
        assert_eq!(serial(&world.build()), None);
    }
}

// RFC 4035 §5.3.1. Expiry is never an error: the same files serve at every site, whatever its clock.
#[test]
fn signatures_that_end_are_told_by_the_clock() {
    let signed = "w A 192.0.2.1\nw RRSIG A 13 2 300 20261201000000 20261101000000 1 a. AAAA\n";
    let mut world = World::new(&[("zones/a.zone", &zone(1, signed))]);
    const BEGIN_SECS: u64 = 1_793_491_200; // 2026-11-01
    const DAY_SECS: u64 = 86_400;
    for (at_secs, expected) in [
        (None, vec![]),
        (Some(BEGIN_SECS - 1), vec!["signature-not-yet-valid"]),
        (Some(BEGIN_SECS), vec![]),
        (Some(BEGIN_SECS + 23 * DAY_SECS), vec![]),
        (Some(BEGIN_SECS + 23 * DAY_SECS + 1), vec!["signature-expiring"]),
        (Some(BEGIN_SECS + 30 * DAY_SECS), vec!["signature-expiring"]),
        (Some(BEGIN_SECS + 30 * DAY_SECS + 1), vec!["signature-expired"]),
    ] {
        let scan = Scan { at_secs, ..Scan::from(world.disk.clone()) };
        let built = world.build_with(scan, Removals::Settled);
        let codes = built.diagnostics.iter().map(|d| d.code);
        let codes: Vec<&str> = codes.filter(|code| code.starts_with("signature-")).collect();
        assert_eq!(codes, expected, "{at_secs:?}");
        assert!(built.refused.is_empty() && errors(&built).is_empty());
    }
    let scan = Scan { at_secs: Some(BEGIN_SECS + 28 * DAY_SECS), ..Scan::from(world.disk.clone()) };
    let built = world.build_with(scan, Removals::Settled);
    let told = said(&built, "signature-expiring").to_string();
    assert!(told.contains("zones/a.zone:5:1: warning"), "{told}");
    assert!(told.contains("expires on 2026-12-01 00:00 UTC, in 2 days"), "{told}");
}

#[test]
fn default_records_of_other_families_than_the_pool_are_told() {
    let dual = POOL.replace("'192.0.2.10'", "'192.0.2.10', '2001:db8::10'");
    for (pool, records, expected) in [
        (POOL, "w A 192.0.2.1\n", None),
        (POOL, "w A 192.0.2.1\nw AAAA ::1\n", Some("w.a. has AAAA in the zone file")),
        (POOL, "w AAAA ::1\n", Some("w.a. has no A in the zone file")),
        (&dual, "w A 192.0.2.1\n", Some("w.a. has no AAAA in the zone file")),
        (&dual, "w A 192.0.2.1\nw AAAA ::1\n", None),
        (&dual, "", None),
    ] {
        let mut world = World::new(&[
            ("geo/regions.toml", REGIONS),
            ("zones/a.toml", &format!("{pool}[routes.'a']\n'w' = 'web'\n")),
            ("zones/a.zone", &zone(1, records)),
        ]);
        let built = world.build();
        assert_eq!(errors(&built), [""; 0]);
        let found = built.diagnostics.iter().find(|d| d.code == "default-lacks-family");
        let matches = found.map(|d| d.message.starts_with(expected.unwrap_or("-")));
        assert_eq!(matches, expected.map(|_| true), "{found:?}");
    }
}
