//! What is known of an address, source by source, and what it means under each policy.

use std::net::IpAddr;

use crate::api::{
    DatabaseBody, GeoBody, GeoOverride, GeoPolicy, GeoRegion, GeoSource, PlaceBody, timestamp,
};
use crate::diagnostic::Diagnostic;
use crate::fileset::{File, FileSet, is_database};
use crate::geo::{Place, Prefix, Source, World, look_up, override_lines};
use crate::health::{LogTime, State};
use crate::number::{ClassId, PrefixLen, RegionId};
use crate::route::{Asker, ChoiceAnswer, Chosen, Family, Plan, choose, fill};
use crate::trace::{ClientSource, Silent};

use super::place::describe;
use super::scene::Scene;

const OVERRIDES: &str = "geo/overrides.csv";
/// How the name of the table within the binary begins.
const BUILT_IN: &str = "built-in";
/// Of a database that still counts and is in no place any more.
const NOT_KEPT: &str = "its file is no longer kept";

/// Tells what `files`, which the scene was made of, know of `address`, and what comes of it with all endpoints up.
pub fn look(scene: &Scene, files: &FileSet, address: IpAddr) -> GeoBody {
    let (place, len) = scene.world.lookup(address);
    let override_text = files.get(OVERRIDES).map(|file| &file.bytes[..]).unwrap_or_default();
    let lines = override_lines(override_text, address).into_iter().enumerate();
    let overrides: Vec<GeoOverride> = lines
        .map(|(index, line)| GeoOverride {
            line: line.number,
            prefix: line.prefix.to_string(),
            text: line.text,
            wins: index == 0,
        })
        .collect();
    // A place of the operator's stands for all that was known; a region is only added to it.
    let is_replaced = !overrides.is_empty() && place.region.is_none();
    let mut sources = sources(scene, files, address);
    if !is_replaced {
        let winner =
            sources.iter_mut().find(|(_, said)| said.as_ref().is_some_and(|it| alike(it, place)));
        winner.into_iter().for_each(|(source, _)| source.wins = true);
    }
    GeoBody {
        address: address.to_string(),
        place: body(scene, place),
        prefix: Prefix::around(address, len).to_string(),
        sources: sources.into_iter().map(|(source, _)| source).collect(),
        overrides,
        policies: scene.snapshot.plans.iter().map(|plan| policy(scene, plan, address)).collect(),
    }
}

/// The prefix around `address` that is known as one place, and which file knows it. Without its file a database is not
/// asked again: where several serve, all that it could be are told.
pub(super) fn known_by(
    scene: &Scene,
    files: Option<&FileSet>,
    address: IpAddr,
) -> (Prefix, String) {
    let (place, len) = scene.world.lookup(address);
    let prefix = Prefix::around(address, len);
    let text = files.and_then(|files| files.get(OVERRIDES)).and_then(File::content);
    let line = override_lines(text.as_deref().unwrap_or_default(), address).into_iter().next();
    let line = line.map(|line| format!("{OVERRIDES}:{}", line.number));
    let database = match (&scene.world.sources[..], files) {
        _ if *place == Place::default() => "nobody".to_owned(),
        (_, _) if line.is_some() && place.region.is_none() => {
            return (prefix, line.unwrap_or_default());
        }
        ([one], _) => one.name.clone(),
        (several, files) => {
            let said = files.map(|files| sources(scene, files, address)).unwrap_or_default();
            let mut said = said.into_iter();
            let winner = said.find(|(_, said)| said.as_ref().is_some_and(|it| alike(it, place)));
            let names = || several.iter().map(|it| &*it.name).collect::<Vec<_>>().join(" or ");
            winner.map_or_else(names, |(source, _)| source.database.name)
        }
    };
    match line {
        Some(line) => (prefix, format!("{database}, with a region of {line}")),
        None => (prefix, database),
    }
}

/// Whether both are the same place, whoever announces it.
fn alike(a: &Place, b: &Place) -> bool {
    let place = |it: &Place| (it.continent, it.country, it.subdivision, it.position);
    place(a) == place(b) && a.country.or(a.continent).is_some()
}

/// What each source says, for people and as it is.
fn sources(scene: &Scene, files: &FileSet, address: IpAddr) -> Vec<(GeoSource, Option<Place>)> {
    let databases = files.files.below("geo/").filter(|(path, _)| is_database(path));
    let mut sources: Vec<(GeoSource, Option<Place>)> = Vec::new();
    for (path, file) in databases {
        let known = scene.world.sources.iter().find(|source| source.name == **path);
        let database = known.map_or_else(|| unread(path), database_body);
        sources.push(match said_by(path, file, address) {
            Ok((place, len)) => {
                let mut told = told(scene, database, &place);
                told.prefix = Prefix::around(address, len).to_string();
                (told, Some(place))
            }
            Err(said) => (GeoSource { database, error: said, ..GeoSource::default() }, None),
        });
    }
    for source in &scene.world.sources {
        if source.name.starts_with(BUILT_IN) {
            let built_in = World::built_in();
            let (place, len) = built_in.lookup(address);
            let mut told = told(scene, database_body(source), place);
            told.prefix = Prefix::around(address, len).to_string();
            sources.push((told, Some(place.clone())));
        } else if files.get(&source.name).is_none() {
            let error = NOT_KEPT.to_owned();
            let database = database_body(source);
            sources.push((GeoSource { database, error, ..GeoSource::default() }, None));
        }
    }
    sources
}

/// What one database says by itself. A flat file has no tree to go down: it is read whole.
fn said_by(path: &str, file: &File, address: IpAddr) -> Result<(Place, PrefixLen), String> {
    let bytes = file.content().ok_or_else(|| NOT_KEPT.to_owned())?;
    if path.ends_with(".mmdb") {
        return look_up(path, &bytes, address).map_err(|said| said.message);
    }
    let first =
        |said: Vec<Diagnostic>| said.into_iter().next().map_or_else(String::new, |it| it.message);
    let world = World::from_flat(path, &bytes).map_err(first)?;
    let (place, len) = world.lookup(address);
    Ok((place.clone(), len))
}

fn told(scene: &Scene, database: DatabaseBody, place: &Place) -> GeoSource {
    GeoSource { database, place: body(scene, place), ..GeoSource::default() }
}

fn unread(path: &str) -> DatabaseBody {
    DatabaseBody { name: path.to_owned(), ..DatabaseBody::default() }
}

/// A database, without its age: nobody here knows what time it is.
pub(super) fn database_body(source: &Source) -> DatabaseBody {
    DatabaseBody {
        name: source.name.clone(),
        licence: source.licence.clone(),
        built: match source.built_epoch_secs {
            0 => String::new(),
            secs => timestamp(LogTime(secs.saturating_mul(1000))),
        },
        age_days: None,
        networks: source.networks,
    }
}

fn body(scene: &Scene, place: &Place) -> PlaceBody {
    let text = |code: &[u8]| String::from_utf8_lossy(code).trim_end_matches('\0').to_owned();
    let region = place.region.and_then(|id| scene.regions.list.get(usize::from(id.0)));
    PlaceBody {
        words: describe(&Place { region: None, ..place.clone() }),
        continent: place.continent.map(|code| text(&code)).unwrap_or_default(),
        country: place.country.map(|code| text(&code)).unwrap_or_default(),
        subdivision: place.subdivision.map(|code| text(&code)).unwrap_or_default(),
        position: place.position.map(|at| [at.latitude, at.longitude]),
        asn: place.asn,
        region: region.map(|region| region.name.to_string()).unwrap_or_default(),
    }
}

fn policy(scene: &Scene, plan: &Plan, address: IpAddr) -> GeoPolicy {
    // A state that has seen no event: every endpoint counts as up.
    let table = fill(plan, &State::default());
    let asker = Asker { address, source: ClientSource::Subnet };
    let chosen = |family| choose(plan, &table, family, asker, &mut Silent);
    let of_a = chosen(Family::V4);
    let class = of_a.map_or(ClassId(0), |chosen| chosen.class);
    let legend = plan.class_legend(class);
    let from = scene.world.lookup(address).0.position;
    let region = |id: &RegionId| {
        let to = scene.regions.list.get(usize::from(id.0)).map(|region| region.position);
        let km = from.zip(to).map(|(from, to)| from.distance_km(to).round() as u32);
        GeoRegion { region: plan.region_name(*id).unwrap_or("?").to_owned(), km }
    };
    let scope = of_a.map(|chosen| Prefix::around(address, chosen.scope).to_string());
    GeoPolicy {
        policy: plan.name.to_string(),
        class: class.0,
        rule: legend.as_ref().map(|it| it.rule_text.to_owned()).unwrap_or_default(),
        at: legend.as_ref().map(|it| it.rule_place.to_string()).unwrap_or_default(),
        fenced: legend.as_ref().is_some_and(|it| it.fenced),
        scope: scope.unwrap_or_default(),
        order: legend.iter().flat_map(|it| &it.order).map(region).collect(),
        a: answer(plan, Family::V4, of_a),
        aaaa: answer(plan, Family::V6, chosen(Family::V6)),
    }
}

/// Who answers; empty where nobody expects a word of the family.
fn answer(plan: &Plan, family: Family, chosen: Option<Chosen<'_>>) -> String {
    if !plan.answers_names() && !plan.has_family(family) {
        return String::new();
    }
    let Some(choice) = chosen.map(|chosen| chosen.choice) else { return String::new() };
    let region = choice.region.and_then(|id| plan.region_name(id));
    let words = region.unwrap_or(match choice.answer {
        ChoiceAnswer::Default => "the default RRset",
        ChoiceAnswer::Servfail => "SERVFAIL",
        ChoiceAnswer::Nodata | ChoiceAnswer::Records { .. } => "no address",
    });
    words.to_owned()
}
