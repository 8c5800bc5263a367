//! Method: files change at random. One builder may build onto its last build, another never does; they have to agree in
//! all that comes of it, image by image.

use std::path::Path;

use super::super::super::config::Config;
use super::super::super::removal::Removals;
use super::*;
use crate::answer::Served;
use crate::fileset::File;
use crate::load::Guard;

/// xorshift64*: the same changes on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

const REGIONS: &str = "[fra]\nname = 'F'\nposition = [50.11, 8.68]\n\
                       [iad]\nname = 'I'\nposition = [38.9, -77.4]\n";
const ROUTES: &str = "[pools.web]\nfra = ['192.0.2.10']\niad = ['198.51.100.10']\n\
                      [policies.web]\npool = 'web'\n[routes.'z01.test']\n\"www\" = 'web'\n\"h9\" = 'web'\n";

fn zone(serial: u32, hosts: usize, rest: &str) -> File {
    let hosts: String = (0..hosts).map(|n| format!("h{n} A 192.0.2.{}\n", n % 250 + 1)).collect();
    File::new(
        format!(
            "$TTL 300\n@ SOA ns.example.net. host {serial} 1h 15m 30d 5m\n@ NS ns.example.net.\n\
         www A 192.0.2.1\n{hosts}{rest}"
        )
        .into_bytes(),
    )
}

fn broken(step: u32) -> File {
    File::new(format!("@ SOA broken\nh{step} A 192.0.2.1\n").into_bytes())
}

/// One change of one file, mostly of a zone by itself.
fn change(files: &mut FileSet, random: &mut Random, step: u32) {
    let path = |n: usize| format!("zones/z{n:02}.test.zone");
    // One of them is routed: it changes often.
    let n = [random.below(30), step as usize / 20 * 20 % 30][random.below(2)];
    // Some are large: of a change of theirs only that is read.
    let hosts = random.below(40) + if n.is_multiple_of(15) { 400 } else { 0 };
    let extra =
        ["", "@ MX 10 www\n", "svc HTTPS 1 www.z01.test. ipv4hint=192.0.2.1\n", "a.b.c TXT x\n"];
    let extra = extra[random.below(extra.len())];
    let insert = |files: &mut FileSet, path: String, file| drop(files.files.insert(path, file));
    match random.below(120) {
        0 => drop(files.files.remove(&path(n))),
        1 | 11 => insert(files, path(n), broken(step)),
        12 => insert(files, format!("zones/below.z{n:02}.test.zone"), broken(step)),
        2 => insert(files, path(n), zone(step, hosts, "$INCLUDE inc\n")),
        3 => insert(
            files,
            "zones/inc".to_owned(),
            File::new(format!("i{step} A 192.0.2.9\n").into_bytes()),
        ),
        4 => insert(files, format!("zones/sub/z{n:02}.test.zone"), zone(step, 1, "")),
        5 => insert(files, format!("zones/below.z{n:02}.test.zone"), zone(step, hosts, "")),
        6 => insert(
            files,
            "zones/s.toml".to_owned(),
            File::new(ROUTES.replace("z01", &format!("z{n:02}")).into_bytes()),
        ),
        7 => drop(files.files.remove("zones/s.toml")),
        8 => drop(files.files.remove("zones/inc")),
        9 => files.files.retain(|path, _| !path.starts_with("zones/sub/")),
        10 => insert(files, path(n), zone(1, hosts, extra)),
        _ => insert(files, path(n), zone(step + 1, hosts, extra)),
    }
}

fn told(built: &Built) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        built.serving.digest(),
        built.diagnostics.clone(),
        built.refused.clone(),
        (built.held.clone(), built.waiting.clone(), built.changed),
        (built.parts.summary.clone(), built.parts.files_digest, built.parts.examples.clone()),
    )
}

/// All images but the names that records pointed at once.
fn laid(built: &Built) -> Vec<String> {
    let mut laid: Vec<String> = built
        .parts
        .catalog
        .zones()
        .map(|served| match served {
            Served::Zone(zone) => {
                format!("{zone:?}").split(", targets: ").next().unwrap().to_owned()
            }
            Served::Broken(apex) => format!("broken {apex:?}"),
        })
        .collect();
    laid.sort();
    laid
}

#[test]
fn a_build_onto_the_last_is_a_build_of_all() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let config = Config::defaults(Path::new("/"));
    let (mut swift, mut plain) = (Builder::new(&config), Builder::new(&config));
    plain.seed = swift.seed.clone();
    let mut disk = FileSet::default();
    disk.files.insert("geo/regions.toml".to_owned(), File::new(REGIONS.as_bytes()));
    disk.files.extend((0..30).map(|n| (format!("zones/z{n:02}.test.zone"), zone(1, n, ""))));
    let mut serving = FileSet::default();
    let guard = Guard { max_removed_share: 0.7, min_removed: 20 };
    let (mut narrow, mut routed, mut held, mut passed, mut refusing) = (0, 0, 0, 0, 0);
    let mut refused_before = Vec::new();
    let (mut reading, mut hasty, mut took_whole) = (None, 0, 0);
    for step in 0..400 {
        if step % 20 == 0 {
            let routes = ROUTES.replace("z01", &format!("z{:02}", step % 30));
            disk.files.insert("zones/s.toml".to_owned(), File::new(routes.into_bytes()));
        }
        let changes = [0, 1, 1, 1, 1, 2, 3][random.below(7)];
        (0..changes).for_each(|_| change(&mut disk, &mut random, step));
        let mends = random.below(12) == 0;
        if mends {
            // Or it would be refused, held, or hang together for good.
            disk.files.retain(|path, _| !path.contains("inc") && !path.contains("sub"));
            let whole = (0..30).map(|n| (format!("zones/z{n:02}.test.zone"), zone(step, 20, "")));
            disk.files.extend(whole);
        }
        let guard = Some(&guard).filter(|_| !mends);
        // What is read now counts a step or more later, for what is the same by then.
        if random.below(2) == 0
            && let Some(read) = reading.take()
        {
            took_whole += usize::from(swift.take_whole(read));
        } else if reading.is_none() && swift.is_hasty() {
            reading = Some(swift.second_reading().read());
        }
        let removals = [Removals::Settled, Removals::Wait][random.below(2) * usize::from(!mends)];
        let scan =
            Scan { at_secs: Some(1_700_000_000 + u64::from(step)), ..Scan::from(disk.clone()) };
        plain.standing = None;
        let expected = plain.build_guarded(&scan, &serving, removals, guard);
        let could = swift.standing.is_some();
        swift.now_secs = scan.at_secs;
        let onto = swift.narrow(&scan, &serving, guard);
        narrow += usize::from(onto.is_some());
        routed += usize::from(onto.as_ref().is_some_and(|built| built.parts.summary.routes > 0));
        assert!(could || onto.is_none());
        if let Some(built) = &onto {
            passed += usize::from(!built.refused.is_empty());
            refusing += usize::from(built.refused.iter().any(|r| !refused_before.contains(r)));
        }
        let built = onto.unwrap_or_else(|| swift.build_guarded(&scan, &serving, removals, guard));
        held += built.held.len();
        refused_before.clone_from(&built.refused);
        assert_eq!(told(&built), told(&expected), "step {step}");
        assert_eq!(laid(&built), laid(&expected), "step {step}");
        hasty += usize::from(swift.is_hasty());
        let read = plain.second_reading().read();
        plain.take_whole(read);
        serving = built.serving;
    }
    let counts = (narrow, routed, held, passed, refusing, hasty, took_whole);
    assert!(
        narrow > 100
            && routed > 50
            && held > 5
            && passed > 20
            && refusing > 5
            && hasty > 10
            && took_whole > 2,
        "built onto the last, with routes, held, beside refused files, refusing one, hasty, read again: {counts:?}"
    );
}
