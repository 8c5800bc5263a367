//! What differs between two states of files, in what they serve: zones record by record, steering down to who moves.

use std::collections::BTreeSet;

use crate::api::{
    ChangeWord, DiagnosticBody, DiffBody, DiffSide, FileChange, RrsetBody, SteeringChange,
    ZoneChange,
};
use crate::fileset::{Difference, FileSet, is_database};
use crate::geo::Tally;
use crate::load::{Config, Contents};
use crate::number::Digest;
use crate::zone::{self, Name, RrsetChange, Rtype, Zone, to_text};

use super::{geography, steering};

/// One state of files.
#[derive(Clone, Copy)]
pub struct Side<'s> {
    /// As it was asked for: a folder, `git:HEAD`, `gen:41`.
    pub name: &'s str,
    /// The files; without errors, or as far as they are sound.
    pub files: &'s FileSet,
    /// What steering inherits.
    pub config: &'s Config,
}

/// What leads from `old` to `new`. At most `rrsets_max` RRsets are told; the rest is counted.
/// Who moves is weighed by the weights that `new` publishes, else by `own`, a server's own queries, if these are enough.
pub fn diff(old: Side<'_>, new: Side<'_>, own: &Tally, rrsets_max: usize) -> DiffBody {
    let (before, after) = Contents::of_both((old.files, old.config), (new.files, new.config));
    let mut left = rrsets_max;
    let apexes: BTreeSet<&Name> = before.zones.keys().chain(after.zones.keys()).collect();
    let zones = apexes.into_iter().filter_map(|apex| {
        let zone = |contents: &Contents| contents.zones.get(apex).cloned();
        zone_change(zone(&before).as_deref(), zone(&after).as_deref(), &mut left)
    });
    let zones: Vec<ZoneChange> = zones.collect();
    let steering = match (&before.steering, &after.steering) {
        (Some(before), Some(after)) => steering::compare(before, after, own),
        _ => SteeringChange::default(),
    };
    let geography = match (&before.steering, &after.steering) {
        (Some(before), Some(after)) if databases_differ(old.files, new.files) => {
            Some(geography::compare(&before.world, &after.world))
        }
        _ => None,
    };
    let side = |side: Side<'_>, contents: &Contents| DiffSide {
        name: side.name.to_owned(),
        digest: side.files.digest().to_string(),
        diagnostics: contents.broken().map(DiagnosticBody::from).collect(),
    };
    DiffBody {
        old: side(old, &before),
        new: side(new, &after),
        differs: !zones.is_empty() || !steering.is_empty(),
        notes: Vec::new(),
        files: files(old.files, new.files),
        zones,
        steering,
        geography,
    }
}

fn databases_differ(old: &FileSet, new: &FileSet) -> bool {
    let databases = |files: &FileSet| -> Vec<Digest> {
        let databases = files.files.below("geo/").filter(|(path, _)| is_database(path));
        databases.map(|(_, file)| file.digest).collect()
    };
    databases(old) != databases(new)
}

fn files(old: &FileSet, new: &FileSet) -> Vec<FileChange> {
    let change = |differing: Difference<'_>| FileChange {
        path: differing.path.to_owned(),
        change: ChangeWord::of(differing.old.is_some(), differing.new.is_some()),
    };
    old.differences(new).map(change).collect()
}

fn zone_change(old: Option<&Zone>, new: Option<&Zone>, left: &mut usize) -> Option<ZoneChange> {
    let changes = zone::diff(old, new);
    let either = new.or(old)?;
    if changes.is_empty() && old.is_some() && new.is_some() {
        return None;
    }
    let serial = |zone: Option<&Zone>| zone.and_then(Zone::serial);
    let (serial_old, serial_new) = (serial(old), serial(new));
    let is_soa = |change: &RrsetChange<'_>| change.rtype == Rtype::SOA;
    let count = |of: fn(&RrsetChange<'_>) -> usize| {
        changes.iter().filter(|change| !is_soa(change)).map(of).sum()
    };
    let raised = serial_old.zip(serial_new).is_none_or(|(old, new)| new.is_newer_than(old));
    let told = || changes.iter().filter(|change| !change.is_serial_only());
    let rrsets: Vec<RrsetBody> = told().take(*left).map(rrset_body).collect();
    *left -= rrsets.len();
    Some(ZoneChange {
        zone: either.apex.to_string(),
        change: ChangeWord::of(old.is_some(), new.is_some()),
        file: either.path.clone(),
        serial_old: serial_old.map(|serial| serial.0),
        serial_new: serial_new.map(|serial| serial.0),
        serial_not_raised: !raised,
        records_added: count(|change| change.added().len()),
        records_removed: count(|change| change.removed().len()),
        rrsets_left_out: told().count() - rrsets.len(),
        rrsets,
    })
}

fn rrset_body(change: &RrsetChange<'_>) -> RrsetBody {
    let texts = |rdata: Vec<&[u8]>| -> Vec<String> {
        rdata.into_iter().map(|rdata| to_text(change.rtype, rdata)).collect()
    };
    let added = texts(change.added());
    RrsetBody {
        owner: change.owner.to_string(),
        rtype: change.rtype.to_string(),
        change: ChangeWord::of(change.old.is_some(), change.new.is_some()),
        ttl_old: change.old.map(|rrset| rrset.ttl.as_secs()),
        ttl_new: change.new.map(|rrset| rrset.ttl.as_secs()),
        removed: texts(change.removed()),
        kept: change.new.map_or(0, |rrset| rrset.rdata.len() - added.len()),
        added,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::api::{Move, PolicyChange};
    use crate::fileset::File;
    use crate::geo::Area;
    use crate::health::State;
    use crate::load::SteeringContents;
    use crate::route::{Asker, Family, choose, fill};
    use crate::trace::{ClientSource, Silent};

    const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n\
        [sin]\nposition = [1.35, 103.82]\n";
    const POLICY: &str = "[policies.web]\npool = 'web'\nunknown = ['fra']\nrules = [\n\
        { places = ['EU-CH'], regions = ['iad'] },\n{ regions = 'nearest' },\n]\n";

    fn state(regions: &str, pool: &str, policy: &str) -> FileSet {
        let pool = format!("[pools.web]\n{pool}\n{policy}");
        let files = [("geo/regions.toml", regions), ("zones/web.toml", pool.as_str())];
        let file =
            |(path, text): (&str, &str)| (path.to_owned(), File::new(text.as_bytes().to_vec()));
        FileSet { files: files.map(file).into() }
    }

    fn both(old: &FileSet, new: &FileSet) -> (PolicyChange, SteeringContents, SteeringContents) {
        let config = Config::defaults(std::path::Path::new(""));
        let side = |files| Side { name: "", files, config: &config };
        let mut steering = diff(side(old), side(new), &Tally::default(), 10).steering;
        let (before, after) = Contents::of_both((old, &config), (new, &config));
        (steering.policies.remove(0), before.steering.unwrap(), after.steering.unwrap())
    }

    /// The region that a client is sent to, by the look-up that serves.
    fn served(side: &SteeringContents, address: IpAddr) -> Option<String> {
        let plan = &side.plans[0];
        let table = fill(plan, &State::default());
        let asker = Asker { address, source: ClientSource::Subnet };
        let chosen = choose(plan, &table, Family::V4, asker, &mut Silent)?;
        plan.region_name(chosen.choice.region?).map(str::to_owned)
    }

    /// Method: addresses all over both spaces are looked up on both sides, as a query would; each that has another region
    /// has to be within a move of its country, and each of a country that moves whole has to have moved.
    #[test]
    fn who_moves_is_who_is_served_from_elsewhere() {
        let pool = "fra = ['192.0.2.1']\niad = ['192.0.2.2']\nsin = ['192.0.2.3']";
        let old = state(REGIONS, pool, POLICY);
        let wider = format!("{REGIONS}[arn]\nposition = [59.33, 18.07]\n");
        let rules = POLICY.replace("'EU-CH'", "'EU-CH', 'SA'");
        let new = state(&wider, &format!("{pool}\narn = ['192.0.2.4']"), &rules);
        let (change, before, after) = both(&old, &new);
        let of = |way: &Move, country: &str| {
            way.countries.iter().find(|of| of.country == country).and_then(|of| of.share.ipv4)
        };
        let mut moved = 0;
        let v4 = (0..4000u32).map(|n| IpAddr::V4(Ipv4Addr::from_bits(n.wrapping_mul(0x9e37_79b9))));
        let v6 = (0..500u128).map(|n| {
            IpAddr::V6(Ipv6Addr::from_bits(0x2a00 << 112 | n.wrapping_mul(0x9e37_79b9) << 84))
        });
        for address in v4.chain(v6) {
            let (from, to) = (served(&before, address), served(&after, address));
            let Some(country) = after.world.lookup(address).0.country else { continue };
            let country = String::from_utf8(country.to_vec()).unwrap();
            let way = change
                .moves
                .iter()
                .find(|way| (Some(&way.from), Some(&way.to)) == (from.as_ref(), to.as_ref()));
            if from != to {
                moved += 1;
                assert!(
                    way.is_some_and(|way| way.countries.iter().any(|of| of.country == country))
                );
            } else if address.is_ipv4() {
                let whole = change.moves.iter().find(|way| of(way, &country) == Some(1.0));
                assert!(whole.is_none(), "{address} of {country} did not move: {whole:?}");
            }
        }
        assert!(moved > 100, "{moved}");
    }

    #[test]
    fn shares_of_the_hash_space_move_as_such() {
        let pool = "fra = ['192.0.2.1', '2001:db8::1']\niad = ['192.0.2.2']";
        let weighed = |a: u32, b: u32| {
            format!(
                "[policies.web]\npool = 'web'\nunknown = ['fra']\nrules = [{{ regions = [\
                 {{ region = 'fra', weight = {a} }}, {{ region = 'iad', weight = {b} }}] }}]\n"
            )
        };
        let old = state(REGIONS, pool, &weighed(1, 1));
        let new = state(REGIONS, pool, &weighed(3, 1));
        let (change, ..) = both(&old, &new);
        // iad has no IPv6 endpoint: AAAA stays in fra throughout.
        let [way] = &*change.moves else { panic!("{:?}", change.moves) };
        assert_eq!((way.rtype.as_deref(), &*way.from, &*way.to), (Some("A"), "iad", "fra"));
        assert_eq!((way.share.ipv4, way.share.ipv6), (Some(0.25), Some(0.25)));
        assert!(way.countries.len() > 240 && way.unknown);
        assert!(way.countries.iter().all(|of| of.share.ipv4.is_none_or(|share| share == 0.25)));
        // Back again is the mirror; and nothing is nothing.
        let (back, ..) = both(&new, &old);
        assert_eq!((&*back.moves[0].from, &*back.moves[0].to), ("fra", "iad"));
        assert_eq!(back.moves[0].countries, way.countries);
    }

    #[test]
    fn a_bias_moves_the_border_and_is_named() {
        let pool = "fra = ['192.0.2.1']\niad = ['192.0.2.2']";
        let (old, new) = (POLICY.to_owned(), format!("{POLICY}bias = {{ iad = 50 }}\n"));
        let (change, ..) = both(&state(REGIONS, pool, &old), &state(REGIONS, pool, &new));
        let [setting] = &*change.settings else { panic!("{:?}", change.settings) };
        assert_eq!((&*setting.name, &*setting.old, &*setting.new), ("bias", "none", "iad 50"));
        let [way] = &*change.moves else { panic!("{:?}", change.moves) };
        assert_eq!((&*way.from, &*way.to), ("fra", "iad"));
        // Portugal is 1,900 km from Frankfurt and 5,700 km from Virginia, of which half count; its islands are between.
        let moves = |country: &str| {
            let of = way.countries.iter().find(|of| of.country == country);
            of.and_then(|of| of.share.ipv4).unwrap_or(0.0)
        };
        let shares = ["IS", "PT", "DE", "US"].map(moves);
        assert!(shares[0] == 1.0 && (0.01..0.1).contains(&shares[1]), "{shares:?}");
        assert_eq!(shares[2..], [0.0, 0.0]);
    }

    #[test]
    fn a_subnet_that_moves_is_named() {
        let pool = "fra = ['192.0.2.1']\niad = ['192.0.2.2']";
        let ruled = |subnet: &str| {
            let rule = format!("{{ subnets = ['{subnet}'], regions = ['iad'] }}");
            POLICY.replace("{ places = ['EU-CH'], regions = ['iad'] }", &rule)
        };
        let old = state(REGIONS, pool, &ruled("203.0.113.0/24"));
        let new = state(REGIONS, pool, &ruled("203.0.113.0/26"));
        let (change, ..) = both(&old, &new);
        let [way] = &*change.moves else { panic!("{:?}", change.moves) };
        assert_eq!(way.prefixes, ["203.0.113.64/26", "203.0.113.128/25"]);
        assert_eq!((change.rules_removed.len(), change.rules_added.len()), (1, 1));
    }

    #[test]
    fn who_moves_is_weighed_by_queries_where_these_are_known() {
        let pool = "fra = ['192.0.2.1']\niad = ['192.0.2.2']";
        let old = state(REGIONS, pool, POLICY);
        let mut new = state(REGIONS, pool, &POLICY.replace("EU-CH", "EU-LI"));
        let config = Config::defaults(std::path::Path::new(""));
        let told = |new: &FileSet, swiss: f64| {
            let mut own = Tally::default();
            for (country, count) in [(b"CH", swiss), (b"DE", 3.0 * swiss)] {
                own.add([(Area::new(Some(*country), None), 1.0)].into_iter(), count);
            }
            let side = |files| Side { name: "", files, config: &config };
            let mut change = diff(side(&old), side(new), &own, 10).steering;
            let moves = change.policies.remove(0).moves.into_iter();
            let swiss = moves.filter(|way| way.from == "iad").map(|way| {
                let country = way.countries.iter().find(|of| of.country == "CH").unwrap();
                assert_eq!(country.queries, way.queries);
                way.queries
            });
            (swiss.collect::<Vec<_>>(), change.weights.map(|weights| weights.basis))
        };
        // Too few say nothing; then the own ones count; then what is published.
        assert_eq!(told(&new, 2_499.0), (vec![None], None));
        assert_eq!(told(&new, 2_500.0), (vec![Some(0.25)], Some("queries".to_owned())));
        let weights = File::new(b"EU-CH,4\n*,1\n".as_slice());
        new.files.insert("geo/weights.csv".to_owned(), weights);
        assert_eq!(told(&new, 2_500.0), (vec![Some(0.8)], Some("published".to_owned())));
    }
}
